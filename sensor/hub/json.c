/* An append writer for JSON: documents are made by the thousand a second when a plant starts up. */
#include "sensor/hub/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

		if (c == '"' || c == '\\')
			*to++ = '\\';
		if (c < 0x20)
			to += sprintf(to, "\\u%04x", c);
		else
			*to++ = (char)c;
	}
	*to++ = '"';
	*to = 0;
	j->len += (size_t)(to - start);
}

static void begin_value(struct json *j, const char *key)
{
	if (!j->first && j->len)
		put(j, ",", 1);
	j->first = false;
	if (key) {
		put_quoted(j, key);
		put(j, ":", 1);
	}
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

void json_number(struct json *j, const char *key, int64_t value)
{
	char text[24];

	json_raw(j, key, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

void json_hundredths(struct json *j, const char *key, unsigned value)
{
	char text[24];

	json_raw(j, key, text, (size_t)snprintf(text, sizeof text, "%u.%02u", value / 100, value % 100));
}

void json_bool(struct json *j, const char *key, bool value)
{
	json_raw(j, key, value ? "true" : "false", value ? 4 : 5);
}

void json_time(struct json *j, const char *key, int64_t time_ns)
{
	int64_t s = time_ns / 1000000000, ns = time_ns % 1000000000;
	char text[64];
	struct tm tm;
	time_t t;

	if (ns < 0) {
		ns += 1000000000;
		s--;
	}
	t = (time_t)s;
	gmtime_r(&t, &tm);
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		 tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns / 1000));
	json_text(j, key, text);
}
