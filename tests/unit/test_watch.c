/* The watch over simulated plants: what stops an order, who is quarantined for it, and that a quiet plant never raises an alarm. */
#include "tests/unit/watch_fixture.h"

static void learning_first(void **state)
{
	(void)state;
	assert_int_equal(word(0), WATCH_BLIND);
	quiet(5);
	assert_int_equal(word(0), WATCH_LEARNING);
	quiet(LEARN_S - 10);
	assert_int_equal(word(0), WATCH_LEARNING);
	quiet(10);
	assert_int_equal(word(0), WATCH_CLEAR);
}

/* A day of a quiet plant, with an order under watch all the time. */
static void no_false_alarm(void **state)
{
	uint64_t order = 1;

	(void)state;
	quiet(LEARN_S + 5);
	for (int hour = 0; hour < 24; hour++) {
		struct watch_target t = target(hour % PLCS == 5 ? 0 : (unsigned)hour % PLCS);

		assert_true(watch_started(plant.watch, order, &t, "modbus", plant.now_ns));
		quiet(1800);
		watch_ended(plant.watch, order++, true, plant.now_ns);
		quiet(1800);
		assert_int_equal(plant.aborts, 0);
	}
	assert_int_equal(events("target-degraded"), 0);
}

static void no_answer(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	trouble(0, PULSE_OVERDUE);
	assert_int_equal(plant.aborts, 1);
	assert_int_equal(plant.aborted[0], 7);
	assert_int_equal(events("target-degraded"), 1);
	watch_ended(plant.watch, 7, true, plant.now_ns);
	/* Its kind is left alone with it; others are not. */
	quiet(2 * LEARN_S);
	assert_int_equal(word(0), WATCH_QUARANTINED);
	assert_int_equal(word(1), WATCH_QUARANTINED);
	assert_int_equal(word(2), WATCH_QUARANTINED);
	assert_int_equal(word(3), WATCH_CLEAR);
	assert_int_equal(word(4), WATCH_CLEAR);
	assert_int_equal(plant.aborts, 1);
	assert_int_equal(events("target-degraded"), 1);
}

static void each_trouble(void **state)
{
	static const uint8_t whys[] = { PULSE_OVERDUE, PULSE_SILENT, PULSE_RESET };

	(void)state;
	for (size_t i = 0; i < sizeof whys; i++) {
		if (i) {
			drop_folder(state);
			make_plant(state);
		}
		quiet(LEARN_S + 5);
		start(7, 0);
		quiet(1);
		trouble(0, whys[i]);
		assert_int_equal(plant.aborts, 1);
	}
}

static unsigned seconds_until_abort(uint32_t (*rtt_us)(unsigned second), unsigned most)
{
	for (unsigned s = 0; s < most; s++) {
		struct pulse p;

		time_passes();
		p = usual(0, rtt_us(s));
		watch_pulse(plant.watch, &p, plant.now_ns);
		if (plant.aborts)
			return s + 1;
	}
	return UINT32_MAX;
}

static uint32_t suddenly_slow(unsigned second)
{
	(void)second;
	return 40000;
}

static uint32_t slower_and_slower(unsigned second)
{
	return 2000 + 500 * second;
}

static void slowing(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	assert_int_equal(seconds_until_abort(suddenly_slow, 5), 1);
	assert_int_equal(events("target-degraded"), 1);
}

static void slowing_bit_by_bit(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	/* It doubles within seconds: that must not be learned as usual. */
	assert_true(seconds_until_abort(slower_and_slower, 60) <= 60);
}

static void after_the_probe(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	watch_ended(plant.watch, 7, true, plant.now_ns);
	quiet(OBSERVE_S / 2);
	assert_true(watch_holds(plant.watch, 7));
	trouble(0, PULSE_SILENT);
	/* There is nothing to stop any more; the alarm and the quarantine are the same. */
	assert_int_equal(plant.aborts, 0);
	assert_int_equal(events("target-degraded"), 1);
	assert_false(watch_holds(plant.watch, 7));
	quiet(2 * LEARN_S);
	assert_int_equal(word(0), WATCH_QUARANTINED);
	assert_int_equal(word(1), WATCH_QUARANTINED);
}

static void long_after_the_probe(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	watch_ended(plant.watch, 7, true, plant.now_ns);
	quiet(OBSERVE_S + 2);
	assert_false(watch_holds(plant.watch, 7));
	trouble(0, PULSE_RESET);
	assert_int_equal(events("target-degraded"), 0);
	assert_int_equal(word(0), WATCH_UNSTEADY);
}

static void unsteady_waits(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	trouble(0, PULSE_RESET);
	quiet(LEARN_S / 2);
	assert_int_equal(word(0), WATCH_UNSTEADY);
	assert_int_equal(word(3), WATCH_CLEAR);
	quiet(LEARN_S);
	assert_int_equal(word(0), WATCH_CLEAR);
	assert_int_equal(events("target-degraded"), 0);
}

static void noisy_waits(void **state)
{
	(void)state;
	for (int s = 0; s < 3 * LEARN_S; s++) {
		struct pulse p;

		quiet(1);
		p = usual(5, 1000 + chance(60) * 1000);
		watch_pulse(plant.watch, &p, plant.now_ns);
	}
	assert_int_equal(word(5), WATCH_UNSTEADY);
	assert_int_equal(word(0), WATCH_CLEAR);
}

static void kept_over_a_restart(void **state)
{
	char why[WATCH_WHY_BYTES], id[ASSET_ID_BYTES], other[ASSET_ID_BYTES];
	struct watch_target t = target(0), u = target(1);

	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	trouble(0, PULSE_SILENT);
	flush();
	stop_hub();
	memset(&hub.store, 0, sizeof hub.store);
	start_hub();
	assert_int_equal(word(0), WATCH_QUARANTINED);
	assert_int_equal(word(2), WATCH_QUARANTINED);
	memcpy(id, picture_find(&hub.picture, t.vlan, 4, t.address.ip)->asset->id, sizeof id);
	memcpy(other, picture_find(&hub.picture, u.vlan, 4, u.address.ip)->asset->id, sizeof other);
	/* Only who suffered can be released, and with it its kind. */
	assert_int_equal(watch_release(plant.watch, other, "ann", plant.now_ns, why), -1);
	assert_non_null(strstr(why, id));
	assert_int_equal(watch_release(plant.watch, id, "ann", plant.now_ns, why), 0);
	assert_int_equal(watch_release(plant.watch, id, "ann", plant.now_ns, why), -1);
	assert_int_equal(events("quarantine-released"), 1);
	stop_hub();
	start_hub();
	quiet(LEARN_S + 5);
	assert_int_equal(word(0), WATCH_CLEAR);
	assert_int_equal(word(2), WATCH_CLEAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(learning_first), TEST(no_false_alarm), TEST(no_answer), TEST(each_trouble), TEST(slowing),
		TEST(slowing_bit_by_bit), TEST(after_the_probe), TEST(long_after_the_probe), TEST(unsteady_waits), TEST(noisy_waits),
		TEST(kept_over_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
