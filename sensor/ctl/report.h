/* The parts of the report: what they draw from, and the sections of the page. Inside sensor/ctl. */
#ifndef SENSOR_CTL_REPORT_H
#define SENSOR_CTL_REPORT_H

#include "sensor/ctl/asset_list.h"

#include <stdbool.h>
#include <stdio.h>

enum { REPORT_LEVELS = 8, REPORT_TEXT_BYTES = 512 };

/* One device, looked up once. */
struct report_device {
	const json_t *document, *ot, *asset;
	char address[96]; /* with its VLAN */
	unsigned zone;    /* index into zones */
	unsigned level;   /* index into report_levels */
	double known;     /* 0 .. 1 */
};

struct report {
	const char *source;  /* what it was made from, for the head of the page */
	const char *made;    /* when */
	bool details;        /* every attribute of every device too */
	bool partial;        /* something of the source was missing */
	struct report_device *devices;
	size_t count;
	const char **zones;
	size_t zone_count;
};

/* Levels of the Purdue model from the top down; the last is for devices whose class names none. */
extern const struct report_level {
	const char *value, *caption;
} report_levels[REPORT_LEVELS];

/* Fills devices and zones; the list must outlive the report. */
void report_gather(struct report *r, const struct asset_list *list);
void report_free(struct report *r);

/* The whole page. */
void report_page(const struct report *r, FILE *to);

/* The style sheet, and the sections; each is its own element. */
extern const char report_style[];
void report_map(const struct report *r, FILE *to);
void report_inventory(const struct report *r, FILE *to);
void report_details(const struct report *r, FILE *to);
void report_coverage(const struct report *r, FILE *to);
void report_gaps(const struct report *r, FILE *to);
void report_costs(const struct report *r, FILE *to);
void report_conflicts(const struct report *r, FILE *to);
/* How many values contradict each other, and how many addresses are claimed twice. */
size_t report_conflict_count(const struct report *r);

#endif
