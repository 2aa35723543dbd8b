/*
 * What a sensor told lately, in memory and bounded: the last events of its stream, and of some kinds more
 * than that, because pages show them as lists.
 */
#ifndef SENSOR_CONSOLE_JOURNAL_H
#define SENSOR_CONSOLE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EVENT_DATASET_BYTES = 24,
	EVENT_BODY_MOST = 256 * 1024,          /* a longer one is not the sensor's */
	JOURNAL_RECENT_BYTES = 32 * 1024 * 1024,
};

/* The place of an entry in the stream: "ms-seq". */
struct event_id {
	uint64_t ms, seq;
};

struct event {
	struct event_id id;
	unsigned holders;
	char dataset[EVENT_DATASET_BYTES]; /* without "askance." */
	size_t len;
	char body[];                       /* one line of JSON */
};

enum journal_row_name { ROW_RECENT, ROW_PROBES, ROW_WATCH, ROW_APPROVALS, ROW_HEALTH, JOURNAL_ROWS };

/* Entries are numbered without end, oldest first: at(first) .. at(next - 1). */
struct journal_row {
	struct event **slot;
	size_t room;
	uint64_t first, next;
};

struct journal {
	struct journal_row row[JOURNAL_ROWS];
	size_t recent_bytes;
	unsigned generation; /* how often it was cleared */
};

/* "1700000000000-0". False when it is not that. */
bool event_id_read(struct event_id *id, const char *text);
/* Below zero when a is older than b. */
int event_id_order(const struct event_id *a, const struct event_id *b);

/* NULL when there is no memory. */
bool journal_open(struct journal *j);
void journal_clear(struct journal *j);

/*
 * Takes in an entry of the stream that is newer than all others; what has no room any more goes. One whose body
 * is no document of a sensor is left out.
 */
void journal_add(struct journal *j, const struct event_id *id, const char *body, size_t len);
/* As above, for one that is older than all others: taken where there is room. False when nothing has room for it. */
bool journal_add_before(struct journal *j, const struct event_id *id, const char *body, size_t len);

struct event *journal_at(const struct journal *j, enum journal_row_name row, uint64_t number);

/*
 * The number of the first recent event after `id`; false when some between may be missing, or `id` is newer than all.
 */
bool journal_find(const struct journal *j, const struct event_id *id, uint64_t *number);

#endif
