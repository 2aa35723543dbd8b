/*
 * MELSOFT: Mitsubishi's engineering tools talking to MELSEC iQ-R, iQ-F and Q controllers directly.
 *
 * Not published; the layout is what conversations of GX Works with FX5U and R08 controllers show.
 *
 *	 0       1       2     4    5      7              19       21   23              23 + inner
 *	+-------+-------+-----+----+-------+-------------+--------+----+-------+-------+---------+------
 *	| 57/D7 | 00 01 | seq | .. | 11 11 | destination | length | .. | inner | ..    | command | data
 *	+-------+-------+-----+----+-------+-------------+--------+----+-------+-------+---------+------
 *	                                                          |<----------- length ---------------->|
 *	short form:  5A 00 00 code   and its reply   DA 00 00 code ...
 *
 * D7 and DA are replies. Numbers are little-endian, but the command's two bytes stand as written.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	HEADER_BYTES = 21,
	LONGEST = 4096,
	SHORT_REQUEST_BYTES = 4,
	SHORT_REPLY_ADDRESS_BYTES = 14, SHORT_REPLY_CPU_BYTES = 28,
	INNER_OFFSET = 23,
	MODEL_OFFSET = 4, /* behind the echo of the command */
	MODEL_BYTES = 16,
};

enum { REQUEST = 0x57, REPLY = 0xd7, SHORT_REQUEST = 0x5a, SHORT_REPLY = 0xda };
enum { CODE_ADDRESS = 0x01, CODE_CPU = 0xff };
enum { COMMAND_OPEN = 0x0121, COMMAND_CPU_MODEL = 0x0101, COMMAND_WRITE = 0x1410 };

struct memo {
	uint8_t asked; /* 1 + direction that sent a short request, 0 none */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

/* The names that the CPUs' codes stand for, where manuals and conversations agree. */
static const char *model_name(uint16_t code)
{
	static const struct {
		uint16_t code;
		const char *name;
	} models[] = {
		{ 0x0041, "Q02HCPU" }, { 0x0263, "Q02UCPU" }, { 0x4800, "R04CPU" }, { 0x4801, "R08CPU" }, { 0x4802, "R16CPU" },
		{ 0x4803, "R32CPU" }, { 0x4804, "R120CPU" }, { 0x4805, "R04ENCPU" }, { 0x4806, "R08ENCPU" }, { 0x4807, "R16ENCPU" },
		{ 0x4808, "R32ENCPU" }, { 0x4809, "R120ENCPU" }, { 0x4841, "R08PCPU" }, { 0x4842, "R16PCPU" }, { 0x4843, "R32PCPU" },
		{ 0x4891, "R08SFCPU" }, { 0x4892, "R16SFCPU" }, { 0x4893, "R32SFCPU" }, { 0x4a21, "FX5U-32MR/ES" },
		{ 0x4a23, "FX5U-64MR/ES" }, { 0x4a24, "FX5U-80MR/ES" }, { 0x4a29, "FX5U-32MT/ES" }, { 0x4a2b, "FX5U-64MT/ES" },
		{ 0x4a2c, "FX5U-80MT/ES" }, { 0x4a31, "FX5U-32MT/ESS" }, { 0x4a33, "FX5U-64MT/ESS" }, { 0x4a34, "FX5U-80MT/ESS" },
		{ 0x4a91, "FX5UC-32MT/D" }, { 0x4a99, "FX5UC-32MT/DSS" },
	};

	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		if (models[i].code == code)
			return models[i].name;
	return NULL;
}

static void tell_code(struct reader *r, uint16_t code)
{
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "Mitsubishi Electric");
	tell_format(r, SENDER, NULL, ATTR_DEVICE_ID, "0x%04x", code);
	if (model_name(code))
		tell_text(r, SENDER, NULL, ATTR_PRODUCT, model_name(code));
}

/* Letters, digits and the signs that occur in names of models, filled up with blanks. */
static bool is_model(struct cursor c)
{
	uint8_t first = cursor_peek(&c, 0);

	if (!(first >= 'A' && first <= 'Z'))
		return false;
	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c);

		if (b != 0 && (b < 0x20 || b > 0x7e))
			return false;
	}
	return true;
}

/* Where the command stands is said by the byte that begins the inner header. */
static uint16_t take_command(struct cursor *c)
{
	cursor_skip(c, INNER_OFFSET);
	cursor_skip(c, cursor_peek(c, 0));
	return cursor_u16be(c);
}

/* The remote operations have the numbers that they have in SLMP (SH-080956ENG, 5.6). */
static void read_request(struct reader *r, struct cursor c)
{
	static const struct {
		uint16_t command;
		enum activity activity;
		const char *name;
	} commands[] = {
		{ 0x1001, ACTIVITY_MODE_RUN, "remote run" },           { 0x1002, ACTIVITY_MODE_STOP, "remote stop" },
		{ 0x1003, ACTIVITY_MODE_STOP, "remote pause" },        { 0x1005, ACTIVITY_MEMORY_CLEAR, "remote latch clear" },
		{ 0x1006, ACTIVITY_RESET, "remote reset" },
	};
	uint16_t command = take_command(&c);

	if (!cursor_ok(&c))
		return;
	if (command == COMMAND_WRITE)
		r->signs |= SIGN_WRITE;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (commands[i].command == command)
			tell_activity(r, NULL, commands[i].activity, "%s (0x%04x)", commands[i].name, command);
}

/* A reply repeats the command. */
static void read_reply(struct reader *r, struct cursor c)
{
	uint16_t command = take_command(&c);
	struct cursor model;

	cursor_skip(&c, MODEL_OFFSET);
	model = cursor_take(&c, MODEL_BYTES);
	if (!cursor_ok(&model) || (command != COMMAND_OPEN && command != COMMAND_CPU_MODEL) || !is_model(model))
		return;
	tell(r, SENDER, NULL, ATTR_PRODUCT, model);
	if (cursor_left(&c) >= 2)
		tell_code(r, cursor_u16le(&c));
}

/* Two bytes 11 that nobody explains, then 07, or 7F in replies of newer controllers. */
static bool fits(struct cursor c)
{
	uint8_t first = cursor_u8(&c), second = cursor_u8(&c), destination;

	cursor_skip(&c, 3);
	if (cursor_u16be(&c) != 0x1111)
		return false;
	destination = cursor_u8(&c);
	return cursor_ok(&c) && second <= 1 && (destination == 0x07 || (destination == 0x7f && first == REPLY));
}

static enum verdict read_long(struct reader *r, struct memo *memo)
{
	struct cursor c = r->bytes, whole = c;
	bool stream = r->transport == TRANSPORT_TCP;
	uint8_t first = cursor_peek(&c, 0);
	uint16_t length;

	if (cursor_left(&c) < HEADER_BYTES)
		return stream && (cursor_left(&c) < 8 || fits(c)) ? NEED_MORE : NOT_MINE;
	if (!fits(c))
		return NOT_MINE;
	cursor_skip(&c, HEADER_BYTES - 2);
	length = cursor_u16le(&c);
	if (length > LONGEST - HEADER_BYTES)
		return NOT_MINE;
	if (cursor_left(&c) < length)
		return stream && !r->truncated ? NEED_MORE : NOT_MINE;
	cursor_skip(&c, length);
	if (!stream && cursor_left(&c))
		return NOT_MINE;
	r->bytes = c;
	memo->mine = true;
	r->sender_role = first == REQUEST ? ROLE_CLIENT : ROLE_SERVER;
	whole = cursor_take(&whole, HEADER_BYTES + (size_t)length);
	if (first == REPLY)
		read_reply(r, whole);
	else
		read_request(r, whole);
	return MINE;
}

static bool usual_port(uint16_t port)
{
	return port == 5560 || port == 5562 || port == 5006 || port == 5007;
}

/*
 * A short reply has no length. It is one behind its question; or as a whole datagram from a usual port, for
 * these controllers send their replies to all.
 */
static enum verdict read_short(struct reader *r, struct memo *memo)
{
	struct cursor c = r->bytes;
	bool stream = r->transport == TRANSPORT_TCP;
	uint8_t first = cursor_u8(&c), code;
	size_t rest;
	uint16_t zeros = cursor_u16be(&c);

	code = cursor_u8(&c);
	if (!cursor_ok(&c))
		return stream && first == SHORT_REQUEST ? NEED_MORE : NOT_MINE;
	if (zeros || (code != CODE_ADDRESS && code != CODE_CPU))
		return NOT_MINE;
	if (first == SHORT_REQUEST) {
		if (!stream && cursor_left(&c))
			return NOT_MINE;
		r->bytes = c;
		memo->asked = (uint8_t)(1 + r->direction);
		r->sender_role = ROLE_CLIENT;
		return memo->mine ? MINE : MAYBE;
	}
	rest = (code == CODE_CPU ? SHORT_REPLY_CPU_BYTES : SHORT_REPLY_ADDRESS_BYTES) - SHORT_REQUEST_BYTES;
	if (memo->asked != 1 + !r->direction && cursor_left(&c) != rest)
		return NOT_MINE;
	if (cursor_left(&c) < rest)
		return stream && !r->truncated ? NEED_MORE : NOT_MINE;
	if (!memo->mine && memo->asked != 1 + !r->direction && (stream || !usual_port(r->sender_port)))
		return MAYBE;
	memo->mine = true;
	r->sender_role = ROLE_SERVER;
	if (code == CODE_CPU)
		tell_code(r, cursor_u16le(&c));
	(void)cursor_rest(&c);
	r->bytes = c;
	return MINE;
}

static enum verdict read_melsoft(struct reader *r)
{
	struct cursor c = r->bytes;

	switch (cursor_peek(&c, 0)) {
	case REQUEST:
	case REPLY:
		return read_long(r, r->memo);
	case SHORT_REQUEST:
	case SHORT_REPLY:
		return read_short(r, r->memo);
	default:
		return NOT_MINE;
	}
}

const struct classifier classifier_melsoft = {
	.name = "melsoft",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { 5560, 5562, 5006, 5007 },
	.max_message = LONGEST,
	.read = read_melsoft,
};
