/*
 * Copies the documents of proposals that changed into Redis. With each new connection all of them go
 * again: they are few, and what Redis forgot meanwhile is nobody's to know.
 */
#include "sensor/hub/proposal_mirror.h"

#include "sensor/common/log.h"
#include "sensor/hub/publisher.h"
#include "sensor/hub/store.h"
#include "sensor/redis/redis_link.h"

#include <stdio.h>
#include <string.h>

enum { BATCH_ROWS = 64, KEY_BYTES = 128, RETRY_MS = 60000 };

static struct {
	struct store *store;
	struct redis_link *link; /* NULL while there is no connection */
	int question;
	char key[KEY_BYTES];
	sqlite3_stmt *next;
	int64_t done, sent;      /* versions */
	unsigned unanswered;
	bool refused, told;
	uint64_t retry_at_ms;
} mirror;

static bool send_row(const char *id, const char *body, size_t len)
{
	const char *set[] = { "HSET", mirror.key, id, body }, *gone[] = { "HDEL", mirror.key, id };
	size_t lens[] = { 4, strlen(mirror.key), strlen(id), len };

	return body ? redis_link_ask(mirror.link, mirror.question, 4, set, lens)
		    : redis_link_ask(mirror.link, mirror.question, 3, gone, NULL);
}

static void pump(void)
{
	/* Within a transaction there may be states that a rollback takes back. */
	if (mirror.link && mirror.refused && uv_now(mirror.link->loop) >= mirror.retry_at_ms)
		mirror.refused = false;
	if (!mirror.link || mirror.unanswered || mirror.refused || !mirror.next || !redis_link_is_ready(mirror.link) ||
	    !store_is_settled(mirror.store))
		return;
	sqlite3_bind_int64(mirror.next, 1, mirror.done);
	sqlite3_bind_int(mirror.next, 2, BATCH_ROWS);
	while (sqlite3_step(mirror.next) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(mirror.next, 0);
		const char *body = (const char *)sqlite3_column_text(mirror.next, 1);

		if (!id || !send_row(id, body, (size_t)sqlite3_column_bytes(mirror.next, 1)))
			break;
		mirror.unanswered++;
		mirror.sent = sqlite3_column_int64(mirror.next, 2);
	}
	sqlite3_reset(mirror.next);
}

static void on_ready(struct redis_link *l, int question)
{
	mirror.link = l;
	mirror.question = question;
	mirror.done = 0;
	mirror.unanswered = 0;
	mirror.refused = false;
}

static void on_down(void)
{
	mirror.link = NULL;
}

static void on_answer(const redisReply *reply)
{
	if (mirror.unanswered == 0)
		return;
	mirror.unanswered--;
	if (reply->type == REDIS_REPLY_ERROR) {
		enum redis_state state = redis_state_of_error(reply->str);

		/* A refusal of this key alone must not hold up the stream; what ails the server ends the connection. */
		if (state != REDIS_NOPERM && state != REDIS_WRONGTYPE && state != REDIS_REFUSED) {
			redis_link_fail(mirror.link, reply->str);
			return;
		}
		if (!mirror.told)
			log_warning("Redis: proposals are not written: %s: %s", reply->str, redis_state_advice(state));
		mirror.refused = mirror.told = true;
		mirror.retry_at_ms = uv_now(mirror.link->loop) + RETRY_MS;
	}
	if (mirror.unanswered || mirror.refused)
		return;
	mirror.told = false;
	mirror.done = mirror.sent;
	pump();
}

static const struct publisher_client client = { on_ready, on_down, pump, on_answer };

void proposal_mirror_start(struct store *s, const char *sensor)
{
	memset(&mirror, 0, sizeof mirror);
	mirror.store = s;
	snprintf(mirror.key, sizeof mirror.key, "askance:{%s}:proposals", sensor);
	mirror.next = store_prepare(s, "SELECT id,body,version FROM proposal WHERE version>?1 ORDER BY version LIMIT ?2");
	publisher_join(&client);
}

void proposal_mirror_stop(void)
{
	sqlite3_finalize(mirror.next);
	mirror.next = NULL;
}
