/*
 * Beckhoff ADS/AMS (TwinCAT): NetIDs, runtimes, and the discovery datagrams with name, system and version.
 *
 * Beckhoff Information System, "TwinCAT ADS/AMS - Specification" (TE1000), sections AMS/TCP packet and
 * ADS commands. The datagrams of port 48899 are not published; their layout is that of Beckhoff's own
 * open library (AdsLib).
 *
 *	TCP 48898
 *	 0      2        6            12           14           20           22    24      26      30      34         38
 *	+------+--------+------------+------------+------------+------------+-----+-------+-------+-------+----------+-----
 *	| 0000 | length | target net | target port| source net | source port| cmd | flags | bytes | error | invoke id| data
 *	+------+--------+------------+------------+------------+------------+-----+-------+-------+-------+----------+-----
 *	length = 32 + bytes; all numbers little-endian
 *
 *	UDP 48899
 *	 0          4          8    12       18     20       24
 *	+----------+----------+----+--------+------+--------+-----------------------
 *	| 03661471 | request  | op | net id | port | blocks | {tag, bytes, data} ...
 *	+----------+----------+----+--------+------+--------+-----------------------
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum {
	ADS_PORT = 48898, DISCOVERY_PORT = 48899,
	TCP_HEADER_BYTES = 6, AMS_HEADER_BYTES = 32, HEADERS_BYTES = TCP_HEADER_BYTES + AMS_HEADER_BYTES,
	DISCOVERY_HEADER_BYTES = 24,
	LONGEST = 16384,
	NET_ID_BYTES = 6,
	LARGEST_DATA = 1 << 24,
	DISCOVERY_REPLY = 0x80000000,
	SYSTEM_PORT = 10000,
};

enum { FLAG_RESPONSE = 1, FLAG_COMMAND = 4 };
enum { READ_DEVICE_INFO = 1, READ_STATE = 4, LAST_COMMAND = 9 };
enum { ERROR_NO_PORT = 6, ERROR_NO_MACHINE = 7 };
enum { OP_IDENTIFY = 1, OP_ADD_ROUTE = 6, LAST_OP = 8 };
enum tag { TAG_VERSION = 3, TAG_SYSTEM = 4, TAG_HOST = 5, TAG_NET_ID = 7, TAG_ROUTE = 12, TAG_FINGERPRINT = 0x12 };
enum { PLATFORM_NT = 2, PLATFORM_CE = 3 };

struct memo {
	uint8_t own[2][NET_ID_BYTES];  /* of each end, the first one seen */
	uint8_t last[2][NET_ID_BYTES]; /* of each end, another one that was told last */
	uint16_t state_port;           /* of the last state that was told */
	uint16_t state;
	bool known[2];
	bool again[2]; /* the own one is to be told again */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct ams {
	struct cursor target, source;
	uint16_t source_port, command, flags;
	uint32_t bytes, error;
	struct cursor data;
};

/* The headers; lengths twice, a command and flags of which only two values are in use. */
static bool read_headers(struct cursor *c, struct ams *m)
{
	uint16_t reserved = cursor_u16le(c);
	uint32_t length = cursor_u32le(c);

	m->target = cursor_take(c, NET_ID_BYTES);
	cursor_skip(c, 2);
	m->source = cursor_take(c, NET_ID_BYTES);
	m->source_port = cursor_u16le(c);
	m->command = cursor_u16le(c);
	m->flags = cursor_u16le(c);
	m->bytes = cursor_u32le(c);
	m->error = cursor_u32le(c);
	cursor_skip(c, 4);
	return cursor_ok(c) && reserved == 0 && m->bytes <= LARGEST_DATA && length == m->bytes + AMS_HEADER_BYTES &&
	       m->command >= 1 && m->command <= LAST_COMMAND && (m->flags & ~FLAG_RESPONSE) == FLAG_COMMAND;
}

/* Could these few bytes become a message? */
static bool may_begin(struct cursor c)
{
	static const uint8_t zeros[2];
	size_t n = cursor_left(&c) < sizeof zeros ? cursor_left(&c) : sizeof zeros;
	uint32_t length;

	if (!cursor_starts(&c, zeros, n))
		return false;
	if (cursor_left(&c) < TCP_HEADER_BYTES)
		return true;
	cursor_skip(&c, 2);
	length = cursor_u32le(&c);
	return length >= AMS_HEADER_BYTES && length <= LARGEST_DATA;
}

static void format_net_id(char to[FINDING_PATH_BYTES], struct cursor id)
{
	uint8_t b[NET_ID_BYTES];

	cursor_copy(&id, b, sizeof b);
	snprintf(to, FINDING_PATH_BYTES, "%u.%u.%u.%u.%u.%u", b[0], b[1], b[2], b[3], b[4], b[5]);
}

/* The first NetID of an end is its own; others, when they speak, are masters and routed stations behind it. */
static void tell_net_id(struct reader *r, struct memo *memo, enum side side, struct cursor id)
{
	static const uint8_t none[NET_ID_BYTES];
	unsigned end = side == SENDER ? r->direction : !r->direction;
	char text[FINDING_PATH_BYTES], path[FINDING_PATH_BYTES + 32];

	if (cursor_starts(&id, none, sizeof none))
		return;
	if (!memo->known[end] || (memo->again[end] && cursor_starts(&id, memo->own[end], NET_ID_BYTES))) {
		memcpy(memo->own[end], id.at, NET_ID_BYTES);
		memo->known[end] = true;
		memo->again[end] = false;
		format_net_id(text, id);
		tell_text(r, side, NULL, ATTR_NETWORK_ADDRESS, text);
	} else if (side == SENDER && !cursor_starts(&id, memo->own[end], NET_ID_BYTES) &&
		   !cursor_starts(&id, memo->last[end], NET_ID_BYTES)) {
		format_net_id(text, id);
		memcpy(memo->last[end], id.at, NET_ID_BYTES);
		snprintf(path, sizeof path, "ads/%u/netid:%s", r->sender_port, text);
		tell_subasset(r, SENDER, path);
	}
}

static void read_device_info(struct reader *r, const struct ams *m, const char *path)
{
	struct cursor c = m->data, name;
	uint8_t major, minor;
	uint16_t build;
	char text[17];

	if (cursor_u32le(&c) != 0)
		return;
	major = cursor_u8(&c);
	minor = cursor_u8(&c);
	build = cursor_u16le(&c);
	name = cursor_take(&c, 16);
	if (!cursor_ok(&c))
		return;
	cursor_copy(&name, text, 16);
	text[16] = 0;
	tell_text(r, SENDER, path, ATTR_PRODUCT, text);
	tell_format(r, SENDER, path, ATTR_FIRMWARE, "%u.%u.%u", major, minor, build);
	tell_format(r, SENDER, NULL, ATTR_SOFTWARE, "%s %u.%u.%u", text, major, minor, build);
}

static const char *state_name(uint16_t state)
{
	static const char *const names[] = {
		[1] = "idle", [2] = "reset", [3] = "init", [4] = "start", [5] = "run", [6] = "stop", [10] = "power failure",
		[11] = "power good", [12] = "error", [13] = "shutdown", [15] = "config", [16] = "reconfig",
	};

	return state < sizeof names / sizeof *names ? names[state] : NULL;
}

static void read_state(struct reader *r, struct memo *memo, const struct ams *m, const char *path)
{
	struct cursor c = m->data;
	uint32_t result = cursor_u32le(&c);
	uint16_t state = cursor_u16le(&c);

	if (!cursor_ok(&c) || result || !state_name(state) || (memo->state_port == m->source_port && memo->state == state))
		return;
	memo->state_port = m->source_port;
	memo->state = state;
	tell_text(r, SENDER, m->source_port == SYSTEM_PORT ? NULL : path, ATTR_STATE, state_name(state));
}

static void read_response(struct reader *r, struct memo *memo, const struct ams *m)
{
	char path[FINDING_PATH_BYTES + 32], net_id[FINDING_PATH_BYTES];

	if (m->error || (m->command != READ_DEVICE_INFO && m->command != READ_STATE))
		return;
	format_net_id(net_id, m->source);
	snprintf(path, sizeof path, "ads/%u/ams:%s.%u", r->sender_port, net_id, m->source_port);
	if (m->command == READ_DEVICE_INFO)
		read_device_info(r, m, path);
	else
		read_state(r, memo, m, path);
}

static enum verdict read_tcp(struct reader *r)
{
	struct cursor c = r->bytes;
	struct ams m;

	if (cursor_left(&c) < HEADERS_BYTES)
		return may_begin(c) ? NEED_MORE : NOT_MINE;
	if (!read_headers(&c, &m))
		return NOT_MINE;
	/* Uploads of symbols have no bound; of what doesn't fit only the header is of interest. */
	if (cursor_left(&c) < m.bytes && m.bytes <= LONGEST - HEADERS_BYTES && !r->truncated)
		return NEED_MORE;
	m.data = cursor_take(&c, cursor_left(&c) < m.bytes ? cursor_left(&c) : m.bytes);
	r->bytes = c;
	r->sender_role = m.flags & FLAG_RESPONSE ? ROLE_SERVER : ROLE_CLIENT;
	/* "No such machine" is the router's word, under an address that isn't there. */
	if (m.error != ERROR_NO_MACHINE)
		tell_net_id(r, r->memo, SENDER, m.source);
	tell_net_id(r, r->memo, RECEIVER, m.target);
	if (m.flags & FLAG_RESPONSE)
		read_response(r, r->memo, &m);
	return MINE;
}

/* OSVERSIONINFO of Windows. What other platforms there are is not written anywhere. */
static void tell_system(struct reader *r, struct cursor c)
{
	uint32_t major, minor, build, platform;

	cursor_skip(&c, 4);
	major = cursor_u32le(&c);
	minor = cursor_u32le(&c);
	build = cursor_u32le(&c);
	platform = cursor_u32le(&c);
	if (cursor_ok(&c) && (platform == PLATFORM_NT || platform == PLATFORM_CE))
		tell_format(r, SENDER, NULL, ATTR_OS, "Windows %s %u.%u.%u", platform == PLATFORM_NT ? "NT" : "CE", major, minor, build);
}

static void tell_version(struct reader *r, struct cursor c)
{
	uint8_t major = cursor_u8(&c), minor = cursor_u8(&c);
	uint16_t build = cursor_u16le(&c);

	if (!cursor_ok(&c))
		return;
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "Beckhoff");
	tell_format(r, SENDER, NULL, ATTR_SOFTWARE, "TwinCAT %u.%u.%u", major, minor, build);
}

/* Who adds a route states his address as a host name or as an IP address; only a name is one. */
static bool is_name(struct cursor c)
{
	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c);

		if ((b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z'))
			return true;
	}
	return false;
}

/* Tags 2 and 13 are a password and a user in clear: they are not looked at. */
static void read_tag(struct reader *r, bool adds_route, uint16_t tag, struct cursor data)
{
	switch (tag) {
	case TAG_VERSION:
		tell_version(r, data);
		break;
	case TAG_SYSTEM:
		tell_system(r, data);
		break;
	case TAG_HOST:
		if (is_name(data))
			tell(r, SENDER, NULL, ATTR_HOSTNAME, data);
		break;
	case TAG_ROUTE:
		if (adds_route)
			tell(r, SENDER, NULL, ATTR_NAME, data);
		break;
	case TAG_FINGERPRINT:
		tell(r, SENDER, NULL, ATTR_FINGERPRINT, data);
		break;
	default:
		break;
	}
}

static enum verdict read_discovery(struct reader *r)
{
	static const uint8_t magic[] = { 0x03, 0x66, 0x14, 0x71 };
	struct cursor c = r->bytes, net_id;
	char text[FINDING_PATH_BYTES];
	uint32_t op, blocks;

	if (!cursor_starts(&c, magic, sizeof magic))
		return NOT_MINE;
	cursor_skip(&c, 8);
	op = cursor_u32le(&c);
	net_id = cursor_take(&c, NET_ID_BYTES);
	cursor_skip(&c, 2);
	blocks = cursor_u32le(&c);
	if (!cursor_ok(&c) || (op & ~DISCOVERY_REPLY) > LAST_OP || blocks > cursor_left(&c) / 4 + r->truncated)
		return NOT_MINE;
	r->sender_role = op & DISCOVERY_REPLY ? ROLE_SERVER : ROLE_CLIENT;
	if (r->sender_role == ROLE_SERVER || op == OP_ADD_ROUTE) {
		format_net_id(text, net_id);
		tell_text(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, text);
	}
	if (op == OP_ADD_ROUTE)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "engineering station");
	for (uint32_t i = 0; i < blocks; i++) {
		uint16_t tag = cursor_u16le(&c);
		struct cursor data = cursor_take(&c, cursor_u16le(&c));

		if (!cursor_ok(&c))
			break;
		if (r->sender_role == ROLE_SERVER || op == OP_ADD_ROUTE)
			read_tag(r, op == OP_ADD_ROUTE, tag, data);
	}
	return MINE;
}

static enum verdict read_ads(struct reader *r)
{
	return r->transport == TRANSPORT_TCP ? read_tcp(r) : read_discovery(r);
}

static void forget_ads(void *flow)
{
	struct memo *memo = flow;

	memset(memo->last, 0, sizeof memo->last);
	memo->again[0] = memo->again[1] = true;
	memo->state_port = memo->state = 0;
}

const struct classifier classifier_ads = {
	.name = "ads",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { ADS_PORT, DISCOVERY_PORT },
	.max_message = LONGEST,
	.read = read_ads,
	.forget = forget_ads,
};
