/* The outbox's numbers, its trimming, the file of JSON lines over restarts, and the addresses of Redis. */
#include "sensor/hub/jsonl.h"
#include "sensor/hub/outbox.h"
#include "sensor/redis/redis_state.h"
#include "sensor/common/redis_url.h"
#include "sensor/hub/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char folder[64], database[96], lines[96];
	struct store store;
	uv_loop_t loop;
};

static int64_t append(struct fixture *f, size_t padding)
{
	int64_t seq = outbox_next(&f->store);
	char *body = malloc(padding + 64);
	int len = sprintf(body, "{\"event\":{\"sequence\":%lld},\"pad\":\"%0*d\"}", (long long)seq, (int)padding, 0);

	assert_int_equal(outbox_append(&f->store, "asset", "a1", body, (size_t)len), seq);
	free(body);
	return seq;
}

static void open_store(struct fixture *f)
{
	assert_int_equal(store_open(&f->store, f->database), 0);
}

static void close_store(struct fixture *f)
{
	outbox_close(&f->store);
	store_close(&f->store);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->folder, "/tmp/askance-outbox-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->database, sizeof f->database, "%s/askance.db", f->folder);
	snprintf(f->lines, sizeof f->lines, "%s/events.jsonl", f->folder);
	open_store(f);
	uv_loop_init(&f->loop);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	close_store(f);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	snprintf(command, sizeof command, "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void numbers_have_no_gaps_and_survive(void **state)
{
	struct fixture *f = *state;
	uint64_t epoch = outbox_epoch(&f->store);

	assert_int_equal(append(f, 1), 1);
	assert_int_equal(append(f, 1), 2);
	store_begin(&f->store);
	assert_int_equal(append(f, 1), 3);
	assert_int_equal(append(f, 1), 4);
	store_rollback(&f->store);
	assert_int_equal(outbox_next(&f->store), 3);
	store_begin(&f->store);
	assert_int_equal(append(f, 1), 3);
	assert_int_equal(store_commit(&f->store), 0);
	close_store(f);
	open_store(f);
	assert_int_equal(outbox_next(&f->store), 4);
	assert_true(epoch > 0);
	assert_int_equal(outbox_epoch(&f->store), epoch);
	assert_int_equal(outbox_raise_epoch(&f->store, epoch + 7), 0);
	close_store(f);
	open_store(f);
	assert_int_equal(outbox_epoch(&f->store), epoch + 7);
}

static void a_number_is_not_given_twice_after_trimming(void **state)
{
	struct fixture *f = *state;
	struct outbox_size size;

	for (int i = 0; i < 10; i++)
		append(f, 1);
	assert_int_equal(outbox_trim(&f->store, 10, INT64_MAX, INT64_MAX, UINT64_MAX), 9);
	close_store(f);
	open_store(f);
	assert_int_equal(outbox_next(&f->store), 11);
	assert_int_equal(outbox_size(&f->store, &size), 0);
	assert_int_equal(size.entries, 1);
	assert_int_equal(size.first, 10);
}

static void young_and_unread_entries_stay(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		append(f, 1);
	assert_int_equal(outbox_trim(&f->store, 10, 0, INT64_MAX, UINT64_MAX), 0);
	assert_int_equal(outbox_trim(&f->store, 4, INT64_MAX, INT64_MAX, UINT64_MAX), 4);
	/* A clock that was ahead by years, and is not any more, must not keep them for years. */
	assert_int_equal(outbox_trim(&f->store, 6, 0, 1, UINT64_MAX), 2);
}

static void a_full_outbox_drops_what_everybody_has_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct outbox_size size;

	for (int i = 0; i < 100; i++)
		append(f, 1000);
	assert_int_equal(outbox_trim(&f->store, 30, 0, INT64_MAX, 50000), 30);
	outbox_size(&f->store, &size);
	assert_int_equal(size.first, 31);
	outbox_trim(&f->store, 90, 0, INT64_MAX, 50000);
	outbox_size(&f->store, &size);
	assert_true(size.bytes <= 50000 && size.bytes > 48000);
	assert_int_equal(size.last, 100);
	assert_int_equal(size.entries, (uint64_t)(size.last - size.first + 1));
}

static void what_is_rolled_back_is_not_counted(void **state)
{
	struct fixture *f = *state;
	struct outbox_size size;

	append(f, 1);
	outbox_size(&f->store, &size);
	store_begin(&f->store);
	append(f, 5000);
	store_rollback(&f->store);
	outbox_size(&f->store, &size);
	assert_int_equal(size.entries, 1);
	assert_true(size.bytes < 100);
}

static bool count_in_order(const struct outbox_entry *e, void *arg)
{
	int64_t *expected = arg;

	assert_int_equal(e->seq, *expected);
	assert_string_equal(e->type, "asset");
	assert_string_equal(e->asset, "a1");
	assert_int_equal(strlen(e->body), e->len);
	++*expected;
	return e->seq < 7;
}

static void walking_is_in_order_and_stops(void **state)
{
	struct fixture *f = *state;
	int64_t expected = 3;

	for (int i = 0; i < 10; i++)
		append(f, 1);
	assert_int_equal(outbox_walk(&f->store, 3, 10, count_in_order, &expected), 4);
	assert_int_equal(expected, 8);
}

/* The sequences in the file, as text "1 2 3 ". */
static const char *lines_of(struct fixture *f)
{
	static char text[4096];
	FILE *file = fopen(f->lines, "r");
	char line[8192];
	size_t n = 0;
	long long seq;

	text[0] = 0;
	while (file && fgets(line, sizeof line, file)) {
		assert_int_equal(sscanf(line, "{\"event\":{\"sequence\":%lld}", &seq), 1);
		assert_int_equal(line[strlen(line) - 1], '\n');
		n += (size_t)snprintf(text + n, sizeof text - n, "%lld ", seq);
	}
	if (file)
		fclose(file);
	return text;
}

static void open_lines(struct fixture *f)
{
	assert_int_equal(jsonl_open(&f->loop, &f->store, f->lines), 0);
}

/* As a kill would: nothing is noted. */
static void kill_and_restart(struct fixture *f)
{
	close_store(f);
	open_store(f);
	open_lines(f);
}

static void lines_are_written_once_over_kills(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		append(f, 10);
	open_lines(f);
	jsonl_pump(3);
	append(f, 10);
	kill_and_restart(f);
	jsonl_pump(4);
	assert_string_equal(lines_of(f), "1 2 3 4 ");
	jsonl_close();
}

static void a_torn_line_is_written_again(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	for (int i = 0; i < 3; i++)
		append(f, 70000);
	open_lines(f);
	jsonl_pump(3);
	for (int cut = 1; cut < 4; cut++) {
		assert_int_equal(stat(f->lines, &st), 0);
		assert_int_equal(truncate(f->lines, cut == 3 ? 5 : st.st_size - cut * 40000), 0);
		kill_and_restart(f);
		jsonl_pump(3);
		assert_int_equal(stat(f->lines, &st), 0);
		assert_int_equal(jsonl_written(), 3);
		assert_true(st.st_size > 3 * 70000 && st.st_size < 3 * 70100);
	}
	jsonl_close();
}

static void a_file_of_another_store_gets_all(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->lines, "w");

	fputs("{\"event\":{\"sequence\":2},\"pad\":\"another\"}\n", file);
	fclose(file);
	for (int i = 0; i < 3; i++)
		append(f, 10);
	open_lines(f);
	jsonl_pump(3);
	assert_string_equal(lines_of(f), "2 1 2 3 ");
	jsonl_close();
}

static void a_moved_file_is_followed_without_repetition(void **state)
{
	struct fixture *f = *state;
	char moved[128];

	snprintf(moved, sizeof moved, "%s.1", f->lines);
	append(f, 10);
	open_lines(f);
	jsonl_pump(1);
	assert_int_equal(rename(f->lines, moved), 0);
	jsonl_tick(1);
	append(f, 10);
	kill_and_restart(f);
	jsonl_pump(2);
	assert_string_equal(lines_of(f), "2 ");
	jsonl_close();
}

static void a_full_disk_keeps_lines_whole(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		append(f, 10);
	assert_int_equal(jsonl_open(&f->loop, &f->store, "/dev/full"), 0);
	jsonl_pump(3);
	assert_string_equal(jsonl_state(), "full");
	assert_int_equal(jsonl_written(), 0);
	jsonl_close();
}

static void a_pipe_that_nobody_reads_does_not_block(void **state)
{
	struct fixture *f = *state;
	static char got[400000];
	int64_t committed = 0;
	size_t have = 0, lines = 0;
	ssize_t n;
	int fd;

	assert_int_equal(mkfifo(f->lines, 0600), 0);
	fd = open(f->lines, O_RDONLY | O_NONBLOCK);
	for (int i = 0; i < 60; i++)
		committed = append(f, 3000);
	open_lines(f);
	jsonl_pump(committed);
	assert_true(jsonl_written() < committed);
	assert_string_equal(jsonl_state(), "blocked");
	while (lines < 60) {
		n = read(fd, got + have, sizeof got - have);
		for (ssize_t i = 0; i < n; i++)
			lines += got[have + (size_t)i] == '\n';
		have += n > 0 ? (size_t)n : 0;
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(jsonl_written(), committed);
	assert_string_equal(jsonl_state(), "writing");
	/* Whole lines, none twice: their lengths add up. */
	assert_true(have > 60 * 3030 && have < 60 * 3060);
	jsonl_close();
	close(fd);
}

static void addresses_are_read(void **state)
{
	struct redis_url u;
	char why[256];

	(void)state;
	assert_int_equal(redis_url_parse(&u, "unix:///run/redis.sock", why, sizeof why), 0);
	assert_string_equal(u.path, "/run/redis.sock");
	assert_string_equal(u.password, "");
	assert_int_equal(redis_url_parse(&u, "unix://me:p%40ss@/run/a@b.sock?db=3", why, sizeof why), 0);
	assert_string_equal(u.path, "/run/a@b.sock");
	assert_string_equal(u.user, "me");
	assert_string_equal(u.password, "p@ss");
	assert_int_equal(u.database, 3);
	assert_int_equal(redis_url_parse(&u, "redis://:secret@[::1]:7000/2", why, sizeof why), 0);
	assert_string_equal(u.place[0].host, "::1");
	assert_int_equal(u.place[0].port, 7000);
	assert_int_equal(u.database, 2);
	assert_string_equal(u.user, "");
	assert_string_equal(u.password, "secret");
	assert_int_equal(redis_url_parse(&u, "redis://127.0.0.1", why, sizeof why), 0);
	assert_int_equal(u.place[0].port, 6379);
	assert_false(u.tls);
	assert_int_equal(redis_url_parse(&u, "rediss://a,b:7001,[2001:db8::1]:7002/3", why, sizeof why), 0);
	assert_true(u.tls);
	assert_int_equal(u.places, 3);
	assert_string_equal(u.place[2].host, "2001:db8::1");
	assert_int_equal(u.place[2].port, 7002);
	assert_int_equal(u.place[0].port, 6379);
	assert_string_equal(u.master, "");
	assert_int_equal(u.database, 3);
	assert_int_equal(redis_url_parse(&u, "sentinel://me:pw@s1,s2:5000/plant/4", why, sizeof why), 0);
	assert_string_equal(u.master, "plant");
	assert_int_equal(u.place[0].port, 26379);
	assert_int_equal(u.place[1].port, 5000);
	assert_int_equal(u.database, 4);
}

static void wrong_addresses_are_refused_without_the_password(void **state)
{
	static const char *const wrong[] = {
		"", "http://x", "redis://", "redis://h:0", "redis://h:65536", "redis://h:1x", "redis://[::1", "redis://u@h",
		"redis://u:%zz@h", "redis://u:hunter2@h:1x", "unix://run/x", "unix://", "unix:///", "unix:///x?db=a", "rediss://",
		"sentinel://h", "sentinel://h/", "sentinel://h/m/x", "redis://a,,b", "redis://a,b,c,d,e,f,g,h,i", "redis://a%20b", "redis://h/x", "redis://u:%00@h",
	};
	struct redis_url u;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char why[256] = "";

		assert_int_equal(redis_url_parse(&u, wrong[i], why, sizeof why), -1);
		assert_true(strlen(why) > 20);
		assert_null(strstr(why, "hunter2"));
	}
}

static void refusals_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(redis_state_of_error("OOM command not allowed when used memory > 'maxmemory'."), REDIS_OOM);
	assert_int_equal(redis_state_of_error("EXECABORT Transaction discarded because of: READONLY You can't write"), REDIS_READONLY);
	assert_int_equal(redis_state_of_error("NOPERM this user has no permissions"), REDIS_NOPERM);
	assert_int_equal(redis_state_of_error("MOVED 3999 127.0.0.1:6381"), REDIS_MOVED);
	assert_int_equal(redis_state_of_error("WRONGPASS invalid username-password pair"), REDIS_LOGIN);
	assert_int_equal(redis_state_of_error("LOADING Redis is loading"), REDIS_LOADING);
	assert_int_equal(redis_state_of_error("ERR something else"), REDIS_REFUSED);
}

int main(void)
{
#define WITH_STORE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_STORE(numbers_have_no_gaps_and_survive),
		WITH_STORE(a_number_is_not_given_twice_after_trimming),
		WITH_STORE(young_and_unread_entries_stay),
		WITH_STORE(a_full_outbox_drops_what_everybody_has_and_no_more),
		WITH_STORE(what_is_rolled_back_is_not_counted),
		WITH_STORE(walking_is_in_order_and_stops),
		WITH_STORE(lines_are_written_once_over_kills),
		WITH_STORE(a_torn_line_is_written_again),
		WITH_STORE(a_file_of_another_store_gets_all),
		WITH_STORE(a_moved_file_is_followed_without_repetition),
		WITH_STORE(a_full_disk_keeps_lines_whole),
		WITH_STORE(a_pipe_that_nobody_reads_does_not_block),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(wrong_addresses_are_refused_without_the_password),
		cmocka_unit_test(refusals_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
