/* Ethernet, VLAN, IP, TCP and UDP headers written round given bytes; checksums are right, times are given. */
#include "sensor/common/rebuild.h"

#include "classifiers/finding/finding.h"

#include <string.h>

enum {
	ETHERTYPE_IP4 = 0x0800, ETHERTYPE_IP6 = 0x86dd, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8,
	PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, HOPS = 64, WINDOW = 64240,
	FIN = 1, SYN = 2, PSH = 8, ACK = 16, DATAGRAM_MOST = 65000, ETHERNET_MOST = 1500,
};

struct out {
	uint8_t bytes[REBUILD_FRAME_BYTES];
	size_t len;
};

static void put(struct out *o, const void *bytes, size_t n)
{
	memcpy(o->bytes + o->len, bytes, n);
	o->len += n;
}

static void put_number(struct out *o, uint32_t value, unsigned width)
{
	for (unsigned i = width; i-- > 0;)
		o->bytes[o->len++] = (uint8_t)(value >> 8 * i);
}

static void set_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t sum(const uint8_t *p, size_t n, uint32_t before)
{
	for (size_t i = 0; i < n; i++)
		before += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return before;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put_ethernet(struct out *o, const struct conversation *c, unsigned from, uint16_t ethertype)
{
	put(o, from == 0 && c->to_group ? c->group : c->mac[!from], 6);
	put(o, c->mac[from], 6);
	if (c->vlan[0] && c->vlan[1]) {
		put_number(o, ETHERTYPE_QINQ, 2);
		put_number(o, c->vlan[0], 2);
		put_number(o, ETHERTYPE_VLAN, 2);
		put_number(o, c->vlan[1], 2);
	} else if (c->vlan[0]) {
		put_number(o, ETHERTYPE_VLAN, 2);
		put_number(o, c->vlan[0], 2);
	}
	put_number(o, ethertype, 2);
}

static size_t address_bytes(const struct conversation *c)
{
	return c->family == 6 ? 16 : 4;
}

/* The IP header for `payload` bytes that follow. */
static void put_ip(struct out *o, struct conversation *c, unsigned from, uint8_t protocol, size_t payload)
{
	size_t at;

	put_ethernet(o, c, from, c->family == 6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
	at = o->len;
	if (c->family == 6) {
		put_number(o, 0x60000000, 4);
		put_number(o, (uint32_t)payload, 2);
		put_number(o, protocol, 1);
		put_number(o, HOPS, 1);
	} else {
		put_number(o, 0x4500, 2);
		put_number(o, (uint32_t)payload + 20, 2);
		put_number(o, ++c->number[from], 2);
		put_number(o, 0x4000, 2); /* may not be fragmented */
		put_number(o, HOPS, 1);
		put_number(o, protocol, 1);
		put_number(o, 0, 2);
	}
	put(o, c->ip[from], address_bytes(c));
	put(o, c->ip[!from], address_bytes(c));
	if (c->family != 6)
		set_u16(o->bytes + at + 10, fold(sum(o->bytes + at, 20, 0)));
}

/* Over the transport header at `at` and all that follows, with the addresses. */
static uint16_t transport_checksum(const struct out *o, const struct conversation *c, uint8_t protocol, size_t at)
{
	uint32_t s = sum(c->ip[0], address_bytes(c), 0);

	s = sum(c->ip[1], address_bytes(c), s);
	return fold(sum(o->bytes + at, o->len - at, s + protocol + (uint32_t)(o->len - at)));
}

static void tell_segment(struct conversation *c, unsigned from, uint8_t flags, const uint8_t *bytes, size_t len, int64_t time_ns)
{
	static struct out o;
	size_t at;

	o.len = 0;
	put_ip(&o, c, from, PROTOCOL_TCP, 20 + len);
	at = o.len;
	put_number(&o, c->port[from], 2);
	put_number(&o, c->port[!from], 2);
	put_number(&o, c->sequence[from], 4);
	put_number(&o, flags & ACK ? c->sequence[!from] : 0, 4);
	put_number(&o, 0x5000u | flags, 2);
	put_number(&o, WINDOW, 2);
	put_number(&o, 0, 4);
	if (len)
		put(&o, bytes, len);
	set_u16(o.bytes + at + 16, transport_checksum(&o, c, PROTOCOL_TCP, at));
	c->sequence[from] += (uint32_t)len + (flags & (SYN | FIN) ? 1 : 0);
	c->see(c->context, o.bytes, o.len, time_ns);
}

static void tell_datagram(struct conversation *c, unsigned from, const uint8_t *bytes, size_t len, int64_t time_ns)
{
	static struct out o;
	uint16_t check;
	size_t at;

	o.len = 0;
	put_ip(&o, c, from, PROTOCOL_UDP, 8 + len);
	at = o.len;
	put_number(&o, c->port[from], 2);
	put_number(&o, c->port[!from], 2);
	put_number(&o, (uint32_t)len + 8, 2);
	put_number(&o, 0, 2);
	put(&o, bytes, len);
	check = transport_checksum(&o, c, PROTOCOL_UDP, at);
	set_u16(o.bytes + at + 6, check ? check : 0xffff);
	c->see(c->context, o.bytes, o.len, time_ns);
}

void rebuild_start(struct conversation *c, int64_t time_ns)
{
	if (c->transport != TRANSPORT_TCP)
		return;
	tell_segment(c, 0, SYN, NULL, 0, time_ns);
	tell_segment(c, 1, SYN | ACK, NULL, 0, time_ns);
	tell_segment(c, 0, ACK, NULL, 0, time_ns);
}

void rebuild_bytes(struct conversation *c, unsigned from, const uint8_t *bytes, size_t len, int64_t time_ns)
{
	static struct out o;

	if (c->transport == TRANSPORT_UDP) {
		tell_datagram(c, from, bytes, len < DATAGRAM_MOST ? len : DATAGRAM_MOST, time_ns);
	} else if (c->transport == TRANSPORT_ETHERNET) {
		o.len = 0;
		put_ethernet(&o, c, from, c->ethertype);
		put(&o, bytes, len < ETHERNET_MOST ? len : ETHERNET_MOST);
		c->see(c->context, o.bytes, o.len, time_ns);
	}
	for (size_t at = 0; c->transport == TRANSPORT_TCP && at < len; at += REBUILD_SEGMENT_BYTES) {
		size_t n = len - at < REBUILD_SEGMENT_BYTES ? len - at : REBUILD_SEGMENT_BYTES;

		tell_segment(c, from, PSH | ACK, bytes + at, n, time_ns);
	}
}

void rebuild_end(struct conversation *c, int64_t time_ns)
{
	if (c->transport != TRANSPORT_TCP)
		return;
	tell_segment(c, 0, FIN | ACK, NULL, 0, time_ns);
	tell_segment(c, 1, FIN | ACK, NULL, 0, time_ns);
	tell_segment(c, 0, ACK, NULL, 0, time_ns);
}
