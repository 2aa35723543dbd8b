/*
 * What several engines tell of one source, in the order in which one engine would have told it (report_order()), so that
 * the picture is the same with any number of them. A report waits until every other engine of its source is known to
 * have nothing earlier: it has told something later, or says how far it has come (NOTE_ORDER). Nobody is waited for
 * longer than the caller wants.
 */
#ifndef SENSOR_HUB_GATHER_H
#define SENSOR_HUB_GATHER_H

#include "sensor/hub/intake.h"

enum gather_result {
	GATHER_REPORT,
	GATHER_EMPTY,  /* there is none */
	GATHER_WAIT,   /* there is one that waits for an engine */
	GATHER_BROKEN, /* an engine told nonsense, which was told by log_error() */
};

struct gather {
	struct intake *intakes;
	unsigned count; /* 1 .. CONFIG_ENGINES */
	bool hasty; /* nobody is waited for any more */
};

/* The next report and the index of its intake; *report is good until the next call. */
enum gather_result gather_next(struct gather *g, const struct report **report, unsigned *from);

/* Whom the next report waits for is not waited for until it moves on. */
void gather_give_up(struct gather *g);

/* Announces sleep on every ring that gave nothing, as ring_sleep(); false when something came in between. */
bool gather_sleep(struct gather *g);

#endif
