/* Reads what a sensor says of itself. */
#include "sensor/fleet/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t number(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void copy(char *to, size_t room, const json_t *object, const char *key)
{
	witness_copy_text(to, room, json_string_value(json_object_get(object, key)));
}

/* Milliseconds since 1970 of RFC 3339 in UTC, 0 for anything else. */
static int64_t read_time(const char *text)
{
	struct tm t = { .tm_isdst = 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &t) : NULL;
	unsigned milli = 0;

	if (!rest)
		return 0;
	if (*rest == '.')
		sscanf(rest + 1, "%3u", &milli);
	return (int64_t)timegm(&t) * 1000 + milli;
}

/* SENSOR:EPOCH:SEQUENCE */
static uint64_t epoch_of(const char *id)
{
	const char *colon = id ? strchr(id, ':') : NULL;
	uint64_t epoch = 0;

	if (colon)
		sscanf(colon + 1, "%" SCNu64, &epoch);
	return epoch;
}

static void read_losses(struct fleet_sensor *s, const json_t *health)
{
	const json_t *traffic = json_object_get(health, "traffic"), *picture = json_object_get(health, "picture");

	s->drops = number(traffic, "kernel_drops") + number(traffic, "interface_drops") + number(traffic, "ring_drops");
	s->lost = number(traffic, "findings_lost") + number(picture, "assets_refused") + number(picture, "reports_rejected") +
		  number(json_object_get(health, "outbox"), "lost");
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool fleet_sensor_stale(const struct fleet_sensor *s)
{
	return s->read_ms - s->heard_ms > FLEET_STALE_S * 1000;
}

bool fleet_read_health(struct member *m, const char *body, size_t len, bool *new_epoch)
{
	json_t *document = json_loadb(body, len, 0, NULL);
	const json_t *ot = json_object_get(document, "ot"), *health = json_object_get(ot, "health");
	const json_t *redis = json_object_get(health, "redis");
	uint64_t epoch = epoch_of(json_string_value(json_object_get(json_object_get(document, "event"), "id")));
	struct fleet_sensor *s = &m->sensor;
	bool ours = json_is_object(health);

	*new_epoch = ours && m->known && m->epoch != epoch;
	s->read_ms = now_ms();
	if (ours) {
		m->epoch = epoch;
		m->known = true;
		s->heard_ms = read_time(json_string_value(json_object_get(document, "@timestamp")));
		copy(s->zone, sizeof s->zone, ot, "zone");
		copy(s->version, sizeof s->version, json_object_get(document, "observer"), "version");
		copy(s->redis_state, sizeof s->redis_state, redis, "state");
		s->uptime_s = number(health, "uptime_s");
		s->lag_entries = number(redis, "lag_entries");
		s->lag_ms = number(redis, "lag_ms");
		read_losses(s, health);
	}
	json_decref(document);
	return ours;
}
