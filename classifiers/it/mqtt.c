/*
 * MQTT: brokers, and the clients, edge nodes and devices that name themselves to them.
 *
 * OASIS MQTT 3.1.1 section 2 and 3, MQTT 5.0 sections 2.2.2 (properties) and 3.1; Eclipse Sparkplug 3.0
 * section 4.1 (topics); Homie 4.0.
 *
 *	+-------------+---------------------------+-------------------------------------------
 *	| type, flags | length, 7 bits a byte     | variable header | properties (5) | payload
 *	+-------------+---------------------------+-------------------------------------------
 *
 * CONNECT: 0004 "MQTT" level flags keep-alive [properties] client id [will] [user] [password]. Users
 * and passwords are not looked at.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	MQTT_PORT = 1883,
	LONGEST = 8192,
	LARGEST = 1 << 28,
	LEVEL_5 = 5,
	ENOUGH = 3,         /* packets of a conversation that was joined late, on the usual port */
};

enum type {
	CONNECT = 1, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP,
	DISCONNECT, AUTH,
};
enum { FLAG_QOS = 6 };
enum { PROPERTY_ASSIGNED_ID = 0x12, PROPERTY_REFERENCE = 0x1c, PROPERTY_USER = 0x26 };

struct memo {
	uint32_t told[4];   /* hashes of edge nodes and devices told last */
	uint8_t next;
	uint8_t server;     /* 1 + its direction, 0 unknown */
	uint8_t level;      /* 0 unknown */
	uint8_t good;
	bool connected;     /* CONNECT was seen */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct packet {
	uint8_t type, flags;
	bool whole;
	struct cursor body;
};

/* One to four bytes of seven bits. */
static uint32_t take_varint(struct cursor *c)
{
	uint32_t x = 0;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		uint8_t b = cursor_u8(c);

		x |= (uint32_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return x;
	}
	cursor_fail(c);
	return 0;
}

static struct cursor take_string(struct cursor *c)
{
	return cursor_take(c, cursor_u16be(c));
}

/* Characters that a topic may hold; what is no text is no topic. */
static bool is_topic(struct cursor c)
{
	if (cursor_left(&c) == 0)
		return false;
	while (cursor_left(&c))
		if (cursor_u8(&c) < 0x20)
			return false;
	return true;
}

/* Flags of all types but PUBLISH are fixed. */
static bool fits_flags(uint8_t type, uint8_t flags)
{
	if (type == PUBLISH)
		return (flags & FLAG_QOS) != FLAG_QOS;
	return flags == (type == PUBREL || type == SUBSCRIBE || type == UNSUBSCRIBE ? 2 : 0);
}

static bool fits_length(uint8_t type, uint32_t n)
{
	switch (type) {
	case CONNECT: return n >= 12;
	case CONNACK: return n >= 2;
	case PUBLISH: return n >= 3;
	case PUBACK:
	case PUBREC:
	case PUBREL:
	case PUBCOMP: return n >= 2;
	case SUBSCRIBE: return n >= 6;
	case SUBACK: return n >= 3;
	case UNSUBSCRIBE: return n >= 5;
	case UNSUBACK: return n >= 2;
	case PINGREQ:
	case PINGRESP: return n == 0;
	case DISCONNECT:
	case AUTH: return true;
	default: return false;
	}
}

static enum verdict take_packet(struct reader *r, struct packet *p)
{
	struct cursor c = r->bytes;
	uint8_t first = cursor_u8(&c);
	uint32_t length;

	p->type = first >> 4;
	p->flags = first & 15;
	if (!cursor_ok(&c) || p->type < CONNECT || !fits_flags(p->type, p->flags))
		return NOT_MINE;
	if (cursor_left(&c) < 1)
		return NEED_MORE;
	length = take_varint(&c);
	if (!cursor_ok(&c))
		return cursor_left(&r->bytes) < 5 ? NEED_MORE : NOT_MINE;
	if (!fits_length(p->type, length))
		return NOT_MINE;
	p->whole = cursor_left(&c) >= length;
	if (!p->whole && length <= LONGEST - 5 && !r->truncated)
		return NEED_MORE;
	p->body = cursor_take(&c, p->whole ? length : cursor_left(&c));
	r->bytes = c;
	return MAYBE;
}

/* The name and level that no other protocol begins with. */
static bool read_connect_start(struct cursor *c, uint8_t *level, uint8_t *flags)
{
	struct cursor name = take_string(c);

	*level = cursor_u8(c) & 0x7f; /* a bridge sets the top bit */
	*flags = cursor_u8(c);
	cursor_skip(c, 2);
	if (!cursor_ok(c) || *flags & 1)
		return false;
	if (cursor_left(&name) == 4)
		return cursor_starts(&name, "MQTT", 4) && (*level == 4 || *level == LEVEL_5);
	return cursor_left(&name) == 6 && cursor_starts(&name, "MQIsdp", 6) && *level == 3;
}

/* In a conversation whose start wasn't heard: is this packet's inside what its type has? */
static bool fits_inside(const struct packet *p, uint8_t *worth)
{
	struct cursor c = p->body, topic;

	*worth = 1;
	switch (p->type) {
	case PUBLISH:
		topic = take_string(&c);
		*worth = 2;
		if (p->flags & FLAG_QOS && cursor_u16be(&c) == 0)
			return false;
		return cursor_ok(&c) && is_topic(topic);
	case SUBSCRIBE:
	case UNSUBSCRIBE:
		*worth = 2;
		if (cursor_u16be(&c) == 0)
			return false;
		/* a level 5 packet has a length of properties first, mostly 0 */
		if (cursor_left(&c) >= 3 && cursor_peek(&c, 0) == 0 && cursor_peek(&c, 1) == 0)
			cursor_skip(&c, 1);
		topic = take_string(&c);
		return cursor_ok(&c) && is_topic(topic);
	case PUBACK:
	case PUBREC:
	case PUBREL:
	case PUBCOMP:
	case SUBACK:
	case UNSUBACK:
		return cursor_u16be(&c) != 0 && cursor_left(&c) <= 64;
	case CONNACK:
		return cursor_u8(&c) <= 1 && cursor_left(&p->body) <= 512;
	default:
		return cursor_left(&p->body) == 0;
	}
}

static enum verdict decide(const struct reader *r, struct memo *memo, const struct packet *p)
{
	struct cursor c = p->body;
	uint8_t level, flags, worth;

	if (p->type == CONNECT)
		return read_connect_start(&c, &level, &flags) ? MINE : NOT_MINE;
	if (!fits_inside(p, &worth))
		return NOT_MINE;
	if (p->type == CONNACK && memo->connected)
		return MINE;
	if (r->sender_port != MQTT_PORT && r->receiver_port != MQTT_PORT)
		return NOT_MINE;
	memo->good = (uint8_t)(memo->good + worth);
	return memo->good >= ENOUGH || (p->type == CONNACK && r->sender_port == MQTT_PORT) ? MINE : MAYBE;
}

static uint8_t role_of(const struct reader *r, struct memo *memo, uint8_t type)
{
	uint8_t role = ROLE_UNKNOWN;

	if (type == CONNECT || type == SUBSCRIBE || type == UNSUBSCRIBE || type == PINGREQ)
		role = ROLE_CLIENT;
	else if (type == CONNACK || type == SUBACK || type == UNSUBACK || type == PINGRESP)
		role = ROLE_SERVER;
	else if (memo->server)
		role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	if (role == ROLE_UNKNOWN)
		role = role_by_port(r, MQTT_PORT);
	if (role != ROLE_UNKNOWN)
		memo->server = (uint8_t)(1 + (role == ROLE_SERVER ? r->direction : !r->direction));
	return role;
}

/* Takes the next property of level 5; false when it is broken. */
static bool next_property(struct cursor *c, uint8_t *id, struct cursor *value)
{
	*id = cursor_u8(c);
	switch (*id) {
	case 0x01: case 0x17: case 0x19: case 0x24: case 0x25: case 0x28: case 0x29: case 0x2a:
		*value = cursor_take(c, 1);
		break;
	case 0x13: case 0x21: case 0x22: case 0x23:
		*value = cursor_take(c, 2);
		break;
	case 0x02: case 0x11: case 0x18: case 0x27:
		*value = cursor_take(c, 4);
		break;
	case 0x0b:
		take_varint(c);
		*value = cursor_take(c, 0);
		break;
	case PROPERTY_USER:
		take_string(c);
		*value = take_string(c);
		break;
	default:
		*value = take_string(c);
		break;
	}
	return cursor_ok(c);
}

static void read_connect(struct reader *r, struct memo *memo, const struct packet *p)
{
	struct cursor c = p->body;
	uint8_t flags;

	if (!read_connect_start(&c, &memo->level, &flags))
		return;
	memo->connected = true;
	if (memo->level == LEVEL_5)
		cursor_skip(&c, take_varint(&c));
	tell(r, SENDER, NULL, ATTR_NAME, take_string(&c));
}

static void read_connack(struct reader *r, const struct memo *memo, const struct packet *p)
{
	struct cursor c = p->body, properties, value;
	uint8_t id;

	cursor_skip(&c, 2);
	if (memo->level != LEVEL_5 || !cursor_left(&c))
		return;
	properties = cursor_take(&c, take_varint(&c));
	while (cursor_left(&properties) && next_property(&properties, &id, &value)) {
		if (id == PROPERTY_ASSIGNED_ID)
			tell(r, RECEIVER, NULL, ATTR_NAME, value);
		else if (id == PROPERTY_REFERENCE)
			tell(r, SENDER, NULL, ATTR_URI, value);
	}
}

static bool take_level(struct cursor *topic, struct cursor *level)
{
	ptrdiff_t n = cursor_find(topic, '/');

	if (cursor_left(topic) == 0)
		return false;
	*level = cursor_take(topic, n < 0 ? cursor_left(topic) : (size_t)n);
	if (n >= 0)
		cursor_skip(topic, 1);
	return cursor_left(level) > 0;
}

static bool is_word(struct cursor c, const char *word)
{
	return cursor_left(&c) == strlen(word) && cursor_starts(&c, word, strlen(word));
}

/* Appends a level of a topic in the characters that a path may have; false when there is no room. */
static bool append(char *path, size_t *used, struct cursor level)
{
	if (*used + cursor_left(&level) + 2 > FINDING_PATH_BYTES)
		return false;
	while (cursor_left(&level)) {
		uint8_t b = cursor_u8(&level);

		path[(*used)++] = b <= 0x20 || b > 0x7e || strchr("\"'\\/", b) ? '_' : (char)b;
	}
	path[*used] = 0;
	return true;
}

static bool told_before(struct memo *memo, const char *path)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * 16777619u;
	for (size_t i = 0; i < 4; i++)
		if (memo->told[i] == hash)
			return true;
	memo->told[memo->next] = hash;
	memo->next = (uint8_t)((memo->next + 1) % 4);
	return false;
}

/* spBv1.0/GROUP/NBIRTH/NODE and spBv1.0/GROUP/DBIRTH/NODE/DEVICE: an edge node and what is behind it. */
static void read_sparkplug(struct reader *r, struct memo *memo, struct cursor topic)
{
	struct cursor group, kind, node, device;
	char path[FINDING_PATH_BYTES];
	size_t used;

	if (!take_level(&topic, &group) || !take_level(&topic, &kind) || !take_level(&topic, &node) || cursor_left(&kind) < 5)
		return;
	used = (size_t)snprintf(path, sizeof path, "mqtt/%u/edge:", r->receiver_port);
	if (!append(path, &used, group))
		return;
	path[used++] = '.';
	if (!append(path, &used, node))
		return;
	if (!told_before(memo, path)) {
		tell_subasset(r, SENDER, path);
		tell_text(r, SENDER, NULL, ATTR_ROLE, "edge node");
		tell(r, SENDER, path, ATTR_NAME, node);
	}
	if (!take_level(&topic, &device) || used + 9 >= sizeof path)
		return;
	memcpy(path + used, "/device:", 9);
	used += 8;
	if (append(path, &used, device) && !told_before(memo, path)) {
		tell_subasset(r, SENDER, path);
		tell(r, SENDER, path, ATTR_NAME, device);
	}
}

/* homie/ID/$name and $fw/version: what a device states of itself. */
static void read_homie(struct reader *r, struct cursor topic, struct cursor payload)
{
	struct cursor id;

	if (!take_level(&topic, &id))
		return;
	if (is_word(topic, "$name"))
		tell(r, SENDER, NULL, ATTR_NAME, payload);
	else if (is_word(topic, "$fw/version"))
		tell(r, SENDER, NULL, ATTR_FIRMWARE, payload);
	else if (is_word(topic, "$implementation"))
		tell(r, SENDER, NULL, ATTR_PRODUCT, payload);
	else if (is_word(topic, "$mac"))
		tell(r, SENDER, NULL, ATTR_MAC, payload);
}

static void read_publish(struct reader *r, struct memo *memo, const struct packet *p)
{
	struct cursor c = p->body, topic = take_string(&c), first, rest = topic;

	if (p->flags & FLAG_QOS)
		cursor_skip(&c, 2);
	if (memo->level == LEVEL_5)
		cursor_skip(&c, take_varint(&c));
	if (!cursor_ok(&c) || !take_level(&rest, &first))
		return;
	if (r->sender_role == ROLE_SERVER) {
		/* What a broker says is of others, but for what it states of itself. */
		if (is_word(topic, "$SYS/broker/version") && p->whole)
			tell(r, SENDER, NULL, ATTR_SOFTWARE, c);
	} else if (is_word(first, "spBv1.0")) {
		read_sparkplug(r, memo, rest);
	} else if (is_word(first, "homie") && p->whole) {
		read_homie(r, rest, c);
	}
}

static enum verdict read_mqtt(struct reader *r)
{
	struct memo *memo = r->memo;
	struct packet p = { 0 };
	enum verdict v = take_packet(r, &p);

	if (v != MAYBE)
		return v;
	if (!memo->mine) {
		v = decide(r, memo, &p);
		if (v != MINE)
			return v;
		memo->mine = true;
	}
	r->sender_role = role_or_guess(r, role_of(r, memo, p.type));
	if (p.type == CONNECT)
		read_connect(r, memo, &p);
	else if (p.type == CONNACK)
		read_connack(r, memo, &p);
	else if (p.type == PUBLISH)
		read_publish(r, memo, &p);
	return MINE;
}

static void forget_mqtt(void *flow)
{
	struct memo *memo = flow;

	memset(memo->told, 0, sizeof memo->told);
}

const struct classifier classifier_mqtt = {
	.name = "mqtt",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { MQTT_PORT },
	.max_message = LONGEST,
	.read = read_mqtt,
	.forget = forget_mqtt,
};
