/*
 * The hub: findings in, picture, gaps and events out. main.c chooses between its two lives, a live
 * sensor (hub_run.c) and one picture of capture files (hub_read.c).
 */
#ifndef SENSOR_HUB_HUB_H
#define SENSOR_HUB_HUB_H

#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"
#include "sensor/hub/document.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	EXIT_CONFIGURATION = 2,
};

/* What is reused from one asset to the next when they are judged and written. */
struct desk {
	const struct knowledge *knowledge;
	const struct picture *picture;
	struct view view;
	struct judgement judgement;
	struct gaps gaps;
	struct document document;
	struct json body; /* see struct subject */
};

/* Views and judges one asset and finds its gaps. The subject holds until the next call. */
struct subject desk_take(struct desk *d, const struct asset *a);
void desk_free(struct desk *d);

/* Takes the consumer's end of the findings ring of engine i from its descriptors. 0, or -1 with errno. */
int ring_of_engine(struct ring *r, unsigned i);
/* The first of those descriptors: records, tail, and the wake to be waited for. */
int records_of_engine(unsigned i);

/* True when every field, and every time, is what an honest engine may send. */
bool report_valid(const struct report *r);

/*
 * Copies the next report out of the ring and checks it. RING_OK with *report, RING_EMPTY, or
 * RING_BROKEN for a ring or report that is wrong in any way, told by log_error().
 */
enum ring_result report_next(struct ring *r, unsigned engine, struct report *report);

/* Both return the exit code of the process. */
int hub_run(const struct hub_config *config);
int hub_read(const struct hub_config *config);

#endif
