/*
 * Findings on their way to the hub. What was told lately is not told again, so that a device that
 * says its name a thousand times a second costs the hub nothing.
 */
#ifndef SENSOR_ENGINE_TELLER_H
#define SENSOR_ENGINE_TELLER_H

#include "classifiers/api/tell.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"

struct teller {
	struct ring ring;
	struct engine_counters *counters;
	uint32_t engine;
	uint32_t retell_s;
	uint64_t hash_key;
	uint64_t order; /* of what is told now, see report_order(); each share has a memory of its own */
	struct endpoint own;   /* the sensor's own, of whom nothing is told */
	struct memory *memory; /* of what was told */
};

/* Takes the producer's end of the findings ring from FD_*_OUT. 0, or -1. */
int teller_open(struct teller *t, struct engine_counters *counters, uint32_t engine, uint32_t retell_ms, uint64_t hash_key);

/* own.c: true when it is the sensor's own end. */
bool own_endpoint(const struct endpoint *own, const struct endpoint *who);

/* Where and when the finding was made; everything that findings of one packet have in common. */
struct witness {
	uint64_t frame;
	int64_t time_ns;
	uint16_t vlan[2];
	const char *protocol;
	uint8_t source; /* enum source */
	uint8_t transport;
	uint16_t port;
	uint16_t ethertype;
};

/* What is stated of whom; the rest of a finding comes from its witness. Fields as in struct finding. */
struct statement {
	uint8_t kind;
	uint8_t attribute;
	uint8_t activity;
	uint8_t evidence;
	uint8_t role;
	uint8_t confidence;
	struct endpoint subject;
	struct endpoint peer;
};

/*
 * Tells one finding unless it was told within retell_ms; an activity, of which it matters how long it goes on,
 * within a second. path and value may be NULL. Waits while the hub is behind. Returns the second when it was told last.
 */
uint32_t teller_tell(struct teller *t, const struct witness *w, const struct statement *s, const char *path, const char *value);

/* Counters, progress and the end, always told. */
void teller_report(struct teller *t, const struct report *r);

/* Shows what was told to the hub. */
void teller_flush(struct teller *t);

#endif
