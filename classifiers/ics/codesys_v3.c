/*
 * CODESYS V3: controllers of many makers that run its runtime, as they answer who they are.
 *
 * 3S does not publish it; the layout is that of open readers of its datagrams. In TCP every datagram has
 * a block header of {00 01 17 E8, whole length (little-endian)} before it.
 *
 *	 0    1        2          3         4    5
 *	+----+--------+----------+---------+----+---------+-----------+----------+--------+--------+---------
 *	| C5 | hops   | priority | service | id | lengths | [channel] | receiver | sender | to 4 n | payload
 *	|    | header | .. bytes |         |    | (words) |           |          |        |        |
 *	+----+--------+----------+---------+----+---------+-----------+----------+--------+--------+---------
 *
 * Header is given in words and is 3, or 4 with the number of a broadcast. The name service's answer is
 * {C280, version, id, ... lengths, target type, id, version, ... node, device, vendor as UTF-16, serial},
 * little-endian. A channel carries requests in blocks, the first of which says of which component what is wanted:
 *
 *	 0    1       2         4       8     12       16      20        22     24      26        28
 *	+----+-------+---------+-------+-----+--------+-------+---------+------+-------+---------+--------
 *	| 01 | 80+01 | channel | block | ack | length | CRC32 | 55 CD   | size | group | service | session ...
 *	+----+-------+---------+-------+-----+--------+-------+---------+------+-------+---------+--------
 *
 * Groups and services as the runtime's own interface files (CmpAppItf, CmpFileTransferItf) and Microsoft's reader
 * for forensics name them.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	TCP_FIRST_PORT = 11740, UDP_FIRST_PORT = 1740, PORTS = 4,
	BLOCK_HEADER_BYTES = 8,
	HEADER_BYTES = 6,
	LONGEST = 8192,
	MAGIC = 0xc5,
	IDENTITY = 0xc280, ASK_IDENTITY = 0xc202,
	NAMES_OFFSET = 48,
	ADDRESS_WORDS_MAX = 8,
};

enum block { BLOCK_APPLICATION = 0x01, BLOCK_REQUEST = 0x80, BLOCK_FIRST = 0x01, REQUEST_MAGIC = 0xcd55, GROUP_ANSWER = 0x80 };
enum group { GROUP_APP = 0x02, GROUP_SHELL = 0x11 };
enum service { NOTIFY_REQUEST = 1, NOTIFY_RESPONSE, NAME_REQUEST, NAME_RESPONSE, CHANNEL = 0x40 };

struct datagram {
	uint8_t service;
	bool addressed;
	struct cursor payload;
};

static bool usual_port(const struct reader *r, uint16_t port)
{
	uint16_t first = r->transport == TRANSPORT_TCP ? TCP_FIRST_PORT : UDP_FIRST_PORT;

	return port >= first && port < first + PORTS;
}

static bool read_datagram(struct cursor c, struct datagram *d)
{
	size_t whole = cursor_left(&c);
	uint8_t magic = cursor_u8(&c), header = cursor_u8(&c) & 7, lengths, sender, receiver;

	cursor_skip(&c, 1);
	d->service = cursor_u8(&c);
	cursor_skip(&c, 1);
	lengths = cursor_u8(&c);
	sender = lengths >> 4;
	receiver = lengths & 15;
	cursor_skip(&c, header == 4 ? 2 : 0);
	cursor_skip(&c, 2u * sender + 2u * receiver);
	if (!cursor_ok(&c) || magic != MAGIC || (header != 3 && header != 4) || sender > ADDRESS_WORDS_MAX || receiver > ADDRESS_WORDS_MAX ||
	    (d->service > NAME_RESPONSE && d->service != CHANNEL) || d->service < NOTIFY_REQUEST)
		return false;
	d->addressed = sender || receiver;
	if (cursor_left(&c))
		cursor_skip(&c, -(whole - cursor_left(&c)) & 3);
	d->payload = c;
	return cursor_ok(&c);
}

/* Does the payload prove it? A name service's does by its type; others are short and want the usual ports. */
static bool fits(const struct reader *r, const struct datagram *d)
{
	struct cursor c = d->payload;
	bool ports = usual_port(r, r->sender_port) && usual_port(r, r->receiver_port);
	uint16_t type = cursor_u16le(&c);

	if (r->transport == TRANSPORT_TCP)
		return true;
	switch (d->service) {
	case NAME_REQUEST:
		return (type & 0xff00) == (ASK_IDENTITY & 0xff00) && cursor_left(&c) >= 6;
	case NAME_RESPONSE:
		return type == IDENTITY && cursor_left(&c) >= NAMES_OFFSET - 2;
	case CHANNEL:
		return d->addressed && cursor_left(&d->payload) >= 4 && (usual_port(r, r->sender_port) || usual_port(r, r->receiver_port));
	default:
		return d->addressed && ports;
	}
}

struct lengths {
	uint16_t parent_bytes, node, device, vendor; /* names in characters */
	uint8_t serial;
};

static struct cursor take_name(struct cursor *c, uint16_t characters)
{
	struct cursor name = cursor_take(c, 2u * characters);

	cursor_skip(c, 2);
	return name;
}

static void tell_names(struct reader *r, struct cursor c, const struct lengths *n)
{
	struct cursor name;

	cursor_skip(&c, n->parent_bytes);
	name = take_name(&c, n->node);
	if (cursor_ok(&c))
		tell_utf16le(r, SENDER, NULL, ATTR_NAME, name);
	name = take_name(&c, n->device);
	if (cursor_ok(&c))
		tell_utf16le(r, SENDER, NULL, ATTR_PRODUCT, name);
	name = take_name(&c, n->vendor);
	if (cursor_ok(&c))
		tell_utf16le(r, SENDER, NULL, ATTR_VENDOR, name);
	name = cursor_take(&c, n->serial);
	if (cursor_ok(&c))
		tell(r, SENDER, NULL, ATTR_SERIAL, name);
}

static void read_identity(struct reader *r, struct cursor c)
{
	struct lengths n;
	uint32_t target, version;

	cursor_skip(&c, 12);
	n.parent_bytes = cursor_u16le(&c);
	n.node = cursor_u16le(&c);
	n.device = cursor_u16le(&c);
	n.vendor = cursor_u16le(&c);
	cursor_skip(&c, 4);
	target = cursor_u32le(&c);
	version = cursor_u32le(&c);
	cursor_skip(&c, 4);
	n.serial = cursor_u8(&c);
	cursor_skip(&c, 11);
	if (!cursor_ok(&c))
		return;
	tell_format(r, SENDER, NULL, ATTR_DEVICE_ID, "0x%08x", target);
	tell_format(r, SENDER, NULL, ATTR_VENDOR_ID, "0x%04x", target >> 16);
	tell_format(r, SENDER, NULL, ATTR_FIRMWARE, "%u.%u.%u.%u", version >> 24, version >> 16 & 0xff, version >> 8 & 0xff,
		    version & 0xff);
	tell_names(r, c, &n);
}

/* What an engineer wants of an application. Logging in is what panels do too, and so is no sign of one. */
static void tell_request(struct reader *r, struct cursor c)
{
	static const struct {
		uint8_t group, service;
		enum activity activity;
		const char *name;
	} requests[] = {
		{ GROUP_APP, 0x04, ACTIVITY_MEMORY_CLEAR, "delete application" }, { GROUP_APP, 0x05, ACTIVITY_PROGRAM_DOWNLOAD, "download" },
		{ GROUP_APP, 0x06, ACTIVITY_ONLINE_EDIT, "online change" },       { GROUP_APP, 0x07, ACTIVITY_PROGRAM_DOWNLOAD, "device download" },
		{ GROUP_APP, 0x10, ACTIVITY_MODE_RUN, "start" },                  { GROUP_APP, 0x11, ACTIVITY_MODE_STOP, "stop" },
		{ GROUP_APP, 0x12, ACTIVITY_RESET, "reset" },                     { GROUP_APP, 0x22, ACTIVITY_MODE_STOP, "single cycle" },
		{ GROUP_APP, 0x23, ACTIVITY_PROGRAM_DOWNLOAD, "create boot project" },
	};
	uint8_t kind = cursor_u8(&c), flags = cursor_u8(&c);
	uint16_t magic, group, service;

	cursor_skip(&c, 18);
	magic = cursor_u16le(&c);
	cursor_skip(&c, 2);
	group = cursor_u16le(&c);
	service = cursor_u16le(&c);
	if (!cursor_ok(&c) || kind != BLOCK_APPLICATION || flags != (BLOCK_REQUEST | BLOCK_FIRST) || magic != REQUEST_MAGIC || group & GROUP_ANSWER)
		return;
	if (group == GROUP_SHELL)
		tell_activity(r, NULL, ACTIVITY_ENGINEERING_SESSION, "command of the PLC shell (group 0x11)");
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		if (requests[i].group == group && requests[i].service == service)
			tell_activity(r, NULL, requests[i].activity, "%s (group 0x%02x, service 0x%02x)", requests[i].name, group, service);
}

static uint8_t role_of(const struct reader *r, uint8_t service)
{
	if (service == NAME_RESPONSE)
		return ROLE_SERVER;
	if (service == NAME_REQUEST)
		return ROLE_CLIENT;
	if (service != CHANNEL)
		return ROLE_PEER; /* who looks for its parent is a node itself */
	if (r->handshake != ROLE_UNKNOWN)
		return r->handshake;
	if (usual_port(r, r->sender_port) == usual_port(r, r->receiver_port))
		return ROLE_UNKNOWN;
	return usual_port(r, r->sender_port) ? ROLE_SERVER : ROLE_CLIENT;
}

static enum verdict read_block(struct reader *r, struct datagram *d)
{
	static const uint8_t magic[] = { 0x00, 0x01, 0x17, 0xe8 };
	struct cursor c = r->bytes;
	uint32_t whole;

	if (!cursor_starts(&c, magic, cursor_left(&c) < sizeof magic ? cursor_left(&c) : sizeof magic))
		return NOT_MINE;
	if (cursor_left(&c) < BLOCK_HEADER_BYTES)
		return NEED_MORE;
	cursor_skip(&c, sizeof magic);
	whole = cursor_u32le(&c);
	if (whole < BLOCK_HEADER_BYTES + HEADER_BYTES || whole > LONGEST)
		return NOT_MINE;
	if (cursor_left(&c) < whole - BLOCK_HEADER_BYTES)
		return r->truncated ? NOT_MINE : NEED_MORE;
	if (!read_datagram(cursor_take(&c, whole - BLOCK_HEADER_BYTES), d))
		return NOT_MINE;
	r->bytes = c;
	return MINE;
}

static enum verdict read_codesys_v3(struct reader *r)
{
	struct datagram d;
	struct cursor c;

	if (r->transport == TRANSPORT_TCP) {
		enum verdict v = read_block(r, &d);

		if (v != MINE)
			return v;
	} else if (!read_datagram(r->bytes, &d))
		return NOT_MINE;
	if (!fits(r, &d))
		return NOT_MINE;
	r->sender_role = role_or_guess(r, role_of(r, d.service));
	c = d.payload;
	if (d.service == NAME_RESPONSE && cursor_u16le(&c) == IDENTITY)
		read_identity(r, d.payload);
	if (d.service == CHANNEL)
		tell_request(r, d.payload);
	return MINE;
}

const struct classifier classifier_codesys_v3 = {
	.name = "codesys_v3",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { 1740, 1741, 1742, 1743, 11740, 11741, 11742, 11743 },
	.max_message = LONGEST,
	.read = read_codesys_v3,
};
