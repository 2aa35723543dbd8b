/*
 * The questions that keep a page up to date. Four kinds are under way at once:
 *
 *   the end of the stream, once for a connection; then what came after it, again and again
 *   what came before it, batch by batch, until the journal is full or the stream begins
 *   the sorted set of changed assets: now and then all of it, else what is behind the last number
 *   the documents of those assets that we have in another version
 */
#include "sensor/console/sensor.h"

#include "sensor/common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 250,
	WHOLE_MS = 30000,
	NEWER_ENTRIES = 500,
	OLDER_ENTRIES = 250,  /* a batch must not hold up the answers to pages */
	OLDER_MOST = 50000,
	DOCUMENTS = 64,       /* asked for at once */
	ID_BYTES = 48,
};

enum question { ASK_END, ASK_NEWER, ASK_OLDER, ASK_CHANGED, ASK_DOCUMENT, ASK_WRITABLE, ASK_OTHERS };

static void tell(struct sensor *s)
{
	s->told = sensor_state(s);
	s->news(s);
}

static void ask(struct sensor *s, enum question q, int argc, const char **argv)
{
	redis_link_ask(&s->link, (int)q, argc, argv, NULL);
}

static void ask_end(struct sensor *s)
{
	const char *argv[] = { "XREVRANGE", s->events_key, "+", "-", "COUNT", "1" };

	ask(s, ASK_END, 6, argv);
}

static void ask_newer(struct sensor *s)
{
	char id[ID_BYTES], count[16];
	const char *argv[] = { "XREAD", "COUNT", count, "STREAMS", s->events_key, id };

	snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, s->newest.ms, s->newest.seq);
	snprintf(count, sizeof count, "%d", NEWER_ENTRIES);
	s->asked_newer = true;
	ask(s, ASK_NEWER, 6, argv);
}

static void ask_older(struct sensor *s)
{
	char id[ID_BYTES], count[16];
	const char *argv[] = { "XREVRANGE", s->events_key, id, "-", "COUNT", count };

	snprintf(id, sizeof id, "(%" PRIu64 "-%" PRIu64, s->oldest.ms, s->oldest.seq);
	snprintf(count, sizeof count, "%d", OLDER_ENTRIES);
	ask(s, ASK_OLDER, 6, argv);
}

/* XADD refuses the ID 0-0 to whoever may append, and another error to who may not: nothing is ever added. */
static void ask_writable(struct sensor *s)
{
	const char *argv[] = { "XADD", s->commands_key, "0-0", "body", "" };

	ask(s, ASK_WRITABLE, 5, argv);
}

static void ask_changed(struct sensor *s)
{
	uint64_t now = uv_now(s->link.loop);
	char least[32];
	const char *argv[] = { "ZRANGEBYSCORE", s->changed_key, least, "+inf", "WITHSCORES" };

	s->whole = now >= s->next_whole_ms;
	if (s->whole)
		s->next_whole_ms = now + WHOLE_MS;
	snprintf(least, sizeof least, "%" PRId64, s->whole ? INT64_C(0) : s->sequence);
	s->asked_changed = true;
	ask(s, ASK_CHANGED, 5, argv);
}

static bool want(struct sensor *s, const char *id, int64_t sequence)
{
	if (s->wanted_count == s->wanted_room) {
		size_t room = s->wanted_room * 2 + 256;
		struct wanted_asset *grown = realloc(s->wanted, room * sizeof *grown);

		if (!grown)
			return false;
		s->wanted = grown;
		s->wanted_room = room;
	}
	snprintf(s->wanted[s->wanted_count].id, sizeof s->wanted[0].id, "%s", id);
	s->wanted[s->wanted_count++].sequence = sequence;
	return true;
}

static void ask_documents(struct sensor *s)
{
	while (s->wanted_sent < s->wanted_count && s->wanted_sent - s->wanted_done < DOCUMENTS) {
		char key[SENSOR_KEY_BYTES + ASSET_KEY_BYTES];
		const char *argv[] = { "HGET", key, "body" };

		snprintf(key, sizeof key, "askance:{%s}:asset:%s", s->name, s->wanted[s->wanted_sent].id);
		s->wanted_sent++;
		ask(s, ASK_DOCUMENT, 3, argv);
	}
}

/* All that was wanted is there. */
static void end_documents(struct sensor *s)
{
	s->wanted_count = s->wanted_sent = s->wanted_done = 0;
	s->asked_changed = false;
	if (s->whole) {
		assets_pass_end(&s->assets);
		s->loading = false;
	}
	tell(s);
}

static void read_changed(struct sensor *s, const redisReply *r)
{
	bool more = false;

	if (s->whole)
		assets_pass_start(&s->assets);
	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i + 1 < r->elements; i += 2) {
		const char *id = r->element[i]->str;
		int64_t sequence = r->element[i + 1]->str ? (int64_t)strtod(r->element[i + 1]->str, NULL) : 0;

		if (!id || !asset_id_valid(id))
			continue;
		assets_pass_mark(&s->assets, id);
		if (sequence > s->sequence || s->whole)
			s->sequence = sequence;
		if (assets_wants(&s->assets, id, sequence))
			more |= want(s, id, sequence);
	}
	if (more)
		ask_documents(s);
	else if (s->whole)
		end_documents(s);
	else
		s->asked_changed = false;
}

static void read_document(struct sensor *s, const redisReply *r)
{
	const struct wanted_asset *w = &s->wanted[s->wanted_done++];

	if (r->type == REDIS_REPLY_STRING)
		assets_put(&s->assets, w->id, w->sequence, r->str, (size_t)r->len);
	else if (r->type == REDIS_REPLY_NIL)
		assets_remove(&s->assets, w->id);
	if (s->wanted_done == s->wanted_count)
		end_documents(s);
	else
		ask_documents(s);
}

/* The body of an entry [ID, [field, value, ...]]; NULL when it has none. *id stays as it is when it can't be read. */
static const redisReply *body_of(const redisReply *entry, struct event_id *id)
{
	const redisReply *fields = entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 ? entry->element[1] : NULL;

	if (!fields || !entry->element[0]->str || !event_id_read(id, entry->element[0]->str) || fields->type != REDIS_REPLY_ARRAY)
		return NULL;
	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (fields->element[i]->str && strcmp(fields->element[i]->str, "body") == 0 && fields->element[i + 1]->type == REDIS_REPLY_STRING)
			return fields->element[i + 1];
	return NULL;
}

/* A stream that ends before what we know has begun anew. */
static void read_end(struct sensor *s, const redisReply *r)
{
	struct event_id end = { 0, 0 };
	const redisReply *body = r->elements == 1 ? body_of(r->element[0], &end) : NULL;

	if (!s->following || event_id_order(&end, &s->newest) < 0) {
		journal_clear(&s->journal);
		s->newest = s->oldest = end;
		s->filled = r->elements == 0;
		s->looked = 0;
		if (body)
			journal_add(&s->journal, &end, body->str, (size_t)body->len);
	}
	s->following = true;
	if (!s->filled)
		ask_older(s);
	tell(s);
}

static void read_newer(struct sensor *s, const redisReply *r)
{
	const redisReply *entries = r->type == REDIS_REPLY_ARRAY && r->elements == 1 && r->element[0]->elements == 2 ? r->element[0]->element[1] : NULL;

	s->asked_newer = false;
	if (!entries || entries->elements == 0)
		return;
	for (size_t i = 0; i < entries->elements; i++) {
		const redisReply *body = body_of(entries->element[i], &s->newest);

		if (body)
			journal_add(&s->journal, &s->newest, body->str, (size_t)body->len);
	}
	if (entries->elements == NEWER_ENTRIES)
		ask_newer(s);
	tell(s);
}

static void read_older(struct sensor *s, const redisReply *r)
{
	bool room = true;

	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
		const redisReply *body = body_of(r->element[i], &s->oldest);

		s->looked++;
		if (body)
			room = journal_add_before(&s->journal, &s->oldest, body->str, (size_t)body->len);
	}
	s->filled = !room || r->elements < OLDER_ENTRIES || s->looked >= OLDER_MOST;
	if (s->filled)
		tell(s);
	else
		ask_older(s);
}

static void read_writable(struct sensor *s, const redisReply *r)
{
	s->writable = r->type == REDIS_REPLY_ERROR && redis_state_of_error(r->str) == REDIS_REFUSED;
	tell(s);
}

static void answer_other(struct sensor *s, size_t slot, const redisReply *r)
{
	sensor_answer *answer = slot < SENSOR_ASKS ? s->asks[slot].answer : NULL;

	if (!answer)
		return;
	s->asks[slot].answer = NULL;
	answer(s->asks[slot].who, r);
}

/* What is refused here is refused to everybody: a wrong login, a replica, a key of another type, a cluster that moved it. */
static bool is_refused(struct sensor *s, int question, const redisReply *r)
{
	if (r->type != REDIS_REPLY_ERROR || question == ASK_WRITABLE)
		return false;
	if (question < ASK_OTHERS || strncmp(r->str, "MOVED ", 6) == 0)
		redis_link_fail(&s->link, r->str);
	return question < ASK_OTHERS;
}

static void on_answer(struct redis_link *l, int question, const redisReply *r)
{
	struct sensor *s = l->owner;

	if (is_refused(s, question, r))
		return;
	if (question != ASK_WRITABLE)
		redis_link_works(l);
	if (s->told != sensor_state(s))
		tell(s);
	switch ((enum question)question) {
	case ASK_END:
		read_end(s, r);
		break;
	case ASK_NEWER:
		read_newer(s, r);
		break;
	case ASK_OLDER:
		read_older(s, r);
		break;
	case ASK_CHANGED:
		read_changed(s, r);
		break;
	case ASK_DOCUMENT:
		read_document(s, r);
		break;
	case ASK_WRITABLE:
		read_writable(s, r);
		break;
	case ASK_OTHERS:
	default:
		answer_other(s, (size_t)(question - ASK_OTHERS), r);
	}
}

static void on_ready(struct redis_link *l)
{
	struct sensor *s = l->owner;

	s->next_whole_ms = 0;
	ask_end(s);
	ask_writable(s);
}

static void on_down(struct redis_link *l)
{
	struct sensor *s = l->owner;

	s->asked_newer = s->asked_changed = false;
	s->wanted_count = s->wanted_sent = s->wanted_done = 0;
	for (size_t i = 0; i < SENSOR_ASKS; i++)
		answer_other(s, i, NULL);
	tell(s);
}

/* There is always a question every quarter of a second. */
static void on_idle(struct redis_link *l)
{
	(void)l;
}

static void on_timer(uv_timer_t *timer)
{
	struct sensor *s = timer->data;

	if (!redis_link_is_ready(&s->link) || !s->following)
		return;
	if (!s->asked_newer)
		ask_newer(s);
	if (!s->asked_changed)
		ask_changed(s);
}

int sensor_start(struct sensor *s, const char *name)
{
	snprintf(s->name, sizeof s->name, "%s", name);
	snprintf(s->client_name, sizeof s->client_name, "askance-console:%s", name);
	snprintf(s->events_key, sizeof s->events_key, "askance:{%s}:ev", name);
	snprintf(s->changed_key, sizeof s->changed_key, "askance:{%s}:changed", name);
	snprintf(s->commands_key, sizeof s->commands_key, "askance:{%s}:cmd", name);
	snprintf(s->proposals_key, sizeof s->proposals_key, "askance:{%s}:proposals", name);
	assets_open(&s->assets);
	s->loading = true;
	s->link.client_name = s->client_name;
	s->link.meanwhile = "pages show what was known";
	s->link.owner = s;
	s->link.ready = on_ready;
	s->link.down = on_down;
	s->link.idle = on_idle;
	s->link.answer = on_answer;
	s->timer.data = s;
	if (!journal_open(&s->journal) || uv_timer_init(s->link.loop, &s->timer) != 0 ||
	    uv_timer_start(&s->timer, on_timer, LOOK_MS, LOOK_MS) != 0 || redis_link_start(&s->link) != 0) {
		log_error("there is no memory for the sensor %s", name);
		return -1;
	}
	return 0;
}

void sensor_stop(struct sensor *s)
{
	for (size_t i = 0; i < SENSOR_ASKS; i++)
		answer_other(s, i, NULL);
	uv_close((uv_handle_t *)&s->timer, NULL);
	redis_link_stop(&s->link, NULL);
	journal_clear(&s->journal);
	assets_clear(&s->assets);
	free(s->wanted);
}

enum redis_state sensor_state(const struct sensor *s)
{
	return s->link.state;
}

bool sensor_ask(struct sensor *s, sensor_answer *answer, void *who, int argc, const char **argv, const size_t *lens)
{
	for (size_t i = 0; i < SENSOR_ASKS; i++) {
		if (s->asks[i].answer)
			continue;
		if (!redis_link_ask(&s->link, ASK_OTHERS + (int)i, argc, argv, lens))
			return false;
		s->asks[i].answer = answer;
		s->asks[i].who = who;
		return true;
	}
	return false;
}
