/* Finding out that a store is damaged, and saving what can be read of it. */
#include "sensor/hub/store_damage.h"

#include "sensor/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	/* A store up to this size is looked at as a whole at each opening; of a larger one the tables but the largest. */
	WHOLE_BYTES = 64 << 20,
	FILE_MODE = 0640, SQL_BYTES = 4096, COLUMNS = 64, OUTBOX_BODY = 3,
};

static volatile bool met;

static void on_message(void *arg, int code, const char *message)
{
	(void)arg;
	(void)message;
	if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
		met = true;
}

void store_damage_watch(void)
{
	static bool watching;

	if (!watching)
		sqlite3_config(SQLITE_CONFIG_LOG, on_message, NULL);
	watching = true;
}

bool store_damage_met(void)
{
	return met;
}

void store_damage_forget(void)
{
	met = false;
}

static void suspect_path(const char *path, char out[STORE_PATH_BYTES])
{
	snprintf(out, STORE_PATH_BYTES, "%s-suspect", path);
}

void store_suspect(const char *path, bool useless)
{
	char file[STORE_PATH_BYTES];
	int fd;

	suspect_path(path, file);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (fd < 0 || (useless && write(fd, "useless\n", 8) != 8))
		log_error("%s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static bool check(sqlite3 *db, const char *sql, char *why, size_t room)
{
	sqlite3_stmt *s = NULL;
	bool sound = sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW &&
		     strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;

	if (!sound) {
		const char *said = s ? (const char *)sqlite3_column_text(s, 0) : NULL, *line = said ? strrchr(said, '\n') : NULL;

		/* Its first line names the database alone. */
		snprintf(why, room, "%s", line ? line + 1 : said ? said : sqlite3_errmsg(db));
	}
	sqlite3_finalize(s);
	return sound;
}

/* All but the two large tables, in which damage shows when they are read. */
static bool check_small(sqlite3 *db, char *why, size_t room)
{
	static const char names[] = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT IN('outbox','asset_state')";
	sqlite3_stmt *tables = NULL;
	char sql[SQL_BYTES];
	bool sound = sqlite3_prepare_v2(db, names, -1, &tables, NULL) == SQLITE_OK;
	int result = SQLITE_DONE;

	while (sound && (result = sqlite3_step(tables)) == SQLITE_ROW) {
		sqlite3_snprintf(sizeof sql, sql, "PRAGMA quick_check(%Q)", (const char *)sqlite3_column_text(tables, 0));
		sound = check(db, sql, why, room);
	}
	if (sound && result != SQLITE_DONE) {
		snprintf(why, room, "%s", sqlite3_errmsg(db));
		sound = false;
	}
	sqlite3_finalize(tables);
	return sound;
}

bool store_is_sound(sqlite3 *db, const char *path, char *why, size_t room)
{
	char file[STORE_PATH_BYTES];
	struct stat st;
	bool sound;

	suspect_path(path, file);
	if (stat(file, &st) == 0) {
		if (st.st_size > 0) {
			snprintf(why, room, "what it says contradicts itself");
			return false;
		}
		sound = check(db, "PRAGMA integrity_check(1)", why, room);
	} else if (stat(path, &st) == 0 && st.st_size > WHOLE_BYTES) {
		return check_small(db, why, room);
	} else {
		return check(db, "PRAGMA quick_check(1)", why, room);
	}
	if (sound)
		unlink(file);
	return sound;
}

int store_set_aside(const char *path, char aside[STORE_PATH_BYTES])
{
	static const char *const endings[] = { "", "-wal" };
	char from[STORE_PATH_BYTES], to[STORE_PATH_BYTES + 8];
	time_t now = time(NULL);
	struct tm t;

	gmtime_r(&now, &t);
	snprintf(aside, STORE_PATH_BYTES, "%.400s.corrupt-%04d%02d%02dT%02d%02d%02dZ", path, t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
		 t.tm_min, t.tm_sec);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(from, sizeof from, "%.400s%s", path, endings[i]);
		snprintf(to, sizeof to, "%s%s", aside, endings[i]);
		if (rename(from, to) < 0 && errno != ENOENT) {
			log_error("%s can't be renamed to %s: %s", from, to, strerror(errno));
			return -1;
		}
	}
	snprintf(from, sizeof from, "%.400s-shm", path);
	unlink(from);
	suspect_path(path, from);
	unlink(from);
	return 0;
}

/* An event bears its number itself: a row that came to stand under another is no event any more. */
static bool is_event(sqlite3_stmt *row)
{
	static const char member[] = "\"sequence\":";
	const char *body = (const char *)sqlite3_column_text(row, OUTBOX_BODY), *at = body ? strstr(body, member) : NULL;

	return at && strtoll(at + sizeof member - 1, NULL, 10) == sqlite3_column_int64(row, 0);
}

/* Row by row in one direction, until there are no more or one can't be read. */
static long long copy_rows(sqlite3 *from, sqlite3 *to, const char *table, const char *order, bool (*whole)(sqlite3_stmt *row))
{
	sqlite3_stmt *read = NULL, *write = NULL;
	char sql[SQL_BYTES];
	long long rows = 0;
	int columns;

	sqlite3_snprintf(sizeof sql, sql, "SELECT * FROM %Q %s", table, order);
	if (sqlite3_prepare_v2(from, sql, -1, &read, NULL) != SQLITE_OK)
		return 0;
	columns = sqlite3_column_count(read);
	sqlite3_snprintf(sizeof sql, sql, "INSERT OR IGNORE INTO %Q VALUES(?1", table);
	for (int i = 2; i <= columns && i <= COLUMNS; i++)
		sqlite3_snprintf((int)(sizeof sql - strlen(sql)), sql + strlen(sql), ",?%d", i);
	strcat(sql, ")");
	if (columns <= COLUMNS && sqlite3_prepare_v2(to, sql, -1, &write, NULL) == SQLITE_OK) {
		while (sqlite3_step(read) == SQLITE_ROW) {
			if (whole && !whole(read))
				continue;
			for (int i = 0; i < columns; i++)
				sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
			rows += sqlite3_step(write) == SQLITE_DONE ? sqlite3_changes(to) : 0;
			sqlite3_reset(write);
		}
	}
	sqlite3_finalize(read);
	sqlite3_finalize(write);
	return rows;
}

/* A table that a later part makes for itself is made now, so that its rows have a place. */
static void copy_table(sqlite3 *from, sqlite3 *to, const char *table, const char *sql)
{
	bool events = strcmp(table, "outbox") == 0;
	long long rows;

	if (sqlite3_table_column_metadata(to, "main", table, NULL, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
		sqlite3_exec(to, sql, NULL, NULL, NULL);
	rows = copy_rows(from, to, table, events ? "ORDER BY seq" : "", events ? is_event : NULL);
	if (events)
		rows += copy_rows(from, to, table, "ORDER BY seq DESC", is_event);
	if (rows)
		log_info("the new store has %lld rows of `%s` from the old one", rows, table);
}

static void copy_tables(sqlite3 *from, sqlite3 *to)
{
	/* Of a picture a part is worse than nothing. */
	static const char names[] = "SELECT name,sql FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' AND name NOT IN"
		"('asset_state','asset','node','link','attribute','service','speaks','subasset','talk','gap','owed','trim_mark')";
	sqlite3_stmt *tables = NULL;

	if (sqlite3_prepare_v2(from, names, -1, &tables, NULL) != SQLITE_OK)
		log_error("nothing can be read of the old store: %s", sqlite3_errmsg(from));
	while (tables && sqlite3_step(tables) == SQLITE_ROW)
		copy_table(from, to, (const char *)sqlite3_column_text(tables, 0), (const char *)sqlite3_column_text(tables, 1));
	sqlite3_finalize(tables);
}

void store_salvage(sqlite3 *db, const char *aside)
{
	sqlite3 *old = NULL;

	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	if (sqlite3_open_v2(aside, &old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
		copy_tables(old, db);
	sqlite3_close_v2(old);
	/* The schema's number is the new store's own, and so is where its states stand. */
	sqlite3_exec(db, "DELETE FROM meta WHERE key IN('schema','publisher_assets') OR key LIKE 'ring:%'", NULL, NULL, NULL);
	sqlite3_exec(db, "INSERT OR REPLACE INTO meta VALUES('salvaged',1)", NULL, NULL, NULL);
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		log_error("what could be read of the old store can't be written: %s", sqlite3_errmsg(db));
}
