/* The table of events: append, walk, trim. */
#include "sensor/hub/outbox.h"

#include "sensor/common/time_range.h"
#include "sensor/hub/store.h"

#include <string.h>
#include <time.h>

enum { TRIM_ROWS = 4096 };

/* Counting all bodies reads all of them, so it is done once and kept up to date. */
static struct {
	sqlite3 *db;
	sqlite3_stmt *ends, *insert, *walk, *oldest, *delete, *replace;
	bool counted, numbered;
	int64_t last;
	uint64_t entries, bytes;
} outbox;

/* Appends that were taken back have been counted, and their numbers are the next again. */
static void forget(void *arg)
{
	(void)arg;
	outbox.counted = outbox.numbered = false;
}

static void prepare(struct store *s)
{
	store_wait(s);
	if (outbox.db == s->db)
		return;
	memset(&outbox, 0, sizeof outbox);
	outbox.db = s->db;
	sqlite3_rollback_hook(s->db, forget, NULL);
	outbox.ends = store_prepare(s, "SELECT (SELECT min(seq) FROM outbox), (SELECT max(seq) FROM outbox)");
	outbox.insert = store_prepare(s, "INSERT INTO outbox(seq,type,asset,body,at_ns) VALUES(?1,?2,?3,?4,?5)");
	outbox.walk = store_prepare(s, "SELECT seq,at_ns,type,asset,body FROM outbox WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq");
	outbox.oldest = store_prepare(s, "SELECT seq,at_ns,length(CAST(body AS BLOB)) FROM outbox ORDER BY seq LIMIT ?1");
	outbox.delete = store_prepare(s, "DELETE FROM outbox WHERE seq BETWEEN ?1 AND ?2");
	outbox.replace = store_prepare(s, "UPDATE outbox SET type=?2, asset='', body=?3, at_ns=?4 WHERE seq=?1");
}

void outbox_close(struct store *s)
{
	if (!s->db || outbox.db != s->db)
		return;
	sqlite3_finalize(outbox.ends);
	sqlite3_finalize(outbox.insert);
	sqlite3_finalize(outbox.walk);
	sqlite3_finalize(outbox.oldest);
	sqlite3_finalize(outbox.delete);
	sqlite3_finalize(outbox.replace);
	memset(&outbox, 0, sizeof outbox);
}

static int read_ends(struct store *s, int64_t *first, int64_t *last)
{
	bool found;

	prepare(s);
	found = sqlite3_step(outbox.ends) == SQLITE_ROW;
	*first = found ? sqlite3_column_int64(outbox.ends, 0) : 0;
	*last = found ? sqlite3_column_int64(outbox.ends, 1) : 0;
	sqlite3_reset(outbox.ends);
	outbox.last = *last;
	outbox.numbered = found;
	return found ? 0 : -1;
}

int64_t outbox_next(struct store *s)
{
	int64_t first, last;

	prepare(s);
	if (!outbox.numbered && read_ends(s, &first, &last) < 0)
		return 0;
	return outbox.last + 1;
}

static int64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t outbox_append(struct store *s, const char *type, const char *asset_id, const char *body, size_t len)
{
	int64_t seq = outbox_next(s);

	if (seq <= 0)
		return -1;
	sqlite3_bind_int64(outbox.insert, 1, seq);
	sqlite3_bind_text(outbox.insert, 2, type, -1, SQLITE_STATIC);
	sqlite3_bind_text(outbox.insert, 3, asset_id ? asset_id : "", -1, SQLITE_STATIC);
	sqlite3_bind_text64(outbox.insert, 4, body, len, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_int64(outbox.insert, 5, wall_clock_ns());
	if (store_run(s, outbox.insert) < 0)
		return -1;
	outbox.last = seq;
	outbox.entries++;
	outbox.bytes += len;
	return seq;
}

uint64_t outbox_epoch(struct store *s)
{
	return s->epoch;
}

int outbox_raise_epoch(struct store *s, uint64_t epoch)
{
	if (store_set_meta(s, "epoch", (int64_t)epoch) < 0)
		return -1;
	s->epoch = epoch;
	return 0;
}

int64_t outbox_walk(struct store *s, int64_t first, int64_t last, bool (*each)(const struct outbox_entry *e, void *arg), void *arg)
{
	int64_t handed = 0;
	int result;

	prepare(s);
	sqlite3_bind_int64(outbox.walk, 1, first);
	sqlite3_bind_int64(outbox.walk, 2, last);
	while ((result = sqlite3_step(outbox.walk)) == SQLITE_ROW) {
		struct outbox_entry e = {
			.seq = sqlite3_column_int64(outbox.walk, 0),
			.at_ns = time_within(sqlite3_column_int64(outbox.walk, 1), TIME_MOST_NS),
			.type = (const char *)sqlite3_column_text(outbox.walk, 2),
			.asset = (const char *)sqlite3_column_text(outbox.walk, 3),
			.body = (const char *)sqlite3_column_text(outbox.walk, 4),
			.len = (size_t)sqlite3_column_bytes(outbox.walk, 4),
		};

		if (!e.type || !e.asset || !e.body || !each(&e, arg))
			break;
		handed++;
	}
	sqlite3_reset(outbox.walk);
	return result == SQLITE_ROW || result == SQLITE_DONE ? handed : -1;
}

/* The one slow query: reads all bodies. */
static int count_all(struct store *s)
{
	sqlite3_stmt *count = store_prepare(s, "SELECT count(*), total(length(CAST(body AS BLOB))) FROM outbox");
	bool found = sqlite3_step(count) == SQLITE_ROW;

	if (found) {
		outbox.entries = (uint64_t)sqlite3_column_int64(count, 0);
		outbox.bytes = (uint64_t)sqlite3_column_double(count, 1);
		outbox.counted = true;
	}
	sqlite3_finalize(count);
	return found ? 0 : -1;
}

int outbox_size(struct store *s, struct outbox_size *size)
{
	if (read_ends(s, &size->first, &size->last) < 0 || (!outbox.counted && count_all(s) < 0))
		return -1;
	size->entries = outbox.entries;
	size->bytes = outbox.bytes;
	return 0;
}

/* In a transaction or as one of its own; keeps the counts. */
static int delete_range(struct store *s, int64_t first, int64_t last, uint64_t rows, uint64_t bytes)
{
	sqlite3_bind_int64(outbox.delete, 1, first);
	sqlite3_bind_int64(outbox.delete, 2, last);
	if (store_run(s, outbox.delete) < 0)
		return -1;
	outbox.entries -= rows;
	outbox.bytes -= bytes;
	return 0;
}

int64_t outbox_trim(struct store *s, int64_t acked, int64_t before_ns, int64_t after_ns, uint64_t max_bytes)
{
	int64_t rows = 0, upto = 0;
	uint64_t bytes = 0;
	struct outbox_size size;

	if (outbox_size(s, &size) < 0)
		return -1;
	sqlite3_bind_int64(outbox.oldest, 1, TRIM_ROWS);
	while (sqlite3_step(outbox.oldest) == SQLITE_ROW) {
		int64_t seq = sqlite3_column_int64(outbox.oldest, 0), at_ns = sqlite3_column_int64(outbox.oldest, 1);
		bool young = at_ns >= before_ns && at_ns <= after_ns;

		if (seq > acked || seq == size.last || (young && size.bytes - bytes <= max_bytes))
			break;
		upto = seq;
		rows++;
		bytes += (uint64_t)sqlite3_column_int64(outbox.oldest, 2);
	}
	sqlite3_reset(outbox.oldest);
	return rows == 0 || delete_range(s, size.first, upto, (uint64_t)rows, bytes) == 0 ? rows : -1;
}

int outbox_replace(struct store *s, int64_t first, uint64_t rows, uint64_t bytes, const struct outbox_entry *by)
{
	prepare(s);
	sqlite3_bind_int64(outbox.replace, 1, by->seq);
	sqlite3_bind_text(outbox.replace, 2, by->type, -1, SQLITE_STATIC);
	sqlite3_bind_text64(outbox.replace, 3, by->body, by->len, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_int64(outbox.replace, 4, by->at_ns);
	if (store_run(s, outbox.replace) < 0 || delete_range(s, first, by->seq - 1, rows - 1, bytes - by->len) < 0)
		return -1;
	return 0;
}

struct comparison {
	const char *body;
	size_t len;
	bool differs;
};

static bool compare(const struct outbox_entry *e, void *arg)
{
	struct comparison *c = arg;

	c->differs = strcmp(e->type, OUTBOX_DELIVERY) != 0 && (e->len != c->len || memcmp(e->body, c->body, c->len) != 0);
	return false;
}

bool outbox_matches(struct store *s, int64_t seq, const char *body, size_t len)
{
	struct comparison c = { body, len, false };

	outbox_walk(s, seq, seq, compare, &c);
	return !c.differs;
}
