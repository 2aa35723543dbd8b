/*
 * How much of an inventory is known: the attributes of CISA's list (Foundations for OT Cybersecurity: Asset
 * Inventory Guidance, August 2025, appendix A) that a network can tell. The others of the list, as criticality,
 * asset number, user accounts, owner, backup or dates, no sensor can know, and they count neither way.
 */
#ifndef SENSOR_HUB_COMPLETENESS_H
#define SENSOR_HUB_COMPLETENESS_H

#include "sensor/hub/document.h"

/* "completeness", the share that is known, and "lacks", the names of the others when there are any. */
void completeness_put(struct json *j, const struct subject *s);

#endif
