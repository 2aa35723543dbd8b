/* Stores that are damaged, in many places, or of a newer version: nothing that can be read is lost, and the hub goes on. */
#include "sensor/hub/keep.h"
#include "sensor/hub/mend.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/store.h"
#include "sensor/hub/store_damage.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { EVENTS = 4000, PAGE = 4096 };

struct fixture {
	char folder[64], database[96];
	struct store store;
	struct hub_config config;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->folder, "/tmp/askance-store-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->database, sizeof f->database, "%s/askance.db", f->folder);
	strcpy(f->config.sensor, "t");
	strcpy(f->config.zone, "hall");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	outbox_close(&f->store);
	store_close(&f->store);
	snprintf(command, sizeof command, "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void close_store(struct fixture *f)
{
	outbox_close(&f->store);
	store_close(&f->store);
}

static void fill(struct fixture *f)
{
	char body[700];

	assert_int_equal(store_open(&f->store, f->database), 0);
	store_begin(&f->store);
	for (int i = 0; i < EVENTS; i++) {
		int len = snprintf(body, sizeof body, "{\"event\":{\"sequence\":%d},\"pad\":\"%0*d\"}", i + 1, 500, i);

		assert_true(outbox_append(&f->store, "asset", "a", body, (size_t)len) > 0);
	}
	store_set_meta(&f->store, "publisher_acked", 77);
	assert_int_equal(store_commit(&f->store), 0);
	close_store(f);
}

static void overwrite(struct fixture *f, off_t at, size_t len)
{
	int fd = open(f->database, O_WRONLY);
	char *noise = malloc(len);

	for (size_t i = 0; i < len; i++)
		noise[i] = (char)(rand() >> 7);
	assert_int_equal(pwrite(fd, noise, len, at), len);
	free(noise);
	close(fd);
}

static unsigned kept_aside(struct fixture *f)
{
	char pattern[128];
	glob_t found = { 0 };
	unsigned count;

	snprintf(pattern, sizeof pattern, "%s.corrupt-*Z", f->database);
	glob(pattern, 0, NULL, &found);
	count = (unsigned)found.gl_pathc;
	globfree(&found);
	return count;
}

struct proof {
	int64_t proven, lost, events;
};

static bool prove(const struct outbox_entry *e, void *arg)
{
	struct proof *p = arg;
	long long first = e->seq;

	if (strcmp(e->type, OUTBOX_DELIVERY) == 0) {
		assert_int_equal(sscanf(strstr(e->body, "\"first\":"), "\"first\":%lld", &first), 1);
		assert_non_null(strstr(e->body, "events-lost"));
		p->lost += e->seq - first + 1;
	} else {
		p->events++;
	}
	assert_true(p->proven == 0 || first == p->proven + 1);
	p->proven = e->seq;
	return true;
}

static struct proof prove_all(struct fixture *f)
{
	struct proof p = { 0 };

	assert_int_equal(mend_outbox(&f->store, &f->config), 0);
	outbox_walk(&f->store, 1, INT64_MAX, prove, &p);
	assert_int_equal(p.proven, outbox_next(&f->store) - 1);
	return p;
}

static void a_sound_store_is_left_alone(void **state)
{
	struct fixture *f = *state;

	fill(f);
	store_suspect(f->database, false);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(kept_aside(f), 0);
	assert_int_equal(prove_all(f).events, EVENTS);
	close_store(f);
	/* The suspicion is gone: a file of that name would have it looked at again. */
	assert_int_equal(store_open(&f->store, f->database), 0);
}

static void a_page_that_is_damaged_costs_its_events_and_no_more(void **state)
{
	struct fixture *f = *state;
	uint64_t epoch;
	struct proof p;
	struct stat st;

	fill(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	epoch = outbox_epoch(&f->store);
	close_store(f);
	stat(f->database, &st);
	overwrite(f, st.st_size / PAGE / 2 * PAGE, PAGE);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(kept_aside(f), 1);
	assert_int_equal(outbox_epoch(&f->store), epoch);
	assert_int_equal(store_meta(&f->store, "publisher_acked", 0), 77);
	p = prove_all(f);
	assert_int_equal(p.proven, EVENTS);
	assert_true(p.lost > 0 && p.lost < 100 && p.events == EVENTS - p.lost);
	/* It goes on from there, and only once. */
	assert_int_equal(outbox_append(&f->store, "asset", "a", "{}", 2), EVENTS + 1);
	close_store(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(kept_aside(f), 1);
	assert_int_equal(outbox_next(&f->store), EVENTS + 2);
}

static void a_header_that_is_gone_costs_all_and_the_hub_goes_on(void **state)
{
	struct fixture *f = *state;

	fill(f);
	overwrite(f, 0, 512);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(kept_aside(f), 1);
	assert_int_equal(outbox_append(&f->store, "asset", "a", "{}", 2), 1);
}

/* Wherever it is hit, it opens, and every number up to the last is there or told as lost. */
static void damage_anywhere_never_ends_it(void **state)
{
	struct fixture *f = *state;
	char command[512];

	fill(f);
	snprintf(command, sizeof command, "cp %s %s/sound", f->database, f->folder);
	assert_int_equal(system(command), 0);
	srand(5);
	for (int round = 0; round < 40; round++) {
		struct stat st;

		snprintf(command, sizeof command, "rm -f %s*; cp %s/sound %s", f->database, f->folder, f->database);
		assert_int_equal(system(command), 0);
		stat(f->database, &st);
		overwrite(f, rand() % (st.st_size - PAGE), (size_t)(rand() % (round % 4 ? 64 : 5 * PAGE) + 1) % (size_t)(PAGE));
		if (round % 5 == 4)
			assert_int_equal(truncate(f->database, rand() % st.st_size), 0);
		if (round % 2)
			store_suspect(f->database, false);
		assert_int_equal(store_open(&f->store, f->database), 0);
		assert_true(prove_all(f).proven <= EVENTS);
		assert_true(outbox_append(&f->store, "asset", "a", "{}", 2) > 0);
		close_store(f);
	}
}

static void damage_that_shows_later_is_met(void **state)
{
	struct fixture *f = *state;
	struct proof p = { 0 };
	struct stat st;

	fill(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_false(store_damage_met());
	stat(f->database, &st);
	for (int i = 1; i < 8; i++)
		overwrite(f, st.st_size / PAGE * i / 8 * PAGE, PAGE);
	sqlite3_db_release_memory(f->store.db); /* what it has read already, it would not read again */
	outbox_walk(&f->store, 1, INT64_MAX, prove, &p);
	assert_true(store_damage_met());
	store_suspect(f->database, false);
	close_store(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_false(store_damage_met());
	assert_int_equal(kept_aside(f), 1);
	assert_true(prove_all(f).lost > 0);
}

static void a_store_that_contradicts_itself_is_replaced_unread(void **state)
{
	struct fixture *f = *state;

	fill(f);
	store_suspect(f->database, true);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(kept_aside(f), 1);
	assert_int_equal(prove_all(f).events, EVENTS);
	close_store(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(kept_aside(f), 1);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	store_set_meta(&f->store, "schema", STORE_SCHEMA + 1);
	close_store(f);
	assert_int_equal(store_open(&f->store, f->database), -1);
	assert_int_equal(kept_aside(f), 0);
}

static int count_of(struct fixture *f, const char *sql)
{
	sqlite3_stmt *count = store_prepare(&f->store, sql);
	int found = sqlite3_step(count) == SQLITE_ROW ? sqlite3_column_int(count, 0) : -1;

	sqlite3_finalize(count);
	return found;
}

static void an_older_versions_store_is_taken_over(void **state)
{
	static const char older[] = "DROP INDEX asset_state_order; CREATE INDEX asset_state_seq ON asset_state(seq);"
				    "CREATE INDEX asset_state_version ON asset_state(version);"
				    "ALTER TABLE talk DROP COLUMN frame; ALTER TABLE talk DROP COLUMN visits; ALTER TABLE node DROP COLUMN heard_s;"
				    "INSERT INTO talk VALUES(1,0,4,x'0a000001','http',4,80,5,6);"
				    "INSERT INTO asset_state VALUES('a','{}',7,41),('b','{}',9,42)";
	struct fixture *f = *state;
	struct keeper *k;

	fill(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(sqlite3_exec(f->store.db, older, NULL, NULL, NULL), SQLITE_OK);
	close_store(f);
	assert_int_equal(store_open(&f->store, f->database), 0);
	assert_int_equal(count_of(f, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'asset_state_%'"), 1);
	assert_int_equal(count_of(f, "SELECT count(heard_s) FROM node"), 0);
	assert_int_equal(count_of(f, "SELECT count(*) FROM talk WHERE node=1 AND last_ns=6 AND frame=0 AND visits=0"), 1);
	k = keep_open(&f->store);
	assert_int_equal(keep_state(k, "a", "{1}", 3, 12), 0);
	assert_int_equal(keep_state(k, "c", NULL, 0, 13), 0);
	keep_close(k);
	assert_int_equal(count_of(f, "SELECT group_concat(id||seq||version||ifnull(body,'-'),' ')='b942{} a1243{1} c1344-'"
				     " FROM (SELECT * FROM asset_state ORDER BY version)"), 1);
	assert_int_equal(kept_aside(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sound_store_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_page_that_is_damaged_costs_its_events_and_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_header_that_is_gone_costs_all_and_the_hub_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_anywhere_never_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_that_shows_later_is_met, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_store_that_contradicts_itself_is_replaced_unread, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_newer_schema_is_refused_and_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_older_versions_store_is_taken_over, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
