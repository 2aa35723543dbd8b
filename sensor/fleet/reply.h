/* Parts of a reply whatever its shape: a Redis that somebody else owns may answer anything. */
#ifndef SENSOR_FLEET_REPLY_H
#define SENSOR_FLEET_REPLY_H

#include <hiredis/hiredis.h>
#include <stddef.h>

/* NULL where there is no such part. */
static inline const redisReply *reply_part(const redisReply *r, size_t at)
{
	return r && r->type == REDIS_REPLY_ARRAY && at < r->elements ? r->element[at] : NULL;
}

/* NULL for what is no text. */
static inline const char *reply_text(const redisReply *r)
{
	return r && (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS) ? r->str : NULL;
}

#endif
