/*
 * The sensor's own health: what it heard, what it missed and how far behind its readers are. An event
 * every ten seconds (event.action sensor-health), and the same document in the hash askance:{S}:health.
 */
#ifndef SENSOR_HUB_HEALTH_H
#define SENSOR_HUB_HEALTH_H

#include "sensor/common/config.h"
#include "sensor/common/message.h"

#include <uv.h>

struct store;

/* Size of the picture; whoever holds it fills this in when asked. */
struct health_picture {
	uint64_t assets;
	uint64_t services;
	uint64_t subassets;
	uint64_t gaps;
	uint64_t assets_refused;   /* the picture was full */
	uint64_t events_lost;      /* the store refused for so long that they were given up */
	uint64_t reports_rejected; /* findings with a field that no honest engine sends */
	uint64_t waiting_bytes[CONFIG_ENGINES]; /* of frames, for each engine */
};

/* Starts the timer; `picture` is called on the loop before each event and may be NULL. 0, or -1. */
int health_start(uv_loop_t *loop, struct store *s, const struct hub_config *config, void (*picture)(struct health_picture *));

/* The counters that an engine sent; they begin again at zero when it was restarted. */
void health_counters(unsigned engine, const struct engine_counters *c);

/* Appends a last event and closes the timer. Call before publisher_stop(). */
void health_stop(void);

#endif
