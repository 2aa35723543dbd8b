/* Reads a time, from now on or by the calendar. */
#include "sensor/ctl/moment.h"

#include <stdlib.h>
#include <string.h>

enum { SPAN_MOST = 1000000 };

bool moment_read(const char *text, time_t now, int64_t *at_s)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct tm utc = { .tm_mday = 1 };
	const char *end;

	if (strcmp(text, "now") == 0) {
		*at_s = now;
		return true;
	}
	if (text[0] == '+' && text[1] >= '0' && text[1] <= '9') {
		char *rest;
		long n = strtol(text + 1, &rest, 10);

		for (size_t i = 0; i < sizeof units / sizeof *units; i++)
			if (*rest == units[i].unit && !rest[1] && n <= SPAN_MOST) {
				*at_s = now + n * units[i].seconds;
				return true;
			}
		return false;
	}
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (!end) {
		memset(&utc, 0, sizeof utc);
		end = strptime(text, "%Y-%m-%dT%H:%MZ", &utc);
	}
	if (!end || *end)
		return false;
	*at_s = timegm(&utc);
	return *at_s > 0;
}
