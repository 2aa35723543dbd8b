/*
 * Spanning tree in all its kinds: bridges that say who they are and whom they take for the root.
 * IEEE 802.1D-2004, clause 9.3; 802.1Q-2018, clause 14; Cisco's PVST+ wraps the same in SNAP.
 *
 *  LLC 42 42 03 |                        0000 | version u8 | type u8 | rest
 *  LLC aa aa 03 | OUI 00000c | 010b |    the same, then {0000}{length 2}{VLAN u16}
 *  types 00 and 02: {flags}{root 8}{cost u32}{bridge 8}{port u16}{age, longest age, hello, delay: u16 in 1/256 s}
 *  an id of 8 bytes is {priority 4 bits}{system id 12 bits}{MAC 6}
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum { VERSION_STP = 0, VERSION_RSTP = 2, VERSION_SPB = 4 };
enum { BPDU_CONFIGURATION = 0x00, BPDU_RAPID = 0x02, BPDU_TOPOLOGY_CHANGE = 0x80 };

struct bridge {
	uint16_t priority;
	uint8_t mac[6];
};

static struct bridge take_bridge(struct cursor *c)
{
	struct bridge b = { .priority = cursor_u16be(c) };

	cursor_copy(c, b.mac, sizeof b.mac);
	return b;
}

static void tell_bridge(struct reader *r, const struct bridge *b)
{
	char mac[18];
	const uint8_t *m = b->mac;

	snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	tell_text(r, SENDER, NULL, ATTR_MAC, mac);
	tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "%u/%s", b->priority, mac);
}

/* The ages are what no other bytes would hold: bridges keep them between 1 and 40 seconds. */
static bool sound_times(struct cursor c)
{
	enum { SECOND = 256, AGE_MIN_S = 6, AGE_MAX_S = 40, HELLO_MAX_S = 10, DELAY_MIN_S = 4, DELAY_MAX_S = 30 };
	uint16_t age = cursor_u16be(&c), longest = cursor_u16be(&c), hello = cursor_u16be(&c), delay = cursor_u16be(&c);

	return cursor_ok(&c) && age <= longest && longest >= AGE_MIN_S * SECOND && longest <= AGE_MAX_S * SECOND &&
	       hello >= SECOND / 4 && hello <= HELLO_MAX_S * SECOND && delay >= DELAY_MIN_S * SECOND &&
	       delay <= DELAY_MAX_S * SECOND;
}

static enum verdict read_configuration(struct reader *r, struct cursor c)
{
	static const uint8_t none[6];
	struct bridge root, bridge;
	uint32_t cost;

	cursor_skip(&c, 1);
	root = take_bridge(&c);
	cost = cursor_u32be(&c);
	bridge = take_bridge(&c);
	cursor_skip(&c, 2);
	if (!cursor_ok(&c) || memcmp(bridge.mac, none, 6) == 0 || bridge.mac[0] & 1 || !sound_times(c))
		return NOT_MINE;
	tell_bridge(r, &bridge);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "bridge");
	if (cost == 0 && root.priority == bridge.priority && memcmp(root.mac, bridge.mac, 6) == 0)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "spanning-tree-root");
	return MINE;
}

static enum verdict read_stp(struct reader *r)
{
	static const uint8_t llc[] = { 0x42, 0x42, 0x03 };
	static const uint8_t pvst[] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x01, 0x0b };
	struct cursor c = r->bytes;
	uint16_t protocol;
	uint8_t version, type;

	if (cursor_starts(&c, llc, sizeof llc))
		cursor_skip(&c, sizeof llc);
	else if (cursor_starts(&c, pvst, sizeof pvst))
		cursor_skip(&c, sizeof pvst);
	else
		return NOT_MINE;
	protocol = cursor_u16be(&c);
	version = cursor_u8(&c);
	type = cursor_u8(&c);
	if (!cursor_ok(&c) || protocol != 0 || version > VERSION_SPB || version == 1)
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	if (type == BPDU_TOPOLOGY_CHANGE && version == VERSION_STP)
		return MINE;
	if ((type == BPDU_CONFIGURATION && version == VERSION_STP) || (type == BPDU_RAPID && version >= VERSION_RSTP))
		return read_configuration(r, c);
	return NOT_MINE;
}

const struct classifier classifier_stp = {
	.name = "stp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_LLC },
	.read = read_stp,
};
