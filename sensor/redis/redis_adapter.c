/* Lets hiredis 0.14 work on a libuv loop, socket errors included. */
#include "sensor/redis/redis_adapter.h"

#include "sensor/redis/redis_bound.h"

#include <stdlib.h>

struct adapter {
	uv_poll_t poll; /* first: the handle is the adapter */
	redisAsyncContext *context; /* NULL once hiredis has let go */
	int events;
};

static void handle_poll(uv_poll_t *poll, int status, int events)
{
	struct adapter *a = (struct adapter *)poll;

	/*
	 * An error comes as a status without events, and libuv has stopped the handle. hiredis learns of
	 * errors by reading and writing, so let it do what it was waiting for.
	 */
	if (status != 0)
		events = a->events;
	if (a->context && (events & UV_READABLE))
		redisAsyncHandleRead(a->context);
	if (a->context && !redis_bound_holds(a->context->c.reader))
		redisAsyncFree(a->context);
	/* The context may have gone in the meantime. */
	if (a->context && (events & UV_WRITABLE))
		redisAsyncHandleWrite(a->context);
	if (status != 0 && a->context && a->events)
		uv_poll_start(poll, a->events, handle_poll);
}

static void want(struct adapter *a, int events)
{
	a->events = events;
	if (events)
		uv_poll_start(&a->poll, events, handle_poll);
	else
		uv_poll_stop(&a->poll);
}

static void add_read(void *arg)
{
	struct adapter *a = arg;

	if (!(a->events & UV_READABLE))
		want(a, a->events | UV_READABLE);
}

static void del_read(void *arg)
{
	struct adapter *a = arg;

	want(a, a->events & ~UV_READABLE);
}

static void add_write(void *arg)
{
	struct adapter *a = arg;

	if (!(a->events & UV_WRITABLE))
		want(a, a->events | UV_WRITABLE);
}

static void del_write(void *arg)
{
	struct adapter *a = arg;

	want(a, a->events & ~UV_WRITABLE);
}

static void free_adapter(uv_handle_t *handle)
{
	free(handle);
}

/* hiredis closes the socket right after this: the handle must not watch that number any more. */
static void cleanup(void *arg)
{
	struct adapter *a = arg;

	a->context = NULL;
	uv_poll_stop(&a->poll);
	uv_close((uv_handle_t *)&a->poll, free_adapter);
}

int redis_adapter_attach(redisAsyncContext *ac, uv_loop_t *loop)
{
	struct adapter *a = calloc(1, sizeof *a);
	int error;

	if (!a)
		return UV_ENOMEM;
	error = uv_poll_init(loop, &a->poll, ac->c.fd);
	if (error) {
		free(a);
		return error;
	}
	a->context = ac;
	ac->ev.addRead = add_read;
	ac->ev.delRead = del_read;
	ac->ev.addWrite = add_write;
	ac->ev.delWrite = del_write;
	ac->ev.cleanup = cleanup;
	ac->ev.data = a;
	return 0;
}
