/*
 * NetBIOS name service: machines that register their names, answer for them and list them. RFC 1002, 4.2.
 *
 *  0    2                                   4                                         12
 *  +----+-----------------------------------+-----------------------------------------+-----------+---------+
 *  | id | R 1b|opcode 4b|flags 7b|result 4b | questions, answers, authority, more: u16| questions | records |
 *  +----+-----------------------------------+-----------------------------------------+-----------+---------+
 *  question {name}{type u16}{class u16}; record {name or c00c}{type}{class}{ttl u32}{length u16}{data}
 *  data of type NB: {flags u16}{IPv4}...; of NBSTAT: {count u8}{{name 16}{flags u16}}...{MAC 6}{counters}
 */
#include "classifiers/it/netbios.h"

enum { PORT_NBNS = 137, TYPE_NB = 0x20, TYPE_NBSTAT = 0x21, CLASS_IN = 1, HEADER_BYTES = 12, POINTER = 0xc00c };
enum { TYPE_A = 1, TYPE_NS = 2, TYPE_NULL = 10 };
enum { QUERY = 0, REGISTRATION = 5, RELEASE = 6, WAIT = 7, REFRESH = 8, REFRESH_TOO = 9, MULTI_HOMED = 15 };
enum { FLAG_RESPONSE = 0x8000, RESULT = 0xf, GROUP = 0x8000 };

struct nbns {
	struct reader *r;
	bool response;
	uint8_t opcode;
	uint8_t result;
	struct netbios_name name; /* of the question, or of the first record */
};

struct record {
	struct netbios_name name;
	uint16_t type;
	struct cursor data;
};

static bool known_opcode(uint8_t opcode)
{
	return opcode == QUERY || (opcode >= REGISTRATION && opcode <= REFRESH_TOO) || opcode == MULTI_HOMED;
}

static bool take_question(struct nbns *n, struct cursor *c)
{
	uint16_t type;

	if (!netbios_take(c, &n->name))
		return false;
	type = cursor_u16be(c);
	return cursor_u16be(c) == CLASS_IN && cursor_ok(c) && (type == TYPE_NB || type == TYPE_NBSTAT);
}

static bool take_record(const struct nbns *n, struct cursor *c, struct record *record)
{
	struct cursor look = *c;
	uint16_t class;

	record->name = n->name;
	if (cursor_u16be(&look) == POINTER && cursor_ok(&look))
		*c = look;
	else if (!netbios_take(c, &record->name))
		return false;
	record->type = cursor_u16be(c);
	class = cursor_u16be(c);
	cursor_skip(c, 4);
	record->data = cursor_take(c, cursor_u16be(c));
	return cursor_ok(c) && class == CLASS_IN &&
	       (record->type == TYPE_NB || record->type == TYPE_NBSTAT || record->type == TYPE_NULL ||
		record->type == TYPE_A || record->type == TYPE_NS);
}

/* What the name says its owner is. Messenger's names may be those of people: they are passed over. */
static void tell_name(struct reader *r, const struct netbios_name *name, bool group)
{
	if (!group && netbios_machine(name))
		tell_text(r, SENDER, NULL, ATTR_HOSTNAME, name->text);
	if (group && netbios_machine(name))
		tell_format(r, SENDER, NULL, ATTR_DESCRIPTION, "workgroup: %s", name->text);
	if (!group && name->suffix == NETBIOS_DOMAIN_MASTER)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "domain-master-browser");
	if (!group && name->suffix == NETBIOS_MASTER_BROWSER)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "master-browser");
	if (group && name->suffix == NETBIOS_DOMAIN_CONTROLLER && strcmp(name->text, "INet~Services") != 0)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "domain-controller");
}

/* A name server answers for others: then the name is theirs. */
static void tell_owner(struct reader *r, const struct netbios_name *name, struct cursor data)
{
	while (cursor_left(&data) >= 6) {
		bool group = cursor_u16be(&data) & GROUP;
		struct endpoint who = { .family = 4 };

		cursor_copy(&data, who.ip, 4);
		if (r->sender->family == 4 && memcmp(who.ip, r->sender->ip, 4) == 0)
			tell_name(r, name, group);
		else if (!group && netbios_machine(name) && who.ip[0] != 0 && who.ip[0] != 127 && who.ip[0] < 224)
			tell_other(r, &who, NULL, ATTR_HOSTNAME, cursor_over(name->text, strlen(name->text)));
	}
}

static void tell_status(struct reader *r, struct cursor data)
{
	static const uint8_t none[6];
	uint8_t count = cursor_u8(&data), mac[6];

	for (unsigned i = 0; i < count && cursor_left(&data) >= 18; i++) {
		struct netbios_name name = netbios_plain(cursor_take(&data, 16));

		tell_name(r, &name, cursor_u16be(&data) & GROUP);
	}
	if (cursor_copy(&data, mac, 6) && memcmp(mac, none, 6) != 0 && !(mac[0] & 1))
		tell_format(r, SENDER, NULL, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			    mac[4], mac[5]);
}

static void tell_record(struct nbns *n, const struct record *record)
{
	struct cursor data = record->data;
	bool group = cursor_u16be(&data) & GROUP;

	if (record->type == TYPE_NBSTAT && n->response && n->result == 0)
		tell_status(n->r, record->data);
	else if (record->type == TYPE_NB && n->response && n->result == 0 && n->opcode == QUERY)
		tell_owner(n->r, &record->name, record->data);
	/* Whoever registers has the name, also at an address of its own that it doesn't send from. */
	else if (record->type == TYPE_NB && !n->response && cursor_ok(&data) &&
		 (n->opcode == REGISTRATION || n->opcode == REFRESH || n->opcode == REFRESH_TOO || n->opcode == MULTI_HOMED))
		tell_name(n->r, &record->name, group);
}

static bool read_head(struct nbns *n, struct cursor *c, uint16_t *questions, unsigned *records)
{
	uint16_t flags;

	cursor_skip(c, 2);
	flags = cursor_u16be(c);
	*questions = cursor_u16be(c);
	*records = cursor_u16be(c);
	*records += cursor_u16be(c);
	*records += cursor_u16be(c);
	n->response = flags & FLAG_RESPONSE;
	n->opcode = flags >> 11 & 0xf;
	n->result = flags & RESULT;
	return cursor_ok(c) && known_opcode(n->opcode) && *questions <= 1 && *records <= 4 && *questions + *records > 0 &&
	       (n->response || (*questions == 1 && n->result == 0));
}

static enum verdict read_nbns(struct reader *r)
{
	struct nbns n = { .r = r };
	struct cursor c = r->bytes;
	struct record record;
	uint16_t questions;
	unsigned records;

	if (r->sender_port != PORT_NBNS && r->receiver_port != PORT_NBNS)
		return NOT_MINE;
	if (!read_head(&n, &c, &questions, &records) || (questions && !take_question(&n, &c)))
		return NOT_MINE;
	for (unsigned i = 0; i < records; i++) {
		if (!take_record(&n, &c, &record)) {
			if (i + questions == 0)
				return NOT_MINE;
			break;
		}
		n.name = i || questions ? n.name : record.name;
		tell_record(&n, &record);
	}
	r->sender_role = n.response || r->sender_port == PORT_NBNS ? ROLE_PEER : ROLE_CLIENT;
	r->service_port = PORT_NBNS;
	return MINE;
}

const struct classifier classifier_nbns = {
	.name = "nbns",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_NBNS },
	.read = read_nbns,
};
