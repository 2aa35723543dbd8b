/*
 * What is usual between one server and one client, learned from the figures that engines tell (struct pulse),
 * and what is not. Knows nothing of orders and devices: see watch.h.
 */
#ifndef SENSOR_HUB_WATCH_BASELINE_H
#define SENSOR_HUB_WATCH_BASELINE_H

#include "sensor/common/message.h"

/* Running mean of what reports said of one thing, how far they lie from it, and the most of all. Microseconds. */
struct feature {
	double mean, spread, most;
	uint32_t count;
};

struct baseline {
	int64_t first_ns;      /* the first report */
	int64_t steady_ns;     /* since then nothing was unusual */
	int64_t last_ns;
	int64_t lossy_ns;      /* the last report in which the capture had lost frames */
	int64_t strike_ns;     /* the last figure that was odd, and no more than that */
	struct feature gap;    /* means of reports: from request to request */
	struct feature rtt;    /* request to reply */
	struct feature jitter; /* of the gaps */
	double gap_most, rtt_most; /* single ones, in microseconds */
	uint32_t reports;
	uint32_t errors_most, writes_most, retransmits_most, unanswered_most, resets_most[2];
	uint64_t requests;
};

enum { BASELINE_WHY_BYTES = 256 };

/*
 * Takes a report in; without `learning` it is only compared, so that a fault can't become usual bit by bit. True when it is out of what was usual; *why says so with figures, and what is usual
 * is learned anew. Nothing is unusual before enough was heard.
 */
bool baseline_hear(struct baseline *b, const struct pulse *p, bool learning, char why[BASELINE_WHY_BYTES]);

/* True when asking comes in a rhythm, so that silence and slowness mean something. */
bool baseline_is_cyclic(const struct baseline *b);
/* True when it never comes to rest: the figures of one second are far from those of the next. *why as above. */
bool baseline_is_noisy(const struct baseline *b, char why[BASELINE_WHY_BYTES]);
/* True when these are far more writes than there ever were. */
bool baseline_is_write_burst(const struct baseline *b, const struct pulse *p);

#endif
