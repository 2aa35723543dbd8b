/*
 * DHCP and BOOTP over IPv4: who a device says it is when it asks for an address. RFC 2131, RFC 2132;
 * options 81 RFC 4702, 82 RFC 3046, 124/125 RFC 3925, 161 RFC 8520; 3561 is Broadband Forum TR-069 annex F.
 *
 *  0    1       2      3      4     8      12       16       20       24       28          44       108
 *  +----+-------+------+------+-----+------+--------+--------+--------+--------+-----------+--------+
 *  | op | htype | hlen | hops | xid | secs | ciaddr | yiaddr | siaddr | giaddr | chaddr 16 | sname  |
 *  +----+-------+------+------+-----+------+--------+--------+--------+--------+-----------+--------+
 *  | file 128 (at 108) | magic 63825363 (at 236) | options {code}{length}{value} ... 255              |
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/compose.h"

#include <stdio.h>

enum { PORT_SERVER = 67, PORT_CLIENT = 68 };
enum { BOOT_REQUEST = 1, BOOT_REPLY = 2, HARDWARE_ETHERNET = 1, HARDWARE_BYTES = 6, HARDWARE_BYTES_MAX = 16, HOPS_MAX = 16 };
enum { SNAME_BYTES = 64, FILE_BYTES = 128 };
enum { PARAMETERS_MAX = 96 };

static const uint8_t magic[4] = { 0x63, 0x82, 0x53, 0x63 };

enum {
	OPTION_PAD = 0, OPTION_NETMASK = 1, OPTION_ROUTER = 3, OPTION_HOST_NAME = 12, OPTION_OVERLOAD = 52,
	OPTION_MESSAGE_TYPE = 53, OPTION_SERVER_ID = 54, OPTION_PARAMETERS = 55, OPTION_VENDOR_CLASS = 60,
	OPTION_FQDN = 81, OPTION_RELAY_AGENT = 82, OPTION_VENDOR_CLASSES = 124, OPTION_VENDOR_OPTIONS = 125,
	OPTION_MUD_URL = 161, OPTION_END = 255,
};
enum { MESSAGE_ACK = 5, MESSAGE_LAST = 18 };

struct dhcp {
	struct reader *r;
	struct endpoint client; /* its MAC, and its address once a server has confirmed it */
	bool nameless;          /* no Ethernet address in the client's field */
	uint8_t op;
	uint8_t type;     /* option 53, 0 in BOOTP */
	uint8_t overload; /* option 52: 1 file, 2 sname hold options too */
	bool relayed;       /* the sender is the relay that giaddr names */
	bool through_relay; /* a relay has passed it on */
	uint8_t ciaddr[4];
	uint8_t yiaddr[4];
};

static bool address_set(const uint8_t ip[4])
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

static void tell_client(struct dhcp *d, enum attribute a, struct cursor text)
{
	if (!d->nameless)
		tell_other(d->r, &d->client, NULL, a, text);
	else if (d->op == BOOT_REQUEST && !d->through_relay)
		tell(d->r, SENDER, NULL, a, text);
}

static void tell_client_address(struct dhcp *d, enum attribute a, struct cursor c)
{
	char text[16];
	uint8_t ip[4];

	if (!cursor_copy(&c, ip, sizeof ip) || (a == ATTR_GATEWAY && !address_set(ip)))
		return;
	tell_client(d, a, cursor_over(text, (size_t)snprintf(text, sizeof text, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3])));
}

static bool printable(struct cursor c)
{
	size_t n = cursor_left(&c);

	for (size_t i = 0; i < n; i++)
		if (c.at[i] < 0x20 || c.at[i] == 0x7f)
			return false;
	return n > 0;
}

/* The order in which a stack asks for options tells stacks apart: "1,3,6,15". */
static void tell_parameters(struct dhcp *d, struct cursor c)
{
	char text[4 * PARAMETERS_MAX + 1];
	struct composed t = compose_in(text, sizeof text);

	for (int i = 0; cursor_left(&c) && i < PARAMETERS_MAX - 1; i++) {
		compose_text(&t, i ? "," : "");
		compose_number(&t, cursor_u8(&c));
	}
	tell_client(d, ATTR_FINGERPRINT, cursor_over(text, (size_t)(t.at - text)));
}

/* {flags}{two obsolete codes}{name}: flag E says the name is in DNS's own form, labels with lengths. */
static void tell_fqdn(struct dhcp *d, struct cursor c)
{
	enum { FLAG_E = 4 };
	char name[256];
	size_t at = 0;
	uint8_t flags = cursor_u8(&c);

	cursor_skip(&c, 2);
	if (!(flags & FLAG_E)) {
		tell_client(d, ATTR_HOSTNAME, c);
		return;
	}
	while (cursor_left(&c)) {
		uint8_t len = cursor_u8(&c);
		struct cursor label = cursor_take(&c, len);

		if (len == 0 || len > 63 || !cursor_ok(&label) || at + len + 1 > sizeof name)
			break;
		if (at)
			name[at++] = '.';
		memcpy(name + at, label.at, len);
		at += len;
	}
	tell_client(d, ATTR_HOSTNAME, cursor_over(name, at));
}

/* {enterprise number u32}{length}{classes}: RFC 3925, 3 */
static void tell_vendor_classes(struct dhcp *d, struct cursor c)
{
	char number[12];

	while (cursor_left(&c) > 5) {
		uint32_t enterprise = cursor_u32be(&c);
		uint8_t len = cursor_u8(&c);
		struct cursor classes = cursor_take(&c, len);

		if (!cursor_ok(&classes))
			return;
		tell_client(d, ATTR_VENDOR_ID,
			    cursor_over(number, (size_t)snprintf(number, sizeof number, "%u", enterprise)));
		while (cursor_left(&classes)) {
			struct cursor class = cursor_take(&classes, cursor_u8(&classes));

			if (printable(class))
				tell_client(d, ATTR_VENDOR_CLASS, class);
		}
	}
}

/* TR-069 devices state their maker's OUI, serial number and product class here. */
static void tell_vendor_options(struct dhcp *d, struct cursor c)
{
	enum { BROADBAND_FORUM = 3561, SERIAL_NUMBER = 2, PRODUCT_CLASS = 3 };

	while (cursor_left(&c) > 5) {
		uint32_t enterprise = cursor_u32be(&c);
		uint8_t len = cursor_u8(&c);
		struct cursor options = cursor_take(&c, len);

		while (enterprise == BROADBAND_FORUM && cursor_left(&options) >= 2) {
			uint8_t code = cursor_u8(&options);
			struct cursor value = cursor_take(&options, cursor_u8(&options));

			if (code == SERIAL_NUMBER)
				tell_client(d, ATTR_SERIAL, value);
			else if (code == PRODUCT_CLASS)
				tell_client(d, ATTR_PRODUCT, value);
		}
	}
}

/* Where a relay says the client is connected, when it says it in words. */
static void tell_circuit(struct dhcp *d, struct cursor c)
{
	enum { CIRCUIT_ID = 1 };

	while (cursor_left(&c) >= 2) {
		uint8_t code = cursor_u8(&c);
		struct cursor value = cursor_take(&c, cursor_u8(&c));

		if (code == CIRCUIT_ID && printable(value))
			tell_client(d, ATTR_PORT_NAME, value);
	}
}

/* What the client says of itself, and what a relay adds. */
static void tell_request_option(struct dhcp *d, uint8_t code, struct cursor value)
{
	switch (code) {
	case OPTION_HOST_NAME:
		tell_client(d, ATTR_HOSTNAME, value);
		break;
	case OPTION_PARAMETERS:
		tell_parameters(d, value);
		break;
	case OPTION_VENDOR_CLASS:
		tell_client(d, ATTR_VENDOR_CLASS, value);
		break;
	case OPTION_FQDN:
		tell_fqdn(d, value);
		break;
	case OPTION_RELAY_AGENT:
		tell_circuit(d, value);
		break;
	case OPTION_VENDOR_CLASSES:
		tell_vendor_classes(d, value);
		break;
	case OPTION_VENDOR_OPTIONS:
		tell_vendor_options(d, value);
		break;
	case OPTION_MUD_URL:
		tell_client(d, ATTR_URI, value);
		break;
	}
}

/* What a server gives the client for good; what it only offers may never be used. */
static void tell_reply_option(struct dhcp *d, uint8_t code, struct cursor value)
{
	if (d->type != MESSAGE_ACK)
		return;
	if (code == OPTION_NETMASK)
		tell_client_address(d, ATTR_NETMASK, value);
	else if (code == OPTION_ROUTER)
		tell_client_address(d, ATTR_GATEWAY, value);
	else if (code == OPTION_HOST_NAME)
		tell_client(d, ATTR_HOSTNAME, value);
}

/* Takes one option; false at the end or where the row breaks. */
static bool take_option(struct cursor *c, uint8_t *code, struct cursor *value)
{
	do {
		if (cursor_left(c) == 0)
			return false;
		*code = cursor_u8(c);
	} while (*code == OPTION_PAD);
	if (*code == OPTION_END)
		return false;
	*value = cursor_take(c, cursor_u8(c));
	return cursor_ok(value);
}

static void tell_options(struct dhcp *d, struct cursor c)
{
	uint8_t code;
	struct cursor value;

	while (take_option(&c, &code, &value)) {
		if (d->op == BOOT_REQUEST)
			tell_request_option(d, code, value);
		else
			tell_reply_option(d, code, value);
	}
}

/* The options that say how the others are to be read. */
static void look_ahead(struct dhcp *d, struct cursor c)
{
	uint8_t code;
	struct cursor value;

	while (take_option(&c, &code, &value)) {
		if (code == OPTION_MESSAGE_TYPE && cursor_left(&value) == 1)
			d->type = cursor_u8(&value);
		else if (code == OPTION_OVERLOAD && cursor_left(&value) == 1)
			d->overload = cursor_u8(&value);
	}
}

/* Plain BOOTP has no option to know it by: its ports, its sides and its empty fields must all fit. */
static bool bootp(const struct dhcp *d, const uint8_t padding[10])
{
	static const uint8_t zero[10];
	const struct reader *r = d->r;
	bool asked = d->op == BOOT_REQUEST && r->receiver_port == PORT_SERVER;
	bool answered = d->op == BOOT_REPLY && r->sender_port == PORT_SERVER;

	return !d->nameless && (asked || answered) && memcmp(padding, zero, sizeof zero) == 0;
}

static void confirm_address(struct dhcp *d)
{
	const uint8_t *ip = address_set(d->yiaddr) ? d->yiaddr : d->ciaddr;

	if (d->nameless || d->op != BOOT_REPLY || (d->type != MESSAGE_ACK && d->type != 0) || !address_set(ip))
		return;
	d->client.family = 4;
	d->client.binding = BINDING_STATED;
	memcpy(d->client.ip, ip, 4);
	tell_binding(d->r, d->client.mac, 4, ip);
}

static void tell_all(struct dhcp *d, struct cursor sname, struct cursor file, struct cursor options)
{
	enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };

	confirm_address(d);
	tell_options(d, options);
	if (d->overload & OVERLOAD_FILE)
		tell_options(d, file);
	if (d->overload & OVERLOAD_SNAME)
		tell_options(d, sname);
	if (d->relayed && d->op == BOOT_REQUEST)
		tell_text(d->r, SENDER, NULL, ATTR_ROLE, "dhcp-relay");
	d->r->sender_role = d->op == BOOT_REPLY ? ROLE_SERVER : ROLE_CLIENT;
	d->r->service_port = PORT_SERVER;
}

static bool read_fixed(struct dhcp *d, struct cursor *c, uint8_t padding[10])
{
	static const uint8_t no_mac[6];
	uint8_t htype, hlen, hops, giaddr[4];

	d->op = cursor_u8(c);
	htype = cursor_u8(c);
	hlen = cursor_u8(c);
	hops = cursor_u8(c);
	cursor_skip(c, 8); /* xid, secs, flags */
	cursor_copy(c, d->ciaddr, 4);
	cursor_copy(c, d->yiaddr, 4);
	cursor_skip(c, 4); /* siaddr */
	cursor_copy(c, giaddr, 4);
	cursor_copy(c, d->client.mac, sizeof d->client.mac);
	cursor_copy(c, padding, 10);
	d->through_relay = address_set(giaddr) || hops;
	d->relayed = address_set(giaddr) && d->r->sender->family == 4 && memcmp(giaddr, d->r->sender->ip, 4) == 0;
	/* Other links, and dial-in servers that ask for their callers, write other things there. */
	d->nameless = htype != HARDWARE_ETHERNET || hlen != HARDWARE_BYTES || d->client.mac[0] & 1 ||
		      memcmp(d->client.mac, no_mac, sizeof no_mac) == 0;
	return cursor_ok(c) && (d->op == BOOT_REQUEST || d->op == BOOT_REPLY) && hlen <= HARDWARE_BYTES_MAX &&
	       hops <= HOPS_MAX;
}

static enum verdict read_dhcp(struct reader *r)
{
	struct dhcp d = { .r = r };
	struct cursor *c = &r->bytes, sname, file;
	uint8_t padding[10];
	bool cookie;

	if (!read_fixed(&d, c, padding))
		return NOT_MINE;
	sname = cursor_take(c, SNAME_BYTES);
	file = cursor_take(c, FILE_BYTES);
	cookie = cursor_starts(c, magic, sizeof magic);
	if (!cursor_ok(c))
		return NOT_MINE;
	if (cookie) {
		cursor_skip(c, sizeof magic);
		look_ahead(&d, *c);
	}
	if (d.type > MESSAGE_LAST || (d.type == 0 && !bootp(&d, padding)))
		return NOT_MINE;
	tell_all(&d, sname, file, cookie ? *c : cursor_over("", 0));
	return MINE;
}

const struct classifier classifier_dhcp = {
	.name = "dhcp",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_SERVER, PORT_CLIENT },
	.read = read_dhcp,
};
