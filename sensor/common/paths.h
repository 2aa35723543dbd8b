/* Where the sensor's data lies when nobody says so, and where a file stands. */
#ifndef SENSOR_COMMON_PATHS_H
#define SENSOR_COMMON_PATHS_H

#include "sensor/common/config.h"

#include <stddef.h>

/*
 * The folder of rules: /etc/askance/rules when there is a policy in it, else the one installed beside this program
 * (PREFIX/share/askance/rules), else that of the source tree it was built in. For the askance command and its
 * processes. 0, or -1 when none is there.
 */
int paths_rules(char *path, size_t room);

/* The folder that a file stands in, "." where its name has none. What is returned may be `room`. */
const char *paths_folder(const char *file, char room[CONFIG_PATH_BYTES]);

#endif
