/* A fleet's picture for people, and as lines of JSON. */
#ifndef SENSOR_CTL_FLEET_VIEW_H
#define SENSOR_CTL_FLEET_VIEW_H

#include "sensor/fleet/fleet.h"

#include <stdio.h>

struct fleet_view {
	bool sensors, devices, doubts; /* what is shown */
	bool merged;                   /* of the devices those alone that more than one sensor hears */
	bool changed;                  /* and those alone that changed in the last reading */
	int width;                     /* of the terminal, 0 for none */
	bool colours;
};

/* What reading and matching took; printed with the numbers. */
struct fleet_cost {
	double read_s, match_s;
};

void fleet_view_print(const struct fleet *f, const struct fleet_view *v, FILE *to);
void fleet_view_json(const struct fleet *f, const struct fleet_view *v, const struct fleet_cost *cost, FILE *to);

/* Analysts' decisions, the newest first. */
void fleet_view_decisions(const struct fleet *f, bool json, const struct fleet_view *v, FILE *to);

#endif
