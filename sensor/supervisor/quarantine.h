/*
 * Frames that an engine died of, kept in STATE/quarantine.pcapng for a report: bytes as they were captured,
 * each with a comment that says how the engine ended. Nothing here looks into a frame.
 *
 * At most QUARANTINE_BYTES; then the file becomes quarantine-old.pcapng, in place of the one before it.
 */
#ifndef SENSOR_SUPERVISOR_QUARANTINE_H
#define SENSOR_SUPERVISOR_QUARANTINE_H

#include "sensor/common/ring.h"

enum { QUARANTINE_BYTES = 8 << 20, QUARANTINE_FRAMES = 64 };

/* How one visit to a ring went. */
struct quarantined {
	unsigned seen; /* frames that were there */
	unsigned kept; /* of them written to the file */
};

/*
 * Takes the `count` oldest frames out of the ring `from`, whose consumer is dead, and appends them to the file in
 * the folder `state`; with `leave` they stay in the ring for another try. What can't be written is told by log_error().
 */
struct quarantined quarantine_take(const struct ring_fds *from, unsigned count, bool leave, const char *state, const char *comment);

#endif
