/* Where the map's devices stand and what is drawn between them. Inside the report. */
#ifndef SENSOR_CTL_REPORT_MAP_H
#define SENSOR_CTL_REPORT_MAP_H

#include "sensor/ctl/report.h"

enum { MAP_WIDTH = 1240, MAP_COLOURS = 8, MAP_EDGES_DRAWN = 4000, MAP_ELSEWHERE = -1 };

struct map_place {
	int x, y;
};

/* Who uses a service of whom. */
struct map_edge {
	int from, to; /* devices, or MAP_ELSEWHERE */
	unsigned colour;
	const char *protocol; /* in the document */
};

struct map_band {
	size_t zone;
	unsigned level;
	int y, height;
};

struct map {
	const struct report *report;
	int node_width, node_height, gap; /* of a node; its labels fit */
	struct map_place *places;
	struct map_band *bands;
	size_t band_count;
	int *panels;      /* y of each zone's panel, and its end behind the last */
	int elsewhere_y, height;
	struct map_edge *edges;
	size_t edge_count, edge_room;
	size_t elsewhere; /* addresses that are no device of the picture */
	size_t astray;    /* devices whose lines to them are not drawn, for they are too many */
	const char *colours[MAP_COLOURS]; /* protocols; the last stands for all others */
};

/* Gathers the edges and places everything. map_free() after. */
void map_make(struct map *m, const struct report *r);
void map_free(struct map *m);

#endif
