/* The table of zones: tags have one number, whatever comes between; one that is full keeps what it has and says what it has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sensor/engine/decode.h"

static struct decoder decoder;
static struct engine_counters counters;

static uint16_t zone_of(unsigned outer, unsigned inner)
{
	return decoder_zone(&decoder, outer << 16 | inner);
}

static int start(void **state)
{
	(void)state;
	counters = (struct engine_counters){ 0 };
	return decoder_init(&decoder, &counters, true) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	decoder_free(&decoder);
	return 0;
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(zone_of(0, 0), 0);
	assert_int_equal(zone_of(7, 0), 1);
	assert_int_equal(zone_of(7, 8), 2);
	assert_int_equal(zone_of(8, 7), 3);
	assert_int_equal(zone_of(7, 0), 1);
	assert_int_equal(decoder_tags(&decoder, 2), 7 << 16 | 8);
	assert_int_equal(counters.undecoded, 0);
}

/* Every pair of tags that a sender can choose, of which the first few thousand find room. */
static void test_full(void **state)
{
	const unsigned more = 1000;

	(void)state;
	for (unsigned i = 1; i < ZONES + more; i++)
		assert_int_equal(zone_of(i % 64 + 1, i / 64 + 1), i < ZONES ? i : 0);
	assert_int_equal(counters.undecoded, more);
	for (unsigned i = 1; i < ZONES; i++)
		assert_int_equal(zone_of(i % 64 + 1, i / 64 + 1), i);
	assert_int_equal(counters.undecoded, more);
}

/* What a full table costs for tags that are not in it: a few places looked at, not all. */
static void test_bounded(void **state)
{
	unsigned longest = 0, run = 0;

	(void)state;
	for (unsigned i = 1; i < ZONES; i++)
		zone_of(i % 64 + 1, i / 64 + 1);
	for (unsigned place = 0; place < 2 * ZONE_PLACES; place++) {
		run = decoder.zone_place[place % ZONE_PLACES] ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	assert_in_range(longest, 1, 200);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, start, end),
		cmocka_unit_test_setup_teardown(test_full, start, end),
		cmocka_unit_test_setup_teardown(test_bounded, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
