/* What the picture knows of a target at the moment it is to be asked. */
#ifndef SENSOR_HUB_DISPATCH_FACTS_H
#define SENSOR_HUB_DISPATCH_FACTS_H

#include "sensor/hub/proposal.h"

/* Fills heard_s, conflict and seen of the order. */
void dispatch_facts(const struct picture *p, const struct proposal *x, const struct rule *rule, struct order *o);

#endif
