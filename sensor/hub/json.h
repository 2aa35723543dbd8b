/*
 * Writes JSON by appending, in the order of the calls. Texts must be valid UTF-8 without control
 * characters, as finding_valid() promises of everything an engine says.
 */
#ifndef SENSOR_HUB_JSON_H
#define SENSOR_HUB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json {
	char *text;
	size_t len, room;
	bool first; /* nothing stands before in this object or array */
	char date[11]; /* of `day`, in days since 1970, as it was last written; empty before */
	int64_t day;
};

void json_free(struct json *j);
void json_clear(struct json *j);

/* For the calls below alone: they are inline so that the lengths of keys are known when they are compiled. */
void json_put_open(struct json *j, const char *key, size_t key_len, char bracket);
void json_put_text(struct json *j, const char *key, size_t key_len, const char *value);
void json_put_number(struct json *j, const char *key, size_t key_len, int64_t value);
void json_put_hundredths(struct json *j, const char *key, size_t key_len, unsigned value);
void json_put_time(struct json *j, const char *key, size_t key_len, int64_t time_ns);
void json_put_raw(struct json *j, const char *key, size_t key_len, const char *text, size_t len);

static inline size_t json_key_len(const char *key)
{
	return key ? strlen(key) : 0;
}

/* '{' or '['; `key` is NULL inside an array and at the start. */
static inline void json_open(struct json *j, const char *key, char bracket)
{
	json_put_open(j, key, json_key_len(key), bracket);
}

void json_close(struct json *j, char bracket);

static inline void json_text(struct json *j, const char *key, const char *value)
{
	json_put_text(j, key, json_key_len(key), value);
}

/* As above, but leaves key and value out when there is no value. */
static inline void json_text_if(struct json *j, const char *key, const char *value)
{
	if (value && value[0])
		json_text(j, key, value);
}

static inline void json_number(struct json *j, const char *key, int64_t value)
{
	json_put_number(j, key, json_key_len(key), value);
}

/* Two decimals: 0.85 for 85. */
static inline void json_hundredths(struct json *j, const char *key, unsigned value)
{
	json_put_hundredths(j, key, json_key_len(key), value);
}

/* RFC 3339, UTC, microseconds. */
static inline void json_time(struct json *j, const char *key, int64_t time_ns)
{
	json_put_time(j, key, json_key_len(key), time_ns);
}

/* Bytes that are JSON already, as the next value. */
static inline void json_raw(struct json *j, const char *key, const char *text, size_t len)
{
	json_put_raw(j, key, json_key_len(key), text, len);
}

static inline void json_bool(struct json *j, const char *key, bool value)
{
	json_raw(j, key, value ? "true" : "false", value ? 4 : 5);
}

#endif
