/*
 * PTP: clocks that name themselves, and the grandmaster that the others follow.
 * IEEE 1588-2019, clause 13; over Ethernet (annex F) and over UDP (annexes D and E); 802.1AS is the same on the wire.
 *
 *  0               1             2           4        5          6       8            16   20         28       30
 *  +---------------+-------------+-----------+--------+----------+-------+------------+----+----------+--------+----------+
 *  | sdo 4b|type 4b| minor|ver 2 | length u16| domain | minor sdo| flags | correction | -  | clock 8  | port   | sequence |
 *  +---------------+-------------+-----------+--------+----------+-------+------------+----+----------+--------+----------+
 *  announce, from 34: {origin 10}{utc offset 2}{-}{priority 1}{class, accuracy, variance 4}{priority 2}{grandmaster 8}
 *                     {steps u16}{time source}
 *  management, from 34: {target 10}{hops 2}{action}{-}{TLV type u16, length u16, id u16, data}
 *
 * Version 1 (2002) begins {0001}{0001}{subdomain 16}{type}{medium}{clock 6}; it is known, not looked into.
 */
#include "classifiers/api/classifier.h"

#include <inttypes.h>

enum { ETHERTYPE_PTP = 0x88f7, PORT_EVENT = 319, PORT_GENERAL = 320 };
enum { VERSION_2 = 2, HEADER_BYTES = 34, VERSION_1_BYTES = 40 };
enum {
	SYNC = 0x0, DELAY_REQUEST = 0x1, PEER_DELAY_REQUEST = 0x2, PEER_DELAY_RESPONSE = 0x3, FOLLOW_UP = 0x8,
	DELAY_RESPONSE = 0x9, PEER_DELAY_FOLLOW_UP = 0xa, ANNOUNCE = 0xb, SIGNALING = 0xc, MANAGEMENT = 0xd,
};
enum { TLV_MANAGEMENT = 1, ID_CLOCK_DESCRIPTION = 1, ACTION_RESPONSE = 2 };

/* The fewest bytes of each type; 0 for types that there are none of. 802.1AS pads its peer delay requests. */
static const uint8_t least_bytes[16] = {
	[SYNC] = 44, [DELAY_REQUEST] = 44, [PEER_DELAY_REQUEST] = 54, [PEER_DELAY_RESPONSE] = 54, [FOLLOW_UP] = 44,
	[DELAY_RESPONSE] = 54, [PEER_DELAY_FOLLOW_UP] = 54, [ANNOUNCE] = 64, [SIGNALING] = 44, [MANAGEMENT] = 48,
};

static void tell_time_source(struct reader *r, uint8_t source)
{
	static const struct { uint8_t code; const char *name; } sources[] = {
		{ 0x10, "atomic clock" }, { 0x20, "satellites" }, { 0x30, "radio" }, { 0x39, "serial time code" },
		{ 0x40, "PTP" }, { 0x50, "NTP" }, { 0x60, "set by hand" }, { 0x90, "other" }, { 0xa0, "own oscillator" },
	};

	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (sources[i].code == source)
			tell_format(r, SENDER, NULL, ATTR_DESCRIPTION, "time source: %s", sources[i].name);
}

/* Only the clock that all others follow has its own identity here; who passes another's on has more than one port. */
static void read_announce(struct reader *r, struct cursor c, uint64_t clock)
{
	uint64_t grandmaster;
	uint16_t steps;

	cursor_skip(&c, 10 + 2 + 1 + 1 + 4 + 1);
	grandmaster = cursor_u64be(&c);
	steps = cursor_u16be(&c);
	if (!cursor_ok(&c))
		return;
	if (grandmaster == clock && steps == 0) {
		tell_text(r, SENDER, NULL, ATTR_ROLE, "ptp-grandmaster");
		tell_time_source(r, cursor_u8(&c));
	} else if (grandmaster) {
		tell_text(r, SENDER, NULL, ATTR_ROLE, "ptp-boundary-clock");
	}
}

/* {length u8}{text}, made of parts between semicolons. */
static struct cursor take_text(struct cursor *c)
{
	return cursor_take(c, cursor_u8(c));
}

static void tell_parts(struct reader *r, struct cursor text, const enum attribute *attributes, size_t count)
{
	for (size_t i = 0; i < count && cursor_left(&text); i++) {
		ptrdiff_t end = cursor_find(&text, ';');

		tell(r, SENDER, NULL, attributes[i], cursor_take(&text, end < 0 ? cursor_left(&text) : (size_t)end));
		cursor_skip(&text, end < 0 ? 0 : 1);
	}
}

/* IEEE 1588-2019, 15.5.3.1.2: who made the clock, its revisions, what its owner calls it. */
static void read_clock_description(struct reader *r, struct cursor c)
{
	static const enum attribute product[] = { ATTR_VENDOR, ATTR_PRODUCT, ATTR_SERIAL };
	static const enum attribute revision[] = { ATTR_HARDWARE, ATTR_FIRMWARE, ATTR_SOFTWARE };
	static const enum attribute user[] = { ATTR_NAME, ATTR_LOCATION };

	cursor_skip(&c, 2);
	take_text(&c);
	cursor_skip(&c, cursor_u16be(&c));
	cursor_skip(&c, 2);
	cursor_skip(&c, cursor_u16be(&c));
	cursor_skip(&c, 4);
	tell_parts(r, take_text(&c), product, 3);
	tell_parts(r, take_text(&c), revision, 3);
	tell_parts(r, take_text(&c), user, 2);
}

static void read_management(struct reader *r, struct cursor c)
{
	uint8_t action;
	uint16_t type, len, id;

	cursor_skip(&c, 12);
	action = cursor_u8(&c) & 0xf;
	cursor_skip(&c, 1);
	type = cursor_u16be(&c);
	len = cursor_u16be(&c);
	id = cursor_u16be(&c);
	if (cursor_ok(&c) && len > 2 && type == TLV_MANAGEMENT && id == ID_CLOCK_DESCRIPTION && action == ACTION_RESPONSE)
		read_clock_description(r, cursor_take(&c, (size_t)len - 2));
}

static enum verdict read_version_1(struct reader *r, struct cursor c)
{
	static const char subdomains[][6] = { "_DFLT", "_ALT1", "_ALT2", "_ALT3" };
	struct cursor subdomain;
	uint8_t type;

	cursor_skip(&c, 2);
	if (cursor_u16be(&c) != 1 || cursor_left(&c) < VERSION_1_BYTES - 4)
		return NOT_MINE;
	subdomain = cursor_take(&c, 16);
	type = cursor_u8(&c);
	for (size_t i = 0; i < sizeof subdomains / sizeof *subdomains; i++)
		if (cursor_starts(&subdomain, subdomains[i], sizeof subdomains[i]) && (type == 1 || type == 2)) {
			r->sender_role = ROLE_PEER;
			return MINE;
		}
	return NOT_MINE;
}

static enum verdict read_version_2(struct reader *r, struct cursor c)
{
	uint8_t type = cursor_u8(&c) & 0xf;
	uint16_t len;
	uint64_t clock;

	cursor_skip(&c, 1);
	len = cursor_u16be(&c);
	if (least_bytes[type] == 0 || len < least_bytes[type] || (len - 4u > cursor_left(&c) && !r->truncated))
		return NOT_MINE;
	cursor_skip(&c, 1 + 1 + 2 + 8 + 4);
	clock = cursor_u64be(&c);
	cursor_skip(&c, 2 + 2 + 1 + 1);
	if (!cursor_ok(&c) || clock == 0)
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "0x%016" PRIx64, clock);
	if (type == ANNOUNCE)
		read_announce(r, c, clock);
	else if (type == MANAGEMENT)
		read_management(r, c);
	return MINE;
}

/* Over UDP both ports are fixed by the standard; other datagrams are none of it. */
static enum verdict read_ptp(struct reader *r)
{
	struct cursor c = r->bytes;

	if (r->transport == TRANSPORT_UDP && r->receiver_port != PORT_EVENT && r->receiver_port != PORT_GENERAL)
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES)
		return NOT_MINE;
	if (r->transport == TRANSPORT_UDP && cursor_starts(&c, "\0\1", 2))
		return read_version_1(r, c);
	return (cursor_peek(&c, 1) & 0xf) == VERSION_2 ? read_version_2(r, c) : NOT_MINE;
}

const struct classifier classifier_ptp = {
	.name = "ptp",
	.transports = 1 << TRANSPORT_ETHERNET | 1 << TRANSPORT_UDP,
	.ports = { PORT_EVENT, PORT_GENERAL },
	.ethertypes = { ETHERTYPE_PTP },
	.read = read_ptp,
};
