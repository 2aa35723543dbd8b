/*
 * Writes JSON by appending, in the order of the calls. Texts must be valid UTF-8 without control
 * characters, as finding_valid() promises of everything an engine says.
 */
#ifndef SENSOR_HUB_JSON_H
#define SENSOR_HUB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	char *text;
	size_t len, room;
	bool first; /* nothing stands before in this object or array */
	char date[11]; /* of `day`, in days since 1970, as it was last written; empty before */
	int64_t day;
};

void json_free(struct json *j);
void json_clear(struct json *j);

/* '{' or '['; `key` is NULL inside an array and at the start. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);

void json_text(struct json *j, const char *key, const char *value);
/* As above, but leaves key and value out when there is no value. */
void json_text_if(struct json *j, const char *key, const char *value);
void json_number(struct json *j, const char *key, int64_t value);
/* Two decimals: 0.85 for 85. */
void json_hundredths(struct json *j, const char *key, unsigned value);
void json_bool(struct json *j, const char *key, bool value);
/* RFC 3339, UTC, microseconds. */
void json_time(struct json *j, const char *key, int64_t time_ns);
/* Bytes that are JSON already, as the next value. */
void json_raw(struct json *j, const char *key, const char *text, size_t len);

#endif
