/* Committing and copying the log beside the hub's loop; store_thread.h says why. */
#include "sensor/hub/store_thread.h"

#include "sensor/common/log.h"
#include "sensor/hub/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum {
	COPY_PAGES = 4000,      /* of the log: worth copying */
	LOG_PAGES_MOST = 16000, /* then the next transaction waits until the log can begin anew */
	WHY_BYTES = 160,
};

struct store_threads {
	sqlite3 *db;              /* the store's */
	sqlite3 *copier_db;
	sqlite3_stmt *commit;     /* asked for and not done; NULL for none */
	sqlite3_stmt *rollback;
	char why[WHY_BYTES];      /* of a commit that failed */
	void (*done)(void *context);
	void *context;
	uv_mutex_t mutex;
	uv_cond_t asked, answered; /* something is to be done; it was done */
	uv_thread_t committer, copier;
	bool started, ending;
	bool copy;                /* asked for and not done */
	bool well;                /* the last commit did what it should */
};

/*
 * After each commit. A copy beside a writer that never rests stays behind it by what is written meanwhile, and the log would
 * grow for ever: now and then it is made whole here.
 */
static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store_threads *t = arg;

	if (pages < COPY_PAGES)
		return SQLITE_OK;
	uv_mutex_lock(&t->mutex);
	t->copy = t->started;
	uv_cond_broadcast(&t->asked);
	while (pages >= LOG_PAGES_MOST && t->copy)
		uv_cond_wait(&t->answered, &t->mutex);
	uv_mutex_unlock(&t->mutex);
	/* What fails is tried again after the next commit. */
	if (pages >= LOG_PAGES_MOST || !t->started)
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

/* What fails is taken back before anybody else gets at the database. */
static bool commit_now(struct store_threads *t, sqlite3_stmt *commit)
{
	bool well;

	sqlite3_mutex_enter(sqlite3_db_mutex(t->db));
	well = sqlite3_step(commit) == SQLITE_DONE;
	sqlite3_reset(commit);
	if (!well) {
		snprintf(t->why, sizeof t->why, "%s", sqlite3_errmsg(t->db));
		/* A full disk may have ended the transaction already. */
		if (!sqlite3_get_autocommit(t->db))
			sqlite3_step(t->rollback);
		sqlite3_reset(t->rollback);
	}
	sqlite3_mutex_leave(sqlite3_db_mutex(t->db));
	return well;
}

static void commit_them(void *arg)
{
	struct store_threads *t = arg;

	uv_mutex_lock(&t->mutex);
	for (;;) {
		sqlite3_stmt *commit = t->commit;
		bool well;

		if (!commit && t->ending)
			break;
		if (!commit) {
			uv_cond_wait(&t->asked, &t->mutex);
			continue;
		}
		uv_mutex_unlock(&t->mutex);
		well = commit_now(t, commit);
		uv_mutex_lock(&t->mutex);
		t->well = well;
		t->commit = NULL;
		uv_cond_broadcast(&t->answered);
		if (t->done)
			t->done(t->context);
	}
	uv_mutex_unlock(&t->mutex);
}

static void copy_log(void *arg)
{
	struct store_threads *t = arg;

	uv_mutex_lock(&t->mutex);
	/* A commit may still wait for the copy that it asked for. */
	while (!t->ending || t->copy) {
		if (!t->copy) {
			uv_cond_wait(&t->asked, &t->mutex);
			continue;
		}
		uv_mutex_unlock(&t->mutex);
		sqlite3_wal_checkpoint_v2(t->copier_db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		uv_mutex_lock(&t->mutex);
		t->copy = false;
		uv_cond_broadcast(&t->answered);
	}
	uv_mutex_unlock(&t->mutex);
}

int store_threads_open(struct store *s, void (*done)(void *context), void *context)
{
	struct store_threads *t = calloc(1, sizeof *t);
	const char *path = sqlite3_db_filename(s->db, "main");

	if (!t)
		abort();
	*t = (struct store_threads){ .db = s->db, .done = done, .context = context };
	/* The first reading opens the log too, which the walls may not let a thread do later. */
	if (sqlite3_open_v2(path, &t->copier_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_exec(t->copier_db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; SELECT count(*) FROM meta", NULL, NULL, NULL) != SQLITE_OK) {
		log_error("%s: %s", path, sqlite3_errmsg(t->copier_db));
		sqlite3_close_v2(t->copier_db);
		free(t);
		return -1;
	}
	if (uv_mutex_init(&t->mutex) < 0 || uv_cond_init(&t->asked) < 0 || uv_cond_init(&t->answered) < 0)
		abort();
	sqlite3_wal_hook(s->db, on_commit, t);
	s->threads = t;
	return 0;
}

void store_threads_commit(struct store_threads *t, sqlite3_stmt *commit, sqlite3_stmt *rollback)
{
	/* Not before, because walls hold only the thread that enters them and those that it starts. */
	if (!t->started) {
		if (uv_thread_create(&t->committer, commit_them, t) < 0 || uv_thread_create(&t->copier, copy_log, t) < 0)
			abort();
		t->started = true;
	}
	uv_mutex_lock(&t->mutex);
	t->commit = commit;
	t->rollback = rollback;
	uv_cond_broadcast(&t->asked);
	uv_mutex_unlock(&t->mutex);
}

bool store_threads_committing(struct store_threads *t)
{
	bool committing;

	uv_mutex_lock(&t->mutex);
	committing = t->commit != NULL;
	uv_mutex_unlock(&t->mutex);
	return committing;
}

const char *store_threads_wait(struct store_threads *t)
{
	const char *why;

	uv_mutex_lock(&t->mutex);
	while (t->commit)
		uv_cond_wait(&t->answered, &t->mutex);
	why = t->well ? NULL : t->why;
	uv_mutex_unlock(&t->mutex);
	return why;
}

void store_threads_end(struct store_threads *t)
{
	if (!t)
		return;
	if (t->started) {
		uv_mutex_lock(&t->mutex);
		t->ending = true;
		uv_cond_broadcast(&t->asked);
		uv_mutex_unlock(&t->mutex);
		uv_thread_join(&t->committer);
		uv_thread_join(&t->copier);
	}
	sqlite3_wal_hook(t->db, NULL, NULL);
	sqlite3_close_v2(t->copier_db);
	uv_cond_destroy(&t->answered);
	uv_cond_destroy(&t->asked);
	uv_mutex_destroy(&t->mutex);
	free(t);
}
