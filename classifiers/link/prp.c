/*
 * PRP and HSR: nodes that hang on two networks or in a ring tell so, and redundancy boxes for whom they stand.
 * IEC 62439-3, 4.3 and 5.7 (supervision frames).
 *
 *  {path 4 bits}{version 12 bits}, from version 1 on {sequence u16}, then {type u8}{length u8}{value}..., ended by type 0
 *  20, 21 node of PRP    23 node of HSR    30 redundancy box    31 node behind one: {MAC 6}, the first three may have two
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum { ETHERTYPE_PRP = 0x88fb, VERSIONS = 1, MAC_BYTES = 6 };
enum { NODE_DISCARDS = 20, NODE_ACCEPTS = 21, NODE_HSR = 23, BOX = 30, BEHIND_BOX = 31 };

static bool is_station(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, sizeof none) != 0;
}

static void mac_text(char text[18], const uint8_t m[6])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* The node that is announced: the sender itself, or one that has a single port and is behind the sender. */
static void tell_node(struct reader *r, uint8_t type, const uint8_t mac[6])
{
	char text[18], path[40];

	mac_text(text, mac);
	if (type != BEHIND_BOX && memcmp(mac, r->sender->mac, MAC_BYTES) == 0) {
		tell_text(r, SENDER, NULL, ATTR_ROLE, type == NODE_HSR ? "hsr-node" : "prp-node");
		tell_text(r, SENDER, NULL, ATTR_MAC, text);
		return;
	}
	snprintf(path, sizeof path, "prp/0/node:%s", text);
	tell_subasset(r, SENDER, path);
	tell_text(r, SENDER, path, ATTR_MAC, text);
}

static bool is_part(uint8_t type, uint8_t len)
{
	if (type == NODE_DISCARDS || type == NODE_ACCEPTS || type == NODE_HSR)
		return len == MAC_BYTES || len == 2 * MAC_BYTES;
	return (type == BOX || type == BEHIND_BOX) && len == MAC_BYTES;
}

static enum verdict read_prp(struct reader *r)
{
	struct cursor c = r->bytes;
	uint16_t version = cursor_u16be(&c) & 0xfff;
	unsigned parts = 0;

	if (version > VERSIONS)
		return NOT_MINE;
	if (version)
		cursor_skip(&c, 2);
	while (cursor_left(&c) >= 2) {
		uint8_t type = cursor_u8(&c), len = cursor_u8(&c), mac[MAC_BYTES];
		struct cursor value = cursor_take(&c, len);

		if (type == 0)
			break;
		if (!is_part(type, len) || !cursor_copy(&value, mac, sizeof mac) || !is_station(mac))
			return NOT_MINE;
		parts++;
		if (type == BOX)
			tell_text(r, SENDER, NULL, ATTR_ROLE, "redundancy-box");
		else
			tell_node(r, type, mac);
	}
	r->sender_role = ROLE_PEER;
	return parts ? MINE : NOT_MINE;
}

const struct classifier classifier_prp = {
	.name = "prp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_PRP },
	.read = read_prp,
};
