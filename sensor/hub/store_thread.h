/*
 * The store's two threads. One brings a transaction to the disk while the next batch is heard and drafted. The other copies
 * what the log holds into its place in the file, with a connection of its own, so that nobody waits for it.
 *
 * What is told, and given back to the engines' rings, waits for the commit as it does without threads.
 */
#ifndef SENSOR_HUB_STORE_THREAD_H
#define SENSOR_HUB_STORE_THREAD_H

#include <sqlite3.h>
#include <stdbool.h>

struct store;
struct store_threads;

/*
 * Opens what the threads need, before the walls; `done` is called by the first thread after each commit, may be NULL, and may
 * only wake somebody. 0, or -1 after log_error: then all goes on without threads.
 */
int store_threads_open(struct store *s, void (*done)(void *context), void *context);

/*
 * For store.c alone. The first thread, which is started by the first call, steps `commit`, and `rollback` when that fails. The
 * wait gives the cause then, and NULL when all is on disk; threads and cause live until store_threads_end(), where NULL is no threads.
 */
void store_threads_commit(struct store_threads *t, sqlite3_stmt *commit, sqlite3_stmt *rollback);
bool store_threads_committing(struct store_threads *t);
const char *store_threads_wait(struct store_threads *t);
void store_threads_end(struct store_threads *t);

#endif
