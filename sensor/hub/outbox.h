/*
 * The outbox: every event in the order in which it happened, kept until Redis has it and then for a
 * while longer, so that what a failover loses can be sent again.
 *
 * It is a table in the store's own database and has no transaction of its own: an event stands or
 * falls with the change it reports. Numbers are gap-free from 1 and are never given twice. at_ns is
 * the time of writing, because what is kept for days must not go by the age of a capture file.
 *
 * One store at a time: statements are compiled at the first call and freed by outbox_close().
 */
#ifndef SENSOR_HUB_OUTBOX_H
#define SENSOR_HUB_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Type of what the outbox and the stream say of themselves. */
#define OUTBOX_DELIVERY "delivery"

/* The number that the next appended event gets (its event.sequence), from 1. 0 when the store fails. */
int64_t outbox_next(struct store *s);

/*
 * Appends an event with the number of outbox_next(), in the transaction that is open (or in one of
 * its own). `type` is the event's name ("asset", "service", "health" ...), `asset_id` may be NULL;
 * `body` is the document on one line, len bytes without line end. Returns its number, or -1 with the
 * cause in the log: the caller must then roll back what the event reports.
 */
int64_t outbox_append(struct store *s, const char *type, const char *asset_id, const char *body, size_t len);

/* Before store_close(). */
void outbox_close(struct store *s);

/*
 * First half of every stream ID, and part of event ids: made with the store, and raised above what
 * the stream holds when the stream was written by another store of the same name. Numbers go on.
 */
uint64_t outbox_epoch(struct store *s);
int outbox_raise_epoch(struct store *s, uint64_t epoch);

/* One entry as it is handed to a reader; valid during the call. */
struct outbox_entry {
	int64_t seq;
	int64_t at_ns;
	const char *type;
	const char *asset; /* "" for none */
	const char *body;
	size_t len;
};

/*
 * Calls `each` for entries first <= seq <= last in order, until it returns false. Returns the number
 * of entries handed out, or -1 when the store fails. `each` must not write to the store.
 */
int64_t outbox_walk(struct store *s, int64_t first, int64_t last, bool (*each)(const struct outbox_entry *e, void *arg), void *arg);

struct outbox_size {
	int64_t first;     /* oldest number kept, 0 when empty */
	int64_t last;      /* newest */
	uint64_t entries;
	uint64_t bytes;    /* of bodies */
};

int outbox_size(struct store *s, struct outbox_size *size);

/*
 * Deletes entries that everybody has, those up to `acked`: the ones older than `before_ns` (or from after
 * `after_ns`, when the clock was wrong), and the oldest while all bodies together exceed max_bytes. What
 * somebody lacks stays: see merge.h. The newest entry stays too, because it holds the number. A few
 * thousand rows a call at most. Returns the number deleted, -1 when the store fails.
 */
int64_t outbox_trim(struct store *s, int64_t acked, int64_t before_ns, int64_t after_ns, uint64_t max_bytes);

/*
 * Puts one entry in the place of first..last, which bears the number of the last: `rows` entries with
 * bodies of `bytes` together. In an open transaction. 0, or -1 with the cause in the log.
 */
int outbox_replace(struct store *s, int64_t first, uint64_t rows, uint64_t bytes, const struct outbox_entry *by);

/*
 * False when the outbox has another body under this number. True when it can't tell, because the entry
 * was trimmed or merged.
 */
bool outbox_matches(struct store *s, int64_t seq, const char *body, size_t len);

#endif
