/*
 * What Redis says of itself in INFO: whether it would rather drop the stream than refuse a write, whether it
 * keeps what it has over a crash, and how much of its memory is used. Asked at each connection and once a
 * minute. A user without the right to ask is told so once; nothing depends on it.
 */
#ifndef SENSOR_HUB_SERVER_H
#define SENSOR_HUB_SERVER_H

#include "sensor/hub/json.h"
#include "sensor/redis/redis_link.h"

enum { SERVER_QUESTIONS = 1 };

void server_start(struct redis_link *l, int question);
void server_ask(void);
void server_answer(const redisReply *reply);

/* Members of "redis" in the health document. */
void server_health(struct json *j);

#endif
