/* XINFO GROUPS, XPENDING of each, then XTRIM MINID below the slowest. */
#include "sensor/hub/stream_trim.h"

#include "sensor/common/log.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/sensor_document.h"
#include "sensor/hub/store.h"
#include "sensor/hub/stream_end.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 60000,
	MARK_MS = 600000, MARKS_AN_HOUR = 6,
	TRIM_ENTRIES = 100000, /* most that are removed at once */
	BEHIND_DEFAULT = 1000000,
	NAME_BYTES = 128, ID_BYTES = 48,
	ASK_GROUPS = 0, ASK_TRIM = 1, ASK_PENDING = 2,
};

struct group {
	char name[NAME_BYTES];
	uint64_t epoch, seq; /* below this everything is delivered and acknowledged */
	uint64_t pending;
	int64_t behind;
	bool alarmed, seen;
};

static struct {
	struct store *store;
	struct redis_link *link;
	const struct hub_config *config;
	const char *stream;
	int question;
	sqlite3_stmt *mark, *old, *forget;
	struct group groups[STREAM_TRIM_GROUPS];
	size_t count;
	unsigned due;          /* answers */
	bool more;             /* groups than we look at: nothing is removed then */
	uint64_t looked_ms, marked_ms, removed, epoch;
	int64_t base, acked;
	char told[160];
	struct json line;
} t;

void stream_trim_start(struct store *s, struct redis_link *l, const struct hub_config *config, const char *stream, int question)
{
	memset(&t, 0, sizeof t);
	t.store = s;
	t.link = l;
	t.config = config;
	t.stream = stream;
	t.question = question;
	t.mark = store_prepare(s, "INSERT INTO trim_mark(epoch,seq) VALUES(?1,?2)");
	t.old = store_prepare(s, "SELECT epoch,seq FROM trim_mark ORDER BY number DESC LIMIT 1 OFFSET ?1");
	t.forget = store_prepare(s, "DELETE FROM trim_mark WHERE number<=(SELECT max(number) FROM trim_mark)-?1");
}

void stream_trim_stop(void)
{
	sqlite3_finalize(t.mark);
	sqlite3_finalize(t.old);
	sqlite3_finalize(t.forget);
	t.mark = t.old = t.forget = NULL;
	json_free(&t.line);
}

void stream_trim_again(void)
{
	t.due = 0;
}

static uint32_t marks_kept(void)
{
	return t.config->stream_hours * MARKS_AN_HOUR;
}

static void set_mark(void)
{
	if (marks_kept() == 0 || (t.marked_ms && t.looked_ms - t.marked_ms < (t.config->slow_ms ? t.config->slow_ms : MARK_MS)))
		return;
	t.marked_ms = t.looked_ms;
	sqlite3_bind_int64(t.mark, 1, (int64_t)t.epoch);
	sqlite3_bind_int64(t.mark, 2, t.acked);
	sqlite3_bind_int64(t.forget, 1, marks_kept() + 1);
	if (store_run(t.store, t.mark) == 0)
		store_run(t.store, t.forget);
}

bool stream_trim_tick(uint64_t epoch, int64_t base, int64_t acked)
{
	const char *argv[] = { "XINFO", "GROUPS", t.stream };
	uint64_t now = uv_now(t.link->loop), every = t.config->slow_ms ? t.config->slow_ms : LOOK_MS;

	if (t.due || (t.looked_ms && now - t.looked_ms < every))
		return false;
	t.looked_ms = now;
	t.epoch = epoch;
	t.base = base;
	t.acked = acked;
	set_mark();
	if (redis_link_ask(t.link, t.question + ASK_GROUPS, 3, argv, NULL))
		t.due = 1;
	return true;
}

/* Told once, until the words change. */
static void tell_refusal(const char *what, const char *error)
{
	char words[sizeof t.told];

	snprintf(words, sizeof words, "%s: %s", what, error);
	if (strcmp(words, t.told) != 0)
		log_warning("Redis: %s", words);
	memcpy(t.told, words, sizeof t.told);
}

static const redisReply *value_of(const redisReply *list, const char *name, int type)
{
	for (size_t i = 0; i + 1 < list->elements; i += 2)
		if (list->element[i]->type == REDIS_REPLY_STRING && strcmp(list->element[i]->str, name) == 0)
			return list->element[i + 1]->type == type ? list->element[i + 1] : NULL;
	return NULL;
}

static struct group *find_group(const char *name)
{
	for (size_t i = 0; i < t.count; i++)
		if (strcmp(t.groups[i].name, name) == 0)
			return &t.groups[i];
	if (t.count == STREAM_TRIM_GROUPS)
		return NULL;
	t.groups[t.count] = (struct group){ .seq = 0 };
	snprintf(t.groups[t.count].name, NAME_BYTES, "%s", name);
	return &t.groups[t.count++];
}

static void read_group(const redisReply *r)
{
	const redisReply *name = r->type == REDIS_REPLY_ARRAY ? value_of(r, "name", REDIS_REPLY_STRING) : NULL;
	const redisReply *last = name ? value_of(r, "last-delivered-id", REDIS_REPLY_STRING) : NULL;
	const redisReply *pending = name ? value_of(r, "pending", REDIS_REPLY_INTEGER) : NULL;
	struct group *g = last && pending && strlen(name->str) < NAME_BYTES ? find_group(name->str) : NULL;

	if (!g || !stream_id_read(last->str, &g->epoch, &g->seq)) {
		t.more = true;
		return;
	}
	g->seen = true;
	g->pending = (uint64_t)pending->integer;
	/* Numbers count events, so what it was not given need not be counted by Redis. */
	g->behind = t.acked - (g->epoch == t.epoch ? (int64_t)g->seq : t.base) + pending->integer;
	if (g->behind < 0)
		g->behind = 0;
}

/* Groups that were deleted leave; the others keep their alarm. */
static void drop_unseen(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < t.count; i++)
		if (t.groups[i].seen)
			t.groups[kept++] = t.groups[i];
	t.count = kept;
}

static void read_groups(const redisReply *r)
{
	t.more = false;
	for (size_t i = 0; i < t.count; i++)
		t.groups[i].seen = false;
	for (size_t i = 0; i < r->elements; i++)
		read_group(r->element[i]);
	drop_unseen();
	for (size_t i = 0; i < t.count; i++) {
		const char *argv[] = { "XPENDING", t.stream, t.groups[i].name };

		if (t.groups[i].pending && redis_link_ask(t.link, t.question + ASK_PENDING + (int)i, 3, argv, NULL))
			t.due++;
	}
}

/* [count, lowest ID, highest ID, consumers]: the lowest is not acknowledged, and may be needed again. */
static void read_pending(struct group *g, const redisReply *r)
{
	uint64_t epoch, seq;

	if (r->type != REDIS_REPLY_ARRAY || r->elements < 2 || r->element[1]->type != REDIS_REPLY_STRING ||
	    !stream_id_read(r->element[1]->str, &epoch, &seq)) {
		/* All were acknowledged meanwhile, or we may not ask: nothing is removed this time. */
		if (r->type == REDIS_REPLY_ERROR)
			tell_refusal("what a group has not acknowledged is not known", r->str);
		t.more = true;
		return;
	}
	if (epoch < g->epoch || (epoch == g->epoch && seq < g->seq)) {
		g->epoch = epoch;
		g->seq = seq;
	}
}

/* Whoever made the group named it as he liked. */
static void put_name(struct json *j, const struct group *g)
{
	char name[NAME_BYTES];
	size_t n = 0;

	for (; g->name[n]; n++)
		name[n] = g->name[n] >= ' ' && g->name[n] <= '~' ? g->name[n] : '?';
	name[n] = 0;
	json_text(j, "group", name);
}

static const struct event_words behind = EVENT_WORDS("alert", "host", "info", "consumer-behind", "askance.delivery");
static const struct event_words caught_up = EVENT_WORDS("event", "host", "info", "consumer-caught-up", "askance.delivery");

static bool append_alarm(const struct group *g, const struct event_words *words, int64_t limit)
{
	struct json *j = &t.line;

	if (store_begin(t.store) < 0)
		return false;
	sensor_document_open(j, t.config, words, outbox_epoch(t.store), outbox_next(t.store));
	json_open(j, "delivery", '{');
	put_name(j, g);
	json_number(j, "behind", g->behind);
	json_number(j, "limit", limit);
	json_close(j, '}');
	sensor_document_close(j);
	if (outbox_append(t.store, OUTBOX_DELIVERY, NULL, j->text, j->len) < 0) {
		store_rollback(t.store);
		return false;
	}
	return store_commit(t.store) == 0;
}

static bool tell_groups(void)
{
	int64_t limit = t.config->stream_behind ? t.config->stream_behind : BEHIND_DEFAULT;
	bool appended = false;

	for (size_t i = 0; i < t.count; i++) {
		struct group *g = &t.groups[i];

		if (!g->alarmed && g->behind > limit && append_alarm(g, &behind, limit)) {
			log_warning("Redis: the consumer group %s of %s is %" PRId64 " events behind; what it lacks is not removed, and fills Redis's memory",
				    g->name, t.stream, g->behind);
			g->alarmed = appended = true;
		} else if (g->alarmed && g->behind <= limit / 2 && append_alarm(g, &caught_up, limit)) {
			g->alarmed = false;
			appended = true;
		}
	}
	return appended;
}

static bool is_below(uint64_t epoch, uint64_t seq, uint64_t than_epoch, uint64_t than_seq)
{
	return epoch < than_epoch || (epoch == than_epoch && seq < than_seq);
}

static void remove_old(void)
{
	char id[ID_BYTES], limit[16];
	const char *argv[] = { "XTRIM", t.stream, "MINID", "~", id, "LIMIT", limit };
	uint64_t epoch, seq;

	if (marks_kept() == 0 || t.more)
		return;
	sqlite3_bind_int64(t.old, 1, marks_kept());
	if (sqlite3_step(t.old) != SQLITE_ROW) {
		sqlite3_reset(t.old);
		return;
	}
	epoch = (uint64_t)sqlite3_column_int64(t.old, 0);
	seq = (uint64_t)sqlite3_column_int64(t.old, 1);
	sqlite3_reset(t.old);
	for (size_t i = 0; i < t.count; i++)
		if (is_below(t.groups[i].epoch, t.groups[i].seq, epoch, seq)) {
			epoch = t.groups[i].epoch;
			seq = t.groups[i].seq;
		}
	snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, epoch, seq);
	snprintf(limit, sizeof limit, "%d", TRIM_ENTRIES);
	if (redis_link_ask(t.link, t.question + ASK_TRIM, 7, argv, NULL))
		t.due++;
}

static void read_trim(const redisReply *r)
{
	if (r->type == REDIS_REPLY_INTEGER)
		t.removed += (uint64_t)r->integer;
	else if (r->type == REDIS_REPLY_ERROR)
		tell_refusal("the stream is not trimmed", r->str);
}

bool stream_trim_answer(int question, const redisReply *r)
{
	bool appended = false;

	if (t.due == 0)
		return false;
	t.due--;
	if (question == ASK_TRIM) {
		read_trim(r);
		return false;
	}
	if (question >= ASK_PENDING && (size_t)(question - ASK_PENDING) < t.count) {
		read_pending(&t.groups[question - ASK_PENDING], r);
	} else if (r->type == REDIS_REPLY_ARRAY) {
		read_groups(r);
	} else {
		if (r->type == REDIS_REPLY_ERROR && strncmp(r->str, "ERR no such key", 15) != 0)
			tell_refusal("who reads the stream is not known", r->str);
		return false;
	}
	if (t.due == 0) {
		appended = tell_groups();
		remove_old();
	}
	return appended;
}

uint64_t stream_trim_removed(void)
{
	return t.removed;
}

void stream_trim_health(struct json *j)
{
	if (t.count == 0)
		return;
	json_open(j, "consumers", '[');
	for (size_t i = 0; i < t.count; i++) {
		json_open(j, NULL, '{');
		put_name(j, &t.groups[i]);
		json_number(j, "behind", t.groups[i].behind);
		json_number(j, "pending", (int64_t)t.groups[i].pending);
		json_close(j, '}');
	}
	json_close(j, ']');
}
