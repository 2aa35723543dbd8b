/*
 * An engine inside a test: frames built by hand go in, findings come out of a real ring.
 */
#ifndef TESTS_UNIT_ENGINE_FIXTURE_H
#define TESTS_UNIT_ENGINE_FIXTURE_H

#include "sensor/engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIXTURE_FINDINGS = 4096, FRAME_ROOM = 2048 };

struct fixture {
	struct engine engine;
	struct ring hub;
	struct ring_fds fds;
	struct finding findings[FIXTURE_FINDINGS];
	uint16_t sent_from[FIXTURE_FINDINGS];
	unsigned count;
	uint64_t frames;
};

static void fixture_start_with(struct fixture *x, struct engine_config config)
{
	config.version = CONFIG_VERSION;
	config.source = ENGINE_RING;
	config.retell_ms = 3600000;
	assert_int_equal(ring_create(&x->fds, "test", 1 << 20), 0);
	assert_int_equal(ring_attach_consumer(&x->hub, x->fds.records_ro, x->fds.tail_rw, x->fds.wake), 0);
	assert_true(dup2(x->fds.records_rw, FD_RECORDS_OUT) >= 0 && dup2(x->fds.tail_ro, FD_TAIL_OUT) >= 0 &&
		    dup2(x->fds.wake, FD_WAKE_OUT) >= 0);
	assert_int_equal(engine_init(&x->engine, &config), 0);
}

static inline struct fixture *fixture_start(void)
{
	struct fixture *x = calloc(1, sizeof *x);

	assert_non_null(x);
	/* The engine's descriptors have fixed numbers: nothing of ours may stand there. */
	for (int fd = 3; fd < FD_FIRST_FREE; fd++)
		dup2(STDERR_FILENO, fd);
	fixture_start_with(x, (struct engine_config){ .flows = 4096, .details = 1024, .stream_bytes = 8 << 20 });
	return x;
}

static inline void fixture_end(struct fixture *x)
{
	engine_free(&x->engine);
	ring_detach(&x->hub);
	ring_detach(&x->engine.teller.ring);
	free(x->engine.teller.memory);
	free(x->engine.link_memory);
	free(x->engine.repeats);
	ring_close_fds(&x->fds);
	free(x);
}

static inline void fixture_text(char *to, const char *from, size_t room)
{
	assert_true(strnlen(from, room) < room);
	strncpy(to, from, room);
}

/* A finding as the ring holds it, without what stands behind its texts. */
static inline struct finding fixture_finding(const struct report *r, size_t len)
{
	struct finding f = { 0 };

	assert_in_range(len, offsetof(struct report, finding.value) + 1, sizeof *r);
	memcpy(&f, &r->finding, offsetof(struct finding, protocol));
	fixture_text(f.protocol, r->finding.protocol, sizeof f.protocol);
	fixture_text(f.path, r->finding.path, sizeof f.path);
	fixture_text(f.value, r->finding.value, len - offsetof(struct report, finding.value));
	assert_true(finding_valid(&f));
	return f;
}

static inline void fixture_collect(struct fixture *x)
{
	const void *record;
	size_t len;

	teller_flush(&x->engine.teller);
	while (ring_next(&x->hub, &record, &len) == RING_OK) {
		const struct report *r = record;

		if (r->type != REPORT_FINDING)
			continue;
		assert_true(x->count < FIXTURE_FINDINGS);
		x->sent_from[x->count] = r->sent_from;
		x->findings[x->count++] = fixture_finding(r, len);
	}
	ring_release(&x->hub);
}

/* The bytes are copied to a block of their exact size, so that a sanitizer sees one byte too far. */
static inline void fixture_frame(struct fixture *x, const uint8_t *bytes, uint32_t captured, uint32_t length, uint16_t linktype)
{
	uint8_t *exact = malloc(captured ? captured : 1);
	struct frame f = { .bytes = exact, .captured = captured, .length = length, .linktype = linktype };

	assert_non_null(exact);
	memcpy(exact, bytes, captured);
	f.number = ++x->frames;
	f.time_ns = 1000000000000 + (int64_t)x->frames * 1000000;
	engine_frames(&x->engine, &f, 1);
	free(exact);
	fixture_collect(x);
}

static inline bool fixture_has(const struct fixture *x, enum finding_kind kind, const char *protocol, enum attribute a, const char *value)
{
	for (unsigned i = 0; i < x->count; i++) {
		const struct finding *f = &x->findings[i];

		if (f->kind == kind && strcmp(f->protocol, protocol) == 0 && f->attribute == a && (!value || strcmp(f->value, value) == 0))
			return true;
	}
	return false;
}

/* Frames: Ethernet, IPv4, TCP or UDP between 10.0.0.1 (client) and 10.0.0.2 (server). */
struct wire {
	uint8_t bytes[FRAME_ROOM];
	uint32_t len;
};

static inline void wire_put(struct wire *w, const void *bytes, size_t len)
{
	assert_true(w->len + len <= FRAME_ROOM);
	memcpy(w->bytes + w->len, bytes, len);
	w->len += (uint32_t)len;
}

static inline void wire_u8(struct wire *w, unsigned v)
{
	uint8_t b = (uint8_t)v;

	wire_put(w, &b, 1);
}

static inline void wire_u16(struct wire *w, unsigned v)
{
	wire_u8(w, v >> 8);
	wire_u8(w, v & 0xff);
}

static inline void wire_u32(struct wire *w, uint32_t v)
{
	wire_u16(w, v >> 16);
	wire_u16(w, v & 0xffff);
}

static inline void wire_ethernet(struct wire *w, bool from_server, uint16_t ethertype)
{
	w->len = 0;
	wire_put(w, from_server ? "\x02\0\0\0\0\x01\x02\0\0\0\0\x02" : "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	wire_u16(w, ethertype);
}

static inline void wire_ipv4(struct wire *w, bool from_server, uint8_t protocol, uint16_t payload, uint16_t id, uint16_t fragment)
{
	wire_u16(w, 0x4500);
	wire_u16(w, 20u + payload);
	wire_u16(w, id);
	wire_u16(w, fragment);
	wire_u8(w, 64);
	wire_u8(w, protocol);
	wire_u16(w, 0);
	wire_u32(w, from_server ? 0x0a000002 : 0x0a000001);
	wire_u32(w, from_server ? 0x0a000001 : 0x0a000002);
}

static inline void wire_tcp(struct wire *w, bool from_server, uint16_t port, uint32_t sequence, uint8_t flags, const void *payload, size_t len)
{
	wire_ethernet(w, from_server, 0x0800);
	wire_ipv4(w, from_server, 6, (uint16_t)(20 + len), 1, 0);
	wire_u16(w, from_server ? port : 50000u);
	wire_u16(w, from_server ? 50000u : port);
	wire_u32(w, sequence);
	wire_u32(w, 0);
	wire_u8(w, 0x50);
	wire_u8(w, flags);
	wire_u16(w, 1024);
	wire_u32(w, 0);
	wire_put(w, payload, len);
}

static inline void wire_udp(struct wire *w, bool from_server, uint16_t port, const void *payload, size_t len)
{
	wire_ethernet(w, from_server, 0x0800);
	wire_ipv4(w, from_server, 17, (uint16_t)(8 + len), 1, 0);
	wire_u16(w, from_server ? port : 50000u);
	wire_u16(w, from_server ? 50000u : port);
	wire_u16(w, (unsigned)(8 + len));
	wire_u16(w, 0);
	wire_put(w, payload, len);
}

static inline void fixture_wire(struct fixture *x, const struct wire *w)
{
	fixture_frame(x, w->bytes, w->len, w->len, LINKTYPE_ETHERNET);
}

static inline void fixture_tcp(struct fixture *x, bool from_server, uint32_t sequence, uint8_t flags, const char *text)
{
	struct wire w;

	wire_tcp(&w, from_server, 2222, sequence, flags, text, strlen(text));
	fixture_wire(x, &w);
}

static inline void fixture_handshake(struct fixture *x)
{
	fixture_tcp(x, false, 99, TCP_SYN, "");
	fixture_tcp(x, true, 999, TCP_SYN | TCP_ACK, "");
	fixture_tcp(x, false, 100, TCP_ACK, "");
}

#endif
