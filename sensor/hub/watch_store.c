/*
 * What the watch must not forget when the hub ends: who is quarantined, and which kinds have been tried.
 *
 *   watch_quarantine(asset, vendor, product, firmware, order_number, rule, evidence, since_ns)
 *   watch_canary(vendor, product, firmware, rule, asset, well_ns)
 */
#include "sensor/hub/watch_parts.h"

#include "sensor/common/log.h"
#include "sensor/common/time_range.h"
#include "sensor/hub/store.h"

#include <stdio.h>
#include <string.h>

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS watch_quarantine(asset TEXT PRIMARY KEY, vendor TEXT NOT NULL, product TEXT NOT NULL,"
	" firmware TEXT NOT NULL, order_number INTEGER NOT NULL, rule TEXT NOT NULL, evidence TEXT NOT NULL, since_ns INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS watch_canary(vendor TEXT NOT NULL, product TEXT NOT NULL, firmware TEXT NOT NULL, rule TEXT NOT NULL,"
	" asset TEXT NOT NULL, well_ns INTEGER NOT NULL, PRIMARY KEY(vendor, product, firmware, rule)) WITHOUT ROWID;";

static void take_text(sqlite3_stmt *s, int column, char *to, size_t room)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	snprintf(to, room, "%s", text ? text : "");
}

static void take_kind(sqlite3_stmt *s, int column, struct watch_kind *k)
{
	take_text(s, column, k->vendor, sizeof k->vendor);
	take_text(s, column + 1, k->product, sizeof k->product);
	take_text(s, column + 2, k->firmware, sizeof k->firmware);
}

static int load_quarantines(struct watch *w)
{
	sqlite3_stmt *s = store_prepare(w->store, "SELECT asset,vendor,product,firmware,order_number,rule,evidence,since_ns"
						  " FROM watch_quarantine ORDER BY since_ns");
	unsigned i = 0;
	int result;

	while ((result = sqlite3_step(s)) == SQLITE_ROW && i < WATCH_QUARANTINES) {
		struct watch_quarantine *q = &w->quarantines[i++];

		take_text(s, 0, q->asset, sizeof q->asset);
		take_kind(s, 1, &q->kind);
		q->order = (uint64_t)sqlite3_column_int64(s, 4);
		take_text(s, 5, q->rule, sizeof q->rule);
		take_text(s, 6, q->evidence, sizeof q->evidence);
		q->since_ns = time_within(sqlite3_column_int64(s, 7), TIME_MOST_NS);
	}
	sqlite3_finalize(s);
	w->full = result == SQLITE_ROW;
	return result == SQLITE_DONE || result == SQLITE_ROW ? 0 : -1;
}

static int load_canaries(struct watch *w)
{
	sqlite3_stmt *s = store_prepare(w->store, "SELECT vendor,product,firmware,rule,asset,well_ns FROM watch_canary ORDER BY well_ns DESC");
	unsigned i = 0;
	int result;

	while ((result = sqlite3_step(s)) == SQLITE_ROW && i < WATCH_CANARIES) {
		struct watch_canary *c = &w->canaries[i++];

		take_kind(s, 0, &c->kind);
		take_text(s, 3, c->rule, sizeof c->rule);
		take_text(s, 4, c->asset, sizeof c->asset);
		c->well_ns = time_within(sqlite3_column_int64(s, 5), TIME_MOST_NS);
	}
	sqlite3_finalize(s);
	return result == SQLITE_DONE || result == SQLITE_ROW ? 0 : -1;
}

int watch_load(struct watch *w)
{
	if (sqlite3_exec(w->store->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
		log_error("the tables of the watch can't be made: %s", sqlite3_errmsg(w->store->db));
		return -1;
	}
	w->put_quarantine = store_prepare(w->store, "INSERT OR REPLACE INTO watch_quarantine VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
	w->drop_quarantine = store_prepare(w->store, "DELETE FROM watch_quarantine WHERE asset=?1");
	w->put_canary = store_prepare(w->store, "INSERT OR REPLACE INTO watch_canary VALUES(?1,?2,?3,?4,?5,?6)");
	w->drop_canary = store_prepare(w->store, "DELETE FROM watch_canary WHERE vendor=?1 AND product=?2 AND firmware=?3 AND rule=?4");
	if (load_quarantines(w) < 0 || load_canaries(w) < 0) {
		log_error("the quarantines can't be read: %s", sqlite3_errmsg(w->store->db));
		return -1;
	}
	return 0;
}

void watch_close_statements(struct watch *w)
{
	sqlite3_finalize(w->put_quarantine);
	sqlite3_finalize(w->drop_quarantine);
	sqlite3_finalize(w->put_canary);
	sqlite3_finalize(w->drop_canary);
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

static void bind_kind(sqlite3_stmt *s, int at, const struct watch_kind *k)
{
	bind_text(s, at, k->vendor);
	bind_text(s, at + 1, k->product);
	bind_text(s, at + 2, k->firmware);
}

static int save_quarantine(const struct watch *w, struct store *s, const struct watch_quarantine *q)
{
	if (q->lifted) {
		bind_text(w->drop_quarantine, 1, q->asset);
		return store_run(s, w->drop_quarantine);
	}
	bind_text(w->put_quarantine, 1, q->asset);
	bind_kind(w->put_quarantine, 2, &q->kind);
	sqlite3_bind_int64(w->put_quarantine, 5, (int64_t)q->order);
	bind_text(w->put_quarantine, 6, q->rule);
	bind_text(w->put_quarantine, 7, q->evidence);
	sqlite3_bind_int64(w->put_quarantine, 8, q->since_ns);
	return store_run(s, w->put_quarantine);
}

static int save_canary(const struct watch *w, struct store *s, const struct watch_canary *c)
{
	sqlite3_stmt *statement = c->gone ? w->drop_canary : w->put_canary;

	bind_kind(statement, 1, &c->kind);
	bind_text(statement, 4, c->rule);
	if (!c->gone) {
		bind_text(statement, 5, c->asset);
		sqlite3_bind_int64(statement, 6, c->well_ns);
	}
	return store_run(s, statement);
}

int watch_store(struct watch *w, struct store *s)
{
	for (unsigned i = 0; w->unsaved && i < WATCH_QUARANTINES; i++) {
		const struct watch_quarantine *q = &w->quarantines[i];

		if (q->asset[0] && (q->unsaved || q->lifted) && save_quarantine(w, s, q) < 0)
			return -1;
	}
	/* What is gone first, so that a new row of the same kind stays. */
	for (int gone = 1; w->unsaved && gone >= 0; gone--)
		for (unsigned i = 0; i < WATCH_CANARIES; i++) {
			const struct watch_canary *c = &w->canaries[i];

			if (c->asset[0] && c->gone == gone && (c->gone || c->unsaved) && save_canary(w, s, c) < 0)
				return -1;
		}
	return 0;
}

bool watch_unstored(const struct watch *w)
{
	return w->unsaved;
}

void watch_stored(struct watch *w)
{
	for (unsigned i = 0; w->unsaved && i < WATCH_QUARANTINES; i++) {
		w->quarantines[i].unsaved = false;
		if (w->quarantines[i].lifted)
			memset(&w->quarantines[i], 0, sizeof w->quarantines[i]);
	}
	for (unsigned i = 0; w->unsaved && i < WATCH_CANARIES; i++) {
		w->canaries[i].unsaved = false;
		if (w->canaries[i].gone)
			memset(&w->canaries[i], 0, sizeof w->canaries[i]);
	}
	w->unsaved = false;
}
