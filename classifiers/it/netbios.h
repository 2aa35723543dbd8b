/*
 * NetBIOS names as they stand in packets: 15 characters and a suffix, each byte as two letters A to P.
 * RFC 1001, 14.1. Name service, datagrams and sessions all carry them.
 */
#ifndef CLASSIFIERS_IT_NETBIOS_H
#define CLASSIFIERS_IT_NETBIOS_H

#include "classifiers/api/classifier.h"

enum { NETBIOS_NAME_BYTES = 15, NETBIOS_ENCODED_BYTES = 32 };

/* Suffixes: what the name is for. */
enum {
	NETBIOS_WORKSTATION = 0x00, NETBIOS_DOMAIN_MASTER = 0x1b, NETBIOS_DOMAIN_CONTROLLER = 0x1c,
	NETBIOS_MASTER_BROWSER = 0x1d, NETBIOS_ELECTION = 0x1e, NETBIOS_SERVER = 0x20,
};

struct netbios_name {
	char text[NETBIOS_NAME_BYTES + 1]; /* without the blanks at its end */
	uint8_t suffix;
};

/* 16 bytes: a name, blanks or zeros, a suffix. */
static inline struct netbios_name netbios_plain(struct cursor c)
{
	struct netbios_name name = { 0 };
	size_t n = NETBIOS_NAME_BYTES;

	cursor_copy(&c, name.text, NETBIOS_NAME_BYTES);
	name.suffix = cursor_u8(&c);
	while (n && (name.text[n - 1] == ' ' || name.text[n - 1] == 0))
		name.text[--n] = 0;
	return name;
}

/*
 * Takes {32}{letters}{labels of the scope}{0}. False when it is none, with the cursor marked. The 66
 * bytes hold little but letters of sixteen: that alone is hard to meet by chance.
 */
static inline bool netbios_take(struct cursor *c, struct netbios_name *name)
{
	uint8_t plain[NETBIOS_NAME_BYTES + 1], len;
	struct cursor letters;

	if (cursor_u8(c) != NETBIOS_ENCODED_BYTES)
		cursor_fail(c);
	letters = cursor_take(c, NETBIOS_ENCODED_BYTES);
	if (!cursor_ok(&letters))
		return false;
	for (size_t i = 0; i < sizeof plain; i++) {
		unsigned high = cursor_u8(&letters) - 'A', low = cursor_u8(&letters) - 'A';

		if (high > 15 || low > 15) {
			cursor_fail(c);
			return false;
		}
		plain[i] = (uint8_t)(high << 4 | low);
	}
	while ((len = cursor_u8(c)) != 0 && len < 64)
		cursor_skip(c, len);
	if (len)
		cursor_fail(c);
	*name = netbios_plain(cursor_over(plain, sizeof plain));
	return cursor_ok(c);
}

/* True for a name that a machine has: printable, and not one of the names that stand for "anybody". */
static inline bool netbios_machine(const struct netbios_name *name)
{
	if (name->text[0] == 0 || name->text[0] == '*' || name->text[0] == 1)
		return false;
	if (name->suffix != NETBIOS_WORKSTATION && name->suffix != NETBIOS_SERVER)
		return false;
	for (const char *p = name->text; *p; p++)
		if ((uint8_t)*p <= ' ' || *p == 0x7f)
			return false;
	return true;
}

#endif
