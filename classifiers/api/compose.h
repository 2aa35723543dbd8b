/*
 * Puts a short text together piece by piece: printf() takes longer than reading the message that it is made of. What does not
 * fit is cut off; the text ends in a zero at any time.
 */
#ifndef CLASSIFIERS_API_COMPOSE_H
#define CLASSIFIERS_API_COMPOSE_H

#include "classifiers/api/cursor.h"

struct composed {
	char *at;   /* the zero */
	char *last; /* where it may stand at most */
};

/* Into `room` bytes, at least one, which stay the caller's. */
static inline struct composed compose_in(char *to, size_t room)
{
	*to = 0;
	return (struct composed){ to, to + room - 1 };
}

static inline void compose_bytes(struct composed *t, const void *bytes, size_t len)
{
	size_t room = (size_t)(t->last - t->at);

	if (len > room)
		len = room;
	memcpy(t->at, bytes, len);
	t->at += len;
	*t->at = 0;
}

static inline void compose_text(struct composed *t, const char *text)
{
	compose_bytes(t, text, strlen(text));
}

static inline void compose_number(struct composed *t, uint32_t n)
{
	char digits[10], *at = digits + sizeof digits;

	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	compose_bytes(t, at, (size_t)(digits + sizeof digits - at));
}

/* The lowest `digits` of it, 1 to 8, in small letters. */
static inline void compose_hex(struct composed *t, uint32_t n, unsigned digits)
{
	char hex[8];

	for (unsigned i = digits; i-- > 0; n >>= 4)
		hex[i] = "0123456789abcdef"[n & 15];
	compose_bytes(t, hex, digits);
}

#endif
