/* What `askance top` knows and draws. Inside sensor/ctl. */
#ifndef SENSOR_CTL_TOP_H
#define SENSOR_CTL_TOP_H

#include "sensor/ctl/sensor_link.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { TOP_ROWS = 200, TOP_LINE_BYTES = 512 };

struct top {
	struct sensor_link link;
	json_t *health;          /* the whole document, NULL when there is none */
	double frames_s, bits_s; /* between the last two health documents */
	json_int_t frames, bytes, uptime_s; /* of the last one */
	bool average;            /* the rates are those since the sensor's start */
	char changes[TOP_ROWS][TOP_LINE_BYTES], assets[TOP_ROWS][TOP_LINE_BYTES], probes[TOP_ROWS][TOP_LINE_BYTES];
	size_t changes_count, assets_count, probes_count, waiting; /* proposals that wait for a signature */
	char trouble[TOP_LINE_BYTES]; /* why nothing new is known; "" when all is well */
};

/* Asks the sensor's Redis for everything. What can't be reached stays as it was, and `trouble` says why. */
void top_ask(struct top *t);
void top_free(struct top *t);

/* Draws all of it on the screen that ncurses has. */
void top_draw(const struct top *t);

#endif
