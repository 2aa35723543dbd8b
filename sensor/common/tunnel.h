/*
 * What a mirror or a carrier puts round the plant's frames: GRE with ERSPAN, VXLAN, GENEVE, TZSP,
 * MPLS, PPPoE, IP in IP, Teredo, GTP-U, AYIYA. Taken off before anything is said of a device.
 */
#ifndef SENSOR_COMMON_TUNNEL_H
#define SENSOR_COMMON_TUNNEL_H

#include "classifiers/api/cursor.h"

enum tunnel {
	TUNNEL_NONE,
	TUNNEL_GRE,
	TUNNEL_IP,
	TUNNEL_VXLAN,
	TUNNEL_VXLAN_GPE,
	TUNNEL_GENEVE,
	TUNNEL_TZSP,
	TUNNEL_GTP_U,
	TUNNEL_AYIYA,
	TUNNEL_MPLS,
	TUNNEL_PPPOE,
	TUNNEL_PPP,
};

/* Stands for "an Ethernet header follows" where an ethertype is given back. */
enum { TUNNEL_ETHERNET = 0x6558 };

/* Which tunnel, if any, these bytes behind a header of that kind are; judged by structure too. */
enum tunnel tunnel_in_ip(uint8_t protocol, const struct cursor *c);
enum tunnel tunnel_in_ethernet(uint16_t ethertype);
enum tunnel tunnel_in_udp_of(uint16_t source_port, uint16_t target_port, const struct cursor *c);

enum tunnel_port {
	PORT_GTP_U = 2152,
	PORT_TEREDO = 3544,
	PORT_GRE = 4754,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_AYIYA = 5072,
	PORT_GENEVE = 6081,
	PORT_VXLAN_LINUX = 8472,
	PORT_TZSP = 37008,
};

/* False for nearly all ports that no tunnel uses, by one look. */
static inline bool tunnel_may_use(uint16_t port)
{
#define BIT(p) (UINT64_C(1) << (p) % 64)
	const uint64_t used = BIT(PORT_GTP_U) | BIT(PORT_TEREDO) | BIT(PORT_GRE) | BIT(PORT_VXLAN) | BIT(PORT_VXLAN_GPE) | BIT(PORT_AYIYA) |
			      BIT(PORT_GENEVE) | BIT(PORT_VXLAN_LINUX) | BIT(PORT_TZSP);

	return used >> port % 64 & 1;
#undef BIT
}

static inline enum tunnel tunnel_in_udp(uint16_t source_port, uint16_t target_port, const struct cursor *c)
{
	return tunnel_may_use(source_port) || tunnel_may_use(target_port) ? tunnel_in_udp_of(source_port, target_port, c) : TUNNEL_NONE;
}

/*
 * Takes the tunnel's header off *c and returns the ethertype of what follows (TUNNEL_ETHERNET for a
 * frame). An Ethernet header inside begins a new VLAN stack: vlan[] is cleared, or set to what the
 * mirror says of it. When the header is not one we can take off, *c is bad.
 */
uint16_t tunnel_enter(enum tunnel t, struct cursor *c, uint16_t vlan[2]);

/* The mirror's own word for the VLAN, the end of an ERSPAN header's first half word, holds unless the frame inside carries a tag. */
static inline void tunnel_mirrored_vlan(uint16_t word, struct cursor inside, uint16_t vlan[2])
{
	uint16_t ethertype;

	vlan[0] = vlan[1] = 0;
	cursor_skip(&inside, 12);
	ethertype = cursor_u16be(&inside);
	if (cursor_ok(&inside) && ethertype != 0x8100 && ethertype != 0x88a8)
		vlan[0] = word & 0xfff;
}

/* tunnel_enter() for what nearly all mirrors send in GRE, ERSPAN type II with a sequence number alone. False, and nothing changed, for all else. */
static inline bool tunnel_enter_erspan(struct cursor *c, uint16_t vlan[2])
{
	enum { HEADERS_BYTES = 8 + 8, WITH_SEQUENCE = 0x100088be, TYPE_II = 1 };
	struct cursor inside = *c, h = cursor_take(&inside, HEADERS_BYTES);
	uint16_t word;

	if (!cursor_ok(&h) || cursor_u32be(&h) != WITH_SEQUENCE)
		return false;
	cursor_skip(&h, 4);
	word = cursor_u16be(&h);
	if (word >> 12 != TYPE_II)
		return false;
	tunnel_mirrored_vlan(word, inside, vlan);
	*c = inside;
	return true;
}

#endif
