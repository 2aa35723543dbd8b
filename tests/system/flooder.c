/*
 * Sends floods into a network interface of a test, as fast as it takes them: frames of a kind, each unlike all
 * before it.
 *
 *   flooder INTERFACE KIND COUNT [SEED]
 *
 * KIND: syn arp fragments macs vlans dhcp names addresses streams collisions. Prints how many frames went out.
 */
#include "sensor/engine/flow_key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH = 64, ROOM = 1514, ETHERNET = 14, IP = 20, TCP = 20, UDP = 8, NAME_BYTES = 1200, BOOTP = 236 };

struct frame {
	uint8_t bytes[ROOM];
	size_t len;
};

static uint32_t seed;

/* Numbers that never meet again within 2^32, in no order that a table would like. */
static uint32_t scatter(uint32_t n)
{
	return (n ^ seed) * 2654435761u;
}

static void put_16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put_32(uint8_t *to, uint32_t value)
{
	put_16(to, value >> 16);
	put_16(to + 2, value);
}

static void ethernet(struct frame *f, uint32_t from, bool group, uint16_t type)
{
	memset(f->bytes, 0, sizeof f->bytes);
	memset(f->bytes, group ? 0xff : 0x02, 6);
	f->bytes[6] = 0x02;
	f->bytes[7] = 0x5f;
	put_32(f->bytes + 8, from);
	put_16(f->bytes + 12, type);
	f->len = ETHERNET;
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Addresses below 10/8; `rest` bytes follow the header. */
static uint8_t *ip(struct frame *f, uint32_t source, uint32_t target, uint8_t protocol, size_t rest)
{
	uint8_t *h = f->bytes + f->len;

	h[0] = 0x45;
	put_16(h + 2, (uint32_t)(IP + rest));
	put_16(h + 4, source);
	h[8] = 64;
	h[9] = protocol;
	put_32(h + 12, 0x0a000000 | (source & 0xffffff));
	put_32(h + 16, 0x0a000000 | (target & 0xffffff));
	put_16(h + 10, checksum(h, IP));
	f->len += IP + rest;
	return h + IP;
}

static void make_syn(struct frame *f, uint32_t n)
{
	uint8_t *t;

	ethernet(f, n & 0xff, false, 0x0800);
	t = ip(f, scatter(n), 5, 6, TCP);
	put_16(t, 1024 + n % 60000);
	put_16(t + 2, scatter(n) >> 7);
	put_32(t + 4, scatter(n));
	t[12] = 0x50;
	t[13] = 2;
	put_16(t + 14, 8192);
}

static void make_arp(struct frame *f, uint32_t n)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, 2 };
	uint8_t *a = f->bytes + ETHERNET;

	ethernet(f, scatter(n), true, 0x0806);
	memcpy(a, head, sizeof head);
	memcpy(a + 8, f->bytes + 6, 6);
	put_32(a + 14, 0x0a000000 | (scatter(n) & 0xffffff));
	memcpy(a + 24, a + 14, 4);
	f->len += 46;
}

/* Each the first of a datagram that never comes whole. */
static void make_fragment(struct frame *f, uint32_t n)
{
	uint8_t *h = f->bytes + ETHERNET;

	ethernet(f, n & 0xff, false, 0x0800);
	ip(f, scatter(n), 9, 17, 1480);
	put_16(h + 6, 0x2000);
	put_16(h + 10, 0);
	put_16(h + 10, checksum(h, IP));
}

static void make_mac(struct frame *f, uint32_t n)
{
	ethernet(f, scatter(n), false, 0x88cc);
	memcpy(f->bytes + f->len, "\x02\x07\x04", 3);
	put_32(f->bytes + f->len + 3, scatter(n));
	memcpy(f->bytes + f->len + 9, "\x04\x02\x07p\x06\x02\0\x78\x0a\x04name\0\0", 16);
	f->len = 60;
}

static void make_vlan(struct frame *f, uint32_t n)
{
	struct frame inner;

	make_arp(&inner, n);
	memcpy(f->bytes, inner.bytes, 12);
	put_16(f->bytes + 12, 0x88a8);
	put_16(f->bytes + 14, n & 0xfff);
	put_16(f->bytes + 16, 0x8100);
	put_16(f->bytes + 18, n >> 12 & 0xfff);
	memcpy(f->bytes + 20, inner.bytes + 12, inner.len - 12);
	f->len = inner.len + 8;
}

static void make_dhcp(struct frame *f, uint32_t n)
{
	uint8_t *u, *b, *o;

	ethernet(f, scatter(n), true, 0x0800);
	u = ip(f, 0, 0xffffff, 17, UDP + BOOTP + 100);
	put_16(u, 68);
	put_16(u + 2, 67);
	put_16(u + 4, UDP + BOOTP + 100);
	b = u + UDP;
	memcpy(b, "\1\1\6", 3);
	put_32(b + 4, n);
	memcpy(b + 28, f->bytes + 6, 6);
	o = b + BOOTP;
	memcpy(o, "\x63\x82\x53\x63\x35\1\3\x0c\x40", 9);
	snprintf((char *)o + 9, 65, "host-%08x-\x1b[31m<b>$(reboot)", scatter(n));
	o[73] = 0xff;
}

/* An SMTP-like greeting as long as a segment has room; together with its neighbours a name of 64 KiB and more. */
static void make_name(struct frame *f, uint32_t n)
{
	uint8_t *t;
	uint32_t part = n % 64, flow = n / 64;

	ethernet(f, flow & 0xff, false, 0x0800);
	t = ip(f, scatter(flow), 7, 6, TCP + NAME_BYTES);
	put_16(t, 80);
	put_16(t + 2, 20000 + flow % 40000);
	put_32(t + 4, 1000 + part * NAME_BYTES);
	t[12] = 0x50;
	t[13] = 0x18;
	memset(t + TCP, 'A' + (int)(n % 26), NAME_BYTES);
	if (part == 0)
		memcpy(t + TCP, "HTTP/1.1 200 OK\r\nServer: ", 25);
}

static void make_address(struct frame *f, uint32_t n)
{
	uint8_t *u;

	ethernet(f, n, false, 0x0800);
	u = ip(f, n, n + 1, 17, UDP + 4);
	put_16(u, 40000);
	put_16(u + 2, 40001);
	put_16(u + 4, UDP + 4);
	f->len = 60;
}

/* Flows that stand in one place of a thousand, if their table were hashed without a key. */
static void make_collision(struct frame *f, uint32_t n)
{
	enum { PLACES = 1024, PORT = 40000 };
	static const uint64_t no_key[2];
	static uint32_t last;
	struct flow_key k;
	uint64_t hash;
	uint8_t *u;

	do {
		last++;
		flow_key_make_ipv4(&k, &hash, &(struct flow_ends_ipv4){ htonl(0x0a000000 | (last & 0xffffff)), htonl(0x0a000005),
			(PORT + (last >> 24)) << 16 | PORT, 17, 0 }, no_key);
	} while (hash % PLACES);
	ethernet(f, n & 0xff, false, 0x0800);
	u = ip(f, last, 5, 17, UDP + 4);
	put_16(u, PORT + (last >> 24));
	put_16(u + 2, PORT);
	put_16(u + 4, UDP + 4);
	f->len = 60;
}

/* Begun and never ended, with a hole before each byte, so that it must be kept. */
static void make_stream(struct frame *f, uint32_t n)
{
	make_name(f, n * 64 + 3);
}

static const struct {
	const char *name;
	void (*make)(struct frame *f, uint32_t n);
} kinds[] = {
	{ "syn", make_syn }, { "arp", make_arp }, { "fragments", make_fragment }, { "macs", make_mac }, { "vlans", make_vlan },
	{ "dhcp", make_dhcp }, { "names", make_name }, { "addresses", make_address }, { "streams", make_stream },
	{ "collisions", make_collision },
};

static int open_interface(const char *name)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		fprintf(stderr, "flooder: %s: %s\n", name, strerror(errno));
		exit(2);
	}
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
	return fd;
}

/* Who finds the queue full tries again. */
static void send_all(int fd, struct mmsghdr *messages, unsigned count)
{
	unsigned sent = 0;

	while (sent < count) {
		int n = sendmmsg(fd, messages + sent, count - sent, 0);

		if (n > 0)
			sent += (unsigned)n;
		else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			exit(3);
		else
			usleep(100);
	}
}

static void flood(int fd, void (*make)(struct frame *f, uint32_t n), uint32_t count)
{
	static struct frame frames[BATCH];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];

	for (uint32_t n = 0; n < count;) {
		unsigned batch = 0;

		for (; batch < BATCH && n < count; batch++, n++) {
			make(&frames[batch], n);
			vectors[batch] = (struct iovec){ frames[batch].bytes, frames[batch].len };
			messages[batch] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &vectors[batch], .msg_iovlen = 1 } };
		}
		send_all(fd, messages, batch);
	}
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;

	seed = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
	for (size_t i = 0; argc > 3 && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(argv[2], kinds[i].name) == 0) {
			flood(open_interface(argv[1]), kinds[i].make, count);
			printf("%u\n", count);
			return 0;
		}
	fprintf(stderr, "usage: flooder INTERFACE KIND COUNT [SEED]\n");
	return 2;
}
