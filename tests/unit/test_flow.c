/* The flow table: finds what it holds, grows, and at its limit gives way without ever losing count. */
#include "sensor/engine/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t hash_keys[2] = { 0x1234567890abcdef, 0xfedcba0987654321 };

static void make_packet(struct packet *p, uint32_t n, uint32_t second)
{
	memset(p, 0, sizeof *p);
	memcpy(p->key.low, &n, sizeof n);
	p->key.family = 4;
	p->key.protocol = 17;
	p->hash = flow_key_hash(&p->key, hash_keys);
	p->time_ns = (int64_t)second * 1000000000;
}

static struct flow *touch(struct flow_table *t, uint32_t n, uint32_t second, struct flow *evicted)
{
	struct packet p;
	struct flow *f;

	make_packet(&p, n, second);
	f = flow_find(t, &p, evicted);
	assert_memory_equal(&f->key, &p.key, sizeof p.key);
	f->packets++;
	f->last_s = second;
	return f;
}

static void test_grows(void **state)
{
	struct flow_table t;
	struct flow evicted;

	(void)state;
	assert_true(flow_table_init(&t, 1 << 18, hash_keys));
	for (uint32_t n = 0; n < 150000; n++)
		assert_int_equal(touch(&t, n, 1, &evicted)->packets, 1);
	for (uint32_t n = 0; n < 150000; n++)
		assert_int_equal(touch(&t, n, 2, &evicted)->packets, 2);
	assert_int_equal(t.used, 150000);
	flow_table_free(&t);
}

static void test_limit(void **state)
{
	struct flow_table t;
	struct flow evicted;
	unsigned gone = 0;

	(void)state;
	assert_true(flow_table_init(&t, 1024, hash_keys));
	for (uint32_t n = 0; n < 100000; n++) {
		assert_int_equal(touch(&t, n, n / 100, &evicted)->packets, 1);
		gone += evicted.packets != 0;
	}
	assert_int_equal(t.size, 1024);
	assert_true(t.used <= 1024);
	assert_int_equal(gone, 100000 - t.used);
	flow_table_free(&t);
}

/* A flow silent for longer than patience is replaced before anybody alive. */
static void test_silent_first(void **state)
{
	struct flow_table t;
	struct flow evicted;
	unsigned gone = 0;

	(void)state;
	assert_true(flow_table_init(&t, 1024, hash_keys));
	for (uint32_t n = 0; n < 600; n++)
		touch(&t, n, 1, &evicted);
	for (uint32_t n = 1000; n < 1600; n++) {
		touch(&t, n, 10000, &evicted);
		if (evicted.packets) {
			gone++;
			assert_int_equal(evicted.last_s, 1);
		}
	}
	assert_true(gone > 0);
	for (uint32_t n = 1000; n < 1600; n++)
		assert_int_equal(touch(&t, n, 10001, &evicted)->packets, 2);
	flow_table_free(&t);
}

/* Connections that nobody answered give way before those that live. */
static void test_scan(void **state)
{
	struct flow_table t;
	struct flow evicted;

	(void)state;
	assert_true(flow_table_init(&t, 1024, hash_keys));
	for (uint32_t n = 0; n < 200; n++)
		touch(&t, n, 1, &evicted)->state = FLOW_OURS;
	for (uint32_t n = 1000; n < 101000; n++)
		touch(&t, n, 100 + n / 1000, &evicted);
	for (uint32_t n = 0; n < 200; n++)
		assert_int_equal(touch(&t, n, 250, &evicted)->packets, 2);
	flow_table_free(&t);
}

/* Flows that all fall on one place, as if their sender knew the key: none is looked for further than it may stand. */
static void test_one_place(void **state)
{
	enum { PLACE = 1000, FLOWS = 5000, FURTHEST = 128 };
	struct flow_table t;
	struct flow evicted;
	unsigned held = 0;

	(void)state;
	assert_true(flow_table_init(&t, 1 << 14, hash_keys));
	for (uint32_t n = 0; n < FLOWS; n++) {
		struct packet p;

		make_packet(&p, n, 1);
		p.hash = PLACE;
		flow_find(&t, &p, &evicted)->packets++;
	}
	for (uint64_t i = 0; i < t.size; i++) {
		assert_true(!t.entries[i].packets || (i >= PLACE && i < PLACE + FURTHEST));
		held += t.entries[i].packets > 0;
	}
	assert_in_range(held, 1, FURTHEST);
	flow_table_free(&t);
}

/* With another key the same flows fall elsewhere: those that meet under one are scattered by the next. */
static void test_keyed(void **state)
{
	enum { FLOWS = 1 << 16, PLACES = 1 << 10 };
	static const uint64_t other_keys[2] = { 0x0f1e2d3c4b5a6978, 0x8796a5b4c3d2e1f0 };
	unsigned met = 0, again = 0;

	(void)state;
	for (uint32_t n = 0; n < FLOWS; n++) {
		struct packet p;

		make_packet(&p, n, 1);
		if (p.hash % PLACES)
			continue;
		met++;
		again += flow_key_hash(&p.key, other_keys) % PLACES == 0;
	}
	assert_in_range(met, FLOWS / PLACES / 2, FLOWS / PLACES * 2);
	assert_in_range(again, 0, met / 8);
}

/* A table rehashes its keys, and a zone's number is not the same in every engine. */
static void test_hash_of_ends(void **state)
{
	uint8_t ip[2][16] = { { 10, 0, 0, 9 }, { 10, 0, 0, 1 } };

	(void)state;
	for (unsigned family = 4; family <= 6; family += 2) {
		uint64_t hash[2];

		for (uint16_t zone = 0; zone < 2; zone++) {
			struct flow_ends ends = { ip[0], ip[1], 40000, 502, (uint8_t)family, 6, (uint16_t)(zone * 7) };
			struct flow_key key = { .family = 0 };

			flow_key_make(&key, &hash[zone], &ends, hash_keys);
			assert_int_equal(key.zone, ends.zone);
			assert_true(hash[zone] == flow_key_hash(&key, hash_keys));
		}
		assert_true(hash[0] == hash[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_silent_first),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_one_place),
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_hash_of_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
