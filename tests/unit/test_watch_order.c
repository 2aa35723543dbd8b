/* The watch over simulated plants: who may be asked, who goes first, and who waits. */
#include "tests/unit/watch_fixture.h"

static void canary_goes_alone(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(1, 0);
	assert_int_equal(word(1), WATCH_CANARY_WAIT);
	assert_int_equal(word(4), WATCH_CLEAR);
	watch_ended(plant.watch, 1, true, plant.now_ns);
	quiet(OBSERVE_S + 2);
	assert_int_equal(word(1), WATCH_CANARY_WAIT);
	quiet(CANARY_S);
	/* Now the others, one by one. */
	start(2, 1);
	assert_int_equal(word(2), WATCH_CANARY_WAIT);
	watch_ended(plant.watch, 2, true, plant.now_ns);
	assert_int_equal(word(2), WATCH_CANARY_WAIT);
	quiet(OBSERVE_S + 2);
	start(3, 2);
}

static void refused_canary_is_none(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(1, 0);
	watch_ended(plant.watch, 1, false, plant.now_ns);
	assert_false(watch_holds(plant.watch, 1));
	assert_int_equal(word(1), WATCH_CLEAR);
}

/* A kind that dies of a probe: three devices want to be asked, and one is. */
static void one_victim(void **state)
{
	unsigned asked = 0;

	(void)state;
	quiet(LEARN_S + 5);
	for (unsigned round = 0; round < 500; round++)
		for (unsigned i = 0; i < 3; i++) {
			if (word(i) != WATCH_CLEAR) {
				quiet(1);
				continue;
			}
			asked++;
			start(10 + asked, i);
			trouble(i, PULSE_OVERDUE);
			watch_ended(plant.watch, 10 + asked, true, plant.now_ns);
		}
	assert_int_equal(asked, 1);
}

static void engineers_come_first(void **state)
{
	struct finding f;

	(void)state;
	quiet(LEARN_S + 5);
	start(9, 0);
	f = finding_of(FINDING_HOST, at("00:1b:1b:00:00:77", "10.0.0.77", BINDING_FRAME));
	f.kind = FINDING_ACTIVITY;
	f.activity = ACTIVITY_PROGRAM_DOWNLOAD;
	f.transport = TRANSPORT_TCP;
	f.peer = plc(4);
	snprintf(f.value, sizeof f.value, "request download (0x1a)");
	assert_true(finding_valid(&f));
	watch_hear(plant.watch, &f, plant.now_ns);
	assert_int_equal(plant.aborts, 1);
	assert_int_equal(events("target-degraded"), 0);
	quiet(HOLD_S / 2);
	assert_int_equal(word(0), WATCH_ENGINEERING);
	quiet(HOLD_S / 2 + 1);
	assert_true(word(3) == WATCH_CLEAR);
	/* Another zone is no concern of theirs. */
	f.vlan[0] = 20;
	watch_hear(plant.watch, &f, plant.now_ns);
	assert_true(word(3) == WATCH_CLEAR);
	/* Nor is what our own probe did. */
	f.vlan[0] = 0;
	f.source = SOURCE_PROBE;
	watch_hear(plant.watch, &f, plant.now_ns);
	assert_true(word(3) == WATCH_CLEAR);
}

static void write_burst(void **state)
{
	(void)state;
	plant.writes = 1;
	quiet(LEARN_S + 5);
	assert_int_equal(word(0), WATCH_CLEAR);
	plant.writes = 60;
	quiet(1);
	plant.writes = 1;
	quiet(3);
	assert_int_equal(word(0), WATCH_ENGINEERING);
}

static void restarts(void **state)
{
	struct finding f;

	(void)state;
	quiet(LEARN_S + 5);
	f = finding_of(FINDING_HOST, at("00:1b:1b:00:00:01", "", BINDING_NONE));
	f.kind = FINDING_ACTIVITY;
	f.activity = ACTIVITY_STARTED;
	f.transport = TRANSPORT_ETHERNET;
	snprintf(f.value, sizeof f.value, "ARP announcement");
	/* Without an order it is nobody's fault; who said it a moment ago says nothing new. */
	watch_hear(plant.watch, &f, plant.now_ns);
	assert_int_equal(events("target-degraded"), 0);
	start(9, 0);
	watch_hear(plant.watch, &f, plant.now_ns);
	assert_int_equal(plant.aborts, 0);
	quiet(3700);
	watch_hear(plant.watch, &f, plant.now_ns);
	assert_int_equal(plant.aborts, 1);
	assert_int_equal(events("target-degraded"), 1);
}

static void blind_asks_nobody(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(9, 0);
	plant.lost += 5000;
	quiet(2);
	assert_int_equal(word(1), WATCH_BLIND);
	/* The order stops, and nobody is blamed. */
	assert_int_equal(plant.aborts, 1);
	assert_int_equal(events("target-degraded"), 0);
	quiet(30);
	assert_int_equal(word(4), WATCH_CLEAR);
	plant.now_ns += 60 * SECOND_NS;
	assert_int_equal(word(4), WATCH_BLIND);
}

/* The mirror loses one frame in fifty of a pair: requests without answers then mean nothing. */
static void lossy_pair(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(9, 0);
	for (int i = 0; i < 600; i++) {
		struct pulse p;

		time_passes();
		p = usual(0, 2000);
		p.unseen = chance(3);
		p.replies -= p.unseen;
		p.rtt_sum_us -= p.unseen * 2000;
		p.unanswered = p.unseen;
		p.gap_max_us = p.unseen ? 200000 : p.gap_max_us;
		watch_pulse(plant.watch, &p, plant.now_ns);
	}
	assert_int_equal(plant.aborts, 0);
}

static void falls_silent(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	for (int s = 0; s < 60; s++) {
		time_passes();
		for (int n = 0; n < 16; n++)
			watch_tick(plant.watch, plant.now_ns);
		for (unsigned i = 1; i < PLCS - 1; i++) {
			struct pulse p = usual(i, 2000);

			watch_pulse(plant.watch, &p, plant.now_ns);
		}
	}
	assert_int_equal(events("device-quiet"), 1);
	quiet(10);
	assert_int_equal(events("device-quiet"), 1);
}

/* Who has no cyclic traffic must at least be there. */
static void nothing_cyclic(void **state)
{
	struct finding f = finding_of(FINDING_HOST, plc(5));

	(void)state;
	quiet(10);
	assert_int_equal(word(5), WATCH_LEARNING);
	quiet(LEARN_S + 5);
	f.time_ns = plant.now_ns;
	picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
	assert_int_equal(word(5), WATCH_CLEAR);
	quiet(400);
	assert_int_equal(word(5), WATCH_UNSTEADY);
}

static void figures_are_written(void **state)
{
	struct watch_target t = target(0);
	struct json j = { 0 };
	const char *recent;
	unsigned told = 1;

	(void)state;
	assert_false(watch_knows(plant.watch, NULL));
	quiet(LEARN_S + 5);
	assert_true(watch_knows(plant.watch, picture_find(&hub.picture, t.vlan, 4, t.address.ip)->asset));
	json_open(&j, NULL, '{');
	watch_write(plant.watch, picture_find(&hub.picture, t.vlan, 4, t.address.ip)->asset, plant.now_ns, &j);
	json_close(&j, '}');
	assert_non_null(strstr(j.text, "\"period_ms\":100."));
	assert_non_null(strstr(j.text, "\"steady\":true"));
	recent = strstr(j.text, "\"recent\":{\"period_ms\":[");
	assert_non_null(recent);
	for (const char *at = strchr(recent, '['); *at != ']'; at++)
		told += *at == ',';
	assert_in_range(told, 10, 60);
	json_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(canary_goes_alone), TEST(refused_canary_is_none), TEST(one_victim), TEST(engineers_come_first), TEST(write_burst),
		TEST(restarts), TEST(blind_asks_nobody), TEST(lossy_pair), TEST(falls_silent), TEST(nothing_cyclic),
		TEST(figures_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
