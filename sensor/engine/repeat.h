/*
 * Messages that say again, byte for byte, what was read a moment ago: announcements, polls without a number, their answers.
 * What read() makes of them is known: with the same bytes and the same memo it would do what it did.
 */
#ifndef SENSOR_ENGINE_REPEAT_H
#define SENSOR_ENGINE_REPEAT_H

#include "sensor/engine/detail.h"
#include "sensor/engine/flow.h"

struct engine;
struct repeats;

/* The packet that is being read, to be remembered should all of it turn out to be repeatable. */
struct repeat {
	uint64_t hash;     /* 0: it will not be */
	uint64_t memo;     /* hash of its flow's memo before it was read */
	uint32_t told_s;   /* when what it told was told, the earliest of all */
	unsigned messages; /* read of it so far */
};

/* NULL without memory. free() ends it. */
struct repeats *repeats_new(void);

/* True when the payload of a flow that is ours is a message that was read lately; else e->repeat says what to remember. */
bool repeat_seen(struct engine *e, const struct flow *f, struct detail *d, const struct packet *p);

/* The payload of e->repeat was read, told nothing but what is told now and then, and gave no sign: it is remembered if it is one message. */
void repeat_remember(struct engine *e, const struct detail *d, const struct packet *p);

#endif
