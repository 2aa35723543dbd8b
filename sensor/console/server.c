/*
 * libmicrohttpd on the loop that Redis is on: one thread, so that nothing needs a lock. A request that waits for
 * Redis is suspended.
 *
 * All is bounded: connections, of one address and together, the head and the body of a request, the time until it
 * is complete, and the time that an answer may take.
 */
#include "sensor/console/server.h"

#include "sensor/common/log.h"
#include "sensor/console/console.h"
#include "sensor/console/live.h"
#include "sensor/console/origin.h"
#include "sensor/console/page.h"
#include "sensor/console/request.h"
#include "sensor/console/visitors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECTIONS = 128,
	CONNECTIONS_OF_ONE = 64,
	HEAD_BYTES = 32 * 1024,
	SILENCE_S = 30,
	TICK_MS = 1000,
};

static struct {
	struct MHD_Daemon *daemon;
	const struct tls *tls;
	uv_poll_t poll;
	uv_timer_t timer, tick;
} web;

static void run(void);

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	run();
}

static void run(void)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(web.daemon);
	if (MHD_get_timeout(web.daemon, &ms) == MHD_YES)
		uv_timer_start(&web.timer, on_timer, ms, 0);
	else
		uv_timer_stop(&web.timer);
}

void server_kick(void)
{
	uv_timer_start(&web.timer, on_timer, 0, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)poll;
	(void)status;
	(void)events;
	run();
}

static void on_tick(uv_timer_t *timer)
{
	visitors_look(uv_now(timer->loop));
	live_tick();
}

static enum MHD_Result queue(struct request *r)
{
	enum MHD_Result queued;

	if (!r->answer.response)
		return MHD_NO; /* no memory: the connection ends */
	queued = MHD_queue_response(r->connection, r->answer.status, r->answer.response);
	MHD_destroy_response(r->answer.response);
	r->answer.response = NULL;
	if (r->stays)
		visitor_stays(r->connection);
	return queued;
}

void request_answer(struct request *r, struct answer a)
{
	r->answer = a;
	r->failed = !a.response;
	if (!r->waiting)
		return;
	r->waiting = false;
	MHD_resume_connection(r->connection);
	server_kick();
}

const char *request_argument(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct answer request_no_redis(const struct request *r, const redisReply *reply)
{
	enum redis_state state = sensor_state(r->sensor);

	if (reply && reply->type == REDIS_REPLY_ERROR)
		return answer_error(MHD_HTTP_BAD_GATEWAY, "Redis refuses it: %.200s", reply->str);
	return answer_error(MHD_HTTP_SERVICE_UNAVAILABLE, "Redis gives no answer (%s); the console goes on trying", redis_state_name(state));
}

bool request_ask(struct request *r, sensor_answer *f, void *who, int argc, const char **argv, const size_t *lens)
{
	if (sensor_ask(r->sensor, f, who, argc, argv, lens))
		return true;
	request_answer(r, request_no_redis(r, NULL));
	return false;
}

static bool accepts_gzip(struct MHD_Connection *c)
{
	const char *list = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	const char *at = list ? strstr(list, "gzip") : NULL;

	return at && strncmp(at + 4, ";q=0", 4) != 0;
}

static struct request *open_request(struct MHD_Connection *c, const char *url, const char *method)
{
	struct request *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->connection = c;
	r->method = method;
	r->gzip = accepts_gzip(c);
	r->route = route_find(url);
	snprintf(r->path, sizeof r->path, "%s", url);
	if (web.tls && !tls_client(c, r->who, sizeof r->who))
		r->answer = answer_error(MHD_HTTP_FORBIDDEN, "this needs a certificate of the console's authority");
	return r;
}

/* Which sensor, and whether the method fits; else there is an error to answer with. */
static void check_route(struct request *r)
{
	const char *name = request_argument(r, "sensor");
	bool post = strcmp(r->method, MHD_HTTP_METHOD_POST) == 0;

	r->sensor = console_sensor(0);
	for (unsigned i = 0; name && i < console_sensor_count(); i++)
		if (strcmp(console_sensor(i)->name, name) == 0)
			r->sensor = console_sensor(i);
	if (post != r->route->post || (!post && strcmp(r->method, MHD_HTTP_METHOD_GET) != 0))
		r->answer = answer_error(MHD_HTTP_METHOD_NOT_ALLOWED, "this path takes %s", r->route->post ? "POST" : "GET");
	else if (name && strcmp(r->sensor->name, name) != 0)
		r->answer = answer_error(MHD_HTTP_NOT_FOUND, "the console was not told of this sensor; it was started with --sensor");
}

/* The head is there. What is refused is refused now, and the connection ends with it. */
static enum MHD_Result begin(struct request *r)
{
	if (!r->answer.response)
		r->answer = origin_check(r->connection, web.tls, strcmp(r->method, MHD_HTTP_METHOD_POST) == 0);
	if (!r->answer.response && r->route)
		check_route(r);
	if (!r->answer.response)
		return MHD_YES;
	visitor_asked(r->connection);
	return queue(r);
}

/* All of it is there. */
static void handle(struct request *r, const char *url)
{
	r->begun = true;
	visitor_asked(r->connection);
	if (r->route)
		r->route->handle(r);
	else
		r->answer = page_answer(r->connection, url, r->method, r->gzip);
	r->waiting = !r->answer.response && !r->failed;
}

static void keep_body(struct request *r, const char *data, size_t len)
{
	char *grown = r->body_len + len <= REQUEST_BODY_MOST ? realloc(r->body, r->body_len + len + 1) : NULL;

	if (!grown) {
		r->too_large = true;
		return;
	}
	memcpy(grown + r->body_len, data, len);
	r->body = grown;
	r->body_len += len;
	r->body[r->body_len] = 0;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *url, const char *method, const char *version,
				  const char *data, size_t *len, void **own)
{
	struct request *r = *own;

	(void)context;
	(void)version;
	if (!r) {
		*own = r = open_request(c, url, method);
		return r ? begin(r) : MHD_NO;
	}
	if (*len) {
		keep_body(r, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (!r->begun)
		handle(r, url);
	if (!r->waiting)
		return queue(r);
	MHD_suspend_connection(c);
	return MHD_YES;
}

/* What was done, and what was refused; and of each visitor the first request. */
static void tell(struct request *r, const char *where, bool first)
{
	if (!first && r->answer.status < MHD_HTTP_BAD_REQUEST && !r->note[0])
		return;
	for (char *at = r->path; *at; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at > '~' || *at == '"')
			*at = '?';
	log_info("%s%s%s%s %s %s: %u%s%s", where, r->who[0] ? " \"" : "", r->who, r->who[0] ? "\"" : "",
		 r->route && r->route->post ? "POST" : strcmp(r->method, "GET") == 0 ? "GET" : "request for", r->path, r->answer.status,
		 r->note[0] ? " " : "", r->note);
}

static void on_completed(void *context, struct MHD_Connection *c, void **own, enum MHD_RequestTerminationCode end)
{
	struct request *r = *own;
	char where[VISITOR_TEXT_BYTES];
	bool first;

	(void)context;
	(void)end;
	if (!r)
		return;
	first = visitor_answered(c, where);
	tell(r, where, first);
	if (r->answer.response)
		MHD_destroy_response(r->answer.response);
	free(r->body);
	free(r);
	*own = NULL;
}

static void on_connection(void *context, struct MHD_Connection *c, void **own, enum MHD_ConnectionNotificationCode code)
{
	(void)context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		visitor_come(c, own, uv_now(web.timer.loop));
		if (web.tls)
			tls_require_client(c);
	} else {
		visitor_go(own);
	}
}

/* A NUL would end the text before its end: what holds one stays as it was written. */
static size_t unescape(void *context, struct MHD_Connection *c, char *text)
{
	(void)context;
	(void)c;
	return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

/* What clients do wrong is theirs. */
static void on_words(void *context, const char *format, va_list args)
{
	(void)context;
	(void)format;
	(void)args;
}

static struct MHD_Daemon *start_daemon(int listener, const struct tls *tls)
{
	struct MHD_OptionItem secure[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? tls->key : NULL },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, tls ? tls->certificate : NULL },
		{ MHD_OPTION_HTTPS_MEM_TRUST, 0, tls ? tls->authority : NULL },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request,
				NULL, MHD_OPTION_EXTERNAL_LOGGER, on_words, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_OF_ONE,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
				MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_ARRAY, tls ? secure : plain, MHD_OPTION_END);
}

int server_start(uv_loop_t *loop, int listener, const struct tls *tls)
{
	const union MHD_DaemonInfo *info;

	web.tls = tls;
	uv_timer_init(loop, &web.timer);
	uv_timer_init(loop, &web.tick);
	web.daemon = start_daemon(listener, tls);
	info = web.daemon ? MHD_get_daemon_info(web.daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info || uv_poll_init(loop, &web.poll, info->epoll_fd) != 0 || uv_poll_start(&web.poll, UV_READABLE, on_poll) != 0 ||
	    uv_timer_start(&web.tick, on_tick, TICK_MS, TICK_MS) != 0) {
		log_error("the web server can't be started%s", tls ? ": do certificate and key belong together?" : "");
		return -1;
	}
	return 0;
}

void server_stop(void)
{
	live_stop();
	MHD_run(web.daemon);
	uv_poll_stop(&web.poll);
	uv_timer_stop(&web.timer);
	uv_timer_stop(&web.tick);
	MHD_stop_daemon(web.daemon);
}
