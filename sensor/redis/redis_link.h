/*
 * One connection to Redis that is made again whenever it ends: the way there, login, time limits,
 * back-off, and what state it is in. Knows nothing of what is sent over it.
 *
 * A Redis that is not on a UNIX socket of this machine is reached through the relay. Sentinels are
 * asked for their master before each connection, and its ROLE is looked at; a cluster's MOVED leads to
 * the node that it names.
 */
#ifndef SENSOR_REDIS_REDIS_LINK_H
#define SENSOR_REDIS_REDIS_LINK_H

#include "sensor/redis/redis_bound.h"
#include "sensor/redis/redis_state.h"
#include "sensor/common/redis_url.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct redisAsyncContext;

struct redis_link {
	/* set by the owner before redis_link_start() */
	uv_loop_t *loop;
	struct redis_url url;
	const char *relay;       /* path of its socket */
	const char *client_name;
	const char *meanwhile;   /* what becomes of the work while Redis is away, for the log: "events are kept and sent later" */
	void *owner;             /* whose link it is, for the callbacks */
	void (*ready)(struct redis_link *l); /* logged in: nothing is known of what went before */
	void (*down)(struct redis_link *l);  /* the connection is gone; what was asked and not answered may have been done or not */
	void (*idle)(struct redis_link *l);  /* nothing was asked for a while: ask something, so that a dead server shows */
	void (*answer)(struct redis_link *l, int question, const redisReply *reply);

	struct redisAsyncContext *context;
	uv_timer_t timer;    /* what it is for, the phase says */
	int phase;
	unsigned unanswered;
	unsigned place;      /* which of url.place to try */
	bool asks_sentinel;  /* the connection is to a Sentinel */
	bool redirected;     /* the next one is to `target`, as somebody there said */
	struct redis_place target; /* that it is or will be to; host empty: the next of url.place */
	unsigned attempts;   /* since it last worked */
	enum redis_state state;
	uint64_t failures;
	struct redis_bound bound; /* of the context's replies */
};

/* Tries to connect at once. The caller has set everything above `context`, and zeroed the rest. */
int redis_link_start(struct redis_link *l);

/*
 * Sends a command; its reply comes to answer() with `question`. Unanswered ones are forgotten when the
 * connection ends. false when there is none (then down() was or will be called).
 */
bool redis_link_ask(struct redis_link *l, int question, int argc, const char **argv, const size_t *lens);

/* The same for a command that stands in the protocol's bytes already. */
bool redis_link_ask_bytes(struct redis_link *l, int question, const char *command, size_t len);

/* Hands over what was asked now, as far as the socket takes it, so that Redis works on it while more is asked. */
void redis_link_flush(struct redis_link *l);

/*
 * Gives the connection up because of an error reply, and tries again after a while that grows with
 * each failure in turn. May be called within answer().
 */
void redis_link_fail(struct redis_link *l, const char *error);
void redis_link_fail_as(struct redis_link *l, enum redis_state state, const char *error);

/* All works: the state is streaming, and the next failure is answered quickly. */
void redis_link_works(struct redis_link *l);

bool redis_link_is_ready(const struct redis_link *l);

/* Closes for good; `closed` is called when no handle is left. Not within answer(). */
void redis_link_stop(struct redis_link *l, uv_close_cb closed);

#endif
