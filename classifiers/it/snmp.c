/*
 * SNMP: what an agent answers about its device, and the engine id of version 3.
 * RFC 1157, RFC 3416; version 3 RFC 3412 and 3414, engine ids RFC 3411, 5. MIB-II RFC 3418,
 * entities RFC 6933, printers RFC 3805, UPS RFC 1628.
 *
 *  v1, v2c: SEQUENCE { version 0|1, community, PDU }
 *  v3:      SEQUENCE { 3, SEQUENCE { id, size, flags, model }, OCTETS { SEQUENCE { engine id, boots,
 *           time, user, auth, priv } }, SEQUENCE { context engine, context, PDU } or OCTETS enciphered }
 *  PDU a0..a8 { request id, error, index, SEQUENCE OF SEQUENCE { OID, value } }
 *  trap of v1, a4 { enterprise, agent's address, generic, specific, time, the same SEQUENCE }
 *
 * Communities, users and keys are passed over unread.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/der.h"

#include <stdio.h>

enum { PORT_AGENT = 161, PORT_TRAPS = 162, PATH_BYTES = 64, OID_TEXT_BYTES = 256, MESSAGE_BYTES = 16384 };
enum { VERSION_1 = 0, VERSION_2C = 1, VERSION_3 = 3 };
enum {
	PDU_GET = 0xa0, PDU_RESPONSE = 0xa2, PDU_TRAP_1 = 0xa4, PDU_INFORM = 0xa6, PDU_TRAP_2 = 0xa7,
	PDU_REPORT = 0xa8,
};
enum { TAG_IP_ADDRESS = 0x40, FLAG_REPORTABLE = 4, GENERIC_TRAPS = 6 };

struct snmp {
	struct reader *r;
	enum side agent;           /* whose values these are */
	struct endpoint forwarded; /* OTHER: the agent that a forwarded trap names */
};

/* Enterprise numbers of makers that plants are full of; IANA's registry. */
static const struct { uint32_t number; const char *name; } makers[] = {
	{ 9, "Cisco" }, { 11, "HP" }, { 95, "Rockwell Automation" }, { 171, "D-Link" }, { 207, "Allied Telesis" },
	{ 244, "Lantronix" }, { 248, "Hirschmann" }, { 253, "Xerox" }, { 318, "APC" }, { 332, "Digi International" },
	{ 339, "Siemens" }, { 367, "Ricoh" }, { 409, "Mitsubishi Electric" }, { 476, "Vertiv" }, { 534, "Eaton" },
	{ 553, "GarrettCom" }, { 641, "Lexmark" }, { 674, "Dell" }, { 850, "Tripp Lite" }, { 890, "Zyxel" },
	{ 908, "ABB" }, { 1347, "Kyocera" }, { 1602, "Canon" }, { 1890, "Red Lion" }, { 1916, "Extreme Networks" },
	{ 1966, "Perle" }, { 2011, "Huawei" }, { 2254, "Delta Electronics" }, { 2435, "Brother" }, { 2606, "Rittal" },
	{ 2636, "Juniper" }, { 2910, "GE" }, { 3442, "Advantech" }, { 3833, "Schneider Electric" }, { 4131, "Tridium" },
	{ 4196, "Siemens" }, { 4329, "Siemens" }, { 4346, "Phoenix Contact" }, { 4399, "Johnson Controls" },
	{ 4526, "Netgear" }, { 6302, "Vertiv" }, { 6574, "Synology" }, { 7427, "Yokogawa" }, { 8691, "Moxa" },
	{ 9839, "Carel" }, { 10297, "Advantech" }, { 12356, "Fortinet" }, { 13576, "WAGO" }, { 13742, "Raritan" },
	{ 14823, "Aruba" }, { 14988, "MikroTik" }, { 15004, "RuggedCom" }, { 15450, "Innominate" },
	{ 16177, "Westermo" }, { 16838, "Omron" }, { 20998, "Honeywell" }, { 24062, "Beijer Electronics" },
	{ 24681, "QNAP" }, { 25461, "Palo Alto Networks" }, { 30065, "Arista" }, { 37072, "Lantech" },
	{ 39165, "Hikvision" }, { 41112, "Ubiquiti" },
};

/* An object whose value is worth telling. The OID is followed by .0, or by the index of a row. */
struct object {
	uint8_t len;
	uint8_t oid[14];
	uint8_t attribute;
	const char *row; /* sub-asset's kind, NULL for the device itself */
};

#define ENTITY(column) 11, { 0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, column }

static const struct object objects[] = {
	{ 7, { 0x2b, 6, 1, 2, 1, 1, 1 }, ATTR_DESCRIPTION, NULL },
	{ 7, { 0x2b, 6, 1, 2, 1, 1, 2 }, ATTR_ORDER_CODE, NULL },
	{ 7, { 0x2b, 6, 1, 2, 1, 1, 4 }, ATTR_CONTACT, NULL },
	{ 7, { 0x2b, 6, 1, 2, 1, 1, 5 }, ATTR_NAME, NULL },
	{ 7, { 0x2b, 6, 1, 2, 1, 1, 6 }, ATTR_LOCATION, NULL },
	{ 9, { 0x2b, 6, 1, 2, 1, 2, 2, 1, 6 }, ATTR_MAC, NULL },
	{ ENTITY(2), ATTR_DESCRIPTION, "entity" },
	{ ENTITY(7), ATTR_NAME, "entity" },
	{ ENTITY(8), ATTR_HARDWARE, "entity" },
	{ ENTITY(9), ATTR_FIRMWARE, "entity" },
	{ ENTITY(10), ATTR_SOFTWARE, "entity" },
	{ ENTITY(11), ATTR_SERIAL, "entity" },
	{ ENTITY(12), ATTR_VENDOR, "entity" },
	{ ENTITY(13), ATTR_PRODUCT, "entity" },
	{ 10, { 0x2b, 6, 1, 2, 1, 25, 3, 2, 1, 3 }, ATTR_PRODUCT, "device" },
	{ 10, { 0x2b, 6, 1, 2, 1, 43, 5, 1, 1, 17 }, ATTR_SERIAL, NULL },
	{ 9, { 0x2b, 6, 1, 2, 1, 33, 1, 1, 1 }, ATTR_VENDOR, NULL },
	{ 9, { 0x2b, 6, 1, 2, 1, 33, 1, 1, 2 }, ATTR_PRODUCT, NULL },
	{ 9, { 0x2b, 6, 1, 2, 1, 33, 1, 1, 3 }, ATTR_FIRMWARE, NULL },
	{ 9, { 0x2b, 6, 1, 2, 1, 33, 1, 1, 4 }, ATTR_SOFTWARE, NULL },
	{ 9, { 0x2b, 6, 1, 2, 1, 33, 1, 1, 5 }, ATTR_NAME, NULL },
	{ 9, { 0x28, 0xc4, 0x62, 1, 1, 2, 1, 3, 3 }, ATTR_NAME, NULL },
	{ 9, { 0x28, 0xc4, 0x62, 1, 1, 2, 1, 3, 4 }, ATTR_DESCRIPTION, NULL },
};

static const uint8_t oid_enterprises[] = { 0x2b, 6, 1, 4, 1 };

static void tell_agent(struct snmp *s, const char *path, enum attribute a, struct cursor text)
{
	if (s->agent == OTHER)
		tell_other(s->r, &s->forwarded, path, a, text);
	else
		tell(s->r, s->agent, path, a, text);
}

static void tell_agent_text(struct snmp *s, enum attribute a, const char *text)
{
	tell_agent(s, NULL, a, cursor_over(text, strlen(text)));
}

/* The number is of who wrote the agent: net-snmp runs in devices of many makers. */
static void tell_enterprise(struct snmp *s, uint32_t number)
{
	enum { NET_SNMP = 8072 };
	char text[12];

	if (number == NET_SNMP) {
		tell_agent_text(s, ATTR_SOFTWARE, "net-snmp");
		return;
	}
	snprintf(text, sizeof text, "%u", number);
	tell_agent_text(s, ATTR_VENDOR_ID, text);
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
		if (makers[i].number == number)
			tell_agent_text(s, ATTR_VENDOR, makers[i].name);
}

static void tell_object_id(struct snmp *s, struct cursor oid)
{
	char text[OID_TEXT_BYTES];
	struct cursor c = oid;
	uint32_t number = 0;
	uint8_t b;

	if (der_oid_text(oid, text, sizeof text) == 0 || !cursor_starts(&oid, oid_enterprises, sizeof oid_enterprises))
		return;
	tell_agent_text(s, ATTR_ORDER_CODE, text);
	cursor_skip(&c, sizeof oid_enterprises);
	do {
		b = cursor_u8(&c);
		number = number << 7 | (b & 0x7fu);
	} while (b & 0x80 && number < 1u << 24);
	if (cursor_ok(&c))
		tell_enterprise(s, number);
}

static void tell_mac(struct snmp *s, struct cursor value)
{
	static const uint8_t zero[6];
	char text[18];
	uint8_t m[6];

	if (cursor_left(&value) != 6 || !cursor_copy(&value, m, 6) || memcmp(m, zero, 6) == 0)
		return;
	snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	tell_agent_text(s, ATTR_MAC, text);
}

/* A row of a table is a part of the device; the first entity is as a rule the device itself. */
static void tell_row(struct snmp *s, const struct object *o, struct cursor index, struct cursor value)
{
	unsigned port = s->r->sender_role == ROLE_SERVER ? s->r->sender_port : PORT_AGENT;
	bool device = o->attribute != ATTR_DESCRIPTION && o->attribute != ATTR_NAME && strcmp(o->row, "entity") == 0;
	char path[PATH_BYTES];
	uint32_t row = 0;

	while (cursor_left(&index)) {
		uint8_t b = cursor_u8(&index);

		if (row > UINT32_MAX >> 7)
			return;
		row = row << 7 | (b & 0x7fu);
		if (!(b & 0x80) && cursor_left(&index))
			return;
	}
	snprintf(path, sizeof path, "snmp/%u/%s:%u", port, o->row, row);
	tell_agent(s, path, o->attribute, value);
	if (device && row == 1)
		tell_agent(s, NULL, o->attribute, value);
}

static void tell_value(struct snmp *s, struct cursor oid, uint8_t tag, struct cursor value)
{
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		const struct object *o = &objects[i];

		if (cursor_left(&oid) <= o->len || !cursor_starts(&oid, o->oid, o->len))
			continue;
		cursor_skip(&oid, o->len);
		if (o->attribute == ATTR_ORDER_CODE && tag == DER_OID)
			tell_object_id(s, value);
		else if (tag != DER_OCTETS)
			return;
		else if (o->attribute == ATTR_MAC)
			tell_mac(s, value);
		else if (o->row)
			tell_row(s, o, oid, value);
		else
			tell_agent(s, NULL, o->attribute, value);
		return;
	}
}

/* The next element; of one that the capture cut, what is there. */
static struct cursor take_element(const struct snmp *s, struct cursor *c, uint8_t tag)
{
	return s->r->truncated ? der_open(c, tag) : der_take(c, tag);
}

static bool read_bindings(struct snmp *s, struct cursor c, bool told)
{
	struct cursor list = take_element(s, &c, DER_SEQUENCE);

	while (cursor_left(&list)) {
		struct cursor pair = der_take(&list, DER_SEQUENCE), oid = der_take(&pair, DER_OID), value;
		uint8_t tag;

		value = der_any(&pair, &tag);
		if (!cursor_ok(&value))
			return s->r->truncated;
		if (told && cursor_left(&value))
			tell_value(s, oid, tag, value);
	}
	return cursor_ok(&list) && cursor_left(&c) == 0;
}

/* A trap may have been passed on: its values are those of the agent it names. */
static bool read_trap_1(struct snmp *s, struct cursor c)
{
	struct cursor enterprise = der_take(&c, DER_OID), agent = der_take(&c, TAG_IP_ADDRESS);
	struct cursor generic = der_take(&c, DER_INTEGER);
	uint8_t tag;

	der_take(&c, DER_INTEGER);
	der_any(&c, &tag);
	if (!cursor_ok(&c) || cursor_left(&agent) != 4)
		return false;
	s->agent = SENDER;
	if (agent.at[0] && (s->r->sender->family != 4 || memcmp(agent.at, s->r->sender->ip, 4) != 0)) {
		s->agent = OTHER;
		s->forwarded.family = 4;
		cursor_copy(&agent, s->forwarded.ip, 4);
	}
	if (cursor_u8(&generic) < GENERIC_TRAPS)
		tell_object_id(s, enterprise);
	return read_bindings(s, c, true);
}

/* Values are told from where they are known to be the agent's own: not from what is asked or set. */
static bool read_pdu(struct snmp *s, uint8_t pdu, struct cursor c)
{
	bool own = pdu == PDU_RESPONSE || pdu == PDU_TRAP_2 || pdu == PDU_INFORM;

	if (pdu < PDU_GET || pdu > PDU_REPORT)
		return false;
	/* Traps go to a station that waits for them: what serves there isn't the agent. */
	s->r->sender_role = pdu == PDU_RESPONSE || pdu == PDU_REPORT ? ROLE_SERVER : ROLE_CLIENT;
	if (pdu == PDU_TRAP_1)
		return read_trap_1(s, c);
	/* The station's answer to an inform repeats the agent's values. */
	s->agent = pdu == PDU_RESPONSE && s->r->sender_port == PORT_TRAPS ? RECEIVER : SENDER;
	der_take(&c, DER_INTEGER);
	der_take(&c, DER_INTEGER);
	der_take(&c, DER_INTEGER);
	return cursor_ok(&c) && read_bindings(s, c, own);
}

/* {enterprise number, bit 31 set}{format}{data}, or the old form of 12 bytes without that bit */
static void tell_engine(struct snmp *s, struct cursor id)
{
	enum { NEW_FORM = 0x80000000u, FORMAT_MAC = 3, ID_BYTES_MIN = 5, ID_BYTES_MAX = 32 };
	char text[3 * ID_BYTES_MAX];
	struct cursor c = id;
	uint32_t enterprise = cursor_u32be(&c);
	uint8_t format = cursor_u8(&c);
	size_t at = 0;

	if (cursor_left(&id) < ID_BYTES_MIN || cursor_left(&id) > ID_BYTES_MAX)
		return;
	for (; id.at < id.end; id.at++)
		at += (size_t)snprintf(text + at, sizeof text - at, at ? ":%02x" : "%02x", *id.at);
	tell_agent(s, NULL, ATTR_NETWORK_ADDRESS, cursor_over(text, at));
	if (enterprise & ~NEW_FORM)
		tell_enterprise(s, enterprise & (uint32_t)~NEW_FORM);
	if (enterprise & NEW_FORM && format == FORMAT_MAC)
		tell_mac(s, cursor_take(&c, 6));
}

/* A report is due only to who asked: the flag tells requests from answers that are enciphered. */
static void judge_enciphered(struct snmp *s, uint8_t flags)
{
	struct reader *r = s->r;

	if (r->sender_port == PORT_AGENT || r->receiver_port == PORT_AGENT)
		r->sender_role = r->sender_port == PORT_AGENT ? ROLE_SERVER : ROLE_CLIENT;
	else
		r->sender_role = flags & FLAG_REPORTABLE || r->receiver_port == PORT_TRAPS ? ROLE_CLIENT : ROLE_SERVER;
}

static bool read_version_3(struct snmp *s, struct cursor c)
{
	struct cursor header = der_take(&c, DER_SEQUENCE), flag_octet, parameters, security, engine, scoped, octets;
	uint8_t flags, pdu = 0;

	der_take(&header, DER_INTEGER);
	der_take(&header, DER_INTEGER);
	flag_octet = der_take(&header, DER_OCTETS);
	der_take(&header, DER_INTEGER);
	flags = cursor_u8(&flag_octet);
	octets = der_take(&c, DER_OCTETS);
	parameters = der_take(&octets, DER_SEQUENCE);
	security = parameters;
	engine = der_take(&security, DER_OCTETS);
	der_take(&security, DER_INTEGER);
	der_take(&security, DER_INTEGER);
	if (!cursor_ok(&header) || !cursor_ok(&flag_octet) || !cursor_ok(&security))
		return false;
	if (der_maybe(&c, DER_SEQUENCE, &scoped)) {
		der_take(&scoped, DER_OCTETS);
		der_take(&scoped, DER_OCTETS);
		octets = der_any(&scoped, &pdu);
		if (!cursor_ok(&octets) || !read_pdu(s, pdu, octets))
			return false;
	} else {
		der_take(&c, DER_OCTETS);
		judge_enciphered(s, flags);
	}
	/* The engine is that of who answers, or of who sends a trap; of an asked one it is the receiver's. */
	s->agent = flags & FLAG_REPORTABLE ? RECEIVER : SENDER;
	tell_engine(s, engine);
	return cursor_ok(&c) && cursor_left(&c) == 0;
}

static bool read_message(struct snmp *s, struct cursor c)
{
	struct cursor version = der_take(&c, DER_INTEGER), pdu;
	uint8_t number = cursor_u8(&version), tag;

	if (!cursor_ok(&version) || cursor_left(&version))
		return false;
	if (number == VERSION_3)
		return read_version_3(s, c);
	if (number != VERSION_1 && number != VERSION_2C)
		return false;
	der_take(&c, DER_OCTETS); /* the community, a secret */
	tag = cursor_peek(&c, 0);
	pdu = take_element(s, &c, tag);
	return cursor_ok(&pdu) && cursor_left(&c) == 0 && read_pdu(s, tag, pdu);
}

/* {30}{length}{02 01 version}: worth to wait for the rest of it in a stream. */
static bool may_begin(struct cursor c)
{
	uint8_t first;

	if (cursor_left(&c) < 7)
		return true;
	cursor_skip(&c, 1);
	first = cursor_u8(&c);
	cursor_skip(&c, first > 0x80 ? first & 0x7fu : 0);
	return cursor_u16be(&c) == 0x0201 && cursor_u8(&c) <= VERSION_3 && cursor_ok(&c);
}

/* In a datagram the message ends where the datagram does; in a stream the next one follows. */
static enum verdict read_snmp(struct reader *r)
{
	struct snmp s = { .r = r, .agent = SENDER };
	struct cursor c = r->bytes, whole;

	if (cursor_left(&c) == 0 || c.at[0] != DER_SEQUENCE)
		return NOT_MINE;
	whole = take_element(&s, &c, DER_SEQUENCE);
	if (!cursor_ok(&whole))
		return r->transport == TRANSPORT_TCP && cursor_left(&r->bytes) < MESSAGE_BYTES && may_begin(r->bytes) ?
		       NEED_MORE : NOT_MINE;
	if ((r->transport == TRANSPORT_UDP && cursor_left(&c)) || !read_message(&s, whole))
		return NOT_MINE;
	r->bytes = c;
	return MINE;
}

const struct classifier classifier_snmp = {
	.name = "snmp",
	.transports = 1 << TRANSPORT_UDP | 1 << TRANSPORT_TCP,
	.ports = { PORT_AGENT, PORT_TRAPS },
	.max_message = MESSAGE_BYTES,
	.read = read_snmp,
};
