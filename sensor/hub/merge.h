/*
 * What gives way when the outbox is full of entries that a reader lacks: the states that devices had in
 * the meantime, and the sensor's own health. A run of such entries becomes one event, events-merged, that
 * names the numbers it stands for and bears the last of them, so that a reader can still prove that
 * nothing else is missing. Devices whose events were merged are owed: their state as it is then is told
 * anew when the readers have caught up.
 *
 * Approvals, proposals, probes, changes and alarms are never merged, nor what this file does not know.
 */
#ifndef SENSOR_HUB_MERGE_H
#define SENSOR_HUB_MERGE_H

#include "sensor/common/config.h"
#include "sensor/hub/json.h"

struct sqlite3_stmt;
struct store;

struct merge {
	struct store *store;
	const struct hub_config *config; /* stays the caller's */
	struct sqlite3_stmt *read, *owe, *owed, *pay;
	struct json line;
	int64_t next;    /* number from which on to look */
	uint64_t merged; /* events that gave way, ever */
	bool owes;       /* some device's state must be told anew */
	bool done;       /* all has been looked at */
};

void merge_start(struct merge *m, struct store *s, const struct hub_config *config);
void merge_stop(struct merge *m);

/*
 * Merges among the next few thousand entries from `from` on, in a transaction of its own. Returns how many
 * events gave way, or -1 when the store fails.
 */
int64_t merge_some(struct merge *m, int64_t from);

/* Tells some states that are owed, in a transaction of its own. Returns how many events that made, -1 when the store fails. */
int64_t merge_repay(struct merge *m);

/* Devices that are owed. */
uint64_t merge_debt(struct merge *m);

#endif
