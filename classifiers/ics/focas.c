/*
 * FOCAS: FANUC's numerical controls as libraries and data collectors read them over Ethernet.
 *
 * Not published; the framing is that of open clients, SysInfo's answer the structure ODBSYS of FANUC's
 * "FOCAS1/2 CNC/PMC Data window library" manual.
 *
 *	 0          4         6          7          8        10
 *	+----------+---------+----------+----------+--------+----------------------------------------------
 *	| A0A0A0A0 | version | function | 1 ask    | length | count, {bytes, device, function, arguments} ..
 *	|          |         |          | 2 answer |        |
 *	+----------+---------+----------+----------+--------+----------------------------------------------
 *
 * Functions: 01 open, 02 close, 21 data. A part of an answer: bytes, echo (6), status (6), bytes, data.
 * Numbers are big-endian.
 */
#include "classifiers/api/role.h"

enum {
	FOCAS_PORT = 8193,
	HEADER_BYTES = 10, LONGEST = 16384,
	ECHO_SYSINFO_BYTES = 6, STATUS_BYTES = 6,
	SYSINFO_BYTES = 18,
	PARTS_MAX = 64,
};

enum { OPEN = 0x01, CLOSE = 0x02, DATA = 0x21 };
enum { ASK = 1, ANSWER = 2, FAILED = 3 };

/* addinfo (2), axes (2), control (2), machine (2), series (4), version (4), axes in use (2) */
static void read_sysinfo(struct reader *r, struct cursor c)
{
	struct cursor control, machine, series, version;

	cursor_skip(&c, 4);
	control = cursor_take(&c, 2);
	machine = cursor_take(&c, 2);
	series = cursor_take(&c, 4);
	version = cursor_take(&c, 4);
	if (!cursor_ok(&c))
		return;
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "FANUC");
	tell_text(r, SENDER, NULL, ATTR_DEVICE_CLASS, "cnc");
	tell_format(r, SENDER, NULL, ATTR_PRODUCT, "Series %.*s", 2, (const char *)control.at);
	tell(r, SENDER, NULL, ATTR_DEVICE_ID, series);
	tell_format(r, SENDER, NULL, ATTR_FIRMWARE, "%.*s-%.*s", 4, (const char *)series.at, 4, (const char *)version.at);
	if (cursor_peek(&machine, 0) == 'M' || cursor_peek(&machine, 1) == 'M')
		tell_text(r, SENDER, NULL, ATTR_ROLE, "milling machine");
	else if (cursor_peek(&machine, 0) == 'T' || cursor_peek(&machine, 1) == 'T')
		tell_text(r, SENDER, NULL, ATTR_ROLE, "lathe");
}

/* Walks the parts of an answer; the one that repeats SysInfo's function without an error is read. */
static void read_answer(struct reader *r, struct cursor c)
{
	static const uint8_t sysinfo[ECHO_SYSINFO_BYTES] = { 0, 1, 0, 1, 0, 0x18 };
	static const uint8_t good[STATUS_BYTES];
	unsigned count = cursor_u16be(&c);

	for (unsigned i = 0; i < count && i < PARTS_MAX && cursor_left(&c) >= 2; i++) {
		uint16_t bytes = cursor_u16be(&c);
		struct cursor part = cursor_take(&c, bytes < 2 ? 0 : bytes - 2u), echo, status;

		echo = cursor_take(&part, ECHO_SYSINFO_BYTES);
		status = cursor_take(&part, STATUS_BYTES);
		if (cursor_starts(&echo, sysinfo, sizeof sysinfo) && cursor_starts(&status, good, sizeof good) &&
		    cursor_u16be(&part) >= SYSINFO_BYTES)
			read_sysinfo(r, part);
	}
}

static bool known_function(uint8_t function, uint8_t direction)
{
	if (direction < ASK || direction > FAILED)
		return false;
	return function == OPEN || function == CLOSE || function == DATA || (function >= 0x11 && function <= 0x1f);
}

static enum verdict read_focas(struct reader *r)
{
	static const uint8_t magic[] = { 0xa0, 0xa0, 0xa0, 0xa0 };
	struct cursor c = r->bytes, body;
	uint16_t version, length;
	uint8_t function, direction;

	if (!cursor_starts(&c, magic, cursor_left(&c) < sizeof magic ? cursor_left(&c) : sizeof magic))
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES)
		return NEED_MORE;
	cursor_skip(&c, sizeof magic);
	version = cursor_u16be(&c);
	function = cursor_u8(&c);
	direction = cursor_u8(&c);
	length = cursor_u16be(&c);
	if (version == 0 || version > 8 || !known_function(function, direction))
		return NOT_MINE;
	if (cursor_left(&c) < length && length <= LONGEST - HEADER_BYTES && !r->truncated)
		return NEED_MORE;
	body = cursor_take(&c, cursor_left(&c) < length ? cursor_left(&c) : length);
	r->bytes = c;
	r->sender_role = direction == ASK ? ROLE_CLIENT : ROLE_SERVER;
	if (function == DATA && direction == ANSWER)
		read_answer(r, body);
	return MINE;
}

const struct classifier classifier_focas = {
	.name = "focas",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { FOCAS_PORT, 8192 },
	.max_message = LONGEST,
	.read = read_focas,
};
