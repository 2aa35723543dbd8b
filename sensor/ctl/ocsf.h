/* An asset's document as an event of OCSF 1.5, class 5001 Device Inventory Info (schema.ocsf.io). */
#ifndef SENSOR_CTL_OCSF_H
#define SENSOR_CTL_OCSF_H

#include <jansson.h>

/* A new reference, or NULL when the document is no asset's. What OCSF has no place for stands under `unmapped`. */
json_t *ocsf_of_asset(const json_t *document);

#endif
