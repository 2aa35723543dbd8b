/* Which findings a matched line makes: an application is software; what CPE calls hardware is a product. */
#include "sensor/engine/ears_tell.h"

#include "classifiers/finding/text.h"
#include "sensor/engine/engine.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { CONFIDENCE_SAME = 80, CONFIDENCE_BEGINS = 75, CONFIDENCE_KIN = 65, CONFIDENCE_SOFT = 45, CONFIDENCE_LESS = 15 };

/* For facts of which a device has one: what a classifier of the flow says of them stands by itself. */
static const char own_name[] = "service_probes";

struct told_by {
	struct engine *e;
	struct witness w;
	struct statement s;
	const char *many;  /* protocol of attributes that may have several values */
	const char *single;
	uint8_t confidence;
};

/* What others call a service that is a protocol here. */
static const char *const aliases[][2] = {
	{ "microsoft-ds", "smb" }, { "netbios-ssn", "smb" },   { "netbios-ns", "nbns" },   { "ms-wbt-server", "rdp" },
	{ "iso-tsap", "s7comm" },  { "enip", "enip" },         { "EtherNetIP-2", "enip" }, { "EtherNet/IP", "enip" },
	{ "zeroconf", "mdns" },    { "upnp", "ssdp" },         { "ssl", "tls" },           { "bacnet", "bacnet" },
	{ "knxnet/ip", "knxnet_ip" }, { "opc-ua", "opcua" },   { "opcua-tcp", "opcua" },   { "niagara-fox", "fox" },
};

/* A service's name as a protocol's: "http-proxy" is http_proxy, "ssl/http" is tls. */
static void protocol_of(const char *service, char to[FINDING_PROTOCOL_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (strcmp(service, aliases[i][0]) == 0)
			service = aliases[i][1];
	if (strncmp(service, "ssl/", 4) == 0)
		service = "tls";
	for (; service[n] && n + 1 < FINDING_PROTOCOL_BYTES; n++)
		to[n] = isalnum((unsigned char)service[n]) ? (char)tolower((unsigned char)service[n]) : '_';
	to[n] = 0;
}

/* Much is spoken inside HTTP; else it must be the owner's own name, or one that begins with it. */
static bool fits_owner(const char *owner, const char *protocol)
{
	size_t n = strlen(owner);

	return strcmp(owner, "http") == 0 || (strncmp(owner, protocol, n) == 0 && (!protocol[n] || protocol[n] == '_'));
}

static void tell_value(struct told_by *t, enum attribute a, bool many, unsigned less, const char *text, size_t len)
{
	char clean[FINDING_VALUE_BYTES];

	if (text_clean(clean, sizeof clean, text, len) == 0)
		return;
	t->s.kind = FINDING_ATTRIBUTE;
	t->s.attribute = (uint8_t)a;
	t->s.evidence = EVIDENCE_NONE;
	t->s.role = ROLE_SERVER;
	t->s.confidence = (uint8_t)(t->confidence - less);
	t->w.protocol = many ? t->many : t->single;
	teller_tell(&t->e->teller, &t->w, &t->s, NULL, clean);
}

static int expand(const struct service_found *found, enum service_field field, char out[SERVICE_VALUE_BYTES])
{
	const char *template = found->match->field[field];

	out[0] = 0;
	return template ? service_template_expand(template, field, &found->groups, out) : -1;
}

/* "OpenSSH 9.2p1 (protocol 2.0)". */
static void tell_software(struct told_by *t, const struct service_found *found)
{
	char product[SERVICE_VALUE_BYTES], version[SERVICE_VALUE_BYTES], info[SERVICE_VALUE_BYTES], all[3 * SERVICE_VALUE_BYTES];
	bool has_version, has_info;
	int n;

	if (expand(found, SERVICE_PRODUCT, product) <= 0)
		return;
	has_version = expand(found, SERVICE_VERSION, version) > 0;
	has_info = expand(found, SERVICE_INFO, info) > 0;
	n = snprintf(all, sizeof all, "%s%s%s%s%s%s", product, has_version ? " " : "", has_version ? version : "", has_info ? " (" : "",
		     has_info ? info : "", has_info ? ")" : "");
	tell_value(t, ATTR_SOFTWARE, true, 0, all, (size_t)n);
}

/* A part of "h:vendor:product:version", its underlines as blanks and %XX undone; behind *at afterwards. */
static size_t take_cpe_part(const char **at, char *to)
{
	size_t n = 0;

	for (; **at && **at != ':'; ++*at) {
		unsigned byte;

		if (**at == '%' && sscanf(*at + 1, "%2x", &byte) == 1 && isxdigit((unsigned char)(*at)[2])) {
			to[n++] = (char)byte;
			*at += 2;
		} else {
			to[n++] = **at == '_' ? ' ' : **at;
		}
	}
	*at += **at == ':';
	return n;
}

static void tell_cpe(struct told_by *t, const struct service_found *found, enum service_field field)
{
	char value[SERVICE_VALUE_BYTES], name[SERVICE_VALUE_BYTES + 8], part[SERVICE_VALUE_BYTES];
	const char *at = value + 2;
	int n;

	if (expand(found, field, value) <= 2)
		return;
	n = snprintf(name, sizeof name, "cpe:/%s", value);
	tell_value(t, ATTR_CPE, true, 0, name, (size_t)n);
	if (field != SERVICE_CPE_H)
		return;
	tell_value(t, ATTR_VENDOR, false, CONFIDENCE_LESS, part, take_cpe_part(&at, part));
	tell_value(t, ATTR_PRODUCT, false, CONFIDENCE_LESS, part, take_cpe_part(&at, part));
}

static void tell_field(struct told_by *t, const struct service_found *found, enum service_field field, enum attribute a, bool many)
{
	char value[SERVICE_VALUE_BYTES];
	int n = expand(found, field, value);

	if (n > 0)
		tell_value(t, a, many, 0, value, (size_t)n);
}

/* The service by its name, as weakly as its port: no structure was read. And who uses it. */
static void tell_service(struct told_by *t, const struct endpoint *client)
{
	t->s.kind = FINDING_SERVICE;
	t->s.attribute = ATTR_NONE;
	t->s.evidence = EVIDENCE_PORT;
	t->s.role = ROLE_SERVER;
	t->s.confidence = t->confidence;
	t->w.protocol = t->many;
	teller_tell(&t->e->teller, &t->w, &t->s, NULL, NULL);
	t->s.kind = FINDING_TALKS;
	t->s.role = ROLE_CLIENT;
	t->s.peer = t->s.subject;
	t->s.subject = *client;
	teller_tell(&t->e->teller, &t->w, &t->s, NULL, NULL);
	t->s.subject = t->s.peer;
	memset(&t->s.peer, 0, sizeof t->s.peer);
}

static void tell_all(struct told_by *t, const struct service_found *found)
{
	tell_software(t, found);
	tell_field(t, found, SERVICE_HOSTNAME, ATTR_HOSTNAME, true);
	tell_field(t, found, SERVICE_OS, ATTR_OS, false);
	tell_field(t, found, SERVICE_DEVICE, ATTR_DEVICE_CLASS, false);
	for (enum service_field field = SERVICE_CPE_A; field < SERVICE_FIELDS; field++)
		tell_cpe(t, found, field);
}

static uint8_t confidence_of(const struct service_found *found, enum service_kinship kinship)
{
	if (found->match->soft)
		return CONFIDENCE_SOFT;
	return kinship == SERVICE_SAME ? CONFIDENCE_SAME : kinship == SERVICE_BEGINS ? CONFIDENCE_BEGINS : CONFIDENCE_KIN;
}

/* The ends by their addresses alone: the packet at hand may be of the other end, or of none. */
static void clear_mac(struct endpoint *end)
{
	memset(end->mac, 0, sizeof end->mac);
	end->binding = BINDING_NONE;
}

bool ears_tell(struct engine *e, const struct flow *f, const struct packet *p, uint8_t direction, const struct service_found *found,
	       enum service_kinship kinship)
{
	enum transport transport = f->key.protocol == 6 ? TRANSPORT_TCP : TRANSPORT_UDP;
	const char *owner = f->state == FLOW_OURS ? e->lists[transport].of[f->protocol]->name : NULL;
	char protocol[FINDING_PROTOCOL_BYTES];
	struct told_by t = { .e = e, .many = owner ? owner : protocol, .single = owner ? own_name : protocol };
	struct packet from_server = *p;
	struct parties who;

	protocol_of(found->match->service, protocol);
	if (owner && !fits_owner(owner, protocol)) {
		e->counters.service_contradicted++;
		return false;
	}
	from_server.direction = direction;
	parties_of(&from_server, &who);
	clear_mac(&who.sender);
	clear_mac(&who.receiver);
	witness_of(e, p, t.many, &t.w);
	t.w.transport = (uint8_t)transport;
	t.w.port = direction ? f->key.high_port : f->key.low_port;
	t.s.subject = who.sender;
	t.confidence = confidence_of(found, kinship);
	if (!owner)
		tell_service(&t, &who.receiver);
	if (!found->match->soft)
		tell_all(&t, found);
	return !owner;
}
