/*
 * The first look at a frame that is to go to one of several engines: Ethernet with VLAN and HSR tags, and under
 * it IPv4 and IPv6 or a protocol of its own. It must never name a share that the decoder would not; where that
 * takes more than fixed places of a header, it says so. IEEE 802.1Q; IEC 62439-3; RFC 791, 8200, 768.
 */
#include "sensor/common/spread.h"

#include "classifiers/api/cursor.h"

enum {
	LINKTYPE_ETHERNET = 1,
	TAGS_MAX = 5,
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_HSR = 0x892f,
	PROTOCOL_TCP = 6,
};

/* Ports of tunnels, in either direction; see sensor/engine/tunnel.c. */
static int is_port_of_tunnel(uint16_t port)
{
	switch (port) {
	case 2152:  /* GTP-U */
	case 3544:  /* Teredo */
	case 4754:  /* GRE in UDP */
	case 4789:  /* VXLAN */
	case 4790:  /* VXLAN-GPE */
	case 5072:  /* AYIYA */
	case 6081:  /* GENEVE */
	case 8472:  /* VXLAN, as Linux once had it */
	case 37008: /* TZSP */
		return 1;
	default:
		return 0;
	}
}

/* Protocols of IP that carry no further IP header, or whose addresses count all the same. */
static int is_plain(uint8_t protocol, struct cursor behind)
{
	uint16_t source, target;

	switch (protocol) {
	case PROTOCOL_TCP:
	case 1:   /* ICMP */
	case 2:   /* IGMP */
	case 50:  /* ESP */
	case 58:  /* ICMPv6 */
	case 89:  /* OSPF */
	case 112: /* VRRP */
		return 1;
	case 17:
		source = cursor_u16be(&behind);
		target = cursor_u16be(&behind);
		return cursor_ok(&behind) && !is_port_of_tunnel(source) && !is_port_of_tunnel(target);
	default:
		return 0;
	}
}

static inline uint8_t share_of_ipv4(struct cursor c)
{
	struct cursor h = cursor_take(&c, 20);
	uint64_t source, target;
	uint16_t fragment;
	uint8_t protocol;

	if (!cursor_ok(&h) || cursor_u8(&h) != 0x45)
		return SHARE_UNSURE;
	cursor_skip(&h, 5);
	fragment = cursor_u16be(&h);
	cursor_skip(&h, 1);
	protocol = cursor_u8(&h);
	cursor_skip(&h, 2);
	if (fragment & 0x3fff || (protocol != PROTOCOL_TCP && !is_plain(protocol, c)))
		return SHARE_UNSURE;
	source = cursor_u32le(&h);
	target = cursor_u32le(&h);
	return share_of_words(source, target);
}

static uint8_t share_of_ipv6(struct cursor c)
{
	struct cursor h = cursor_take(&c, 40);
	uint8_t version = cursor_u8(&h), protocol;
	const uint8_t *source, *target;

	cursor_skip(&h, 5);
	protocol = cursor_u8(&h);
	cursor_skip(&h, 1);
	source = cursor_take(&h, 16).at;
	target = cursor_take(&h, 16).at;
	if (!cursor_ok(&h) || version >> 4 != 6 || !is_plain(protocol, c))
		return SHARE_UNSURE;
	return share_of_pair(source, target, 6);
}

static int is_tag(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100 || ethertype == 0x9200;
}

/* Protocols whose frames are many; whatever else stands on Ethernet might carry IP. */
static int is_link_protocol(uint16_t ethertype)
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
		return 1;
	default:
		return 0;
	}
}

uint8_t share_of_frame(const uint8_t *bytes, size_t captured, uint16_t linktype)
{
	struct cursor c = cursor_over(bytes, captured), macs;
	uint16_t ethertype;

	if (linktype != LINKTYPE_ETHERNET)
		return SHARE_UNSURE;
	macs = cursor_take(&c, 12);
	ethertype = cursor_u16be(&c);
	if (ethertype == ETHERTYPE_IPV4)
		return share_of_ipv4(c);
	for (int n = 0; n < TAGS_MAX && (is_tag(ethertype) || ethertype == ETHERTYPE_HSR); n++) {
		cursor_skip(&c, ethertype == ETHERTYPE_HSR ? 4 : 2);
		ethertype = cursor_u16be(&c);
	}
	if (!cursor_ok(&c))
		return SHARE_UNSURE;
	if (ethertype == ETHERTYPE_IPV4)
		return share_of_ipv4(c);
	if (ethertype == ETHERTYPE_IPV6)
		return share_of_ipv6(c);
	return is_link_protocol(ethertype) ? share_of_mac(macs.at + 6) : SHARE_UNSURE;
}
