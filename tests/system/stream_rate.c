/*
 * How fast the outbox and its publisher carry events to Redis, beside a bare loop of pipelined XADD in the
 * same run, and how long a change takes from its transaction to a reader of the stream.
 *
 * usage: stream_rate [--guard] [EVENTS [SECONDS]]    starts a redis-server of its own in a temporary folder
 *
 * Documents have 500 bytes. The outbox must reach 0.3 of the bare loop, and 99 of 100 changes must be read
 * within 50 ms. With --guard, for a machine that does other things too, the ratio is that of CPU time, and
 * ten times the latency will do.
 *
 * Prints the latencies; then, tab-separated: what, events, seconds, events_per_s, ratio, own_cpu_s, redis_cpu_s. The
 * last line is N passed, N failed, 0 skipped.
 */
#include "sensor/hub/outbox.h"
#include "sensor/hub/publisher.h"
#include "sensor/hub/store.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STREAM "askance:{bench}:ev"

enum { BODY_BYTES = 500, WINDOW = 512, BATCH = 1000, RATE = 1000, STEP_MS = 10, LATE_MS = 50, RATIO_PERCENT = 30, LOOK_MS = 3 };

static char folder[64] = "/tmp/askance-bench-XXXXXX", redis_socket[96];
static struct store store;
static uv_loop_t loop;
static uv_timer_t waker;
static int64_t *changed_ns, *seen_ns, first_seq;
static size_t changes;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Where the time went: on a machine that does other things too, this says more than the clock. */
struct span {
	double seconds, own_cpu, redis_cpu;
};

static pid_t server;

static double redis_cpu(void)
{
	char path[64];
	unsigned long user = 0, system = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)server);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		user = system = 0;
	if (f)
		fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static struct span look(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return (struct span){ (double)now_ns() / 1e9, (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9, redis_cpu() };
}

static struct span since(struct span start)
{
	struct span now = look();

	return (struct span){ now.seconds - start.seconds, now.own_cpu - start.own_cpu, now.redis_cpu - start.redis_cpu };
}

static void print_span(const char *what, int64_t events, struct span s, double ratio)
{
	printf("%s\t%lld\t%.2f\t%.0f\t%.2f\t%.2f\t%.2f\n", what, (long long)events, s.seconds, (double)events / s.seconds, ratio, s.own_cpu, s.redis_cpu);
}

static void fail(const char *what)
{
	fprintf(stderr, "stream_rate: %s\n", what);
	exit(2);
}

static pid_t start_server(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(open("/dev/null", O_RDWR), 1);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis_socket, "--save", "", "--dir", folder, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static redisContext *connect_server(void)
{
	for (int i = 0; i < 500; i++) {
		redisContext *c = redisConnectUnix(redis_socket);

		if (c && !c->err)
			return c;
		redisFree(c);
		usleep(10000);
	}
	fail("redis-server does not start");
	return NULL;
}

static void ask(redisContext *c, const char *command)
{
	redisReply *r = redisCommand(c, command);

	if (!r || r->type == REDIS_REPLY_ERROR)
		fail(r ? r->str : c->errstr);
	freeReplyObject(r);
}

/* A document as the sensor's are: its number in front, the length fixed. */
static size_t write_body(char *body, int64_t seq)
{
	int n = sprintf(body, "{\"event\":{\"sequence\":%lld,\"id\":\"bench:1:%lld\"},\"pad\":\"", (long long)seq, (long long)seq);

	memset(body + n, 'x', BODY_BYTES - (size_t)n - 2);
	memcpy(body + BODY_BYTES - 2, "\"}", 2);
	return BODY_BYTES;
}

static void take_replies(redisContext *c, unsigned count)
{
	void *r;

	for (unsigned i = 0; i < count; i++) {
		if (redisGetReply(c, &r) != REDIS_OK || ((redisReply *)r)->type == REDIS_REPLY_ERROR)
			fail("the bare loop fails");
		freeReplyObject(r);
	}
}

/* The yardstick: what this Redis takes from one connection that does nothing else. */
static struct span run_bare(redisContext *c, int64_t events)
{
	char body[BODY_BYTES + 64], id[32];
	const char *argv[] = { "XADD", STREAM, id, "body", body };
	size_t lens[] = { 4, strlen(STREAM), 0, 4, BODY_BYTES };
	struct span start = look();

	for (int64_t i = 0; i < events; i++) {
		lens[2] = (size_t)sprintf(id, "1-%lld", (long long)i + 1);
		write_body(body, i + 1);
		redisAppendCommandArgv(c, 5, argv, lens);
		if ((i + 1) % WINDOW == 0)
			take_replies(c, WINDOW);
	}
	take_replies(c, (unsigned)(events % WINDOW));
	return since(start);
}

static void append(int64_t events)
{
	char body[BODY_BYTES + 64];

	if (store_begin(&store) < 0)
		fail("the store refuses");
	for (int64_t i = 0; i < events; i++) {
		size_t len = write_body(body, outbox_next(&store));

		if (outbox_append(&store, "attribute", "0123456789abcdef", body, len) < 0)
			fail("the store refuses");
	}
	if (store_commit(&store) < 0)
		fail("the store refuses");
	publisher_kick();
}

/* Runs the loop until Redis has all. Looking costs, so it is done now and then. */
static void run_until_acked(void)
{
	struct publisher_stats s;

	do {
		for (int64_t until = now_ns() + LOOK_MS * 1000000; now_ns() < until;)
			uv_run(&loop, UV_RUN_ONCE);
		publisher_stats(&s);
	} while (s.acked < outbox_next(&store) - 1);
}

/* As the hub does: a batch in a transaction, then whatever the loop has to do. */
static struct span run_outbox(int64_t events)
{
	int64_t left = events;
	struct span start;

	run_until_acked();
	for (start = look(); left > 0; left -= BATCH) {
		append(left < BATCH ? left : BATCH);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	run_until_acked();
	return since(start);
}

/* A consumer that waits at the end of the stream. */
static void *read_stream(void *arg)
{
	redisContext *c = connect_server();
	char from[64] = "$";
	size_t seen = 0;

	(void)arg;
	while (seen < changes) {
		redisReply *r = redisCommand(c, "XREAD BLOCK 5000 STREAMS " STREAM " %s", from);
		int64_t now = now_ns();

		if (!r || r->type != REDIS_REPLY_ARRAY)
			break;
		for (size_t i = 0; i < r->element[0]->element[1]->elements; i++) {
			const char *id = r->element[0]->element[1]->element[i]->element[0]->str;
			int64_t at = atoll(strchr(id, '-') + 1) - first_seq;

			snprintf(from, sizeof from, "%s", id);
			if (at >= 0 && (size_t)at < changes && !seen_ns[at]) {
				seen_ns[at] = now;
				seen++;
			}
		}
		freeReplyObject(r);
	}
	redisFree(c);
	return NULL;
}

static void on_step(uv_timer_t *timer)
{
	static size_t done;
	int64_t now = now_ns();

	if (done >= changes) {
		uv_close((uv_handle_t *)timer, NULL);
		return;
	}
	for (size_t i = 0; i < RATE * STEP_MS / 1000; i++)
		changed_ns[done++] = now;
	append(RATE * STEP_MS / 1000);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Returns 99 of 100's latency in ms. */
static double run_latency(int seconds)
{
	uv_timer_t timer;
	pthread_t reader;

	changes = (size_t)seconds * RATE;
	changed_ns = calloc(changes, sizeof *changed_ns);
	seen_ns = calloc(changes, sizeof *seen_ns);
	first_seq = outbox_next(&store);
	pthread_create(&reader, NULL, read_stream, NULL);
	usleep(200000);
	uv_update_time(&loop);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, on_step, STEP_MS, STEP_MS);
	while (uv_is_active((uv_handle_t *)&timer))
		uv_run(&loop, UV_RUN_ONCE);
	run_until_acked();
	pthread_join(reader, NULL);
	for (size_t i = 0; i < changes; i++) {
		if (!seen_ns[i])
			fail("a change did not arrive");
		seen_ns[i] -= changed_ns[i];
	}
	qsort(seen_ns, changes, sizeof *seen_ns, compare);
	printf("from change to reader at %d events/s: median %.1f ms, 99 of 100 %.1f ms, longest %.1f ms (%zu events)\n", RATE,
	       (double)seen_ns[changes / 2] / 1e6, (double)seen_ns[changes * 99 / 100] / 1e6, (double)seen_ns[changes - 1] / 1e6, changes);
	return (double)seen_ns[changes * 99 / 100] / 1e6;
}

static void on_wake(uv_timer_t *timer)
{
	(void)timer;
}

static void start_publisher(void)
{
	static struct hub_config config = { .outbox_days = 7, .outbox_bytes_mib = 1024, .sensor = "bench", .zone = "bench" };
	char database[96];

	snprintf(database, sizeof database, "%s/askance.db", folder);
	snprintf(config.redis_url, sizeof config.redis_url, "unix://%s", redis_socket);
	uv_loop_init(&loop);
	if (store_open(&store, database) < 0 || publisher_start(&loop, &store, &config) < 0)
		fail("the publisher does not start");
	uv_timer_init(&loop, &waker);
	uv_timer_start(&waker, on_wake, LOOK_MS, LOOK_MS);
	append(1);
}

static void on_stopped(void)
{
}

static int judge(bool guard, double ratio, double late_ms)
{
	bool fast = ratio >= RATIO_PERCENT / 100.0, soon = late_ms < (guard ? 10 * LATE_MS : LATE_MS);

	printf("%d passed, %d failed, 0 skipped\n", fast + soon, !fast + !soon);
	return !fast || !soon;
}

int main(int argc, char **argv)
{
	bool guard = argc > 1 && strcmp(argv[1], "--guard") == 0;
	int64_t events = argc - guard > 1 ? atoll(argv[1 + guard]) : 300000;
	struct span bare, outbox;
	double late_ms, ratio;
	char command[96];
	redisContext *c;

	if (!mkdtemp(folder))
		fail("no temporary folder");
	snprintf(redis_socket, sizeof redis_socket, "%s/redis.sock", folder);
	server = start_server();
	c = connect_server();
	run_bare(c, events / 10);
	ask(c, "DEL " STREAM);
	bare = run_bare(c, events);
	ask(c, "FLUSHALL");
	start_publisher();
	outbox = run_outbox(events);
	late_ms = run_latency(argc - guard > 2 ? atoi(argv[2 + guard]) : 10);
	ratio = guard ? (bare.own_cpu + bare.redis_cpu) / (outbox.own_cpu + outbox.redis_cpu) : bare.seconds / outbox.seconds;
	printf("what\tevents\tseconds\tevents_per_s\tratio\town_cpu_s\tredis_cpu_s\n");
	print_span("bare XADD", events, bare, 1);
	print_span("outbox", events, outbox, ratio);
	uv_close((uv_handle_t *)&waker, NULL);
	publisher_stop(0, on_stopped);
	uv_run(&loop, UV_RUN_DEFAULT);
	store_close(&store);
	redisFree(c);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) != 0 || judge(guard, ratio, late_ms);
}
