/*
 * Omron FINS: controllers, their units, and stations on networks behind them.
 *
 * Omron W342 "Communications Commands Reference Manual", section 3 (FINS header) and 5 (commands:
 * 5-3-19 controller data read, 5-3-20 connection data read, 5-3-21 controller status read); W421
 * "Ethernet Units", section 7-4 (FINS/TCP header).
 *
 *	FINS/TCP                                  FINS
 *	 0        4        8         12       16   0     1    2     3          6          9     10        12
 *	+--------+--------+---------+--------+    +-----+----+-----+----------+----------+-----+---------+------
 *	| "FINS" | length | command | error  |    | ICF | 00 | GCT | DNA.1.2  | SNA.1.2  | SID | command | data
 *	+--------+--------+---------+--------+    +-----+----+-----+----------+----------+-----+---------+------
 *
 * ICF's bit 6 marks a reply, which swaps both addresses, keeps SID and command, and begins with an end
 * code. A UDP datagram is one FINS message. Numbers are big-endian.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	FINS_PORT = 9600,
	TCP_HEADER_BYTES = 16,
	HEADER_BYTES = 12,
	LONGEST = 4096,
	PENDING = 4,
	GATEWAYS_MAX = 8,
	LAST_NETWORK = 0x7f,
	MODEL_BYTES = 20,
	ENOUGH = 2,        /* well-formed messages of one side alone at the usual port */
};

enum tcp_command { CLIENT_NODE, SERVER_NODE, FRAME_SEND, SEND_ERROR, CONFIRM = 6 };
enum { ICF_FIXED = 0x80, ICF_RESPONSE = 0x40, ICF_NO_REPLY = 1 };
enum { END_FLAGS = 0x80c0 }; /* relay error; fatal and non-fatal error of the unit */
enum command { READ_CONTROLLER = 0x0501, READ_UNITS = 0x0502, READ_STATUS = 0x0601 };
enum { MODE_PROGRAM = 0, MODE_MONITOR = 2, MODE_RUN = 4 };

struct request {
	uint8_t sid;
	uint8_t direction; /* 1 + that of the asker, 0: free */
	uint16_t command;
};

struct memo {
	struct request pending[PENDING];
	uint32_t told[2];  /* address of each end that was told last, 0 none */
	uint32_t own[2];   /* its first one that names a node */
	bool again[2];     /* what was told of this end is to be told again */
	uint8_t next;
	uint8_t good;      /* well-formed messages while undecided */
	bool mine;
	uint8_t mode;      /* 1 + the mode told last */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	bool response;
	bool reply_wanted;
	uint32_t to, from; /* network, node, unit, with bit 24 set */
	uint8_t sid;
	uint16_t command;
	uint16_t end_code; /* of a response, without the relays' flags */
	struct cursor data;
};

static bool known_command(uint16_t command)
{
	static const uint16_t known[] = {
		0x0101, 0x0102, 0x0103, 0x0104, 0x0105, 0x0110, 0x0111, 0x0112, 0x0113, 0x0201, 0x0202, 0x0203, 0x0220, 0x0221, 0x0222,
		0x0304, 0x0305, 0x0306, 0x0307, 0x0308, 0x0401, 0x0402, 0x0403, 0x0501, 0x0502, 0x0601, 0x0602, 0x0603, 0x0620, 0x0621,
		0x0701, 0x0702, 0x0801, 0x0802, 0x0803, 0x0920, 0x0c01, 0x0c02, 0x0c03, 0x2101, 0x2102, 0x2103, 0x2140, 0x2141, 0x2201,
		0x2202, 0x2203, 0x2204, 0x2205, 0x2206, 0x2207, 0x2208, 0x220a, 0x220b, 0x220c, 0x220f, 0x2210, 0x2211, 0x2215, 0x2220,
		0x2301, 0x2302, 0x230a, 0x2601, 0x2602, 0x2603, 0x2801, 0x2802, 0x2803,
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i] == command)
			return true;
	return false;
}

/* CPU, CPU bus units 10-1F, the unit that is addressed itself (FE), inner boards, special I/O units 20-7F. */
static bool known_unit(uint8_t unit)
{
	return unit <= 0x7f || unit == 0xfe || unit == 0xe1 || unit == 0xef;
}

static uint32_t read_address(struct cursor *c)
{
	return 1u << 24 | cursor_u24be(c);
}

static bool read_message(struct cursor c, struct message *m)
{
	uint8_t icf = cursor_u8(&c), reserved = cursor_u8(&c), gateways = cursor_u8(&c);

	m->to = read_address(&c);
	m->from = read_address(&c);
	m->sid = cursor_u8(&c);
	m->command = cursor_u16be(&c);
	m->response = icf & ICF_RESPONSE;
	m->reply_wanted = !m->response && !(icf & ICF_NO_REPLY);
	if (!cursor_ok(&c) || (icf & ~(ICF_RESPONSE | ICF_NO_REPLY)) != ICF_FIXED || reserved || gateways > GATEWAYS_MAX ||
	    (m->to >> 16 & 0xff) > LAST_NETWORK || (m->from >> 16 & 0xff) > LAST_NETWORK || !known_unit((uint8_t)m->to) ||
	    !known_unit((uint8_t)m->from) || !known_command(m->command))
		return false;
	m->end_code = m->response ? cursor_u16be(&c) & (uint16_t)~END_FLAGS : 0;
	m->data = c;
	return cursor_ok(&c);
}

static void remember(struct memo *memo, const struct message *m, uint8_t direction)
{
	memo->pending[memo->next] = (struct request){ m->sid, (uint8_t)(1 + direction), m->command };
	memo->next = (uint8_t)((memo->next + 1) % PENDING);
}

static bool answers_pending(struct memo *memo, const struct message *m, uint8_t direction)
{
	for (int i = 0; i < PENDING; i++) {
		struct request *p = &memo->pending[i];

		if (p->direction == 1 + !direction && p->sid == m->sid && p->command == m->command) {
			p->direction = 0;
			return true;
		}
	}
	return false;
}

/* A datagram has no mark of its own: an answer to its question decides, or more of one side at the usual port. */
static enum verdict decide(const struct reader *r, struct memo *memo, const struct message *m)
{
	bool port = r->sender_port == FINS_PORT || r->receiver_port == FINS_PORT;

	if (m->response && answers_pending(memo, m, r->direction))
		return MINE;
	if (!m->response)
		remember(memo, m, r->direction);
	return port && ++memo->good >= ENOUGH ? MINE : MAYBE;
}

static void format_address(char to[16], uint32_t address)
{
	snprintf(to, 16, "%u.%u.%u", address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
}

/* A station on another network or node than the first one that answered here is one behind it. */
static bool is_behind(const struct reader *r, const struct memo *memo, uint32_t from)
{
	uint32_t own = memo->own[r->direction] & 0xffff00;

	return r->sender_role == ROLE_SERVER && own && from & 0xffff00 && own != (from & 0xffff00);
}

/* Of who is only spoken to, the first address is believed: a question may go to a station that isn't there. */
static void tell_address(struct reader *r, struct memo *memo, enum side side, uint32_t address)
{
	unsigned end = side == SENDER ? r->direction : !r->direction;
	char text[16];

	if (memo->told[end] == address ? !memo->again[end] : side == RECEIVER && memo->told[end])
		return;
	if (side == SENDER && is_behind(r, memo, address))
		return;
	memo->told[end] = address;
	memo->again[end] = false;
	if (!(memo->own[end] & 0xffff00))
		memo->own[end] = address;
	format_address(text, address);
	tell_text(r, side, NULL, ATTR_NETWORK_ADDRESS, text);
}

static const char *station_path(char path[FINDING_PATH_BYTES], struct reader *r, const struct memo *memo, uint32_t from)
{
	path[0] = 0;
	if (is_behind(r, memo, from)) {
		snprintf(path, FINDING_PATH_BYTES, "fins/%u/node:%u.%u", r->sender_port, from >> 16 & 0xff, from >> 8 & 0xff);
		tell_subasset(r, SENDER, path);
	}
	return path;
}

/* The end of a text of fixed width that is filled up with blanks or zeros. */
static struct cursor trim(struct cursor c)
{
	while (c.end > c.at && (c.end[-1] == ' ' || c.end[-1] == 0))
		c.end--;
	return c;
}

/* Model (20), version (20: two texts of ten), system use (40), area data. */
static void read_controller(struct reader *r, const char *path, struct cursor c)
{
	struct cursor model = cursor_take(&c, MODEL_BYTES), version = cursor_take(&c, 20), first, second;

	if (!cursor_ok(&version))
		return;
	tell_text(r, SENDER, path, ATTR_VENDOR, "Omron");
	tell(r, SENDER, path, ATTR_PRODUCT, trim(model));
	first = trim(cursor_take(&version, 10));
	second = trim(version);
	if (cursor_left(&first) == 10 && cursor_left(&second)) { /* no end between them: one long text */
		first.end = second.end;
		second.at = second.end;
	}
	tell(r, SENDER, path, ATTR_FIRMWARE, first);
	tell(r, SENDER, path, ATTR_SOFTWARE, second);
}

/* Number of units, bit 7 set when more follow, then {unit address, model (20)}. */
static void read_units(struct reader *r, uint32_t from, struct cursor c)
{
	uint8_t count = cursor_u8(&c) & 0x7f;
	char path[FINDING_PATH_BYTES];

	while (count-- && cursor_left(&c) >= 1 + MODEL_BYTES) {
		uint8_t unit = cursor_u8(&c);
		struct cursor model = cursor_take(&c, MODEL_BYTES);

		snprintf(path, sizeof path, "fins/%u/unit:%u.%u.%u", r->sender_port, from >> 16 & 0xff, from >> 8 & 0xff, unit);
		tell_subasset(r, SENDER, path);
		tell(r, SENDER, path, ATTR_PRODUCT, trim(model));
	}
}

static void read_status(struct reader *r, struct memo *memo, const char *path, struct cursor c)
{
	uint8_t mode;

	cursor_skip(&c, 1);
	mode = cursor_u8(&c);
	if (!cursor_ok(&c) || memo->mode == 1 + mode)
		return;
	memo->mode = (uint8_t)(1 + mode);
	if (mode == MODE_PROGRAM || mode == MODE_MONITOR || mode == MODE_RUN)
		tell_text(r, SENDER, path, ATTR_STATE, mode == MODE_PROGRAM ? "program" : mode == MODE_RUN ? "run" : "monitor");
}

/* W342, 5-3: 02.. memory, 03.. program areas, 04.. mode, 21.. errors, 23.. force. */
static void tell_command(struct reader *r, const char *path, uint16_t command)
{
	static const struct {
		uint16_t command;
		enum activity activity;
		const char *name;
	} commands[] = {
		{ 0x0306, ACTIVITY_PROGRAM_UPLOAD, "program area read" },  { 0x0307, ACTIVITY_PROGRAM_DOWNLOAD, "program area write" },
		{ 0x0308, ACTIVITY_MEMORY_CLEAR, "program area clear" },   { 0x0304, ACTIVITY_ENGINEERING_SESSION, "program area protect" },
		{ 0x0202, ACTIVITY_CONFIGURATION, "parameter area write" }, { 0x0203, ACTIVITY_MEMORY_CLEAR, "parameter area clear" },
		{ 0x0401, ACTIVITY_MODE_RUN, "run" },                      { 0x0402, ACTIVITY_MODE_STOP, "stop" },
		{ 0x0403, ACTIVITY_RESET, "reset" },                       { 0x0c01, ACTIVITY_ENGINEERING_SESSION, "access right acquire" },
		{ 0x0c02, ACTIVITY_ENGINEERING_SESSION, "access right forced acquire" },
		{ 0x2301, ACTIVITY_FORCE, "forced set/reset" },
	};

	if (command >> 8 == 0x01 && (command == 0x0102 || command == 0x0103 || command == 0x0105))
		r->signs |= SIGN_WRITE;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (commands[i].command == command)
			tell_activity(r, path, commands[i].activity, "%s (0x%04x)", commands[i].name, command);
}

static enum verdict read_fins_message(struct reader *r, const struct message *m)
{
	struct memo *memo = r->memo;
	char path[FINDING_PATH_BYTES];

	/* Both ends may ask, and a node that answers from another port serves nothing there. */
	r->sender_role = role_by_port(r, FINS_PORT);
	if (r->sender_role == ROLE_UNKNOWN)
		r->sender_role = m->response ? ROLE_SERVER : ROLE_CLIENT;
	tell_address(r, memo, SENDER, m->from);
	tell_address(r, memo, RECEIVER, m->to);
	if (!m->response)
		tell_command(r, NULL, m->command);
	else if (m->end_code)
		r->signs |= SIGN_ERROR;
	if (!m->response || m->end_code ||
	    (m->command != READ_CONTROLLER && m->command != READ_UNITS && m->command != READ_STATUS))
		return MINE;
	station_path(path, r, memo, m->from);
	if (m->command == READ_CONTROLLER)
		read_controller(r, path, m->data);
	else if (m->command == READ_STATUS)
		read_status(r, memo, path, m->data);
	else if (r->sender_role == ROLE_SERVER) /* units have a path by the port of the node's service */
		read_units(r, m->from, m->data);
	return MINE;
}

static enum verdict read_datagram(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m;

	if (!read_message(r->bytes, &m))
		return NOT_MINE;
	if (!memo->mine) {
		if (decide(r, memo, &m) != MINE)
			return MAYBE;
		memo->mine = true;
	}
	return read_fins_message(r, &m);
}

static uint8_t tcp_role(const struct reader *r, uint32_t command)
{
	if (command == CLIENT_NODE)
		return ROLE_CLIENT;
	return command == SERVER_NODE ? ROLE_SERVER : role_by_port(r, FINS_PORT);
}

static enum verdict read_segment(struct reader *r)
{
	static const uint8_t magic[] = { 'F', 'I', 'N', 'S' };
	struct cursor c = r->bytes, body;
	uint32_t length, command;
	struct message m;

	if (!cursor_starts(&c, magic, cursor_left(&c) < sizeof magic ? cursor_left(&c) : sizeof magic))
		return NOT_MINE;
	if (cursor_left(&c) < TCP_HEADER_BYTES)
		return NEED_MORE;
	cursor_skip(&c, sizeof magic);
	length = cursor_u32be(&c);
	command = cursor_u32be(&c);
	if (length < 8 || length > LONGEST - 8 || command > CONFIRM || command == 4 || command == 5)
		return NOT_MINE;
	if (cursor_left(&c) < length - 4 && !r->truncated)
		return NEED_MORE;
	cursor_skip(&c, 4);
	body = cursor_take(&c, cursor_left(&c) < length - 8 ? cursor_left(&c) : length - 8);
	r->bytes = c;
	if (command == FRAME_SEND && read_message(body, &m))
		return read_fins_message(r, &m);
	r->sender_role = role_or_guess(r, tcp_role(r, command));
	return MINE;
}

static enum verdict read_fins(struct reader *r)
{
	return r->transport == TRANSPORT_TCP ? read_segment(r) : read_datagram(r);
}

static void forget_fins(void *flow)
{
	struct memo *memo = flow;

	memo->again[0] = memo->again[1] = true;
	memo->mode = 0;
}

const struct classifier classifier_fins = {
	.name = "fins",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { FINS_PORT },
	.max_message = LONGEST,
	.read = read_fins,
	.forget = forget_fins,
};
