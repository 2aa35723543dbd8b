/*
 * Keeps the outbox within the time and size of the configuration: entries that every reader has go by age,
 * and by size when there are too many. When what some reader lacks alone is too much, merge.h makes it
 * smaller. What may not be merged stays, whatever its size: the health event says so.
 */
#ifndef SENSOR_HUB_BOUND_H
#define SENSOR_HUB_BOUND_H

#include "sensor/common/config.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/* `config` stays the caller's. */
void bound_start(struct store *s, const struct hub_config *config);
void bound_stop(void);

/*
 * Once a second and after commits, never within a transaction: every reader has the entries up to `read`, and
 * what is up to `sent` may be on its way to one. True when entries were appended.
 */
bool bound_keep(int64_t read, int64_t sent, bool caught_up);

struct bound_stats {
	const char *state;    /* "well", "merging", or "over": what may not be merged exceeds the limit */
	uint64_t limit_bytes;
	uint64_t disk_bytes;  /* of the store with its journal */
	uint64_t merged;      /* events that others stand for, ever */
	uint64_t owed;        /* devices whose state will be told anew */
};

void bound_stats(struct bound_stats *stats);

#endif
