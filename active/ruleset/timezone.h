/*
 * Time zones as the system's tzdata has them, read once: local time without the process's global one,
 * and without a file when nothing may be opened any more.
 */
#ifndef ACTIVE_RULESET_TIMEZONE_H
#define ACTIVE_RULESET_TIMEZONE_H

#include <stdbool.h>
#include <stdint.h>

struct timezone_data;

/* "Europe/Berlin" from /usr/share/zoneinfo, or "UTC". NULL when there is none, or it can't be read. */
struct timezone_data *timezone_load(const char *name);
void timezone_free(struct timezone_data *z);

/* Seconds east of UTC at that moment. */
int32_t timezone_offset(const struct timezone_data *z, int64_t at_s);

#endif
