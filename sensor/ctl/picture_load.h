/* A picture from wherever it is: a capture, a file of documents, or the running sensor. */
#ifndef SENSOR_CTL_PICTURE_LOAD_H
#define SENSOR_CTL_PICTURE_LOAD_H

#include "sensor/ctl/asset_list.h"
#include "sensor/ctl/capture_read.h"

/*
 * `name` is a capture, or what `askance read --json` and `askance assets --json` print ("-" is stdin, for either);
 * NULL is the sensor that `l` reaches. The documents come in one order, whatever the source. Returns EXIT_WELL,
 * EXIT_PARTLY when some of it is missing, EXIT_NOTHING when all is; messages name l->verb.
 * asset_list_free() in every case.
 */
int picture_load(struct asset_list *a, const char *name, const struct capture_options *o, struct sensor_link *l);

#endif
