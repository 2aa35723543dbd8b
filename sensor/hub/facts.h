/* What hangs on a node: attributes, services, sub-assets, conversations. */
#ifndef SENSOR_HUB_FACTS_H
#define SENSOR_HUB_FACTS_H

#include "sensor/hub/picture.h"

/* True for an attribute of which a device rightly has several values ("ip", "certificate"). */
bool attribute_is_multiple(enum attribute a);
/* True for one that changes in a device's life ("firmware", "name"), so that a new value is no contradiction. */
bool attribute_changes(enum attribute a);

/* Puts what the finding says on the node it is said of. */
void facts_hear(struct picture *p, struct node *n, const struct finding *f);

#endif
