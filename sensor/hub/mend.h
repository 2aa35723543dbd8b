/* After a damaged store was replaced: numbers whose events can't be read any more are told as lost (events-lost). */
#ifndef SENSOR_HUB_MEND_H
#define SENSOR_HUB_MEND_H

#include "sensor/common/config.h"

struct store;

/* Before anybody reads the outbox. 0, also when there is nothing to mend; -1 when the store fails. */
int mend_outbox(struct store *s, const struct hub_config *config);

#endif
