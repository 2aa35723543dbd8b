/* Times as people write them. */
#ifndef SENSOR_CTL_MOMENT_H
#define SENSOR_CTL_MOMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* "now", "+30m", "+8h", "+2d", "+45s", or 2026-11-22T22:00[:00]Z. False when it is none. */
bool moment_read(const char *text, time_t now, int64_t *at_s);

#endif
