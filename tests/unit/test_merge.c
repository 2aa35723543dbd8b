/* What gives way in a full outbox, what never does, and that the numbers still prove everything. */
#include "tests/unit/hub_fixture.h"
#include "sensor/hub/bound.h"
#include "sensor/hub/merge.h"

#include <jansson.h>

enum { EVENTS = 20000, KINDS = 10, ASSETS = 300, PADDING = 2000, ROUNDS = 30 };

/* Two in ten may not give way, side by side. */
enum { KEPT = 2 };
static const char *const types[KINDS] = { "attribute", "asset", "gap", "health", "service", "attribute", "approval", "approval", "asset", "asset" };
static const char *const actions[KINDS] = { "attribute-learned", "asset-changed", "gap-open", "sensor-health", "service-observed",
	"attribute-learned", "approval-signed", "approval-signed", "asset-observed", "asset-conflict" };

struct fixture {
	struct store store;
	struct hub_config config;
	struct merge merge;
};

static struct fixture fixture;

static void start_hub(void)
{
	memset(&fixture, 0, sizeof fixture);
	strcpy(fixture.config.sensor, "t");
	strcpy(fixture.config.zone, "hall");
	fixture.config.outbox_days = 7;
	fixture.config.outbox_bytes_mib = 16;
	assert_int_equal(store_open(&fixture.store, path), 0);
}

static void stop_hub(void)
{
	outbox_close(&fixture.store);
	store_close(&fixture.store);
}

static int set_up(void **state)
{
	*state = &fixture;
	return make_folder(state);
}

static void add(struct fixture *f, const char *type, const char *action, const char *asset, size_t padding)
{
	int64_t seq = outbox_next(&f->store);
	char *body = malloc(padding + 256);
	int len = sprintf(body, "{\"event\":{\"sequence\":%lld,\"id\":\"t:1:%lld\",\"kind\":\"x\",\"action\":\"%s\"},\"pad\":\"%0*d\"}",
			  (long long)seq, (long long)seq, action, (int)padding, 0);

	assert_int_equal(outbox_append(&f->store, type, asset, body, (size_t)len), seq);
	free(body);
}

static void put_state(struct fixture *f, const char *asset, int64_t seq)
{
	sqlite3_stmt *put = store_prepare(&f->store, "INSERT OR REPLACE INTO asset_state VALUES(?1,?2,?3,?3)");
	char body[256];

	snprintf(body, sizeof body, "{\"@timestamp\":\"x\",\"event\":{\"sequence\":%lld,\"id\":\"t:1:%lld\",\"kind\":\"asset\"},\"state\":\"%s\"}",
		 (long long)seq, (long long)seq, asset);
	sqlite3_bind_text(put, 1, asset, -1, SQLITE_STATIC);
	sqlite3_bind_text(put, 2, body, -1, SQLITE_STATIC);
	sqlite3_bind_int64(put, 3, seq);
	assert_int_equal(store_run(&f->store, put), 0);
	sqlite3_finalize(put);
}

static void fill(struct fixture *f, int events, size_t padding)
{
	char asset[16];

	store_begin(&f->store);
	for (int i = 0; i < events; i++) {
		snprintf(asset, sizeof asset, "a%d", i % ASSETS);
		add(f, types[i % KINDS], actions[i % KINDS], strcmp(types[i % KINDS], "health") == 0 ? NULL : asset, padding);
		put_state(f, asset, outbox_next(&f->store) - 1);
	}
	assert_int_equal(store_commit(&f->store), 0);
}

struct audit {
	int64_t proven;  /* all numbers up to this are there or named as merged */
	uint64_t kept[2]; /* approvals, and others that were not merged */
	uint64_t merged;
};

static bool audit_one(const struct outbox_entry *e, void *arg)
{
	json_t *document = json_loadb(e->body, e->len, 0, NULL), *delivery;
	struct audit *a = arg;
	int64_t first = e->seq;

	assert_non_null(document);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(document, "event"), "sequence")), e->seq);
	delivery = json_object_get(json_object_get(document, "ot"), "delivery");
	if (delivery) {
		first = json_integer_value(json_object_get(delivery, "first"));
		assert_int_equal(json_integer_value(json_object_get(delivery, "last")), e->seq);
		assert_string_equal(e->type, OUTBOX_DELIVERY);
		a->merged += (uint64_t)(e->seq - first + 1);
	} else {
		a->kept[strcmp(e->type, "approval") != 0]++;
	}
	assert_int_equal(first, a->proven + 1);
	a->proven = e->seq;
	json_decref(document);
	return true;
}

static struct audit audit(struct fixture *f)
{
	struct audit a = { 0 };

	outbox_walk(&f->store, 1, INT64_MAX, audit_one, &a);
	assert_int_equal(a.proven, outbox_next(&f->store) - 1);
	return a;
}

static void merge_all(struct fixture *f, int64_t from)
{
	do {
		assert_true(merge_some(&f->merge, from) >= 0);
	} while (!f->merge.done);
}

static void every_number_is_there_or_named(void **state)
{
	struct fixture *f = *state;
	struct outbox_size before, after, recounted;
	struct audit a;

	fill(f, EVENTS, PADDING);
	outbox_size(&f->store, &before);
	merge_start(&f->merge, &f->store, &f->config);
	merge_all(f, 1);
	a = audit(f);
	assert_int_equal(a.kept[0], EVENTS / KINDS * KEPT);
	assert_true(a.kept[1] <= 1); /* the newest holds the number */
	assert_int_equal(a.merged, f->merge.merged);
	outbox_size(&f->store, &after);
	assert_true(after.bytes < before.bytes / 3);
	merge_stop(&f->merge);
	/* What it counted is what is there. */
	outbox_close(&f->store);
	outbox_size(&f->store, &recounted);
	assert_int_equal(recounted.bytes, after.bytes);
	assert_int_equal(recounted.entries, after.entries);
}

static void runs_that_were_merged_grow(void **state)
{
	struct fixture *f = *state;
	struct audit a;

	merge_start(&f->merge, &f->store, &f->config);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 50; i++)
			add(f, "attribute", "attribute-learned", "a1", PADDING);
		merge_all(f, 1);
	}
	a = audit(f);
	assert_int_equal(a.merged, 999);
	assert_int_equal(f->merge.merged, 999);
	/* Also by another process, which has to look for itself. */
	merge_stop(&f->merge);
	merge_start(&f->merge, &f->store, &f->config);
	assert_int_equal(f->merge.merged, 999);
	add(f, "attribute", "attribute-learned", "a1", PADDING);
	merge_all(f, 1);
	a = audit(f);
	assert_int_equal(a.merged, 1000);
	merge_stop(&f->merge);
}

static void what_may_be_under_way_is_not_touched(void **state)
{
	struct fixture *f = *state;
	struct audit a;

	for (int i = 0; i < 100; i++)
		add(f, "attribute", "attribute-learned", "a1", PADDING);
	merge_start(&f->merge, &f->store, &f->config);
	merge_all(f, 41);
	a = audit(f);
	assert_int_equal(a.kept[1], 41); /* 1 to 40, and the newest */
	merge_stop(&f->merge);
}

static void that_devices_are_one_is_never_merged(void **state)
{
	struct fixture *f = *state;
	struct audit a;

	add(f, "attribute", "attribute-learned", "a1", PADDING);
	add(f, "asset", "asset-merged", "a1", PADDING);
	add(f, "asset", "asset-split", "a1", PADDING);
	for (int i = 0; i < 8; i++)
		add(f, (const char *[]){ "proposal", "probe", "change", "watch", "later-invented", OUTBOX_DELIVERY, "approval", "gap" }[i], "x", "a1", PADDING);
	merge_start(&f->merge, &f->store, &f->config);
	merge_all(f, 1);
	a = audit(f);
	assert_int_equal(a.kept[0] + a.kept[1], 10);
	merge_stop(&f->merge);
}

static bool collect_state(const struct outbox_entry *e, void *arg)
{
	bool *told = arg;
	const char *at = strstr(e->body, "\"state\":\"a");
	char id[64];

	snprintf(id, sizeof id, "\"sequence\":%lld,\"id\":\"t:", (long long)e->seq);
	assert_non_null(strstr(e->body, id));
	assert_string_equal(e->type, "asset");
	assert_non_null(at);
	told[atoi(at + 10)] = true;
	return true;
}

static void states_that_are_owed_are_told(void **state)
{
	struct fixture *f = *state;
	bool told[ASSETS] = { false };
	int64_t before, made = 0, now;

	fill(f, 2000, PADDING);
	merge_start(&f->merge, &f->store, &f->config);
	merge_all(f, 1);
	before = outbox_next(&f->store);
	while ((now = merge_repay(&f->merge)) > 0)
		made += now;
	assert_int_equal(now, 0);
	outbox_walk(&f->store, before, INT64_MAX, collect_state, told);
	assert_int_equal(outbox_next(&f->store) - before, made);
	for (int i = 0; i < ASSETS; i++)
		assert_true(told[i] || (i % KINDS == 6 || i % KINDS == 7 || i % KINDS == 3)); /* only approvals and health speak of these */
	assert_int_equal(merge_debt(&f->merge), 0);
	audit(f);
	merge_stop(&f->merge);
}

static void the_limit_is_kept_and_told(void **state)
{
	struct fixture *f = *state;
	struct bound_stats s;
	struct outbox_size size;
	bool merged = false;

	bound_start(&f->store, &f->config);
	for (int round = 0; round < ROUNDS; round++) {
		fill(f, 1000, PADDING);
		bound_keep(0, 0, false);
		bound_stats(&s);
		merged |= strcmp(s.state, "merging") == 0;
		outbox_size(&f->store, &size);
		assert_true(size.bytes < (uint64_t)19 << 20);
	}
	assert_true(merged && s.merged > ROUNDS * 1000 / 2);
	/* All that is left is what is never dropped. */
	for (int i = 0; i < 10000; i++)
		add(f, "approval", "approval-signed", "a1", PADDING);
	for (int i = 0; i < 20; i++)
		bound_keep(0, 0, false);
	bound_stats(&s);
	assert_string_equal(s.state, "over");
	assert_int_equal(audit(f).kept[0], 10000 + ROUNDS * 1000 / KINDS * KEPT);
	/* The readers come back. */
	while (bound_keep(outbox_next(&f->store) - 1, outbox_next(&f->store) - 1, true))
		continue;
	for (int i = 0; i < 20; i++)
		bound_keep(outbox_next(&f->store) - 1, outbox_next(&f->store) - 1, true);
	outbox_size(&f->store, &size);
	bound_stats(&s);
	assert_string_equal(s.state, "well");
	assert_true(size.bytes <= (uint64_t)16 << 20);
	assert_int_equal(s.owed, 0);
	bound_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_number_is_there_or_named, set_up, drop_folder),
		cmocka_unit_test_setup_teardown(runs_that_were_merged_grow, set_up, drop_folder),
		cmocka_unit_test_setup_teardown(what_may_be_under_way_is_not_touched, set_up, drop_folder),
		cmocka_unit_test_setup_teardown(that_devices_are_one_is_never_merged, set_up, drop_folder),
		cmocka_unit_test_setup_teardown(states_that_are_owed_are_told, set_up, drop_folder),
		cmocka_unit_test_setup_teardown(the_limit_is_kept_and_told, set_up, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
