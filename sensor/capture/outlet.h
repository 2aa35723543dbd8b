/*
 * Where captured frames go: a ring for each engine. Of several, each gets the frames that are its own by
 * share_of_frame(), and all get those of which that is not sure. Every frame has a number, so that what the engines tell
 * can be put in the order in which it was heard.
 */
#ifndef SENSOR_CAPTURE_OUTLET_H
#define SENSOR_CAPTURE_OUTLET_H

#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"

struct outlet {
	struct ring ring[CONFIG_ENGINES];
	unsigned rings;
	uint64_t number;    /* of the last frame */
	uint64_t published; /* the last one that the engines know of */
	uint64_t counts[CONFIG_ENGINES][CAPTURE_COUNTERS]; /* by ring, those of predecessors with them */
};

/* Takes the producers' ends of so many rings, 1 .. CONFIG_ENGINES, from their descriptors. 0, or -1 with errno. */
int outlet_open(struct outlet *o, unsigned rings);

/* `frame` says what is known of it; number and share are set here. Who finds its ring full misses it, which is counted. */
void outlet_put(struct outlet *o, struct frame_header *frame, const uint8_t *bytes);

/* Shows the engines what was put. */
void outlet_publish(struct outlet *o);

/* Shows the counters; drops are those of all interfaces since the start. */
void outlet_show_counts(struct outlet *o, uint64_t kernel_drops, uint64_t interface_drops);

/* A sign of life, for who watches over this process. */
void outlet_beat(struct outlet *o);

#endif
