/* Analysts' decisions in Redis. */
#include "sensor/fleet/decision.h"

#include "sensor/fleet/witness.h"
#include "sensor/redis/redis_ask.h"

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 8, FIELD_BYTES = 2 * DECISION_NAME_BYTES };

static const char *const actions[] = { "merge", "split", "undo" };

const char *decision_action_name(enum decision_action action)
{
	return actions[action];
}

static int action_of(const char *name)
{
	for (int i = 0; name && i < (int)(sizeof actions / sizeof *actions); i++)
		if (strcmp(name, actions[i]) == 0)
			return i;
	return -1;
}

/* SENSOR/a-0123456789abcdef */
static bool is_name(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t sensor = slash ? (size_t)(slash - text) : 0;

	return sensor > 0 && len < DECISION_NAME_BYTES && len - sensor == 19 && strncmp(slash, "/a-", 3) == 0 &&
	       strspn(slash + 3, "0123456789abcdef") >= 16 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == sensor;
}

int decision_name_pair(struct fleet_decision *d, const char *x, const char *y)
{
	int order = strcmp(x, y);

	if (order == 0 || !is_name(x, strlen(x)) || !is_name(y, strlen(y)))
		return -1;
	strcpy(d->a, order < 0 ? x : y);
	strcpy(d->b, order < 0 ? y : x);
	return 0;
}

static int fail(redisContext *redis, redisReply *reply, char *why, size_t room)
{
	snprintf(why, room, "%s", reply && reply->type == REDIS_REPLY_ERROR ? reply->str : redis->errstr[0] ? redis->errstr : "an answer of another kind");
	if (reply)
		freeReplyObject(reply);
	return -1;
}

static void stamp(struct fleet_decision *d)
{
	time_t now = time(NULL);
	struct tm t;

	strftime(d->when, sizeof d->when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &t));
}

/* The new one, with what it takes the place of. NULL when a text is no UTF-8. */
static char *write_value(const struct fleet_decision *d, const char *old)
{
	json_t *before = json_array(), *last = old ? json_loads(old, 0, NULL) : NULL, *value;
	char *text = NULL;

	if (json_is_object(last)) {
		json_t *earlier = json_object_get(last, "before"), *one;
		size_t i;

		json_incref(earlier);
		json_object_del(last, "before");
		json_array_append(before, last);
		json_array_foreach(earlier, i, one)
			if (i + 1 < DECISION_BEFORE)
				json_array_append(before, one);
		json_decref(earlier);
	}
	json_decref(last);
	value = json_pack("{s:s,s:s,s:s,s:s,s:o}", "action", actions[d->action], "who", d->who, "when", d->when, "why", d->why, "before", before);
	if (value)
		text = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	return text;
}

static int run(redisContext *redis, const char *word, char *why, size_t room)
{
	redisReply *reply = redis_ask(redis, word);

	if (!reply || reply->type == REDIS_REPLY_ERROR)
		return fail(redis, reply, why, room);
	freeReplyObject(reply);
	return 0;
}

/* 1: written; 0: another wrote at the same moment; -1. */
static int exchange(redisContext *redis, const struct fleet_decision *d, const char *field, char *why, size_t room)
{
	redisReply *reply;
	char *value;
	int result;

	if (run(redis, "WATCH " DECISION_KEY, why, room) < 0)
		return -1;
	reply = redis_ask(redis, "HGET " DECISION_KEY " %s", field);
	if (!reply || (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_NIL))
		return fail(redis, reply, why, room);
	value = write_value(d, reply->type == REDIS_REPLY_STRING ? reply->str : NULL);
	freeReplyObject(reply);
	if (!value) {
		snprintf(why, room, "name and reason must be UTF-8");
		return -1;
	}
	if (run(redis, "MULTI", why, room) < 0) {
		free(value);
		return -1;
	}
	reply = redis_ask(redis, "HSET " DECISION_KEY " %s %s", field, value);
	free(value);
	if (!reply || reply->type == REDIS_REPLY_ERROR)
		return fail(redis, reply, why, room);
	freeReplyObject(reply);
	reply = redis_ask(redis, "EXEC");
	if (!reply || (reply->type != REDIS_REPLY_ARRAY && reply->type != REDIS_REPLY_NIL))
		return fail(redis, reply, why, room);
	result = reply->type == REDIS_REPLY_ARRAY;
	freeReplyObject(reply);
	return result;
}

int decision_write(redisContext *redis, struct fleet_decision *d, char *why, size_t room)
{
	char field[FIELD_BYTES];

	snprintf(field, sizeof field, "%s %s", d->a, d->b);
	stamp(d);
	for (int i = 0; i < TRIES; i++) {
		int done = exchange(redis, d, field, why, room);

		if (done)
			return done > 0 ? 0 : -1;
	}
	snprintf(why, room, "others write this pair all the time");
	return -1;
}

static void copy(char *to, size_t room, const json_t *value, const char *key)
{
	witness_copy_text(to, room, json_string_value(json_object_get(value, key)));
}

/* False when the field is none of ours. */
static bool read_one(struct fleet_decision *d, const redisReply *field, const redisReply *body)
{
	json_t *value = body->type == REDIS_REPLY_STRING ? json_loadb(body->str, body->len, 0, NULL) : NULL;
	int action = action_of(json_string_value(json_object_get(value, "action")));
	const char *space = field->type == REDIS_REPLY_STRING ? strchr(field->str, ' ') : NULL;
	char x[FIELD_BYTES];
	bool ours = action >= 0 && space && field->len < sizeof x;

	if (ours) {
		strcpy(x, field->str);
		x[space - field->str] = 0;
		ours = decision_name_pair(d, x, x + (space - field->str) + 1) == 0;
	}
	if (ours) {
		d->action = (enum decision_action)action;
		copy(d->who, sizeof d->who, value, "who");
		copy(d->when, sizeof d->when, value, "when");
		copy(d->why, sizeof d->why, value, "why");
	}
	json_decref(value);
	return ours;
}

static int by_pair(const void *x, const void *y)
{
	const struct fleet_decision *a = x, *b = y;
	int order = strcmp(a->a, b->a);

	return order ? order : strcmp(a->b, b->b);
}

int decision_take(const redisReply *reply, struct fleet_decision **list, size_t *count)
{
	struct fleet_decision *found;
	size_t n = 0;

	if (reply->type != REDIS_REPLY_ARRAY)
		return -1;
	found = calloc(reply->elements / 2 + 1, sizeof *found);
	for (size_t i = 0; found && i + 1 < reply->elements && n < DECISIONS; i += 2)
		n += read_one(&found[n], reply->element[i], reply->element[i + 1]);
	if (!found)
		return -1;
	qsort(found, n, sizeof *found, by_pair);
	*list = found;
	*count = n;
	return 0;
}

int decision_read(redisContext *redis, struct fleet_decision **list, size_t *count, char *why, size_t room)
{
	redisReply *reply = redis_ask(redis, "HGETALL " DECISION_KEY);
	int result;

	if (!reply || reply->type != REDIS_REPLY_ARRAY)
		return fail(redis, reply, why, room);
	result = decision_take(reply, list, count);
	freeReplyObject(reply);
	if (result < 0)
		snprintf(why, room, "no memory");
	return result;
}
