/* Copies the states of assets that changed into Redis, in the order in which they were written. */
#include "sensor/hub/asset_mirror.h"

#include "sensor/common/log.h"
#include "sensor/hub/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 256, BATCH_BYTES = 2 * 1024 * 1024, KEY_BYTES = 384, RETRY_MS = 60000 };

static struct {
	struct store *store;
	struct redis_link *link;
	int question;
	char hash_prefix[128], changed_key[128];
	sqlite3_stmt *next, *before;
	int64_t done, sent; /* versions */
	unsigned unanswered;
	bool asking;        /* for the last change that Redis has */
	bool moved;         /* asset_mirror_from() came while answers were due */
	bool refused;
	bool told;
	uint64_t retry_at_ms;
} mirror;

void asset_mirror_start(struct store *s, struct redis_link *l, const char *sensor, int question)
{
	memset(&mirror, 0, sizeof mirror);
	mirror.store = s;
	mirror.link = l;
	mirror.question = question;
	snprintf(mirror.hash_prefix, sizeof mirror.hash_prefix, "askance:{%s}:asset:", sensor);
	snprintf(mirror.changed_key, sizeof mirror.changed_key, "askance:{%s}:changed", sensor);
	mirror.next = store_prepare(s, "SELECT id,body,seq,version FROM asset_state WHERE version>?1 ORDER BY version LIMIT ?2");
	mirror.before = store_prepare(s, "SELECT min(version)-1 FROM asset_state WHERE seq>=?1");
}

void asset_mirror_stop(void)
{
	sqlite3_finalize(mirror.next);
	sqlite3_finalize(mirror.before);
	mirror.next = mirror.before = NULL;
}

void asset_mirror_from(int64_t version)
{
	mirror.done = version;
	mirror.moved = mirror.unanswered > 0;
}

void asset_mirror_again(void)
{
	const char *argv[] = { "ZREVRANGE", mirror.changed_key, "0", "0", "WITHSCORES" };

	mirror.unanswered = 0;
	mirror.refused = mirror.moved = false;
	mirror.asking = redis_link_ask(mirror.link, mirror.question, 5, argv, NULL);
}

int64_t asset_mirror_done(void)
{
	return mirror.done;
}

/* A state that is gone loses its fields, and with the last field Redis drops the hash: no right to DEL is needed. */
static bool send_state(const char *id, const char *body, size_t len, int64_t seq)
{
	char key[KEY_BYTES], number[24];
	const char *set[] = { "HSET", key, "body", body, "sequence", number };
	const char *gone[] = { "HDEL", key, "body", "sequence" };
	const char *mark[] = { "ZADD", mirror.changed_key, number, id };
	size_t lens[] = { 4, 0, 4, len, 8, 0 };

	lens[1] = (size_t)snprintf(key, sizeof key, "%s%s", mirror.hash_prefix, id);
	lens[5] = (size_t)snprintf(number, sizeof number, "%lld", (long long)seq);
	if (lens[1] >= sizeof key)
		return true;
	if (!(body ? redis_link_ask(mirror.link, mirror.question, 6, set, lens)
		   : redis_link_ask(mirror.link, mirror.question, 4, gone, NULL)))
		return false;
	mirror.unanswered++;
	if (!redis_link_ask(mirror.link, mirror.question, 4, mark, NULL))
		return false;
	mirror.unanswered++;
	return true;
}

void asset_mirror_pump(void)
{
	size_t bytes = 0;

	/* Within a transaction there may be states that a rollback takes back. */
	if (mirror.asking || mirror.unanswered || !redis_link_is_ready(mirror.link) || !store_is_settled(mirror.store))
		return;
	if (mirror.refused && uv_now(mirror.link->loop) < mirror.retry_at_ms)
		return;
	mirror.refused = false;
	sqlite3_bind_int64(mirror.next, 1, mirror.done);
	sqlite3_bind_int(mirror.next, 2, BATCH_ROWS);
	while (bytes < BATCH_BYTES && sqlite3_step(mirror.next) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(mirror.next, 0);
		const char *body = (const char *)sqlite3_column_text(mirror.next, 1);
		size_t len = (size_t)sqlite3_column_bytes(mirror.next, 1);

		if (!id || !send_state(id, body, len, sqlite3_column_int64(mirror.next, 2)))
			break;
		mirror.sent = sqlite3_column_int64(mirror.next, 3);
		bytes += len;
	}
	sqlite3_reset(mirror.next);
}

/*
 * A refusal that concerns these keys alone must not hold up the stream: it is told once and tried
 * again later. What ails the whole server ends the connection.
 */
static void note_refusal(const redisReply *reply)
{
	enum redis_state state = redis_state_of_error(reply->str);

	if (state != REDIS_NOPERM && state != REDIS_WRONGTYPE && state != REDIS_REFUSED) {
		redis_link_fail(mirror.link, reply->str);
		return;
	}
	if (!mirror.told)
		log_warning("Redis: states of assets are not written: %s: %s", reply->str, redis_state_advice(state));
	mirror.told = true;
	mirror.refused = true;
	mirror.retry_at_ms = uv_now(mirror.link->loop) + RETRY_MS;
}

/*
 * States are written in the order of their numbers and Redis loses from the end, so the highest
 * number in the sorted set tells what a server that was restarted or promoted still has. States that
 * bear that number or a higher one are written again.
 */
static void read_last_change(const redisReply *reply)
{
	int64_t last = 0, before = 0;

	mirror.asking = false;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[1]->type == REDIS_REPLY_STRING) {
		last = (int64_t)strtod(reply->element[1]->str, NULL);
		sqlite3_bind_int64(mirror.before, 1, last);
		if (sqlite3_step(mirror.before) == SQLITE_ROW && sqlite3_column_type(mirror.before, 0) != SQLITE_NULL)
			before = sqlite3_column_int64(mirror.before, 0);
		else
			before = mirror.done;
		sqlite3_reset(mirror.before);
	}
	if (before < mirror.done)
		asset_mirror_from(before);
}

void asset_mirror_answer(const redisReply *reply)
{
	if (mirror.asking) {
		read_last_change(reply);
		if (reply->type == REDIS_REPLY_ERROR)
			note_refusal(reply);
		asset_mirror_pump();
		return;
	}
	if (mirror.unanswered == 0)
		return;
	mirror.unanswered--;
	if (reply->type == REDIS_REPLY_ERROR)
		note_refusal(reply);
	if (mirror.unanswered || mirror.refused)
		return;
	mirror.told = false;
	if (!mirror.moved)
		mirror.done = mirror.sent;
	mirror.moved = false;
	asset_mirror_pump();
}
