/*
 * The slow job on the stream: who reads it and how far behind they are, an alarm when that is too far, and,
 * where the configuration wants it, the removal of old entries that every consumer group has acknowledged.
 *
 * Age is counted in time of publishing, by marks in the store, and not by a clock: a clock that jumps by
 * years must not empty the stream. Without any group age alone decides. A group that is made later should
 * know that older entries may be gone.
 */
#ifndef SENSOR_HUB_STREAM_TRIM_H
#define SENSOR_HUB_STREAM_TRIM_H

#include "sensor/common/config.h"
#include "sensor/hub/json.h"
#include "sensor/redis/redis_link.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

enum { STREAM_TRIM_GROUPS = 32, STREAM_TRIM_QUESTIONS = 2 + STREAM_TRIM_GROUPS };

/* `config` and `stream`, its key, stay the caller's. */
void stream_trim_start(struct store *s, struct redis_link *l, const struct hub_config *config, const char *stream, int question);
void stream_trim_stop(void);

/* A new connection: nothing is under way. */
void stream_trim_again(void);

/* Begins when it is due, and returns true then. Redis has the entries up to `acked` of `epoch`, which began behind the number `base`. */
bool stream_trim_tick(uint64_t epoch, int64_t base, int64_t acked);

/* True when an event was appended. */
bool stream_trim_answer(int question, const redisReply *reply);

/* "consumers" of the health document, when there are any; and how many entries were removed since the start. */
void stream_trim_health(struct json *j);
uint64_t stream_trim_removed(void);

#endif
