/*
 * The short way of decoding. Nearly all frames are IPv4 with TCP or UDP in Ethernet, whole and without options, or
 * a protocol straight on Ethernet: their headers lie at fixed places, behind at most one tag.
 *
 *   0 MACs 12, [8100 tag 2,] ethertype 2 | IPv4 20 | ports 4, then TCP 20 in all or UDP 8
 *
 * A cursor that is asked whether its bytes are there before they are read needs no further checks: the compiler
 * knows. Nothing is written before all is known, so that whoever takes the long way finds the packet as it was.
 */
#include "classifiers/api/classifier.h"
#include "sensor/engine/decode.h"
#include "sensor/engine/prp.h"
#include "sensor/engine/tunnel.h"

enum { MACS_BYTES = 12, IP_BYTES = 20, TCP_BYTES = 20, UDP_BYTES = 8 };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };
enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_VLAN = 0x8100 };

struct plain_ip {
	const uint8_t *start;
	const uint8_t *addresses; /* source and target */
	uint16_t id;
	uint8_t hop_limit;
	uint8_t protocol;
	uint32_t lost; /* bytes that the capture cut off its end */
};

static inline void write_ip(struct decoder *d, const struct plain_ip *ip, uint32_t ports, const uint16_t vlan[2], struct packet *p)
{
	uint32_t target;

	decoder_start_packet(p);
	p->zone = decoder_zone(d, vlan);
	p->direction = flow_key_make(&p->key, &(struct flow_ends){ ip->addresses, ip->addresses + 4, (uint16_t)(ports >> 16), (uint16_t)ports, 4,
								  ip->protocol, p->zone });
	p->hash = flow_key_hash(&p->key, d->hash_key);
	memcpy(&target, ip->addresses + 4, sizeof target);
	p->multicast |= (be32toh(target) >> 28) == 0xe || target == UINT32_MAX;
	p->network = ip->start;
	p->ip_id = ip->id;
	p->hop_limit = ip->hop_limit;
}

static inline void write_payload(const struct cursor *c, const struct plain_ip *ip, struct packet *p)
{
	p->network_len = (uint32_t)(c->end - ip->start);
	p->payload = c->at;
	p->payload_len = (uint32_t)cursor_left(c);
	p->payload_lost = ip->lost;
}

static inline bool plain_tcp(struct decoder *d, struct cursor c, const struct plain_ip *ip, const uint16_t vlan[2], struct packet *p)
{
	struct cursor h = cursor_take(&c, TCP_BYTES);
	uint32_t ports = cursor_u32be(&h), sequence = cursor_u32be(&h), acknowledgment = cursor_u32be(&h);
	unsigned header_bytes = (cursor_u8(&h) >> 4) * 4u;
	uint8_t flags = cursor_u8(&h) & 0x3f;

	if (!cursor_ok(&h) || header_bytes < TCP_BYTES)
		return false;
	cursor_skip(&c, header_bytes - TCP_BYTES);
	write_ip(d, ip, ports, vlan, p);
	p->kind = PACKET_TCP;
	p->sequence = sequence;
	p->acknowledgment = acknowledgment;
	p->tcp_flags = flags;
	write_payload(&c, ip, p);
	return true;
}

static inline bool plain_udp(struct decoder *d, struct cursor c, const struct plain_ip *ip, const uint16_t vlan[2], struct packet *p)
{
	struct cursor h = cursor_take(&c, UDP_BYTES);
	uint32_t ports = cursor_u32be(&h);
	uint16_t length = cursor_u16be(&h);

	if (!cursor_ok(&h) || tunnel_in_udp((uint16_t)(ports >> 16), (uint16_t)ports, c) != TUNNEL_NONE)
		return false;
	write_ip(d, ip, ports, vlan, p);
	p->kind = PACKET_UDP;
	write_payload(&c, ip, p);
	if (length >= UDP_BYTES && p->payload_len > length - (uint32_t)UDP_BYTES)
		p->payload_len = length - (uint32_t)UDP_BYTES;
	return true;
}

static inline bool plain_ipv4(struct decoder *d, struct cursor c, const uint16_t vlan[2], struct packet *p)
{
	struct cursor h = cursor_take(&c, IP_BYTES);
	struct plain_ip ip = { .start = h.at };
	uint8_t version = cursor_u8(&h);
	uint16_t total, fragment;
	size_t left;

	cursor_skip(&h, 1);
	total = cursor_u16be(&h);
	ip.id = cursor_u16be(&h);
	fragment = cursor_u16be(&h);
	ip.hop_limit = cursor_u8(&h);
	ip.protocol = cursor_u8(&h);
	cursor_skip(&h, 2);
	ip.addresses = h.at;
	left = cursor_left(&c) + IP_BYTES;
	if (!cursor_ok(&h) || version != 0x45 || fragment & 0x3fff || total < IP_BYTES + UDP_BYTES)
		return false;
	if (total < left)
		c.end = ip.start + total;
	else
		ip.lost = total - (uint32_t)left;
	if (ip.protocol == PROTOCOL_TCP)
		return plain_tcp(d, c, &ip, vlan, p);
	return ip.protocol == PROTOCOL_UDP && plain_udp(d, c, &ip, vlan, p);
}

/* What is neither a length, a tag, nor carries frames of others. */
static inline bool stands_alone(uint16_t ethertype, struct cursor c)
{
	switch (ethertype) {
	case ETHERTYPE_VLAN:
	case 0x88a8:
	case 0x9100:
	case 0x9200:
	case 0x892f: /* HSR */
	case 0x86dd:
	case TUNNEL_ETHERNET:
		return false;
	default:
		return ethertype > 1500 && tunnel_in_ethernet(ethertype, c) == TUNNEL_NONE;
	}
}

static inline bool plain_link(struct decoder *d, struct cursor c, uint16_t ethertype, const uint16_t vlan[2], uint32_t lost, struct packet *p)
{
	if (!stands_alone(ethertype, c))
		return false;
	cut_prp_trailer(&c);
	decoder_start_packet(p);
	p->kind = PACKET_ETHERNET;
	p->ethertype = ethertype;
	p->zone = decoder_zone(d, vlan);
	p->payload = c.at;
	p->payload_len = (uint32_t)cursor_left(&c);
	p->payload_lost = lost;
	return true;
}

bool decode_plain(struct decoder *d, struct cursor frame, const uint16_t outer[2], uint32_t lost, struct packet *p)
{
	struct cursor macs = cursor_take(&frame, MACS_BYTES), tag;
	uint16_t vlan[2] = { outer[0], outer[1] }, ethertype = cursor_u16be(&frame);
	bool group = cursor_peek(&macs, 0) & 1, multicast = p->multicast;

	if (ethertype == ETHERTYPE_VLAN) {
		tag = cursor_take(&frame, 4);
		decoder_push_vlan(vlan, cursor_u16be(&tag));
		ethertype = cursor_u16be(&tag);
	}
	if (!cursor_ok(&frame))
		return false;
	p->multicast = group;
	if (ethertype == ETHERTYPE_IPV4 ? plain_ipv4(d, frame, vlan, p) : plain_link(d, frame, ethertype, vlan, lost, p)) {
		p->ethernet = macs.at;
		return true;
	}
	p->multicast = multicast;
	return false;
}
