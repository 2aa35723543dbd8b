/*
 * The connection to Redis as a machine of phases. hiredis 0.14 has no time limits, cannot use a
 * context twice, and must not be freed within its own callbacks; so each attempt has a new context,
 * each phase one timer, and a context is given up from the timer alone.
 *
 *   WAITING -> CONNECTING -> LOGIN -> READY
 *      ^            |          |        |   error, time limit, redis_link_fail()
 *      +-- DROPPING <----------+--------+
 *
 * LOGIN is a row of questions, each asked when the one before is answered: RELAY, then of a Sentinel AUTH and its
 * master, and of a server AUTH, SELECT, CLIENT SETNAME and, where Sentinels named it, ROLE.
 */
#include "sensor/redis/redis_link.h"

#include "sensor/common/log.h"
#include "sensor/redis/redis_adapter.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 3000,
	ANSWER_MS = 5000,    /* without any answer while one is due */
	IDLE_MS = 2000,
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 5000,
};

enum phase { WAITING, CONNECTING, LOGIN, READY, DROPPING, STOPPED };

/* Questions of our own are negative. */
enum { ASK_RELAY = -1, ASK_SENTINEL = -2, ASK_MASTER = -3, ASK_AUTH = -4, ASK_SELECT = -5, ASK_NAME = -6, ASK_ROLE = -7 };

static void on_timer(uv_timer_t *timer);
static void ask_login(struct redis_link *l, int after);

static void arm(struct redis_link *l, enum phase phase, uint64_t ms)
{
	l->phase = (int)phase;
	uv_timer_start(&l->timer, on_timer, ms, 0);
}

/* Half of it is chance, so that many sensors do not come back in step. */
static uint64_t backoff_ms(const struct redis_link *l)
{
	unsigned doublings = l->attempts < 7 ? l->attempts : 7;
	uint64_t most = (uint64_t)BACKOFF_MIN_MS << doublings;
	uint32_t chance = 0;

	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	uv_random(NULL, NULL, &chance, sizeof chance, 0, NULL);
	return most / 2 + chance % (most / 2 + 1);
}

/* Told once per change: an outage of a day is one line, not one per attempt. */
static void note_failure(struct redis_link *l, enum redis_state state, const char *error)
{
	const char *advice = redis_state_advice(state);

	l->failures++;
	if (l->state == state)
		return;
	l->state = state;
	log_warning("Redis %s: %s (%s)%s%s; %s", l->url.path[0] ? l->url.path : l->target.host, redis_state_name(state), error,
		    advice[0] ? ": " : "", advice, l->meanwhile);
}

/* The context is gone or about to go. */
static void wait_for_next(struct redis_link *l)
{
	uint64_t ms = backoff_ms(l);

	l->attempts++;
	l->unanswered = 0;
	arm(l, WAITING, ms);
	l->down(l);
}

void redis_link_fail_as(struct redis_link *l, enum redis_state state, const char *error)
{
	if (l->phase == (int)DROPPING || l->phase == (int)WAITING || l->phase == (int)STOPPED)
		return;
	note_failure(l, state, error);
	arm(l, DROPPING, 0);
}

/* "MOVED slot host:port"; without a host it is the one that answered. False when it is not that. */
static bool read_moved(const char *error, struct redis_place *place)
{
	const char *at = strncmp(error, "MOVED ", 6) == 0 ? strchr(error + 6, ' ') : NULL, *colon = at ? strrchr(at, ':') : NULL;
	size_t len = colon ? (size_t)(colon - at - 1) : 0;
	char *end;
	long port = colon ? strtol(colon + 1, &end, 10) : 0;

	if (port < 1 || port > 65535 || *end || len >= sizeof place->host || memchr(at + 1, ' ', len))
		return false;
	if (len) {
		memcpy(place->host, at + 1, len);
		place->host[len] = 0;
	}
	place->port = (int)port;
	return true;
}

void redis_link_fail(struct redis_link *l, const char *error)
{
	struct redis_place moved = l->target;

	if (l->phase == (int)READY && !l->url.path[0] && read_moved(error, &moved)) {
		log_info("Redis: the cluster says that %s:%d has our keys", moved.host, moved.port);
		arm(l, DROPPING, 0);
		l->target = moved;
		l->redirected = true;
		return;
	}
	redis_link_fail_as(l, redis_state_of_error(error), error);
}

static void on_connect(const redisAsyncContext *ac, int status)
{
	struct redis_link *l = ac->data;

	if (l->context != ac)
		return;
	if (status == REDIS_OK) {
		ask_login(l, 0);
		return;
	}
	l->context = NULL; /* hiredis frees it after this */
	note_failure(l, REDIS_UNREACHABLE, ac->c.errstr);
	wait_for_next(l);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
	struct redis_link *l = ac->data;

	if (l->context != ac)
		return;
	l->context = NULL;
	if (l->phase != (int)DROPPING && l->phase != (int)STOPPED)
		note_failure(l, REDIS_LOST, l->bound.over ? "a reply larger than any that is asked for" : status == REDIS_OK ? "connection closed" : ac->c.errstr);
	if (l->phase != (int)STOPPED)
		wait_for_next(l);
}

/* A place that was just named, by a Sentinel or a cluster's node, is good for one attempt; else the configured ones take turns. */
static void choose_target(struct redis_link *l)
{
	if (l->redirected || l->url.path[0]) {
		l->redirected = false;
		l->asks_sentinel = false;
		return;
	}
	l->target = l->url.place[l->place++ % l->url.places];
	l->asks_sentinel = l->url.master[0] != 0;
}

static void try_connect(struct redis_link *l)
{
	redisAsyncContext *ac = redisAsyncConnectUnix(l->url.path[0] ? l->url.path : l->relay);

	choose_target(l);

	if (!ac || ac->err || redis_adapter_attach(ac, l->loop) != 0) {
		note_failure(l, REDIS_UNREACHABLE, ac ? ac->c.errstr : "out of memory");
		if (ac)
			redisAsyncFree(ac);
		wait_for_next(l);
		return;
	}
	redis_bound_set(ac->c.reader, &l->bound, REDIS_REPLY_MOST);
	ac->data = l;
	l->context = ac;
	arm(l, CONNECTING, CONNECT_MS);
	redisAsyncSetDisconnectCallback(ac, on_disconnect);
	redisAsyncSetConnectCallback(ac, on_connect);
}

/* Frees the context, if hiredis has not; its callbacks may come from within. */
static void drop(struct redis_link *l)
{
	redisAsyncContext *ac = l->context;

	l->context = NULL;
	if (ac)
		redisAsyncFree(ac);
}

static void on_timer(uv_timer_t *timer)
{
	struct redis_link *l = timer->data;

	switch ((enum phase)l->phase) {
	case WAITING:
		try_connect(l);
		return;
	case READY:
		if (l->unanswered == 0) {
			l->idle(l);
			return;
		}
		/* fall through */
	case CONNECTING:
	case LOGIN:
		note_failure(l, REDIS_TIMEOUT, l->phase == (int)CONNECTING ? "no connection in time" : "no answer in time");
		/* fall through */
	case DROPPING:
		drop(l);
		wait_for_next(l);
		return;
	case STOPPED:
		return;
	}
}

static bool is_master(const redisReply *r)
{
	return r->type == REDIS_REPLY_ARRAY && r->elements && r->element[0]->type == REDIS_REPLY_STRING &&
	       strcmp(r->element[0]->str, "master") == 0;
}

/* The Sentinel's word on where the master is: the next connection goes there. */
static void take_master(struct redis_link *l, const redisReply *r)
{
	const redisReply *host = r->type == REDIS_REPLY_ARRAY && r->elements == 2 ? r->element[0] : NULL;
	long port = host && r->element[1]->type == REDIS_REPLY_STRING ? strtol(r->element[1]->str, NULL, 10) : 0;

	if (!host || host->type != REDIS_REPLY_STRING || host->len >= sizeof l->target.host || port < 1 || port > 65535) {
		redis_link_fail_as(l, REDIS_UNREACHABLE, "the Sentinel knows no master of that name");
		return;
	}
	memcpy(l->target.host, host->str, (size_t)host->len);
	l->target.host[host->len] = 0;
	l->target.port = (int)port;
	l->redirected = true;
	arm(l, DROPPING, 0);
}

static void on_reply(redisAsyncContext *ac, void *reply, void *question)
{
	struct redis_link *l = ac->data;
	int asked = (int)(intptr_t)question;
	const redisReply *r = reply;

	/* NULL: the connection ends, and on_disconnect will say so. */
	if (l->context != ac || !r || (l->phase != (int)READY && l->phase != (int)LOGIN))
		return;
	if (l->unanswered > 0)
		l->unanswered--;
	arm(l, (enum phase)l->phase, l->unanswered ? ANSWER_MS : IDLE_MS);
	if (asked >= 0)
		l->answer(l, asked, r);
	else if (r->type == REDIS_REPLY_ERROR && asked == ASK_RELAY)
		redis_link_fail_as(l, REDIS_UNREACHABLE, r->str);
	else if (asked == ASK_MASTER && r->type != REDIS_REPLY_ERROR)
		take_master(l, r);
	else if (asked == ASK_ROLE && !is_master(r))
		redis_link_fail_as(l, REDIS_READONLY, "the Sentinels' master says that it is none");
	else if (r->type == REDIS_REPLY_ERROR && asked != ASK_NAME)
		/* Whatever the words, a login that fails is a matter of the login, unless Redis isn't there yet. */
		redis_link_fail_as(l, redis_state_of_error(r->str) == REDIS_REFUSED ? REDIS_LOGIN : redis_state_of_error(r->str), r->str);
	else
		ask_login(l, asked);
}

static void note_asked(struct redis_link *l)
{
	if (l->unanswered++ == 0)
		arm(l, (enum phase)l->phase, ANSWER_MS);
}

static bool send_command(struct redis_link *l, int question, int argc, const char **argv, const size_t *lens)
{
	if (!l->context || redisAsyncCommandArgv(l->context, on_reply, (void *)(intptr_t)question, argc, argv, lens) != REDIS_OK)
		return false;
	note_asked(l);
	return true;
}

bool redis_link_ask(struct redis_link *l, int question, int argc, const char **argv, const size_t *lens)
{
	return l->phase == (int)READY && send_command(l, question, argc, argv, lens);
}

bool redis_link_ask_bytes(struct redis_link *l, int question, const char *command, size_t len)
{
	if (l->phase != (int)READY || !l->context ||
	    redisAsyncFormattedCommand(l->context, on_reply, (void *)(intptr_t)question, command, len) != REDIS_OK)
		return false;
	note_asked(l);
	return true;
}

void redis_link_flush(struct redis_link *l)
{
	int done;

	/* An error shows again when the loop writes, where the context may be freed. */
	if (l->context)
		redisBufferWrite(&l->context->c, &done);
}

static void ask_relay(struct redis_link *l)
{
	char port[16];
	const char *relay[] = { "RELAY", l->target.host, port };

	snprintf(port, sizeof port, "%d", l->target.port);
	send_command(l, ASK_RELAY, 3, relay, NULL);
}

static void ask_auth(struct redis_link *l, int question, const char *user, const char *password)
{
	const char *auth[] = { "AUTH", user[0] ? user : password, password };

	send_command(l, question, user[0] ? 3 : 2, auth, NULL);
}

static void ask_server(struct redis_link *l, int after)
{
	const char *name[] = { "CLIENT", "SETNAME", l->client_name }, *role[] = { "ROLE" };
	char number[16];
	const char *select[] = { "SELECT", number };

	if (after > ASK_AUTH && l->url.password[0]) {
		ask_auth(l, ASK_AUTH, l->url.user, l->url.password);
	} else if (after > ASK_SELECT && l->url.database) {
		snprintf(number, sizeof number, "%d", l->url.database);
		send_command(l, ASK_SELECT, 2, select, NULL);
	} else if (after > ASK_NAME) {
		send_command(l, ASK_NAME, 3, name, NULL);
	} else if (after > ASK_ROLE && l->url.master[0]) {
		send_command(l, ASK_ROLE, 1, role, NULL);
	} else {
		arm(l, READY, IDLE_MS);
		l->ready(l);
	}
}

/* One step after the last. */
static void ask_login(struct redis_link *l, int after)
{
	const char *master[] = { "SENTINEL", "get-master-addr-by-name", l->url.master };

	l->phase = (int)LOGIN;
	if (after > ASK_RELAY && !l->url.path[0])
		ask_relay(l);
	else if (after > ASK_SENTINEL && l->asks_sentinel && l->url.sentinel_password[0])
		ask_auth(l, ASK_SENTINEL, l->url.sentinel_user, l->url.sentinel_password);
	else if (after > ASK_MASTER && l->asks_sentinel)
		send_command(l, ASK_MASTER, 3, master, NULL);
	else
		ask_server(l, after);
}

void redis_link_works(struct redis_link *l)
{
	l->attempts = 0;
	l->state = REDIS_STREAMING;
}

bool redis_link_is_ready(const struct redis_link *l)
{
	return l->phase == (int)READY;
}

int redis_link_start(struct redis_link *l)
{
	int error = uv_timer_init(l->loop, &l->timer);

	if (error)
		return error;
	l->timer.data = l;
	l->state = REDIS_CONNECTING;
	arm(l, WAITING, 0);
	return 0;
}

void redis_link_stop(struct redis_link *l, uv_close_cb closed)
{
	l->phase = (int)STOPPED;
	drop(l);
	uv_close((uv_handle_t *)&l->timer, closed);
}
