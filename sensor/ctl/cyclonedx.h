/* Assets as a CycloneDX 1.6 bill of materials (cyclonedx.org, ECMA-424): devices with firmware, systems and sub-assets. */
#ifndef SENSOR_CTL_CYCLONEDX_H
#define SENSOR_CTL_CYCLONEDX_H

#include "sensor/ctl/asset_list.h"

#include <time.h>

/*
 * A new reference, or NULL when there is no memory. `now` is when the document is made. Its serial number follows from
 * what is in it: the same picture gives the same one.
 */
json_t *cyclonedx_of(const struct asset_list *a, time_t now);

#endif
