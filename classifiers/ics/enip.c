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
#include "classifiers/api/compose.h"
#include "classifiers/ics/cip_activity.h"
#include "classifiers/ics/cip_identity.h"
#include "classifiers/ics/cip_path.h"

enum {
	ENIP_PORT = 44818,
	HEADER_BYTES = 24,
	LONGEST = 8192,
	PENDING = 3,
	CONNECTIONS = 2,
	ATTRIBUTES_ASKED = 4,
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

enum class { CLASS_IDENTITY = 1, CLASS_ROUTER = 2, CLASS_MANAGER = 6, CLASS_PROGRAM = CIP_PROGRAM_NAME, CLASS_TCPIP = 0xf5, CLASS_ETHERNET = 0xf6 };

/* What was asked of an object; identity attributes are their own numbers. */
enum asked { ASKED_NOTHING = 0, ASKED_HOSTNAME = 0x40, ASKED_MAC, ASKED_PROGRAM, ASKED_ALL = 0x80, ASKED_LIST };

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

static const char *slot_path(char path[FINDING_PATH_BYTES], const struct reader *r, uint8_t slot)
{
	struct composed t = compose_in(path, FINDING_PATH_BYTES);

	if (slot == SLOT_NONE)
		return path;
	compose_text(&t, "enip/");
	compose_number(&t, r->sender_port);
	if (slot == SLOT_UNHEARD) {
		compose_text(&t, "/route:unknown");
	} else {
		compose_text(&t, "/slot:");
		compose_number(&t, slot);
	}
	return path;
}

static void tell_answer(struct reader *r, uint8_t slot, uint8_t asked, struct cursor c)
{
	char path[FINDING_PATH_BYTES];
	uint8_t m[6];

	if (slot_path(path, r, slot)[0])
		tell_subasset(r, SENDER, path);
	if (asked == ASKED_ALL) {
		if (cip_identity_is_whole(c))
			cip_tell_identity(r, path, &c);
	} else if (asked == ASKED_LIST) {
		cip_tell_list(r, path, c);
	} else if (asked == ASKED_HOSTNAME || asked == ASKED_PROGRAM) {
		tell(r, SENDER, path, asked == ASKED_PROGRAM ? ATTR_NAME : ATTR_HOSTNAME, cursor_take(&c, cursor_u16le(&c)));
	} else if (asked == ASKED_MAC) {
		if (cursor_copy(&c, m, sizeof m))
			tell_format(r, SENDER, path, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	} else {
		cip_take_attribute(r, path, asked, &c);
	}
}

/* ---- questions */

static uint8_t asked_of(uint8_t service, const struct cip_path *p)
{
	if (!p->good || p->instance != 1)
		return ASKED_NOTHING;
	if (p->class == CLASS_IDENTITY && service == GET_ALL)
		return ASKED_ALL;
	if (p->class == CLASS_IDENTITY && service == GET_LIST)
		return ASKED_LIST;
	if (p->class == CLASS_PROGRAM && service == GET_ALL)
		return ASKED_PROGRAM;
	if (service != GET_SINGLE)
		return ASKED_NOTHING;
	if (p->class == CLASS_IDENTITY && p->attribute >= CIP_VENDOR && p->attribute <= CIP_STATE)
		return (uint8_t)p->attribute;
	if (p->class == CLASS_TCPIP && p->attribute == 6)
		return ASKED_HOSTNAME;
	if (p->class == CLASS_ETHERNET && p->attribute == 3)
		return ASKED_MAC;
	return ASKED_NOTHING;
}

/* Its number, or -1. */
static int find_question(const struct memo *memo, uint32_t key)
{
	for (int i = 0; i < PENDING; i++)
		if (memo->questions[i].service && memo->questions[i].key == key)
			return i;
	return -1;
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
		struct cip_path p;

		cursor_skip(&one, cursor_u16le(&c));
		service = cursor_u8(&one);
		p = cip_read_path(cursor_take(&one, 2u * cursor_u8(&one)));
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
	struct cip_path p;

	cursor_skip(&c, 6);
	*n = (struct connection){ .to_client = cursor_u32le(&c) };
	cursor_skip(&c, large ? 29 : 25); /* serials, timeouts, two intervals and sets of parameters, trigger */
	p = cip_read_path(cursor_take(&c, 2u * cursor_u8(&c)));
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
	struct cip_path route;
	uint16_t length;

	cursor_skip(&c, 2);
	length = cursor_u16le(&c);
	inner = cursor_take(&c, length);
	cursor_skip(&c, length & 1);
	length = cursor_u8(&c);
	cursor_skip(&c, 1);
	route = cip_read_path(cursor_take(&c, 2u * length));
	if (cursor_ok(&c) && route.good)
		note_request(memo, key, inner, route.slot, 1);
}

/* Keeps a question when its answer can tell an identity. One with the same key is over, whatever it was. */
static void note_request(struct memo *memo, uint32_t key, struct cursor c, uint8_t slot, int depth)
{
	struct question q = { .key = key, .slot = slot, .where = 1 };
	int old = find_question(memo, key);
	struct cip_path p;

	if (old >= 0)
		memo->questions[old].service = 0;
	q.service = cursor_u8(&c);
	p = cip_read_path(cursor_take(&c, 2u * cursor_u8(&c)));
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
	if (q.asked[0] == ASKED_NOTHING || slot == SLOT_FAR)
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
		service = asked == ASKED_ALL || asked == ASKED_PROGRAM ? GET_ALL : asked == ASKED_LIST ? GET_LIST : GET_SINGLE;
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
		if (n->slot < SLOT_UNHEARD)
			tell_subasset(r, SENDER, slot_path(path, r, n->slot));
	}
}

static void read_reply(struct reader *r, struct memo *memo, uint32_t key, struct cursor c)
{
	int number = find_question(memo, key);
	struct question *q = number >= 0 ? &memo->questions[number] : NULL;
	struct cursor copy = c;
	uint8_t service = cursor_u8(&copy) & (uint8_t)~REPLY;

	if (service == FORWARD_OPEN || service == LARGE_FORWARD_OPEN) {
		if (open_reply(&c, service))
			open_connection(r, memo, c);
		return;
	}
	if (!q) {
		if (service == GET_ALL && open_reply(&c, service) && cip_is_only_identity(c))
			tell_answer(r, SLOT_UNHEARD, ASKED_ALL, c);
		return;
	}
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
	return SLOT_UNHEARD;
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
	struct cursor head = cursor_take(&c, 12), address;
	uint32_t interface = cursor_u32le(&head);
	uint16_t count, type;

	cursor_skip(&head, 2);
	count = cursor_u16le(&head);
	type = cursor_u16le(&head);
	address = cursor_take(&c, cursor_u16le(&head));
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

	if (cursor_u8(&first) & REPLY) {
		cip_tell_error(r, t->cip);
		read_reply(r, memo, key, t->cip);
		return;
	}
	cip_tell_activities(r, t->cip);
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
		if (!cip_identity_is_whole(item))
			continue;
		found = true;
		if (ip[0])
			tell_format(r, SENDER, NULL, ATTR_IP, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
		cip_tell_identity(r, NULL, &item);
		(void)cip_take_attribute(r, NULL, CIP_STATE, &item);
	}
	return found && cursor_ok(&c);
}

enum weight { WRONG, NOTHING, WEAK, ASKS, ANSWERS, EITHER };

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
			return memo->mine || (m->session == 0 && m->status == 0) ? WEAK : WRONG;
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
		return memo->mine ? EITHER : r->sender_port == ENIP_PORT || r->receiver_port == ENIP_PORT ? NOTHING : WRONG;
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

static inline enum verdict take_message(struct cursor *bytes, bool stream, struct message *m)
{
	struct cursor c = *bytes, header;
	uint16_t length;
	uint32_t options;

	if (cursor_left(&c) >= 2 && !known_command((uint16_t)(cursor_peek(&c, 0) | cursor_peek(&c, 1) << 8)))
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES)
		return stream ? NEED_MORE : NOT_MINE;
	header = cursor_take(&c, HEADER_BYTES);
	m->command = cursor_u16le(&header);
	length = cursor_u16le(&header);
	m->session = cursor_u32le(&header);
	m->status = cursor_u32le(&header);
	m->context = cursor_u64le(&header);
	options = cursor_u32le(&header);
	if (!known_status(m->status) || options != 0 || length > LONGEST - HEADER_BYTES)
		return NOT_MINE;
	if (cursor_left(&c) < length)
		return stream ? NEED_MORE : NOT_MINE;
	m->data = cursor_take(&c, length);
	*bytes = c;
	return MAYBE;
}

static void find_server(const struct reader *r, struct memo *memo, enum weight w)
{
	bool sender;

	if (r->handshake == ROLE_CLIENT || r->handshake == ROLE_SERVER)
		sender = r->handshake == ROLE_SERVER;
	else if ((r->sender_port == ENIP_PORT) != (r->receiver_port == ENIP_PORT))
		sender = r->sender_port == ENIP_PORT;
	else if (w == ASKS || w == ANSWERS)
		sender = w == ANSWERS;
	else
		return;
	memo->server = (uint8_t)(1 + (sender ? r->direction : !r->direction));
}

static enum verdict read_enip(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m;
	struct cursor start = r->bytes;
	enum verdict v = take_message(&r->bytes, r->transport == TRANSPORT_TCP, &m);
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
	if (w == NOTHING || !memo->server || (w == WEAK && !memo->mine && r->receiver_port != ENIP_PORT))
		return MAYBE;
	memo->mine = true;
	r->sender_role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	return MINE;
}

/* A good answer to none of our questions, or a request for objects that are nothing but process data. */
static bool glance_enip(struct glance *g, void *flow)
{
	const struct memo *memo = flow;
	struct cursor status;
	struct transfer t;
	struct message m;
	uint8_t service;

	if (!memo->server || take_message(&g->bytes, g->transport == TRANSPORT_TCP, &m) != MAYBE || m.status)
		return false;
	if ((m.command != SEND_RR && m.command != SEND_UNIT) || !parse_transfer(m.data, &t) || find_question(memo, make_key(&m, &t)) >= 0)
		return false;
	status = t.cip;
	service = cursor_u8(&status);
	if (!cursor_ok(&status))
		return false;
	if (!(service & REPLY))
		return cip_glance_request(t.cip, &g->signs);
	service &= (uint8_t)~REPLY;
	cursor_skip(&status, 1);
	return service != FORWARD_OPEN && service != LARGE_FORWARD_OPEN && service != GET_ALL && cursor_u8(&status) == 0 && cursor_ok(&status);
}

const struct classifier classifier_enip = {
	.name = "enip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { ENIP_PORT },
	.max_message = LONGEST,
	.read = read_enip,
	.glance = glance_enip,
};
