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

static uint64_t load8(const char *s)
{
	uint64_t v;

	memcpy(&v, s, sizeof v);
	return v;
}

static uint64_t load4(const char *s)
{
	uint32_t v;

	memcpy(&v, s, sizeof v);
	return v;
}

/* The last bytes are looked at with those before them, so that none is looked at alone. False in doubt, and when there are few. */
static bool is_plain(const char *s, size_t len)
{
	if (len < 4)
		return false;
	if (len < 8)
		return are_plain(load4(s) | load4(s + len - 4) << 32);
	for (size_t i = 0; i + 8 < len; i += 8)
		if (!are_plain(load8(s + i)))
			return false;
	return are_plain(load8(s + len - 8));
}

static char *escape(char *to, const char *s, size_t len)
{
	for (const char *end = s + len; s < end; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20) {
			to += sprintf(to, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			*to++ = '\\';
		*to++ = (char)c;
	}
	return to;
}

static char *quote(char *to, const char *s, size_t len)
{
	*to++ = '"';
	to = is_plain(s, len) ? copy(to, s, len) : escape(to, s, len);
	*to++ = '"';
	return to;
}

/* Begins a value that takes `more` bytes at most: where they go. Keys are our own words and need no escape. */
static char *begin_value(struct json *j, const char *key, size_t len, size_t more)
{
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

void json_put_open(struct json *j, const char *key, size_t key_len, char bracket)
{
	char *to = begin_value(j, key, key_len, 1);

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

void json_put_text(struct json *j, const char *key, size_t key_len, const char *value)
{
	size_t len = strlen(value);

	/* The worst is \u00XX for each byte. */
	take(j, quote(begin_value(j, key, key_len, len * 6 + 2), value, len));
}

void json_put_raw(struct json *j, const char *key, size_t key_len, const char *text, size_t len)
{
	take(j, copy(begin_value(j, key, key_len, len), text, len));
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

void json_put_number(struct json *j, const char *key, size_t key_len, int64_t value)
{
	char text[24], *end = text + sizeof text, *at = digits(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

	if (value < 0)
		*--at = '-';
	json_put_raw(j, key, key_len, at, (size_t)(end - at));
}

void json_put_hundredths(struct json *j, const char *key, size_t key_len, unsigned value)
{
	char text[24], *end = text + sizeof text, *at;

	at = digits(end, value % 100);
	if (value % 100 < 10)
		*--at = '0';
	*--at = '.';
	at = digits(at, value / 100);
	json_put_raw(j, key, key_len, at, (size_t)(end - at));
}

/* 0 .. 99 in two digits. */
static char *put_two(char *to, unsigned value)
{
	to[0] = (char)('0' + value / 10);
	to[1] = (char)('0' + value % 10);
	return to + 2;
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
	at = put_two(at, (unsigned)year / 100);
	at = put_two(at, (unsigned)year % 100);
	*at++ = '-';
	at = put_two(at, month);
	*at++ = '-';
	put_two(at, of_month);
	j->day = day;
	return j->date;
}

void json_put_time(struct json *j, const char *key, size_t key_len, int64_t time_ns)
{
	int64_t s = time_ns / 1000000000, ns = time_ns % 1000000000, day;
	unsigned of_day, us;
	char *at;

	if (ns < 0) {
		ns += 1000000000;
		s--;
	}
	day = s / 86400 - (s % 86400 < 0);
	of_day = (unsigned)(s - day * 86400);
	at = begin_value(j, key, key_len, TIME_BYTES);
	*at++ = '"';
	at = copy(at, date_of(j, day), DATE_BYTES);
	*at++ = 'T';
	at = put_two(at, of_day / 3600);
	*at++ = ':';
	at = put_two(at, of_day / 60 % 60);
	*at++ = ':';
	at = put_two(at, of_day % 60);
	*at++ = '.';
	us = (unsigned)(ns / 1000);
	at = put_two(at, us / 10000);
	at = put_two(at, us / 100 % 100);
	at = put_two(at, us % 100);
	*at++ = 'Z';
	*at++ = '"';
	take(j, at);
}
