/* Gathers what the sensor knows of itself into one document. */
#include "sensor/hub/health.h"

#include "sensor/common/sandbox.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/outputs.h"
#include "sensor/hub/publisher.h"
#include "sensor/hub/sensor_document.h"
#include "sensor/hub/server.h"
#include "sensor/hub/store.h"
#include "sensor/hub/stream_trim.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FIRST_MS = 1000, INTERVAL_MS = 10000 };

/* In the order of struct engine_counters. */
static const char *const counter_names[] = {
	"frames", "bytes", "kernel_drops", "interface_drops", "ring_drops", "unknown_linktype", "undecoded", "malformed",
	"truncated", "fragments", "fragments_dropped", "flows", "flows_evicted", "details_refused", "stream_gaps",
	"stream_dropped_bytes", "messages", "messages_rejected", "ndpi_packets", "findings", "findings_lost", "tunnels",
	"ears_refused", "service_subjects", "service_matches", "service_contradicted",
	"pulses_evicted", "quarantined", "ndpi_avoided",
};

enum { COUNTERS = sizeof counter_names / sizeof *counter_names };
_Static_assert(sizeof(struct engine_counters) == COUNTERS * sizeof(uint64_t), "a name for each counter");

#define COUNT_MOST (INT64_MAX >> 10)
#define COUNTER(name) (offsetof(struct engine_counters, name) / sizeof(uint64_t))

enum { FRAMES = COUNTER(frames), RING_DROPS = COUNTER(ring_drops), UNKNOWN_LINKTYPE = COUNTER(unknown_linktype), UNDECODED = COUNTER(undecoded) };

static struct {
	struct store *store;
	struct hub_config config;
	uv_timer_t timer;
	void (*picture)(struct health_picture *);
	uint64_t started_ms;
	uint64_t last[CONFIG_ENGINES][COUNTERS];
	uint64_t total[CONFIG_ENGINES][COUNTERS]; /* over restarts of engines */
	struct json document;
} health;

void health_counters(unsigned engine, const struct engine_counters *c)
{
	uint64_t now[COUNTERS];

	if (engine >= CONFIG_ENGINES)
		return;
	memcpy(now, c, sizeof now);
	for (unsigned i = 0; i < COUNTERS; i++) {
		uint64_t before = health.last[engine][i], *total = &health.total[engine][i];

		*total += now[i] >= before ? now[i] - before : now[i];
		*total &= COUNT_MOST; /* an engine that lies may count up to 2^53 again and again */
		health.last[engine][i] = now[i];
	}
}

static uint64_t total_of(unsigned counter)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < CONFIG_ENGINES; i++)
		sum += health.total[i][counter];
	return sum & COUNT_MOST;
}

static void write_traffic(struct json *j)
{
	uint64_t frames = total_of(FRAMES), undecoded = total_of(UNDECODED) + total_of(UNKNOWN_LINKTYPE);

	if (undecoded > frames)
		undecoded = frames; /* so an engine may say that lies */
	json_open(j, "traffic", '{');
	for (unsigned i = 0; i < COUNTERS; i++)
		json_number(j, counter_names[i], (int64_t)total_of(i));
	json_close(j, '}');
	json_hundredths(j, "undecoded_share", frames ? (unsigned)(undecoded * 100 / frames) : 0);
}

static void write_picture(struct json *j)
{
	struct health_picture size = { 0 };

	if (!health.picture)
		return;
	health.picture(&size);
	json_open(j, "picture", '{');
	json_number(j, "assets", (int64_t)size.assets);
	json_number(j, "services", (int64_t)size.services);
	json_number(j, "subassets", (int64_t)size.subassets);
	json_number(j, "gaps", (int64_t)size.gaps);
	json_number(j, "assets_refused", (int64_t)size.assets_refused);
	json_number(j, "reports_rejected", (int64_t)size.reports_rejected);
	json_close(j, '}');
}

static void write_engines(struct json *j)
{
	struct health_picture size = { 0 };

	if (!health.picture)
		return;
	health.picture(&size);
	json_open(j, "engines", '[');
	for (unsigned i = 0; i < health.config.engines; i++) {
		json_open(j, NULL, '{');
		json_number(j, "frames", (int64_t)health.total[i][FRAMES]);
		json_number(j, "ring_drops", (int64_t)health.total[i][RING_DROPS]);
		json_number(j, "waiting_bytes", (int64_t)size.waiting_bytes[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_readers(struct json *j)
{
	struct health_picture size = { 0 };
	struct publisher_stats s;

	if (health.picture)
		health.picture(&size);
	publisher_stats(&s);
	json_open(j, "outbox", '{');
	json_number(j, "entries", (int64_t)s.outbox_entries);
	json_number(j, "bytes", (int64_t)s.outbox_bytes);
	json_number(j, "lost", (int64_t)size.events_lost);
	json_text(j, "state", s.bound.state);
	json_number(j, "limit_bytes", (int64_t)s.bound.limit_bytes);
	json_number(j, "disk_bytes", (int64_t)s.bound.disk_bytes);
	json_number(j, "merged", (int64_t)s.bound.merged);
	json_number(j, "owed", (int64_t)s.bound.owed);
	json_number(j, "store_failures", (int64_t)health.store->failures);
	json_close(j, '}');
	json_open(j, "redis", '{');
	json_text(j, "state", s.redis_state);
	json_number(j, "connects", (int64_t)s.connects);
	json_number(j, "failures", (int64_t)s.failures);
	json_number(j, "resyncs", (int64_t)s.resyncs);
	json_number(j, "published", (int64_t)s.published);
	json_number(j, "lag_entries", (int64_t)s.lag_entries);
	json_number(j, "lag_ms", (int64_t)s.lag_ms);
	if (strcmp(s.redis_state, "off") != 0) {
		json_number(j, "trimmed", (int64_t)stream_trim_removed());
		server_health(j);
		stream_trim_health(j);
	}
	json_close(j, '}');
	json_open(j, "jsonl", '{');
	json_text(j, "state", s.jsonl_state);
	json_number(j, "lag_entries", strcmp(s.jsonl_state, "off") == 0 ? 0 : s.committed - s.jsonl_written);
	json_close(j, '}');
	outputs_health(j);
}

/* In the order of enum sandbox_lack. */
static const char *const wall_names[] = { "no_new_privs", "landlock", "seccomp" };

_Static_assert(1 << sizeof wall_names / sizeof *wall_names == SANDBOX_LACKS, "a name for each wall");

static void write_walls(struct json *j)
{
	json_open(j, "walls", '{');
	json_number(j, "landlock", health.config.landlock);
	json_open(j, "missing", '[');
	for (unsigned i = 0; i < sizeof wall_names / sizeof *wall_names; i++)
		if (health.config.lacks & 1u << i)
			json_text(j, NULL, wall_names[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void write_document(struct json *j, int64_t seq)
{
	static const struct event_words words = EVENT_WORDS("metric", "host", "info", "sensor-health", "askance.health");

	sensor_document_open(j, &health.config, &words, outbox_epoch(health.store), seq);
	json_open(j, "health", '{');
	json_number(j, "uptime_s", (int64_t)((uv_now(health.timer.loop) - health.started_ms) / 1000));
	write_walls(j);
	write_traffic(j);
	write_engines(j);
	write_picture(j);
	write_readers(j);
	json_close(j, '}');
	sensor_document_close(j);
}

/* In a transaction of its own, unless one is open. */
static void tell(void)
{
	struct json *j = &health.document;
	bool own = !health.store->open;
	int64_t seq;

	if (own && store_begin(health.store) < 0)
		return;
	seq = outbox_next(health.store);
	write_document(j, seq);
	if (outbox_append(health.store, "health", NULL, j->text, j->len) < 0) {
		if (own)
			store_rollback(health.store);
		return;
	}
	if (own && store_commit(health.store) < 0)
		return;
	publisher_health(j->text, j->len);
	publisher_kick();
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	tell();
}

int health_start(uv_loop_t *loop, struct store *s, const struct hub_config *config, void (*picture)(struct health_picture *))
{
	int error = uv_timer_init(loop, &health.timer);

	if (error)
		return -1;
	health.store = s;
	health.config = *config;
	health.picture = picture;
	health.started_ms = uv_now(loop);
	return uv_timer_start(&health.timer, on_timer, FIRST_MS, INTERVAL_MS) ? -1 : 0;
}

void health_stop(void)
{
	if (!health.store)
		return;
	tell();
	json_free(&health.document);
	uv_close((uv_handle_t *)&health.timer, NULL);
	health.store = NULL;
}
