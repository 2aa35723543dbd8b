/*
 * Findings on their way to the hub. What was told lately is not told again, so that a device that
 * says its name a thousand times a second costs the hub nothing.
 */
#ifndef SENSOR_ENGINE_TELLER_H
#define SENSOR_ENGINE_TELLER_H

#include "classifiers/api/tell.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"

enum {
	RETELL_FACTS = 4, /* what is known of a host is told again after so many times the time after which the host itself is */
	HOST_WINDOW_BITS = 7,
	FACT_WINDOW_BITS = 8,
};

struct packet;

struct teller {
	struct ring ring;
	struct engine_counters *counters;
	uint32_t engine;
	uint32_t retell_s; /* see teller_tell() */
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
	const struct packet *packet; /* its sender is there; of others it is hearsay, see enum sent_from */
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

/* Seconds after which what is no host and no activity is told again. */
static inline uint32_t teller_facts_s(const struct teller *t)
{
	return t->retell_s * RETELL_FACTS;
}

/*
 * For flows time falls into windows of 1 << HOST_WINDOW_BITS seconds, and longer ones of 1 << FACT_WINDOW_BITS; whoever goes on
 * talking in a new one is to be told again. They begin at another second for each hash, so that not all is told again at once.
 * The first is longer than retell_s: who speaks once in a minute or two is told each time, as long as a probe needs him heard
 * (ORDER_HEARD_S).
 * Not 0 when a window began between these two, and with the bit FACT_WINDOW_BITS or a higher one when a longer one did.
 */
static inline uint32_t teller_window(uint64_t hash, uint32_t before_s, uint32_t now_s)
{
	uint32_t shift_s = (uint32_t)(hash >> 32);

	return ((before_s + shift_s) ^ (now_s + shift_s)) >> HOST_WINDOW_BITS << HOST_WINDOW_BITS;
}

/*
 * Tells one finding unless it was told lately: a host within retell_s, what is known of one within teller_facts_s(),
 * and an activity, of which it matters how long it goes on, within a second. That others told of a host does not count.
 * path and value may be NULL. Waits while the hub is behind. Returns the second when it was told last.
 */
uint32_t teller_tell(struct teller *t, const struct witness *w, const struct statement *s, const char *path, const char *value);

/* Counters, progress and the end, always told. */
void teller_report(struct teller *t, const struct report *r);

/* Shows what was told to the hub. */
void teller_flush(struct teller *t);

#endif
