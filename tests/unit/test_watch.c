/*
 * The watch over simulated plants: who may be asked and who not, what stops an order, who is quarantined with whom, and
 * that a quiet plant never raises an alarm.
 */
#include "make_finding.h"
#include "sensor/hub/batch.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

enum { PLCS = 6, LEARN_S = 60, OBSERVE_S = 20, HOLD_S = 120, CANARY_S = 60 };

static struct {
	struct store store;
	struct keeper *keeper;
	struct picture picture;
	struct knowledge knowledge;
	struct batch batch;
	struct watch *watch;
	int64_t now_ns;
	uint64_t frames, lost;
	uint64_t aborted[16];
	unsigned aborts;
	unsigned random;
	uint32_t writes;
	uint32_t unseen;
} hub;

static char folder[64], path[96];

static void on_abort(void *context, uint64_t order, const char *evidence)
{
	(void)context;
	assert_true(evidence[0]);
	assert_true(hub.aborts < 16);
	hub.aborted[hub.aborts++] = order;
}

static struct endpoint plc(unsigned i)
{
	char mac[24], ip[24];

	snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02x", i + 1);
	snprintf(ip, sizeof ip, "10.0.0.%u", i + 1);
	return at(mac, ip, BINDING_FRAME);
}

static struct watch_target target(unsigned i)
{
	struct watch_target t = { .address = plc(i), .transport = TRANSPORT_TCP, .port = 502 };

	return t;
}

static void open_watch(void)
{
	struct watch_times times = { .learn_ns = LEARN_S * SECOND_NS, .hold_ns = HOLD_S * SECOND_NS, .observe_ns = OBSERVE_S * SECOND_NS,
				     .canary_ns = CANARY_S * SECOND_NS };
	struct watch_ears ears = { on_abort, NULL };

	hub.watch = watch_open(&hub.store, &hub.picture, &hub.batch, &times, &ears);
	assert_non_null(hub.watch);
}

static void start_hub(void)
{
	assert_int_equal(store_open(&hub.store, path), 0);
	hub.keeper = keep_open(&hub.store);
	picture_start(&hub.picture, "plant-1", "hall", 10000);
	assert_int_equal(keep_load(&hub.store, &hub.picture), 0);
	hub.picture.telling = true;
	batch_start(&hub.batch, &hub.picture, &hub.store, hub.keeper, &hub.knowledge);
	open_watch();
}

static void stop_hub(void)
{
	watch_close(hub.watch);
	batch_free(&hub.batch);
	picture_end(&hub.picture);
	keep_close(hub.keeper);
	outbox_close(&hub.store);
	store_close(&hub.store);
}

static int store_watch(struct store *s, void *context)
{
	(void)context;
	return watch_store(hub.watch, s);
}

static void flush(void)
{
	batch_draft(&hub.batch);
	assert_int_equal(batch_store(&hub.batch, store_watch, NULL), 0);
	watch_stored(hub.watch);
}

static void tell(unsigned i, enum attribute a, const char *value)
{
	struct finding f = attribute(plc(i), "modbus", "", a, value);

	picture_hear(&hub.picture, &f);
}

/* 0, 1 and 2 are of one kind; 3 has another firmware; 4 is of another maker; of 5 nothing is known. */
static int make_plant(void **state)
{
	(void)state;
	hash_start();
	memset(&hub, 0, sizeof hub);
	strcpy(folder, "/tmp/askance-watch-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/askance.db", folder);
	start_hub();
	hub.now_ns = test_time_ns = 1700000000 * SECOND_NS;
	for (unsigned i = 0; i < PLCS; i++) {
		struct finding f = finding_of(FINDING_HOST, plc(i));

		picture_hear(&hub.picture, &f);
		if (i == 5)
			break;
		tell(i, ATTR_VENDOR, i == 4 ? "Other" : "Maker");
		tell(i, ATTR_PRODUCT, "PLC-7");
		tell(i, ATTR_FIRMWARE, i == 3 ? "V3" : "V2");
	}
	flush();
	return 0;
}

static int drop_plant(void **state)
{
	char command[160];

	(void)state;
	stop_hub();
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static unsigned chance(unsigned below)
{
	hub.random = hub.random * 1103515245 + 12345;
	return (hub.random >> 16) % below;
}

/* A second of a client that asks every 100 ms: as engines report it, with the moods of real machines. */
static struct pulse usual(unsigned i, uint32_t rtt_us)
{
	struct pulse p = { .server = plc(i), .client = at("00:1b:1b:00:00:99", "10.0.0.200", BINDING_NONE), .port = 502,
			   .transport = TRANSPORT_TCP, .why = PULSE_TICK, .frame = hub.frames, .requests = 10, .replies = 10 };
	uint32_t mood = chance(400);

	p.since_ns = hub.now_ns - SECOND_NS;
	p.time_ns = p.heard_ns[0] = p.heard_ns[1] = hub.now_ns;
	p.gap_sum_us = 1000000 + chance(2000);
	p.gap_jitter_us = 5000 + chance(10000);
	p.gap_max_us = 100000 + chance(15000);
	p.rtt_max_us = rtt_us + mood * 5;
	p.rtt_sum_us = 10 * rtt_us + mood * 10;
	/* Now and then a machine pauses for a moment. */
	if (chance(300) == 0)
		p.rtt_max_us += 9000;
	p.writes = hub.writes;
	p.unseen = hub.unseen;
	snprintf(p.protocol, sizeof p.protocol, "modbus");
	return p;
}

static void time_passes(void)
{
	hub.now_ns += SECOND_NS;
	hub.frames += 1000;
	watch_loss(hub.watch, hub.frames, hub.lost, hub.now_ns);
	watch_tick(hub.watch, hub.now_ns);
}

static void quiet(unsigned seconds)
{
	while (seconds--) {
		time_passes();
		for (unsigned i = 0; i < PLCS - 1; i++) {
			struct pulse p = usual(i, 2000);

			watch_pulse(hub.watch, &p, hub.now_ns);
		}
	}
}

static enum watch_word word(unsigned i)
{
	struct watch_target t = target(i);
	struct watch_verdict v;
	bool may = watch_may_start(hub.watch, &t, "modbus", hub.now_ns, &v);

	assert_true(v.why[0] != 0);
	assert_int_equal(may, v.word == WATCH_CLEAR);
	return v.word;
}

static void start(uint64_t order, unsigned i)
{
	struct watch_target t = target(i);

	assert_int_equal(word(i), WATCH_CLEAR);
	assert_true(watch_started(hub.watch, order, &t, "modbus", hub.now_ns));
}

static int64_t events(const char *action)
{
	sqlite3_stmt *s;
	char sql[256];
	int64_t n;

	flush();
	snprintf(sql, sizeof sql, "SELECT count(*) FROM outbox WHERE json_extract(body,'$.event.action')='%s'", action);
	s = store_prepare(&hub.store, sql);
	n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
	sqlite3_finalize(s);
	return n;
}

static void trouble(unsigned i, uint8_t why)
{
	struct pulse p = usual(i, 2000);

	hub.now_ns += 150000000;
	p.since_ns = p.time_ns;
	p.time_ns = hub.now_ns;
	p.why = why;
	p.requests = 1;
	p.replies = 0;
	p.gap_sum_us = p.gap_max_us = 100000;
	p.gap_jitter_us = p.rtt_sum_us = p.rtt_max_us = 0;
	p.resets[1] = !!(why & PULSE_RESET);
	watch_pulse(hub.watch, &p, hub.now_ns);
}

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

		assert_true(watch_started(hub.watch, order, &t, "modbus", hub.now_ns));
		quiet(1800);
		watch_ended(hub.watch, order++, true, hub.now_ns);
		quiet(1800);
		assert_int_equal(hub.aborts, 0);
	}
	assert_int_equal(events("target-degraded"), 0);
}

static void no_answer(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	trouble(0, PULSE_OVERDUE);
	assert_int_equal(hub.aborts, 1);
	assert_int_equal(hub.aborted[0], 7);
	assert_int_equal(events("target-degraded"), 1);
	watch_ended(hub.watch, 7, true, hub.now_ns);
	/* Its kind is left alone with it; others are not. */
	quiet(2 * LEARN_S);
	assert_int_equal(word(0), WATCH_QUARANTINED);
	assert_int_equal(word(1), WATCH_QUARANTINED);
	assert_int_equal(word(2), WATCH_QUARANTINED);
	assert_int_equal(word(3), WATCH_CLEAR);
	assert_int_equal(word(4), WATCH_CLEAR);
	assert_int_equal(hub.aborts, 1);
	assert_int_equal(events("target-degraded"), 1);
}

static void each_trouble(void **state)
{
	static const uint8_t whys[] = { PULSE_OVERDUE, PULSE_SILENT, PULSE_RESET };

	(void)state;
	for (size_t i = 0; i < sizeof whys; i++) {
		if (i) {
			drop_plant(state);
			make_plant(state);
		}
		quiet(LEARN_S + 5);
		start(7, 0);
		quiet(1);
		trouble(0, whys[i]);
		assert_int_equal(hub.aborts, 1);
	}
}

static unsigned seconds_until_abort(uint32_t (*rtt_us)(unsigned second), unsigned most)
{
	for (unsigned s = 0; s < most; s++) {
		struct pulse p;

		time_passes();
		p = usual(0, rtt_us(s));
		watch_pulse(hub.watch, &p, hub.now_ns);
		if (hub.aborts)
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
	watch_ended(hub.watch, 7, true, hub.now_ns);
	quiet(OBSERVE_S / 2);
	assert_true(watch_holds(hub.watch, 7));
	trouble(0, PULSE_SILENT);
	/* There is nothing to stop any more; the alarm and the quarantine are the same. */
	assert_int_equal(hub.aborts, 0);
	assert_int_equal(events("target-degraded"), 1);
	assert_false(watch_holds(hub.watch, 7));
	quiet(2 * LEARN_S);
	assert_int_equal(word(0), WATCH_QUARANTINED);
	assert_int_equal(word(1), WATCH_QUARANTINED);
}

static void long_after_the_probe(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(7, 0);
	watch_ended(hub.watch, 7, true, hub.now_ns);
	quiet(OBSERVE_S + 2);
	assert_false(watch_holds(hub.watch, 7));
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
		watch_pulse(hub.watch, &p, hub.now_ns);
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
	assert_int_equal(watch_release(hub.watch, other, "ann", hub.now_ns, why), -1);
	assert_non_null(strstr(why, id));
	assert_int_equal(watch_release(hub.watch, id, "ann", hub.now_ns, why), 0);
	assert_int_equal(watch_release(hub.watch, id, "ann", hub.now_ns, why), -1);
	assert_int_equal(events("quarantine-released"), 1);
	stop_hub();
	start_hub();
	quiet(LEARN_S + 5);
	assert_int_equal(word(0), WATCH_CLEAR);
	assert_int_equal(word(2), WATCH_CLEAR);
}

static void canary_goes_alone(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(1, 0);
	assert_int_equal(word(1), WATCH_CANARY_WAIT);
	assert_int_equal(word(4), WATCH_CLEAR);
	watch_ended(hub.watch, 1, true, hub.now_ns);
	quiet(OBSERVE_S + 2);
	assert_int_equal(word(1), WATCH_CANARY_WAIT);
	quiet(CANARY_S);
	/* Now the others, one by one. */
	start(2, 1);
	assert_int_equal(word(2), WATCH_CANARY_WAIT);
	watch_ended(hub.watch, 2, true, hub.now_ns);
	assert_int_equal(word(2), WATCH_CANARY_WAIT);
	quiet(OBSERVE_S + 2);
	start(3, 2);
}

static void refused_canary_is_none(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(1, 0);
	watch_ended(hub.watch, 1, false, hub.now_ns);
	assert_false(watch_holds(hub.watch, 1));
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
			watch_ended(hub.watch, 10 + asked, true, hub.now_ns);
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
	watch_hear(hub.watch, &f, hub.now_ns);
	assert_int_equal(hub.aborts, 1);
	assert_int_equal(events("target-degraded"), 0);
	quiet(HOLD_S / 2);
	assert_int_equal(word(0), WATCH_ENGINEERING);
	quiet(HOLD_S / 2 + 1);
	assert_true(word(3) == WATCH_CLEAR);
	/* Another zone is no concern of theirs. */
	f.vlan[0] = 20;
	watch_hear(hub.watch, &f, hub.now_ns);
	assert_true(word(3) == WATCH_CLEAR);
	/* Nor is what our own probe did. */
	f.vlan[0] = 0;
	f.source = SOURCE_PROBE;
	watch_hear(hub.watch, &f, hub.now_ns);
	assert_true(word(3) == WATCH_CLEAR);
}

static void write_burst(void **state)
{
	(void)state;
	hub.writes = 1;
	quiet(LEARN_S + 5);
	assert_int_equal(word(0), WATCH_CLEAR);
	hub.writes = 60;
	quiet(1);
	hub.writes = 1;
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
	watch_hear(hub.watch, &f, hub.now_ns);
	assert_int_equal(events("target-degraded"), 0);
	start(9, 0);
	watch_hear(hub.watch, &f, hub.now_ns);
	assert_int_equal(hub.aborts, 0);
	quiet(3700);
	watch_hear(hub.watch, &f, hub.now_ns);
	assert_int_equal(hub.aborts, 1);
	assert_int_equal(events("target-degraded"), 1);
}

static void blind_asks_nobody(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	start(9, 0);
	hub.lost += 5000;
	quiet(2);
	assert_int_equal(word(1), WATCH_BLIND);
	/* The order stops, and nobody is blamed. */
	assert_int_equal(hub.aborts, 1);
	assert_int_equal(events("target-degraded"), 0);
	quiet(30);
	assert_int_equal(word(4), WATCH_CLEAR);
	hub.now_ns += 60 * SECOND_NS;
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
		watch_pulse(hub.watch, &p, hub.now_ns);
	}
	assert_int_equal(hub.aborts, 0);
}

static void falls_silent(void **state)
{
	(void)state;
	quiet(LEARN_S + 5);
	for (int s = 0; s < 60; s++) {
		time_passes();
		for (int n = 0; n < 16; n++)
			watch_tick(hub.watch, hub.now_ns);
		for (unsigned i = 1; i < PLCS - 1; i++) {
			struct pulse p = usual(i, 2000);

			watch_pulse(hub.watch, &p, hub.now_ns);
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
	f.time_ns = hub.now_ns;
	picture_hear(&hub.picture, &f);
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
	assert_false(watch_knows(hub.watch, NULL));
	quiet(LEARN_S + 5);
	assert_true(watch_knows(hub.watch, picture_find(&hub.picture, t.vlan, 4, t.address.ip)->asset));
	json_open(&j, NULL, '{');
	watch_write(hub.watch, picture_find(&hub.picture, t.vlan, 4, t.address.ip)->asset, hub.now_ns, &j);
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_plant, drop_plant)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(learning_first), TEST(no_false_alarm), TEST(no_answer), TEST(each_trouble), TEST(slowing), TEST(slowing_bit_by_bit),
		TEST(after_the_probe), TEST(long_after_the_probe), TEST(unsteady_waits), TEST(noisy_waits), TEST(kept_over_a_restart),
		TEST(canary_goes_alone), TEST(refused_canary_is_none), TEST(one_victim), TEST(engineers_come_first), TEST(write_burst),
		TEST(restarts), TEST(blind_asks_nobody), TEST(lossy_pair), TEST(falls_silent), TEST(nothing_cyclic), TEST(figures_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
