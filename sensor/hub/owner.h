/*
 * Whose stream it is. Two sensors of one name would write into each other's stream, so each says in a key
 * that expires that it writes there, and every transaction is done by Redis only while that key stands:
 *
 *   askance:{S}:owner  string "STORE PROCESS HOST"; 15 s after its last word another may take the name
 *
 * STORE was drawn when the store was made: a hub that is started anew takes its place over at once.
 * PROCESS is drawn at its start: who is replaced while alive knows that its store was copied.
 */
#ifndef SENSOR_HUB_OWNER_H
#define SENSOR_HUB_OWNER_H

#include "sensor/redis/redis_link.h"

#include <stdbool.h>

struct store;

enum { OWNER_QUESTIONS = 2, OWNER_COMMANDS = 1, OWNER_RENEW_MS = 3000 };

/* `queued` is what answers that don't matter are called by, `question` the first of our own. -1 with the cause in the log. */
int owner_start(struct store *s, struct redis_link *l, const char *sensor, int queued, int question);

/* A new connection: nothing is known. */
void owner_again(void);

/* Claims the name and asks who has it. Before anything that a transaction relies on is asked. */
void owner_ask(void);

/* After EXEC: asks again, so that the next transaction fails if another has come since. */
void owner_guard(void);

/* Within a transaction: OWNER_COMMANDS commands that keep the name ours. */
void owner_renew(void);

/* True when all has to be asked anew, because the name has become ours just now. */
bool owner_answer(int question, const redisReply *reply);

/* The name is ours, as far as is known. */
bool owner_ready(void);

#endif
