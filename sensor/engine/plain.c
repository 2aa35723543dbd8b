/*
 * The short way of decoding. Nearly all frames are IPv4 with TCP or UDP in Ethernet, whole and without options, or
 * a protocol straight on Ethernet: their headers lie at fixed places, behind at most two tags. So do those that a mirror
 * puts round them, once.
 *
 *   0 MACs 12, [8100 or 88a8, tag 2,]* ethertype 2 | IPv4 20 | ports 4, then TCP 20 in all or UDP 8
 *
 * A cursor that is asked whether its bytes are there before they are read needs no further checks: the compiler
 * knows. What is written before all is known means nothing as long as the packet has no kind.
 */
#include "classifiers/api/classifier.h"
#include "sensor/common/spread.h"
#include "sensor/common/tunnel.h"
#include "sensor/engine/decode.h"
#include "sensor/engine/prp.h"

enum { MACS_BYTES = 12, IP_BYTES = 20, TCP_BYTES = 20, TCP_OPTIONS_MAX = 40, UDP_BYTES = 8 };
/* Each has one caller; in a frame of its own the parts of a header would go through memory. */
#define PLAIN_INLINE static inline __attribute__((always_inline))

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_GRE = 47 };
enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_PROVIDERS_VLAN = 0x88a8 };
enum { TAG_BYTES = 4, TAGS_MAX = 2 };

/* The Ethernet header that stands round a packet, and what is known of its frame. */
struct ethernet {
	const uint8_t *macs;
	uint32_t tags; /* as decoder_tags_word() */
	uint32_t lost; /* bytes that the capture cut off the frame's end */
	bool group;    /* sent to many */
	bool inside;   /* a tunnel was taken off */
	bool no_arp;   /* straight on it, it isn't plain */
};

/* Of TCP and UDP alike: the ports, and what follows the header. Written to p is what means nothing before its kind is. */
PLAIN_INLINE bool plain_tcp(struct cursor *c, uint32_t *ports, struct packet *p)
{
	struct cursor h = cursor_take(c, TCP_BYTES);
	uint32_t options;

	if (!cursor_ok(&h))
		return false;
	*ports = cursor_u32be(&h);
	p->sequence = cursor_u32be(&h);
	p->acknowledgment = cursor_u32be(&h);
	options = (cursor_u8(&h) >> 4) * 4u - TCP_BYTES;
	p->tcp_flags = cursor_u8(&h) & 0x3f;
	if (options > TCP_OPTIONS_MAX)
		return false;
	cursor_skip(c, options);
	return cursor_ok(c);
}

/* *tunnel is what the ports and the payload say of one. */
PLAIN_INLINE bool plain_udp(struct cursor *c, uint32_t *ports, enum tunnel *tunnel)
{
	struct cursor h = cursor_take(c, UDP_BYTES), payload;
	uint32_t len;

	if (!cursor_ok(&h))
		return false;
	*ports = cursor_u32be(&h);
	len = cursor_u16be(&h) - (uint32_t)UDP_BYTES;
	payload = *c;
	*tunnel = tunnel_in_udp((uint16_t)(*ports >> 16), (uint16_t)*ports, &payload);
	if (*tunnel == TUNNEL_NONE && len < cursor_left(c))
		c->end = c->at + len;
	return true;
}

/* A mirror's copy: what is inside is plain, or goes the long way from the start. Nothing is plain in two tunnels. */
static bool plain_tunnel(struct decoder *d, enum tunnel t, struct cursor c, uint32_t tags, uint32_t lost, struct packet *p)
{
	uint16_t vlan[2] = { (uint16_t)(tags >> 16), (uint16_t)tags };

	if (!(t == TUNNEL_GRE && tunnel_enter_erspan(&c, vlan)) && (tunnel_enter(t, &c, vlan) != TUNNEL_ETHERNET || !cursor_ok(&c)))
		return false;
	if (!decode_plain(d, &c, vlan, lost, true, p))
		return false;
	d->counters->tunnels++;
	return true;
}

/* False for what is neither, or broken. */
PLAIN_INLINE bool plain_transport(uint8_t protocol, struct cursor *c, uint32_t *ports, enum tunnel *tunnel, struct packet *p)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return plain_tcp(c, ports, p);
	case PROTOCOL_UDP:
		return plain_udp(c, ports, tunnel);
	case PROTOCOL_GRE:
		*tunnel = TUNNEL_GRE;
		return true;
	default:
		return false;
	}
}

PLAIN_INLINE bool plain_ipv4(struct decoder *d, struct cursor c, const struct ethernet *l, struct packet *p)
{
	const uint8_t *start = c.at, *end;
	size_t left = cursor_left(&c);
	struct cursor h = cursor_take(&c, IP_BYTES);
	enum tunnel tunnel = TUNNEL_NONE;
	struct flow_ends_ipv4 ends;
	uint16_t total, id, fragment;

	if (!cursor_ok(&h) || cursor_u8(&h) != 0x45)
		return false;
	cursor_skip(&h, 1);
	total = cursor_u16be(&h);
	id = cursor_u16be(&h);
	fragment = cursor_u16be(&h);
	if (fragment & 0x3fff || total < IP_BYTES + UDP_BYTES)
		return false;
	p->hop_limit = cursor_u8(&h);
	ends.protocol = cursor_u8(&h);
	cursor_skip(&h, 2);
	if (total < left)
		c.end = start + total;
	end = c.end;
	if (!plain_transport(ends.protocol, &c, &ends.ports, &tunnel, p))
		return false;
	if (tunnel != TUNNEL_NONE)
		return !l->inside && plain_tunnel(d, tunnel, c, l->tags, l->lost, p);
	decoder_start_packet(p);
	p->kind = ends.protocol == PROTOCOL_TCP ? PACKET_TCP : PACKET_UDP;
	p->network = start;
	p->network_len = (uint32_t)(end - start);
	p->payload = c.at;
	p->payload_len = (uint32_t)cursor_left(&c);
	p->payload_lost = total > left ? total - (uint32_t)left : 0;
	p->ip_id = id;
	p->zone = ends.zone = decoder_zone(d, l->tags);
	ends.source = htobe32(cursor_u32be(&h));
	ends.target = htobe32(cursor_u32be(&h));
	p->share = share_of_words(ends.source, ends.target);
	p->multicast = l->group | (be32toh(ends.target) >> 28 == 0xe) | (ends.target == UINT32_MAX);
	p->ethernet = l->macs;
	p->direction = flow_key_make_ipv4(&p->key, &p->hash, &ends, d->hash_key);
	return true;
}

PLAIN_INLINE bool is_tag(uint16_t ethertype)
{
	return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_PROVIDERS_VLAN;
}

PLAIN_INLINE uint16_t plain_tags(struct cursor *c, uint16_t ethertype, uint32_t *tags)
{
	for (int n = 0; n < TAGS_MAX && is_tag(ethertype); n++) {
		struct cursor tag = cursor_take(c, TAG_BYTES);

		*tags = decoder_tags_push(*tags, cursor_u16be(&tag));
		ethertype = cursor_u16be(&tag);
	}
	return ethertype;
}

/* What is neither a length, a tag, nor carries frames of others. */
static inline bool stands_alone(uint16_t ethertype)
{
	switch (ethertype) {
	case ETHERTYPE_VLAN:
	case ETHERTYPE_PROVIDERS_VLAN:
	case 0x9100:
	case 0x9200:
	case 0x892f: /* HSR */
	case 0x86dd:
	case TUNNEL_ETHERNET:
		return false;
	default:
		return ethertype > 1500 && tunnel_in_ethernet(ethertype) == TUNNEL_NONE;
	}
}

PLAIN_INLINE bool plain_link(struct decoder *d, struct cursor c, uint16_t ethertype, const struct ethernet *l, struct packet *p)
{
	if (!stands_alone(ethertype))
		return false;
	cut_prp_trailer(&c);
	decoder_start_packet(p);
	p->kind = PACKET_ETHERNET;
	p->ethertype = ethertype;
	p->zone = decoder_zone(d, l->tags);
	p->share = share_of_mac(l->macs + MACS_BYTES / 2);
	p->multicast = l->group;
	p->ethernet = l->macs;
	p->payload = c.at;
	p->payload_len = (uint32_t)cursor_left(&c);
	p->payload_lost = l->lost;
	return true;
}

PLAIN_INLINE bool plain_frame(struct decoder *d, struct cursor frame, struct ethernet l, struct packet *p)
{
	struct cursor h = cursor_take(&frame, MACS_BYTES + 2);
	uint16_t ethertype;

	if (!cursor_ok(&h))
		return false;
	l.macs = h.at;
	l.group = cursor_peek(&h, 0) & 1;
	cursor_skip(&h, MACS_BYTES);
	ethertype = cursor_u16be(&h);
	if (ethertype == ETHERTYPE_ARP && l.no_arp)
		return false;
	if (ethertype != ETHERTYPE_IPV4)
		ethertype = plain_tags(&frame, ethertype, &l.tags);
	if (!cursor_ok(&frame))
		return false;
	return ethertype == ETHERTYPE_IPV4 ? plain_ipv4(d, frame, &l, p) : plain_link(d, frame, ethertype, &l, p);
}

bool decode_plain(struct decoder *d, const struct cursor *frame, const uint16_t vlan[2], uint32_t lost, bool inside, struct packet *p)
{
	return plain_frame(d, *frame, (struct ethernet){ .tags = decoder_tags_word(vlan), .lost = lost, .inside = inside }, p);
}

unsigned decode_plain_run(struct decoder *d, const struct frame *frames, unsigned count, const struct plain_limits *limits, struct packet *packets)
{
	unsigned n = 0;

	for (; n < count; n++) {
		const struct frame *f = &frames[n];
		struct packet *p = &packets[n];

		p->frame = f->number;
		p->time_ns = f->time_ns;
		/* Who decodes a frame counts it: what ends the run must be known before. */
		if (f->linktype != LINKTYPE_ETHERNET || f->has_vlan || (limits->sure && f->share == SHARE_UNSURE) ||
		    !plain_frame(d, cursor_over(f->bytes, f->captured), (struct ethernet){ .lost = f->length - f->captured, .no_arp = limits->no_arp }, p))
			break;
	}
	return n;
}
