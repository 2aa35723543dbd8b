/*
 * The hub's memory on disk: one SQLite file (WAL, synchronous FULL) with the picture, the outbox and
 * the state of each asset as it was last told. Everything that one batch of findings changed is
 * written in one transaction, so that an event and the change it reports stand or fall together.
 *
 *   meta(key, value)                 'schema', 'epoch', 'ring:N', ...
 *   outbox(seq, type, asset, body, at_ns)
 *       events in order; seq counts from 1 without gaps and is event.sequence of the body; body is
 *       one line of JSON; at_ns is the time of writing. Written by outbox_append()
 *       alone, read and trimmed by the publisher.
 *   asset_state(id, body, seq, version)
 *       the document of each asset as it stands; seq is the last event's that it includes; version
 *       counts all writes to the table, so "version > last published" finds what changed, also what
 *       no event told. body is NULL when the asset is gone (merged into another): consumers delete it.
 *   asset, node, link, attribute, service, speaks, subasset, talk, gap
 *       the picture; written and read by keep.c alone.
 *   proposal(id, ..., body, version)   (since schema 2)
 *       proposals and their signatures; body is the document for consumers, NULL when it is to go; version
 *       as in asset_state.
 *   fact(number, kind, ...)          (since schema 3)
 *       what analysts stated, of which node, and when it ended; by analyst_facts.c alone.
 *   run(number, proposal, target, ...)   (since schema 2)
 *       what was asked of whom; the budgets are counted from it. Both by proposal_store.c alone.
 *   owed(asset)   (since schema 3)
 *       devices whose events were merged in a full outbox and whose state is to be told anew; merge.c.
 *   trim_mark(number, epoch, seq)   (since schema 3)
 *       where the stream stood, once in ten minutes of publishing; stream_trim.c.
 */
#ifndef SENSOR_HUB_STORE_H
#define SENSOR_HUB_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { STORE_SCHEMA = 3 };

struct store_threads;

struct store {
	sqlite3 *db;
	struct store_threads *threads; /* store_thread.h; NULL: all is done by who asks */
	uint64_t epoch;        /* milliseconds since 1970 when the file was made; part of event ids */
	uint64_t failures;     /* transactions that could not be committed */
	bool failing;          /* the last one could not */
	bool open;             /* inside a transaction */
	bool committing;       /* one is on its way to the disk */
	bool refused;          /* ... and did not get there, what store_commit_end() has yet to tell */
	sqlite3_stmt *begin, *commit, *rollback, *meta_get, *meta_set;
};

/*
 * Opens (and makes) the file. 0, or -1 after log_error with the cause. A file of a newer schema is
 * refused; one that is damaged is kept aside and replaced: see store_damage.h.
 */
int store_open(struct store *s, const char *path);
void store_close(struct store *s);

/* 0, or -1 when the database refuses; told once until it works again, and counted. */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);

/*
 * The same in two steps, with store_threads_start() beside what is done between them. Who needs the store meanwhile waits in
 * store_wait(), which all functions here call that write or open a transaction; who tells others what it holds looks at
 * store_is_settled() before.
 */
void store_commit_begin(struct store *s);
int store_commit_end(struct store *s);
void store_wait(struct store *s);
/* True until store_wait() would return at once. */
bool store_is_committing(const struct store *s);
/* True when no transaction is open or on its way: all that can be read is on disk. */
bool store_is_settled(const struct store *s);

/* A number kept under a key; `otherwise` when there is none. Setting belongs in a transaction. */
int64_t store_meta(struct store *s, const char *key, int64_t otherwise);
int store_set_meta(struct store *s, const char *key, int64_t value);

/* Compiles a statement for good; ends the process on bad SQL, which is our own fault. */
sqlite3_stmt *store_prepare(struct store *s, const char *sql);

/* Runs a statement that gives no rows and resets it. 0, or -1 with the failure noted in `s`. */
int store_run(struct store *s, sqlite3_stmt *statement);

#endif
