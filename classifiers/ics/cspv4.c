/*
 * CSPv4, "AB/Ethernet": PCCC to PLC-5E, SLC 5/05 and their kin, before EtherNet/IP. The header is not published (pycomm,
 * plc4x); PCCC and the diagnostic status are Allen-Bradley's publication 1770-6.5.16, chapters 7 and 10.
 *
 *   0      1      2       4            8        12         28
 *  +------+------+-------+------------+--------+----------+------------------ len bytes
 *  | mode | kind | len   | connection | status | context  | PCCC
 *  +------+------+-------+------------+--------+----------+------------------
 *  mode 1 question, 2 answer; kind 1 connect, 7 PCCC; numbers are big-endian
 *  PCCC question {to}{from}{0000}{command}{status 0}{transaction 2}{function}..., answer {00}{to}{from}{00}{command | 40}{status}{transaction 2}...
 *  diagnostic status of an SLC {mode}{EE}{interface}{processor}{series, revision}{name 11}{fault 2}{mode}...; of a PLC-5 {state}{EB}{processor}...
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum { PORT_CSP = 2222, HEADER_BYTES = 28, LONGEST = 2048, PCCC_BYTES = 8, PENDING = 4, ENOUGH = 2 };
enum { QUESTION = 1, ANSWER = 2, CONNECT = 1, PCCC = 7 };
enum { COMMAND_DIAGNOSTIC = 0x06, COMMAND_LAST = 0x0f, COMMAND_ANSWER = 0x40, FUNCTION_STATUS = 0x03 };
enum { COMMAND_TYPED = 0x0f, SET_MODE = 0x3a, CHANGE_MODE = 0x80, MODE_RUN = 2, CHANGE_RUN = 6 };
enum { STATUS_SLC = 0xee, STATUS_PLC_5 = 0xeb, STATUS_GATEWAY = 0xfe, NAME_BYTES = 11, HIGHEST_NODE = 077 };

struct asked {
	uint16_t transaction;
	uint8_t command, function;
	bool used;
};

struct memo {
	struct asked asked[PENDING];
	uint8_t next;
	uint8_t opened; /* 1 + the direction that asked for a connection */
	uint8_t good;
	uint8_t state;  /* 1 + what was told of the mode */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint8_t mode, kind;
	uint16_t len;
	uint32_t connection, status;
	struct cursor context, body;
};

static bool is_zero(struct cursor c)
{
	uint8_t any = 0;

	while (cursor_left(&c))
		any |= cursor_u8(&c);
	return any == 0;
}

static bool read_header(struct cursor *c, struct message *m)
{
	m->mode = cursor_u8(c);
	m->kind = cursor_u8(c);
	m->len = cursor_u16be(c);
	m->connection = cursor_u32be(c);
	m->status = cursor_u32be(c);
	m->context = cursor_take(c, 16);
	if ((m->mode != QUESTION && m->mode != ANSWER) || (m->kind != CONNECT && m->kind != PCCC))
		return false;
	if (m->kind == CONNECT)
		return m->len == 0 && (m->mode == ANSWER ? m->connection != 0 || m->status : m->connection == 0 && m->status == 0);
	return m->len >= PCCC_BYTES && m->len <= LONGEST - HEADER_BYTES && m->connection != 0;
}

/* Nothing else begins with these 28 bytes. */
static bool is_connect(const struct message *m)
{
	struct cursor c = m->context;

	return m->mode == QUESTION && cursor_u32be(&c) == 0x00040005 && is_zero(c);
}

static const char *processor_name(uint8_t kind, uint8_t number)
{
	static const struct { uint8_t kind, number; const char *name; } names[] = {
		{ STATUS_SLC, 0x18, "SLC 5/01" }, { STATUS_SLC, 0x1a, "SLC 500 fixed" }, { STATUS_SLC, 0x25, "SLC 5/02" },
		{ STATUS_SLC, 0x49, "SLC 5/03" }, { STATUS_SLC, 0x5b, "SLC 5/04" }, { STATUS_SLC, 0x58, "MicroLogix 1000" },
		{ STATUS_PLC_5, 0x15, "PLC-5/40" }, { STATUS_PLC_5, 0x22, "PLC-5/10" }, { STATUS_PLC_5, 0x23, "PLC-5/60" },
		{ STATUS_PLC_5, 0x28, "PLC-5/40L" }, { STATUS_PLC_5, 0x29, "PLC-5/60L" }, { STATUS_PLC_5, 0x31, "PLC-5/11" },
		{ STATUS_PLC_5, 0x32, "PLC-5/20" }, { STATUS_PLC_5, 0x33, "PLC-5/30" }, { STATUS_PLC_5, 0x4a, "PLC-5/20E" },
		{ STATUS_PLC_5, 0x4b, "PLC-5/40E" }, { STATUS_PLC_5, 0x55, "PLC-5/80" }, { STATUS_PLC_5, 0x59, "PLC-5/80E" },
		{ STATUS_GATEWAY, 0x24, "1784-KR" }, { STATUS_GATEWAY, 0x2c, "1770-KF3" }, { STATUS_GATEWAY, 0x5f, "1785-KFC15" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].kind == kind && names[i].number == number)
			return names[i].name;
	return NULL;
}

static void tell_state(struct reader *r, struct memo *memo, uint8_t kind, uint8_t mode)
{
	static const char *const slc[] = { [1] = "program", [6] = "run", [7] = "test", [8] = "test" };
	static const char *const plc5[] = { [0] = "program", [2] = "run", [4] = "remote program", [5] = "remote test", [6] = "remote run" };
	uint8_t number = kind == STATUS_SLC ? mode & 0x1f : mode & 7;
	const char *name = NULL;

	if (kind == STATUS_SLC && number < sizeof slc / sizeof *slc)
		name = slc[number];
	else if (kind == STATUS_PLC_5 && number < sizeof plc5 / sizeof *plc5)
		name = plc5[number];
	if (!name || memo->state == 1 + number)
		return;
	memo->state = (uint8_t)(1 + number);
	tell_text(r, SENDER, NULL, ATTR_STATE, name);
}

static bool is_name(struct cursor c)
{
	if (is_zero(c))
		return false;
	for (; cursor_left(&c); c.at++)
		if ((*c.at < ' ' || *c.at > '~') && *c.at != 0)
			return false;
	return true;
}

static void tell_series(struct reader *r, uint8_t series)
{
	tell_format(r, SENDER, NULL, ATTR_HARDWARE, "series %c, revision %u", 'A' + (series >> 5), series & 0x1fu);
}

/* Of a PLC-5, from its memory on: series and revision, and its number on the Data Highway Plus, which people write in octal. */
static void tell_plc5(struct reader *r, struct cursor c)
{
	uint8_t series, node;

	cursor_skip(&c, 4);
	series = cursor_u8(&c);
	node = cursor_u8(&c);
	if (!cursor_ok(&c))
		return;
	tell_series(r, series);
	if (node <= HIGHEST_NODE)
		tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "%o", node);
}

/* What processors of this family tell of themselves; a gateway's third byte says which it is. */
static void read_status(struct reader *r, struct memo *memo, struct cursor c)
{
	struct cursor all = c, name;
	uint8_t mode = cursor_u8(&c), kind = cursor_u8(&c), third = cursor_u8(&c), fourth = cursor_u8(&c), series;
	uint8_t number = kind == STATUS_SLC ? fourth : third;

	if (!cursor_ok(&c) || (kind != STATUS_SLC && kind != STATUS_PLC_5 && kind != STATUS_GATEWAY))
		return;
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "Rockwell Automation/Allen-Bradley");
	tell_format(r, SENDER, NULL, ATTR_DEVICE_ID, "0x%02x", number);
	if (kind == STATUS_PLC_5) {
		if (processor_name(kind, number))
			tell_text(r, SENDER, NULL, ATTR_PRODUCT, processor_name(kind, number));
		tell_state(r, memo, kind, mode);
		cursor_skip(&all, 3);
		tell_plc5(r, all);
		return;
	}
	series = cursor_u8(&c);
	name = cursor_take(&c, NAME_BYTES);
	if (cursor_ok(&name) && is_name(name))
		tell(r, SENDER, NULL, ATTR_PRODUCT, name);
	else if (processor_name(kind, number))
		tell_text(r, SENDER, NULL, ATTR_PRODUCT, processor_name(kind, number));
	if (kind == STATUS_SLC && cursor_ok(&name)) {
		tell_series(r, series);
		cursor_skip(&all, 18);
		mode = cursor_u8(&all);
		if (cursor_ok(&all))
			tell_state(r, memo, kind, mode);
	}
}

static void remember(struct memo *memo, uint16_t transaction, uint8_t command, uint8_t function)
{
	memo->asked[memo->next] = (struct asked){ transaction, command, function, true };
	memo->next = (uint8_t)((memo->next + 1) % PENDING);
}

static bool take_asked(struct memo *memo, uint16_t transaction, uint8_t command, struct asked *asked)
{
	for (size_t i = 0; i < PENDING; i++)
		if (memo->asked[i].used && memo->asked[i].transaction == transaction && memo->asked[i].command == command) {
			*asked = memo->asked[i];
			memo->asked[i].used = false;
			return true;
		}
	return false;
}

/* Functions of command 0F. Both that set the mode have their word for running; any other ends the program's scan. */
static void tell_function(struct reader *r, uint8_t function, uint8_t value)
{
	static const struct {
		uint8_t function;
		enum activity activity;
		const char *name;
	} functions[] = {
		{ 0x11, ACTIVITY_ENGINEERING_SESSION, "get edit resource" }, { 0x50, ACTIVITY_PROGRAM_DOWNLOAD, "download all request" },
		{ 0x53, ACTIVITY_PROGRAM_UPLOAD, "upload all request" },     { 0x57, ACTIVITY_MEMORY_CLEAR, "initialize memory" },
	};
	bool run = value == (function == SET_MODE ? MODE_RUN : CHANGE_RUN);

	if (function == SET_MODE || function == CHANGE_MODE)
		tell_activity(r, NULL, run ? ACTIVITY_MODE_RUN : ACTIVITY_MODE_STOP, "change of mode to %u (0x0f, 0x%02x)", value, function);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (functions[i].function == function)
			tell_activity(r, NULL, functions[i].activity, "%s (0x0f, 0x%02x)", functions[i].name, function);
}

/* False when no PCCC is inside. *answers: it has the transaction and command of a question that was heard. */
static bool read_pccc(struct reader *r, struct memo *memo, const struct message *m, bool *answers)
{
	struct cursor c = m->body;
	uint8_t first = cursor_u8(&c), command, status, function;
	uint16_t transaction;
	struct asked asked;

	cursor_skip(&c, 1);
	if ((m->mode == QUESTION && cursor_u16be(&c) != 0) || (m->mode == ANSWER && (first != 0 || (cursor_u16be(&c) & 0xff) != 0)))
		return false;
	command = cursor_u8(&c);
	status = cursor_u8(&c);
	transaction = cursor_u16be(&c);
	if (!cursor_ok(&c) || (command & COMMAND_ANSWER) != (m->mode == ANSWER ? COMMAND_ANSWER : 0) ||
	    (command & ~COMMAND_ANSWER) > COMMAND_LAST || (m->mode == QUESTION && status))
		return false;
	if (m->mode == QUESTION) {
		function = cursor_u8(&c);
		remember(memo, transaction, command, function);
		if (command == COMMAND_TYPED)
			tell_function(r, function, cursor_u8(&c));
		return true;
	}
	*answers = take_asked(memo, transaction, command & COMMAND_LAST, &asked);
	if (*answers && status == 0 && asked.command == COMMAND_DIAGNOSTIC && asked.function == FUNCTION_STATUS)
		read_status(r, memo, c);
	return true;
}

/* The connection's start proves it, or an answer to its question; late comers need more than one message at the port. */
static enum verdict judge(struct reader *r, struct memo *memo, const struct message *m, bool answers)
{
	bool port = r->sender_port == PORT_CSP || r->receiver_port == PORT_CSP;

	if (memo->mine || answers || (m->kind == CONNECT && is_connect(m)) || (m->kind == CONNECT && m->mode == ANSWER && memo->opened == 1 + !r->direction))
		memo->mine = true;
	else if (m->kind == PCCC && port && ++memo->good >= ENOUGH)
		memo->mine = true;
	if (m->kind == CONNECT && m->mode == QUESTION)
		memo->opened = (uint8_t)(1 + r->direction);
	r->sender_role = m->mode == QUESTION ? ROLE_CLIENT : ROLE_SERVER;
	return memo->mine ? MINE : MAYBE;
}

static enum verdict read_cspv4(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes;
	struct message m = { 0 };
	bool answers = false;

	if (cursor_left(&c) < HEADER_BYTES) {
		uint8_t mode = cursor_peek(&c, 0);

		if (cursor_left(&r->bytes) && mode != QUESTION && mode != ANSWER)
			return NOT_MINE;
		return cursor_left(&r->bytes) < 2 || cursor_peek(&c, 1) == CONNECT || cursor_peek(&c, 1) == PCCC ? NEED_MORE : NOT_MINE;
	}
	if (!read_header(&c, &m))
		return NOT_MINE;
	if (cursor_left(&c) < m.len && !r->truncated)
		return NEED_MORE;
	m.body = cursor_take(&c, cursor_left(&c) < m.len ? cursor_left(&c) : m.len);
	if (m.kind == PCCC && !read_pccc(r, memo, &m, &answers))
		return NOT_MINE;
	r->bytes = c;
	return judge(r, memo, &m, answers);
}

static void forget_cspv4(void *flow)
{
	struct memo *memo = flow;

	memo->state = 0;
}

const struct classifier classifier_cspv4 = {
	.name = "cspv4",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_CSP, 2221, 2223 },
	.max_message = LONGEST,
	.read = read_cspv4,
	.forget = forget_cspv4,
};
