/*
 * The first look at a frame that is to go to one of several engines: Ethernet with VLAN and HSR tags, tunnels, and in
 * them IPv4 and IPv6 or a protocol of its own. It must never name a share that the decoder would not; where that takes
 * more than it looks at (fragments, IPv6 extension headers), it says so. IEEE 802.1Q; IEC 62439-3; RFC 791, 8200, 768.
 */
#include "sensor/common/spread.h"

#include "classifiers/api/cursor.h"
#include "sensor/common/tunnel.h"

enum {
	LINKTYPE_ETHERNET = 1,
	TAGS_MAX = 5,
	TUNNELS_MAX = 2, /* the decoder takes off these, and more */
	MAC_BYTES = 6,
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_HSR = 0x892f,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	IPV4_BYTES = 20,
};

/* A cursor that went through memory between calls would cost more than all that is looked at. */
#define SPREAD_INLINE static inline __attribute__((always_inline))

static uint8_t share_in_tunnel(enum tunnel t, struct cursor c, unsigned tunnels);

/* Which tunnel begins behind an IP header, with *c before its own, or behind that of UDP. */
static enum tunnel tunnel_behind(uint8_t protocol, struct cursor *c)
{
	uint16_t source, target;

	if (protocol != PROTOCOL_UDP)
		return tunnel_in_ip(protocol, c);
	source = cursor_u16be(c);
	target = cursor_u16be(c);
	cursor_skip(c, 4);
	return tunnel_in_udp(source, target, c);
}

/* What Ethernet pads a packet with is none of it. */
static void cut_to(struct cursor *c, size_t length)
{
	if (length < cursor_left(c))
		c->end = c->at + length;
}

/* False for nearly all packets, without a call. */
SPREAD_INLINE bool may_carry(uint8_t protocol, struct cursor c)
{
	if (protocol == PROTOCOL_UDP)
		return tunnel_may_use(cursor_u16be(&c)) || tunnel_may_use(cursor_u16be(&c));
	return protocol != PROTOCOL_TCP;
}

/* The share of a packet between these addresses, with `c` behind its IP header, that may be a tunnel. */
static __attribute__((noinline)) uint8_t share_of_carrier(const uint8_t *at, size_t len, uint8_t protocol, uint8_t otherwise, unsigned tunnels)
{
	struct cursor c = cursor_over(at, len);
	enum tunnel t = tunnel_behind(protocol, &c);

	return t == TUNNEL_NONE ? otherwise : share_in_tunnel(t, c, tunnels);
}

SPREAD_INLINE uint8_t share_of_ipv4(struct cursor c, unsigned tunnels)
{
	struct cursor h = cursor_take(&c, IPV4_BYTES);
	uint64_t source, target;
	uint8_t first, protocol, share;
	unsigned header_bytes;
	uint16_t total, fragment;

	if (!cursor_ok(&h))
		return SHARE_UNSURE;
	first = cursor_u8(&h);
	header_bytes = (first & 15) * 4u;
	if (first >> 4 != 4 || header_bytes < IPV4_BYTES)
		return SHARE_UNSURE;
	cursor_skip(&h, 1);
	total = cursor_u16be(&h);
	cursor_skip(&h, 2);
	fragment = cursor_u16be(&h);
	cursor_skip(&h, 1);
	protocol = cursor_u8(&h);
	cursor_skip(&h, 2);
	source = cursor_u32le(&h);
	target = cursor_u32le(&h);
	if (fragment & 0x3fff)
		return SHARE_UNSURE;
	share = share_of_words(source, target);
	if (protocol == PROTOCOL_TCP)
		return share;
	cursor_skip(&c, header_bytes - IPV4_BYTES);
	if (!may_carry(protocol, c))
		return share;
	if (total >= header_bytes)
		cut_to(&c, total - header_bytes);
	return share_of_carrier(c.at, cursor_left(&c), protocol, share, tunnels);
}

static bool is_ipv6_extension(uint8_t protocol)
{
	switch (protocol) {
	case 0:   /* hop-by-hop */
	case 43:  /* routing */
	case 44:  /* fragment */
	case 51:  /* authentication */
	case 60:  /* destination options */
	case 135: /* mobility */
		return true;
	default:
		return false;
	}
}

static uint8_t share_of_ipv6(struct cursor c, unsigned tunnels)
{
	struct cursor h = cursor_take(&c, 40);
	uint8_t version = cursor_u8(&h) >> 4, protocol;
	const uint8_t *source, *target;
	uint16_t len;
	uint8_t share;

	cursor_skip(&h, 3);
	len = cursor_u16be(&h);
	protocol = cursor_u8(&h);
	cursor_skip(&h, 1);
	source = cursor_take(&h, 16).at;
	target = cursor_take(&h, 16).at;
	if (!cursor_ok(&h) || version != 6 || is_ipv6_extension(protocol))
		return SHARE_UNSURE;
	share = share_of_pair(source, target, 6);
	if (!may_carry(protocol, c))
		return share;
	if (len)
		cut_to(&c, len);
	return share_of_carrier(c.at, cursor_left(&c), protocol, share, tunnels);
}

static bool is_tag(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100 || ethertype == 0x9200;
}

/* Protocols whose frames are many; whatever else stands on Ethernet might carry IP. */
static bool is_link_protocol(uint16_t ethertype)
{
	switch (ethertype) {
	case 0x0806: /* ARP */
	case 0x8892: /* PROFINET */
	case 0x88a4: /* EtherCAT */
	case 0x88ab: /* Powerlink */
	case 0x88b8: /* GOOSE */
	case 0x88ba: /* Sampled Values */
	case 0x88cc: /* LLDP */
	case 0x88cd: /* SERCOS III */
	case 0x88e3: /* MRP */
	case 0x88f7: /* PTP */
	case 0x88fb: /* PRP supervision */
		return true;
	default:
		return false;
	}
}

/* `source_mac` is NULL where no Ethernet header stands before it. */
SPREAD_INLINE uint8_t share_of_ethertype(struct cursor c, uint16_t ethertype, const uint8_t *source_mac, unsigned tunnels)
{
	enum tunnel t;

	if (ethertype == ETHERTYPE_IPV4)
		return share_of_ipv4(c, tunnels);
	for (int n = 0; n < TAGS_MAX && (is_tag(ethertype) || ethertype == ETHERTYPE_HSR); n++) {
		cursor_skip(&c, ethertype == ETHERTYPE_HSR ? 4 : 2);
		ethertype = cursor_u16be(&c);
	}
	if (!cursor_ok(&c))
		return SHARE_UNSURE;
	if (ethertype == ETHERTYPE_IPV4)
		return share_of_ipv4(c, tunnels);
	if (ethertype == ETHERTYPE_IPV6)
		return share_of_ipv6(c, tunnels);
	t = tunnel_in_ethernet(ethertype);
	if (t != TUNNEL_NONE)
		return share_in_tunnel(t, c, tunnels);
	return source_mac && is_link_protocol(ethertype) ? share_of_mac(source_mac) : SHARE_UNSURE;
}

SPREAD_INLINE uint8_t share_of_ethernet(struct cursor c, unsigned tunnels)
{
	struct cursor macs = cursor_take(&c, 2 * MAC_BYTES);
	uint16_t ethertype = cursor_u16be(&c);

	return cursor_ok(&c) ? share_of_ethertype(c, ethertype, macs.at + MAC_BYTES, tunnels) : SHARE_UNSURE;
}

/* What a tunnel carries counts, as it does for the decoder. `tunnels` is how many are still taken off. */
static uint8_t share_in_tunnel(enum tunnel t, struct cursor c, unsigned tunnels)
{
	uint16_t vlan[2], ethertype;

	if (tunnels == 0)
		return SHARE_UNSURE;
	if (t == TUNNEL_GRE && tunnel_enter_erspan(&c, vlan))
		return share_of_ethernet(c, tunnels - 1);
	ethertype = tunnel_enter(t, &c, vlan);
	if (!cursor_ok(&c))
		return SHARE_UNSURE;
	return ethertype == TUNNEL_ETHERNET ? share_of_ethernet(c, tunnels - 1) : share_of_ethertype(c, ethertype, NULL, tunnels - 1);
}

uint8_t share_of_frame(const uint8_t *bytes, size_t captured, uint16_t linktype)
{
	return linktype == LINKTYPE_ETHERNET ? share_of_ethernet(cursor_over(bytes, captured), TUNNELS_MAX) : SHARE_UNSURE;
}
