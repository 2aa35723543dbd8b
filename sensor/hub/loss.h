/* Whether the sensor hears enough to judge what a probe does: the share of frames lost in the last seconds. */
#ifndef SENSOR_HUB_LOSS_H
#define SENSOR_HUB_LOSS_H

#include "sensor/common/message.h"

#include <stdbool.h>

enum {
	LOSS_SECONDS = 10,
	LOSS_PERMILLE = 10, /* more than this of the frames makes it blind */
};

/* With each REPORT_COUNTERS. */
void loss_counters(unsigned engine, const struct engine_counters *c);
/* Once a second. */
void loss_tick(void);
bool loss_is_high(void);

#endif
