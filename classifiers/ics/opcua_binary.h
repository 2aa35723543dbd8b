/*
 * The built-in types of OPC UA's binary encoding (OPC 10000-6, clause 5.2), read from a cursor.
 *
 * Little-endian; strings, byte strings and arrays begin with a signed 32-bit length, -1 for null.
 */
#ifndef CLASSIFIERS_ICS_OPCUA_BINARY_H
#define CLASSIFIERS_ICS_OPCUA_BINARY_H

#include "classifiers/api/cursor.h"

enum { UA_ARRAY_MAX = 1024, UA_NESTING_MAX = 8 };

/* A string or byte string; an empty one for null. */
static inline struct cursor ua_take_string(struct cursor *c)
{
	uint32_t len = cursor_u32le(c);

	return cursor_take(c, len == UINT32_MAX ? 0 : len);
}

/* Count of an array; more than UA_ARRAY_MAX is taken for damage. */
static inline uint32_t ua_take_count(struct cursor *c)
{
	uint32_t count = cursor_u32le(c);

	if (count == UINT32_MAX)
		return 0;
	if (count > UA_ARRAY_MAX)
		cursor_fail(c);
	return cursor_ok(c) ? count : 0;
}

static inline struct cursor ua_take_localized(struct cursor *c)
{
	uint8_t mask = cursor_u8(c);

	if (mask & 1)
		(void)ua_take_string(c);
	return mask & 2 ? ua_take_string(c) : cursor_take(c, 0);
}

/* Clause 5.2.2.9. The number of a numeric NodeId of namespace 0, else 0. */
static inline uint32_t ua_take_node(struct cursor *c)
{
	uint8_t kind = cursor_u8(c);
	uint32_t space = 0, id = 0;

	switch (kind & 0x3f) {
	case 0: id = cursor_u8(c); break;
	case 1: space = cursor_u8(c); id = cursor_u16le(c); break;
	case 2: space = cursor_u16le(c); id = cursor_u32le(c); break;
	case 3:
	case 5: cursor_skip(c, 2); (void)ua_take_string(c); break;
	case 4: cursor_skip(c, 18); break;
	default: cursor_fail(c); break;
	}
	if (kind & 0x80)
		(void)ua_take_string(c);
	if (kind & 0x40)
		cursor_skip(c, 4);
	return space == 0 ? id : 0;
}

static inline void ua_skip_strings(struct cursor *c)
{
	for (uint32_t n = ua_take_count(c); n && cursor_ok(c); n--)
		(void)ua_take_string(c);
}

/* Clause 5.2.2.15; gives type and contents. */
static inline uint32_t ua_take_extension(struct cursor *c, struct cursor *contents)
{
	uint32_t type = ua_take_node(c);
	uint8_t encoding = cursor_u8(c);

	if (encoding > 2)
		cursor_fail(c);
	*contents = encoding ? ua_take_string(c) : cursor_take(c, 0);
	return encoding == 1 ? type : 0;
}

static inline void ua_skip_diagnostics(struct cursor *c)
{
	for (int i = 0; i < UA_NESTING_MAX; i++) {
		uint8_t mask = cursor_u8(c);

		for (uint8_t bit = 1; bit <= 8; bit = (uint8_t)(bit << 1))
			if (mask & bit)
				cursor_skip(c, 4);
		if (mask & 0x10)
			(void)ua_take_string(c);
		if (mask & 0x20)
			cursor_skip(c, 4);
		if (!(mask & 0x40))
			return;
	}
	cursor_fail(c);
}

static inline void ua_skip_request_header(struct cursor *c)
{
	struct cursor extra;

	(void)ua_take_node(c);
	cursor_skip(c, 16);
	(void)ua_take_string(c);
	cursor_skip(c, 4);
	(void)ua_take_extension(c, &extra);
}

static inline void ua_skip_response_header(struct cursor *c)
{
	struct cursor extra;

	cursor_skip(c, 16);
	ua_skip_diagnostics(c);
	ua_skip_strings(c);
	(void)ua_take_extension(c, &extra);
}

#endif
