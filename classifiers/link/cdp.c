/*
 * CDP: what a switch, router or telephone of Cisco's, and some of HP's, says of itself to its neighbour.
 * Cisco, "Cisco Discovery Protocol Packet Format"; HP's parts as its switches send them.
 *
 *  LLC aa aa 03 | OUI 00000c | 2000 | {version u8}{time to live u8}{checksum u16} | TLVs
 *  +----------+------------------------+-------+      address: {how its kind is told u8}{length u8}{kind}
 *  | type u16 | length u16 with these 4| value |               {length u16}{address}
 *  +----------+------------------------+-------+
 */
#include "classifiers/api/classifier.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

enum {
	TLV_DEVICE_ID = 0x0001, TLV_ADDRESSES = 0x0002, TLV_PORT_ID = 0x0003, TLV_CAPABILITIES = 0x0004,
	TLV_SOFTWARE = 0x0005, TLV_PLATFORM = 0x0006, TLV_SYSTEM_NAME = 0x0014, TLV_SYSTEM_OBJECT_ID = 0x0015,
	TLV_MANAGEMENT_ADDRESSES = 0x0016, TLV_LOCATION = 0x0017, TLV_EXTERNAL_PORT_ID = 0x0018,
	TLV_HP_SERIAL = 0x1001, TLV_LAST = 0x1fff,
};
enum { VERSIONS = 2, TLV_HEAD_BYTES = 4, ADDRESSES_MAX = 64, CAPABILITIES = 11 };

/* Words for the picture: line ends and rows of blanks inside a text become one blank. */
static void tell_lines(struct reader *r, enum attribute a, struct cursor text)
{
	char line[FINDING_VALUE_BYTES];
	size_t n = 0;

	for (; cursor_left(&text) && n < sizeof line; text.at++) {
		if (*text.at != '\r' && *text.at != '\n' && *text.at != '\t' && *text.at != ' ')
			line[n++] = (char)*text.at;
		else if (n && line[n - 1] != ' ')
			line[n++] = ' ';
	}
	tell(r, SENDER, NULL, a, cursor_over(line, n));
}

static void tell_ip(struct reader *r, int family, struct cursor address)
{
	static const uint8_t zero[16];
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];
	size_t len = family == AF_INET ? 4 : 16;

	if (cursor_left(&address) == len && cursor_copy(&address, ip, len) && memcmp(ip, zero, len) != 0 &&
	    inet_ntop(family, ip, text, sizeof text))
		tell_text(r, SENDER, NULL, ATTR_IP, text);
}

/* IPv4 is told by its NLPID, IPv6 by its ethertype behind a SNAP head; others have no meaning here. */
static void read_addresses(struct reader *r, struct cursor c)
{
	static const uint8_t ipv4[] = { 0xcc }, ipv6[] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00, 0x86, 0xdd };
	uint32_t count = cursor_u32be(&c);

	for (uint32_t i = 0; i < count && i < ADDRESSES_MAX && cursor_left(&c); i++) {
		struct cursor kind, address;

		cursor_skip(&c, 1);
		kind = cursor_take(&c, cursor_u8(&c));
		address = cursor_take(&c, cursor_u16be(&c));
		if (!cursor_ok(&address))
			return;
		if (cursor_left(&kind) == sizeof ipv4 && cursor_starts(&kind, ipv4, sizeof ipv4))
			tell_ip(r, AF_INET, address);
		else if (cursor_left(&kind) == sizeof ipv6 && cursor_starts(&kind, ipv6, sizeof ipv6))
			tell_ip(r, AF_INET6, address);
	}
}

static void read_capabilities(struct reader *r, struct cursor c)
{
	static const char *const roles[CAPABILITIES] = {
		"router", "bridge", "source-route-bridge", "switch", "host", NULL, "repeater", "telephone", NULL, NULL,
		"two-port-relay",
	};
	uint32_t able = cursor_u32be(&c);

	for (unsigned i = 0; i < CAPABILITIES && cursor_ok(&c); i++)
		if (able & 1u << i && roles[i])
			tell_text(r, SENDER, NULL, ATTR_ROLE, roles[i]);
}

static void read_platform(struct reader *r, struct cursor c)
{
	tell_lines(r, ATTR_PRODUCT, c);
	if (cursor_left(&c) > 6 && strncasecmp((const char *)c.at, "cisco ", 6) == 0)
		tell_text(r, SENDER, NULL, ATTR_VENDOR, "Cisco");
}

/* As it stands in BER: {6}{length}{an octet for 1.3, then base 128}. */
static void read_object_id(struct reader *r, struct cursor c)
{
	char text[FINDING_VALUE_BYTES] = "1.3";
	size_t at = strlen(text);
	uint32_t number = 0;

	if (cursor_u8(&c) != 6 || cursor_u8(&c) != cursor_left(&c) || cursor_u8(&c) != 0x2b)
		return;
	while (cursor_left(&c) && at + 12 < sizeof text) {
		uint8_t b = cursor_u8(&c);

		number = number << 7 | (b & 0x7fu);
		if (b & 0x80)
			continue;
		at += (size_t)snprintf(text + at, sizeof text - at, ".%u", number);
		number = 0;
	}
	if (cursor_ok(&c))
		tell_text(r, SENDER, NULL, ATTR_ORDER_CODE, text);
}

static void read_tlv(struct reader *r, uint16_t type, struct cursor value)
{
	switch (type) {
	case TLV_DEVICE_ID:
	case TLV_SYSTEM_NAME:
		tell_lines(r, ATTR_NAME, value);
		break;
	case TLV_ADDRESSES:
	case TLV_MANAGEMENT_ADDRESSES:
		read_addresses(r, value);
		break;
	case TLV_PORT_ID:
	case TLV_EXTERNAL_PORT_ID:
		tell_lines(r, ATTR_PORT_NAME, value);
		break;
	case TLV_CAPABILITIES:
		read_capabilities(r, value);
		break;
	case TLV_SOFTWARE:
		tell_lines(r, ATTR_SOFTWARE, value);
		break;
	case TLV_PLATFORM:
		read_platform(r, value);
		break;
	case TLV_SYSTEM_OBJECT_ID:
		read_object_id(r, value);
		break;
	case TLV_LOCATION: /* one byte for its kind stands before the text */
		cursor_skip(&value, 1);
		tell_lines(r, ATTR_LOCATION, value);
		break;
	case TLV_HP_SERIAL:
		tell_lines(r, ATTR_SERIAL, value);
		break;
	}
}

/* A frame that is cut keeps what stood whole before the cut, as long as that is one TLV at least. */
static enum verdict read_cdp(struct reader *r)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00 };
	struct cursor c = r->bytes;
	unsigned whole = 0;
	uint8_t version;

	if (!cursor_starts(&c, snap, sizeof snap))
		return NOT_MINE;
	cursor_skip(&c, sizeof snap);
	version = cursor_u8(&c);
	cursor_skip(&c, 3);
	if (!cursor_ok(&c) || version == 0 || version > VERSIONS)
		return NOT_MINE;
	while (cursor_left(&c) >= TLV_HEAD_BYTES) {
		uint16_t type = cursor_u16be(&c), len = cursor_u16be(&c);
		struct cursor value = cursor_take(&c, len < TLV_HEAD_BYTES ? SIZE_MAX : (size_t)len - TLV_HEAD_BYTES);

		if (type == 0 || type > TLV_LAST || !cursor_ok(&value))
			break;
		read_tlv(r, type, value);
		whole++;
	}
	r->sender_role = ROLE_PEER;
	return whole ? MINE : NOT_MINE;
}

const struct classifier classifier_cdp = {
	.name = "cdp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_LLC },
	.read = read_cdp,
};
