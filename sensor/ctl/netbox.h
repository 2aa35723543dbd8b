/*
 * Assets as NetBox imports devices (Devices > Import, CSV or JSON; NetBox 3.6 and later): name, status, role,
 * manufacturer, device_type, serial, asset_tag, site, comments. The asset's id is the asset tag, which NetBox keeps
 * unique, so that the same device is not imported twice.
 */
#ifndef SENSOR_CTL_NETBOX_H
#define SENSOR_CTL_NETBOX_H

#include "sensor/ctl/asset_list.h"

#include <stdbool.h>
#include <stdio.h>

/* `site` NULL: the zone of each. 0, or -1 when there is no memory. */
int netbox_write(const struct asset_list *a, const char *site, bool as_json, FILE *to);

#endif
