/* The publisher in one process with a real redis-server on a UNIX socket: what the system test can't set up as closely. */
#include "sensor/hub/json.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/outputs.h"
#include "sensor/hub/publisher.h"
#include "sensor/hub/store.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define EV "askance:{t}:ev"

struct fixture {
	char folder[64], socket[96], database[96];
	pid_t server;
	struct store store;
	struct hub_config config;
	uv_loop_t loop;
	redisContext *redis;
};

static bool stopped;

static void start_server(struct fixture *f)
{
	f->server = fork();
	if (f->server == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", f->socket, "--save", "", "--dir", f->folder, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		f->redis = redisConnectUnix(f->socket);
		if (f->redis && !f->redis->err)
			return;
		if (f->redis)
			redisFree(f->redis);
		usleep(10000);
	}
	fail_msg("redis-server does not start");
}

static void stop_server(struct fixture *f)
{
	redisFree(f->redis);
	kill(f->server, SIGKILL);
	waitpid(f->server, NULL, 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->folder, "/tmp/askance-publisher-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->socket, sizeof f->socket, "%s/redis.sock", f->folder);
	snprintf(f->database, sizeof f->database, "%s/askance.db", f->folder);
	snprintf(f->config.redis_url, sizeof f->config.redis_url, "unix://%s", f->socket);
	strcpy(f->config.sensor, "t");
	f->config.outbox_days = 7;
	f->config.outbox_bytes_mib = 64;
	start_server(f);
	uv_loop_init(&f->loop);
	store_open(&f->store, f->database);
	*state = f;
	return 0;
}

static void on_stopped(void)
{
	stopped = true;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	stopped = false;
	publisher_stop(0, on_stopped);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_true(stopped);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	store_close(&f->store);
	stop_server(f);
	snprintf(command, sizeof command, "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void append(struct fixture *f, int count)
{
	char body[64];

	store_begin(&f->store);
	for (int i = 0; i < count; i++) {
		int len = sprintf(body, "{\"event\":{\"sequence\":%lld}}", (long long)outbox_next(&f->store));

		assert_true(outbox_append(&f->store, "asset", "a", body, (size_t)len) > 0);
	}
	store_commit(&f->store);
	publisher_kick();
}

static void run_ms(struct fixture *f, int ms)
{
	uv_update_time(&f->loop);
	for (uint64_t end = uv_now(&f->loop) + (uint64_t)ms; uv_now(&f->loop) < end; usleep(1000))
		uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* Runs until Redis has all and the publisher says it is in that state, at most 20 s. */
static void run_until(struct fixture *f, const char *redis_state, int64_t acked)
{
	struct publisher_stats s;

	for (int i = 0; i < 2000; i++) {
		run_ms(f, 10);
		publisher_stats(&s);
		if (strcmp(s.redis_state, redis_state) == 0 && s.acked == acked)
			return;
	}
	fail_msg("state %s, acked %lld, wanted %s, %lld", s.redis_state, (long long)s.acked, redis_state, (long long)acked);
}

static long long ask(struct fixture *f, const char *command)
{
	redisReply *r = redisCommand(f->redis, command);
	long long value = r->type == REDIS_REPLY_INTEGER ? r->integer : r->type == REDIS_REPLY_ERROR ? -1 : 0;

	freeReplyObject(r);
	return value;
}

/* The stream is entries first..last, each once, in order, whatever the epoch. */
static void assert_stream(struct fixture *f, int64_t first, int64_t last)
{
	redisReply *r = redisCommand(f->redis, "XRANGE " EV " - +");
	char body[64];

	assert_int_equal(r->elements, last - first + 1);
	for (size_t i = 0; i < r->elements; i++) {
		const redisReply *fields = r->element[i]->element[1];

		sprintf(body, "{\"event\":{\"sequence\":%lld}}", (long long)first + (long long)i);
		assert_int_equal(atoll(strchr(r->element[i]->element[0]->str, '-') + 1), first + (int64_t)i);
		assert_int_equal(fields->elements, 6);
		assert_string_equal(fields->element[0]->str, "body");
		assert_string_equal(fields->element[1]->str, body);
		assert_string_equal(fields->element[3]->str, "asset");
		assert_string_equal(fields->element[5]->str, "a");
	}
	freeReplyObject(r);
}

static void start(struct fixture *f)
{
	assert_int_equal(publisher_start(&f->loop, &f->store, &f->config), 0);
}

static void a_backlog_arrives_in_order(void **state)
{
	struct fixture *f = *state;

	append(f, 3000);
	start(f);
	run_until(f, "streaming", 3000);
	append(f, 5);
	run_until(f, "streaming", 3005);
	assert_stream(f, 1, 3005);
}

static void an_open_transaction_is_not_published(void **state)
{
	struct fixture *f = *state;
	struct publisher_stats s;

	start(f);
	append(f, 1);
	run_until(f, "streaming", 1);
	store_begin(&f->store);
	outbox_append(&f->store, "asset", "a", "{}", 2);
	publisher_kick();
	run_ms(f, 1500);
	publisher_stats(&s);
	assert_int_equal(s.committed, 1);
	store_rollback(&f->store);
	append(f, 1);
	run_until(f, "streaming", 2);
	assert_stream(f, 1, 2);
}

static void a_deleted_stream_is_filled_again_even_when_idle(void **state)
{
	struct fixture *f = *state;

	start(f);
	append(f, 1000);
	run_until(f, "streaming", 1000);
	ask(f, "DEL " EV);
	run_ms(f, 4500);
	assert_stream(f, 1, 1000);
	ask(f, "DEL " EV);
	append(f, 2);
	run_until(f, "streaming", 1002);
	assert_stream(f, 1, 1002);
}

static void a_trimmed_stream_is_left_alone(void **state)
{
	struct fixture *f = *state;

	start(f);
	append(f, 10);
	run_until(f, "streaming", 10);
	ask(f, "XTRIM " EV " MAXLEN 0");
	run_ms(f, 2500);
	append(f, 1);
	run_until(f, "streaming", 11);
	assert_stream(f, 11, 11);
}

static void a_lost_tail_is_sent_again(void **state)
{
	struct fixture *f = *state;
	char command[128];

	start(f);
	append(f, 20);
	run_until(f, "streaming", 20);
	/* As after a failover: the stream is there, its last entries are not. */
	snprintf(command, sizeof command, "XDEL " EV " %llu-20 %llu-19", (unsigned long long)outbox_epoch(&f->store),
		 (unsigned long long)outbox_epoch(&f->store));
	ask(f, command);
	snprintf(command, sizeof command, "XSETID " EV " %llu-18", (unsigned long long)outbox_epoch(&f->store));
	ask(f, command);
	append(f, 1);
	run_ms(f, 3000);
	run_until(f, "streaming", 21);
	run_ms(f, 2500);
	assert_true(ask(f, "XLEN " EV) >= 19);
}

static void ids_of_another_store_raise_the_epoch(void **state)
{
	struct fixture *f = *state;
	uint64_t before = outbox_epoch(&f->store);

	ask(f, "XADD " EV " 9999999999999-5 body x");
	append(f, 10);
	start(f);
	run_until(f, "streaming", 10);
	assert_true(outbox_epoch(&f->store) == 10000000000000 && before < 10000000000000);
	assert_int_equal(ask(f, "XLEN " EV), 11);
}

static void a_second_writer_costs_nothing(void **state)
{
	struct fixture *f = *state;

	start(f);
	append(f, 5);
	run_until(f, "streaming", 5);
	ask(f, "XADD " EV " 9999999999999-5 body x");
	append(f, 5);
	run_until(f, "streaming", 10);
	ask(f, "XADD " EV " 20000000000000-5 body x");
	append(f, 5);
	run_until(f, "streaming", 15);
	assert_int_equal(ask(f, "XLEN " EV), 17);
}

static void another_content_under_our_number_raises_the_epoch(void **state)
{
	struct fixture *f = *state;
	char command[128];

	append(f, 10);
	snprintf(command, sizeof command, "XADD " EV " %llu-5 body x", (unsigned long long)outbox_epoch(&f->store));
	ask(f, command);
	start(f);
	run_until(f, "streaming", 10);
	assert_int_equal(ask(f, "XLEN " EV), 11);
}

static void a_poisoned_stream_is_told(void **state)
{
	struct fixture *f = *state;

	ask(f, "XADD " EV " 18446744073709551615-18446744073709551615 body x");
	append(f, 10);
	start(f);
	run_until(f, "ids-exhausted", 0);
}

static void a_key_of_another_type_is_told_and_mended(void **state)
{
	struct fixture *f = *state;

	ask(f, "SET " EV " x");
	append(f, 3);
	start(f);
	run_until(f, "wrong-type", 0);
	ask(f, "DEL " EV);
	run_until(f, "streaming", 3);
	assert_stream(f, 1, 3);
}

static void put_state(struct fixture *f, const char *id, const char *body)
{
	sqlite3_stmt *put = store_prepare(&f->store, "INSERT OR REPLACE INTO asset_state VALUES(?1,?2,?3,?3)");
	int64_t seq = outbox_next(&f->store);
	char event[64];
	int len = sprintf(event, "{\"event\":{\"sequence\":%lld}}", (long long)seq);

	store_begin(&f->store);
	sqlite3_bind_text(put, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(put, 2, body, -1, SQLITE_STATIC);
	sqlite3_bind_int64(put, 3, outbox_append(&f->store, "asset", "a", event, (size_t)len));
	assert_int_equal(store_run(&f->store, put), 0);
	assert_int_equal(store_commit(&f->store), 0);
	sqlite3_finalize(put);
	publisher_kick();
}

static void asset_states_follow_and_gone_ones_go(void **state)
{
	struct fixture *f = *state;
	redisReply *r;
	char id[16];

	for (int i = 0; i < 600; i++) {
		sprintf(id, "id%d", i);
		put_state(f, id, "{\"v\":1}");
	}
	start(f);
	run_until(f, "streaming", 600);
	run_ms(f, 200);
	assert_int_equal(ask(f, "ZCARD askance:{t}:changed"), 600);
	put_state(f, "id7", NULL);
	put_state(f, "id8", "{\"v\":2}");
	run_ms(f, 200);
	assert_int_equal(ask(f, "EXISTS askance:{t}:asset:id7"), 0);
	assert_int_equal(ask(f, "EXISTS askance:{t}:asset:id9"), 1);
	r = redisCommand(f->redis, "HGET askance:{t}:asset:id8 body");
	assert_string_equal(r->str, "{\"v\":2}");
	freeReplyObject(r);
	r = redisCommand(f->redis, "ZREVRANGE askance:{t}:changed 0 1");
	assert_string_equal(r->element[0]->str, "id8");
	assert_string_equal(r->element[1]->str, "id7");
	freeReplyObject(r);
	ask(f, "FLUSHALL");
	run_ms(f, 4500);
	assert_int_equal(ask(f, "EXISTS askance:{t}:asset:id9"), 1);
	assert_int_equal(ask(f, "EXISTS askance:{t}:asset:id599"), 1);
	assert_stream(f, 1, 602);
}

static void a_refused_hash_does_not_hold_up_the_stream(void **state)
{
	struct fixture *f = *state;

	ask(f, "SET askance:{t}:changed x");
	put_state(f, "id1", "{}");
	start(f);
	append(f, 600);
	run_until(f, "streaming", 601);
	append(f, 600);
	run_until(f, "streaming", 1201);
	assert_stream(f, 1, 1201);
}

static void a_full_outbox_is_merged_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct publisher_stats s;
	static char body[1 << 20];

	f->config.outbox_bytes_mib = 16;
	start(f);
	stop_server(f);
	memset(body, 'x', sizeof body);
	for (int i = 0; i < 40; i++) {
		outbox_append(&f->store, "asset", "a", body, sizeof body);
		publisher_kick();
	}
	publisher_stats(&s);
	assert_true(s.outbox_bytes <= 16u << 20);
	assert_int_equal(s.committed, 40);
	start_server(f);
	run_until(f, "streaming", 40);
	assert_int_equal(ask(f, "XLEN " EV), 40 - (int)s.bound.merged + 1);
}

static void add_list(struct fixture *f, const char *name, const char *types, uint32_t cap, enum output_full when_full)
{
	struct output_config *o = &f->config.output[f->config.outputs++];

	strcpy(o->list, name);
	strcpy(o->types, types);
	o->cap = cap;
	o->when_full = when_full;
}

/* The list is entries first..last, each once, in order. */
static void assert_list(struct fixture *f, const char *name, int64_t first, int64_t last)
{
	redisReply *r = redisCommand(f->redis, "LRANGE askance:{t}:q:%s 0 -1", name);
	char body[64];

	assert_int_equal(r->elements, last - first + 1);
	for (size_t i = 0; i < r->elements; i++) {
		sprintf(body, "{\"event\":{\"sequence\":%lld}}", (long long)first + (long long)i);
		assert_string_equal(r->element[i]->str, body);
	}
	freeReplyObject(r);
}

static void assert_health(const char *wanted)
{
	struct json j = { .first = true };

	json_open(&j, NULL, '{');
	outputs_health(&j);
	json_close(&j, '}');
	assert_non_null(strstr(j.text, wanted));
	json_free(&j);
}

static void a_full_list_drops_and_counts_exactly(void **state)
{
	struct fixture *f = *state;

	add_list(f, "new", "", 100, OUTPUT_DROP_NEW);
	add_list(f, "old", "asset", 100, OUTPUT_DROP_OLD);
	add_list(f, "none", "health", 100, OUTPUT_DROP_NEW);
	append(f, 1500);
	start(f);
	run_until(f, "streaming", 1500);
	assert_list(f, "new", 1, 100);
	assert_list(f, "old", 1401, 1500);
	assert_int_equal(ask(f, "LLEN askance:{t}:q:none"), 0);
	assert_health("\"list\":\"new\",\"when_full\":\"drop-new\",\"cap\":100,\"length\":100,\"dropped\":1400");
	assert_health("\"list\":\"old\",\"when_full\":\"drop-old\",\"cap\":100,\"length\":100,\"dropped\":1400");
	/* A reader that took ten makes room for exactly ten. */
	freeReplyObject(redisCommand(f->redis, "LTRIM askance:{t}:q:new 10 -1"));
	append(f, 30);
	run_until(f, "streaming", 1530);
	assert_int_equal(ask(f, "LLEN askance:{t}:q:new"), 100);
	assert_health("\"length\":100,\"dropped\":1420");
}

static void restart(struct fixture *f)
{
	stopped = false;
	publisher_stop(0, on_stopped);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_true(stopped);
	start(f);
}

static void a_list_goes_on_where_it_was_after_a_restart_and_another_epoch(void **state)
{
	struct fixture *f = *state;

	add_list(f, "siem", "", 10000, OUTPUT_DROP_NEW);
	append(f, 700);
	start(f);
	run_until(f, "streaming", 700);
	restart(f);
	append(f, 50);
	run_until(f, "streaming", 750);
	assert_list(f, "siem", 1, 750);
	/* Somebody wrote an ID above ours: the epoch is raised, what the list has is not pushed again. */
	freeReplyObject(redisCommand(f->redis, "XADD " EV " %llu-1 body x", (unsigned long long)outbox_epoch(&f->store) + 5));
	append(f, 50);
	run_until(f, "streaming", 800);
	assert_list(f, "siem", 1, 800);
}

static void a_stream_that_is_gone_is_filled_again_without_its_lists(void **state)
{
	struct fixture *f = *state;

	add_list(f, "siem", "", 10000, OUTPUT_DROP_NEW);
	append(f, 700);
	start(f);
	run_until(f, "streaming", 700);
	ask(f, "DEL " EV);
	append(f, 50);
	run_until(f, "streaming", 750);
	assert_stream(f, 1, 750);
	assert_list(f, "siem", 1, 750);
}

static void flushed_lists_are_filled_from_the_outbox(void **state)
{
	struct fixture *f = *state;

	add_list(f, "siem", "", 10000, OUTPUT_DROP_NEW);
	append(f, 700);
	start(f);
	run_until(f, "streaming", 700);
	ask(f, "FLUSHALL");
	append(f, 50);
	run_until(f, "streaming", 750);
	assert_stream(f, 1, 750);
	assert_list(f, "siem", 1, 750);
}

static void a_list_that_changes_its_type_is_told_and_its_loss_counted(void **state)
{
	struct fixture *f = *state;

	add_list(f, "siem", "", 10000, OUTPUT_DROP_NEW);
	append(f, 10);
	start(f);
	run_until(f, "streaming", 10);
	ask(f, "DEL askance:{t}:q:siem");
	ask(f, "SET askance:{t}:q:siem x");
	append(f, 5);
	run_until(f, "wrong-type", 10);
	ask(f, "DEL askance:{t}:q:siem");
	run_until(f, "streaming", 15);
	append(f, 5);
	run_until(f, "streaming", 20);
	assert_stream(f, 1, 20);
	assert_list(f, "siem", 16, 20);
	assert_health("\"length\":5,\"dropped\":5");
}

int main(void)
{
#define WITH_REDIS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_REDIS(a_backlog_arrives_in_order),
		WITH_REDIS(an_open_transaction_is_not_published),
		WITH_REDIS(a_deleted_stream_is_filled_again_even_when_idle),
		WITH_REDIS(a_trimmed_stream_is_left_alone),
		WITH_REDIS(a_lost_tail_is_sent_again),
		WITH_REDIS(ids_of_another_store_raise_the_epoch),
		WITH_REDIS(a_second_writer_costs_nothing),
		WITH_REDIS(another_content_under_our_number_raises_the_epoch),
		WITH_REDIS(a_poisoned_stream_is_told),
		WITH_REDIS(a_key_of_another_type_is_told_and_mended),
		WITH_REDIS(asset_states_follow_and_gone_ones_go),
		WITH_REDIS(a_refused_hash_does_not_hold_up_the_stream),
		WITH_REDIS(a_full_outbox_is_merged_and_goes_on),
		WITH_REDIS(a_full_list_drops_and_counts_exactly),
		WITH_REDIS(a_list_goes_on_where_it_was_after_a_restart_and_another_epoch),
		WITH_REDIS(a_stream_that_is_gone_is_filled_again_without_its_lists),
		WITH_REDIS(flushed_lists_are_filled_from_the_outbox),
		WITH_REDIS(a_list_that_changes_its_type_is_told_and_its_loss_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
