/*
 * SLMP, and the MC protocol's 3E and 4E frames it took over: MELSEC controllers and stations behind them.
 *
 * CC-Link Partner Association BAP-C2001 "SLMP specification"; Mitsubishi SH-080008 "MELSEC
 * Communication Protocol Reference Manual".
 *
 *	 0       2 (4E only)    2/6                                 7/11     9/13
 *	+-------+--------------+---------+----+-----------+--------+--------+--------------------------------
 *	| 50 00 | serial, 0000 | network | PC | module IO | station| length | timer, command, subcommand, data
 *	| D0 00 |              |         |    |           |        |        | end code, data
 *	+-------+--------------+---------+----+-----------+--------+--------+--------------------------------
 *
 * 54 00 and D4 00 begin the 4E frame. Length counts what follows it; numbers are little-endian. The
 * ASCII form writes every byte of this as two characters.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	HEADER_3E_BYTES = 9, HEADER_4E_BYTES = 13,
	LONGEST = 4096,
	CCLINK_BASIC_PORT = 61450, /* cyclic data in the same frame */
	MODULE_OWN = 0x03ff,
	MODEL_BYTES = 16,
	ENOUGH = 3,            /* well-formed messages of one side alone */
	READ_TYPE_NAME = 0x0101,
};

enum { REQUEST_3E = 0x50, RESPONSE_3E = 0xd0, REQUEST_4E = 0x54, RESPONSE_4E = 0xd4 };

struct memo {
	uint32_t asked;        /* station that was asked last, with bit 31 set; its answer repeats it */
	uint32_t told;         /* station told last */
	uint16_t command;      /* asked last */
	uint8_t asker;         /* 1 + its direction */
	uint8_t good[2];
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	bool response;
	uint8_t network, pc, station;
	uint16_t module;
	uint16_t command;      /* of a request */
	uint16_t end_code;     /* of a response */
	struct cursor data;
};

static bool known_command(uint16_t command, uint16_t sub)
{
	static const uint16_t known[] = {
		0x0101, 0x0401, 0x0403, 0x0406, 0x0601, 0x0613, 0x0619, 0x0801, 0x0802, 0x0e30, 0x1001, 0x1002, 0x1003, 0x1005, 0x1006,
		0x1401, 0x1402, 0x1406, 0x1601, 0x1613, 0x1617, 0x1630, 0x1631, 0x1810, 0x1811, 0x1820, 0x1822, 0x1824, 0x1825, 0x1826,
		0x1827, 0x1828, 0x1829, 0x182a, 0x2101, 0x0e31,
	};

	if (sub > 0x00ff)
		return false;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i] == command)
			return true;
	return false;
}

/* The CPU that is addressed, one of four on its base, or a module's I/O number on the way to a station. */
static bool known_module(uint16_t module)
{
	return module == MODULE_OWN || (module >= 0x03d0 && module <= 0x03e3) || module <= 0x01ff;
}

static enum verdict read_header(struct cursor *c, struct message *m, uint16_t *length)
{
	uint8_t first = cursor_u8(c), second = cursor_u8(c);
	uint16_t reserved = 0;

	if ((first != REQUEST_3E && first != RESPONSE_3E && first != REQUEST_4E && first != RESPONSE_4E) || (cursor_ok(c) && second))
		return NOT_MINE;
	m->response = first & 0x80;
	if (first == REQUEST_4E || first == RESPONSE_4E) {
		cursor_skip(c, 2);
		reserved = cursor_u16le(c);
	}
	m->network = cursor_u8(c);
	m->pc = cursor_u8(c);
	m->module = cursor_u16le(c);
	m->station = cursor_u8(c);
	*length = cursor_u16le(c);
	if (!cursor_ok(c))
		return NEED_MORE;
	return reserved || !known_module(m->module) || (m->module != MODULE_OWN && m->network == 0 && m->pc != 0xff) ||
			       *length < (m->response ? 2 : 6) || *length > LONGEST - HEADER_4E_BYTES
		       ? NOT_MINE
		       : MAYBE;
}

static enum verdict take_message(struct reader *r, struct message *m)
{
	struct cursor c = r->bytes;
	bool stream = r->transport == TRANSPORT_TCP;
	uint16_t length;
	enum verdict v = read_header(&c, m, &length);

	if (v == NEED_MORE)
		return stream ? NEED_MORE : NOT_MINE;
	if (v != MAYBE)
		return v;
	if (cursor_left(&c) < length)
		return stream && !r->truncated ? NEED_MORE : NOT_MINE;
	m->data = cursor_take(&c, length);
	if (!stream && cursor_left(&c))
		return NOT_MINE;
	r->bytes = c;
	if (m->response) {
		m->end_code = cursor_u16le(&m->data);
		return MAYBE;
	}
	cursor_skip(&m->data, 2);
	m->command = cursor_u16le(&m->data);
	return known_command(m->command, cursor_u16le(&m->data)) ? MAYBE : NOT_MINE;
}

/* Network, PC, drop and what tells CPUs on a base apart, never 0. */
static uint32_t station_of(const struct message *m)
{
	return 1u << 31 | (m->module & 0x7fu) << 24 | (uint32_t)m->network << 16 | (uint32_t)m->pc << 8 | m->station;
}

/* A response proves it when it repeats the station that was asked; of one side alone it takes some. */
static enum verdict decide(const struct reader *r, struct memo *memo, const struct message *m)
{
	if (m->response && memo->asker == 1 + !r->direction && memo->asked == station_of(m))
		return MINE;
	if (m->module != MODULE_OWN || r->sender_port == CCLINK_BASIC_PORT || r->receiver_port == CCLINK_BASIC_PORT)
		return NOT_MINE;
	return ++memo->good[r->direction & 1] >= ENOUGH ? MINE : MAYBE;
}

/* Network 0 with PC FF, and PC 7D and 7E, mean the station that was connected to. */
static const char *station_path(char path[FINDING_PATH_BYTES], const struct reader *r, const struct message *m)
{
	path[0] = 0;
	if (m->network && m->pc < 0x7d)
		snprintf(path, FINDING_PATH_BYTES, "melsec_slmp/%u/station:%u.%u", r->sender_port, m->network, m->pc);
	else if (m->station)
		snprintf(path, FINDING_PATH_BYTES, "melsec_slmp/%u/station:drop-%u", r->sender_port, m->station);
	else if (m->module >= 0x03e1 && m->module <= 0x03e3)
		snprintf(path, FINDING_PATH_BYTES, "melsec_slmp/%u/cpu:%u", r->sender_port, m->module - 0x03e0u + 1);
	return path;
}

static void read_response(struct reader *r, struct memo *memo, const struct message *m)
{
	bool type_name = memo->command == READ_TYPE_NAME && memo->asker == 1 + !r->direction && memo->asked == station_of(m);
	char path[FINDING_PATH_BYTES];
	struct cursor c = m->data, model;

	if (m->end_code || (!type_name && memo->told == station_of(m)))
		return;
	station_path(path, r, m);
	if (path[0] && memo->told != station_of(m))
		tell_subasset(r, SENDER, path);
	memo->told = station_of(m);
	if (!type_name || cursor_left(&c) != MODEL_BYTES + 2)
		return;
	model = cursor_take(&c, MODEL_BYTES);
	tell_text(r, SENDER, path, ATTR_VENDOR, "Mitsubishi Electric");
	tell(r, SENDER, path, ATTR_PRODUCT, model);
	tell_format(r, SENDER, path, ATTR_DEVICE_ID, "0x%04x", cursor_u16le(&c));
}

/* SH080956ENG 5: remote control and files; 14.. and 16.. write. */
static void tell_command(struct reader *r, uint16_t command)
{
	static const struct {
		uint16_t command;
		enum activity activity;
		const char *name;
	} commands[] = {
		{ 0x1001, ACTIVITY_MODE_RUN, "remote run" },      { 0x1002, ACTIVITY_MODE_STOP, "remote stop" },
		{ 0x1003, ACTIVITY_MODE_STOP, "remote pause" },   { 0x1005, ACTIVITY_MEMORY_CLEAR, "remote latch clear" },
		{ 0x1006, ACTIVITY_RESET, "remote reset" },       { 0x1630, ACTIVITY_ENGINEERING_SESSION, "remote password unlock" },
		{ 0x1820, ACTIVITY_PROGRAM_DOWNLOAD, "new file" }, { 0x1822, ACTIVITY_MEMORY_CLEAR, "delete file" },
		{ 0x1829, ACTIVITY_PROGRAM_DOWNLOAD, "write file" },
	};

	if (command == 0x1401 || command == 0x1402 || command == 0x1406)
		r->signs |= SIGN_WRITE;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (commands[i].command == command)
			tell_activity(r, NULL, commands[i].activity, "%s (0x%04x)", commands[i].name, command);
}

static enum verdict read_binary(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m = { 0 };
	enum verdict v = take_message(r, &m);

	if (v != MAYBE)
		return v;
	if (!memo->mine) {
		v = decide(r, memo, &m);
		memo->mine = v == MINE;
	}
	r->sender_role = m.response ? ROLE_SERVER : ROLE_CLIENT;
	if (m.response) {
		r->signs = m.end_code ? SIGN_ERROR : 0;
		if (memo->mine)
			read_response(r, memo, &m);
	} else if (v != NOT_MINE) {
		tell_command(r, m.command);
		memo->asked = station_of(&m);
		memo->command = m.command;
		memo->asker = (uint8_t)(1 + r->direction);
	}
	return memo->mine ? MINE : v;
}

static uint8_t hex_digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return (uint8_t)(b - '0');
	return b >= 'A' && b <= 'F' ? (uint8_t)(b - 'A' + 10) : 0xff;
}

/* So many characters as a number; the cursor fails at what is none. */
static uint16_t take_hex(struct cursor *c, unsigned digits)
{
	unsigned x = 0;

	while (digits--) {
		uint8_t d = hex_digit(cursor_u8(c));

		if (d > 15)
			cursor_fail(c);
		x = x << 4 | (d & 15);
	}
	return (uint16_t)x;
}

/* Header of the ASCII form: the same fields, numbers written high digit first. */
static bool read_ascii_header(struct cursor *c, struct message *m, uint16_t *length)
{
	uint16_t start = take_hex(c, 4), reserved = 0;

	m->response = start == RESPONSE_3E << 8 || start == RESPONSE_4E << 8;
	if (!m->response && start != REQUEST_3E << 8 && start != REQUEST_4E << 8)
		cursor_fail(c);
	if (start == REQUEST_4E << 8 || start == RESPONSE_4E << 8) {
		take_hex(c, 4);
		reserved = take_hex(c, 4);
	}
	m->network = (uint8_t)take_hex(c, 2);
	m->pc = (uint8_t)take_hex(c, 2);
	m->module = take_hex(c, 4);
	m->station = (uint8_t)take_hex(c, 2);
	*length = take_hex(c, 4);
	return cursor_ok(c) && reserved == 0 && known_module(m->module) && *length >= (m->response ? 4 : 12) &&
	       *length <= LONGEST - 2 * HEADER_4E_BYTES;
}

/* Could these be the first characters of one? */
static bool may_begin_ascii(struct cursor c)
{
	uint8_t first = cursor_peek(&c, 0), second = cursor_left(&c) > 1 ? cursor_peek(&c, 1) : '0';

	if ((first != '5' && first != 'D') || (second != '0' && second != '4') || cursor_left(&c) >= LONGEST / 2)
		return false;
	for (size_t i = 0; cursor_left(&c) && i < 2 * HEADER_3E_BYTES; i++) {
		uint8_t b = cursor_u8(&c);

		if (hex_digit(b) > 15 || ((i == 2 || i == 3) && b != '0'))
			return false;
	}
	return true;
}

static enum verdict read_ascii(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes;
	struct message m = { 0 };
	uint16_t length;
	enum verdict v;

	if (!read_ascii_header(&c, &m, &length) || cursor_left(&c) < length)
		return r->transport == TRANSPORT_TCP && !r->truncated && may_begin_ascii(r->bytes) ? NEED_MORE : NOT_MINE;
	m.data = cursor_take(&c, length);
	if (m.response) {
		m.end_code = take_hex(&m.data, 4);
	} else {
		take_hex(&m.data, 4);
		m.command = take_hex(&m.data, 4);
		if (!known_command(m.command, take_hex(&m.data, 4)))
			return NOT_MINE;
	}
	if (!cursor_ok(&m.data))
		return NOT_MINE;
	v = memo->mine ? MINE : decide(r, memo, &m);
	r->sender_role = m.response ? ROLE_SERVER : ROLE_CLIENT;
	r->bytes = c;
	if (!m.response) {
		tell_command(r, m.command);
		memo->asked = station_of(&m);
		memo->command = m.command;
		memo->asker = (uint8_t)(1 + r->direction);
	} else if (v == MINE && !m.end_code && memo->command == READ_TYPE_NAME && cursor_left(&m.data) == MODEL_BYTES + 4) {
		struct cursor model = cursor_take(&m.data, MODEL_BYTES);

		tell_text(r, SENDER, NULL, ATTR_VENDOR, "Mitsubishi Electric");
		tell(r, SENDER, NULL, ATTR_PRODUCT, model);
		tell_format(r, SENDER, NULL, ATTR_DEVICE_ID, "0x%04x", take_hex(&m.data, 4));
	}
	memo->mine |= v == MINE;
	return v;
}

static enum verdict read_melsec_slmp(struct reader *r)
{
	struct cursor c = r->bytes;
	uint8_t first = cursor_peek(&c, 0);

	return first == '5' || first == 'D' ? read_ascii(r) : read_binary(r);
}

static void forget_melsec_slmp(void *flow)
{
	struct memo *memo = flow;

	memo->told = 0;
}

const struct classifier classifier_melsec_slmp = {
	.name = "melsec_slmp",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { 5000, 5001, 5002, 5007, 5010, 45237 },
	.max_message = LONGEST,
	.read = read_melsec_slmp,
	.forget = forget_melsec_slmp,
};
