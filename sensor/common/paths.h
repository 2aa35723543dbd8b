/* Where the sensor's data lies when nobody says so. */
#ifndef SENSOR_COMMON_PATHS_H
#define SENSOR_COMMON_PATHS_H

#include <stddef.h>

/*
 * The folder of rules: /etc/askance/rules when there is a policy in it, else the one installed beside this program
 * (PREFIX/share/askance/rules), else that of the source tree it was built in. For the askance command and its
 * processes. 0, or -1 when none is there.
 */
int paths_rules(char *path, size_t room);

#endif
