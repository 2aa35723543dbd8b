/*
 * One element of BER or DER: {tag u8}{length}{contents}. X.690, 8.1.
 *
 * Enough for SNMP and X.509: tags of one byte, lengths of a definite form of up to four bytes.
 */
#ifndef CLASSIFIERS_API_DER_H
#define CLASSIFIERS_API_DER_H

#include "classifiers/api/cursor.h"

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

/* Takes {tag}{length}; marks c when that isn't whole or of a form that isn't read here. */
static inline size_t der_header(struct cursor *c, uint8_t *tag)
{
	uint8_t first;

	*tag = cursor_u8(c);
	first = cursor_u8(c);
	if ((*tag & 0x1f) == 0x1f || first == 0x80 || first > 0x84)
		cursor_fail(c);
	return first > 0x80 ? (size_t)cursor_be(c, first & 0x7fu) : first;
}

/* Takes the next element, gives its contents and its tag; a bad cursor (and c marked) when it isn't whole. */
static inline struct cursor der_any(struct cursor *c, uint8_t *tag)
{
	size_t len = der_header(c, tag);
	struct cursor contents = cursor_take(c, len);

	contents.bad = c->bad;
	return contents;
}

/* Takes the next element, which must have this tag. */
static inline struct cursor der_take(struct cursor *c, uint8_t tag)
{
	uint8_t got;
	struct cursor contents = der_any(c, &got);

	if (got != tag) {
		cursor_fail(c);
		cursor_fail(&contents);
	}
	return contents;
}

/* Takes the next element, which must have this tag; of one whose end is cut off, as much as is there. */
static inline struct cursor der_open(struct cursor *c, uint8_t tag)
{
	uint8_t got;
	size_t len = der_header(c, &got);

	if (got != tag)
		cursor_fail(c);
	return cursor_take(c, len < cursor_left(c) ? len : cursor_left(c));
}

/* Takes the next element if it has this tag. False, and nothing taken, when it hasn't. */
static inline bool der_maybe(struct cursor *c, uint8_t tag, struct cursor *contents)
{
	if (cursor_left(c) == 0 || cursor_peek(c, 0) != tag)
		return false;
	*contents = der_take(c, tag);
	return cursor_ok(contents);
}

/* An OID's contents as "1.3.6.1.4.1.9"; length of the text, 0 when it is broken or has no room. */
size_t der_oid_text(struct cursor oid, char *to, size_t room);

#endif
