/* What the tests of the watch share: six PLCs in a hub that watches them, and a second after the other of their cyclic traffic. */
#ifndef TESTS_UNIT_WATCH_FIXTURE_H
#define TESTS_UNIT_WATCH_FIXTURE_H

#include "sensor/hub/watch.h"
#include "tests/unit/hub_fixture.h"

enum { PLCS = 6, LEARN_S = 60, OBSERVE_S = 20, HOLD_S = 120, CANARY_S = 60 };

static struct {
	struct watch *watch;
	int64_t now_ns;
	uint64_t frames, lost;
	uint64_t aborted[16];
	unsigned aborts;
	unsigned random;
	uint32_t writes;
	uint32_t unseen;
} plant;

static inline void on_abort(void *context, uint64_t order, const char *evidence)
{
	(void)context;
	assert_true(evidence[0]);
	assert_true(plant.aborts < 16);
	plant.aborted[plant.aborts++] = order;
}

static inline struct endpoint plc(unsigned i)
{
	char mac[24], ip[24];

	snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02x", i + 1);
	snprintf(ip, sizeof ip, "10.0.0.%u", i + 1);
	return at(mac, ip, BINDING_FRAME);
}

static inline struct watch_target target(unsigned i)
{
	struct watch_target t = { .address = plc(i), .transport = TRANSPORT_TCP, .port = 502 };

	return t;
}

static inline void open_watch(void)
{
	struct watch_times times = { .learn_ns = LEARN_S * SECOND_NS, .hold_ns = HOLD_S * SECOND_NS, .observe_ns = OBSERVE_S * SECOND_NS,
				     .canary_ns = CANARY_S * SECOND_NS };
	struct watch_ears ears = { on_abort, NULL };

	plant.watch = watch_open(&hub.store, &hub.picture, &hub.batch, &times, &ears);
	assert_non_null(plant.watch);
}

static inline void start_hub(void)
{
	open_hub();
	open_watch();
}

static inline void stop_hub(void)
{
	watch_close(plant.watch);
	close_hub();
}

static inline int store_watch(struct store *s, void *context)
{
	(void)context;
	return watch_store(plant.watch, s);
}

static inline void flush(void)
{
	batch_draft(&hub.batch);
	assert_int_equal(batch_store(&hub.batch, store_watch, NULL), 0);
	watch_stored(plant.watch);
}

static inline void tell(unsigned i, enum attribute a, const char *value)
{
	struct finding f = attribute(plc(i), "modbus", "", a, value);

	picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
}


/* 0, 1 and 2 are of one kind; 3 has another firmware; 4 is of another maker; of 5 nothing is known. */
static inline int make_plant(void **state)
{
	memset(&plant, 0, sizeof plant);
	if (make_folder(state) < 0)
		return -1;
	plant.now_ns = test_time_ns = 1700000000 * SECOND_NS;
	for (unsigned i = 0; i < PLCS; i++) {
		struct finding f = finding_of(FINDING_HOST, plc(i));

		picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
		if (i == 5)
			break;
		tell(i, ATTR_VENDOR, i == 4 ? "Other" : "Maker");
		tell(i, ATTR_PRODUCT, "PLC-7");
		tell(i, ATTR_FIRMWARE, i == 3 ? "V3" : "V2");
	}
	flush();
	return 0;
}

static inline unsigned chance(unsigned below)
{
	plant.random = plant.random * 1103515245 + 12345;
	return (plant.random >> 16) % below;
}

/* A second of a client that asks every 100 ms: as engines report it, with the moods of real machines. */
static inline struct pulse usual(unsigned i, uint32_t rtt_us)
{
	struct pulse p = { .server = plc(i), .client = at("00:1b:1b:00:00:99", "10.0.0.200", BINDING_NONE), .port = 502,
			   .transport = TRANSPORT_TCP, .why = PULSE_TICK, .frame = plant.frames, .requests = 10, .replies = 10 };
	uint32_t mood = chance(400);

	p.since_ns = plant.now_ns - SECOND_NS;
	p.time_ns = p.heard_ns[0] = p.heard_ns[1] = plant.now_ns;
	p.gap_sum_us = 1000000 + chance(2000);
	p.gap_jitter_us = 5000 + chance(10000);
	p.gap_max_us = 100000 + chance(15000);
	p.rtt_max_us = rtt_us + mood * 5;
	p.rtt_sum_us = 10 * rtt_us + mood * 10;
	/* Now and then a machine pauses for a moment. */
	if (chance(300) == 0)
		p.rtt_max_us += 9000;
	p.writes = plant.writes;
	p.unseen = plant.unseen;
	snprintf(p.protocol, sizeof p.protocol, "modbus");
	return p;
}

static inline void time_passes(void)
{
	plant.now_ns += SECOND_NS;
	plant.frames += 1000;
	watch_loss(plant.watch, plant.frames, plant.lost, plant.now_ns);
	watch_tick(plant.watch, plant.now_ns);
}

static inline void quiet(unsigned seconds)
{
	while (seconds--) {
		time_passes();
		for (unsigned i = 0; i < PLCS - 1; i++) {
			struct pulse p = usual(i, 2000);

			watch_pulse(plant.watch, &p, plant.now_ns);
		}
	}
}

static inline enum watch_word word(unsigned i)
{
	struct watch_target t = target(i);
	struct watch_verdict v;
	bool may = watch_may_start(plant.watch, &t, "modbus", plant.now_ns, &v);

	assert_true(v.why[0] != 0);
	assert_int_equal(may, v.word == WATCH_CLEAR);
	return v.word;
}

static inline void start(uint64_t order, unsigned i)
{
	struct watch_target t = target(i);

	assert_int_equal(word(i), WATCH_CLEAR);
	assert_true(watch_started(plant.watch, order, &t, "modbus", plant.now_ns));
}

static inline int64_t events(const char *action)
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

static inline void trouble(unsigned i, uint8_t why)
{
	struct pulse p = usual(i, 2000);

	plant.now_ns += 150000000;
	p.since_ns = p.time_ns;
	p.time_ns = plant.now_ns;
	p.why = why;
	p.requests = 1;
	p.replies = 0;
	p.gap_sum_us = p.gap_max_us = 100000;
	p.gap_jitter_us = p.rtt_sum_us = p.rtt_max_us = 0;
	p.resets[1] = !!(why & PULSE_RESET);
	watch_pulse(plant.watch, &p, plant.now_ns);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_plant, drop_folder)

#endif
