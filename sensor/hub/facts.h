/* What hangs on a node: attributes, services, sub-assets, conversations. */
#ifndef SENSOR_HUB_FACTS_H
#define SENSOR_HUB_FACTS_H

#include "sensor/hub/picture.h"

/* Puts what the finding says on the node it is said of. */
void facts_hear(struct picture *p, struct node *n, const struct finding *f);

#endif
