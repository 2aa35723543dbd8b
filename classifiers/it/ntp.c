/*
 * NTP: who serves the time, from which source, and what servers tell of themselves when they are asked.
 * RFC 5905, 7.3; control messages RFC 9327 (RFC 1305, appendix B).
 *
 *   0                     1         2      3           4            8                 12          16 ... 48
 *  +---------------------+---------+------+-----------+------------+-----------------+-----------+------------
 *  | leap 2, ver 3, mode 3| stratum | poll | precision | root delay | root dispersion | reference | four times
 *  +---------------------+---------+------+-----------+------------+-----------------+-----------+------------
 *  | ... mode 6          | R E M, opcode 5 | sequence 2 | status 2 | association 2 | offset 2 | count 2 | text
 *  | R, more, mode 7     | sequence        | program | request | error 4b, count 12b | 0 4b, size 12b | count * size
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum { PORT_NTP = 123, HEADER_BYTES = 48, CONTROL_BYTES = 12, PRIVATE_BYTES = 8, PROGRAM_LAST = 3, REQUEST_LAST = 46, ITEM_BYTES_MAX = 500, STRATUM_MAX = 16, OPCODE_READ_VARIABLES = 2, OPCODE_LAST = 12 };
enum { ACTIVE = 1, PASSIVE = 2, CLIENT = 3, SERVER = 4, BROADCAST = 5, CONTROL = 6, PRIVATE = 7 };
enum { IS_RESPONSE = 0x80, IS_ERROR = 0x40, OPCODE_BITS = 0x1f };

/* The value of NAME in `name="value", ...` or `name=value, ...`; a bad cursor when it isn't whole. */
static struct cursor variable(struct cursor c, const char *name)
{
	size_t len = strlen(name);

	while (cursor_left(&c) > len + 1) {
		bool quoted;
		ptrdiff_t end;

		if (!cursor_starts(&c, name, len) || c.at[len] != '=') {
			end = cursor_find(&c, ',');
			cursor_skip(&c, end < 0 ? cursor_left(&c) : (size_t)end + 1);
			while (cursor_left(&c) && (*c.at == ' ' || *c.at == '\r' || *c.at == '\n'))
				cursor_skip(&c, 1);
			continue;
		}
		cursor_skip(&c, len + 1);
		quoted = cursor_starts(&c, "\"", 1);
		cursor_skip(&c, quoted);
		end = cursor_find(&c, quoted ? '"' : ',');
		if (end >= 0)
			return cursor_take(&c, (size_t)end);
		break;
	}
	cursor_fail(&c);
	return c;
}

/* ntpdc's questions to its server, the list of those who asked it above all; no specification but ntp_request.h. */
static enum verdict read_private(struct reader *r)
{
	struct cursor c = r->bytes;
	bool response = cursor_u8(&c) & IS_RESPONSE;
	uint8_t program, request;
	uint16_t count, size;

	cursor_skip(&c, 1);
	program = cursor_u8(&c);
	request = cursor_u8(&c);
	count = cursor_u16be(&c) & 0xfff;
	size = cursor_u16be(&c);
	if (!cursor_ok(&c) || (program != 0 && program < 2) || program > PROGRAM_LAST || request > REQUEST_LAST || size > ITEM_BYTES_MAX)
		return NOT_MINE;
	if (cursor_left(&c) < (size_t)count * size && !r->truncated)
		return NOT_MINE;
	r->sender_role = response ? ROLE_SERVER : ROLE_CLIENT;
	return MINE;
}

static enum verdict read_control(struct reader *r)
{
	struct cursor c = r->bytes, text;
	uint8_t flags;
	uint16_t count;

	cursor_skip(&c, 1);
	flags = cursor_u8(&c);
	cursor_skip(&c, 8);
	count = cursor_u16be(&c);
	if (!cursor_ok(&c) || (flags & OPCODE_BITS) == 0 || (flags & OPCODE_BITS) > OPCODE_LAST || (flags & IS_ERROR && !(flags & IS_RESPONSE)) ||
	    (cursor_left(&c) < count && !r->truncated))
		return NOT_MINE;
	r->sender_role = flags & IS_RESPONSE ? ROLE_SERVER : ROLE_CLIENT;
	if ((flags & (IS_RESPONSE | IS_ERROR | OPCODE_BITS)) != (IS_RESPONSE | OPCODE_READ_VARIABLES))
		return MINE;
	text = cursor_take(&c, cursor_left(&c) < count ? cursor_left(&c) : count);
	tell(r, SENDER, NULL, ATTR_SOFTWARE, variable(text, "version"));
	tell(r, SENDER, NULL, ATTR_OS, variable(text, "system"));
	return MINE;
}

/* At stratum 1 four letters name the clock; below it stands an address, which changes with the server that is best. */
static void tell_server(struct reader *r, uint8_t stratum, struct cursor reference)
{
	char text[5] = "";

	tell_text(r, SENDER, NULL, ATTR_ROLE, "time-server");
	if (stratum != 1)
		return;
	for (size_t i = 0; i < 4; i++) {
		uint8_t b = cursor_u8(&reference);

		if (b == 0 || b == ' ')
			break;
		if (b < '!' || b > '~')
			return;
		text[i] = (char)b;
	}
	if (text[0])
		tell_format(r, SENDER, NULL, ATTR_DESCRIPTION, "time source: %s", text);
}

/* A server says how exact its clock is, in powers of two of seconds: less than one. Clients may say anything. */
static bool fits_server(uint8_t stratum, uint8_t precision, struct cursor times)
{
	uint64_t transmitted;

	cursor_skip(&times, 24);
	transmitted = cursor_u64be(&times);
	return stratum < STRATUM_MAX ? precision >= 0x80 && transmitted != 0 : true;
}

static enum verdict read_time(struct reader *r, uint8_t mode)
{
	struct cursor c = r->bytes, reference;
	uint8_t stratum, poll, precision;

	cursor_skip(&c, 1);
	stratum = cursor_u8(&c);
	poll = cursor_u8(&c);
	precision = cursor_u8(&c);
	cursor_skip(&c, 8);
	reference = cursor_take(&c, 4);
	if (cursor_left(&c) < 32 || stratum > STRATUM_MAX || (poll > 17 && poll < 0xf9) ||
	    (mode != CLIENT && !fits_server(stratum, precision, c)))
		return NOT_MINE;
	r->sender_role = mode == CLIENT ? ROLE_CLIENT : mode == SERVER || mode == BROADCAST ? ROLE_SERVER : ROLE_PEER;
	if ((mode == SERVER || mode == BROADCAST) && stratum > 0 && stratum < STRATUM_MAX)
		tell_server(r, stratum, reference);
	return MINE;
}

/* Its bytes are mostly numbers of any size: away from its port they are nobody's. */
static enum verdict read_ntp(struct reader *r)
{
	struct cursor c = r->bytes;
	uint8_t first = cursor_u8(&c), mode = first & 7, version = first >> 3 & 7;
	enum verdict v = NOT_MINE;

	if ((r->sender_port != PORT_NTP && r->receiver_port != PORT_NTP) || version < 1 || version > 4)
		return NOT_MINE;
	if (mode == CONTROL && cursor_left(&r->bytes) >= CONTROL_BYTES)
		v = read_control(r);
	else if (mode == PRIVATE && cursor_left(&r->bytes) >= PRIVATE_BYTES)
		v = read_private(r);
	else if (mode >= ACTIVE && mode <= BROADCAST && cursor_left(&r->bytes) >= HEADER_BYTES)
		v = read_time(r, mode);
	/* Answers and questions of equals go from port to port. */
	if (v == MINE && r->sender_role == ROLE_SERVER && r->sender_port != PORT_NTP)
		return NOT_MINE;
	return v;
}

const struct classifier classifier_ntp = {
	.name = "ntp",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_NTP },
	.read = read_ntp,
};
