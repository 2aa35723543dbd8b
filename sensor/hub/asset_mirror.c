/* Copies the states of assets that changed into Redis, in the order of their last event. */
#include "sensor/hub/asset_mirror.h"

#include "sensor/common/log.h"
#include "sensor/hub/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 256, BATCH_BYTES = 2 * 1024 * 1024, ID_BYTES = 256, RETRY_MS = 60000 };

static struct {
	struct store *store;
	struct redis_link *link;
	int question;
	char hash_prefix[128], changed_key[128];
	sqlite3_stmt *next;
	int64_t done_seq, sent_seq;               /* behind (seq, id): several states may share one number */
	char done_id[ID_BYTES], sent_id[ID_BYTES];
	unsigned unanswered;
	bool asking;  /* for the last change that Redis has */
	bool moved;   /* asset_mirror_from() came while answers were due */
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
	mirror.next = store_prepare(s, "SELECT id,body,seq FROM asset_state"
				       " WHERE (seq,id)>(?1,?2) AND seq<=?3 ORDER BY seq,id LIMIT ?4");
}

void asset_mirror_stop(void)
{
	sqlite3_finalize(mirror.next);
	mirror.next = NULL;
}

/* Behind every ID of a number: 0xff is in no UTF-8 text. */
static const char behind_all[] = "\xff";

void asset_mirror_from(int64_t seq)
{
	mirror.done_seq = seq;
	strcpy(mirror.done_id, seq ? behind_all : "");
	mirror.moved = mirror.unanswered > 0;
}

/*
 * States are written in the order of their numbers and Redis loses from the end, so the highest
 * number in the sorted set tells what a server that was restarted or promoted still has.
 */
void asset_mirror_again(void)
{
	const char *argv[] = { "ZREVRANGE", mirror.changed_key, "0", "0", "WITHSCORES" };

	mirror.unanswered = 0;
	mirror.refused = mirror.moved = false;
	mirror.asking = redis_link_ask(mirror.link, mirror.question, 5, argv, NULL);
}

int64_t asset_mirror_done(void)
{
	return strcmp(mirror.done_id, behind_all) == 0 ? mirror.done_seq : mirror.done_seq - 1;
}

/* A state that is gone loses its fields, and with the last field Redis drops the hash: no right to DEL is needed. */
static bool send_state(const char *id, const char *body, size_t len, int64_t seq)
{
	char key[sizeof mirror.hash_prefix + ID_BYTES], number[24];
	const char *set[] = { "HSET", key, "body", body, "sequence", number };
	const char *gone[] = { "HDEL", key, "body", "sequence" };
	const char *mark[] = { "ZADD", mirror.changed_key, number, id };
	size_t lens[] = { 4, 0, 4, len, 8, 0 };

	lens[1] = (size_t)snprintf(key, sizeof key, "%s%s", mirror.hash_prefix, id);
	lens[5] = (size_t)snprintf(number, sizeof number, "%lld", (long long)seq);
	if (!(body ? redis_link_ask(mirror.link, mirror.question, 6, set, lens)
		   : redis_link_ask(mirror.link, mirror.question, 4, gone, NULL)))
		return false;
	mirror.unanswered++;
	if (!redis_link_ask(mirror.link, mirror.question, 4, mark, NULL))
		return false;
	mirror.unanswered++;
	return true;
}

void asset_mirror_pump(int64_t committed)
{
	size_t bytes = 0;

	if (mirror.asking || mirror.unanswered || committed <= asset_mirror_done() || !redis_link_is_ready(mirror.link))
		return;
	if (mirror.refused && uv_now(mirror.link->loop) < mirror.retry_at_ms)
		return;
	mirror.refused = false;
	sqlite3_bind_int64(mirror.next, 1, mirror.done_seq);
	sqlite3_bind_text(mirror.next, 2, mirror.done_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(mirror.next, 3, committed);
	sqlite3_bind_int(mirror.next, 4, BATCH_ROWS);
	while (bytes < BATCH_BYTES && sqlite3_step(mirror.next) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(mirror.next, 0);
		const char *body = (const char *)sqlite3_column_text(mirror.next, 1);
		size_t len = (size_t)sqlite3_column_bytes(mirror.next, 1);

		if (!id || strlen(id) >= ID_BYTES || !send_state(id, body, len, sqlite3_column_int64(mirror.next, 2)))
			break;
		snprintf(mirror.sent_id, sizeof mirror.sent_id, "%s", id);
		mirror.sent_seq = sqlite3_column_int64(mirror.next, 2);
		bytes += len;
	}
	sqlite3_reset(mirror.next);
	if (bytes == 0 && mirror.unanswered == 0)
		asset_mirror_from(committed);
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

static void read_last_change(const redisReply *reply)
{
	int64_t last = 0;

	mirror.asking = false;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[1]->type == REDIS_REPLY_STRING)
		last = (int64_t)strtod(reply->element[1]->str, NULL);
	/* One less: several states may share that number. */
	if (last <= asset_mirror_done())
		asset_mirror_from(last > 0 ? last - 1 : 0);
}

void asset_mirror_answer(const redisReply *reply, int64_t committed)
{
	if (mirror.asking) {
		read_last_change(reply);
		if (reply->type == REDIS_REPLY_ERROR)
			note_refusal(reply);
		else
			asset_mirror_pump(committed);
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
	if (!mirror.moved) {
		mirror.done_seq = mirror.sent_seq;
		strcpy(mirror.done_id, mirror.sent_id);
	}
	mirror.moved = false;
	asset_mirror_pump(committed);
}
