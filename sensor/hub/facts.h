/* What hangs on a node: attributes, services, sub-assets, conversations. */
#ifndef SENSOR_HUB_FACTS_H
#define SENSOR_HUB_FACTS_H

#include "sensor/hub/picture.h"

/* Puts what the finding says on the node it is said of. */
void facts_hear(struct picture *p, struct node *n, const struct finding *f);

/* When any value of the sub-asset `path` (a text that is kept) was heard last, in capture time; INT64_MIN without a value. */
int64_t facts_newest(const struct node *n, const char *path);

#endif
