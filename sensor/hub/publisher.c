/*
 * The outbox to the stream, each entry once and in order.
 *
 * Redis refuses an ID that is not above the stream's last, so sending an entry again does no harm -
 * unless a later one has overtaken it, for then the refusal hides a loss. So one batch is under way
 * at a time, and it is a transaction: Redis takes it whole or not at all. Any doubt (a lost answer, a
 * refused ID, a stream that is gone) is settled by asking for the last ID and going on from there:
 *
 *   connect -> XINFO STREAM -> MULTI, XADD NOMKSTREAM ..., EXEC -> next batch
 *                  ^                     | doubt                       | idle: ask again, a
 *                  +---------------------+-----------------------------+ DEL shows then
 *
 * Lists are pushed to in the same transaction and keep their own place: see outputs.h. Nothing is written
 * while another sensor has our name: see owner.h.
 */
#include "sensor/hub/publisher.h"

#include "sensor/common/log.h"
#include "sensor/hub/asset_mirror.h"
#include "sensor/hub/bound.h"
#include "sensor/hub/health_hash.h"
#include "sensor/hub/jsonl.h"
#include "sensor/hub/mend.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/outputs.h"
#include "sensor/hub/owner.h"
#include "sensor/hub/server.h"
#include "sensor/hub/store.h"
#include "sensor/hub/stream_end.h"
#include "sensor/hub/stream_entry.h"
#include "sensor/hub/stream_trim.h"
#include "sensor/redis/redis_link.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BATCH_ENTRIES = OUTPUTS_BATCH,
	BATCH_BYTES = 4 * 1024 * 1024,
	FLUSH_ENTRIES = 128, /* go out while the next are read */
	HOUSEKEEPING_MS = 1000,
	FOREIGN_TELL_MS = 60000,
	FRUITLESS_MAX = 3, /* times to settle in a row without getting on */
	KEY_BYTES = 128,
};

enum question {
	ASK_END, ASK_QUEUED, ASK_EXEC, ASK_ASSET, ASK_HEALTH, ASK_CLIENT,
	ASK_OWNER = ASK_CLIENT + PUBLISHER_CLIENTS,
	ASK_SERVER = ASK_OWNER + OWNER_QUESTIONS,
	ASK_TRIM = ASK_SERVER + SERVER_QUESTIONS,
	ASK_OUTPUT = ASK_TRIM + STREAM_TRIM_QUESTIONS, /* and all above */
};

static const char acked_key[] = "publisher_acked", base_key[] = "publisher_base", assets_key[] = "publisher_assets";

static struct {
	struct store *store;
	struct hub_config config;
	struct redis_link link;
	uv_timer_t housekeeping;
	bool redis;                  /* one is configured */
	char stream[KEY_BYTES], name[KEY_BYTES];
	bool settled;                /* we know where the stream stands */
	bool missing;                /* there is no stream: the first entry makes it */
	bool in_flight;
	int64_t batch_last, batch_entries;
	size_t batch_bytes, batch_others; /* commands of outputs at its end */
	char queue_error[160];
	unsigned fruitless;
	int64_t acked, sent, noted_acked, noted_assets, base, committed;
	uint64_t connects, resyncs, published;
	uint64_t stop_at_ms, foreign_told_ms, renewed_ms;
	void (*stopped)(void);
	unsigned open_handles;
} p;

static const struct publisher_client *clients[PUBLISHER_CLIENTS];
static unsigned client_count;

void publisher_join(const struct publisher_client *c)
{
	if (client_count < PUBLISHER_CLIENTS)
		clients[client_count++] = c;
}

static void ask_end(void)
{
	const char *argv[] = { "XINFO", "STREAM", p.stream };

	p.settled = false;
	owner_ask();
	outputs_ask();
	redis_link_ask(&p.link, ASK_END, 3, argv, NULL);
}

static bool add_entry(const struct outbox_entry *e, void *arg)
{
	const char *command;
	size_t len;

	(void)arg;
	if (p.batch_entries == BATCH_ENTRIES || (p.batch_entries && p.batch_bytes + e->len > BATCH_BYTES))
		return false;
	/* A stream that vanishes between batches must not be begun anew in the middle: only the first entry makes one. */
	command = stream_entry(p.stream, p.missing && p.batch_entries == 0, outbox_epoch(p.store), e, &len);
	if (!command || !outputs_take(e) || !redis_link_ask_bytes(&p.link, ASK_QUEUED, command, len))
		return false;
	if (p.batch_entries % FLUSH_ENTRIES == FLUSH_ENTRIES - 1)
		redis_link_flush(&p.link);
	p.batch_entries++;
	p.batch_last = e->seq;
	p.batch_bytes += e->len;
	return true;
}

static void send_batch(void)
{
	const char *multi[] = { "MULTI" }, *exec[] = { "EXEC" };

	p.batch_entries = 0;
	p.batch_bytes = 0;
	p.queue_error[0] = 0;
	outputs_begin();
	if (!redis_link_ask(&p.link, ASK_QUEUED, 1, multi, NULL))
		return;
	/* When the store can't be read the transaction is shorter or empty; that is no error of Redis. */
	outbox_walk(p.store, p.acked + 1, p.committed, add_entry, NULL);
	p.batch_others = outputs_send(outbox_epoch(p.store), p.base);
	owner_renew();
	p.renewed_ms = uv_now(p.link.loop);
	p.in_flight = redis_link_ask(&p.link, ASK_EXEC, 1, exec, NULL);
	if (p.batch_entries && p.sent < p.batch_last)
		p.sent = p.batch_last;
	owner_guard();
	outputs_guard();
}

static void note_works(void)
{
	if (p.link.state != REDIS_STREAMING) {
		p.connects++;
		log_info("Redis: writing to %s, now at %llu-%lld", p.stream, (unsigned long long)outbox_epoch(p.store),
			 (long long)p.acked);
	}
	redis_link_works(&p.link);
}

static void pump(void)
{
	if (!p.redis || !p.settled || !owner_ready() || !redis_link_is_ready(&p.link))
		return;
	if (!p.in_flight && p.acked < p.committed && outputs_ready())
		send_batch();
	asset_mirror_pump();
	health_hash_pump();
	for (unsigned i = 0; i < client_count; i++)
		clients[i]->pump();
}

/*
 * Another store of this name, or a wrong hand, has written IDs above ours: numbering goes on in an
 * epoch above it. What we don't know to be there is sent again; what was sent twice has one event.id.
 */
static void raise_epoch(uint64_t seen)
{
	if (seen >= UINT64_C(1) << 62) {
		redis_link_fail_as(&p.link, REDIS_POISONED, "the last ID of the stream is near the largest possible");
		return;
	}
	/* Two sensors of one name overtake each other for as long as both run. */
	if (p.foreign_told_ms == 0 || uv_now(p.link.loop) - p.foreign_told_ms > FOREIGN_TELL_MS) {
		p.foreign_told_ms = uv_now(p.link.loop);
		log_warning("Redis: the last ID in %s is not from this sensor's store (but one before it, or a hand): going on as %llu-%lld",
			    p.stream, (unsigned long long)seen + 1, (long long)p.acked + 1);
	}
	if (store_set_meta(p.store, base_key, p.acked) == 0 && outbox_raise_epoch(p.store, seen + 1) == 0)
		p.base = p.acked;
	else
		redis_link_fail_as(&p.link, REDIS_REFUSED, "the store cannot be written");
}

/* True when the stream's last entry can't be the one that our outbox has under this number. */
static bool is_foreign(const struct stream_end *end)
{
	if (end->epoch != outbox_epoch(p.store) || end->seq == 0)
		return end->epoch > outbox_epoch(p.store);
	if (end->seq > (uint64_t)p.committed)
		return true;
	return end->body && !outbox_matches(p.store, (int64_t)end->seq, end->body, end->body_len);
}

/* The number after which to go on, as the stream's end says. */
static int64_t place_after(const struct stream_end *end)
{
	if (end->missing || (end->epoch == 0 && end->seq == 0))
		return 0;
	return end->epoch < outbox_epoch(p.store) ? p.base : (int64_t)end->seq;
}

static void settle(const struct stream_end *end)
{
	int64_t from;

	if (is_foreign(end)) {
		raise_epoch(end->epoch);
		from = p.acked;
	} else {
		from = place_after(end);
	}
	if (!redis_link_is_ready(&p.link))
		return;
	if (from < p.acked) {
		log_warning("Redis: %s %s %lld: sending again what the outbox has", p.stream,
			    end->missing ? "is gone, it had" : "has lost entries, it had", (long long)p.acked);
		if (end->missing)
			asset_mirror_from(0);
		p.resyncs++;
	} else {
		p.published += (uint64_t)(from - p.acked);
	}
	p.missing = end->missing;
	p.acked = from;
	p.settled = true;
	if (p.acked >= p.committed)
		note_works();
	pump();
}

/* A batch was in doubt. Asking again and again must not become a loop. */
static void doubt(const char *why)
{
	p.resyncs++;
	if (p.fruitless++ >= FRUITLESS_MAX)
		redis_link_fail_as(&p.link, REDIS_REFUSED, why);
	else
		ask_end();
}

static void read_exec(const redisReply *r)
{
	const char *error;

	p.in_flight = false;
	if (r->type == REDIS_REPLY_ERROR) {
		redis_link_fail(&p.link, p.queue_error[0] ? p.queue_error : r->str);
		return;
	}
	if (r->type == REDIS_REPLY_NIL) {
		doubt("the sensor's claim to its name, or the places of its lists, vanish again and again");
		return;
	}
	if (r->type != REDIS_REPLY_ARRAY || r->elements != (size_t)p.batch_entries + p.batch_others + OWNER_COMMANDS) {
		redis_link_fail_as(&p.link, REDIS_REFUSED, "the answer to EXEC has another length than the batch");
		return;
	}
	for (size_t i = 0; i < (size_t)p.batch_entries; i++) {
		const redisReply *one = r->element[i];

		if (one->type == REDIS_REPLY_ERROR && strncmp(one->str, "ERR The ID specified in XADD", 28) != 0) {
			redis_link_fail(&p.link, one->str);
			return;
		}
		if (one->type == REDIS_REPLY_ERROR || one->type == REDIS_REPLY_NIL) {
			doubt(one->type == REDIS_REPLY_NIL ? "the stream vanishes again and again" : one->str);
			return;
		}
	}
	if (p.batch_entries == 0) {
		/* Nothing was due but our claim: what became of the stream meanwhile shows now. */
		p.fruitless = 0;
		ask_end();
		return;
	}
	error = outputs_read(r->element + p.batch_entries, p.batch_others);
	if (error) {
		redis_link_fail(&p.link, error);
		return;
	}
	p.published += (uint64_t)p.batch_entries;
	p.acked = p.batch_last;
	p.missing = false;
	p.fruitless = 0;
	note_works();
	outputs_publish();
	pump();
}

static void read_end(const redisReply *r)
{
	struct stream_end end;

	if (r->type == REDIS_REPLY_ERROR && strncmp(r->str, "ERR no such key", 15) != 0)
		redis_link_fail(&p.link, r->str);
	else if (stream_end_read(&end, r) < 0)
		redis_link_fail_as(&p.link, REDIS_REFUSED, "the answer to XINFO STREAM can't be read");
	else
		settle(&end);
}

/* Answers to those who use the connection too. */
static void hand_on(int question, const redisReply *r)
{
	if (question < ASK_OWNER) {
		clients[question - ASK_CLIENT]->answer(r);
	} else if (question < ASK_SERVER) {
		if (owner_answer(question - ASK_OWNER, r))
			ask_end();
		pump();
	} else if (question < ASK_TRIM) {
		server_answer(r);
	} else if (question < ASK_OUTPUT) {
		if (stream_trim_answer(question - ASK_TRIM, r))
			publisher_kick();
	} else {
		if (outputs_answer(question - ASK_OUTPUT, r) && p.settled)
			ask_end();
		pump();
	}
}

static void on_answer(struct redis_link *l, int question, const redisReply *r)
{
	(void)l;
	switch (question) {
	case ASK_END:
		read_end(r);
		break;
	case ASK_QUEUED:
		if (r->type == REDIS_REPLY_ERROR && !p.queue_error[0])
			snprintf(p.queue_error, sizeof p.queue_error, "%s", r->str);
		break;
	case ASK_EXEC:
		read_exec(r);
		break;
	case ASK_ASSET:
		asset_mirror_answer(r);
		break;
	case ASK_HEALTH:
		health_hash_answer(r);
		break;
	default:
		hand_on(question, r);
		break;
	}
}

static void on_ready(struct redis_link *l)
{
	(void)l;
	p.fruitless = 0;
	owner_again();
	outputs_again();
	stream_trim_again();
	server_ask();
	ask_end();
	asset_mirror_again();
	for (unsigned i = 0; i < client_count; i++)
		clients[i]->ready(&p.link, ASK_CLIENT + (int)i);
}

static void on_idle(struct redis_link *l)
{
	(void)l;
	ask_end();
}

static void on_down(struct redis_link *l)
{
	(void)l;
	p.settled = p.in_flight = false;
	health_hash_again();
	for (unsigned i = 0; i < client_count; i++)
		clients[i]->down();
}

static void finish_stop(uv_handle_t *handle)
{
	(void)handle;
	if (--p.open_handles == 0 && p.stopped)
		p.stopped();
}

/* Positions that the store keeps. Being late with them costs a question or a repetition, no more. */
static void note_positions(void)
{
	if (p.acked != p.noted_acked && store_set_meta(p.store, acked_key, p.acked) == 0)
		p.noted_acked = p.acked;
	if (p.redis && asset_mirror_done() != p.noted_assets && store_set_meta(p.store, assets_key, asset_mirror_done()) == 0)
		p.noted_assets = asset_mirror_done();
}

static void close_all(void)
{
	note_positions();
	for (unsigned i = 0; i < client_count; i++)
		clients[i]->down();
	client_count = 0;
	jsonl_close();
	asset_mirror_stop();
	outputs_stop();
	if (p.redis)
		stream_trim_stop();
	bound_stop();
	outbox_close(p.store);
	health_hash_stop();
	stream_entry_free();
	p.open_handles = p.redis ? 2 : 1;
	uv_close((uv_handle_t *)&p.housekeeping, finish_stop);
	if (p.redis)
		redis_link_stop(&p.link, finish_stop);
	p.redis = false;
	p.store = NULL;
}

/* What all readers have; without any, age and size alone decide. */
static int64_t read_by_all(void)
{
	int64_t seq = p.redis ? p.acked : p.committed;

	if (strcmp(jsonl_state(), "off") != 0 && jsonl_written() < seq)
		seq = jsonl_written();
	return seq;
}

/* A pipe may have taken a part of the line after the last. */
static int64_t sent_to_all(void)
{
	int64_t seq = !p.redis ? p.committed : p.sent > p.acked ? p.sent : p.acked;

	if (strcmp(jsonl_state(), "off") != 0 && jsonl_written() + 1 < seq)
		seq = jsonl_written() + 1;
	return seq;
}

static bool keep_bounds(void)
{
	return bound_keep(read_by_all(), sent_to_all(), read_by_all() >= p.committed);
}

/* Also when there is nothing to send. */
static void keep_claim(void)
{
	if (!p.redis || !p.settled || p.in_flight || !owner_ready() || !redis_link_is_ready(&p.link))
		return;
	if (stream_trim_tick(outbox_epoch(p.store), p.base, p.acked))
		server_ask();
	if (uv_now(p.link.loop) - p.renewed_ms >= OWNER_RENEW_MS && outputs_ready())
		send_batch();
}

static void on_housekeeping(uv_timer_t *timer)
{
	jsonl_tick(p.committed);
	if (keep_bounds())
		publisher_kick();
	if (p.stopped && (!p.redis || p.acked >= p.committed || uv_now(timer->loop) >= p.stop_at_ms)) {
		close_all();
		return;
	}
	note_positions();
	pump();
	keep_claim();
}

void publisher_kick(void)
{
	struct outbox_size size;

	/* Within a transaction there may be entries that a rollback takes back: they are not for other eyes. */
	if (!p.store || !store_is_settled(p.store) || outbox_size(p.store, &size) < 0)
		return;
	p.committed = size.last;
	jsonl_pump(p.committed);
	if (size.bytes > (uint64_t)p.config.outbox_bytes_mib << 20)
		keep_bounds();
	pump();
}

void publisher_health(const char *body, size_t len)
{
	health_hash_set(body, len);
	pump();
}

static int start_redis(uv_loop_t *loop)
{
	char why[256];

	if (redis_url_parse(&p.link.url, p.config.redis_url, why, sizeof why) < 0) {
		log_error("redis.url: %s", why);
		return -1;
	}
	redis_url_login(&p.link.url, p.config.redis_user, p.config.redis_password);
	redis_url_sentinel_login(&p.link.url, p.config.sentinel_user, p.config.sentinel_password);
	p.link.relay = p.config.relay;
	snprintf(p.stream, sizeof p.stream, "askance:{%s}:ev", p.config.sensor);
	snprintf(p.name, sizeof p.name, "askance:%s", p.config.sensor);
	health_hash_start(&p.link, p.config.sensor, ASK_HEALTH);
	asset_mirror_start(p.store, &p.link, p.config.sensor, ASK_ASSET);
	asset_mirror_from(p.noted_assets);
	outputs_start(&p.config, &p.link, ASK_QUEUED, ASK_OUTPUT, p.committed);
	server_start(&p.link, ASK_SERVER);
	stream_trim_start(p.store, &p.link, &p.config, p.stream, ASK_TRIM);
	p.link.loop = loop;
	p.link.client_name = p.name;
	p.link.meanwhile = "events are kept and sent later";
	p.link.ready = on_ready;
	p.link.down = on_down;
	p.link.idle = on_idle;
	p.link.answer = on_answer;
	return owner_start(p.store, &p.link, p.config.sensor, ASK_QUEUED, ASK_OWNER) < 0 ? -1 : redis_link_start(&p.link);
}

static void recall_positions(void)
{
	p.acked = p.noted_acked = store_meta(p.store, acked_key, 0);
	p.base = store_meta(p.store, base_key, 0);
	p.noted_assets = store_meta(p.store, assets_key, 0);
	p.committed = outbox_next(p.store) - 1;
	if (p.acked > p.committed)
		p.acked = p.committed;
}

int publisher_start(uv_loop_t *loop, struct store *s, const struct hub_config *config)
{
	memset(&p, 0, sizeof p);
	p.store = s;
	p.config = *config;
	/* A peer that goes away is an error of write(), not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	if (mend_outbox(s, &p.config) < 0)
		return -1;
	recall_positions();
	p.redis = config->redis_url[0] != 0;
	if (jsonl_open(loop, s, config->jsonl) < 0 || (p.redis && start_redis(loop) < 0)) {
		jsonl_close();
		p.store = NULL;
		return -1;
	}
	bound_start(s, &p.config);
	uv_timer_init(loop, &p.housekeeping);
	uv_timer_start(&p.housekeeping, on_housekeeping, 0, HOUSEKEEPING_MS);
	return 0;
}

void publisher_stop(unsigned wait_ms, void (*done)(void))
{
	p.stopped = done;
	p.stop_at_ms = uv_now(p.housekeeping.loop) + wait_ms;
	publisher_kick();
	uv_timer_start(&p.housekeeping, on_housekeeping, 0, 20);
}

static bool read_time(const struct outbox_entry *e, void *arg)
{
	*(int64_t *)arg = e->at_ns;
	return true;
}

static uint64_t lag_ms(void)
{
	struct timespec now;
	int64_t at_ns = 0, now_ns;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	if (p.acked >= p.committed || outbox_walk(p.store, p.acked + 1, p.acked + 1, read_time, &at_ns) != 1 || at_ns > now_ns)
		return 0;
	return (uint64_t)(now_ns - at_ns) / 1000000;
}

void publisher_stats(struct publisher_stats *stats)
{
	struct outbox_size size = { 0 };

	memset(stats, 0, sizeof *stats);
	stats->redis_state = redis_state_name(p.redis ? p.link.state : REDIS_OFF);
	stats->jsonl_state = jsonl_state();
	if (!p.store || outbox_size(p.store, &size) < 0)
		return;
	stats->connects = p.connects;
	stats->failures = p.link.failures;
	stats->resyncs = p.resyncs;
	stats->published = p.published;
	stats->acked = p.acked;
	stats->committed = p.committed;
	stats->lag_entries = p.redis ? (uint64_t)(p.committed - p.acked) : 0;
	stats->lag_ms = p.redis ? lag_ms() : 0;
	stats->outbox_entries = size.entries;
	stats->outbox_bytes = size.bytes;
	bound_stats(&stats->bound);
	stats->jsonl_written = jsonl_written();
}
