/*
 * UMAS, Schneider's own functions inside Modbus function 5A: what CPUs and programming stations say of themselves.
 *
 * The protocol is not published. modbus.c owns the flow; here are the bytes behind the function code:
 *
 *	request  | key | function | arguments          key: 0, or that of the reservation
 *	answer   | key | FE or FD | values             FE: done. Values are little-endian.
 *
 * Answers don't repeat the function, so that the last question of interest is kept.
 */
#ifndef CLASSIFIERS_ICS_UMAS_H
#define CLASSIFIERS_ICS_UMAS_H

#include "classifiers/api/classifier.h"

enum umas_function { UMAS_READ_ID = 0x02, UMAS_READ_PROJECT = 0x03, UMAS_RESERVE = 0x10, UMAS_DONE = 0xfe };
enum { UMAS_PROJECT_NAME = 39, UMAS_TEXT_MAX = 64 };

struct umas {
	uint16_t txid;
	uint8_t function; /* that was asked, 0 none */
};

static inline bool umas_is_text(struct cursor c)
{
	size_t n = cursor_left(&c);

	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c);

		if (b < ' ' || b >= 0x7f)
			return false;
	}
	return n > 0 && n <= UMAS_TEXT_MAX;
}

/* Four bytes, then the length and the name of the station that takes hold of the CPU. */
static inline void umas_tell_station(struct reader *r, struct cursor c)
{
	struct cursor name;

	cursor_skip(&c, 4);
	name = cursor_take(&c, cursor_u8(&c));
	if (!umas_is_text(name))
		return;
	tell(r, SENDER, NULL, ATTR_HOSTNAME, name);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "engineering station");
}

/* By the sheet of its functions: 30-32 and 33-36 carry the program to and from the CPU; 0x50 also writes and forces. */
static inline void umas_tell_activity(struct reader *r, uint8_t function)
{
	switch (function) {
	case UMAS_RESERVE:
		tell_activity(r, NULL, ACTIVITY_ENGINEERING_SESSION, "reservation (UMAS 0x10)");
		break;
	case 0x23:
	case 0x25:
		r->signs |= SIGN_WRITE;
		break;
	case 0x30:
	case 0x31:
	case 0x32:
		tell_activity(r, NULL, ACTIVITY_PROGRAM_DOWNLOAD, "strategy download (UMAS 0x%02x)", function);
		break;
	case 0x33:
	case 0x34:
	case 0x35:
		tell_activity(r, NULL, ACTIVITY_PROGRAM_UPLOAD, "strategy upload (UMAS 0x%02x)", function);
		break;
	case 0x40:
		tell_activity(r, NULL, ACTIVITY_MODE_RUN, "start (UMAS 0x40)");
		break;
	case 0x41:
		tell_activity(r, NULL, ACTIVITY_MODE_STOP, "stop (UMAS 0x41)");
		break;
	default:
		break;
	}
}

static inline void umas_read_request(struct reader *r, struct umas *u, uint16_t txid, struct cursor c)
{
	uint8_t function, argument;

	cursor_skip(&c, 1);
	function = cursor_u8(&c);
	if (cursor_ok(&c))
		umas_tell_activity(r, function);
	if (function == UMAS_RESERVE) {
		umas_tell_station(r, c);
		return;
	}
	argument = cursor_left(&c) ? cursor_u8(&c) : 0;
	if (function == UMAS_READ_ID || (function == UMAS_READ_PROJECT && argument == 0)) {
		u->txid = txid;
		u->function = function;
	}
}

/* Range 2, ident 4, model 2, version 2, patch 2, internal 2, hardware 2, crash 4, unknown 2, length 1, name. */
static inline void umas_tell_id(struct reader *r, const char *path, struct cursor c)
{
	uint32_t ident;
	uint16_t version;
	struct cursor name;

	cursor_skip(&c, 2);
	ident = cursor_u32le(&c);
	cursor_skip(&c, 2);
	version = cursor_u16le(&c);
	cursor_skip(&c, 2 + 2 + 2 + 4 + 2);
	name = cursor_take(&c, cursor_u8(&c));
	if (!umas_is_text(name))
		return;
	tell_text(r, SENDER, path, ATTR_VENDOR, "Schneider Electric");
	tell(r, SENDER, path, ATTR_PRODUCT, name);
	tell_format(r, SENDER, path, ATTR_DEVICE_ID, "0x%08x", ident);
	if (version)
		tell_format(r, SENDER, path, ATTR_FIRMWARE, "%x.%02x", version >> 8, version & 0xffu);
}

/* The name of the project that the CPU runs, up to a zero. */
static inline void umas_tell_project(struct reader *r, const char *path, struct cursor c)
{
	struct cursor name;
	ptrdiff_t len;

	cursor_skip(&c, UMAS_PROJECT_NAME);
	len = cursor_find(&c, 0);
	if (len <= 0)
		return;
	name = cursor_take(&c, (size_t)len);
	if (umas_is_text(name))
		tell_format(r, SENDER, path, ATTR_DESCRIPTION, "project %.*s", (int)len, (const char *)name.at);
}

static inline void umas_read_answer(struct reader *r, struct umas *u, uint16_t txid, const char *path, struct cursor c)
{
	uint8_t function = u->function, result;

	cursor_skip(&c, 1);
	result = cursor_u8(&c);
	if (result != UMAS_DONE)
		r->signs |= SIGN_ERROR;
	if (function == 0 || txid != u->txid)
		return;
	u->function = 0;
	if (result != UMAS_DONE)
		return;
	if (function == UMAS_READ_ID)
		umas_tell_id(r, path, c);
	else
		umas_tell_project(r, path, c);
}

#endif
