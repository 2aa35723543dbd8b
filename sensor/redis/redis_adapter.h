/*
 * Lets hiredis 0.14 work on a libuv loop.
 *
 * The adapter that comes with the library drops every socket error that libuv reports, so that a
 * refused connection is never told to anybody; this one hands errors on as the events waited for.
 */
#ifndef SENSOR_REDIS_REDIS_ADAPTER_H
#define SENSOR_REDIS_REDIS_ADAPTER_H

#include <hiredis/async.h>
#include <uv.h>

/*
 * Ties a fresh context to the loop. 0, or a libuv error; the context is then untouched and still the
 * caller's to free. After success the adapter goes with the context.
 */
int redis_adapter_attach(redisAsyncContext *ac, uv_loop_t *loop);

#endif
