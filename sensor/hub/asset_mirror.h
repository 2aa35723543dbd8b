/*
 * Keeps the hashes askance:{S}:asset:ID and the sorted set askance:{S}:changed like the table
 * asset_state. Writing a state twice does no harm, so a lost connection costs a repetition and no more.
 */
#ifndef SENSOR_HUB_ASSET_MIRROR_H
#define SENSOR_HUB_ASSET_MIRROR_H

#include "sensor/redis/redis_link.h"

#include <stdint.h>

struct store;

/* `question` is what the link calls answers to these commands by. */
void asset_mirror_start(struct store *s, struct redis_link *l, const char *sensor, int question);

/* Begins again behind this version of asset_state, 0 for all, when Redis lost what it had. */
void asset_mirror_from(int64_t version);

/* A new connection: goes on after the last change that Redis has. */
void asset_mirror_again(void);

/* Sends states that changed, a bounded number at once. Not within a transaction. */
void asset_mirror_pump(void);
void asset_mirror_answer(const redisReply *reply);

/* Redis has all states up to this version. */
int64_t asset_mirror_done(void);

void asset_mirror_stop(void);

#endif
