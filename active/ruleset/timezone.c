/*
 * Reads a time zone's file (TZif, RFC 8536), version 2 or later: the part with 64-bit times, and the rule
 * in its last line for the time after the last of them.
 *
 *   "TZif" version, 15 unused, isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt   (44 bytes)
 *   times[timecnt]  types[timecnt]  { utoff:4, dst:1, name:1 }[typecnt]  names  leaps  std  ut
 *   once for 32-bit times, again for 64-bit ones, then "\nCET-1CEST,M3.5.0,M10.5.0/3\n"
 */
#include "active/ruleset/timezone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADER_BYTES = 44,
	FILE_MOST = 65536,
	TYPES_MOST = 256,
	TYPE_BYTES = 6,
	DAY_S = 86400,
	HOUR_S = 3600,
	RULE_AT_S = 2 * HOUR_S, /* of a change whose hour is not written */
	OFFSET_MOST_S = 26 * HOUR_S,
};

/* When a year's change falls: Mm.w.d, Jn (from 1, never 29 February) or n (from 0). */
struct change {
	char form;
	int month, week, day;
	int32_t at_s; /* local time before the change */
};

struct timezone_data {
	size_t count;
	int64_t *times;      /* in order */
	int32_t *offsets;    /* from that time on */
	int32_t first;       /* before the first */
	bool has_rule, has_dst;
	int32_t standard, daylight;
	struct change begin, end;
};

static uint64_t read_be(const uint8_t *at, size_t n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | *at++;
	return value;
}

/* hh[:mm[:ss]], with a sign. */
static bool read_hours(const char **text, int32_t *seconds)
{
	int32_t sign = 1, unit = HOUR_S, total = 0;

	if (**text == '-' || **text == '+')
		sign = *(*text)++ == '-' ? -1 : 1;
	for (; unit; unit /= 60) {
		char *end;
		long n;

		if (**text < '0' || **text > '9')
			return false;
		n = strtol(*text, &end, 10);
		if (n > 168)
			return false;
		total += (int32_t)n * unit;
		*text = end;
		if (**text != ':')
			break;
		(*text)++;
	}
	*seconds = sign * total;
	return true;
}

/* CET or <+03>. */
static bool skip_name(const char **text)
{
	const char *from = *text;

	if (**text == '<') {
		*text += strcspn(*text, ">");
		return *(*text) && ++(*text) - from > 2;
	}
	while ((**text >= 'a' && **text <= 'z') || (**text >= 'A' && **text <= 'Z'))
		(*text)++;
	return *text - from >= 3;
}

static bool read_change(const char **text, struct change *c)
{
	int used = 0;

	if (*(*text)++ != ',')
		return false;
	*c = (struct change){ .form = **text, .at_s = RULE_AT_S };
	if (c->form == 'M') {
		if (sscanf(*text, "M%2d.%1d.%1d%n", &c->month, &c->week, &c->day, &used) != 3 || c->month < 1 || c->month > 12 ||
		    c->week < 1 || c->week > 5 || c->day < 0 || c->day > 6)
			return false;
	} else if (c->form == 'J') {
		if (sscanf(*text, "J%3d%n", &c->day, &used) != 1 || c->day < 1 || c->day > 365)
			return false;
	} else {
		c->form = 'n';
		if (sscanf(*text, "%3d%n", &c->day, &used) != 1 || c->day < 0 || c->day > 365)
			return false;
	}
	*text += used;
	if (**text != '/')
		return true;
	(*text)++;
	return read_hours(text, &c->at_s);
}

/* POSIX's TZ, whose offsets count west of UTC. */
static bool read_rule(struct timezone_data *z, const char *text)
{
	int32_t west;

	if (!skip_name(&text) || !read_hours(&text, &west))
		return false;
	z->standard = -west;
	z->has_rule = true;
	if (!*text)
		return true;
	if (!skip_name(&text))
		return false;
	z->daylight = z->standard + HOUR_S;
	if (*text != ',') {
		if (!read_hours(&text, &west))
			return false;
		z->daylight = -west;
	}
	z->has_dst = true;
	return read_change(&text, &z->begin) && read_change(&text, &z->end) && *text == '\0';
}

static bool read_times(struct timezone_data *z, const uint8_t *at, size_t types)
{
	const uint8_t *which = at + 8 * z->count, *ttinfo = which + z->count;

	z->times = calloc(z->count + 1, sizeof(*z->times));
	z->offsets = calloc(z->count + 1, sizeof(*z->offsets));
	if (!z->times || !z->offsets || types == 0)
		return false;
	for (size_t i = 0; i < z->count; i++) {
		z->times[i] = (int64_t)read_be(at + 8 * i, 8);
		if (which[i] >= types || (i && z->times[i] <= z->times[i - 1]))
			return false;
		z->offsets[i] = (int32_t)read_be(ttinfo + TYPE_BYTES * which[i], 4);
		if (z->offsets[i] > OFFSET_MOST_S || z->offsets[i] < -OFFSET_MOST_S)
			return false;
	}
	z->first = (int32_t)read_be(ttinfo, 4);
	return z->first <= OFFSET_MOST_S && z->first >= -OFFSET_MOST_S;
}

/* Bytes behind a header; `width` of a time. 0 for a header that is none. */
static size_t block_bytes(const uint8_t *header, size_t width)
{
	size_t utc = read_be(header + 20, 4), standard = read_be(header + 24, 4), leaps = read_be(header + 28, 4);
	size_t times = read_be(header + 32, 4), types = read_be(header + 36, 4), chars = read_be(header + 40, 4);

	if (memcmp(header, "TZif", 4) != 0 || utc > FILE_MOST || standard > FILE_MOST || leaps > FILE_MOST || times > FILE_MOST ||
	    types == 0 || types > TYPES_MOST || chars > FILE_MOST)
		return 0;
	return times * (width + 1) + types * TYPE_BYTES + chars + leaps * (width + 4) + standard + utc;
}

static bool read_file(struct timezone_data *z, const uint8_t *bytes, size_t len)
{
	size_t skipped, block;
	const uint8_t *header;
	const char *rule;

	if (len < HEADER_BYTES || bytes[4] < '2')
		return false;
	skipped = HEADER_BYTES + block_bytes(bytes, 4);
	if (skipped == HEADER_BYTES || len < skipped + HEADER_BYTES)
		return false;
	header = bytes + skipped;
	block = block_bytes(header, 8);
	if (!block || len < skipped + HEADER_BYTES + block + 2)
		return false;
	z->count = read_be(header + 32, 4);
	if (!read_times(z, header + HEADER_BYTES, read_be(header + 36, 4)))
		return false;
	/* The rule stands between two line ends; the buffer ends in a zero. */
	rule = (const char *)header + HEADER_BYTES + block;
	if (rule[0] != '\n' || !strchr(rule + 1, '\n'))
		return false;
	*strchr((char *)(uintptr_t)(rule + 1), '\n') = '\0';
	return rule[1] == '\0' || read_rule(z, rule + 1);
}

struct timezone_data *timezone_load(const char *name)
{
	char path[256];
	struct timezone_data *z = calloc(1, sizeof(*z));
	uint8_t *bytes = calloc(1, FILE_MOST + 1);
	FILE *f = NULL;
	bool read = false;

	if (strcmp(name, "UTC") == 0) {
		free(bytes);
		return z;
	}
	if (name[0] != '/' && !strstr(name, "..") && snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name) < (int)sizeof(path))
		f = fopen(path, "re");
	if (f && z && bytes)
		read = read_file(z, bytes, fread(bytes, 1, FILE_MOST, f));
	if (f)
		fclose(f);
	free(bytes);
	if (read)
		return z;
	timezone_free(z);
	return NULL;
}

void timezone_free(struct timezone_data *z)
{
	if (!z)
		return;
	free(z->times);
	free(z->offsets);
	free(z);
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970 to the first of January, by the years and leap days between. */
static int64_t days_to_year(int64_t year)
{
	int64_t y = year - 1;

	return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static int64_t year_of(int64_t at_s)
{
	int64_t days = at_s / DAY_S, year = 1970 + days / 366;

	while (days_to_year(year + 1) <= days)
		year++;
	return year;
}

static int64_t change_day(const struct change *c, int64_t year)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
	int64_t january = days_to_year(year), first, day;
	int length;

	if (c->form == 'n')
		return january + c->day;
	if (c->form == 'J')
		return january + c->day - 1 + (is_leap(year) && c->day > 59);
	first = january + before[c->month - 1] + (is_leap(year) && c->month > 2);
	length = before[c->month] - before[c->month - 1] + (is_leap(year) && c->month == 2);
	/* 1 January 1970 was a Thursday. */
	day = (c->day - (first + 4) % 7 + 7) % 7 + 7 * (c->week - 1);
	return first + (day >= length ? day - 7 : day);
}

static int32_t rule_offset(const struct timezone_data *z, int64_t at_s)
{
	int64_t year, begin, end;
	bool between;

	if (!z->has_dst)
		return z->standard; /* there are no changes to look for */
	year = year_of(at_s + z->standard);
	begin = change_day(&z->begin, year) * DAY_S + z->begin.at_s - z->standard;
	end = change_day(&z->end, year) * DAY_S + z->end.at_s - z->daylight;
	between = begin < end ? at_s >= begin && at_s < end : at_s >= begin || at_s < end;
	return between ? z->daylight : z->standard;
}

int32_t timezone_offset(const struct timezone_data *z, int64_t at_s)
{
	size_t low = 0, high = z->count;

	if (z->has_rule && at_s >= 0 && (z->count == 0 || at_s >= z->times[z->count - 1]))
		return rule_offset(z, at_s);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (z->times[middle] <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? z->offsets[low - 1] : z->first;
}
