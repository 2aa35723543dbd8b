/*
 * EtherNet/IP and the CIP messages in it: identity of a device and of the modules in its rack.
 *
 * ODVA, The CIP Networks Library, volume 2 chapter 2 (encapsulation), volume 1 chapter 3 (message
 * router, unconnected send), chapter 5 (identity object), appendix C (paths). Little-endian.
 *
 *	+---------+--------+---------+--------+---------+---------+
 *	| command | length | session | status | context | options | data ...
 *	| 2       | 2      | 4       | 4      | 8       | 4       |
 *	+---------+--------+---------+--------+---------+---------+
 *	SendRRData, SendUnitData: interface 4 = 0 | timeout 2 | items 2 | { type 2 | length 2 | data }
 *	CIP request: service | path words | path ...      reply: service | 0x80, 0, status, words of more status
 *
 * A CIP reply does not say what was asked, so the memo keeps the questions about identities until
 * they are answered, found again by the sender context or the connection's sequence count.
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum {
	ENIP_PORT = 44818,
	HEADER_BYTES = 24,
	LONGEST = 8192,
	PENDING = 3,
	CONNECTIONS = 2,
	ATTRIBUTES_ASKED = 4,
	PATH_WORDS = 64,
};

enum command {
	NOP = 0, LIST_TARGETS = 1, LIST_SERVICES = 4, LIST_IDENTITY = 0x63, LIST_INTERFACES = 0x64, REGISTER = 0x65,
	UNREGISTER = 0x66, SEND_RR = 0x6f, SEND_UNIT = 0x70, START_DTLS = 0xc8,
};

enum item { ITEM_NULL = 0, ITEM_IDENTITY = 0x0c, ITEM_CONNECTED_ADDRESS = 0xa1, ITEM_CONNECTED = 0xb1,
	    ITEM_UNCONNECTED = 0xb2, ITEM_SERVICES = 0x100 };

enum service {
	GET_ALL = 0x01, GET_LIST = 0x03, MULTIPLE = 0x0a, GET_SINGLE = 0x0e, UNCONNECTED_SEND = 0x52,
	FORWARD_OPEN = 0x54, LARGE_FORWARD_OPEN = 0x5b, REPLY = 0x80,
};

enum class { CLASS_IDENTITY = 1, CLASS_ROUTER = 2, CLASS_MANAGER = 6, CLASS_TCPIP = 0xf5, CLASS_ETHERNET = 0xf6 };

/* What was asked of an object; identity attributes are their own numbers. */
enum asked { ASKED_NOTHING = 0, ASKED_LAST_IDENTITY = 0x3f, ASKED_HOSTNAME = 0x40, ASKED_MAC, ASKED_ALL = 0x80, ASKED_LIST };

enum { SLOT_NONE = 0xff, SLOT_UNKNOWN = 0xfe }; /* the device itself; a route that is longer than one hop */

enum {
	VENDOR = 1, TYPE, CODE, REVISION, STATUS, SERIAL, NAME, STATE,
};

struct question {
	uint32_t key;
	uint8_t service;     /* that the reply will carry without its top bit; 0: free */
	uint8_t slot;
	uint16_t where;      /* MULTIPLE: bit for each embedded request of `asked`, else 1 */
	uint8_t asked[ATTRIBUTES_ASKED];
};

struct connection {
	uint32_t to_client;  /* connection id that the client chose; 0: free */
	uint32_t to_server;  /* 0 until the reply */
	uint8_t slot;
	uint8_t reserved[3];
};

struct memo {
	struct question questions[PENDING];
	struct connection connections[CONNECTIONS];
	uint8_t next_question;
	uint8_t next_connection;
	uint8_t server;      /* 1 + direction, 0 unknown */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint16_t command;
	uint32_t session;
	uint32_t status;
	uint64_t context;
	struct cursor data;
};

/* A path's object and where it leads: segments up to the object are the route. */
struct path {
	uint16_t class;
	uint32_t instance;
	uint16_t attribute;
	uint8_t slot;
	bool good;
};

struct number_name {
	uint16_t number;
	const char *name;
};

/* Of ODVA's registry of vendor ids, those met most in plants. */
static const struct number_name vendors[] = {
	{ 1, "Rockwell Automation/Allen-Bradley" }, { 2, "Namco Controls Corp." }, { 3, "Honeywell International Inc." },
	{ 5, "Rockwell Automation/Reliance Elec." }, { 7, "SMC Corporation" }, { 8, "Molex Incorporated" },
	{ 12, "Banner Engineering Corporation" }, { 13, "Belden Wire & Cable Company" }, { 26, "Festo SE & Co. KG" },
	{ 40, "WAGO Corporation" }, { 43, "Balluff, Inc." }, { 44, "Yaskawa" }, { 46, "ABB" }, { 47, "Omron Corporation" },
	{ 48, "TURCK" }, { 50, "Real Time Automation" }, { 57, "Pepperl + Fuchs" }, { 68, "Eaton Electrical" },
	{ 77, "Rockwell Software, Inc." }, { 90, "HMS Industrial Networks" }, { 97, "Danfoss" },
	{ 100, "Bosch Rexroth Corporation Pneumatics" }, { 108, "Beckhoff Automation" }, { 145, "Siemens Energy & Automation" },
	{ 161, "Mitsubishi Electric Corporation" }, { 176, "Red Lion Controls" }, { 181, "Pilz GmbH & Co" },
	{ 243, "Schneider Electric" }, { 250, "Yokogawa Electric Corporation" }, { 256, "InterlinkBT LLC" },
	{ 283, "Hilscher GmbH" }, { 309, "ProSoft Technology" }, { 315, "SEW Eurodrive GmbH" }, { 322, "ifm electronic" },
	{ 326, "GE Fanuc Automation" }, { 345, "Endress + Hauser" }, { 356, "Fanuc Robotics America" },
	{ 367, "Keyence Corporation" }, { 445, "Lenze" }, { 562, "Phoenix Contact" }, { 591, "FANUC Corporation" },
	{ 634, "Hirschmann Automation and Control GmbH" }, { 678, "Cognex Corporation" }, { 680, "Weidmuller" },
	{ 808, "SICK AG" }, { 887, "B&R Industrial Automation" }, { 939, "Cisco Systems" }, { 991, "Moxa Inc." },
};

/* CIP device profiles, volume 1 chapter 6. */
static const struct number_name device_types[] = {
	{ 0x00, "Generic Device" }, { 0x02, "AC Drive" }, { 0x03, "Motor Overload" }, { 0x04, "Limit Switch" },
	{ 0x05, "Inductive Proximity Switch" }, { 0x06, "Photoelectric Sensor" }, { 0x07, "General Purpose Discrete I/O" },
	{ 0x09, "Resolver" }, { 0x0c, "Communications Adapter" }, { 0x0e, "Programmable Logic Controller" },
	{ 0x10, "Position Controller" }, { 0x13, "DC Drive" }, { 0x15, "Contactor" }, { 0x16, "Motor Starter" },
	{ 0x17, "Soft Start" }, { 0x18, "Human-Machine Interface" }, { 0x1a, "Mass Flow Controller" },
	{ 0x1b, "Pneumatic Valve" }, { 0x1c, "Vacuum Pressure Gauge" }, { 0x1d, "Process Control Value" },
	{ 0x1e, "Residual Gas Analyzer" }, { 0x1f, "DC Power Generator" }, { 0x20, "RF Power Generator" },
	{ 0x21, "Turbomolecular Vacuum Pump" }, { 0x22, "Encoder" }, { 0x23, "Safety Discrete I/O Device" },
	{ 0x24, "Fluid Flow Controller" }, { 0x25, "CIP Motion Drive" }, { 0x26, "CompoNet Repeater" },
	{ 0x27, "Mass Flow Controller, Enhanced" }, { 0x28, "CIP Modbus Device" }, { 0x29, "CIP Modbus Translator" },
	{ 0x2a, "Safety Analog I/O Device" }, { 0x2b, "Generic Device (keyable)" }, { 0x2c, "Managed Ethernet Switch" },
	{ 0x2d, "CIP Motion Safety Drive Device" }, { 0x2e, "Safety Drive Device" }, { 0x32, "ControlNet Physical Layer Component" },
	{ 0x33, "Circuit Breaker" }, { 0x34, "HART Device" }, { 0x35, "CIP-HART Translator" }, { 0xc8, "Embedded Component" },
};

static const char *find_name(const struct number_name *table, size_t count, uint16_t number)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].number == number)
			return table[i].name;
	return NULL;
}

/* ---- identity: what attributes of the objects become */

static void tell_vendor(struct reader *r, const char *path, uint16_t vendor)
{
	const char *name = find_name(vendors, sizeof vendors / sizeof vendors[0], vendor);

	tell_format(r, SENDER, path, ATTR_VENDOR_ID, "%u", vendor);
	if (name)
		tell_text(r, SENDER, path, ATTR_VENDOR, name);
}

static void tell_type(struct reader *r, const char *path, uint16_t type)
{
	const char *name = find_name(device_types, sizeof device_types / sizeof device_types[0], type);

	if (name)
		tell_text(r, SENDER, path, ATTR_DEVICE_CLASS, name);
	else
		tell_format(r, SENDER, path, ATTR_DEVICE_CLASS, "0x%04x", type);
}

static void tell_state(struct reader *r, const char *path, uint8_t state)
{
	static const char *const names[] = { NULL, "self-test", "standby", "operational", "recoverable fault", "unrecoverable fault" };

	if (state < sizeof names / sizeof names[0] && names[state])
		tell_text(r, SENDER, path, ATTR_STATE, names[state]);
}

/* Takes one attribute of the identity object; false when its length can't be known or it isn't there. */
static bool take_attribute(struct reader *r, const char *path, uint16_t attribute, struct cursor *c)
{
	uint8_t major;
	uint16_t n = attribute == VENDOR || attribute == TYPE || attribute == CODE ? cursor_u16le(c) : 0;

	if (!cursor_ok(c))
		return false;
	switch (attribute) {
	case VENDOR:
		tell_vendor(r, path, n);
		break;
	case TYPE:
		tell_type(r, path, n);
		break;
	case CODE:
		tell_format(r, SENDER, path, ATTR_ORDER_CODE, "%u", n);
		break;
	case REVISION:
		major = cursor_u8(c);
		if (cursor_left(c))
			tell_format(r, SENDER, path, ATTR_FIRMWARE, "%u.%02u", major, cursor_peek(c, 0));
		cursor_skip(c, 1);
		break;
	case STATUS:
		cursor_skip(c, 2);
		break;
	case SERIAL:
		if (cursor_left(c) >= 4)
			tell_format(r, SENDER, path, ATTR_SERIAL, "0x%08x", cursor_u32le(c));
		else
			cursor_fail(c);
		break;
	case NAME:
		tell(r, SENDER, path, ATTR_PRODUCT, cursor_take(c, cursor_u8(c)));
		break;
	case STATE:
		if (cursor_left(c))
			tell_state(r, path, cursor_peek(c, 0));
		cursor_skip(c, 1);
		break;
	default:
		return false;
	}
	return cursor_ok(c);
}

/* Vendor to name as they stand in Get_Attributes_All and in ListIdentity. */
static bool whole_identity(struct cursor c)
{
	cursor_skip(&c, 14);
	cursor_skip(&c, cursor_u8(&c));
	return cursor_ok(&c);
}

static void tell_identity(struct reader *r, const char *path, struct cursor *c)
{
	for (uint16_t a = VENDOR; a <= NAME; a++)
		if (!take_attribute(r, path, a, c))
			return;
}

static const char *slot_path(char path[FINDING_PATH_BYTES], const struct reader *r, uint8_t slot)
{
	path[0] = 0;
	if (slot != SLOT_NONE)
		snprintf(path, FINDING_PATH_BYTES, "enip/%u/slot:%u", r->sender_port, slot);
	return path;
}

/* Get_Attribute_List answers: count, then {attribute, status, value if the status is 0}. */
static void tell_list(struct reader *r, const char *path, struct cursor c)
{
	uint16_t count = cursor_u16le(&c);

	while (count-- && cursor_left(&c)) {
		uint16_t attribute = cursor_u16le(&c), status = cursor_u16le(&c);

		if (status == 0 && !take_attribute(r, path, attribute, &c))
			return;
	}
}

static void tell_answer(struct reader *r, uint8_t slot, uint8_t asked, struct cursor c)
{
	char path[FINDING_PATH_BYTES];
	uint8_t m[6];

	slot_path(path, r, slot);
	if (asked == ASKED_ALL) {
		if (whole_identity(c))
			tell_identity(r, path, &c);
	} else if (asked == ASKED_LIST) {
		tell_list(r, path, c);
	} else if (asked == ASKED_HOSTNAME) {
		tell(r, SENDER, path, ATTR_HOSTNAME, cursor_take(&c, cursor_u16le(&c)));
	} else if (asked == ASKED_MAC) {
		if (cursor_copy(&c, m, sizeof m))
			tell_format(r, SENDER, path, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	} else {
		take_attribute(r, path, asked, &c);
	}
}

/* ---- paths */

/* A port segment: a port number and the address behind it. One hop over a backplane is a slot. */
static void read_port(struct cursor *c, uint8_t segment, struct path *p)
{
	uint8_t port = segment & 15, length = segment & 16 ? cursor_u8(c) : 0, link = 0;

	if (port == 15)
		cursor_skip(c, 2);
	if (segment & 16)
		cursor_skip(c, length + (length & 1u));
	else
		link = cursor_u8(c);
	p->slot = p->slot == SLOT_NONE && port == 1 && !(segment & 16) && link < SLOT_UNKNOWN ? link : SLOT_UNKNOWN;
}

static uint32_t read_logical(struct cursor *c, uint8_t segment)
{
	switch (segment & 3) {
	case 0:
		return cursor_u8(c);
	case 1:
		cursor_skip(c, 1);
		return cursor_u16le(c);
	case 2:
		cursor_skip(c, 1);
		return cursor_u32le(c);
	default:
		cursor_fail(c);
		return 0;
	}
}

static void read_segment(struct cursor *c, struct path *p)
{
	uint8_t segment = cursor_u8(c);

	if (segment >> 5 == 0) {
		read_port(c, segment, p);
	} else if (segment == 0x34) { /* electronic key: what the client wants to find */
		cursor_skip(c, 9);
	} else if (segment >> 5 == 1 && (segment >> 2 & 7) == 0) {
		p->class = (uint16_t)read_logical(c, segment);
	} else if (segment >> 5 == 1 && (segment >> 2 & 7) == 1) {
		p->instance = read_logical(c, segment);
	} else if (segment >> 5 == 1 && (segment >> 2 & 7) == 4) {
		p->attribute = (uint16_t)read_logical(c, segment);
	} else if (segment >> 5 == 1) {
		(void)read_logical(c, segment);
	} else { /* symbols and data: no object that is of interest here */
		(void)cursor_rest(c);
	}
}

static struct path read_path(struct cursor c)
{
	struct path p = { .slot = SLOT_NONE };

	while (cursor_left(&c))
		read_segment(&c, &p);
	p.good = cursor_ok(&c);
	return p;
}

/* ---- questions */

static uint8_t asked_of(uint8_t service, const struct path *p)
{
	if (!p->good || p->instance != 1)
		return ASKED_NOTHING;
	if (p->class == CLASS_IDENTITY && service == GET_ALL)
		return ASKED_ALL;
	if (p->class == CLASS_IDENTITY && service == GET_LIST)
		return ASKED_LIST;
	if (service != GET_SINGLE)
		return ASKED_NOTHING;
	if (p->class == CLASS_IDENTITY && p->attribute >= VENDOR && p->attribute <= STATE)
		return (uint8_t)p->attribute;
	if (p->class == CLASS_TCPIP && p->attribute == 6)
		return ASKED_HOSTNAME;
	if (p->class == CLASS_ETHERNET && p->attribute == 3)
		return ASKED_MAC;
	return ASKED_NOTHING;
}

static struct question *find_question(struct memo *memo, uint32_t key)
{
	for (int i = 0; i < PENDING; i++)
		if (memo->questions[i].service && memo->questions[i].key == key)
			return &memo->questions[i];
	return NULL;
}

/* Multiple service packet: count, offsets from the count on, requests. */
static void note_multiple(struct question *q, struct cursor c)
{
	struct cursor whole = c;
	uint16_t count = cursor_u16le(&c);
	uint8_t used = 0;

	for (uint16_t i = 0; i < count && i < 16 && used < ATTRIBUTES_ASKED; i++) {
		struct cursor one = whole;
		uint8_t service, asked;
		struct path p;

		cursor_skip(&one, cursor_u16le(&c));
		service = cursor_u8(&one);
		p = read_path(cursor_take(&one, 2u * cursor_u8(&one)));
		asked = cursor_ok(&one) && cursor_ok(&c) ? asked_of(service, &p) : ASKED_NOTHING;
		if (asked == ASKED_NOTHING)
			continue;
		q->where |= (uint16_t)(1 << i);
		q->asked[used++] = asked;
	}
}

static void note_connection(struct memo *memo, struct cursor c, bool large)
{
	struct connection *n = &memo->connections[memo->next_connection];
	struct path p;

	cursor_skip(&c, 6);
	*n = (struct connection){ .to_client = cursor_u32le(&c) };
	cursor_skip(&c, large ? 29 : 25); /* serials, timeouts, two intervals and sets of parameters, trigger */
	p = read_path(cursor_take(&c, 2u * cursor_u8(&c)));
	n->slot = p.slot;
	if (!cursor_ok(&c) || !p.good)
		n->to_client = 0;
	memo->next_connection = (uint8_t)((memo->next_connection + 1) % CONNECTIONS);
}

static void note_request(struct memo *memo, uint32_t key, struct cursor c, uint8_t slot, int depth);

/* Unconnected send: priority, ticks, message length, message, pad, route words, 0, route. */
static void note_unconnected_send(struct memo *memo, uint32_t key, struct cursor c)
{
	struct cursor inner;
	struct path route;
	uint16_t length;

	cursor_skip(&c, 2);
	length = cursor_u16le(&c);
	inner = cursor_take(&c, length);
	cursor_skip(&c, length & 1);
	length = cursor_u8(&c);
	cursor_skip(&c, 1);
	route = read_path(cursor_take(&c, 2u * length));
	if (cursor_ok(&c) && route.good)
		note_request(memo, key, inner, route.slot, 1);
}

/* Keeps a question when its answer can tell an identity. One with the same key is over, whatever it was. */
static void note_request(struct memo *memo, uint32_t key, struct cursor c, uint8_t slot, int depth)
{
	struct question *old = find_question(memo, key), q = { .key = key, .slot = slot, .where = 1 };
	struct path p;

	if (old)
		old->service = 0;
	q.service = cursor_u8(&c);
	p = read_path(cursor_take(&c, 2u * cursor_u8(&c)));
	if (!cursor_ok(&c) || !p.good)
		return;
	if (q.service == UNCONNECTED_SEND && p.class == CLASS_MANAGER && depth == 0) {
		note_unconnected_send(memo, key, c);
		return;
	}
	if ((q.service == FORWARD_OPEN || q.service == LARGE_FORWARD_OPEN) && p.class == CLASS_MANAGER)
		note_connection(memo, c, q.service == LARGE_FORWARD_OPEN);
	if (q.service == MULTIPLE && p.class == CLASS_ROUTER) {
		q.where = 0;
		note_multiple(&q, c);
	} else {
		q.asked[0] = asked_of(q.service, &p);
	}
	if (q.asked[0] == ASKED_NOTHING || slot == SLOT_UNKNOWN)
		return;
	memo->questions[memo->next_question] = q;
	memo->next_question = (uint8_t)((memo->next_question + 1) % PENDING);
}

/* ---- answers */

/* One reply: service, reserved, status, words of more status, data. False when it is a refusal. */
static bool open_reply(struct cursor *c, uint8_t service)
{
	uint8_t code = cursor_u8(c), status;

	cursor_skip(c, 1);
	status = cursor_u8(c);
	cursor_skip(c, 2u * cursor_u8(c));
	return cursor_ok(c) && code == (service | REPLY) && status == 0;
}

static void tell_multiple(struct reader *r, const struct question *q, struct cursor c)
{
	struct cursor whole = c;
	uint16_t count = cursor_u16le(&c);
	int used = 0;

	for (uint16_t i = 0; i < count && i < 16 && used < ATTRIBUTES_ASKED; i++) {
		struct cursor one = whole;
		uint8_t asked, service;

		cursor_skip(&one, cursor_u16le(&c));
		if (!(q->where & 1 << i) || !cursor_ok(&c))
			continue;
		asked = q->asked[used++];
		service = asked == ASKED_ALL ? GET_ALL : asked == ASKED_LIST ? GET_LIST : GET_SINGLE;
		if (open_reply(&one, service))
			tell_answer(r, q->slot, asked, one);
	}
}

/* Forward open was answered: both connection ids are known now, and that the slot is there. */
static void open_connection(struct reader *r, struct memo *memo, struct cursor c)
{
	uint32_t to_server = cursor_u32le(&c), to_client = cursor_u32le(&c);
	char path[FINDING_PATH_BYTES];

	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *n = &memo->connections[i];

		if (!cursor_ok(&c) || !n->to_client || n->to_client != to_client || n->to_server)
			continue;
		n->to_server = to_server;
		if (n->slot < SLOT_UNKNOWN)
			tell_subasset(r, SENDER, slot_path(path, r, n->slot));
	}
}

static void read_reply(struct reader *r, struct memo *memo, uint32_t key, struct cursor c)
{
	struct question *q = find_question(memo, key);
	struct cursor copy = c;
	uint8_t service = cursor_u8(&copy) & (uint8_t)~REPLY;

	if (service == FORWARD_OPEN || service == LARGE_FORWARD_OPEN) {
		if (open_reply(&c, service))
			open_connection(r, memo, c);
		return;
	}
	if (!q)
		return;
	if (open_reply(&c, q->service)) {
		if (q->service == MULTIPLE)
			tell_multiple(r, q, c);
		else
			tell_answer(r, q->slot, q->asked[0], c);
	}
	q->service = 0;
}

/* ---- encapsulation */

static uint8_t connection_slot(const struct memo *memo, uint32_t to_server)
{
	for (int i = 0; i < CONNECTIONS; i++)
		if (memo->connections[i].to_server && memo->connections[i].to_server == to_server)
			return memo->connections[i].slot;
	return SLOT_NONE;
}

/* The parts of a SendRRData or SendUnitData. */
struct transfer {
	struct cursor cip;
	uint32_t connection;
	uint16_t sequence;
	bool connected;
};

/* True when the items fill the message as the specification orders them: an address, then data. */
static bool parse_transfer(struct cursor c, struct transfer *t)
{
	uint32_t interface = cursor_u32le(&c);
	uint16_t count, type;
	struct cursor address;

	cursor_skip(&c, 2);
	count = cursor_u16le(&c);
	type = cursor_u16le(&c);
	address = cursor_take(&c, cursor_u16le(&c));
	if (!cursor_ok(&c) || interface != 0 || count < 2 || count > 8 || (type != ITEM_NULL && type != ITEM_CONNECTED_ADDRESS))
		return false;
	t->connected = type == ITEM_CONNECTED_ADDRESS;
	t->connection = t->connected ? cursor_u32le(&address) : 0;
	type = cursor_u16le(&c);
	t->cip = cursor_take(&c, cursor_u16le(&c));
	if (t->connected)
		t->sequence = cursor_u16le(&t->cip);
	return cursor_ok(&c) && cursor_ok(&t->cip) && cursor_ok(&address) &&
	       type == (t->connected ? ITEM_CONNECTED : ITEM_UNCONNECTED);
}

/* Contexts are the client's free choice of eight bytes; a connection's question has a number of its own. */
static uint32_t make_key(const struct message *m, const struct transfer *t)
{
	uint64_t x = t->connected ? (uint64_t)1 << 63 | t->sequence : m->context;

	return (uint32_t)((x * 0x9e3779b97f4a7c15u) >> 32);
}

static void read_cip(struct reader *r, struct memo *memo, const struct message *m, const struct transfer *t)
{
	struct cursor first = t->cip;
	uint32_t key = make_key(m, t);

	if (cursor_u8(&first) & REPLY)
		read_reply(r, memo, key, t->cip);
	else
		note_request(memo, key, t->cip, t->connected ? connection_slot(memo, t->connection) : SLOT_NONE, 0);
}

/* A list of items; ListIdentity's holds the socket address, the identity object, and its state. */
static bool read_list(struct reader *r, const struct message *m)
{
	struct cursor c = m->data;
	uint16_t count = cursor_u16le(&c);
	bool found = count == 0;

	while (count-- && cursor_left(&c)) {
		uint16_t type = cursor_u16le(&c);
		struct cursor item = cursor_take(&c, cursor_u16le(&c));
		uint8_t ip[4];

		if (type == ITEM_SERVICES && m->command == LIST_SERVICES)
			found |= cursor_left(&item) >= 4;
		if (type != ITEM_IDENTITY || m->command != LIST_IDENTITY)
			continue;
		cursor_skip(&item, 6);
		cursor_copy(&item, ip, 4);
		cursor_skip(&item, 8);
		if (!whole_identity(item))
			continue;
		found = true;
		if (ip[0])
			tell_format(r, SENDER, NULL, ATTR_IP, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
		tell_identity(r, NULL, &item);
		(void)take_attribute(r, NULL, STATE, &item);
	}
	return found && cursor_ok(&c);
}

enum weight { WRONG, WEAK, ASKS, ANSWERS, EITHER };

/* How much the message shows by itself, and of which side it must be. */
static enum weight weigh(struct reader *r, struct memo *memo, const struct message *m)
{
	struct cursor c = m->data;
	struct transfer t;

	switch (m->command) {
	case LIST_IDENTITY:
	case LIST_SERVICES:
	case LIST_INTERFACES:
		if (cursor_left(&c) == 0)
			return m->session == 0 && m->status == 0 ? WEAK : WRONG;
		return read_list(r, m) ? ANSWERS : WRONG;
	case REGISTER:
		if (cursor_left(&c) != 4 || cursor_u16le(&c) == 0 || cursor_u16le(&c) != 0)
			return WRONG;
		return m->session || m->status ? ANSWERS : ASKS;
	case SEND_RR:
	case SEND_UNIT:
		if (cursor_left(&c) == 0 && m->status)
			return ANSWERS;
		if (!parse_transfer(c, &t))
			return WRONG;
		read_cip(r, memo, m, &t);
		return cursor_left(&t.cip) == 0 ? EITHER : cursor_peek(&t.cip, 0) & REPLY ? ANSWERS : ASKS;
	case UNREGISTER:
		return cursor_left(&c) == 0 && m->session ? WEAK : WRONG;
	default:
		return memo->mine ? EITHER : WRONG;
	}
}

static bool known_status(uint32_t status)
{
	return status <= 3 || status == 0x64 || status == 0x65 || status == 0x69 || status == 0x6a;
}

static bool known_command(uint16_t command)
{
	switch (command) {
	case NOP:
	case LIST_TARGETS:
	case LIST_SERVICES:
	case LIST_IDENTITY:
	case LIST_INTERFACES:
	case REGISTER:
	case UNREGISTER:
	case SEND_RR:
	case SEND_UNIT:
	case START_DTLS:
		return true;
	default:
		return false;
	}
}

static enum verdict take_message(struct reader *r, struct message *m)
{
	bool stream = r->transport == TRANSPORT_TCP;
	struct cursor c = r->bytes;
	uint16_t length;
	uint32_t options;

	if (cursor_left(&c) >= 2 && !known_command((uint16_t)(cursor_peek(&c, 0) | cursor_peek(&c, 1) << 8)))
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES)
		return stream ? NEED_MORE : NOT_MINE;
	m->command = cursor_u16le(&c);
	length = cursor_u16le(&c);
	m->session = cursor_u32le(&c);
	m->status = cursor_u32le(&c);
	m->context = cursor_u64le(&c);
	options = cursor_u32le(&c);
	if (!known_status(m->status) || options != 0 || length > LONGEST - HEADER_BYTES)
		return NOT_MINE;
	if (cursor_left(&c) < length)
		return stream ? NEED_MORE : NOT_MINE;
	m->data = cursor_take(&c, length);
	r->bytes = c;
	return MAYBE;
}

static void find_server(const struct reader *r, struct memo *memo, enum weight w)
{
	bool sender;

	if (r->handshake == ROLE_CLIENT || r->handshake == ROLE_SERVER)
		sender = r->handshake == ROLE_SERVER;
	else if (w == ASKS || w == ANSWERS)
		sender = w == ANSWERS;
	else if ((r->sender_port == ENIP_PORT) != (r->receiver_port == ENIP_PORT))
		sender = r->sender_port == ENIP_PORT;
	else
		return;
	memo->server = (uint8_t)(1 + (sender ? r->direction : !r->direction));
}

static enum verdict read_enip(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m;
	struct cursor start = r->bytes;
	enum verdict v = take_message(r, &m);
	enum weight w;

	if (v != MAYBE)
		return v;
	w = weigh(r, memo, &m);
	if (w == WRONG) {
		r->bytes = start;
		return NOT_MINE;
	}
	if (!memo->server)
		find_server(r, memo, w);
	/* An empty request is hardly more than zeros: the port must speak for it. */
	if (!memo->server || (w == WEAK && !memo->mine && r->receiver_port != ENIP_PORT))
		return MAYBE;
	memo->mine = true;
	r->sender_role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	return MINE;
}

const struct classifier classifier_enip = {
	.name = "enip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { ENIP_PORT },
	.max_message = LONGEST,
	.read = read_enip,
};
