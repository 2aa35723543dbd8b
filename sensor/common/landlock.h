/*
 * The kernel's file and network rights of a process, by Landlock. Only sandbox.c enters it.
 */
#ifndef SENSOR_COMMON_LANDLOCK_H
#define SENSOR_COMMON_LANDLOCK_H

#include "sensor/common/sandbox.h"

/*
 * Version of Landlock in this kernel, 0 when it has none. 1: files; 3: truncation; 4: TCP; 5: device
 * ioctl; 6: signals and abstract sockets to processes outside.
 */
int landlock_version(void);

/* Leaves the process the paths and the TCP port of `s`. no_new_privs must be set. 0, or -1 with errno. */
int landlock_enter(const struct sandbox *s);

#endif
