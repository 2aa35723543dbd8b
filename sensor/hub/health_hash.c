/* Writes the health document into its hash. */
#include "sensor/hub/health_hash.h"

#include "sensor/common/log.h"
#include "sensor/hub/publisher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 128 };

static struct {
	struct redis_link *link;
	int question;
	char key[KEY_BYTES];
	char *body;
	size_t len;
	bool due, refused;
} h;

void health_hash_start(struct redis_link *l, const char *sensor, int question)
{
	memset(&h, 0, sizeof h);
	h.link = l;
	h.question = question;
	snprintf(h.key, sizeof h.key, "askance:{%s}:health", sensor);
}

void health_hash_stop(void)
{
	free(h.body);
	memset(&h, 0, sizeof h);
}

void health_hash_set(const char *body, size_t len)
{
	char *copy = h.link ? malloc(len) : NULL;

	if (!copy)
		return;
	memcpy(copy, body, len);
	free(h.body);
	h.body = copy;
	h.len = len;
	h.due = true;
}

void health_hash_again(void)
{
	h.due = true;
}

void health_hash_pump(void)
{
	char entries[24], lag[24];
	struct publisher_stats stats;
	const char *argv[] = { "HSET", h.key, "body", h.body, "redis_state", "streaming", "outbox_entries", entries, "lag_ms", lag };
	size_t lens[] = { 4, strlen(h.key), 4, h.len, 11, 9, 14, 0, 6, 0 };

	if (!h.due || !h.body)
		return;
	publisher_stats(&stats);
	lens[7] = (size_t)snprintf(entries, sizeof entries, "%llu", (unsigned long long)stats.outbox_entries);
	lens[9] = (size_t)snprintf(lag, sizeof lag, "%llu", (unsigned long long)stats.lag_ms);
	if (redis_link_ask(h.link, h.question, 10, argv, lens))
		h.due = false;
}

void health_hash_answer(const redisReply *reply)
{
	bool refused = reply->type == REDIS_REPLY_ERROR;

	if (refused && !h.refused)
		log_warning("Redis: the health hash is not written: %s", reply->str);
	h.refused = refused;
}
