/* The hash askance:{S}:health: the last health document, and what of it must be newer than ten seconds. */
#ifndef SENSOR_HUB_HEALTH_HASH_H
#define SENSOR_HUB_HEALTH_HASH_H

#include "sensor/redis/redis_link.h"

#include <stddef.h>

void health_hash_start(struct redis_link *l, const char *sensor, int question);
void health_hash_stop(void);

/* The document as it stands now; copied. */
void health_hash_set(const char *body, size_t len);

/* Writes it when it changed or the connection is a new one. */
void health_hash_pump(void);
void health_hash_again(void);
void health_hash_answer(const redisReply *reply);

#endif
