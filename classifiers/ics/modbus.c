/*
 * Modbus/TCP (and the rare Modbus/UDP): units, gateways, device identification.
 *
 * Modbus Messaging on TCP/IP Implementation Guide V1.0b section 3.1 (MBAP header), Modbus
 * Application Protocol V1.1b3 sections 6 (functions), 6.13 (report server id), 6.21 (read device
 * identification) and 7 (exceptions).
 *
 *	 0        2        4        6      7
 *	+--------+--------+--------+------+----------+-----------
 *	| txid   | 0000   | length | unit | function | data ...
 *	+--------+--------+--------+------+----------+-----------
 *	                           |<------ length ------------->|
 *
 * A reply repeats txid, unit and function; an exception sets the function's top bit. Schneider's
 * UMAS travels as function 5A with longer messages; umas.h reads it.
 */
#include "classifiers/api/compose.h"
#include "classifiers/ics/umas.h"


enum {
	MODBUS_PORT = 502,
	HEADER_BYTES = 7,
	LONGEST = 254,       /* length field of a standard message */
	LONGEST_UMAS = 2048,
	LAST_SERIAL_UNIT = 247,
	PENDING = 4,
	SERVER_ID_TEXT = 4,  /* shortest text taken for a name */
	STREAK_ENOUGH = 3,   /* one side alone, on a port of no meaning */
};

enum function {
	READ_COILS = 0x01, READ_INPUTS = 0x02, READ_HOLDING = 0x03, READ_INPUT_REGISTERS = 0x04,
	WRITE_COIL = 0x05, WRITE_REGISTER = 0x06, READ_EXCEPTION_STATUS = 0x07, DIAGNOSTICS = 0x08,
	EVENT_COUNTER = 0x0b, EVENT_LOG = 0x0c, WRITE_COILS = 0x0f, WRITE_REGISTERS = 0x10,
	REPORT_SERVER_ID = 0x11, READ_FILE = 0x14, WRITE_FILE = 0x15, MASK_WRITE = 0x16,
	READ_WRITE = 0x17, READ_FIFO = 0x18, ENCAPSULATED = 0x2b, UMAS = 0x5a, EXCEPTION = 0x80,
};

enum { MEI_CANOPEN = 0x0d, MEI_DEVICE_ID = 0x0e };
enum { GATEWAY_PATH = 0x0a, GATEWAY_TARGET = 0x0b };
enum object { OBJECT_VENDOR, OBJECT_CODE, OBJECT_REVISION, OBJECT_URL, OBJECT_PRODUCT, OBJECT_MODEL, OBJECT_APPLICATION };

struct request {
	uint16_t txid;
	uint8_t unit;
	uint8_t function; /* top bit: direction of the asker; 0: free */
};

struct memo {
	uint8_t told_units[32]; /* bit set: this unit's existence was told */
	struct request pending[PENDING];
	uint8_t next;           /* entry of `pending` to use next */
	uint8_t streak[2];      /* well-formed messages of each direction while undecided */
	uint8_t server;         /* 1 + direction of the server, 0 unknown */
	bool mine;
	bool product_told;      /* a later object "model" is then no second product */
	struct umas umas;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint16_t txid;
	uint8_t unit;
	uint8_t function;
	bool exception;
	struct cursor data; /* behind the function code */
};

static bool known_function(uint8_t f)
{
	static const uint8_t known[] = {
		READ_COILS, READ_INPUTS, READ_HOLDING, READ_INPUT_REGISTERS, WRITE_COIL, WRITE_REGISTER,
		READ_EXCEPTION_STATUS, DIAGNOSTICS, EVENT_COUNTER, EVENT_LOG, WRITE_COILS, WRITE_REGISTERS,
		REPORT_SERVER_ID, READ_FILE, WRITE_FILE, MASK_WRITE, READ_WRITE, READ_FIFO, ENCAPSULATED, UMAS,
	};

	return memchr(known, f, sizeof known) != NULL;
}

static bool writes(uint8_t f)
{
	const uint64_t writing = 1ull << WRITE_COIL | 1ull << WRITE_REGISTER | 1ull << WRITE_COILS | 1ull << WRITE_REGISTERS | 1ull << MASK_WRITE | 1ull << READ_WRITE;

	return f < 64 && writing >> f & 1;
}

/* True when these are exactly the bytes of a request with that function. */
static bool request_shaped(const struct message *m)
{
	struct cursor c = m->data;
	size_t n = cursor_left(&c);
	uint16_t first = cursor_u16be(&c), second = cursor_u16be(&c);
	uint8_t count = cursor_u8(&c);

	switch (m->function) {
	case READ_COILS:
	case READ_INPUTS:
		return n == 4 && second >= 1 && second <= 2000;
	case READ_HOLDING:
	case READ_INPUT_REGISTERS:
		return n == 4 && second >= 1 && second <= 125;
	case WRITE_COIL:
		return n == 4 && (second == 0 || second == 0xff00);
	case WRITE_REGISTER:
		return n == 4;
	case READ_EXCEPTION_STATUS:
	case EVENT_COUNTER:
	case EVENT_LOG:
	case REPORT_SERVER_ID:
		return n == 0;
	case DIAGNOSTICS:
		return n >= 4 && n % 2 == 0 && first <= 0x14;
	case WRITE_COILS:
		return n == 5u + count && count == (second + 7) / 8;
	case WRITE_REGISTERS:
		return n == 5u + count && count == 2 * second;
	case READ_FILE:
	case WRITE_FILE:
		return n >= 8 && n == 1u + (first >> 8);
	case MASK_WRITE:
		return n == 6;
	case READ_WRITE:
		cursor_skip(&c, 3);
		return n >= 11 && n == 9u + cursor_u8(&c);
	case READ_FIFO:
		return n == 2;
	case ENCAPSULATED:
		return first >> 8 == MEI_DEVICE_ID ? n == 3 && (first & 0xff) >= 1 && (first & 0xff) <= 4
						   : first >> 8 == MEI_CANOPEN;
	default: /* UMAS: session key, function below the reply codes FD and FE */
		return n >= 2 && (first & 0xff) < 0xfd;
	}
}

static bool reply_shaped(const struct message *m)
{
	struct cursor c = m->data;
	size_t n = cursor_left(&c);
	uint8_t count = cursor_u8(&c), second = cursor_u8(&c);

	if (m->exception)
		return n == 1 && count >= 1 && count <= GATEWAY_TARGET;
	switch (m->function) {
	case READ_HOLDING:
	case READ_INPUT_REGISTERS:
	case READ_WRITE:
		return n == 1u + count && count >= 2 && count % 2 == 0;
	case READ_COILS:
	case READ_INPUTS:
	case EVENT_LOG:
	case REPORT_SERVER_ID:
	case READ_FILE:
	case WRITE_FILE:
		return n == 1u + count && count >= 1;
	case WRITE_COIL:
	case WRITE_REGISTER:
	case EVENT_COUNTER:
	case WRITE_COILS:
	case WRITE_REGISTERS:
		return n == 4;
	case READ_EXCEPTION_STATUS:
		return n == 1;
	case DIAGNOSTICS:
		return n >= 4 && n % 2 == 0 && count == 0 && second <= 0x14;
	case MASK_WRITE:
		return n == 6;
	case READ_FIFO:
		return n >= 4 && n == 2u + (unsigned)(count << 8 | second);
	case ENCAPSULATED:
		return count == MEI_DEVICE_ID ? n >= 6 && second >= 1 && second <= 4 : count == MEI_CANOPEN;
	default:
		return n >= 2 && (second == 0xfe || second == 0xfd);
	}
}

/* One MBAP message off the front. NOT_MINE or NEED_MORE, or MAYBE for a whole one. */
static inline enum verdict take_message(struct cursor *bytes, bool stream, struct message *m)
{
	struct cursor c = *bytes;
	uint16_t length;
	uint8_t code;

	if (cursor_left(&c) < HEADER_BYTES + 1)
		return stream && (cursor_left(&c) < 4 || (c.at[2] == 0 && c.at[3] == 0)) ? NEED_MORE : NOT_MINE;
	m->txid = cursor_u16be(&c);
	if (cursor_u16be(&c) != 0)
		return NOT_MINE;
	length = cursor_u16be(&c);
	m->unit = cursor_u8(&c);
	code = cursor_u8(&c);
	m->exception = code & EXCEPTION;
	m->function = code & (uint8_t)~EXCEPTION;
	if (length < 2 || length > (m->function == UMAS ? LONGEST_UMAS : LONGEST))
		return NOT_MINE;
	if (cursor_left(&c) < length - 2u)
		return stream ? NEED_MORE : NOT_MINE;
	m->data = cursor_take(&c, length - 2u);
	*bytes = c;
	return MAYBE;
}

/* 1 + the server's direction, 0 when it can't be told yet. Modbus masters connect, servers listen. */
static uint8_t find_server(const struct reader *r, const struct message *m)
{
	bool asks = !m->exception && request_shaped(m), answers = reply_shaped(m);

	if (r->handshake == ROLE_SERVER || r->handshake == ROLE_CLIENT)
		return (uint8_t)(1 + (r->handshake == ROLE_SERVER ? r->direction : !r->direction));
	if ((r->sender_port == MODBUS_PORT) != (r->receiver_port == MODBUS_PORT))
		return (uint8_t)(1 + (r->sender_port == MODBUS_PORT ? r->direction : !r->direction));
	if (asks == answers)
		return 0;
	return (uint8_t)(1 + (answers ? r->direction : !r->direction));
}

static void remember(struct memo *memo, const struct message *m, uint8_t direction)
{
	memo->pending[memo->next] = (struct request){ m->txid, m->unit, (uint8_t)(m->function | direction << 7) };
	memo->next = (uint8_t)((memo->next + 1) % PENDING);
}

static bool answers_pending(struct memo *memo, const struct message *m, uint8_t direction)
{
	uint8_t function = (uint8_t)(m->function | !direction << 7);

	for (int i = 0; i < PENDING; i++) {
		struct request *p = &memo->pending[i];

		if (p->function == function && p->txid == m->txid && p->unit == m->unit) {
			p->function = 0;
			return true;
		}
	}
	return false;
}

/* Whether a flow that is nobody's is Modbus: a reply to its request, or enough of one side. */
static enum verdict decide(const struct reader *r, struct memo *memo, const struct message *m)
{
	uint8_t server = find_server(r, m);
	bool port = r->sender_port == MODBUS_PORT || r->receiver_port == MODBUS_PORT;
	bool from_server = server == 1 + r->direction;
	bool asks = !m->exception && request_shaped(m), answers = reply_shaped(m);

	if (!known_function(m->function) || (!asks && !answers) || (server && !(from_server ? answers : asks)))
		return NOT_MINE;
	memo->server = server;
	if (answers && answers_pending(memo, m, r->direction)) {
		if (!server)
			memo->server = (uint8_t)(1 + r->direction);
		return MINE;
	}
	if (asks && !from_server)
		remember(memo, m, r->direction);
	if (memo->streak[r->direction] < UINT8_MAX)
		memo->streak[r->direction]++;
	if (server && (port || memo->streak[r->direction] >= STREAK_ENOUGH))
		return MINE;
	return MAYBE;
}

/* Units 1..247 are devices of their own behind this address; 0 and 255 mean the device itself. "modbus/502/unit:3". */
static const char *unit_path(char path[FINDING_PATH_BYTES], const struct reader *r, uint8_t unit)
{
	struct composed t = compose_in(path, FINDING_PATH_BYTES);

	if (unit >= 1 && unit <= LAST_SERIAL_UNIT) {
		compose_text(&t, "modbus/");
		compose_number(&t, r->sender_port);
		compose_text(&t, "/unit:");
		compose_number(&t, unit);
	}
	return path;
}

static bool unit_told(const struct memo *memo, uint8_t unit)
{
	return memo->told_units[unit / 8] & 1u << unit % 8;
}

static void tell_unit(struct reader *r, struct memo *memo, uint8_t unit)
{
	char path[FINDING_PATH_BYTES];

	if (unit_told(memo, unit))
		return;
	memo->told_units[unit / 8] |= (uint8_t)(1u << unit % 8);
	if (unit_path(path, r, unit)[0])
		tell_subasset(r, SENDER, path);
}

static enum attribute object_attribute(struct memo *memo, uint8_t object)
{
	switch (object) {
	case OBJECT_VENDOR:
		return ATTR_VENDOR;
	case OBJECT_CODE:
		return ATTR_ORDER_CODE;
	case OBJECT_REVISION:
		return ATTR_FIRMWARE;
	case OBJECT_URL:
		return ATTR_URI;
	case OBJECT_PRODUCT:
		memo->product_told = true;
		return ATTR_PRODUCT;
	case OBJECT_MODEL:
		return memo->product_told ? ATTR_DESCRIPTION : ATTR_PRODUCT;
	case OBJECT_APPLICATION:
		return ATTR_NAME;
	default:
		return ATTR_NONE;
	}
}

/*
 * Code, conformity, more follows, next object, count, then {id, length, value}. The count is not to be
 * trusted: the specification's own example repeats the total in each of two parts.
 */
static void read_device_id(struct reader *r, struct memo *memo, const struct message *m)
{
	struct cursor c = m->data;
	char path[FINDING_PATH_BYTES];

	unit_path(path, r, m->unit);
	cursor_skip(&c, 6);
	while (cursor_left(&c) >= 2) {
		uint8_t object = cursor_u8(&c);
		struct cursor value = cursor_take(&c, cursor_u8(&c));
		enum attribute a = object_attribute(memo, object);

		if (cursor_ok(&value) && a != ATTR_NONE)
			tell(r, SENDER, path, a, value);
	}
}

static bool printable(uint8_t b)
{
	return b >= 0x20 && b < 0x7f;
}

/*
 * The layout is each maker's own: an identifier, a run indicator (00 off, FF on), more data. What
 * stands in most of them is one text with the indicator right before or behind it.
 */
static void read_server_id(struct reader *r, const struct message *m)
{
	struct cursor c = m->data, body, text;
	size_t start = 0, best = 0, len = 0;
	char path[FINDING_PATH_BYTES];

	cursor_skip(&c, 1);
	body = c;
	for (size_t i = 0; cursor_left(&c); i++) {
		if (!printable(cursor_u8(&c)))
			start = i + 1;
		else if (i + 1 - start > len)
			len = i + 1 - (best = start);
	}
	if (len < SERVER_ID_TEXT)
		return;
	unit_path(path, r, m->unit);
	c = body;
	cursor_skip(&c, best);
	text = cursor_take(&c, len);
	tell(r, SENDER, path, ATTR_DEVICE_ID, text);
	if (cursor_left(&c) && (cursor_peek(&c, 0) == 0 || cursor_peek(&c, 0) == 0xff))
		tell_text(r, SENDER, path, ATTR_STATE, cursor_peek(&c, 0) ? "run" : "stop");
	else if (best && (cursor_peek(&body, best - 1) == 0 || cursor_peek(&body, best - 1) == 0xff))
		tell_text(r, SENDER, path, ATTR_STATE, cursor_peek(&body, best - 1) ? "run" : "stop");
}

static void read_reply(struct reader *r, struct memo *memo, const struct message *m)
{
	struct cursor c = m->data;
	uint8_t first = cursor_u8(&c);

	if (m->exception && (first == GATEWAY_PATH || first == GATEWAY_TARGET)) {
		tell_text(r, SENDER, NULL, ATTR_ROLE, "gateway");
		return;
	}
	if (known_function(m->function))
		tell_unit(r, memo, m->unit);
	if (m->exception)
		return;
	if (m->function == ENCAPSULATED && first == MEI_DEVICE_ID)
		read_device_id(r, memo, m);
	else if (m->function == REPORT_SERVER_ID)
		read_server_id(r, m);
}

/* Polling, the bulk of all traffic, tells nothing new once its unit is known. */
static bool worth_reading(const struct memo *memo, const struct message *m)
{
	return m->exception || m->function == ENCAPSULATED || m->function == REPORT_SERVER_ID || !unit_told(memo, m->unit);
}

static void read_umas(struct reader *r, struct memo *memo, const struct message *m)
{
	char path[FINDING_PATH_BYTES];

	if (r->sender_role == ROLE_CLIENT)
		umas_read_request(r, &memo->umas, m->txid, m->data);
	else
		umas_read_answer(r, &memo->umas, m->txid, unit_path(path, r, m->unit), m->data);
}

static enum verdict read_modbus(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m;
	enum verdict v = take_message(&r->bytes, r->transport == TRANSPORT_TCP, &m);

	if (v != MAYBE)
		return v;
	if (!memo->mine) {
		v = decide(r, memo, &m);
		if (v != MINE)
			return v;
		memo->mine = true;
	}
	r->sender_role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	if (m.exception)
		r->signs = SIGN_ERROR;
	else if (r->sender_role == ROLE_CLIENT && writes(m.function))
		r->signs = SIGN_WRITE;
	if (m.function == UMAS && !m.exception)
		read_umas(r, memo, &m);
	if (r->sender_role == ROLE_SERVER && worth_reading(memo, &m))
		read_reply(r, memo, &m);
	return MINE;
}

/* Polling: no function that can name somebody, no exception that shows a gateway, and no unit that has not answered before. */
static bool glance_modbus(struct glance *g, void *flow)
{
	const struct memo *memo = flow;
	bool client = memo->server != 1 + g->direction;
	struct message m;

	if (take_message(&g->bytes, g->transport == TRANSPORT_TCP, &m) != MAYBE)
		return false;
	if (m.exception) {
		uint8_t code = cursor_u8(&m.data);

		g->signs = SIGN_ERROR;
		return client || (unit_told(memo, m.unit) && code != GATEWAY_PATH && code != GATEWAY_TARGET);
	}
	if (m.function == ENCAPSULATED || m.function == REPORT_SERVER_ID || m.function == UMAS)
		return false;
	/* Who sends is a coin's toss for each message: nothing branches on it. */
	g->signs = (uint8_t)(SIGN_WRITE * (client & writes(m.function)));
	return client | unit_told(memo, m.unit);
}

static void forget_modbus(void *flow)
{
	struct memo *memo = flow;

	memset(memo->told_units, 0, sizeof memo->told_units);
}

const struct classifier classifier_modbus = {
	.name = "modbus",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { MODBUS_PORT },
	.read = read_modbus,
	.glance = glance_modbus,
	.forget = forget_modbus,
};
