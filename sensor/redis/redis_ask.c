/* redisGetReply() again, with a look at what has come in before more is read. */
#include "sensor/redis/redis_ask.h"

#include <stdarg.h>
#include <stdio.h>

static redisReply *give_up(redisContext *c)
{
	const struct redis_bound *b = c->reader->privdata;

	c->err = c->reader->err ? c->reader->err : REDIS_ERR_OOM;
	if (b && b->over)
		snprintf(c->errstr, sizeof c->errstr, "an answer of more than %zu MiB, or one without end, as no sensor makes it: see who else has this Redis", b->most >> 20);
	else
		snprintf(c->errstr, sizeof c->errstr, "%s", c->reader->errstr);
	return NULL;
}

redisReply *redis_await(redisContext *c)
{
	void *reply = NULL;
	int sent = 0;

	while (!sent)
		if (redisBufferWrite(c, &sent) != REDIS_OK)
			return NULL;
	for (;;) {
		if (redisReaderGetReply(c->reader, &reply) != REDIS_OK)
			return give_up(c);
		if (reply)
			return reply;
		if (!redis_bound_holds(c->reader))
			return give_up(c);
		if (redisBufferRead(c) != REDIS_OK)
			return NULL;
	}
}

redisReply *redis_ask(redisContext *c, const char *format, ...)
{
	va_list values;
	int result;

	va_start(values, format);
	result = redisvAppendCommand(c, format, values);
	va_end(values);
	return result == REDIS_OK ? redis_await(c) : NULL;
}

redisReply *redis_ask_words(redisContext *c, int argc, const char **argv)
{
	return redisAppendCommandArgv(c, argc, argv, NULL) == REDIS_OK ? redis_await(c) : NULL;
}
