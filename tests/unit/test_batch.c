/* What was heard reaches the outbox once: over restarts, replays and a store that refuses. */
#include "sensor/common/time_range.h"
#include "tests/unit/hub_fixture.h"

#include "sensor/hub/store_thread.h"

#include <jansson.h>
#include <stdatomic.h>

static void start_hub(void)
{
	open_hub();
	batch_count_gaps(&hub.batch);
}

static void stop_hub(void)
{
	close_hub();
}

static void hear(struct finding f)
{
	picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
}

static int flush(void)
{
	batch_draft(&hub.batch);
	return batch_store(&hub.batch, NULL, NULL);
}

static const struct node *node_of(const char *ip)
{
	struct endpoint e = at("", ip, BINDING_NONE);

	return picture_find(&hub.picture, (const uint16_t[2]){ 0, 0 }, e.family, e.ip);
}

static void start_hub_anew(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char file[96];

	for (int i = 0; i < 3; i++) {
		snprintf(file, sizeof file, "%s%s", path, ends[i]);
		unlink(file);
	}
	start_hub();
}

static int64_t ask_number(const char *sql)
{
	sqlite3_stmt *s = store_prepare(&hub.store, sql);
	int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;

	sqlite3_finalize(s);
	return n;
}

static int64_t events(const char *action)
{
	char sql[256];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM outbox WHERE json_extract(body,'$.event.action') LIKE '%s'", action);
	return ask_number(sql);
}

/* Every body is JSON, and its numbers are those of its row, without a gap. */
static void check_outbox(void)
{
	sqlite3_stmt *s = store_prepare(&hub.store, "SELECT seq,body,asset FROM outbox ORDER BY seq");
	int64_t next = 1;

	for (; sqlite3_step(s) == SQLITE_ROW; next++) {
		json_error_t error;
		json_t *body = json_loads((const char *)sqlite3_column_text(s, 1), JSON_REJECT_DUPLICATES, &error);
		char id[128];

		assert_non_null(body);
		snprintf(id, sizeof id, "plant-1:%llu:%lld", (unsigned long long)hub.store.epoch, (long long)next);
		assert_int_equal(sqlite3_column_int64(s, 0), next);
		assert_int_equal(json_integer_value(json_object_get(json_object_get(body, "event"), "sequence")), next);
		assert_string_equal(json_string_value(json_object_get(json_object_get(body, "event"), "id")), id);
		assert_string_equal(json_string_value(json_object_get(json_object_get(body, "host"), "id")),
				    (const char *)sqlite3_column_text(s, 2));
		json_decref(body);
	}
	sqlite3_finalize(s);
}

/* A small plant: a controller, what asks it, a gateway with units, an L2 device, a router. */
static void play_plant(void)
{
	struct endpoint plc = at(PLC, "10.0.0.5", BINDING_FRAME), hmi = at("00:1b:1b:00:00:02", "10.0.0.9", BINDING_FRAME);
	char unit[64];

	hear(host("00:00:bc:00:00:99", "10.1.0.5", BINDING_FRAME));
	hear(service(plc, "s7comm", TRANSPORT_TCP, 102, EVIDENCE_STRUCTURE));
	hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V3.2.6"));
	hear(attribute(plc, "s7comm", "s7comm/102/rack:0/slot:2", ATTR_ORDER_CODE, "6ES7 \"315\"\\2EH14"));
	hear(talks(hmi, plc, "s7comm", 102));
	hear(service(hmi, "http", TRANSPORT_TCP, 80, EVIDENCE_PORT));
	for (int i = 1; i <= 5; i++) {
		snprintf(unit, sizeof unit, "modbus/502/unit:%d", i);
		hear(attribute(at("", "10.0.0.20", BINDING_NONE), "modbus", unit, ATTR_VENDOR, "Acmé"));
	}
	hear(host("00:0e:8c:00:00:07", "", BINDING_NONE));
	hear(host("00:00:bc:00:00:99", "10.1.0.6", BINDING_FRAME));
}

/* All documents of the picture, to compare pictures by. */
static char *print_picture(void)
{
	sqlite3_stmt *s = store_prepare(&hub.store, "SELECT id FROM asset_state WHERE body IS NOT NULL ORDER BY id");
	struct json all = { .text = NULL };

	json_clear(&all);
	while (sqlite3_step(s) == SQLITE_ROW) {
		struct asset *a = picture_asset(&hub.picture, (const char *)sqlite3_column_text(s, 0));
		struct subject subject;

		assert_non_null(a);
		subject = desk_take(&hub.batch.desk, a);
		document_asset(&hub.batch.desk.document, &subject, ASSET_OBSERVED, NULL, 0, true);
		json_raw(&all, NULL, hub.batch.desk.document.json.text, hub.batch.desk.document.json.len);
	}
	sqlite3_finalize(s);
	return all.text;
}

static void first_batch_tells_everything(void **state)
{
	(void)state;
	play_plant();
	assert_int_equal(flush(), 0);
	check_outbox();
	/* router's MAC, its two addresses, plc, hmi, gateway, L2 device */
	assert_int_equal(hub.picture.assets, 7);
	assert_int_equal(events("asset-observed"), 7);
	assert_int_equal(events("service-observed"), 2);
	assert_int_equal(events("attribute-learned"), 7);
	assert_int_equal(ask_number("SELECT count(*) FROM asset_state"), 7);
	assert_int_equal(ask_number("SELECT count(*) FROM asset_state WHERE NOT json_valid(body)"), 0);
	assert_false(batch_pending(&hub.batch));
}

static void restart_forgets_nothing(void **state)
{
	char *before, *after;
	int64_t count;

	(void)state;
	play_plant();
	assert_int_equal(flush(), 0);
	before = print_picture();
	count = events("%");
	stop_hub();
	start_hub();
	assert_int_equal(hub.picture.assets, 7);
	after = print_picture();
	assert_string_equal(before, after);
	free(before);
	free(after);
	/* Nothing is told again, and nothing that was not said again changes. */
	assert_int_equal(flush(), 0);
	assert_int_equal(events("%"), count);
}

/* A hub that starts with what is stored has the picture of the one that ended. */
static void restart_and_compare(void)
{
	char *before, *after;

	assert_int_equal(flush(), 0);
	before = print_picture();
	stop_hub();
	start_hub();
	after = print_picture();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static int64_t subasset_row_time(void)
{
	return ask_number("SELECT last_ns FROM subasset WHERE path='s7comm/102/rack:0/slot:7'");
}

/* A sub-asset's row is left where a value of its tells the time; it is written where none does, and when it was asked for the first time. */
static void a_subasset_is_stored_when_its_values_do_not_tell(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.5", BINDING_FRAME);
	struct finding f = attribute(plc, "s7comm", "s7comm/102/rack:0/slot:7", ATTR_ORDER_CODE, "V1"), bare = f;
	int64_t stored_ns;

	(void)state;
	play_plant();
	hear(f);
	restart_and_compare();
	stored_ns = subasset_row_time();
	snprintf(f.value, sizeof f.value, "V2");
	f.time_ns = test_time_ns += SECOND_NS;
	hear(f);
	restart_and_compare();
	assert_int_equal(subasset_row_time(), stored_ns);
	bare.kind = FINDING_SUBASSET;
	bare.time_ns = test_time_ns += SECOND_NS;
	hear(bare);
	snprintf(f.path, sizeof f.path, "%s", ""); /* what makes the node be stored */
	snprintf(f.value, sizeof f.value, "V3");
	hear(f);
	restart_and_compare();
	assert_int_equal(subasset_row_time(), bare.time_ns);
	f = attribute(plc, "s7comm", "s7comm/102/rack:0/slot:7", ATTR_ORDER_CODE, "V2");
	f.source = SOURCE_PROBE;
	hear(f);
	restart_and_compare();
	assert_int_equal(ask_number("SELECT source FROM subasset WHERE path='s7comm/102/rack:0/slot:7'"), SOURCE_PROBE);
}

/* A device that nobody has heard since is not taken for heard because others spoke of it. */
static void a_restart_makes_nobody_heard(void **state)
{
	struct finding f = host(PLC, "10.0.0.5", BINDING_FRAME);
	uint32_t heard_s = (uint32_t)(f.time_ns / SECOND_NS);

	(void)state;
	hear(f);
	restart_and_compare();
	assert_int_equal(node_of("10.0.0.5")->heard_s, heard_s);
	test_time_ns += 100 * SECOND_NS;
	f = attribute(at("", "10.0.0.5", BINDING_NONE), "fins", "", ATTR_NETWORK_ADDRESS, "0.2.0");
	picture_hear(&hub.picture, &f, 0);
	f = attribute(at("", "10.0.0.6", BINDING_NONE), "fins", "", ATTR_NETWORK_ADDRESS, "0.3.0");
	picture_hear(&hub.picture, &f, 0);
	restart_and_compare();
	assert_int_equal(node_of("10.0.0.5")->heard_s, heard_s);
	assert_int_equal(node_of("10.0.0.5")->last_ns / SECOND_NS, f.time_ns / SECOND_NS);
	assert_int_equal(node_of("10.0.0.6")->heard_s, 0);
}

static int64_t row_time(void)
{
	return ask_number("SELECT last_ns FROM node WHERE family=4 AND address=x'0a000005'");
}

/* Each kind of news by itself: where it tells its time, the node's own row is left as it is, and is right when it is read again. */
static void every_kind_of_news_is_stored(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.5", BINDING_FRAME);
	const struct finding late = attribute(plc, "s7comm", "", ATTR_NAME, "of before"), news[] = {
		attribute(plc, "s7comm", "", ATTR_SERIAL, "1"),
		service(plc, "http", TRANSPORT_TCP, 80, EVIDENCE_PORT),
		talks(plc, at("", "10.0.0.9", BINDING_NONE), "http", 80),
		attribute(plc, "s7comm", "s7comm/102/rack:0/slot:3", ATTR_ORDER_CODE, "x"),
	};
	const struct node *n;

	(void)state;
	play_plant();
	for (size_t i = 0; i < sizeof news / sizeof *news; i++) {
		char value[32];
		struct finding f = news[i];
		int64_t stored_ns;

		snprintf(value, sizeof value, "V%zu", i);
		hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, value));
		assert_int_equal(flush(), 0);
		stored_ns = row_time();
		f.time_ns = test_time_ns += SECOND_NS;
		hear(f);
		restart_and_compare();
		assert_int_equal(row_time(), stored_ns);
	}
	hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V9"));
	assert_int_equal(flush(), 0);
	hear(host(PLC, "10.0.0.5", BINDING_FRAME));
	hear(late);
	restart_and_compare();
	assert_int_equal(row_time(), test_time_ns);
	hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V10"));
	assert_int_equal(flush(), 0);
	hear(host(PLC, "10.0.0.5", BINDING_STATED));
	hear(host("00:1b:1b:00:00:77", "10.0.0.5", BINDING_STATED));
	restart_and_compare();
	n = picture_find(&hub.picture, late.vlan, 4, plc.ip);
	assert_true(n->flags & NODE_CONTESTED);
	assert_int_equal(n->link_count, 2);
}

/* A hub killed after its commit hears the same findings again. */
static void replay_tells_nothing(void **state)
{
	int64_t count;

	(void)state;
	play_plant();
	assert_int_equal(flush(), 0);
	count = events("%");
	play_plant();
	assert_int_equal(flush(), 0);
	assert_int_equal(events("%"), count);
	stop_hub();
	start_hub();
	play_plant();
	assert_int_equal(flush(), 0);
	assert_int_equal(events("%"), count);
	check_outbox();
}

/* Killed in the middle: what was committed plus the whole again gives what one run gives. */
static void half_a_batch_and_all_again(void **state)
{
	int64_t begin_ns = test_time_ns;
	char *once, *twice;

	(void)state;
	next_frame = 0;
	play_plant();
	assert_int_equal(flush(), 0);
	once = print_picture();
	drop_folder(state);
	make_folder(state);
	next_frame = 0;
	test_time_ns = begin_ns;
	hear(host("00:00:bc:00:00:99", "10.1.0.5", BINDING_FRAME));
	assert_int_equal(flush(), 0);
	stop_hub();
	start_hub();
	next_frame = 0;
	test_time_ns = begin_ns;
	play_plant();
	assert_int_equal(flush(), 0);
	twice = print_picture();
	assert_string_equal(once, twice);
	assert_int_equal(events("asset-observed"), 7);
	check_outbox();
	free(once);
	free(twice);
}

static void changes_are_told_as_such(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.5", BINDING_FRAME);

	(void)state;
	play_plant();
	assert_int_equal(flush(), 0);
	hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V3.3.0"));
	hear(attribute(plc, "s7comm", "", ATTR_SERIAL, "1"));
	hear(attribute(plc, "s7comm", "", ATTR_SERIAL, "2"));
	assert_int_equal(flush(), 0);
	assert_int_equal(events("asset-changed"), 1);
	assert_int_equal(ask_number("SELECT count(*) FROM outbox WHERE json_extract(body,'$.ot.change.previous')='V3.2.6'"
				    " AND json_extract(body,'$.ot.change.value')='V3.3.0'"), 1);
	assert_int_equal(events("asset-conflict"), 1);
	hear(host("00:0e:8c:00:00:07", "10.0.0.20", BINDING_STATED));
	assert_int_equal(flush(), 0);
	assert_int_equal(events("asset-merged"), 1);
	assert_int_equal(ask_number("SELECT count(*) FROM asset_state WHERE body IS NULL"), 1);
	stop_hub();
	start_hub();
	assert_int_equal(hub.picture.assets, 6);
	check_outbox();
}

/* A full disk: nothing is half written, nothing is lost, and the numbers have no gap when it works again. */
static void full_store_is_tried_again(void **state)
{
	int64_t pages;
	char sql[64];

	(void)state;
	hear(host(PLC, "10.0.0.5", BINDING_FRAME));
	assert_int_equal(flush(), 0);
	pages = ask_number("PRAGMA page_count");
	snprintf(sql, sizeof sql, "PRAGMA max_page_count=%lld", (long long)pages + 1);
	ask_number(sql);
	for (int i = 0; i < 300; i++) {
		char ip[32];

		snprintf(ip, sizeof ip, "10.2.%d.%d", i / 250, 1 + i % 250);
		hear(host("", ip, BINDING_NONE));
		if (i % 100 == 99)
			assert_int_equal(flush(), -1);
	}
	assert_true(hub.store.failing && hub.store.failures >= 3);
	assert_true(batch_pending(&hub.batch));
	assert_int_equal(events("asset-observed"), 1);
	ask_number("PRAGMA max_page_count=1000000");
	assert_int_equal(flush(), 0);
	assert_false(hub.store.failing);
	assert_int_equal(events("asset-observed"), 301);
	check_outbox();
	stop_hub();
	start_hub();
	assert_int_equal(hub.picture.assets, 301);
}

static atomic_int commits_to_refuse, commits_done;

static int refuse_some(void *context)
{
	(void)context;
	return atomic_fetch_sub(&commits_to_refuse, 1) > 0;
}

static void note_commit(void *context)
{
	(void)context;
	commits_done++;
}

/* Each time that a device is heard it says something new. */
static void hear_hosts(int first, int count)
{
	static int times;
	char ip[32], version[32];

	snprintf(version, sizeof version, "V%d", times++);
	for (int i = first; i < first + count; i++) {
		snprintf(ip, sizeof ip, "10.3.%d.%d", i / 250, 1 + i % 250);
		hear(attribute(at("", ip, BINDING_NONE), "modbus", "modbus/502/unit:1", ATTR_FIRMWARE, version));
	}
}

/* While one batch is on its way, the next is heard, of the same devices and of others. */
static void a_batch_is_heard_while_another_is_committed(void **state)
{
	enum { BATCHES = 40, HOSTS = 50, STEP = 30 };

	(void)state;
	commits_to_refuse = commits_done = 0;
	assert_int_equal(store_threads_open(&hub.store, note_commit, NULL), 0);
	play_plant();
	for (int i = 0; i < BATCHES; i++) {
		hear_hosts(STEP * i, HOSTS);
		batch_draft(&hub.batch);
		assert_int_equal(batch_store_begin(&hub.batch, NULL, NULL), 0);
		assert_false(batch_pending(&hub.batch));
	}
	assert_int_equal(batch_store_end(&hub.batch), 0);
	assert_int_equal(commits_done, BATCHES);
	assert_int_equal(events("asset-observed"), 7 + STEP * (BATCHES - 1) + HOSTS);
	check_outbox();
	restart_and_compare();
}

/* What was on its way when the disk refused is written again, with what was heard meanwhile, and told once. */
static void a_commit_that_fails_beside_the_next_batch_loses_nothing(void **state)
{
	(void)state;
	commits_to_refuse = commits_done = 0;
	assert_int_equal(store_threads_open(&hub.store, note_commit, NULL), 0);
	play_plant();
	assert_int_equal(flush(), 0);
	sqlite3_commit_hook(hub.store.db, refuse_some, NULL);
	for (int round = 0; round < 3; round++) {
		commits_to_refuse = 2;
		hear_hosts(100 * round, 60);
		batch_draft(&hub.batch);
		assert_int_equal(batch_store_begin(&hub.batch, NULL, NULL), 0);
		hear_hosts(100 * round + 50, 50);
		batch_draft(&hub.batch);
		/* The first begins nothing, because what it waits for has failed; the second fails itself. */
		assert_int_equal(batch_store_begin(&hub.batch, NULL, NULL), -1);
		assert_true(batch_pending(&hub.batch) && hub.store.failing);
		assert_int_equal(flush(), -1);
		assert_int_equal(events("asset-observed"), 7 + 100 * round);
		commits_to_refuse = 0;
		assert_int_equal(flush(), 0);
		assert_int_equal(events("asset-observed"), 7 + 100 * (round + 1));
	}
	sqlite3_commit_hook(hub.store.db, NULL, NULL);
	assert_int_equal(events("attribute-learned"), 7 + 3 * 110);
	assert_int_equal(commits_done, 1 + 3 * 3);
	check_outbox();
	restart_and_compare();
}

/* What becomes of a store that is damaged is in test_store.c. */
static void rows_that_contradict_are_refused(void **state)
{
	(void)state;
	play_plant();
	assert_int_equal(flush(), 0);
	assert_int_equal(sqlite3_exec(hub.store.db, "DELETE FROM node WHERE number=3", NULL, NULL, NULL), SQLITE_OK);
	stop_hub();
	memset(&hub, 0, sizeof hub);
	assert_int_equal(store_open(&hub.store, path), 0);
	picture_start(&hub.picture, "plant-1", "hall", 10000);
	assert_int_equal(keep_load(&hub.store, &hub.picture), -1);
	picture_end(&hub.picture);
	store_close(&hub.store);
	start_hub_anew();
}

/* A store of before times had a range keeps its devices. */
static void times_out_of_range_are_brought_in(void **state)
{
	(void)state;
	play_plant();
	assert_int_equal(flush(), 0);
	assert_int_equal(sqlite3_exec(hub.store.db, "UPDATE node SET first_ns=-9223372036854775807, last_ns=9223372036854775807;"
						    "UPDATE link SET first_ns=-9223372036854775807", NULL, NULL, NULL), SQLITE_OK);
	stop_hub();
	start_hub();
	assert_true(hub.picture.node_count > 0 && hub.picture.now_ns == TIME_MOST_NS);
	for (uint32_t i = 0; i < hub.picture.node_count; i++)
		assert_true(hub.picture.nodes[i]->first_ns == 0 && hub.picture.nodes[i]->last_ns == TIME_MOST_NS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, drop_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_batch_tells_everything),
		TEST(restart_forgets_nothing),
		TEST(a_restart_makes_nobody_heard),
		TEST(every_kind_of_news_is_stored),
		TEST(a_subasset_is_stored_when_its_values_do_not_tell),
		TEST(replay_tells_nothing),
		TEST(half_a_batch_and_all_again),
		TEST(changes_are_told_as_such),
		TEST(full_store_is_tried_again),
		TEST(a_batch_is_heard_while_another_is_committed),
		TEST(a_commit_that_fails_beside_the_next_batch_loses_nothing),
		TEST(rows_that_contradict_are_refused),
		TEST(times_out_of_range_are_brought_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
