/*
 * Reads from Redis what is new: sensors by SCAN, assets by the scores of askance:{S}:changed, a page at a
 * time, so that neither side holds more than a page.
 */
#include "sensor/fleet/parts.h"
#include "sensor/fleet/reply.h"
#include "sensor/redis/redis_ask.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 256, SCAN_COUNT = 2000, KEY_BYTES = FLEET_NAME_BYTES + 64 };
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define BEFORE "askance:{"
#define BEHIND "}:health"

struct reading {
	struct fleet *f;
	redisContext *const *masters;
	unsigned count;
	char *why;
	size_t room;
};

/* A key of one sensor that holds something else must not hide the others: it is noted with its sensor. */
static bool is_of_one(struct member *m, const redisReply *reply)
{
	if (!m || !reply || reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "WRONGTYPE", 9) != 0)
		return false;
	snprintf(m->sensor.trouble, sizeof m->sensor.trouble, "a key of it holds something else");
	return true;
}

/* -1 with the cause, or 0 when it concerns this one sensor. Frees the reply. */
static int fail(struct reading *r, struct member *m, redisContext *redis, redisReply *reply, const char *what)
{
	if (is_of_one(m, reply)) {
		freeReplyObject(reply);
		return 0;
	}
	snprintf(r->why, r->room, "%s: %s", what, reply && reply->type == REDIS_REPLY_ERROR ? reply->str
		 : redis->errstr[0] ? redis->errstr : "an answer of another kind");
	if (reply)
		freeReplyObject(reply);
	return -1;
}

static void note_sensor(struct fleet *f, const redisReply *key, unsigned server)
{
	size_t first = sizeof BEFORE - 1, last = sizeof BEHIND - 1;
	struct member *m;

	if (key->type != REDIS_REPLY_STRING || key->len <= first + last)
		return;
	if (strspn(key->str + first, NAME_CHARACTERS) != key->len - first - last)
		return;
	m = fleet_member(f, key->str + first, key->len - first - last, true);
	if (!m)
		return;
	m->server = server;
	m->found = true;
}

static int find_at(struct reading *r, unsigned server)
{
	redisContext *redis = r->masters[server];
	char cursor[32] = "0";

	do {
		redisReply *reply = redis_ask(redis, "SCAN %s MATCH " BEFORE "*" BEHIND " COUNT %d", cursor, SCAN_COUNT);

		if (!reply_text(reply_part(reply, 0)) || reply->elements != 2 || reply->element[1]->type != REDIS_REPLY_ARRAY)
			return fail(r, NULL, redis, reply, "looking for sensors");
		for (size_t i = 0; i < reply->element[1]->elements; i++)
			note_sensor(r->f, reply->element[1]->element[i], server);
		snprintf(cursor, sizeof cursor, "%s", reply->element[0]->str);
		freeReplyObject(reply);
	} while (strcmp(cursor, "0") != 0);
	return 0;
}

static int find_sensors(struct reading *r)
{
	struct fleet *f = r->f;

	for (size_t i = 0; i < f->members; i++)
		f->member[i]->found = false;
	for (unsigned s = 0; s < r->count; s++)
		if (find_at(r, s) < 0)
			return -1;
	for (size_t i = f->members; i-- > 0;)
		if (!f->member[i]->found)
			fleet_drop_member(f, i);
	return 0;
}

/* Pipelined: the questions for all sensors of a server, then the answers. */
static int read_health(struct reading *r, unsigned server)
{
	redisContext *redis = r->masters[server];
	int result = 0;

	for (size_t i = 0; i < r->f->members; i++)
		if (r->f->member[i]->server == server)
			redisAppendCommand(redis, "HGET askance:{%s}:health body", r->f->member[i]->sensor.name);
	for (size_t i = 0; i < r->f->members; i++) {
		struct member *m = r->f->member[i];
		redisReply *reply;
		bool anew = false;

		if (m->server != server)
			continue;
		reply = redis_await(redis);
		if (!reply || reply->type == REDIS_REPLY_ERROR) {
			result |= fail(r, m, redis, reply, m->sensor.name);
			if (redis->err)
				return -1;
			continue;
		}
		m->sensor.trouble[0] = 0;
		if (reply->type != REDIS_REPLY_STRING || !fleet_read_health(m, reply->str, reply->len, &anew))
			snprintf(m->sensor.trouble, sizeof m->sensor.trouble, "its health is no document of a sensor");
		freeReplyObject(reply);
		if (anew)
			fleet_forget(r->f, m);
	}
	return result;
}

static void take_document(struct reading *r, struct member *m, const char *id, const redisReply *reply)
{
	struct witness *w;

	if (reply->type != REDIS_REPLY_STRING) {
		fleet_drop(r->f, m, id);
		return;
	}
	r->f->bytes += reply->len;
	w = witness_read(reply->str, reply->len);
	if (w && strcmp(w->id, id) == 0) {
		fleet_keep(r->f, m, w);
		return;
	}
	free(w);
	r->f->unreadable++;
}

static bool is_list_of_texts(const redisReply *r)
{
	bool is = r && r->type == REDIS_REPLY_ARRAY;

	for (size_t i = 0; is && i < r->elements; i++)
		is = reply_text(r->element[i]) != NULL;
	return is;
}

/* The documents of one page; `page` holds id, score, id, score ... */
static int read_documents(struct reading *r, struct member *m, const redisReply *page)
{
	redisContext *redis = r->masters[m->server];
	int result = 0;

	for (size_t i = 0; i + 1 < page->elements; i += 2)
		redisAppendCommand(redis, "HGET askance:{%s}:asset:%b body", m->sensor.name, page->element[i]->str, (size_t)page->element[i]->len);
	for (size_t i = 0; i + 1 < page->elements; i += 2) {
		redisReply *reply = redis_await(redis);

		if (!reply || reply->type == REDIS_REPLY_ERROR) {
			result |= fail(r, m, redis, reply, m->sensor.name);
			if (redis->err)
				return -1;
			continue;
		}
		take_document(r, m, page->element[i]->str, reply);
		freeReplyObject(reply);
	}
	return result;
}

/*
 * From the last score on, which is read again: several states may bear one number, and the last reading may
 * have seen the first of them alone. `skip` passes over those that this reading had. Where nothing bears
 * that score or a higher one, the keys were lost and are written anew.
 */
static int read_changes(struct reading *r, struct member *m)
{
	redisContext *redis = r->masters[m->server];
	size_t skip = 0, got;

	do {
		redisReply *page = redis_ask(redis, "ZRANGEBYSCORE askance:{%s}:changed %.17g +inf WITHSCORES LIMIT %llu %d", m->sensor.name,
						m->read_to, (unsigned long long)skip, PAGE);
		bool lost;

		if (!is_list_of_texts(page))
			return fail(r, m, redis, page, m->sensor.name);
		got = page->elements / 2;
		lost = got == 0 && skip == 0 && m->read_to > 0;
		if (lost)
			fleet_forget(r->f, m);
		if (read_documents(r, m, page) < 0) {
			freeReplyObject(page);
			return -1;
		}
		for (size_t i = 0; i < got; i++) {
			double score = strtod(page->element[2 * i + 1]->str, NULL);

			skip = score > m->read_to ? 1 : skip + 1;
			m->read_to = score;
		}
		freeReplyObject(page);
		if (lost)
			return read_changes(r, m);
	} while (got == PAGE);
	return 0;
}

int fleet_read_decisions(struct fleet *f, redisContext *const *masters, unsigned count, char *why, size_t room)
{
	struct fleet_decision *list;
	size_t found;

	for (unsigned s = 0; s < count; s++) {
		if (decision_read(masters[s], &list, &found, why, room) == 0) {
			free(f->decision);
			f->decision = list;
			f->decisions = found;
			why[0] = 0;
			return 0;
		}
		if (strncmp(why, "MOVED ", 6) != 0)
			break;
	}
	return -1;
}

int fleet_read(struct fleet *f, redisContext *const *masters, unsigned count, bool find, char *why, size_t room)
{
	struct reading r = { f, masters, count, why, room };
	int result = 0;

	matching_clear(&f->matching);
	f->round++;
	f->changes = 0;
	if (find && find_sensors(&r) < 0)
		return -1;
	if (fleet_read_decisions(f, masters, count, why, room) < 0)
		return -1;
	for (unsigned s = 0; s < count; s++)
		if (read_health(&r, s) < 0)
			return -1;
	for (size_t i = 0; i < f->members && result == 0; i++)
		result = read_changes(&r, f->member[i]);
	return result;
}
