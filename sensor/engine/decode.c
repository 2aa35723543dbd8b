/*
 * Decoding of link layers and IP. Every byte is read through the cursor. Layers nest at most
 * DEPTH_MAX deep; addresses, zone and flow are those of the innermost IP header, since whatever
 * stands round it was put there by the mirror or the carrier.
 *
 * IEEE 802.3, 802.1Q; IEC 62439-3; RFC 791, 8200, 768, 9293; libpcap's LINKTYPE_ registry for cooked headers.
 */
#include "sensor/engine/decode.h"

#include "classifiers/api/classifier.h"
#include "sensor/common/spread.h"
#include "sensor/common/tunnel.h"
#include "sensor/engine/fragment.h"
#include "sensor/engine/prp.h"

#include <string.h>
#include <sys/random.h>

enum {
	DEPTH_MAX = 6,
	TAGS_MAX = 5,
	IPV6_EXTENSIONS_MAX = 8,
	MAC_BYTES = 6,
	ETHERTYPE_HSR = 0x892f,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
};

/* Of mixed bits: as a factor, a key of few would take too little of the zeros that packets are full of. */
static const uint64_t known_key[2] = { 0xa0761d6478bd642f, 0xe7037ed1a0b428db };

bool decoder_init(struct decoder *d, struct engine_counters *counters, bool repeatable)
{
	memset(d, 0, sizeof *d);
	d->counters = counters;
	d->zone_count = 1;
	if (repeatable)
		memcpy(d->hash_key, known_key, sizeof d->hash_key);
	else if (getrandom(d->hash_key, sizeof d->hash_key, 0) != sizeof d->hash_key)
		return false;
	d->fragments = fragments_new();
	return d->fragments != NULL;
}

void decoder_free(struct decoder *d)
{
	fragments_free(d->fragments);
}

/* What is known while the layers of one frame are taken off. */
struct layers {
	struct decoder *d;
	const struct frame *frame;
	struct packet *p;
	uint16_t vlan[2]; /* outer, inner of the innermost Ethernet header */
	unsigned depth;
};

static void read_ethertype(struct layers *l, struct cursor *c, uint16_t ethertype);
static void read_ip(struct layers *l, struct cursor *c);

static void malformed(struct layers *l)
{
	if (l->frame->captured < l->frame->length)
		l->d->counters->truncated++;
	else
		l->d->counters->malformed++;
}

uint16_t decoder_seek_zone(struct decoder *d, uint32_t tags, uint64_t place)
{
	uint16_t *zone;

	/* Half of the places stay free. */
	for (; *(zone = &d->zone_place[place % ZONE_PLACES]); place++)
		if (decoder_tags(d, *zone) == tags)
			return *zone;
	if (d->zone_count == ZONES) {
		d->counters->undecoded++;
		return 0;
	}
	d->vlan[d->zone_count][0] = (uint16_t)(tags >> 16);
	d->vlan[d->zone_count][1] = (uint16_t)tags;
	return *zone = d->zone_count++;
}

/* False, and nothing changed, when there is no tunnel that we can take off. */
static bool enter_tunnel(struct layers *l, enum tunnel t, struct cursor inside)
{
	uint16_t vlan[2] = { l->vlan[0], l->vlan[1] }, ethertype;

	if (t == TUNNEL_NONE || l->depth >= DEPTH_MAX)
		return false;
	ethertype = tunnel_enter(t, &inside, vlan);
	if (!cursor_ok(&inside))
		return false;
	/* The MACs outside are of the tunnel's ends. */
	l->p->ethernet = NULL;
	memcpy(l->vlan, vlan, sizeof vlan);
	l->d->counters->tunnels++;
	read_ethertype(l, &inside, ethertype);
	return true;
}

struct ip_header {
	const uint8_t *source;
	const uint8_t *target;
	uint8_t family;
	uint8_t protocol;
	uint32_t lost; /* payload bytes that the capture cut */
};

static inline void make_key(struct layers *l, const struct ip_header *ip, uint16_t source_port, uint16_t target_port)
{
	struct packet *p = l->p;

	p->zone = decoder_zone(l->d, decoder_tags_word(l->vlan));
	p->share = share_of_pair(ip->source, ip->target, ip->family);
	p->direction = flow_key_make(&p->key, &p->hash, &(struct flow_ends){ ip->source, ip->target, source_port, target_port, ip->family,
									     ip->protocol, p->zone }, l->d->hash_key);
}

static bool ip_multicast(const uint8_t *a, uint8_t family)
{
	if (family == 6)
		return a[0] == 0xff;
	return (a[0] & 0xf0) == 0xe0 || (a[0] & a[1] & a[2] & a[3]) == 0xff;
}

static inline void read_tcp(struct layers *l, const struct ip_header *ip, struct cursor *c)
{
	struct packet *p = l->p;
	struct cursor h = cursor_take(c, 20);
	uint16_t source, target;
	unsigned header_bytes;

	if (!cursor_ok(&h)) {
		malformed(l);
		return;
	}
	source = cursor_u16be(&h);
	target = cursor_u16be(&h);
	p->sequence = cursor_u32be(&h);
	p->acknowledgment = cursor_u32be(&h);
	header_bytes = (cursor_u8(&h) >> 4) * 4u;
	p->tcp_flags = cursor_u8(&h) & 0x3f;
	if (header_bytes < 20) {
		malformed(l);
		return;
	}
	cursor_skip(c, header_bytes - 20);
	make_key(l, ip, source, target);
	p->kind = PACKET_TCP;
	p->payload = c->at;
	p->payload_len = (uint32_t)cursor_left(c);
	p->payload_lost = ip->lost;
}

static void read_udp(struct layers *l, const struct ip_header *ip, struct cursor *c)
{
	struct packet *p = l->p;
	uint16_t source = cursor_u16be(c), target = cursor_u16be(c), len = cursor_u16be(c);

	cursor_skip(c, 2);
	if (!cursor_ok(c)) {
		malformed(l);
		return;
	}
	if (enter_tunnel(l, tunnel_in_udp(source, target, c), *c))
		return;
	make_key(l, ip, source, target);
	p->kind = PACKET_UDP;
	p->payload = c->at;
	p->payload_len = (uint32_t)cursor_left(c);
	p->payload_lost = ip->lost;
	if (len >= 8 && p->payload_len > len - 8u)
		p->payload_len = len - 8u;
}

static void read_transport(struct layers *l, const struct ip_header *ip, struct cursor *c)
{
	if (ip->protocol == PROTOCOL_TCP) {
		read_tcp(l, ip, c);
		return;
	}
	if (ip->protocol == PROTOCOL_UDP) {
		read_udp(l, ip, c);
		return;
	}
	if (enter_tunnel(l, tunnel_in_ip(ip->protocol, c), *c))
		return;
	make_key(l, ip, 0, 0);
	l->p->kind = PACKET_IP;
	l->p->payload = c->at;
	l->p->payload_len = (uint32_t)cursor_left(c);
}

/* A whole datagram goes on to its transport; a part alone still shows that its sender lives. */
static void read_fragment(struct layers *l, struct ip_header *ip, struct cursor *c, uint32_t id, uint16_t offset, bool more)
{
	struct fragment f = { .id = id, .zone = decoder_zone(l->d, decoder_tags_word(l->vlan)), .protocol = ip->protocol, .family = ip->family,
			      .offset = offset, .more = more, .bytes = c->at, .len = (uint32_t)cursor_left(c),
			      .time_ns = l->frame->time_ns };
	const uint8_t *bytes;
	uint32_t len;

	l->d->counters->fragments++;
	memcpy(f.source, ip->source, ip->family == 4 ? 4 : 16);
	memcpy(f.target, ip->target, ip->family == 4 ? 4 : 16);
	if (ip->lost == 0 && fragments_add(l->d->fragments, &f, &bytes, &len, &l->d->counters->fragments_dropped)) {
		struct cursor whole = cursor_over(bytes, len);

		l->p->reassembled = true;
		read_transport(l, ip, &whole);
		return;
	}
	make_key(l, ip, 0, 0);
	l->p->kind = PACKET_IP;
}

/* Cuts Ethernet padding off, or notes how much the capture cut. `length` counts from the cursor on. */
static void limit_to(struct cursor *c, uint32_t length, uint32_t *lost)
{
	size_t left = cursor_left(c);

	if (length < left)
		c->end = c->at + length;
	else
		*lost = length - (uint32_t)left;
}

static void read_ipv4(struct layers *l, struct cursor *c)
{
	const uint8_t *start = c->at;
	struct cursor h = cursor_take(c, 20);
	unsigned header_bytes = (cursor_u8(&h) & 15) * 4u, total, fragment;
	struct ip_header ip = { .family = 4 };
	uint32_t id;

	cursor_skip(&h, 1);
	total = cursor_u16be(&h);
	id = cursor_u16be(&h);
	fragment = cursor_u16be(&h);
	l->p->hop_limit = cursor_u8(&h);
	ip.protocol = cursor_u8(&h);
	cursor_skip(&h, 2);
	ip.source = cursor_take(&h, 4).at;
	ip.target = cursor_take(&h, 4).at;
	if (!cursor_ok(&h) || header_bytes < 20 || (total && total < header_bytes)) {
		malformed(l);
		return;
	}
	cursor_skip(c, header_bytes - 20);
	/* 0: the sender left segmentation to its network card, and the capture saw the frame before that. */
	if (total)
		limit_to(c, total - header_bytes, &ip.lost);
	if (!cursor_ok(c)) {
		malformed(l);
		return;
	}
	l->p->network = start;
	l->p->network_len = (uint32_t)(c->end - start);
	l->p->ip_id = (uint16_t)id;
	l->p->multicast |= ip_multicast(ip.target, 4);
	if (fragment & 0x3fff)
		read_fragment(l, &ip, c, id, (uint16_t)((fragment & 0x1fff) * 8u), fragment & 0x2000);
	else
		read_transport(l, &ip, c);
}

/* Walks extension headers. False when a fragment header took over or the chain is broken. */
static bool read_extensions(struct layers *l, struct ip_header *ip, struct cursor *c)
{
	for (int n = 0; n < IPV6_EXTENSIONS_MAX; n++) {
		uint8_t next, len;

		switch (ip->protocol) {
		case 0:   /* hop-by-hop */
		case 43:  /* routing */
		case 60:  /* destination options */
		case 135: /* mobility */
			next = cursor_u8(c);
			len = cursor_u8(c);
			cursor_skip(c, 6u + len * 8u);
			break;
		case 51: /* authentication */
			next = cursor_u8(c);
			len = cursor_u8(c);
			cursor_skip(c, 2u + len * 4u);
			break;
		case 44: { /* fragment */
			unsigned offset;
			uint32_t id;

			next = cursor_u8(c);
			cursor_skip(c, 1);
			offset = cursor_u16be(c);
			id = cursor_u32be(c);
			if (!cursor_ok(c))
				return false;
			ip->protocol = next;
			if (offset & 0xfff9) {
				read_fragment(l, ip, c, id, offset & 0xfff8, offset & 1);
				return true;
			}
			continue;
		}
		default:
			read_transport(l, ip, c);
			return true;
		}
		if (!cursor_ok(c))
			return false;
		ip->protocol = next;
	}
	return false;
}

static void read_ipv6(struct layers *l, struct cursor *c)
{
	const uint8_t *start = c->at;
	struct cursor h = cursor_take(c, 40);
	struct ip_header ip = { .family = 6 };
	uint16_t len;

	cursor_skip(&h, 4);
	len = cursor_u16be(&h);
	ip.protocol = cursor_u8(&h);
	l->p->hop_limit = cursor_u8(&h);
	ip.source = cursor_take(&h, 16).at;
	ip.target = cursor_take(&h, 16).at;
	if (!cursor_ok(&h)) {
		malformed(l);
		return;
	}
	if (len)
		limit_to(c, len, &ip.lost);
	l->p->network = start;
	l->p->network_len = (uint32_t)(c->end - start);
	l->p->multicast |= ip_multicast(ip.target, 6);
	if (!read_extensions(l, &ip, c))
		malformed(l);
}

static void read_ip(struct layers *l, struct cursor *c)
{
	unsigned version = cursor_peek(c, 0) >> 4;

	if (version == 4)
		read_ipv4(l, c);
	else if (version == 6)
		read_ipv6(l, c);
	else if (cursor_ok(c))
		l->d->counters->undecoded++;
	else
		malformed(l);
}

/* A frame that no IP header explains: a protocol straight on Ethernet. */
static void read_link_protocol(struct layers *l, struct cursor *c, uint16_t ethertype)
{
	struct packet *p = l->p;

	cut_prp_trailer(c);
	p->kind = PACKET_ETHERNET;
	p->ethertype = ethertype;
	p->zone = decoder_zone(l->d, decoder_tags_word(l->vlan));
	if (p->ethernet)
		p->share = share_of_mac(p->ethernet + MAC_BYTES);
	p->payload = c->at;
	p->payload_len = (uint32_t)cursor_left(c);
	p->payload_lost = l->frame->length - l->frame->captured;
}

/* IEEE 802.2: SNAP with OUI 0 (or 802.1H) is an ethertype again, everything else is offered as LLC. */
static void read_llc(struct layers *l, struct cursor *c, uint16_t length)
{
	uint32_t lost = 0;
	struct cursor look;

	limit_to(c, length, &lost);
	look = *c;
	if (cursor_u16be(&look) == 0xaaaa && cursor_u8(&look) == 0x03) {
		uint32_t oui = cursor_u24be(&look);
		uint16_t ethertype = cursor_u16be(&look);

		if (cursor_ok(&look) && (oui == 0 || oui == 0x0000f8)) {
			*c = look;
			read_ethertype(l, c, ethertype);
			return;
		}
	}
	read_link_protocol(l, c, ETHERTYPE_LLC);
}

static void read_ethernet(struct layers *l, struct cursor *c)
{
	struct cursor macs = cursor_take(c, 2 * MAC_BYTES);
	uint16_t ethertype = cursor_u16be(c);

	if (!cursor_ok(c)) {
		malformed(l);
		return;
	}
	l->p->ethernet = macs.at;
	l->p->multicast = macs.at[0] & 1;
	read_ethertype(l, c, ethertype);
}

/* VLAN tags, and HSR's: {path 4 bits}{size 12 bits}{sequence 2} behind its ethertype (IEC 62439-3, 5.5). */
static uint16_t read_tags(struct layers *l, struct cursor *c, uint16_t ethertype)
{
	for (int n = 0; n < TAGS_MAX; n++) {
		if (ethertype == ETHERTYPE_HSR)
			cursor_skip(c, 4);
		else if (ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100 || ethertype == 0x9200)
			decoder_push_vlan(l->vlan, cursor_u16be(c));
		else
			break;
		ethertype = cursor_u16be(c);
	}
	return ethertype;
}

static void read_ethertype(struct layers *l, struct cursor *c, uint16_t ethertype)
{
	if (ethertype == TUNNEL_ETHERNET && ++l->depth <= DEPTH_MAX) {
		if (!decode_plain(l->d, c, l->vlan, l->frame->length - l->frame->captured, true, l->p))
			read_ethernet(l, c);
		return;
	}
	ethertype = read_tags(l, c, ethertype);
	if (!cursor_ok(c)) {
		malformed(l);
		return;
	}
	if (ethertype == 0x0800 || ethertype == 0x86dd) {
		l->depth++;
		read_ip(l, c);
		return;
	}
	if (enter_tunnel(l, tunnel_in_ethernet(ethertype), *c))
		return;
	if (ethertype <= 1500)
		read_llc(l, c, ethertype);
	else
		read_link_protocol(l, c, ethertype);
}

/* Linux cooked: 2 packet type, 2 ARPHRD, 2 address length, 8 address, 2 protocol. */
static void read_sll(struct layers *l, struct cursor *c)
{
	uint16_t ethertype;

	cursor_skip(c, 14);
	ethertype = cursor_u16be(c);
	if (ethertype == 0x0004) /* 802.2 */
		read_llc(l, c, 1500);
	else
		read_ethertype(l, c, ethertype);
}

/* Version 2: 2 protocol, 2 reserved, 4 interface, 2 ARPHRD, 1 type, 1 address length, 8 address. */
static void read_sll2(struct layers *l, struct cursor *c)
{
	uint16_t ethertype = cursor_u16be(c);

	cursor_skip(c, 18);
	if (ethertype == 0x0004)
		read_llc(l, c, 1500);
	else
		read_ethertype(l, c, ethertype);
}

/* BSD loopback: the address family in the capturing machine's byte order, which needn't be told: IP tells. */
static void read_null(struct layers *l, struct cursor *c)
{
	cursor_skip(c, 4);
	read_ip(l, c);
}

static void read_ppp(struct layers *l, struct cursor *c)
{
	uint16_t ethertype = tunnel_enter(TUNNEL_PPP, c, l->vlan);

	if (cursor_ok(c))
		read_ethertype(l, c, ethertype);
	else
		malformed(l);
}

void decode_layers(struct decoder *d, const struct frame *f, const uint16_t vlan[2], struct packet *p)
{
	struct layers l = { .d = d, .frame = f, .p = p, .vlan = { vlan[0], vlan[1] } };
	struct cursor c = cursor_over(f->bytes, f->captured);

	decoder_start_packet(p);
	p->kind = PACKET_NOTHING;
	p->ethernet = NULL;
	p->multicast = false;
	switch (f->linktype) {
	case LINKTYPE_ETHERNET:
		read_ethernet(&l, &c);
		break;
	case LINKTYPE_LINUX_SLL:
		read_sll(&l, &c);
		break;
	case LINKTYPE_LINUX_SLL2:
		read_sll2(&l, &c);
		break;
	case LINKTYPE_RAW:
	case LINKTYPE_RAW_BSD:
	case LINKTYPE_RAW_OPENBSD:
	case LINKTYPE_IPV4:
	case LINKTYPE_IPV6:
		read_ip(&l, &c);
		break;
	case LINKTYPE_NULL:
	case LINKTYPE_LOOP:
		read_null(&l, &c);
		break;
	case LINKTYPE_PPP:
		read_ppp(&l, &c);
		break;
	default:
		d->counters->unknown_linktype++;
		d->unknown_linktype = f->linktype;
	}
}
