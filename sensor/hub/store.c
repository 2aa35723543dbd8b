/* SQLite behind a small face: opening, the schema, transactions, and what to say when the disk is full. */
#include "sensor/hub/store.h"

#include "sensor/common/log.h"
#include "sensor/hub/store_damage.h"
#include "sensor/hub/store_thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY, type TEXT NOT NULL, asset TEXT NOT NULL,"
	" body TEXT NOT NULL, at_ns INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS asset_state(id TEXT PRIMARY KEY, body TEXT, seq INTEGER NOT NULL,"
	" version INTEGER NOT NULL);"
	/* One index that answers for both is half the pages to write with every change; earlier versions had two. */
	"CREATE INDEX IF NOT EXISTS asset_state_order ON asset_state(version, seq);"
	"DROP INDEX IF EXISTS asset_state_seq;"
	"DROP INDEX IF EXISTS asset_state_version;"
	"CREATE TABLE IF NOT EXISTS asset(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, founder INTEGER NOT NULL,"
	" first_ns INTEGER NOT NULL, class TEXT NOT NULL, maker TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS node(number INTEGER PRIMARY KEY, vlan0 INTEGER NOT NULL, vlan1 INTEGER NOT NULL,"
	" family INTEGER NOT NULL, address BLOB NOT NULL, asset INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, first_frame INTEGER NOT NULL, lost INTEGER NOT NULL,"
	" heard_s INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE IF NOT EXISTS link(ip INTEGER NOT NULL, n INTEGER NOT NULL, mac INTEGER NOT NULL,"
	" binding INTEGER NOT NULL, first_ns INTEGER NOT NULL, PRIMARY KEY(ip, n)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS attribute(node INTEGER NOT NULL, n INTEGER NOT NULL, path TEXT NOT NULL,"
	" name TEXT NOT NULL, protocol TEXT NOT NULL, source INTEGER NOT NULL, confidence INTEGER NOT NULL,"
	" value TEXT NOT NULL, frame INTEGER NOT NULL, heard INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
	" last_ns INTEGER NOT NULL, PRIMARY KEY(node, n)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS service(node INTEGER NOT NULL, n INTEGER NOT NULL, protocol TEXT NOT NULL,"
	" transport INTEGER NOT NULL, port INTEGER NOT NULL, ethertype INTEGER NOT NULL, evidence INTEGER NOT NULL,"
	" confidence INTEGER NOT NULL, frame INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
	" PRIMARY KEY(node, n)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS speaks(node INTEGER NOT NULL, n INTEGER NOT NULL, protocol TEXT NOT NULL,"
	" role INTEGER NOT NULL, evidence INTEGER NOT NULL, frame INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
	" last_ns INTEGER NOT NULL, PRIMARY KEY(node, n)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS subasset(node INTEGER NOT NULL, n INTEGER NOT NULL, path TEXT NOT NULL,"
	" source INTEGER NOT NULL, frame INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
	" PRIMARY KEY(node, n)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS talk(node INTEGER NOT NULL, n INTEGER NOT NULL, family INTEGER NOT NULL,"
	" peer BLOB NOT NULL, protocol TEXT NOT NULL, transport INTEGER NOT NULL, port INTEGER NOT NULL,"
	" first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, frame INTEGER NOT NULL DEFAULT 0, visits INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(node, n)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS gap(asset INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,"
	" verdict INTEGER NOT NULL, print INTEGER NOT NULL, since_ns INTEGER NOT NULL,"
	" PRIMARY KEY(asset, kind, subject)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS proposal(id TEXT PRIMARY KEY, status INTEGER NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL,"
	" subject TEXT NOT NULL, lacks TEXT NOT NULL, needed INTEGER NOT NULL, used INTEGER NOT NULL, automatic INTEGER NOT NULL,"
	" made_s INTEGER NOT NULL, expires_s INTEGER NOT NULL, changed_s INTEGER NOT NULL, run INTEGER NOT NULL, why TEXT NOT NULL,"
	" reason TEXT NOT NULL, vlan0 INTEGER NOT NULL, vlan1 INTEGER NOT NULL, mac BLOB NOT NULL, family INTEGER NOT NULL,"
	" ip BLOB NOT NULL, transport INTEGER NOT NULL, port INTEGER NOT NULL, zone TEXT NOT NULL, class TEXT NOT NULL,"
	" maker TEXT NOT NULL, path TEXT NOT NULL, rule TEXT NOT NULL, rule_sha256 BLOB NOT NULL, parameters TEXT NOT NULL,"
	" plan_sha256 BLOB NOT NULL, not_before_s INTEGER NOT NULL, not_after_s INTEGER NOT NULL, uses INTEGER NOT NULL,"
	" signer1 TEXT NOT NULL, signature1 BLOB, signer2 TEXT NOT NULL, signature2 BLOB, body TEXT, version INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS proposal_status ON proposal(status, changed_s);"
	"CREATE INDEX IF NOT EXISTS proposal_version ON proposal(version);"
	"CREATE TABLE IF NOT EXISTS fact(number INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
	" vlan0 INTEGER NOT NULL, vlan1 INTEGER NOT NULL, family INTEGER NOT NULL, address BLOB NOT NULL,"
	" other_vlan0 INTEGER, other_vlan1 INTEGER, other_family INTEGER, other_address BLOB,"
	" attribute TEXT NOT NULL, path TEXT NOT NULL, value TEXT NOT NULL, analyst TEXT NOT NULL, why TEXT NOT NULL,"
	" made_ms INTEGER NOT NULL, ended_by TEXT, ended_why TEXT, ended_ms INTEGER);"
	"CREATE TABLE IF NOT EXISTS run(number INTEGER PRIMARY KEY, proposal TEXT NOT NULL, target TEXT NOT NULL, zone TEXT NOT NULL,"
	" rule TEXT NOT NULL, path TEXT NOT NULL, started_s INTEGER NOT NULL, ended_s INTEGER NOT NULL, sent INTEGER NOT NULL,"
	" packets INTEGER NOT NULL, bytes INTEGER NOT NULL, planned INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX IF NOT EXISTS run_target ON run(target, started_s);"
	"CREATE INDEX IF NOT EXISTS run_started ON run(started_s);"
	"CREATE TABLE IF NOT EXISTS owed(asset TEXT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS trim_mark(number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL);";

static int tell_failure(struct store *s, const char *why)
{
	s->failures++;
	if (!s->failing)
		log_error("%s: cannot write: %s; going on from memory, trying again", sqlite3_db_filename(s->db, "main"), why);
	s->failing = true;
	return -1;
}

sqlite3_stmt *store_prepare(struct store *s, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
		log_error("statement '%s': %s", sql, sqlite3_errmsg(s->db));
		abort();
	}
	return statement;
}

int store_run(struct store *s, sqlite3_stmt *statement)
{
	int result;

	store_wait(s);
	result = sqlite3_step(statement);
	sqlite3_reset(statement);
	if (result == SQLITE_DONE || result == SQLITE_ROW)
		return 0;
	return tell_failure(s, sqlite3_errmsg(s->db));
}

int64_t store_meta(struct store *s, const char *key, int64_t otherwise)
{
	int64_t value = otherwise;

	store_wait(s);
	sqlite3_bind_text(s->meta_get, 1, key, -1, SQLITE_STATIC);
	if (sqlite3_step(s->meta_get) == SQLITE_ROW)
		value = sqlite3_column_int64(s->meta_get, 0);
	sqlite3_reset(s->meta_get);
	return value;
}

int store_set_meta(struct store *s, const char *key, int64_t value)
{
	sqlite3_bind_text(s->meta_set, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->meta_set, 2, value);
	return store_run(s, s->meta_set);
}

int store_begin(struct store *s)
{
	if (store_run(s, s->begin) < 0)
		return -1;
	s->open = true;
	return 0;
}

static void note_success(struct store *s)
{
	s->open = false;
	if (s->failing)
		log_info("%s: writing works again", sqlite3_db_filename(s->db, "main"));
	s->failing = false;
}

int store_commit(struct store *s)
{
	if (store_run(s, s->commit) < 0) {
		store_rollback(s);
		return -1;
	}
	note_success(s);
	return 0;
}

void store_commit_begin(struct store *s)
{
	if (s->threads) {
		s->open = false;
		s->committing = true;
		store_threads_commit(s->threads, s->commit, s->rollback);
	} else {
		s->refused = store_commit(s) < 0;
	}
}

void store_wait(struct store *s)
{
	const char *why;

	if (!s->committing)
		return;
	s->committing = false;
	why = store_threads_wait(s->threads);
	if (!why) {
		note_success(s);
		return;
	}
	s->refused = true;
	tell_failure(s, why);
}

int store_commit_end(struct store *s)
{
	bool refused;

	store_wait(s);
	refused = s->refused;
	s->refused = false;
	return refused ? -1 : 0;
}

bool store_is_committing(const struct store *s)
{
	return s->committing && store_threads_committing(s->threads);
}

bool store_is_settled(const struct store *s)
{
	return !s->open && !s->committing;
}

void store_rollback(struct store *s)
{
	/* A full disk may have ended the transaction already; then there is nothing to roll back. */
	if (!sqlite3_get_autocommit(s->db)) {
		sqlite3_step(s->rollback);
		sqlite3_reset(s->rollback);
	}
	s->open = false;
}

/* A file made just now gets its number and epoch; an older or newer one must be of this schema. */
static int check_schema(struct store *s, const char *path)
{
	int64_t found = store_meta(s, "schema", 0);
	struct timespec now;

	if (found > STORE_SCHEMA) {
		log_error("%s: was written by a newer version (schema %lld, this one knows %d)", path,
			  (long long)found, STORE_SCHEMA);
		return -1;
	}
	/* Later schemas have added tables only, and those are there by now. */
	if (found > 0 && found < STORE_SCHEMA && store_set_meta(s, "schema", STORE_SCHEMA) < 0)
		return -1;
	if (found == 0 && store_set_meta(s, "schema", STORE_SCHEMA) < 0)
		return -1;
	if (store_meta(s, "epoch", 0) == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (store_set_meta(s, "epoch", now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000) < 0)
			return -1;
	}
	s->epoch = (uint64_t)store_meta(s, "epoch", 0);
	return 0;
}

static int add_column(sqlite3 *db, const char *table, const char *name, const char *add)
{
	if (sqlite3_table_column_metadata(db, "main", table, name, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK)
		return SQLITE_OK;
	return sqlite3_exec(db, add, NULL, NULL, NULL);
}

/* What a table of an earlier version lacks; that version goes on with a store that has it. */
static int add_columns(sqlite3 *db)
{
	int bad = add_column(db, "talk", "frame", "ALTER TABLE talk ADD COLUMN frame INTEGER NOT NULL DEFAULT 0");

	bad = bad ? bad : add_column(db, "talk", "visits", "ALTER TABLE talk ADD COLUMN visits INTEGER NOT NULL DEFAULT 0");
	bad = bad ? bad : add_column(db, "node", "heard_s", "ALTER TABLE node ADD COLUMN heard_s INTEGER NOT NULL DEFAULT 0");
	return bad ? bad : add_column(db, "run", "planned", "ALTER TABLE run ADD COLUMN planned INTEGER NOT NULL DEFAULT 0");
}

/* 0, or -1 with the cause in why[] when the file is damaged or can't be opened. */
static int open_file(struct store *s, const char *path, char *why, size_t room)
{
	static const char settings[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768;"
				       " PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;";

	store_damage_forget();
	/* With a lock, because a thread may write out a transaction while others bind values. */
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(s->db, 200) != SQLITE_OK || sqlite3_exec(s->db, settings, NULL, NULL, NULL) != SQLITE_OK) {
		snprintf(why, room, "%s", s->db ? sqlite3_errmsg(s->db) : "out of memory");
		return -1;
	}
	if (store_is_sound(s->db, path, why, room) && sqlite3_exec(s->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
	    add_columns(s->db) == SQLITE_OK)
		return 0;
	if (!why[0])
		snprintf(why, room, "%s", sqlite3_errmsg(s->db));
	return -1;
}

/* A disk that is full or refuses is no damage, and must not cost a store. */
static bool is_damaged(const struct store *s, const char *path)
{
	char why[256];

	return s->db && (store_damage_met() || !store_is_sound(s->db, path, why, sizeof why)) && (sqlite3_errcode(s->db) & 0xff) != SQLITE_FULL;
}

static int replace_damaged(struct store *s, const char *path, const char *why)
{
	char aside[STORE_PATH_BYTES], again[256] = "";

	sqlite3_close_v2(s->db);
	s->db = NULL;
	if (store_set_aside(path, aside) < 0)
		return -1;
	log_error("%s: is damaged (%s): kept as %s; going on with a new one, what can be read of events and decisions goes over to it", path, why, aside);
	if (open_file(s, path, again, sizeof again) < 0) {
		log_error("%s: %s", path, again);
		return -1;
	}
	store_salvage(s->db, aside);
	store_damage_forget();
	return 0;
}

int store_open(struct store *s, const char *path)
{
	char why[256] = "";

	store_damage_watch();
	memset(s, 0, sizeof *s);
	if (open_file(s, path, why, sizeof why) < 0) {
		if (!is_damaged(s, path)) {
			log_error("%s: %s", path, why);
			store_close(s);
			return -1;
		}
		if (replace_damaged(s, path, why) < 0) {
			store_close(s);
			return -1;
		}
	}
	s->begin = store_prepare(s, "BEGIN IMMEDIATE");
	s->commit = store_prepare(s, "COMMIT");
	s->rollback = store_prepare(s, "ROLLBACK");
	s->meta_get = store_prepare(s, "SELECT value FROM meta WHERE key=?1");
	s->meta_set = store_prepare(s, "INSERT OR REPLACE INTO meta VALUES(?1,?2)");
	if (check_schema(s, path) < 0) {
		store_close(s);
		return -1;
	}
	return 0;
}

void store_close(struct store *s)
{
	sqlite3_stmt *mine[] = { s->begin, s->commit, s->rollback, s->meta_get, s->meta_set };

	store_wait(s);
	store_threads_end(s->threads);
	for (size_t i = 0; i < sizeof mine / sizeof *mine; i++)
		sqlite3_finalize(mine[i]);
	sqlite3_close_v2(s->db);
	memset(s, 0, sizeof *s);
}
