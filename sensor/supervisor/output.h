/* One item of `outputs:`: a list for one consumer, or the channels. */
#ifndef SENSOR_SUPERVISOR_OUTPUT_H
#define SENSOR_SUPERVISOR_OUTPUT_H

#include "sensor/supervisor/settings.h"

/* Reads {list: NAME, ...} or {channel: true} into the struct configuration at `base`. */
void output_read(struct settings *s, yaml_node_t *node, void *base);

#endif
