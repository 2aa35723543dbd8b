/*
 * The first look at a frame names the share that the decoder names, or none: of each frame of a recorded plant, whole, cut and
 * with damaged headers, and within each tunnel. And a share is the same in both directions, each gets its part, and each engine
 * its shares.
 */
#include "tests/unit/plant_frames.h"

#include "sensor/common/spread.h"
#include "sensor/engine/decode.h"

struct looks {
	struct decoder decoder;
	uint64_t frames, sure;
};

static void compare(void *context, const struct frame *f)
{
	uint8_t share = share_of_frame(f->bytes, f->captured, f->linktype);
	struct packet p = { .kind = PACKET_NOTHING };
	struct looks *l = context;

	l->frames++;
	if (share == SHARE_UNSURE)
		return;
	assert_true(share < SHARES);
	l->sure++;
	decode_frame(&l->decoder, f, &p);
	if (p.kind != PACKET_NOTHING)
		assert_int_equal(share, p.share);
}

static void test_as_the_decoder(void **state)
{
	static struct engine_counters counters;
	static struct looks l;

	(void)state;
	assert_true(decoder_init(&l.decoder, &counters, true));
	each_plant_frame(0, compare, &l);
	assert_true(l.frames > 1000 && l.sure > l.frames * 3 / 4);
	for (uint32_t seed = 1; seed <= ROUNDS; seed++)
		each_plant_frame(seed, compare, &l);
	assert_true(l.sure > l.frames / 3 && l.sure < l.frames);
	decoder_free(&l.decoder);
}

/* Headers of a tunnel behind those of the IP packet, or behind Ethernet's, that carries it. */
struct carrier {
	uint16_t ethertype;
	uint8_t protocol;     /* of IP; 0: straight on Ethernet */
	uint16_t port;        /* of UDP */
	bool frames;          /* else it carries IPv4 */
	bool closed;          /* what looks like a tunnel is none */
	uint8_t header_bytes;
	uint8_t header[20];
};

static const struct carrier carriers[] = {
	{ 0x0800, 47, 0, true, false, 16, { 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5 } }, /* ERSPAN II */
	{ 0x0800, 47, 0, true, false, 4, { 0, 0, 0x88, 0xbe } },                          /* I */
	{ 0x0800, 47, 0, true, false, 20, { 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5 } }, /* III */
	{ 0x0800, 47, 0, false, false, 8, { 0x20, 0, 0x08, 0 } },                         /* GRE with a key */
	{ 0x0800, 4, 0, false, false, 0, { 0 } },
	{ 0x86dd, 4, 0, false, false, 0, { 0 } },
	{ 0x0800, 17, 4789, true, false, 8, { 8 } }, /* VXLAN */
	{ 0x86dd, 17, 4789, true, false, 8, { 8 } },
	{ 0x0800, 17, 6081, true, false, 8, { 0, 0, 0x65, 0x58 } }, /* GENEVE */
	{ 0x0800, 17, 37008, true, false, 5, { 1, 0, 0, 1, 1 } },   /* TZSP */
	{ 0x0800, 17, 5072, false, true, 0, { 0 } },                /* AYIYA's port */
	{ 0x8847, 0, 0, false, false, 4, { 0, 0, 0x11, 64 } },      /* MPLS */
	{ 0x8864, 0, 0, false, false, 8, { 0x11, 0, 0, 1, 0, 0, 0, 0x21 } }, /* PPPoE */
};

static size_t put_bytes(uint8_t *to, size_t at, const void *bytes, size_t len)
{
	memcpy(to + at, bytes, len);
	return at + len;
}

/* IPv4's header, with an option when asked for, or IPv6's, with an extension header. `len` is of what follows. */
static size_t put_ip(uint8_t *to, size_t at, const struct carrier *c, bool more, size_t len)
{
	size_t total = 20 + (more ? 4u : 0u) + len, behind = len + (more ? 8u : 0u);
	uint8_t four[24] = { more ? 0x46 : 0x45, 0, (uint8_t)(total >> 8), (uint8_t)total, 0, 1, 0, 0, 64, c->protocol,
			     0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 1, 1, 0 };
	uint8_t six[48] = { 0x60, 0, 0, 0, (uint8_t)(behind >> 8), (uint8_t)behind, more ? 0 : c->protocol, 64, 0x20, 1, [23] = 1, [24] = 0x20, [39] = 2,
			    c->protocol, 0, 1, 4 };

	return c->ethertype == 0x0800 ? put_bytes(to, at, four, more ? 24 : 20) : put_bytes(to, at, six, more ? 48 : 40);
}

/* Returns the bytes of it; behind an IP packet stands padding. */
static size_t wrap(const struct carrier *c, bool more, const uint8_t *inside, size_t len, uint8_t *to)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	size_t udp = c->protocol == 17 ? 8 : 0, rest = udp + c->header_bytes + len, at;
	uint8_t ports[8] = { 0xd0, 0, (uint8_t)(c->port >> 8), (uint8_t)c->port, (uint8_t)(rest >> 8), (uint8_t)rest };
	uint8_t type[2] = { (uint8_t)(c->ethertype >> 8), (uint8_t)c->ethertype };

	at = put_bytes(to, put_bytes(to, 0, macs, sizeof macs), type, sizeof type);
	if (c->protocol)
		at = put_ip(to, at, c, more, rest);
	at = put_bytes(to, at, ports, udp);
	at = put_bytes(to, at, c->header, c->header_bytes);
	at = put_bytes(to, at, inside, len);
	memset(to + at, 0x45, 6);
	return c->protocol ? at + 6 : at;
}

struct wraps {
	struct looks looks;
	const struct carrier *carrier;
	bool more;       /* options or extension headers outside */
	uint32_t random; /* 0: nothing is damaged */
	uint64_t frames, as_inside;
};

static void compare_wrapped(void *context, const struct frame *f)
{
	static uint8_t bytes[65536 + 128];
	struct wraps *w = context;
	struct frame whole = *f;
	uint8_t inside = share_of_frame(f->bytes, f->captured, f->linktype);
	bool ip = f->captured > 34 && f->bytes[12] == 8 && f->bytes[13] == 0;
	size_t from = w->carrier->frames ? 0 : 14;

	if ((!w->carrier->frames && !ip) || f->captured > 60000 || inside == SHARE_UNSURE)
		return;
	whole.bytes = bytes;
	whole.captured = whole.length = (uint32_t)wrap(w->carrier, w->more, f->bytes + from, f->captured - from, bytes);
	w->frames++;
	w->as_inside += share_of_frame(bytes, whole.captured, LINKTYPE_ETHERNET) == inside;
	if (w->random)
		damage(bytes, &whole, &w->random);
	compare(&w->looks, &whole);
}

static void wrap_all(const struct carrier *carrier, bool more)
{
	static struct engine_counters counters;
	struct wraps w = { .carrier = carrier, .more = more };
	bool opened = !carrier->closed && !(more && carrier->ethertype == 0x86dd);

	assert_true(decoder_init(&w.looks.decoder, &counters, true));
	each_plant_frame(0, compare_wrapped, &w);
	assert_true(w.frames > 500);
	/* Not opened, it has the share of what is inside by chance alone. */
	assert_true(opened ? w.as_inside > w.frames * 99 / 100 : w.as_inside < w.frames / 2);
	for (uint32_t seed = 1; seed <= ROUNDS / 8; seed++) {
		w.random = seed;
		each_plant_frame(0, compare_wrapped, &w);
	}
	decoder_free(&w.looks.decoder);
}

static void test_in_tunnels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++) {
		wrap_all(&carriers[i], false);
		wrap_all(&carriers[i], true);
	}
}

/* IP behind SNAP: not looked at, for it is rare. */
static void test_snap(void **state)
{
	static const uint8_t snap[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 36, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0,
					0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 7, 0, 8, 0, 0 };
	struct frame f = { .bytes = snap, .captured = sizeof snap, .length = sizeof snap, .linktype = LINKTYPE_ETHERNET };
	static struct engine_counters counters;
	struct decoder decoder;
	struct packet p;

	(void)state;
	assert_true(decoder_init(&decoder, &counters, true));
	decode_frame(&decoder, &f, &p);
	assert_int_equal(p.kind, PACKET_UDP);
	assert_int_equal(share_of_frame(snap, sizeof snap, LINKTYPE_ETHERNET), SHARE_UNSURE);
	decoder_free(&decoder);
}

static void test_unsure(void **state)
{
	static const uint8_t short_frame[13];

	(void)state;
	assert_int_equal(share_of_frame(short_frame, sizeof short_frame, LINKTYPE_ETHERNET), SHARE_UNSURE);
	assert_int_equal(share_of_frame(short_frame, sizeof short_frame, LINKTYPE_RAW), SHARE_UNSURE);
}

/* A thousand pairs of a plant: one master and its devices, a line of machines, another net. */
static void test_both_directions(void **state)
{
	unsigned of[SHARES] = { 0 }, of_six[SHARES] = { 0 };

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		uint8_t a[16] = { 10, 0, 0, (uint8_t)(1 + n % 3) }, b[16] = { 10, (uint8_t)(n / 250), 1, (uint8_t)(n % 250) };
		uint8_t share = share_of_pair(a, b, 4), six;

		assert_int_equal(share, share_of_pair(b, a, 4));
		of[share]++;
		b[15] = (uint8_t)n;
		six = share_of_pair(a, b, 6);
		assert_int_equal(six, share_of_pair(b, a, 6));
		of_six[six]++;
	}
	for (unsigned s = 0; s < SHARES; s++) {
		assert_in_range(of[s], 1000 / SHARES / 2, 1000 / SHARES * 2);
		assert_in_range(of_six[s], 1000 / SHARES / 2, 1000 / SHARES * 2);
	}
}

static void test_engines(void **state)
{
	(void)state;
	for (uint32_t engines = 1; engines <= SHARES; engines++) {
		uint32_t all = 0;

		for (uint32_t i = 0; i < engines; i++) {
			assert_int_equal(all & shares_of_engine(i, engines), 0);
			assert_int_not_equal(shares_of_engine(i, engines), 0);
			all |= shares_of_engine(i, engines);
		}
		assert_int_equal(all, (1u << SHARES) - 1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_decoder),
		cmocka_unit_test(test_in_tunnels),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_engines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
