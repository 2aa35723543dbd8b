/* An append writer for JSON: documents are made by the thousand a second when a plant starts up. */
#include "sensor/hub/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void put(struct json *j, const char *s, size_t n)
{
	memcpy(reserve(j, n), s, n);
	j->len += n;
	j->text[j->len] = 0;
}

static void put_quoted(struct json *j, const char *s)
{
	/* The worst is \u00XX for each byte. */
	char *start = reserve(j, strlen(s) * 6 + 2), *to = start;

	*to++ = '"';
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20) {
			to += sprintf(to, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			*to++ = '\\';
		*to++ = (char)c;
	}
	*to++ = '"';
	*to = 0;
	j->len += (size_t)(to - start);
}

/* Keys are our own words and need no escape. */
static void put_key(struct json *j, const char *key)
{
	size_t len = strlen(key);
	char *to = reserve(j, len + 3);

	*to = '"';
	memcpy(to + 1, key, len); /* its end is in the next. NOLINT(bugprone-not-null-terminated-result) */
	memcpy(to + 1 + len, "\":", 3);
	j->len += len + 3;
}

static void begin_value(struct json *j, const char *key)
{
	if (!j->first && j->len)
		put(j, ",", 1);
	j->first = false;
	if (key)
		put_key(j, key);
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
	begin_value(j, key);
	put(j, &bracket, 1);
	j->first = true;
}

void json_close(struct json *j, char bracket)
{
	put(j, &bracket, 1);
	j->first = false;
}

void json_text(struct json *j, const char *key, const char *value)
{
	begin_value(j, key);
	put_quoted(j, value);
}

void json_text_if(struct json *j, const char *key, const char *value)
{
	if (value && value[0])
		json_text(j, key, value);
}

void json_raw(struct json *j, const char *key, const char *text, size_t len)
{
	begin_value(j, key);
	put(j, text, len);
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

void json_time(struct json *j, const char *key, int64_t time_ns)
{
	int64_t s = time_ns / 1000000000, ns = time_ns % 1000000000, days, year;
	unsigned month, day, of_day;
	char text[32], *at = text;

	if (ns < 0) {
		ns += 1000000000;
		s--;
	}
	days = s / 86400 - (s % 86400 < 0);
	of_day = (unsigned)(s - days * 86400);
	date_of_days(days, &year, &month, &day);
	*at++ = '"';
	at = put_digits(at, (unsigned)year, 4);
	*at++ = '-';
	at = put_digits(at, month, 2);
	*at++ = '-';
	at = put_digits(at, day, 2);
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
	json_raw(j, key, text, (size_t)(at - text));
}
