/* Names as DNS and its kin write them: {length}{label}... ended by 0, or by c0xx, the place in the message where it goes on. */
#ifndef CLASSIFIERS_API_DNS_H
#define CLASSIFIERS_API_DNS_H

#include "classifiers/api/cursor.h"

enum { DNS_NAME_BYTES = 256 };

/*
 * Takes a name from c, which is a part of `message`. A pointer must lead to before everything read of this name
 * so far, so that the number of steps is bounded by the message. False when the name is broken.
 */
static inline bool dns_take_name(struct cursor message, struct cursor *c, char name[DNS_NAME_BYTES])
{
	struct cursor at = *c;
	const uint8_t *lowest = c->at;
	size_t n = 0;
	bool jumped = false;

	name[0] = 0;
	for (;;) {
		uint8_t len = cursor_u8(&at);

		if ((len & 0xc0) == 0xc0) {
			size_t offset = (size_t)(len & 0x3f) << 8 | cursor_u8(&at);

			if (!jumped)
				*c = at;
			jumped = true;
			if (!cursor_ok(&at) || message.at + offset >= lowest)
				return false;
			at = message;
			cursor_skip(&at, offset);
			lowest = at.at;
			continue;
		}
		if (!cursor_ok(&at) || len > 63 || n + len + 2 > DNS_NAME_BYTES)
			return false;
		if (len == 0)
			break;
		if (n)
			name[n++] = '.';
		cursor_copy(&at, name + n, len);
		n += len;
		name[n] = 0;
	}
	if (!jumped)
		*c = at;
	return cursor_ok(&at);
}

#endif
