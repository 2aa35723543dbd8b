/* Windows: when probes may run, by the wall clock of the window's own time zone. */
#include "active/ruleset/policy_check.h"
#include "active/ruleset/timezone.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum { MINUTE_S = 60, DAY_MINUTES = 24 * 60, DAYS_AHEAD = 15, DAYS_OF_WEEK = 7 };

static bool is_for_zone(const struct window_file *w, const char *zone)
{
	for (size_t i = 0; i < w->zones_count; i++)
		if (fnmatch(w->zones[i], zone ? zone : "", FNM_CASEFOLD) == 0)
			return true;
	return w->zones_count == 0;
}

/*
 * The day named is that on which the window begins. An hour that the clock leaps over is not there on that
 * day, and one that it repeats is there twice.
 */
static bool is_within(const struct window_file *w, const struct timezone_data *z, int64_t at_s)
{
	int64_t local = at_s + timezone_offset(z, at_s), minutes = local / MINUTE_S;
	int minute = (int)(minutes % DAY_MINUTES);
	unsigned int day = (unsigned int)((minutes / DAY_MINUTES + 3) % DAYS_OF_WEEK); /* Monday 0; 1970 began on a Thursday */
	unsigned int before = (day + DAYS_OF_WEEK - 1) % DAYS_OF_WEEK;
	int from = policy_minutes(w->from), to = policy_minutes(w->to);

	if (from < to)
		return (w->days & 1U << day) && minute >= from && minute < to;
	return ((w->days & 1U << day) && minute >= from) || ((w->days & 1U << before) && minute < to);
}

/* The first window that is open then, -1 for none. */
static int find_open(const struct windows_file *w, struct timezone_data *const *zones, const char *zone, int64_t at_s)
{
	for (size_t i = 0; i < w->windows_count; i++)
		if (is_for_zone(&w->windows[i], zone) && is_within(&w->windows[i], zones[i], at_s))
			return (int)i;
	return -1;
}

struct policy_window policy_window(const struct policy *policy, const char *zone, int64_t at_s)
{
	const struct windows_file *w = policy_data(policy, POLICY_WINDOWS);
	int open = find_open(w, policy_zones(policy), zone, at_s);
	struct policy_window answer = { .open = open >= 0 };

	if (answer.open)
		snprintf(answer.why, sizeof(answer.why), "windows.yaml:%u: %s is open",
			 policy_line(policy, POLICY_WINDOWS, "windows", (size_t)open), w->windows[open].name);
	else
		snprintf(answer.why, sizeof(answer.why), "no window of windows.yaml is open for zone %s", zone ? zone : "");
	return answer;
}

int64_t policy_window_changes(const struct policy *policy, const char *zone, int64_t at_s)
{
	const struct windows_file *w = policy_data(policy, POLICY_WINDOWS);
	bool open = find_open(w, policy_zones(policy), zone, at_s) >= 0;

	at_s -= at_s % MINUTE_S;
	for (int i = 0; i < DAYS_AHEAD * DAY_MINUTES; i++) {
		at_s += MINUTE_S;
		if ((find_open(w, policy_zones(policy), zone, at_s) >= 0) != open)
			return at_s;
	}
	return 0;
}
