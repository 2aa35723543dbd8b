/*
 * Times that the sensor believes: nanoseconds since 1970, from 0 (not known) to a day of 2116. Every time that comes in is held
 * against this range at the door it comes in by, so that behind it no difference of two times overflows, nor the sum of a time and
 * any patience.
 */
#ifndef SENSOR_COMMON_TIME_RANGE_H
#define SENSOR_COMMON_TIME_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#define TIME_MOST_NS (INT64_MAX / 2)
#define TIME_MOST_MS (TIME_MOST_NS / 1000000)
#define TIME_MOST_S (TIME_MOST_NS / 1000000000)

static inline bool time_valid(int64_t time_ns)
{
	return (uint64_t)time_ns <= (uint64_t)TIME_MOST_NS;
}

/* The nearest time of the range: for what was learned before and is kept, whatever its time. */
static inline int64_t time_within(int64_t time, int64_t most)
{
	return time < 0 ? 0 : time < most ? time : most;
}

#endif
