/*
 * KNXnet/IP: interfaces and routers of a KNX installation, and the bus devices heard through them.
 *
 * KNX Standard 03_08 (EN 50090, ISO 22510): 03_08_02 Core (7.5 description blocks, 7.6 services),
 * 03_08_04 Tunnelling, 03_08_05 Routing; cEMI is 03_06_03.
 *
 *	 0    1    2         4              6
 *	+----+----+---------+--------------+----------------------------------------------------
 *	| 06 | 10 | service | total length | HPAI {08, protocol, ip, port} | {length, type, ..} ..
 *	+----+----+---------+--------------+----------------------------------------------------
 *
 * A routing indication holds a cEMI frame at once, tunnelling and device management a connection
 * header of four bytes before it. Numbers are big-endian.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	KNX_PORT = 3671,
	HEADER_BYTES = 6,
	LONGEST = 2048,
	HPAI_BYTES = 8,
	SEEN = 12,
};

enum service {
	SEARCH_REQUEST = 0x0201, SEARCH_RESPONSE, DESCRIPTION_REQUEST, DESCRIPTION_RESPONSE, CONNECT_REQUEST,
	CONNECT_RESPONSE, STATE_REQUEST, STATE_RESPONSE, DISCONNECT_REQUEST, DISCONNECT_RESPONSE,
	SEARCH_EXTENDED_REQUEST, SEARCH_EXTENDED_RESPONSE,
	CONFIGURATION_REQUEST = 0x0310, CONFIGURATION_ACK,
	TUNNELLING_REQUEST = 0x0420, TUNNELLING_ACK, FEATURE_GET, FEATURE_RESPONSE, FEATURE_SET, FEATURE_INFO,
	ROUTING_INDICATION = 0x0530, ROUTING_LOST, ROUTING_BUSY, ROUTING_SYSTEM,
	RESET_REQUEST = 0x0743, RESET_RESPONSE,
	SECURE_WRAPPER = 0x0950, SESSION_REQUEST, SESSION_RESPONSE, SESSION_AUTHENTICATE, SESSION_STATUS, TIMER_NOTIFY,
};

enum block {
	BLOCK_DEVICE = 1, BLOCK_FAMILIES = 2, BLOCK_IP_CONFIG = 3, BLOCK_IP_CURRENT = 4, BLOCK_ADDRESSES = 5,
	BLOCK_TUNNELS = 7, BLOCK_EXTENDED = 8, BLOCK_MAKER = 0xfe,
};

enum { CEMI_REQUEST = 0x11, CEMI_INDICATION = 0x29, CEMI_CONFIRM = 0x2e, FIRST_PROPERTY_CODE = 0xf0 };
enum { CODE_MASK = 0x3ff, DESCRIPTOR_MASK = 0x3c0, DESCRIPTOR_RESPONSE = 0x340, PROPERTY_RESPONSE = 0x3d6 };
enum { PROPERTY_SERIAL = 11, PROPERTY_MAKER = 12, PROPERTY_ORDER = 15 };

struct memo {
	uint8_t server;       /* 1 + its direction, 0 unknown */
	uint8_t next;
	uint16_t seen[SEEN];  /* bus devices told last */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint16_t service;
	struct cursor body;
};

static const char *maker_name(uint16_t id)
{
	static const struct {
		uint16_t id;
		const char *name;
	} makers[] = {
		{ 1, "Siemens" }, { 2, "ABB" }, { 4, "Albrecht Jung" }, { 5, "Bticino" }, { 6, "Berker" }, { 7, "Busch-Jaeger Elektro" },
		{ 8, "GIRA Giersiepen" }, { 9, "Hager Electro" }, { 10, "Insta" }, { 11, "Legrand" }, { 12, "Merten" },
		{ 22, "Siedle" }, { 25, "Gewiss" }, { 29, "ABB Schweiz" }, { 30, "Feller" }, { 45, "Eaton" },
		{ 57, "Phoenix Contact" }, { 61, "WAGO" }, { 71, "Tehalit" }, { 72, "Theben" }, { 76, "Bosch" }, { 78, "Somfy" },
		{ 81, "Viessmann" }, { 83, "Vaillant" }, { 100, "Schneider Electric" }, { 108, "Eelectron" }, { 113, "Zennio" },
		{ 114, "Tapko" }, { 119, "HMS Intesis" }, { 124, "ise" }, { 131, "MDT" }, { 141, "Crestron" }, { 165, "MBS" },
		{ 166, "Enertex" }, { 175, "Lutron" }, { 181, "Loytec" }, { 197, "Weinzierl" }, { 200, "B.E.G." }, { 201, "Elsner" },
		{ 219, "Danfoss" }, { 227, "Sauter" }, { 249, "Schneider Electric" }, { 253, "Siemens" }, { 346, "Belimo" },
	};

	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
		if (makers[i].id == id)
			return makers[i].name;
	return NULL;
}

/* Does an endpoint {08, UDP or TCP, ip, port} begin here? One in TCP has no address. */
static bool is_hpai(struct cursor *c)
{
	uint8_t length = cursor_u8(c), protocol = cursor_u8(c);

	cursor_skip(c, HPAI_BYTES - 2);
	return cursor_ok(c) && length == HPAI_BYTES && (protocol == 1 || protocol == 2);
}

/* Do blocks {length, type} fill what is left to the byte? */
static bool are_blocks(struct cursor c)
{
	while (cursor_left(&c)) {
		uint8_t length = cursor_u8(&c);

		if (length < 2)
			return false;
		cursor_skip(&c, length - 1u);
	}
	return cursor_ok(&c);
}

static bool is_cemi(struct cursor c)
{
	uint8_t code = cursor_u8(&c), length;

	if (code >= FIRST_PROPERTY_CODE)
		return cursor_left(&c) >= 4;
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 6);
	length = cursor_u8(&c);
	return (code == CEMI_REQUEST || code == CEMI_INDICATION || code == CEMI_CONFIRM) && cursor_ok(&c) &&
	       cursor_left(&c) == length + 1u;
}

/* Connection header {04, channel, sequence, reserved or status}. */
static bool is_connected(struct cursor *c)
{
	uint8_t length = cursor_u8(c);

	cursor_skip(c, 3);
	return length == 4 && cursor_ok(c);
}

static bool fits_core(uint16_t service, struct cursor c)
{
	switch (service) {
	case SEARCH_REQUEST:
	case DESCRIPTION_REQUEST:
		return is_hpai(&c) && cursor_left(&c) == 0;
	case SEARCH_EXTENDED_REQUEST:
	case SEARCH_RESPONSE:
	case SEARCH_EXTENDED_RESPONSE:
		return is_hpai(&c) && are_blocks(c);
	case DESCRIPTION_RESPONSE:
		return cursor_left(&c) >= 4 && are_blocks(c);
	case CONNECT_REQUEST:
		return is_hpai(&c) && is_hpai(&c) && cursor_left(&c) >= 2 && are_blocks(c);
	case CONNECT_RESPONSE:
		cursor_skip(&c, 2);
		return cursor_ok(&c) && (cursor_left(&c) == 0 || (is_hpai(&c) && are_blocks(c)));
	case STATE_REQUEST:
	case DISCONNECT_REQUEST:
		cursor_skip(&c, 2);
		return is_hpai(&c) && cursor_left(&c) == 0;
	default:
		return cursor_left(&c) == 2;
	}
}

/* Is the body what that service has? */
static bool fits_service(uint16_t service, struct cursor c)
{
	switch (service) {
	case CONFIGURATION_REQUEST:
	case TUNNELLING_REQUEST:
		return is_connected(&c) && is_cemi(c);
	case CONFIGURATION_ACK:
	case TUNNELLING_ACK:
		return is_connected(&c) && cursor_left(&c) == 0;
	case FEATURE_GET:
	case FEATURE_RESPONSE:
	case FEATURE_SET:
	case FEATURE_INFO:
		return is_connected(&c) && cursor_left(&c) >= 2;
	case ROUTING_INDICATION:
		return is_cemi(c);
	case ROUTING_LOST:
		return cursor_left(&c) == 4 && cursor_u8(&c) == 4;
	case ROUTING_BUSY:
		return cursor_left(&c) == 6 && cursor_u8(&c) == 6;
	case ROUTING_SYSTEM:
	case RESET_REQUEST:
	case RESET_RESPONSE:
		return cursor_left(&c) >= 2;
	case SECURE_WRAPPER:
		return cursor_left(&c) >= 2 + 6 + 6 + 2 + HEADER_BYTES + 16;
	case SESSION_REQUEST:
		return is_hpai(&c) && cursor_left(&c) == 32;
	case SESSION_RESPONSE:
		return cursor_left(&c) == 2 + 32 + 16;
	case SESSION_AUTHENTICATE:
		return cursor_left(&c) == 2 + 16;
	case SESSION_STATUS:
		return cursor_left(&c) == 2;
	case TIMER_NOTIFY:
		return cursor_left(&c) == 6 + 6 + 2 + 16;
	default:
		return service >= SEARCH_REQUEST && service <= SEARCH_EXTENDED_RESPONSE && fits_core(service, c);
	}
}

static enum verdict take_message(struct reader *r, struct message *m)
{
	static const uint8_t start[] = { 0x06, 0x10 };
	struct cursor c = r->bytes;
	bool stream = r->transport == TRANSPORT_TCP;
	uint16_t total;

	if (cursor_left(&c) < HEADER_BYTES)
		return stream && cursor_starts(&c, start, cursor_left(&c) < 2 ? cursor_left(&c) : 2) ? NEED_MORE : NOT_MINE;
	if (!cursor_starts(&c, start, sizeof start))
		return NOT_MINE;
	cursor_skip(&c, 2);
	m->service = cursor_u16be(&c);
	total = cursor_u16be(&c);
	if (total < HEADER_BYTES || total > LONGEST || m->service < SEARCH_REQUEST || m->service > TIMER_NOTIFY)
		return NOT_MINE;
	if (cursor_left(&c) < total - (unsigned)HEADER_BYTES)
		return stream && !r->truncated ? NEED_MORE : NOT_MINE;
	m->body = cursor_take(&c, total - (unsigned)HEADER_BYTES);
	if (!fits_service(m->service, m->body) || (!stream && cursor_left(&c)))
		return NOT_MINE;
	r->bytes = c;
	return MINE;
}

/* What the service says of its sender; both ends send tunnelling requests and disconnect. */
static uint8_t service_role(uint16_t service)
{
	switch (service) {
	case SEARCH_REQUEST:
	case SEARCH_EXTENDED_REQUEST:
	case DESCRIPTION_REQUEST:
	case CONNECT_REQUEST:
	case STATE_REQUEST:
	case FEATURE_GET:
	case FEATURE_SET:
	case SESSION_REQUEST:
	case SESSION_AUTHENTICATE:
		return ROLE_CLIENT;
	case SEARCH_RESPONSE:
	case SEARCH_EXTENDED_RESPONSE:
	case DESCRIPTION_RESPONSE:
	case CONNECT_RESPONSE:
	case STATE_RESPONSE:
	case FEATURE_RESPONSE:
	case FEATURE_INFO:
	case SESSION_RESPONSE:
		return ROLE_SERVER;
	case ROUTING_INDICATION:
	case ROUTING_LOST:
	case ROUTING_BUSY:
	case ROUTING_SYSTEM:
	case TIMER_NOTIFY:
		return ROLE_PEER;
	default:
		return ROLE_UNKNOWN;
	}
}

static uint8_t find_role(const struct reader *r, struct memo *memo, uint16_t service)
{
	uint8_t role = service_role(service);

	if (role == ROLE_UNKNOWN && memo->server)
		role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	if (role == ROLE_UNKNOWN)
		role = role_by_port(r, KNX_PORT);
	if (role == ROLE_SERVER || role == ROLE_CLIENT)
		memo->server = (uint8_t)(1 + (role == ROLE_SERVER ? r->direction : !r->direction));
	return role;
}

static void format_address(char to[16], uint16_t a)
{
	snprintf(to, 16, "%u.%u.%u", a >> 12, a >> 8 & 15, a & 0xff);
}

static void tell_ip(struct reader *r, enum attribute a, struct cursor *c)
{
	uint8_t b[4];

	if (cursor_copy(c, b, sizeof b) && (b[0] | b[1] | b[2] | b[3]))
		tell_format(r, SENDER, NULL, a, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

static void tell_serial(struct reader *r, const char *path, struct cursor c)
{
	uint16_t maker = cursor_u16be(&c);
	uint32_t number = cursor_u32be(&c);

	if (!cursor_ok(&c) || (maker == 0 && number == 0))
		return;
	tell_format(r, SENDER, path, ATTR_SERIAL, "%04x:%08x", maker, number);
	tell_format(r, SENDER, path, ATTR_VENDOR_ID, "%u", maker);
	if (maker_name(maker))
		tell_text(r, SENDER, path, ATTR_VENDOR, maker_name(maker));
}

static void read_device(struct reader *r, struct cursor c)
{
	struct cursor serial, name;
	uint16_t address;
	char text[16];
	uint8_t mac[6];

	cursor_skip(&c, 2);
	address = cursor_u16be(&c);
	cursor_skip(&c, 2);
	serial = cursor_take(&c, 6);
	cursor_skip(&c, 4);
	cursor_copy(&c, mac, sizeof mac);
	name = cursor_take(&c, 30);
	if (!cursor_ok(&c))
		return;
	format_address(text, address);
	tell_text(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, text);
	tell_serial(r, NULL, serial);
	tell(r, SENDER, NULL, ATTR_NAME, name);
	if (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5])
		tell_format(r, SENDER, NULL, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* A family that a device offers shows what it is for: routing makes it a router, else it is an interface. */
static void read_families(struct reader *r, struct cursor c)
{
	bool tunnels = false, routes = false;

	while (cursor_left(&c) >= 2) {
		uint8_t family = cursor_u8(&c);

		cursor_skip(&c, 1);
		tunnels |= family == 4;
		routes |= family == 5;
	}
	if (routes || tunnels)
		tell_text(r, SENDER, NULL, ATTR_ROLE, routes ? "router" : "gateway");
}

static void read_addresses(struct reader *r, struct cursor c, size_t skip_bytes)
{
	char text[16];

	while (cursor_left(&c) >= 2) {
		format_address(text, cursor_u16be(&c));
		cursor_skip(&c, skip_bytes);
		tell_text(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, text);
	}
}

static void read_block(struct reader *r, uint8_t type, struct cursor c)
{
	switch (type) {
	case BLOCK_DEVICE:
		read_device(r, c);
		break;
	case BLOCK_FAMILIES:
		read_families(r, c);
		break;
	case BLOCK_IP_CONFIG:
	case BLOCK_IP_CURRENT:
		tell_ip(r, ATTR_IP, &c);
		tell_ip(r, ATTR_NETMASK, &c);
		tell_ip(r, ATTR_GATEWAY, &c);
		break;
	case BLOCK_ADDRESSES:
		read_addresses(r, c, 0);
		break;
	case BLOCK_TUNNELS:
		cursor_skip(&c, 2);
		read_addresses(r, c, 2);
		break;
	case BLOCK_MAKER:
		if (cursor_left(&c) >= 2)
			tell_format(r, SENDER, NULL, ATTR_VENDOR_ID, "%u", cursor_u16be(&c));
		break;
	case BLOCK_EXTENDED:
		cursor_skip(&c, 4);
		if (cursor_left(&c) >= 2)
			tell_format(r, SENDER, NULL, ATTR_DEVICE_ID, "0x%04x", cursor_u16be(&c));
		break;
	default:
		break;
	}
}

static void read_blocks(struct reader *r, struct cursor c)
{
	while (cursor_left(&c) >= 2) {
		uint8_t length = cursor_u8(&c), type = cursor_u8(&c);

		read_block(r, type, cursor_take(&c, length - 2u));
	}
}

static bool seen_before(struct memo *memo, uint16_t address)
{
	for (unsigned i = 0; i < SEEN; i++)
		if (memo->seen[i] == address)
			return true;
	memo->seen[memo->next] = address;
	memo->next = (uint8_t)((memo->next + 1) % SEEN);
	return false;
}

/* Answers that a device on the bus gives to whoever commissions it: device descriptor, serial, maker, order. */
static void read_bus_answer(struct reader *r, const char *path, struct cursor c)
{
	uint16_t code = cursor_u16be(&c) & CODE_MASK;
	uint8_t object, property;

	if ((code & DESCRIPTOR_MASK) == DESCRIPTOR_RESPONSE && cursor_left(&c) == 2) {
		tell_format(r, SENDER, path, ATTR_DEVICE_ID, "0x%04x", cursor_u16be(&c));
		return;
	}
	if (code != PROPERTY_RESPONSE)
		return;
	object = cursor_u8(&c);
	property = cursor_u8(&c);
	cursor_skip(&c, 2);
	if (object != 0 || !cursor_ok(&c))
		return;
	if (property == PROPERTY_SERIAL && cursor_left(&c) == 6)
		tell_serial(r, path, c);
	else if (property == PROPERTY_MAKER && cursor_left(&c) == 2)
		tell_format(r, SENDER, path, ATTR_VENDOR_ID, "%u", cursor_u16be(&c));
	else if (property == PROPERTY_ORDER && cursor_left(&c) == 10)
		tell(r, SENDER, path, ATTR_ORDER_CODE, c);
}

/* A telegram from the bus shows the device that sent it there. */
static void read_cemi(struct reader *r, struct memo *memo, struct cursor c)
{
	uint8_t code = cursor_u8(&c);
	char path[FINDING_PATH_BYTES], text[16];
	uint16_t source, answer;
	struct cursor data;
	bool seen;

	if (code != CEMI_INDICATION)
		return;
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 2);
	source = cursor_u16be(&c);
	cursor_skip(&c, 3);
	if (!cursor_ok(&c) || source == 0)
		return;
	data = c;
	answer = cursor_u16be(&data) & CODE_MASK;
	seen = seen_before(memo, source);
	if (seen && answer != PROPERTY_RESPONSE && (answer & DESCRIPTOR_MASK) != DESCRIPTOR_RESPONSE)
		return; /* the bulk of all telegrams: values of known devices */
	format_address(text, source);
	snprintf(path, sizeof path, "knxnet_ip/%u/device:%s", r->sender_port, text);
	if (!seen)
		tell_subasset(r, SENDER, path);
	read_bus_answer(r, path, c);
}

/* The CRD {length, 04, address} of a tunnel names the address that the client gets on the bus. */
static void read_connect_response(struct reader *r, struct cursor c)
{
	char text[16];

	cursor_skip(&c, 2 + HPAI_BYTES);
	if (cursor_left(&c) < 4 || cursor_u16be(&c) != 0x0404)
		return;
	format_address(text, cursor_u16be(&c));
	tell_text(r, RECEIVER, NULL, ATTR_NETWORK_ADDRESS, text);
}

static void read_body(struct reader *r, struct memo *memo, const struct message *m)
{
	struct cursor c = m->body;

	switch (m->service) {
	case SEARCH_RESPONSE:
	case SEARCH_EXTENDED_RESPONSE:
		cursor_skip(&c, HPAI_BYTES);
		read_blocks(r, c);
		break;
	case DESCRIPTION_RESPONSE:
		read_blocks(r, c);
		break;
	case CONNECT_RESPONSE:
		read_connect_response(r, c);
		break;
	case TUNNELLING_REQUEST:
		cursor_skip(&c, 4);
		if (r->sender_role == ROLE_SERVER)
			read_cemi(r, memo, c);
		break;
	case ROUTING_INDICATION:
		read_cemi(r, memo, c);
		break;
	default:
		break;
	}
}

static enum verdict read_knxnet_ip(struct reader *r)
{
	struct message m;
	enum verdict v = take_message(r, &m);

	if (v != MINE)
		return v;
	r->sender_role = role_or_guess(r, find_role(r, r->memo, m.service));
	read_body(r, r->memo, &m);
	return MINE;
}

static void forget_knxnet_ip(void *flow)
{
	struct memo *memo = flow;

	memset(memo->seen, 0, sizeof memo->seen);
}

const struct classifier classifier_knxnet_ip = {
	.name = "knxnet_ip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { KNX_PORT },
	.read = read_knxnet_ip,
	.forget = forget_knxnet_ip,
};
