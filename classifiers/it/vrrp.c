/*
 * VRRP: routers that share an address, and which of them has it now. RFC 3768 (version 2), RFC 9568 (version 3).
 *
 *   0               1          2          3        4               6          8
 *  +---------------+----------+----------+--------+---------------+----------+-----------+-------------
 *  | version, type | group    | priority | count  | interval      | checksum | addresses | 8 of version 2
 *  +---------------+----------+----------+--------+---------------+----------+-----------+-------------
 *
 * Only who has the addresses advertises. Of version 2 the interval is {authentication}{seconds}; its 8 bytes at the end
 * are a password and passed over; Cisco's routers may put a digest behind them, {254}{28}{...}. CARP wears the same number
 * and the same first byte: it has no such end.
 */
#include "classifiers/api/classifier.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { PROTOCOL_VRRP = 112, HEADER_BYTES = 8, PASSWORD_BYTES = 8, ADVERTISEMENT = 1 };
enum { DIGEST = 254, DIGEST_BYTES = 28 };

static size_t body_bytes(const struct reader *r, uint8_t version, uint8_t count)
{
	return HEADER_BYTES + count * (r->sender->family == 6 ? 16u : 4u) + (version == 2 ? PASSWORD_BYTES : 0);
}

static bool is_length(const struct reader *r, uint8_t version, uint8_t count)
{
	struct cursor c = r->bytes;
	size_t len = body_bytes(r, version, count);

	if (count == 0 || (r->truncated && cursor_left(&c) < len))
		return count && r->truncated;
	cursor_skip(&c, len);
	return cursor_ok(&c) && (cursor_left(&c) == 0 || (version == 2 && cursor_u8(&c) == DIGEST && cursor_u8(&c) == DIGEST_BYTES &&
							 cursor_left(&c) == DIGEST_BYTES));
}

/* The sum of version 2 is over the message alone, without the digest. */
static bool is_whole(const struct reader *r, uint8_t version, uint8_t count)
{
	struct cursor bytes = r->bytes, c = cursor_take(&bytes, body_bytes(r, version, count));
	uint32_t sum = 0;

	if (version != 2 || !cursor_ok(&c))
		return true;
	while (cursor_left(&c))
		sum += cursor_u16be(&c);
	sum = (sum & 0xffff) + (sum >> 16);
	return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

static void tell_addresses(struct reader *r, const char *path, struct cursor c, uint8_t count)
{
	size_t len = r->sender->family == 6 ? 16 : 4;
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	while (count-- && cursor_copy(&c, ip, len))
		if (inet_ntop(len == 16 ? AF_INET6 : AF_INET, ip, text, sizeof text))
			tell_text(r, SENDER, path, ATTR_IP, text);
}

/* Section 7.3 of the RFC; who advertises from its own MAC (it may) doesn't use the shared one. */
static void tell_shared_mac(struct reader *r, const char *path, uint8_t group)
{
	const uint8_t *m = r->sender->mac;
	const uint8_t shared[6] = { 0, 0, 0x5e, 0, r->sender->family == 6 ? 2 : 1, group };

	if (memcmp(m, shared, sizeof shared) == 0)
		tell_format(r, SENDER, path, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static enum verdict read_vrrp(struct reader *r)
{
	struct cursor c = r->bytes;
	uint8_t first = cursor_u8(&c), group = cursor_u8(&c), priority = cursor_u8(&c), count = cursor_u8(&c);
	uint8_t version = first >> 4;
	char path[32];

	cursor_skip(&c, 4);
	if (!cursor_ok(&c) || (first & 15) != ADVERTISEMENT || version < 2 || version > 3 || group == 0 ||
	    !is_length(r, version, count) || !is_whole(r, version, count))
		return NOT_MINE;
	snprintf(path, sizeof path, "vrrp/0/group:%u", group);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "router");
	tell_subasset(r, SENDER, path);
	tell_addresses(r, path, c, count);
	tell_shared_mac(r, path, group);
	tell_text(r, SENDER, path, ATTR_STATE, priority ? "master" : "resigned");
	tell_format(r, SENDER, path, ATTR_DESCRIPTION, "priority %u", priority);
	r->sender_role = ROLE_PEER;
	return MINE;
}

const struct classifier classifier_vrrp = {
	.name = "vrrp",
	.transports = 1 << TRANSPORT_IP,
	.ethertypes = { PROTOCOL_VRRP },
	.read = read_vrrp,
};
