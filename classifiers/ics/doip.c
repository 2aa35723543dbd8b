/*
 * DoIP: vehicles, their gateways and the control units that testers speak with through them.
 *
 * ISO 13400-2:2019, section 7 (header, payload types), tables 1 to 8; the diagnostic messages inside are
 * UDS, ISO 14229-1 section 11.2 (ReadDataByIdentifier) and annex C.1 (identifiers).
 *
 *	 0         1            2      4        8
 *	+---------+------------+------+--------+-----------
 *	| version | ~version   | type | length | payload
 *	+---------+------------+------+--------+-----------
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	DOIP_PORT = 13400,
	HEADER_BYTES = 8,
	LONGEST = 4096,
	VIN_BYTES = 17,
	LAST_VERSION = 4,
	ANY_VERSION = 0xff,
	READ_BY_ID_REPLY = 0x62,
	TOLD = 8,
};

enum type {
	HEADER_NACK = 0x0000, ID_REQUEST, ID_REQUEST_EID, ID_REQUEST_VIN, ANNOUNCEMENT, ACTIVATION_REQUEST,
	ACTIVATION_RESPONSE, ALIVE_REQUEST, ALIVE_RESPONSE,
	ENTITY_REQUEST = 0x4001, ENTITY_RESPONSE, POWER_REQUEST, POWER_RESPONSE,
	DIAGNOSTIC = 0x8001, DIAGNOSTIC_ACK, DIAGNOSTIC_NACK,
};

struct memo {
	uint16_t told[TOLD]; /* control units told last, 0 none */
	uint8_t next;
	uint8_t server;      /* 1 + its direction, 0 unknown */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

/* The length that such a payload has; a lone header says nothing against a wrong one. */
static bool fits(uint16_t type, uint32_t n)
{
	switch (type) {
	case HEADER_NACK: return n == 1;
	case ID_REQUEST: return n == 0;
	case ID_REQUEST_EID: return n == 6;
	case ID_REQUEST_VIN: return n == VIN_BYTES;
	case ANNOUNCEMENT: return n == 32 || n == 33;
	case ACTIVATION_REQUEST: return n == 7 || n == 11;
	case ACTIVATION_RESPONSE: return n == 9 || n == 13;
	case ALIVE_REQUEST: return n == 0;
	case ALIVE_RESPONSE: return n == 2;
	case ENTITY_REQUEST: return n == 0;
	case ENTITY_RESPONSE: return n == 3 || n == 7;
	case POWER_REQUEST: return n == 0;
	case POWER_RESPONSE: return n == 1;
	case DIAGNOSTIC: return n >= 5;
	case DIAGNOSTIC_ACK:
	case DIAGNOSTIC_NACK: return n >= 5;
	default: return false;
	}
}

static uint8_t role_of(const struct reader *r, struct memo *memo, uint16_t type)
{
	uint8_t role = ROLE_UNKNOWN;

	switch (type) {
	case ID_REQUEST:
	case ID_REQUEST_EID:
	case ID_REQUEST_VIN:
	case ACTIVATION_REQUEST:
	case ALIVE_RESPONSE:
	case ENTITY_REQUEST:
	case POWER_REQUEST:
		role = ROLE_CLIENT;
		break;
	case ANNOUNCEMENT:
	case ACTIVATION_RESPONSE:
	case ALIVE_REQUEST:
	case ENTITY_RESPONSE:
	case POWER_RESPONSE:
	case DIAGNOSTIC_ACK:
	case DIAGNOSTIC_NACK:
		role = ROLE_SERVER;
		break;
	default:
		break;
	}
	if (role == ROLE_UNKNOWN && memo->server)
		role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	if (role == ROLE_UNKNOWN)
		role = role_by_port(r, DOIP_PORT);
	if (role != ROLE_UNKNOWN)
		memo->server = (uint8_t)(1 + (role == ROLE_SERVER ? r->direction : !r->direction));
	return role;
}

/* Values that are not set are all 00 or all FF. */
static bool is_set(struct cursor c)
{
	uint8_t all = 0xff, any = 0;

	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c);

		all &= b;
		any |= b;
	}
	return any && all != 0xff;
}

static bool is_printable(struct cursor c)
{
	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c);

		if ((b < 0x20 && b != 0) || b > 0x7e)
			return false;
	}
	return true;
}

static void read_announcement(struct reader *r, struct cursor c)
{
	struct cursor vin = cursor_take(&c, VIN_BYTES), entity;
	uint16_t address = cursor_u16be(&c);
	uint8_t eid[6];

	entity = cursor_take(&c, sizeof eid);
	if (!cursor_ok(&c))
		return;
	if (is_set(vin) && is_printable(vin))
		tell(r, SENDER, NULL, ATTR_SERIAL, vin);
	tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "0x%04x", address);
	if (!is_set(entity))
		return;
	cursor_copy(&entity, eid, sizeof eid);
	tell_format(r, SENDER, NULL, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", eid[0], eid[1], eid[2], eid[3], eid[4], eid[5]);
}

static enum attribute identifier_attribute(uint16_t identifier)
{
	switch (identifier) {
	case 0xf187: return ATTR_ORDER_CODE;
	case 0xf188:
	case 0xf189:
	case 0xf195: return ATTR_FIRMWARE;
	case 0xf18a: return ATTR_VENDOR;
	case 0xf18c: return ATTR_SERIAL;
	case 0xf190: return ATTR_DEVICE_ID;
	case 0xf191:
	case 0xf193: return ATTR_HARDWARE;
	case 0xf197: return ATTR_PRODUCT;
	default: return ATTR_NONE;
	}
}

/* A control unit answers a tester: it exists, and some of its answers say what it is. */
static void read_diagnostic(struct reader *r, struct memo *memo, struct cursor c)
{
	uint16_t source = cursor_u16be(&c), identifier;
	char path[FINDING_PATH_BYTES];
	enum attribute a;
	bool known = false;

	cursor_skip(&c, 2);
	snprintf(path, sizeof path, "doip/%u/ecu:0x%04x", r->sender_port, source);
	for (int i = 0; i < TOLD; i++)
		known |= memo->told[i] == source;
	if (!known) {
		memo->told[memo->next] = source;
		memo->next = (uint8_t)((memo->next + 1) % TOLD);
		tell_subasset(r, SENDER, path);
	}
	if (cursor_left(&c) < 4 || cursor_u8(&c) != READ_BY_ID_REPLY)
		return;
	identifier = cursor_u16be(&c);
	a = identifier_attribute(identifier);
	if (a != ATTR_NONE && is_printable(c) && is_set(c))
		tell(r, SENDER, path, a, c);
}

static void read_payload(struct reader *r, struct memo *memo, uint16_t type, struct cursor c)
{
	if (type == ANNOUNCEMENT)
		read_announcement(r, c);
	else if (type == DIAGNOSTIC && r->sender_role == ROLE_SERVER)
		read_diagnostic(r, memo, c);
	else if (type == ENTITY_RESPONSE)
		tell_text(r, SENDER, NULL, ATTR_ROLE, cursor_u8(&c) ? "node" : "gateway");
	else if (type == ACTIVATION_RESPONSE) {
		tell_format(r, RECEIVER, NULL, ATTR_NETWORK_ADDRESS, "0x%04x", cursor_u16be(&c));
		tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "0x%04x", cursor_u16be(&c));
	} else if (type == ACTIVATION_REQUEST)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "tester");
}

static enum verdict read_doip(struct reader *r)
{
	struct cursor c = r->bytes;
	bool stream = r->transport == TRANSPORT_TCP;
	uint8_t version = cursor_u8(&c), inverse = cursor_u8(&c);
	uint16_t type;
	uint32_t length;

	if (version == 0 || (version > LAST_VERSION && version != ANY_VERSION) || (cursor_ok(&c) && (version ^ inverse) != 0xff))
		return NOT_MINE;
	type = cursor_u16be(&c);
	length = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return stream ? NEED_MORE : NOT_MINE;
	if (!fits(type, length))
		return NOT_MINE;
	/* Flashing moves long messages; they identify nothing. */
	if (cursor_left(&c) < length && length <= LONGEST - HEADER_BYTES && !r->truncated)
		return stream ? NEED_MORE : NOT_MINE;
	r->sender_role = role_or_guess(r, role_of(r, r->memo, type));
	read_payload(r, r->memo, type, cursor_take(&c, cursor_left(&c) < length ? cursor_left(&c) : length));
	r->bytes = c;
	return MINE;
}

static void forget_doip(void *flow)
{
	struct memo *memo = flow;

	memset(memo->told, 0, sizeof memo->told);
}

const struct classifier classifier_doip = {
	.name = "doip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { DOIP_PORT },
	.read = read_doip,
	.forget = forget_doip,
};
