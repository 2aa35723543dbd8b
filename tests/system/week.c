/*
 * A week in simulated time, Redis away for the half of it: what the outbox takes on disk, what is merged, and
 * how long it takes until the readers have caught up. The clock of this program is moved ahead by itself.
 *
 * usage: week [OUTBOX_MIB]        (32)  starts a redis-server of its own in a temporary folder
 *
 * 1000 devices; in each hour 360 events of health, 2000 of what devices are, and 12 that are never merged.
 * Prints the figures and what must hold; the last line is N passed, N failed, 0 skipped.
 */
#include "sensor/hub/outbox.h"
#include "sensor/hub/publisher.h"
#include "sensor/hub/store.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STREAM "askance:{week}:ev"

enum {
	HOURS = 168, AWAY_FROM = 42, AWAY_TO = 126, DEVICES = 1000, HEALTH_AN_HOUR = 360, STATES_AN_HOUR = 2000, KEPT_AN_HOUR = 12,
	BODY_BYTES = 1000, KEEP_DAYS = 1, MIB = 1 << 20, CATCH_UP_S = 120,
};

static char folder[64] = "/tmp/askance-week-XXXXXX", redis_socket[96];
static struct store store;
static struct hub_config config = { .outbox_days = KEEP_DAYS, .sensor = "week", .zone = "hall" };
static uv_loop_t loop;
static uv_timer_t waker;
static int64_t shift_s;
static int passed, failed;
static sqlite3_stmt *put_state;
static uint64_t told_kept, states;
static unsigned device_seed = 1;

/* Stands before libc's, for SQLite and libuv too. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	int result = (int)syscall(SYS_clock_gettime, clock, t);

	if (clock == CLOCK_REALTIME)
		t->tv_sec += shift_s;
	return result;
}

static double real_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(const char *what, bool well)
{
	printf("%s  %s\n", well ? "ok  " : "FAIL", what);
	passed += well;
	failed += !well;
}

static void fail(const char *what)
{
	fprintf(stderr, "week: %s\n", what);
	exit(2);
}

static pid_t start_server(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(open("/dev/null", O_RDWR), 1);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis_socket, "--save", "", "--appendonly", "yes", "--dir",
		       folder, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void run_for(double seconds)
{
	for (double until = real_s() + seconds; real_s() < until;)
		uv_run(&loop, UV_RUN_ONCE);
}

static void append(const char *type, const char *action, const char *asset)
{
	int64_t seq = outbox_next(&store);
	char body[BODY_BYTES + 256];
	int n = sprintf(body, "{\"event\":{\"sequence\":%lld,\"id\":\"week:%llu:%lld\",\"kind\":\"x\",\"action\":\"%s\"},\"asset\":\"%s\",\"pad\":\"%0*d\"}",
			(long long)seq, (unsigned long long)outbox_epoch(&store), (long long)seq, action, asset, BODY_BYTES - 100, 0);

	if (outbox_append(&store, type, asset, body, (size_t)n) < 0)
		fail("the store refuses");
	if (!asset[0])
		return;
	sqlite3_bind_text(put_state, 1, asset, -1, SQLITE_STATIC);
	sqlite3_bind_text(put_state, 2, body, n, SQLITE_STATIC);
	sqlite3_bind_int64(put_state, 3, seq);
	sqlite3_bind_int64(put_state, 4, (int64_t)++states);
	if (store_run(&store, put_state) < 0)
		fail("the store refuses");
}

/* Ten minutes of the plant's life. */
static void live(void)
{
	char asset[16];

	if (store_begin(&store) < 0)
		fail("the store refuses");
	for (int i = 0; i < HEALTH_AN_HOUR / 6; i++)
		append("health", "sensor-health", "");
	for (int i = 0; i < STATES_AN_HOUR / 6; i++) {
		snprintf(asset, sizeof asset, "a%d", rand_r(&device_seed) % DEVICES);
		append(i % 4 ? "attribute" : "asset", i % 4 ? "attribute-learned" : "asset-changed", asset);
	}
	for (int i = 0; i < KEPT_AN_HOUR / 6; i++, told_kept++)
		append(i % 2 ? "approval" : "change", i % 2 ? "approval-signed" : "firmware-changed", "");
	if (store_commit(&store) < 0)
		fail("the store refuses");
	publisher_kick();
}

struct figures {
	uint64_t disk, bytes, merged;
	double catch_up_s;
	int64_t caught_up;
};

static void note(struct figures *f)
{
	struct publisher_stats s;

	publisher_stats(&s);
	f->disk = s.bound.disk_bytes > f->disk ? s.bound.disk_bytes : f->disk;
	f->bytes = s.outbox_bytes > f->bytes ? s.outbox_bytes : f->bytes;
	f->merged = s.bound.merged;
}

static void catch_up(struct figures *f)
{
	struct publisher_stats s;
	double start = real_s();

	publisher_stats(&s);
	f->caught_up = (int64_t)s.outbox_entries;
	do {
		run_for(0.02);
		publisher_stats(&s);
	} while ((s.acked < s.committed || s.bound.owed) && real_s() - start < CATCH_UP_S);
	f->catch_up_s = real_s() - start;
}

static void live_a_week(struct figures *f)
{
	pid_t server = start_server();

	for (int hour = 0; hour < HOURS; hour++) {
		if (hour == AWAY_FROM) {
			kill(server, SIGKILL);
			waitpid(server, NULL, 0);
		}
		if (hour == AWAY_TO) {
			server = start_server();
			catch_up(f);
		}
		for (int part = 0; part < 6; part++, shift_s += 600) {
			live();
			run_for(0.01);
			note(f);
		}
	}
	catch_up(&(struct figures){ 0 });
	run_for(2.5);
	note(f);
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
	fail("redis-server does not answer");
	return NULL;
}

struct reading {
	int64_t proven;
	uint64_t kept, merged, disorder;
	bool told[DEVICES];
};

static void read_entry(struct reading *r, const redisReply *entry)
{
	const char *id = entry->element[0]->str, *body = entry->element[1]->element[1]->str, *type = entry->element[1]->element[3]->str;
	int64_t seq = atoll(strchr(id, '-') + 1), first = seq;

	if (strstr(body, "\"events-merged\""))
		first = atoll(strstr(body, "\"first\":") + strlen("\"first\":"));
	r->merged += (uint64_t)(seq - first + (first != seq));
	r->disorder += first != r->proven + 1;
	r->proven = seq;
	r->kept += strcmp(type, "approval") == 0 || strcmp(type, "change") == 0;
	if (strcmp(type, "asset") == 0)
		r->told[atoi(entry->element[1]->element[5]->str + 1) % DEVICES] = true;
}

static struct reading read_stream(void)
{
	redisContext *c = connect_server();
	struct reading r = { 0 };
	char from[64] = "-";

	for (;;) {
		redisReply *reply = redisCommand(c, "XRANGE " STREAM " %s + COUNT 2000", from);
		size_t n = reply && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;

		for (size_t i = 0; i < n; i++)
			read_entry(&r, reply->element[i]);
		if (n)
			snprintf(from, sizeof from, "(%s", reply->element[n - 1]->element[0]->str);
		if (reply)
			freeReplyObject(reply);
		if (n == 0)
			break;
	}
	redisFree(c);
	return r;
}

static bool read_time(const struct outbox_entry *e, void *arg)
{
	*(int64_t *)arg = e->at_ns;
	return false;
}

static void judge(const struct figures *f, uint64_t limit)
{
	struct reading r = read_stream();
	struct outbox_size size;
	struct timespec now;
	int64_t oldest_ns = 0;
	unsigned untold = 0;

	outbox_size(&store, &size);
	outbox_walk(&store, size.first, size.first, read_time, &oldest_ns);
	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < DEVICES; i++)
		untold += !r.told[i];
	printf("events %lld, merged %llu, outbox at most %.1f MiB of %.0f, store at most %.1f MiB on disk\n", (long long)r.proven,
	       (unsigned long long)f->merged, (double)f->bytes / MIB, (double)limit / MIB, (double)f->disk / MIB);
	printf("catch-up after %d hours: %lld entries in %.1f s\n", AWAY_TO - AWAY_FROM, (long long)f->caught_up, f->catch_up_s);
	check("every number is in the stream or named as merged", r.disorder == 0 && r.proven == size.last);
	check("the outbox was full, and stayed within its limit and a batch", f->merged > 0 && f->bytes < limit + 4 * MIB);
	check("the store on disk stayed below three times the limit", f->disk < 3 * limit);
	check("nothing was merged that never is", r.kept == told_kept && told_kept == HOURS * KEPT_AN_HOUR);
	check("every device's state was told in the end", untold == 0);
	check("the readers caught up within a minute", f->catch_up_s < 60);
	check("what everybody has is not kept longer than configured", now.tv_sec - oldest_ns / 1000000000 < (KEEP_DAYS * 24 + 2) * 3600);
}

static void on_wake(uv_timer_t *timer)
{
	(void)timer;
}

static void on_stopped(void)
{
}

int main(int argc, char **argv)
{
	struct figures figures = { 0 };
	char database[96], command[256];

	if (!mkdtemp(folder))
		fail("no temporary folder");
	snprintf(redis_socket, sizeof redis_socket, "%s/redis.sock", folder);
	snprintf(database, sizeof database, "%s/askance.db", folder);
	snprintf(config.redis_url, sizeof config.redis_url, "unix://%s", redis_socket);
	config.outbox_bytes_mib = argc > 1 ? (uint32_t)atoi(argv[1]) : 32;
	shift_s = -(int64_t)HOURS * 3600;
	uv_loop_init(&loop);
	uv_timer_init(&loop, &waker);
	uv_timer_start(&waker, on_wake, 2, 2);
	if (store_open(&store, database) < 0 || publisher_start(&loop, &store, &config) < 0)
		fail("the publisher does not start");
	put_state = store_prepare(&store, "INSERT OR REPLACE INTO asset_state VALUES(?1,?2,?3,?4)");
	live_a_week(&figures);
	judge(&figures, (uint64_t)config.outbox_bytes_mib * MIB);
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	sqlite3_finalize(put_state);
	uv_close((uv_handle_t *)&waker, NULL);
	publisher_stop(0, on_stopped);
	uv_run(&loop, UV_RUN_DEFAULT);
	store_close(&store);
	snprintf(command, sizeof command, "redis-cli -s %s SHUTDOWN NOSAVE >/dev/null 2>&1; rm -r %s", redis_socket, folder);
	return system(command) != 0 || failed > 0;
}
