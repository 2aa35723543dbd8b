/* A storm of ARP is passed over many frames at a time, and tells what the same frames tell one by one. */
#include "tests/unit/engine_fixture.h"

enum { FRAMES = 3000, ARP_FRAME = 60, SHORT_FRAME = 41 /* a byte less than ARP has */, SENDERS = 300, MILLISECOND = 1000000 };

struct traffic {
	uint8_t bytes[FRAMES][ARP_FRAME];
	struct frame frames[FRAMES];
	uint64_t length;
};

static void put_u32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Who asks for whom; an announcement asks for itself. */
static void make_request(uint8_t *b, uint32_t sender, uint32_t target)
{
	static const uint8_t fixed[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0 };

	memset(b, 0, ARP_FRAME);
	memcpy(b, fixed, sizeof fixed);
	put_u32(b + 8, sender);
	put_u32(b + 24, sender);
	put_u32(b + 28, 0x0a000000 + sender);
	put_u32(b + 38, 0x0a000000 + target);
}

/* A few send nearly all of it; between them newcomers, announcements, frames that are cut and frames of another kind. */
static void make_traffic(struct traffic *t, uint32_t seed)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		uint32_t dice, sender;

		seed = seed * 1664525 + 1013904223;
		dice = seed >> 24;
		sender = dice < 230 ? dice % 5 : (seed >> 8) % SENDERS;
		make_request(t->bytes[i], sender, dice > 250 ? sender : (seed >> 4) % 1000);
		t->frames[i] = (struct frame){ .bytes = t->bytes[i], .captured = ARP_FRAME, .length = ARP_FRAME, .linktype = LINKTYPE_ETHERNET,
					       .number = i + 1, .time_ns = (int64_t)i * 50 * MILLISECOND };
		if (dice % 50 == 7)
			t->frames[i].captured = SHORT_FRAME;
		if (dice % 50 == 8)
			t->bytes[i][13] = 0x35; /* RARP, which nobody reads */
		if (dice % 50 == 9) {
			t->frames[i].has_vlan = true;
			t->frames[i].vlan_tci = 7;
		}
		t->length += t->frames[i].length;
	}
}

static void play(struct fixture *x, const struct traffic *t, unsigned at_once)
{
	for (unsigned i = 0; i < FRAMES; i += at_once)
		engine_frames(&x->engine, &t->frames[i], FRAMES - i < at_once ? FRAMES - i : at_once);
	fixture_collect(x);
	assert_int_equal(x->engine.counters.frames, FRAMES);
	assert_int_equal(x->engine.counters.bytes, t->length);
}

/* One of those who storm is the sensor itself, whose frames are passed over. */
static void make_own(struct engine *e)
{
	e->config.own = (struct endpoint){ .mac = { 2, 0, 0, 0, 0, 2 }, .family = 4, .ip = { 10, 0, 0, 2 } };
	e->teller.own = e->config.own;
}

static void test_as_one_by_one(void **state)
{
	static struct traffic t;

	(void)state;
	for (uint32_t seed = 1; seed <= 8; seed++) {
		struct fixture *single, *batched;

		t.length = 0;
		make_traffic(&t, seed);
		single = fixture_start();
		if (seed % 2)
			make_own(&single->engine);
		play(single, &t, 1);
		assert_true(single->count > SENDERS && fixture_has(single, FINDING_ACTIVITY, "arp", ATTR_NONE, "ARP announcement"));
		batched = fixture_start();
		/* What falls out of a memory depends on the keys. */
		memcpy(batched->engine.decoder.hash_key, single->engine.decoder.hash_key, sizeof single->engine.decoder.hash_key);
		batched->engine.teller.hash_key = single->engine.teller.hash_key;
		batched->engine.config.own = single->engine.config.own;
		batched->engine.teller.own = single->engine.teller.own;
		play(batched, &t, ENGINE_BATCH - seed % 3);
		assert_int_equal(batched->count, single->count);
		assert_memory_equal(batched->findings, single->findings, single->count * sizeof *single->findings);
		assert_int_equal(batched->engine.counters.undecoded, single->engine.counters.undecoded);
		assert_int_equal(batched->engine.counters.messages, single->engine.counters.messages);
		fixture_end(batched);
		fixture_end(single);
	}
}

/* Whoever storms costs no message of the others: of what was met nothing is read again, of a newcomer all. */
static void test_newcomer(void **state)
{
	struct fixture *x = fixture_start();
	struct frame frames[ENGINE_BATCH];
	uint8_t storm[ARP_FRAME], newcomer[ARP_FRAME];

	(void)state;
	make_request(storm, 1, 2);
	make_request(newcomer, 77, 2);
	for (unsigned i = 0; i < ENGINE_BATCH; i++)
		frames[i] = (struct frame){ .bytes = storm, .captured = ARP_FRAME, .length = ARP_FRAME, .linktype = LINKTYPE_ETHERNET, .number = i + 1 };
	engine_frames(&x->engine, frames, ENGINE_BATCH);
	engine_frames(&x->engine, frames, ENGINE_BATCH);
	assert_int_equal(x->engine.counters.messages, 1);
	frames[ENGINE_BATCH - 1].bytes = newcomer;
	engine_frames(&x->engine, frames, ENGINE_BATCH);
	assert_int_equal(x->engine.counters.messages, 2);
	assert_int_equal(x->engine.counters.frames, 3 * ENGINE_BATCH);
	fixture_end(x);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_one_by_one), cmocka_unit_test(test_newcomer) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
