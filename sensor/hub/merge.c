/* Runs of entries that give way become one; what devices are by then is told later. */
#include "sensor/hub/merge.h"

#include "sensor/hub/outbox.h"
#include "sensor/hub/sensor_document.h"
#include "sensor/hub/store.h"

#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_ROWS = 2048,
	WORTH_BYTES = 1024, /* what a run must hold to be worth the event in its place */
	REPAY_ROWS = 256,
	NUMBER_BYTES = 256, /* of "sequence":...,"id":"...", at most */
};

static const char merged_key[] = "outbox_merged";

/* Entries that stand side by side and may give way. */
struct run {
	int64_t first, last; /* rows */
	int64_t from;        /* the number of the first event, of a run that was merged before too */
	int64_t at_ns;
	uint64_t rows, bytes, events;
};

void merge_start(struct merge *m, struct store *s, const struct hub_config *config)
{
	memset(m, 0, sizeof *m);
	m->store = s;
	m->config = config;
	m->merged = (uint64_t)store_meta(s, merged_key, 0);
	m->read = store_prepare(s, "SELECT seq,at_ns,type,asset,body FROM outbox WHERE seq>=?1 AND seq<?2 ORDER BY seq LIMIT ?3");
	m->owe = store_prepare(s, "INSERT OR IGNORE INTO owed VALUES(?1)");
	m->owed = store_prepare(s, "SELECT o.asset,a.body FROM owed o LEFT JOIN asset_state a ON a.id=o.asset ORDER BY o.asset LIMIT ?1");
	m->pay = store_prepare(s, "DELETE FROM owed WHERE asset<=?1");
	m->owes = merge_debt(m) > 0;
}

void merge_stop(struct merge *m)
{
	sqlite3_finalize(m->read);
	sqlite3_finalize(m->owe);
	sqlite3_finalize(m->owed);
	sqlite3_finalize(m->pay);
	json_free(&m->line);
	memset(m, 0, sizeof *m);
}

uint64_t merge_debt(struct merge *m)
{
	sqlite3_stmt *count = store_prepare(m->store, "SELECT count(*) FROM owed");
	uint64_t debt = sqlite3_step(count) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(count, 0) : 0;

	sqlite3_finalize(count);
	return debt;
}

static bool has_action(const char *body, const char *action)
{
	static const char member[] = "\"action\":\"";
	const char *at = strstr(body, member);

	/* Documents are ours: event.action is the first member of that name. */
	return at && strncmp(at + sizeof member - 1, action, strlen(action)) == 0;
}

static bool gives_way(const char *type, const char *body)
{
	static const char *const states[] = { "attribute", "service", "gap", "health" };

	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (strcmp(type, states[i]) == 0)
			return true;
	if (strcmp(type, OUTBOX_DELIVERY) == 0)
		return has_action(body, "events-merged\"");
	/* That two devices are one, or one is two, no later state of either says. */
	return strcmp(type, "asset") == 0 && !has_action(body, "asset-merged\"") && !has_action(body, "asset-split\"");
}

static int64_t number_in(const char *body, const char *member, int64_t otherwise)
{
	const char *at = strstr(body, member);

	return at ? strtoll(at + strlen(member), NULL, 10) : otherwise;
}

/* Adds the row that `read` stands on, and notes whose state it told. */
static int add_row(struct merge *m, struct run *r, const char *type, const char *body)
{
	int64_t seq = sqlite3_column_int64(m->read, 0);
	bool merged = strcmp(type, OUTBOX_DELIVERY) == 0;

	if (r->rows == 0)
		*r = (struct run){ .first = seq, .from = merged ? number_in(body, "\"first\":", seq) : seq, .at_ns = sqlite3_column_int64(m->read, 1) };
	r->last = seq;
	r->rows++;
	r->events += !merged;
	r->bytes += (uint64_t)sqlite3_column_bytes(m->read, 4);
	if (merged || sqlite3_column_bytes(m->read, 3) == 0)
		return 0;
	sqlite3_bind_text(m->owe, 1, (const char *)sqlite3_column_text(m->read, 3), -1, SQLITE_TRANSIENT);
	return store_run(m->store, m->owe);
}

/* The runs among the next rows; m->next is then behind the last row that no run may still grow by. -1 when the store fails. */
static int find_runs(struct merge *m, struct run runs[CHUNK_ROWS], size_t *count)
{
	struct run open = { 0 };
	int result = 0, rows = 0;

	*count = 0;
	for (; result == 0 && sqlite3_step(m->read) == SQLITE_ROW; rows++) {
		const char *type = (const char *)sqlite3_column_text(m->read, 2), *body = (const char *)sqlite3_column_text(m->read, 4);

		if (type && body && gives_way(type, body)) {
			result = add_row(m, &open, type, body);
			continue;
		}
		m->next = sqlite3_column_int64(m->read, 0) + 1;
		if (open.events && open.bytes > WORTH_BYTES)
			runs[(*count)++] = open;
		open = (struct run){ .rows = 0 };
	}
	sqlite3_reset(m->read);
	m->done = rows < CHUNK_ROWS;
	if (open.rows == 0)
		return result;
	/* It may go on behind these rows: what stands for it is looked at again. */
	m->next = open.first;
	if (open.events && open.bytes > WORTH_BYTES) {
		m->next = open.last;
		runs[(*count)++] = open;
	}
	return result;
}

static int replace_run(struct merge *m, const struct run *r)
{
	static const struct event_words words = EVENT_WORDS("event", "host", "info", "events-merged", "askance.delivery");
	struct outbox_entry by = { .seq = r->last, .at_ns = r->at_ns, .type = OUTBOX_DELIVERY };
	struct json *j = &m->line;

	sensor_document_open(j, m->config, &words, outbox_epoch(m->store), r->last);
	json_open(j, "delivery", '{');
	json_number(j, "first", r->from);
	json_number(j, "last", r->last);
	json_close(j, '}');
	sensor_document_close(j);
	by.body = j->text;
	by.len = j->len;
	return outbox_replace(m->store, r->first, r->rows, r->bytes, &by);
}

int64_t merge_some(struct merge *m, int64_t from)
{
	static struct run runs[CHUNK_ROWS];
	int64_t newest = outbox_next(m->store) - 1, before = m->next, events = 0;
	size_t count;

	if (m->next < from)
		m->next = from;
	if (newest < 0 || store_begin(m->store) < 0)
		return -1;
	sqlite3_bind_int64(m->read, 1, m->next);
	sqlite3_bind_int64(m->read, 2, newest);
	sqlite3_bind_int(m->read, 3, CHUNK_ROWS);
	if (find_runs(m, runs, &count) < 0)
		goto failed;
	for (size_t i = 0; i < count; i++) {
		if (replace_run(m, &runs[i]) < 0)
			goto failed;
		events += (int64_t)runs[i].events;
	}
	if (events && store_set_meta(m->store, merged_key, (int64_t)m->merged + events) < 0)
		goto failed;
	if (store_commit(m->store) < 0) {
		m->next = before;
		return -1;
	}
	m->merged += (uint64_t)events;
	m->owes |= events > 0;
	return events;
failed:
	store_rollback(m->store);
	m->next = before;
	return -1;
}

/* A state as an event of its own: the document with the next number in the place of the one it has. */
static int tell_state(struct merge *m, const char *asset, const char *body)
{
	const char *at = strstr(body, "\"sequence\":"), *after = at ? strstr(at, "\"kind\":") : NULL;
	struct json *j = &m->line;

	if (!after || after - at > NUMBER_BYTES)
		return 0;
	document_renumber(body, (size_t)(at - body), after, m->config->sensor, outbox_epoch(m->store), outbox_next(m->store), j);
	return outbox_append(m->store, "asset", asset, j->text, j->len) > 0 ? 0 : -1;
}

int64_t merge_repay(struct merge *m)
{
	char last[256] = "";
	int64_t told = 0, rows = 0;
	int failed = 0;

	if (!m->owes)
		return 0;
	if (store_begin(m->store) < 0)
		return -1;
	sqlite3_bind_int(m->owed, 1, REPAY_ROWS);
	while (!failed && sqlite3_step(m->owed) == SQLITE_ROW) {
		const char *asset = (const char *)sqlite3_column_text(m->owed, 0), *body = (const char *)sqlite3_column_text(m->owed, 1);
		size_t len = (size_t)sqlite3_column_bytes(m->owed, 0);

		rows++;
		if (!asset || len >= sizeof last)
			continue;
		memcpy(last, asset, len + 1);
		/* Without a body the device is another's by now, and that event was never merged. */
		failed = body ? tell_state(m, asset, body) : 0;
		told += body != NULL;
	}
	sqlite3_reset(m->owed);
	sqlite3_bind_text(m->pay, 1, last, -1, SQLITE_STATIC);
	if (failed || (rows && store_run(m->store, m->pay) < 0)) {
		store_rollback(m->store);
		return -1;
	}
	if (store_commit(m->store) < 0)
		return -1;
	m->owes = rows == REPAY_ROWS;
	return told;
}
