/*
 * What stands in Redis beside the stream: lists that one consumer each empties, and channels.
 *
 *   askance:{S}:q:NAME     list of bodies, oldest at the head
 *   askance:{S}:lists      hash, field NAME: "EPOCH-SEQUENCE DROPPED", how far that list has come
 *   askance:{S}:live:TYPE  channel of bodies
 *
 * Lists are pushed to in the transaction that adds the entries to the stream, and their place is written
 * in it too. So Redis itself knows after a lost answer, a deleted stream or a lost tail what a list has
 * had, whatever became of the stream. A channel is told after the stream and never twice.
 */
#ifndef SENSOR_HUB_OUTPUTS_H
#define SENSOR_HUB_OUTPUTS_H

#include "sensor/common/config.h"
#include "sensor/hub/json.h"
#include "sensor/hub/outbox.h"
#include "sensor/redis/redis_link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTPUTS_BATCH = 2048 }; /* most entries of a transaction */

/* `queued` is what answers within the transaction are called by, `question` the first of our own. Channels begin after `newest`. */
void outputs_start(const struct hub_config *config, struct redis_link *l, int queued, int question, int64_t newest);
void outputs_stop(void);

/* A new connection: a channel that was refused is tried again. */
void outputs_again(void);

/* Asks for the lists' places and lengths. Answers come before those to what is asked later. */
void outputs_ask(void);
/* True when lists have lost what they had: the stream may have too, and must be asked before anything is sent. */
bool outputs_answer(int question, const redisReply *reply);

/* False while something is not known; outputs_answer() will get it. */
bool outputs_ready(void);

/* One transaction: all entries, then the commands in it. Entries are copied; false when there is no memory. */
void outputs_begin(void);
bool outputs_take(const struct outbox_entry *e);
/* `base`: the number at which the epoch was raised to `epoch`. Returns how many commands were added. */
size_t outputs_send(uint64_t epoch, int64_t base);

/*
 * After EXEC: from here on Redis refuses the next transaction if the lists' places are deleted, or it
 * would begin flushed lists anew in the middle.
 */
void outputs_guard(void);

/* The answers to them, in order. NULL, or the first error: what it was for counts as dropped. */
const char *outputs_read(redisReply **answers, size_t count);

/* The transaction is done: tells the channels. */
void outputs_publish(void);

/* "outputs": [...] of the health document; nothing when no list is configured. */
void outputs_health(struct json *j);

#endif
