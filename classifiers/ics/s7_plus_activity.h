/*
 * What engineers do over S7comm-plus: by the object that a request names, and by the method that it calls.
 * Siemens publishes none of it; the numbers are those of Wireshark's plugin (moki-ics) and of thomas-v2's driver.
 *
 *	behind the function:  reserved 2 | sequence 2 | session 4 | flags 1 | object 4 | ...
 *	set one      number of items, attribute, flags 1, type 1, value
 *	set several  number of items, number of attributes, attributes, {item, flags 1, type 1, value}
 *	invoke       method 4, arguments
 *
 * Numbers and attributes are VLQ: seven bits a byte, the highest first.
 */
#ifndef CLASSIFIERS_ICS_S7_PLUS_ACTIVITY_H
#define CLASSIFIERS_ICS_S7_PLUS_ACTIVITY_H

#include "classifiers/api/classifier.h"

enum s7_plus_function {
	S7P_EXPLORE = 0x04bb, S7P_CREATE_OBJECT = 0x04ca, S7P_DELETE_OBJECT = 0x04d4, S7P_SET_VARIABLE = 0x04f2,
	S7P_SET_VARIABLES = 0x0542, S7P_INVOKE = 0x056b, S7P_GET_STREAM = 0x0586,
};
enum s7_plus_object { S7P_ANY_VARIABLES = 0, S7P_HARDWARE = 2, S7P_PROGRAM = 3, S7P_EXECUTION_UNIT = 52, S7P_DATA_BLOCKS = 0x8a0e };
enum { S7P_BEFORE_OBJECT = 2 + 2 + 4 + 1, S7P_OPERATING_STATE_REQUEST = 2167, S7P_DINT = 0x08 };

static inline uint32_t s7_plus_vlq(struct cursor *c)
{
	uint32_t v = 0;
	uint8_t b = 0x80;

	for (int i = 0; i < 5 && b & 0x80; i++) {
		b = cursor_u8(c);
		v = v << 7 | (b & 0x7f);
	}
	return v;
}

/* The execution unit is asked to take a state: 1 stop, 3 run, 4 run of a redundant pair. */
static inline void s7_plus_tell_state(struct reader *r, struct cursor c, bool several)
{
	uint32_t items = s7_plus_vlq(&c), state;
	uint8_t type;

	if (several && s7_plus_vlq(&c) != items)
		return;
	if (items == 0 || s7_plus_vlq(&c) != S7P_OPERATING_STATE_REQUEST)
		return;
	for (uint32_t i = 1; several && i < items && cursor_left(&c); i++)
		(void)s7_plus_vlq(&c);
	cursor_skip(&c, several ? 2 : 1); /* the item's number, flags */
	type = cursor_u8(&c);
	state = s7_plus_vlq(&c);
	if (!cursor_ok(&c) || type != S7P_DINT)
		return;
	if (state == 1)
		tell_activity(r, NULL, ACTIVITY_MODE_STOP, "operating state request: stop");
	else if (state == 3 || state == 4)
		tell_activity(r, NULL, ACTIVITY_MODE_RUN, "operating state request: run");
	else
		tell_activity(r, NULL, ACTIVITY_CONFIGURATION, "operating state request: %u", (unsigned)state);
}

static inline void s7_plus_tell_set(struct reader *r, struct cursor c, uint32_t object, bool several)
{
	if (object == S7P_EXECUTION_UNIT)
		s7_plus_tell_state(r, c, several);
	else if (several && object == S7P_ANY_VARIABLES)
		r->signs |= SIGN_WRITE;
}

/* How engineering stations bring a project to a panel. */
static inline void s7_plus_tell_method(struct reader *r, struct cursor c)
{
	static const struct {
		uint32_t method;
		const char *name;
	} downloads[] = {
		{ 15000009, "PreFullDownload" }, { 15000011, "PostFullDownload" }, { 15000013, "CheckFullDownload" },
		{ 15000016, "ActivateDownload" },
	};
	uint32_t method = cursor_u32be(&c);

	for (size_t i = 0; i < sizeof downloads / sizeof *downloads; i++)
		if (cursor_ok(&c) && downloads[i].method == method)
			tell_activity(r, NULL, ACTIVITY_PROGRAM_DOWNLOAD, "invoke %s (0x056b)", downloads[i].name);
}

/* Of a request, from behind its function. */
static inline void s7_plus_tell_request(struct reader *r, uint16_t function, struct cursor c)
{
	uint32_t object;

	cursor_skip(&c, S7P_BEFORE_OBJECT);
	object = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return;
	if (function == S7P_CREATE_OBJECT && object == S7P_PROGRAM)
		tell_activity(r, NULL, ACTIVITY_PROGRAM_DOWNLOAD, "create object in the program (0x04ca)");
	else if (function == S7P_CREATE_OBJECT && object == S7P_HARDWARE)
		tell_activity(r, NULL, ACTIVITY_PROGRAM_DOWNLOAD, "create object in the hardware configuration (0x04ca)");
	else if (function == S7P_DELETE_OBJECT && object >> 16 == S7P_DATA_BLOCKS)
		tell_activity(r, NULL, ACTIVITY_ONLINE_EDIT, "delete data block %u (0x04d4)", (unsigned)(object & 0xffff));
	else if (function == S7P_SET_VARIABLE || function == S7P_SET_VARIABLES)
		s7_plus_tell_set(r, c, object, function == S7P_SET_VARIABLES);
	else if (function == S7P_INVOKE)
		s7_plus_tell_method(r, c);
}

#endif
