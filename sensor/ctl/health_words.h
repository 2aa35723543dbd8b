/* What the sensor's health document in Redis says, for who shows it. */
#ifndef SENSOR_CTL_HEALTH_WORDS_H
#define SENSOR_CTL_HEALTH_WORDS_H

#include <jansson.h>

enum { HEALTH_STALE_S = 30 /* one comes every ten seconds */ };

/* The "ot"."health" of the document. */
const json_t *health_of(const json_t *document);

/* The number at a path of keys parted by dots, "traffic.frames"; 0 when it is not there. */
json_int_t health_number(const json_t *health, const char *path);

/* The text under a key of a group, "redis", "state"; "unknown" when it is not there. */
const char *health_text(const json_t *health, const char *group, const char *key);

/* Seconds since the document was written; -1 when its time can't be read. */
double health_age_s(const json_t *document);

/* What a sensor can lose, and the words for it; ended by a NULL path. */
extern const struct health_loss {
	const char *path, *words;
} health_losses[];

#endif
