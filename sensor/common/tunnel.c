/*
 * Headers of tunnels. RFC 2784, 2890 and 8086 (GRE), draft-foschiano-erspan-03, RFC 7348 and
 * draft-ietf-nvo3-vxlan-gpe (VXLAN), RFC 8926 (GENEVE), RFC 3032 (MPLS), RFC 2516 (PPPoE), RFC 2003 and
 * 4213 (IP in IP), RFC 4380 (Teredo), 3GPP TS 29.281 (GTP-U), draft-massar-v6ops-ayiya-02, TZSP as
 * Wireshark and tzsp2pcap describe it.
 */
#include "sensor/common/tunnel.h"

enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	MPLS_LABELS_MAX = 8,
	TZSP_TAGS_MAX = 32,
	GTP_EXTENSIONS_MAX = 4,
	AYIYA_HEADER_BYTES = 44,
};

enum tunnel tunnel_in_ip(uint8_t protocol, const struct cursor *c)
{
	struct cursor look = *c;
	uint8_t first = cursor_peek(&look, 0);

	switch (protocol) {
	case 47:
		return TUNNEL_GRE;
	case 4:
		return first >> 4 == 4 ? TUNNEL_IP : TUNNEL_NONE;
	case 41:
		return first >> 4 == 6 ? TUNNEL_IP : TUNNEL_NONE;
	case 137:
		return TUNNEL_MPLS;
	default:
		return TUNNEL_NONE;
	}
}

static bool is_vxlan(struct cursor c)
{
	return cursor_u32be(&c) == 0x08000000 && (cursor_u32be(&c) & 0xff) == 0 && cursor_left(&c) >= 14;
}

/* Generic protocol extension: the flags say that the header's last byte but four names what follows. */
static bool is_vxlan_gpe(struct cursor c)
{
	uint32_t first = cursor_u32be(&c);
	uint8_t next = first & 0xff;

	return (first >> 24 & 0xfc) == 0x0c && next >= 1 && next <= 3 && (cursor_u32be(&c) & 0xff) == 0 && cursor_left(&c) >= 14;
}

static bool is_geneve(struct cursor c)
{
	uint8_t first = cursor_u8(&c), flags = cursor_u8(&c);
	uint16_t protocol = cursor_u16be(&c);

	cursor_skip(&c, 4u + (first & 0x3f) * 4u);
	return cursor_ok(&c) && first >> 6 == 0 && (flags & 0x3f) == 0 &&
	       (protocol == TUNNEL_ETHERNET || protocol == 0x0800 || protocol == 0x86dd);
}

static bool is_tzsp(struct cursor c)
{
	uint8_t version = cursor_u8(&c), type = cursor_u8(&c);

	return version == 1 && type <= 1 && cursor_u16be(&c) == 1 && cursor_ok(&c);
}

/* Version 1, GTP rather than GTP', and a user's packet. */
static bool is_gtp_u(struct cursor c)
{
	uint8_t flags = cursor_u8(&c), type = cursor_u8(&c);

	return (flags & 0xf0) == 0x30 && type == 0xff && cursor_u16be(&c) <= cursor_left(&c) && cursor_left(&c) >= 4 + 20;
}

/* An IPv6 header whose length fits to the byte, where the authentication and origin headers are not used. */
static bool is_teredo(struct cursor c)
{
	uint8_t version = cursor_u8(&c) >> 4;
	uint16_t len;

	cursor_skip(&c, 3);
	len = cursor_u16be(&c);
	cursor_skip(&c, 34);
	return version == 6 && cursor_ok(&c) && cursor_left(&c) == len;
}

static bool is_gre_in_udp(struct cursor c)
{
	uint16_t flags = cursor_u16be(&c), protocol = cursor_u16be(&c);

	return cursor_ok(&c) && (flags & 0x4fff) == 0 && (protocol == 0x0800 || protocol == 0x86dd || protocol == TUNNEL_ETHERNET);
}

/* An identity of 16 bytes signed with SHA-1, forwarding IPv6: what its one user of note sends. */
static bool is_ayiya(struct cursor c)
{
	uint8_t identity = cursor_u8(&c), signature = cursor_u8(&c), operation = cursor_u8(&c), next = cursor_u8(&c);

	cursor_skip(&c, 4 + 16 + 20);
	return cursor_ok(&c) && identity >> 4 == 4 && signature >> 4 == 5 && (operation & 15) == 1 && next == 41;
}

static enum tunnel carrier_in_udp(uint16_t port, const struct cursor *c)
{
	if (port == PORT_GTP_U && is_gtp_u(*c))
		return TUNNEL_GTP_U;
	if (port == PORT_TEREDO && is_teredo(*c))
		return TUNNEL_IP;
	if (port == PORT_GRE && is_gre_in_udp(*c))
		return TUNNEL_GRE;
	return port == PORT_AYIYA && is_ayiya(*c) ? TUNNEL_AYIYA : TUNNEL_NONE;
}

enum tunnel tunnel_in_udp_of(uint16_t source_port, uint16_t target_port, const struct cursor *c)
{
	enum tunnel carrier = carrier_in_udp(target_port, c);

	/* Servers of these answer from the port; mirrors send from any. */
	if (carrier == TUNNEL_NONE)
		carrier = carrier_in_udp(source_port, c);
	if (carrier != TUNNEL_NONE)
		return carrier;
	switch (target_port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return is_vxlan(*c) ? TUNNEL_VXLAN : TUNNEL_NONE;
	case PORT_VXLAN_GPE:
		return is_vxlan_gpe(*c) ? TUNNEL_VXLAN_GPE : TUNNEL_NONE;
	case PORT_GENEVE:
		return is_geneve(*c) ? TUNNEL_GENEVE : TUNNEL_NONE;
	case PORT_TZSP:
		return is_tzsp(*c) ? TUNNEL_TZSP : TUNNEL_NONE;
	default:
		return TUNNEL_NONE;
	}
}

enum tunnel tunnel_in_ethernet(uint16_t ethertype)
{
	switch (ethertype) {
	case 0x8847:
	case 0x8848:
		return TUNNEL_MPLS;
	case 0x8864:
		return TUNNEL_PPPOE;
	default:
		return TUNNEL_NONE;
	}
}

static uint16_t ip_version_ethertype(struct cursor *c)
{
	switch (cursor_peek(c, 0) >> 4) {
	case 4:
		return 0x0800;
	case 6:
		return 0x86dd;
	default:
		cursor_fail(c);
		return 0;
	}
}

static uint16_t enter_erspan(struct cursor *c, bool type_three, uint16_t vlan[2])
{
	uint16_t first = cursor_u16be(c);

	cursor_skip(c, 6);
	if (type_three) {
		uint16_t flags;

		cursor_skip(c, 2);
		flags = cursor_u16be(c);
		if (flags & 1)
			cursor_skip(c, 8);
		if ((flags >> 10 & 31) != 0)
			cursor_fail(c);
	}
	if (first >> 12 != (type_three ? 2 : 1))
		cursor_fail(c);
	tunnel_mirrored_vlan(first, *c, vlan);
	return TUNNEL_ETHERNET;
}

static uint16_t enter_gre(struct cursor *c, uint16_t vlan[2])
{
	uint16_t flags = cursor_u16be(c), protocol = cursor_u16be(c);

	if (flags & GRE_ROUTING || (flags & 7) != 0)
		cursor_fail(c);
	if (flags & GRE_CHECKSUM)
		cursor_skip(c, 4);
	if (flags & GRE_KEY)
		cursor_skip(c, 4);
	if (flags & GRE_SEQUENCE)
		cursor_skip(c, 4);
	switch (protocol) {
	case 0x88be:
		if (flags & GRE_SEQUENCE)
			return enter_erspan(c, false, vlan);
		vlan[0] = vlan[1] = 0; /* type I has no header of its own */
		return TUNNEL_ETHERNET;
	case 0x22eb:
		return enter_erspan(c, true, vlan);
	case TUNNEL_ETHERNET:
		vlan[0] = vlan[1] = 0;
		return TUNNEL_ETHERNET;
	case 0x0800:
	case 0x86dd:
		return protocol;
	default:
		cursor_fail(c);
		return 0;
	}
}

static uint16_t enter_vxlan_gpe(struct cursor *c, uint16_t vlan[2])
{
	uint8_t next = cursor_u32be(c) & 0xff;

	cursor_skip(c, 4);
	if (next < 3)
		return next == 1 ? 0x0800 : 0x86dd;
	vlan[0] = vlan[1] = 0;
	return TUNNEL_ETHERNET;
}

static uint16_t enter_geneve(struct cursor *c, uint16_t vlan[2])
{
	unsigned options = (cursor_u8(c) & 0x3f) * 4u;
	uint16_t protocol;

	cursor_skip(c, 1);
	protocol = cursor_u16be(c);
	cursor_skip(c, 4 + options);
	vlan[0] = vlan[1] = 0;
	return protocol;
}

/* Sequence number, N-PDU number and extensions stand there together when one of their flags is set. */
static uint16_t enter_gtp_u(struct cursor *c)
{
	uint8_t flags = cursor_u8(c), next = 0;

	cursor_skip(c, 7);
	if (flags & 7) {
		cursor_skip(c, 3);
		next = cursor_u8(c);
	}
	for (int n = 0; flags & 4 && next && n < GTP_EXTENSIONS_MAX; n++) {
		uint8_t words = cursor_u8(c);

		if (words == 0)
			cursor_fail(c);
		cursor_skip(c, words * 4u - 2u);
		next = cursor_u8(c);
	}
	return ip_version_ethertype(c);
}

static uint16_t enter_tzsp(struct cursor *c, uint16_t vlan[2])
{
	cursor_skip(c, 4);
	for (int n = 0; n < TZSP_TAGS_MAX; n++) {
		uint8_t tag = cursor_u8(c);

		if (tag == 1) {
			vlan[0] = vlan[1] = 0;
			return TUNNEL_ETHERNET;
		}
		if (tag != 0)
			cursor_skip(c, cursor_u8(c));
	}
	cursor_fail(c);
	return 0;
}

/* An Ethernet header of one of the protocols that plants are made of, as far as it can be told by looking. */
static bool is_ethernet(struct cursor c)
{
	uint16_t ethertype;
	uint8_t first;

	cursor_skip(&c, 6);
	if (cursor_u8(&c) & 1)
		return false;
	cursor_skip(&c, 5);
	ethertype = cursor_u16be(&c);
	first = cursor_u8(&c);
	if (!cursor_ok(&c))
		return false;
	switch (ethertype) {
	case 0x0800:
		return first >> 4 == 4;
	case 0x86dd:
		return first >> 4 == 6;
	case 0x0806:
		return first == 0;
	default: /* LLC's of spanning tree, SNAP and BACnet; registered ethertypes of link protocols; tags */
		if (ethertype <= 1500)
			return first == 0x42 || first == 0xaa || first == 0x82;
		return ethertype == 0x8100 || (ethertype >= 0x8860 && ethertype <= 0x892f);
	}
}

/*
 * Below the last label stands IP, or a pseudowire. Its control word begins with four zero bits, and whether there is
 * one was agreed elsewhere (RFC 4448, 4.6): the Ethernet header must show where it begins.
 */
static uint16_t enter_pseudowire(struct cursor *c, uint16_t vlan[2])
{
	struct cursor behind = *c;

	cursor_skip(&behind, 4);
	if (cursor_peek(c, 0) >> 4 == 0 && (is_ethernet(behind) || !is_ethernet(*c)))
		*c = behind;
	else if (!is_ethernet(*c))
		cursor_fail(c);
	vlan[0] = vlan[1] = 0;
	return TUNNEL_ETHERNET;
}

static uint16_t enter_mpls(struct cursor *c, uint16_t vlan[2])
{
	for (int n = 0; n < MPLS_LABELS_MAX; n++) {
		uint32_t label = cursor_u32be(c);

		if (!(label & 0x100))
			continue;
		if (!is_ethernet(*c) && cursor_peek(c, 0) >> 4 == 4)
			return 0x0800;
		if (!is_ethernet(*c) && cursor_peek(c, 0) >> 4 == 6)
			return 0x86dd;
		return enter_pseudowire(c, vlan);
	}
	cursor_fail(c);
	return 0;
}

static uint16_t enter_ppp(struct cursor *c)
{
	uint16_t protocol;

	if (cursor_starts(c, "\xff\x03", 2))
		cursor_skip(c, 2);
	protocol = cursor_u16be(c);
	switch (protocol) {
	case 0x0021:
		return 0x0800;
	case 0x0057:
		return 0x86dd;
	default:
		cursor_fail(c);
		return 0;
	}
}

uint16_t tunnel_enter(enum tunnel t, struct cursor *c, uint16_t vlan[2])
{
	switch (t) {
	case TUNNEL_GRE:
		return enter_gre(c, vlan);
	case TUNNEL_IP:
		return ip_version_ethertype(c);
	case TUNNEL_VXLAN:
		cursor_skip(c, 8);
		vlan[0] = vlan[1] = 0;
		return TUNNEL_ETHERNET;
	case TUNNEL_VXLAN_GPE:
		return enter_vxlan_gpe(c, vlan);
	case TUNNEL_GENEVE:
		return enter_geneve(c, vlan);
	case TUNNEL_TZSP:
		return enter_tzsp(c, vlan);
	case TUNNEL_GTP_U:
		return enter_gtp_u(c);
	case TUNNEL_AYIYA:
		cursor_skip(c, AYIYA_HEADER_BYTES);
		return ip_version_ethertype(c);
	case TUNNEL_MPLS:
		return enter_mpls(c, vlan);
	case TUNNEL_PPPOE:
		cursor_skip(c, 6);
		return enter_ppp(c);
	case TUNNEL_PPP:
		return enter_ppp(c);
	case TUNNEL_NONE:
		break;
	}
	cursor_fail(c);
	return 0;
}
