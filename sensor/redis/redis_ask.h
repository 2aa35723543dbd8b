/*
 * Questions of one who waits for the answer, as hiredis has them, but with answers of bounded size: hiredis holds all that
 * a server sends until it understands it. An answer over the bound is an error of the connection like any other, with its
 * words in `errstr`.
 */
#ifndef SENSOR_REDIS_REDIS_ASK_H
#define SENSOR_REDIS_REDIS_ASK_H

#include "sensor/redis/redis_bound.h"

#include <hiredis/hiredis.h>

/* As redisCommand() and redisCommandArgv() for a context with redis_bound_set(). NULL when the connection failed; `errstr` says why. */
redisReply *redis_ask(redisContext *c, const char *format, ...);
redisReply *redis_ask_words(redisContext *c, int argc, const char **argv);

/* As redisGetReply(), for what redisAppendCommand() asked: the next answer, or NULL. */
redisReply *redis_await(redisContext *c);

#endif
