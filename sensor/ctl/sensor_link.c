/* Finds and reaches a sensor's Redis for the verbs that show something. */
#include "sensor/ctl/sensor_link.h"

#include "sensor/common/redis_url.h"
#include "sensor/common/message.h"
#include "sensor/common/spawn.h"
#include "sensor/fleet/reply.h"
#include "sensor/redis/redis_ask.h"
#include "sensor/supervisor/wiring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 3 };
static const char default_config[] = "/etc/askance/askance.yaml";

const struct verb_option sensor_link_options[] = {
	OPTION_TEXT(struct sensor_link, config, 'c', "config", "FILE", "the sensor's configuration (/etc/askance/askance.yaml)"),
	OPTION_TEXT(struct sensor_link, url, 0, "redis", "URL",
		    "its Redis instead: unix:///PATH, redis://HOST[:PORT], rediss://, sentinel://"),
	OPTION_COPY(struct sensor_link, sensor, 0, "sensor", "NAME", "and its name there"),
	OPTION_END,
};

static void tell_mistake(void *context, const char *path, unsigned line, const char *sentence)
{
	const struct sensor_link *l = context;

	if (line)
		fprintf(stderr, "askance %s: %s:%u: %s\n", l->verb, path, line, sentence);
	else
		fprintf(stderr, "askance %s: %s: %s\n", l->verb, path, sentence);
}

int sensor_link_url(struct sensor_link *l, char url[CONFIG_URL_BYTES])
{
	struct configuration *c = &l->configuration;

	if (l->url) {
		if (!l->sensor[0] && !l->all) {
			fprintf(stderr, "askance %s: --redis wants --sensor NAME too\n", l->verb);
			return -1;
		}
		return snprintf(url, CONFIG_URL_BYTES, "%s", l->url) < CONFIG_URL_BYTES ? 0 : -1;
	}
	if (configuration_read(l->config ? l->config : default_config, c, tell_mistake, l) > 0)
		return -1;
	if (!l->sensor[0])
		memcpy(l->sensor, c->sensor, sizeof l->sensor);
	if (c->redis_url[0])
		memcpy(url, c->redis_url, sizeof c->redis_url);
	else
		snprintf(url, CONFIG_URL_BYTES, "unix://%s/redis.sock", c->state);
	return 0;
}

/* A relay of our own, with one end of a pair of sockets as its only client. The other end, or -1. */
static int start_relay(const struct sensor_link *l, const char *url)
{
	char *argv[] = { (char *)"askance-relay", NULL };
	struct configuration c = l->configuration;
	struct relay_config k;
	struct spawn_fd fds[] = { { -1, FD_CONFIG }, { -1, FD_RELAY_CLIENT }, { -1, 0 }, { -1, 1 } };
	int ends[2];

	snprintf(c.redis_url, sizeof c.redis_url, "%s", url);
	wiring_relay_config(&c, &k);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	fds[0].from = spawn_config(&k, sizeof k);
	fds[1].from = ends[1];
	if (fds[0].from < 0 || spawn(argv[0], argv, fds, sizeof fds / sizeof *fds) < 0) {
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	close(fds[0].from);
	return ends[0];
}

/* The relay's answer to RELAY is one of Redis's own kind. */
static redisContext *connect_by_relay(struct sensor_link *l, const char *url, const struct redis_place *place)
{
	struct timeval patience = { PATIENCE_S, 0 };
	int fd = start_relay(l, url);
	redisContext *r = fd >= 0 ? redisConnectFd(fd) : NULL;
	redisReply *reply = NULL;

	if (r && !r->err && redisSetTimeout(r, patience) == REDIS_OK) {
		redis_bound_set(r->reader, &l->bound, REDIS_REPLY_MOST);
		reply = redis_ask(r, "RELAY %s %d", place->host, place->port);
	}
	if (!reply || reply->type == REDIS_REPLY_ERROR) {
		snprintf(l->why, sizeof l->why, "%s", reply ? reply->str : r ? r->errstr : "the relay can't be started");
		if (r)
			redisFree(r);
		r = NULL;
	}
	if (reply)
		freeReplyObject(reply);
	return r;
}

/* Where the Sentinel says that the master is; logs in there first when it wants that. */
static bool ask_sentinel(redisContext *r, const struct redis_url *u, struct redis_place *place)
{
	redisReply *login = u->sentinel_password[0] ? redis_ask(r, "AUTH %s %s", u->sentinel_user[0] ? u->sentinel_user : "default", u->sentinel_password) : NULL;
	redisReply *reply = redis_ask(r, "SENTINEL get-master-addr-by-name %s", u->master);
	const char *host = reply_text(reply_part(reply, 0)), *port = reply_text(reply_part(reply, 1));
	bool found = host && port;

	if (found) {
		snprintf(place->host, sizeof place->host, "%s", host);
		place->port = atoi(port);
	}
	if (login)
		freeReplyObject(login);
	if (reply)
		freeReplyObject(reply);
	return found;
}

static redisContext *connect_redis(struct sensor_link *l, const char *url, const struct redis_url *u)
{
	struct timeval patience = { PATIENCE_S, 0 };
	redisContext *r = NULL;

	if (u->path[0]) {
		r = redisConnectUnixWithTimeout(u->path, patience);
		if (r && !r->err) {
			redis_bound_set(r->reader, &l->bound, REDIS_REPLY_MOST);
			redisSetTimeout(r, patience);
		}
		return r;
	}
	for (unsigned i = 0; i < u->places && !r; i++) {
		struct redis_place place = u->place[i];

		r = connect_by_relay(l, url, &place);
		if (!r || !u->master[0])
			continue;
		if (!ask_sentinel(r, u, &place)) {
			snprintf(l->why, sizeof l->why, "the Sentinel knows no master named %.100s, or wants another login (sentinel_password_file)", u->master);
			place.port = 0;
		}
		redisFree(r);
		r = place.port ? connect_by_relay(l, url, &place) : NULL;
	}
	return r;
}

static int log_in(struct sensor_link *l, const struct redis_url *u)
{
	const char *login[] = { "AUTH", u->user[0] ? u->user : "default", u->password };
	char number[16];
	const char *choose[] = { "SELECT", number };
	redisReply *reply;

	snprintf(number, sizeof number, "%d", u->database);
	if (u->password[0]) {
		reply = sensor_link_ask(l, 3, login);
		if (!reply)
			return -1;
		freeReplyObject(reply);
	}
	if (u->database) {
		reply = sensor_link_ask(l, 2, choose);
		if (!reply)
			return -1;
		freeReplyObject(reply);
	}
	return 0;
}

/* What logs in, and at which of several servers. */
static int open_at(struct sensor_link *l, const char *url, struct redis_url *u)
{
	if (u->path[0])
		snprintf(l->where, sizeof l->where, "%s", u->path);
	else
		snprintf(l->where, sizeof l->where, "%s:%d", u->place[0].host, u->place[0].port);
	l->redis = connect_redis(l, url, u);
	if (!l->redis || l->redis->err) {
		if (!l->quiet)
			fprintf(stderr, "askance %s: Redis at %s can't be reached: %s; does the sensor run?\n", l->verb, l->where, l->redis ? l->redis->errstr : l->why[0] ? l->why : "no memory");
		return -1;
	}
	return log_in(l, u);
}

/* The URL as configured, with the login that stands beside it. */
static int read_url(struct sensor_link *l, char url[CONFIG_URL_BYTES], struct redis_url *u)
{
	char why[256];

	if (sensor_link_url(l, url) < 0)
		return -1;
	if (redis_url_parse(u, url, why, sizeof why) < 0) {
		fprintf(stderr, "askance %s: %s\n", l->verb, why);
		return -1;
	}
	if (!l->url) {
		redis_url_login(u, l->configuration.redis_user, l->configuration.redis_password);
		redis_url_sentinel_login(u, l->configuration.sentinel_user, l->configuration.sentinel_password);
	}
	return 0;
}

int sensor_link_open(struct sensor_link *l)
{
	char url[CONFIG_URL_BYTES];
	struct redis_url u;

	if (read_url(l, url, &u) == 0 && open_at(l, url, &u) == 0)
		return 0;
	sensor_link_close(l);
	return -1;
}

int sensor_link_open_node(struct sensor_link *node, const struct sensor_link *first, const char *host, int port)
{
	char url[CONFIG_URL_BYTES];
	struct redis_url u;

	*node = *first;
	node->redis = NULL;
	if (read_url(node, url, &u) < 0)
		return -1;
	u.path[0] = u.master[0] = 0;
	u.places = 1;
	snprintf(u.place[0].host, sizeof u.place[0].host, "%s", host);
	u.place[0].port = port;
	/* The relay goes to the ports of its URL alone. */
	snprintf(url, sizeof url, strchr(host, ':') ? "redis%s://[%s]:%d" : "redis%s://%s:%d", u.tls ? "s" : "", host, port);
	if (open_at(node, url, &u) == 0)
		return 0;
	sensor_link_close(node);
	return -1;
}

/* "MOVED slot host:port": a node of a cluster names the one that has the key. */
static bool follow(struct sensor_link *l, const char *moved)
{
	const char *at = strncmp(moved, "MOVED ", 6) == 0 ? strchr(moved + 6, ' ') : NULL, *colon = at ? strrchr(at, ':') : NULL;
	char url[CONFIG_URL_BYTES];
	struct redis_url u;

	if (!colon || read_url(l, url, &u) < 0 || u.path[0] || (size_t)(colon - at) > sizeof u.place[0].host)
		return false;
	if (colon > at + 1)
		snprintf(u.place[0].host, sizeof u.place[0].host, "%.*s", (int)(colon - at - 1), at + 1);
	u.place[0].port = atoi(colon + 1);
	u.places = 1;
	sensor_link_close(l);
	return open_at(l, url, &u) == 0;
}

redisReply *sensor_link_ask(struct sensor_link *l, int argc, const char **argv)
{
	redisReply *reply = redis_ask_words(l->redis, argc, argv);

	if (reply && reply->type == REDIS_REPLY_ERROR && follow(l, reply->str)) {
		freeReplyObject(reply);
		reply = redis_ask_words(l->redis, argc, argv);
	}
	if (reply && reply->type != REDIS_REPLY_ERROR)
		return reply;
	if (!l->quiet)
		fprintf(stderr, "askance %s: Redis at %s: %s\n", l->verb, l->where, reply ? reply->str : l->redis ? l->redis->errstr : "is away");
	if (reply)
		freeReplyObject(reply);
	return NULL;
}

void sensor_link_close(struct sensor_link *l)
{
	if (l->redis)
		redisFree(l->redis);
	l->redis = NULL;
}
