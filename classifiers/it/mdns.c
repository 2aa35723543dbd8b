/*
 * Multicast DNS and service discovery: hosts that tell their names and what they are. RFC 6762, RFC 6763.
 *
 *  0    2       4            6          8            10           12
 *  +----+-------+------------+----------+------------+------------+-----------+---------+
 *  | id | flags | questions  | answers  | authority  | additional | questions | records |
 *  +----+-------+------------+----------+------------+------------+-----------+---------+
 *  question {name}{type}{class}; record {name}{type}{class}{ttl u32}{length}{data};
 *  name = {length}{label}... ended by 0 or by c0xx, the place in this message where it goes on
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/dns.h"

#include <stdio.h>
#include <strings.h>

enum { PORT_MDNS = 5353, NAME_BYTES = DNS_NAME_BYTES, ITEMS_MAX = 512 };
enum { FLAG_RESPONSE = 0x8000, FLAGS_OPCODE_AND_RCODE = 0x780f };
enum { TYPE_A = 1, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_OPT = 41 };
enum { CLASS_IN = 1, CLASS_NONE = 254, CLASS_ANY = 255, CLASS_BITS = 0x7fff };

struct mdns {
	struct reader *r;
	struct cursor message; /* all of it: names point into it */
	unsigned questions;
	unsigned records;
	char host[NAME_BYTES]; /* the name that addresses are given for, of the first such record */
	bool hosts_differ;
	bool sender_named;     /* an address of that name is the sender's */
	bool family_named;     /* an address of that name is of the sender's family */
};

struct record {
	char name[NAME_BYTES];
	uint16_t type;
	struct cursor data;
};

static bool take_name(const struct mdns *m, struct cursor *c, char name[NAME_BYTES])
{
	return dns_take_name(m->message, c, name);
}

static bool known_class(uint16_t class)
{
	class &= CLASS_BITS;
	return class == CLASS_IN || class == CLASS_ANY || class == CLASS_NONE;
}

static bool take_record(const struct mdns *m, struct cursor *c, struct record *record)
{
	uint16_t class;

	if (!take_name(m, c, record->name))
		return false;
	record->type = cursor_u16be(c);
	class = cursor_u16be(c);
	cursor_skip(c, 4);
	record->data = cursor_take(c, cursor_u16be(c));
	return cursor_ok(c) && (record->type == TYPE_OPT || known_class(class));
}

static bool skip_questions(const struct mdns *m, struct cursor *c)
{
	char name[NAME_BYTES];

	for (unsigned i = 0; i < m->questions; i++) {
		if (!take_name(m, c, name))
			return false;
		cursor_skip(c, 2);
		if (!known_class(cursor_u16be(c)) || !cursor_ok(c))
			return false;
	}
	return true;
}

/* The address of an A or AAAA record as an endpoint; false for others and for addresses nobody has. */
static bool record_address(struct record *record, struct endpoint *who)
{
	static const uint8_t zero[16];
	struct cursor c = record->data;

	memset(who, 0, sizeof *who);
	if (record->type == TYPE_A && cursor_left(&c) == 4) {
		who->family = 4;
		cursor_copy(&c, who->ip, 4);
		return who->ip[0] != 0 && who->ip[0] != 127 && who->ip[0] < 224;
	}
	if (record->type == TYPE_AAAA && cursor_left(&c) == 16) {
		who->family = 6;
		cursor_copy(&c, who->ip, 16);
		return memcmp(who->ip, zero, 15) != 0 && who->ip[0] != 0xff;
	}
	return false;
}

static bool same_address(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

/* First pass: is it the sender whom the addresses of this message name? */
static void note_host(struct mdns *m, struct record *record)
{
	const struct endpoint *sender = m->r->sender;
	struct endpoint who;

	if (!record_address(record, &who))
		return;
	if (m->host[0] == 0)
		memcpy(m->host, record->name, sizeof m->host);
	else if (strcasecmp(m->host, record->name) != 0)
		m->hosts_differ = true;
	if (who.family == sender->family)
		m->family_named = true;
	if (same_address(&who, sender)) {
		m->sender_named = true;
		memcpy(m->host, record->name, sizeof m->host);
	}
}

/*
 * The host's name is the sender's own when the sender's address stands beside it, or when none of its
 * family does. A reflector or a sleep proxy speaks for others: its address is missing among theirs.
 */
static bool own_host(const struct mdns *m)
{
	return m->host[0] && (m->sender_named || (!m->hosts_differ && !m->family_named));
}

/* What has no address beside it in this message is the sender's. */
static bool own_services(const struct mdns *m)
{
	return m->host[0] == 0 || own_host(m);
}

static void tell_address(struct mdns *m, struct record *record)
{
	struct endpoint who;

	if (!record_address(record, &who) || same_address(&who, m->r->sender))
		return;
	/* Addresses given for one name on one link are of one interface: RFC 6762, 14. */
	if (m->sender_named && m->r->sender->binding == BINDING_FRAME && strcasecmp(m->host, record->name) == 0)
		tell_binding(m->r, m->r->sender->mac, who.family, who.ip);
	tell_other(m->r, &who, NULL, ATTR_HOSTNAME, cursor_over(record->name, strlen(record->name)));
}

/* "HP LaserJet" of "(HP LaserJet)": printers put their product in brackets. */
static struct cursor without_brackets(struct cursor c)
{
	if (cursor_left(&c) > 2 && c.at[0] == '(' && c.end[-1] == ')') {
		c.at++;
		c.end--;
	}
	return c;
}

static void tell_pair(struct mdns *m, struct cursor pair)
{
	static const struct { const char *key; enum attribute attribute; } keys[] = {
		{ "md", ATTR_PRODUCT }, { "ty", ATTR_PRODUCT }, { "model", ATTR_PRODUCT }, { "am", ATTR_PRODUCT },
		{ "product", ATTR_PRODUCT }, { "mdl", ATTR_PRODUCT }, { "usb_mdl", ATTR_PRODUCT },
		{ "usb_mfg", ATTR_VENDOR }, { "mfg", ATTR_VENDOR }, { "manufacturer", ATTR_VENDOR },
		{ "vendor", ATTR_VENDOR }, { "vn", ATTR_VENDOR }, { "fn", ATTR_NAME }, { "note", ATTR_LOCATION },
		{ "serialnumber", ATTR_SERIAL }, { "serial", ATTR_SERIAL }, { "fv", ATTR_FIRMWARE },
		{ "fw", ATTR_FIRMWARE }, { "firmware", ATTR_FIRMWARE }, { "firmwareversion", ATTR_FIRMWARE },
		{ "hwversion", ATTR_HARDWARE }, { "macaddress", ATTR_MAC },
	};
	ptrdiff_t equals = cursor_find(&pair, '=');
	struct cursor key;

	if (equals <= 0)
		return;
	key = cursor_take(&pair, (size_t)equals);
	cursor_skip(&pair, 1);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strlen(keys[i].key) == cursor_left(&key) && cursor_starts_any_case(&key, keys[i].key))
			tell(m->r, SENDER, NULL, keys[i].attribute, without_brackets(pair));
}

static void tell_text_record(struct mdns *m, struct cursor data)
{
	while (cursor_left(&data)) {
		struct cursor pair = cursor_take(&data, cursor_u8(&data));

		if (cursor_ok(&pair))
			tell_pair(m, pair);
	}
}

/*
 * An instance is "people's name._service._tcp.local". Machines name instances too, by addresses and
 * identifiers: what holds ':' or '@' is none that people gave. `_workstation` adds " [MAC]".
 */
static void tell_instance(struct mdns *m, const char *name)
{
	const char *service = strstr(name, "._");
	const char *bracket = strstr(name, " [");
	size_t len = service ? (size_t)(service - name) : 0;

	if (service && strncmp(service, "._workstation.", 14) == 0 && bracket && bracket < service) {
		len = (size_t)(bracket - name);
		if (service - bracket == 2 + 17 + 1)
			tell(m->r, SENDER, NULL, ATTR_MAC, cursor_over(bracket + 2, 17));
	}
	if (len && !memchr(name, ':', len) && !memchr(name, '@', len))
		tell(m->r, SENDER, NULL, ATTR_NAME, cursor_over(name, len));
}

static void tell_record(struct mdns *m, struct record *record)
{
	switch (record->type) {
	case TYPE_A:
	case TYPE_AAAA:
		tell_address(m, record);
		break;
	case TYPE_SRV:
		if (own_services(m))
			tell_instance(m, record->name);
		break;
	case TYPE_TXT:
		if (own_services(m))
			tell_text_record(m, record->data);
		break;
	}
}

/* One pass over the records; false when one is broken. */
static bool each_record(struct mdns *m, struct cursor c, void (*use)(struct mdns *, struct record *))
{
	struct record record;

	for (unsigned i = 0; i < m->records; i++) {
		if (!take_record(m, &c, &record))
			return m->r->truncated && i + m->questions > 0;
		use(m, &record);
	}
	return true;
}

static enum verdict read_mdns(struct reader *r)
{
	struct mdns m = { .r = r, .message = r->bytes };
	struct cursor c = r->bytes;
	bool response;
	uint16_t flags;

	cursor_skip(&c, 2);
	flags = cursor_u16be(&c);
	response = flags & FLAG_RESPONSE;
	/* The port is what tells it from DNS: asked at it, or answered from it. */
	if (r->receiver_port != PORT_MDNS && (!response || r->sender_port != PORT_MDNS))
		return NOT_MINE;
	m.questions = cursor_u16be(&c);
	m.records = cursor_u16be(&c);
	m.records += cursor_u16be(&c);
	m.records += cursor_u16be(&c);
	if (!cursor_ok(&c) || flags & FLAGS_OPCODE_AND_RCODE || m.questions + m.records == 0 ||
	    m.questions + m.records > ITEMS_MAX || !skip_questions(&m, &c) || !each_record(&m, c, note_host))
		return NOT_MINE;
	/* A query's records are what the asker already knows of others, or a name it only hopes to get. */
	if (response) {
		if (own_host(&m))
			tell_text(r, SENDER, NULL, ATTR_HOSTNAME, m.host);
		each_record(&m, c, tell_record);
	}
	/* Who asks from another port is a simple resolver: RFC 6762, 6.7. */
	r->sender_role = response || r->sender_port == PORT_MDNS ? ROLE_PEER : ROLE_CLIENT;
	r->service_port = PORT_MDNS;
	return MINE;
}

const struct classifier classifier_mdns = {
	.name = "mdns",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_MDNS },
	.read = read_mdns,
};
