/* Opening packets of TCP in words, and what a reader of a file complained of, for tests of stacks' signatures. */
#ifndef TESTS_UNIT_STACK_FIXTURE_H
#define TESTS_UNIT_STACK_FIXTURE_H

#include "classifiers/stack/stack_signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKET_BYTES = 160, SYN = 2, SYN_ACK = 18 };

#define OPTIONS(text) .options = text, .options_len = sizeof(text) - 1
#define MSS_1300 "\x02\x04\x05\x14"
#define MSS_1440 "\x02\x04\x05\xa0"
#define MSS_1460 "\x02\x04\x05\xb4"
#define MSS_64 "\x02\x04\x00\x40"
#define TIMED "\x08\x0a\x11\x22\x33\x44\0\0\0\0"
#define SOK_TIMED_WS "\x04\x02" TIMED "\x01\x03\x03\x07"

/* A packet in words. Version 0 is 4, TTL 0 is 64, the sequence number is 1 when nothing is said of it. */
struct shape {
	unsigned version, tos, fragment, id, ttl, ip_options, protocol, flow, no_sequence, acknowledgment, flags, ns, window, urgent;
	unsigned tcp_header, payload, padding;
	const char *options;
	size_t options_len;
};

static void put16(uint8_t *to, unsigned x)
{
	to[0] = (uint8_t)(x >> 8);
	to[1] = (uint8_t)x;
}

static size_t make_ip(uint8_t *p, const struct shape *w, size_t behind)
{
	unsigned protocol = w->protocol ? w->protocol : 6, ttl = w->ttl ? w->ttl : 64;
	size_t header = w->version == 6 ? 40 : 20 + w->ip_options;

	if (w->version == 6) {
		p[0] = (uint8_t)(0x60 | w->tos >> 4);
		p[1] = (uint8_t)(w->tos << 4 | w->flow >> 16);
		put16(p + 2, w->flow & 0xffff);
		put16(p + 4, (unsigned)behind);
		p[6] = (uint8_t)protocol;
		p[7] = (uint8_t)ttl;
	} else {
		p[0] = (uint8_t)((w->version ? w->version : 4) << 4 | header / 4);
		p[1] = (uint8_t)w->tos;
		put16(p + 2, (unsigned)(header + behind));
		put16(p + 4, w->id);
		put16(p + 6, w->fragment);
		p[8] = (uint8_t)ttl;
		p[9] = (uint8_t)protocol;
	}
	return header;
}

static size_t make(uint8_t p[PACKET_BYTES], const struct shape *w)
{
	size_t header = w->tcp_header ? w->tcp_header : 20 + w->options_len, ip;
	uint8_t *tcp;

	memset(p, 0, PACKET_BYTES);
	ip = make_ip(p, w, header + w->payload);
	tcp = p + ip;
	tcp[7] = w->no_sequence ? 0 : 1;
	tcp[11] = (uint8_t)w->acknowledgment;
	tcp[12] = (uint8_t)(header / 4 << 4 | w->ns);
	tcp[13] = (uint8_t)w->flags;
	put16(tcp + 14, w->window);
	put16(tcp + 18, w->urgent);
	if (w->options_len)
		memcpy(tcp + 20, w->options, w->options_len);
	return ip + header + w->payload + w->padding;
}

/* In a block of the exact size. */
static bool read_shape(const struct shape *w, uint16_t peer_mss, struct stack_signature *s)
{
	uint8_t p[PACKET_BYTES], *exact;
	size_t len = make(p, w);
	bool good;

	assert_true(len <= sizeof p);
	exact = malloc(len);
	memcpy(exact, p, len);
	good = stack_signature_read(cursor_over(exact, len), peer_mss, s);
	free(exact);
	return good;
}

static unsigned complaints;
static char told[128];
static uint32_t told_line;

static void note(void *context, const char *path, uint32_t line, const char *sentence)
{
	(void)context;
	(void)path;
	told_line = line;
	snprintf(told, sizeof told, "%s", sentence);
	complaints++;
}

#endif
