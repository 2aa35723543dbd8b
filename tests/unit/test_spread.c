/*
 * The first look at a frame names the share that the decoder names, or none: of each frame of a recorded plant, whole, cut and
 * with damaged headers. And a share is the same in both directions, each gets its part, and each engine its shares.
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
		cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_engines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
