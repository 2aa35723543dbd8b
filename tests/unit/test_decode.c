/* Layers under and round IP, each built by hand: the host behind them must be found, in its own zone. */
#include "tests/unit/engine_fixture.h"

static const char banner[] = "SSH-2.0-Plant_7.4\r\n";

/* The inner frame that every case wraps: the server's banner. */
static void inner_frame(struct wire *w)
{
	wire_tcp(w, true, 2222, 1000, TCP_ACK, banner, strlen(banner));
}

static const struct finding *service(const struct fixture *x)
{
	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == FINDING_SERVICE && strcmp(x->findings[i].protocol, "ssh") == 0)
			return &x->findings[i];
	return NULL;
}

static void assert_found(struct fixture *x, unsigned outer, unsigned inner)
{
	const struct finding *s = service(x);

	assert_non_null(s);
	assert_memory_equal(s->subject.ip, "\x0a\0\0\x02", 4);
	assert_int_equal(s->vlan[0], outer);
	assert_int_equal(s->vlan[1], inner);
	for (unsigned i = 0; i < x->count; i++)
		assert_memory_not_equal(x->findings[i].subject.ip, "\xc6\x33", 2); /* 198.51.100.0/24: the mirror's own */
}

/* Puts `len` bytes between the MACs and the ethertype. */
static void insert_tags(struct wire *w, const void *tags, size_t len)
{
	memmove(w->bytes + 12 + len, w->bytes + 12, w->len - 12);
	memcpy(w->bytes + 12, tags, len);
	w->len += (uint32_t)len;
}

static void check_tags(const void *tags, size_t len, unsigned outer, unsigned inner)
{
	struct fixture *x = fixture_start();
	struct wire w;

	inner_frame(&w);
	insert_tags(&w, tags, len);
	fixture_wire(x, &w);
	assert_found(x, outer, inner);
	fixture_end(x);
}

static void test_vlans(void **state)
{
	(void)state;
	check_tags("", 0, 0, 0);
	check_tags("\x81\0\0\x0a", 4, 10, 0);
	check_tags("\x81\0\xe0\0", 4, 0, 0); /* a priority and no VLAN */
	check_tags("\x88\xa8\0\x64\x81\0\0\x0a", 8, 100, 10);
	check_tags("\x91\0\0\x64\x81\0\0\x0a", 8, 100, 10);
}

static void test_tag_beside_the_frame(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;
	struct frame f = { .linktype = LINKTYPE_ETHERNET, .has_vlan = true, .vlan_tci = 0x600a, .number = 1, .time_ns = 1000000000 };

	(void)state;
	inner_frame(&w);
	f.bytes = w.bytes;
	f.captured = f.length = w.len;
	engine_frames(&x->engine, &f, 1);
	fixture_collect(x);
	assert_found(x, 10, 0);
	fixture_end(x);
}

/* Outer Ethernet and IPv4 of a mirror session, 198.51.100.1 to .2. */
static void outer(struct wire *w, uint8_t protocol, size_t payload)
{
	wire_ethernet(w, false, 0x0800);
	wire_u16(w, 0x4500);
	wire_u16(w, (unsigned)(20 + payload));
	wire_u32(w, 0);
	wire_u8(w, 64);
	wire_u8(w, protocol);
	wire_u16(w, 0);
	wire_u32(w, 0xc6336401);
	wire_u32(w, 0xc6336402);
}

static void check_tunnel(uint8_t protocol, uint16_t udp_port, const void *header, size_t len, size_t skip, unsigned vlan)
{
	struct fixture *x = fixture_start();
	struct wire inside, w;
	size_t payload;

	inner_frame(&inside);
	payload = len + inside.len - skip + (udp_port ? 8 : 0);
	outer(&w, protocol, payload);
	if (udp_port) {
		wire_u16(&w, 5555);
		wire_u16(&w, udp_port);
		wire_u16(&w, (unsigned)payload);
		wire_u16(&w, 0);
	}
	wire_put(&w, header, len);
	wire_put(&w, inside.bytes + skip, inside.len - skip);
	fixture_wire(x, &w);
	assert_found(x, vlan, 0);
	assert_int_equal(x->engine.counters.tunnels, 1);
	fixture_end(x);
}

static void test_tunnels(void **state)
{
	(void)state;
	check_tunnel(47, 0, "\0\0\x88\xbe", 4, 0, 0);                                             /* ERSPAN I */
	check_tunnel(47, 0, "\x10\0\x88\xbe\0\0\0\1\x10\x0a\x18\x01\0\0\0\0", 16, 0, 10);          /* ERSPAN II */
	check_tunnel(47, 0, "\x10\0\x22\xeb\0\0\0\1\x20\x0a\0\1\0\0\0\0\0\0\0\0", 20, 0, 10);       /* ERSPAN III */
	check_tunnel(47, 0, "\x10\0\x22\xeb\0\0\0\1\x20\x0a\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0", 28, 0, 10); /* with subheader */
	check_tunnel(47, 0, "\x20\0\x65\x58\0\0\0\7", 8, 0, 0);                                   /* TEB with key */
	check_tunnel(47, 0, "\0\0\x08\0", 4, 14, 0);                                              /* GRE with IP */
	check_tunnel(4, 0, "", 0, 14, 0);                                                         /* IP in IP */
	check_tunnel(17, 4789, "\x08\0\0\0\0\0\x64\0", 8, 0, 0);                                   /* VXLAN */
	check_tunnel(17, 4790, "\x0c\0\0\x03\0\0\x64\0", 8, 0, 0);                                /* VXLAN-GPE */
	check_tunnel(17, 6081, "\0\0\x65\x58\0\0\x64\0", 8, 0, 0);                                 /* GENEVE */
	check_tunnel(17, 2152, "\x30\xff\0\x3b\0\0\0\1", 8, 14, 0);                               /* GTP-U */
	check_tunnel(17, 2152, "\x32\xff\0\x3f\0\0\0\1\0\7\0\0", 12, 14, 0);                       /* with sequence number */
	check_tunnel(17, 4754, "\0\0\x08\0", 4, 14, 0);                                           /* GRE in UDP */
	check_tunnel(17, 37008, "\1\0\0\1\1", 5, 0, 0);                                            /* TZSP */
}

static void test_mpls_and_pppoe(void **state)
{
	static const struct {
		const char *header;
		size_t len;
	} cases[] = {
		{ "\x88\x47\0\1\1\x40", 6 },
		{ "\x88\x47\0\1\0\x40\0\2\1\x40", 10 },
		{ "\x88\x64\x11\0\0\1\0\x41\0\x21", 10 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fixture *x = fixture_start();
		struct wire inside, w;

		inner_frame(&inside);
		wire_ethernet(&w, true, 0);
		w.len = 12;
		wire_put(&w, cases[i].header, cases[i].len);
		wire_put(&w, inside.bytes + 14, inside.len - 14);
		fixture_wire(x, &w);
		assert_found(x, 0, 0);
		fixture_end(x);
	}
}

/* Tunnels in tunnels end somewhere, and an endless stack of tags is no way to stay busy. */
static void test_depth(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;

	(void)state;
	wire_ethernet(&w, false, 0x0800);
	for (int i = 0; i < 60; i++)
		wire_ipv4(&w, false, 4, (uint16_t)(20 * (60 - i)), 1, 0);
	fixture_wire(x, &w);
	wire_ethernet(&w, false, 0x8100);
	for (int i = 0; i < 300; i++)
		wire_u32(&w, 0x00018100);
	fixture_wire(x, &w);
	assert_int_equal(x->engine.counters.frames, 2);
	fixture_end(x);
}

static void test_link_types(void **state)
{
	static const struct {
		uint16_t linktype;
		const char *header;
		size_t len;
	} cases[] = {
		{ LINKTYPE_RAW, "", 0 },
		{ LINKTYPE_IPV4, "", 0 },
		{ LINKTYPE_NULL, "\2\0\0\0", 4 },
		{ LINKTYPE_LOOP, "\0\0\0\2", 4 },
		{ LINKTYPE_LINUX_SLL, "\0\0\0\1\0\6\2\0\0\0\0\2\0\0\x08\0", 16 },
		{ LINKTYPE_LINUX_SLL2, "\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\2\0\0", 20 },
		{ LINKTYPE_PPP, "\xff\x03\0\x21", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fixture *x = fixture_start();
		struct wire inside, w = { .len = 0 };

		inner_frame(&inside);
		wire_put(&w, cases[i].header, cases[i].len);
		wire_put(&w, inside.bytes + 14, inside.len - 14);
		fixture_frame(x, w.bytes, w.len, w.len, cases[i].linktype);
		assert_found(x, 0, 0);
		fixture_end(x);
	}
}

static void test_unknown_link_type(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;

	(void)state;
	inner_frame(&w);
	fixture_frame(x, w.bytes, w.len, w.len, 9999);
	assert_int_equal(x->engine.counters.unknown_linktype, 1);
	assert_int_equal(x->count, 0);
	fixture_end(x);
}

/* Ethernet's padding is no payload, and what the capture cut is no fault of the sender. */
static void test_padding_and_truncation(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;

	(void)state;
	inner_frame(&w);
	wire_put(&w, "padding padding", 15);
	fixture_wire(x, &w);
	assert_found(x, 0, 0);
	inner_frame(&w);
	fixture_frame(x, w.bytes, 40, w.len, LINKTYPE_ETHERNET);
	assert_int_equal(x->engine.counters.truncated, 1);
	assert_int_equal(x->engine.counters.malformed, 0);
	fixture_frame(x, w.bytes, 40, 40, LINKTYPE_ETHERNET);
	assert_int_equal(x->engine.counters.malformed, 1);
	fixture_end(x);
}

/* Every prefix of a frame, each in a block of its own size, and each byte made 0, 255 and one more. */
static void test_prefixes_and_mutations(void **state)
{
	struct fixture *x = fixture_start();
	struct wire inside, w;

	(void)state;
	inner_frame(&inside);
	outer(&w, 47, 16 + inside.len);
	wire_put(&w, "\x10\0\x88\xbe\0\0\0\1\x10\x0a\x18\x01\0\0\0\0", 16);
	wire_put(&w, inside.bytes, inside.len);
	for (uint32_t n = 0; n < w.len; n++)
		fixture_frame(x, w.bytes, n, w.len, LINKTYPE_ETHERNET);
	for (uint32_t n = 0; n < w.len; n++) {
		uint8_t was = w.bytes[n], lies[] = { 0, 255, (uint8_t)(was + 1) };

		for (size_t i = 0; i < sizeof lies; i++) {
			w.bytes[n] = lies[i];
			fixture_wire(x, &w);
		}
		w.bytes[n] = was;
		x->count = 0;
	}
	fixture_end(x);
}

static void send_fragment(struct fixture *x, const uint8_t *udp, uint16_t from, uint16_t len, bool more, uint16_t id)
{
	struct wire w;

	wire_ethernet(&w, true, 0x0800);
	wire_ipv4(&w, true, 17, len, id, (uint16_t)(from / 8 | (more ? 0x2000 : 0)));
	wire_put(&w, udp + from, len);
	fixture_wire(x, &w);
}

/* A datagram in three parts, in any order and each seen twice, is read once it is whole. */
static void test_fragments(void **state)
{
	struct fixture *x = fixture_start();
	struct wire whole;
	/* SNMPv1 answer to sysName.0 = "drive-7"; RFC 1157 section 4.1. */
	static const uint8_t snmp[] = "\x30\x30\x02\x01\x00\x04\x06public\xa2\x23\x02\x01\x01\x02\x01\x00\x02\x01\x00"
				      "\x30\x18\x30\x16\x06\x08\x2b\x06\x01\x02\x01\x01\x05\x00\x04\x0a" "drive-7-ab";

	(void)state;
	wire_udp(&whole, true, 161, snmp, sizeof snmp - 1);
	for (int i = 0; i < 2; i++) {
		send_fragment(x, whole.bytes + 34, 40, (uint16_t)(8 + sizeof snmp - 1 - 40), false, 7);
		send_fragment(x, whole.bytes + 34, 0, 24, true, 7);
	}
	assert_false(fixture_has(x, FINDING_SERVICE, "snmp", ATTR_NONE, NULL));
	send_fragment(x, whole.bytes + 34, 24, 16, true, 7);
	assert_int_equal(x->engine.counters.fragments, 5);
	assert_int_equal(x->engine.counters.fragments_dropped, 0);
	assert_true(fixture_has(x, FINDING_ATTRIBUTE, "snmp", ATTR_NAME, "drive-7-ab"));
	fixture_end(x);
}

/* Fragments that overlap with other bytes, and floods of first fragments, are dropped and counted. */
static void test_hostile_fragments(void **state)
{
	struct fixture *x = fixture_start();
	uint8_t bytes[128] = { 0 };

	(void)state;
	send_fragment(x, bytes, 0, 64, true, 1);
	bytes[40] = 1;
	send_fragment(x, bytes, 32, 64, true, 1);
	assert_int_equal(x->engine.counters.fragments_dropped, 1);
	for (uint16_t id = 2; id < 202; id++)
		send_fragment(x, bytes, 0, 64, true, id);
	assert_true(x->engine.counters.fragments_dropped > 100);
	fixture_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_tag_beside_the_frame),
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_mpls_and_pppoe),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_unknown_link_type),
		cmocka_unit_test(test_padding_and_truncation),
		cmocka_unit_test(test_prefixes_and_mutations),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_hostile_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
