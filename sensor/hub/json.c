/* An append writer for JSON: documents are made by the thousand a second when a plant starts up. */
#include "sensor/hub/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATE_BYTES = 10, TIME_BYTES = 32 };

static char *reserve(struct json *j, size_t more)
{
	if (j->len + more + 1 > j->room) {
		size_t room = (j->len + more + 1) * 2 + 1024;
		char *text = realloc(j->text, room);

		if (!text)
			abort();
		j->text = text;
		j->room = room;
	}
	return j->text + j->len;
}

/* What was written into reserve()'s room, up to `end`. */
static void take(struct json *j, char *end)
{
	*end = 0;
	j->len = (size_t)(end - j->text);
}

static char *copy(char *to, const char *s, size_t n)
{
	memcpy(to, s, n);
	return to + n;
}

/* True when none of eight bytes needs an escape. For each byte the high bit says: below 0x20, a quote, a backslash (or above 0x7f). */
static bool are_plain(uint64_t eight)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	uint64_t quote = eight ^ '"' * ones, backslash = eight ^ '\\' * ones;

	return (((eight - 0x20 * ones) | (quote - ones) | (backslash - ones) | eight) & high) == 0;
}

static char *quote(char *to, const char *s, size_t len)
{
	const char *end = s + len;

	*to++ = '"';
	while (s < end) {
		unsigned char c = (unsigned char)*s;
		uint64_t eight;

		if (end - s >= (ptrdiff_t)sizeof eight) {
			memcpy(&eight, s, sizeof eight);
			if (are_plain(eight)) {
				to = copy(to, s, sizeof eight);
				s += sizeof eight;
				continue;
			}
		}
		s++;
		if (c < 0x20) {
			to += sprintf(to, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			*to++ = '\\';
		*to++ = (char)c;
	}
	*to++ = '"';
	return to;
}

/* Begins a value that takes `more` bytes at most: where they go. Keys are our own words and need no escape. */
static char *begin_value(struct json *j, const char *key, size_t more)
{
	size_t len = key ? strlen(key) : 0;
	char *to = reserve(j, len + more + 4);

	if (!j->first && j->len)
		*to++ = ',';
	j->first = false;
	if (!key)
		return to;
	*to++ = '"';
	to = copy(to, key, len);
	*to++ = '"';
	*to++ = ':';
	return to;
}

void json_free(struct json *j)
{
	free(j->text);
	memset(j, 0, sizeof *j);
}

void json_clear(struct json *j)
{
	reserve(j, 0);
	j->len = 0;
	j->first = true;
}

void json_open(struct json *j, const char *key, char bracket)
{
	char *to = begin_value(j, key, 1);

	*to++ = bracket;
	take(j, to);
	j->first = true;
}

void json_close(struct json *j, char bracket)
{
	char *to = reserve(j, 1);

	*to++ = bracket;
	take(j, to);
	j->first = false;
}

void json_text(struct json *j, const char *key, const char *value)
{
	size_t len = strlen(value);

	/* The worst is \u00XX for each byte. */
	take(j, quote(begin_value(j, key, len * 6 + 2), value, len));
}

void json_text_if(struct json *j, const char *key, const char *value)
{
	if (value && value[0])
		json_text(j, key, value);
}

void json_raw(struct json *j, const char *key, const char *text, size_t len)
{
	take(j, copy(begin_value(j, key, len), text, len));
}

/* Digits that end before `end`; returns where they begin. printf() costs more than all the rest of a document. */
static char *digits(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return end;
}

void json_number(struct json *j, const char *key, int64_t value)
{
	char text[24], *end = text + sizeof text, *at = digits(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

	if (value < 0)
		*--at = '-';
	json_raw(j, key, at, (size_t)(end - at));
}

void json_hundredths(struct json *j, const char *key, unsigned value)
{
	char text[24], *end = text + sizeof text, *at;

	at = digits(end, value % 100);
	if (value % 100 < 10)
		*--at = '0';
	*--at = '.';
	at = digits(at, value / 100);
	json_raw(j, key, at, (size_t)(end - at));
}

void json_bool(struct json *j, const char *key, bool value)
{
	json_raw(j, key, value ? "true" : "false", value ? 4 : 5);
}

/* Fills `width` digits from the left, with zeros before. */
static char *put_digits(char *to, unsigned value, unsigned width)
{
	for (unsigned i = width; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + width;
}

/* Days since 1970 to a date of the Gregorian calendar, by the era of 400 years that begins on 1 March. */
static void date_of_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned of_era = (unsigned)(shifted - era * 146097);
	unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

/* "YYYY-MM-DD"; times of one document are mostly of one day. */
static const char *date_of(struct json *j, int64_t day)
{
	int64_t year;
	unsigned month, of_month;
	char *at = j->date;

	if (*at && j->day == day)
		return at;
	date_of_days(day, &year, &month, &of_month);
	at = put_digits(at, (unsigned)year, 4);
	*at++ = '-';
	at = put_digits(at, month, 2);
	*at++ = '-';
	put_digits(at, of_month, 2);
	j->day = day;
	return j->date;
}

void json_time(struct json *j, const char *key, int64_t time_ns)
{
	int64_t s = time_ns / 1000000000, ns = time_ns % 1000000000, day;
	unsigned of_day;
	char *at;

	if (ns < 0) {
		ns += 1000000000;
		s--;
	}
	day = s / 86400 - (s % 86400 < 0);
	of_day = (unsigned)(s - day * 86400);
	at = begin_value(j, key, TIME_BYTES);
	*at++ = '"';
	at = copy(at, date_of(j, day), DATE_BYTES);
	*at++ = 'T';
	at = put_digits(at, of_day / 3600, 2);
	*at++ = ':';
	at = put_digits(at, of_day / 60 % 60, 2);
	*at++ = ':';
	at = put_digits(at, of_day % 60, 2);
	*at++ = '.';
	at = put_digits(at, (unsigned)(ns / 1000), 6);
	*at++ = 'Z';
	*at++ = '"';
	take(j, at);
}
