/* Finds and reaches a sensor's Redis for the verbs that show something. */
#include "sensor/ctl/sensor_link.h"

#include "sensor/common/redis_url.h"
#include "sensor/supervisor/configuration.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { PATIENCE_S = 3 };
static const char default_config[] = "/etc/askance/askance.yaml";

int sensor_link_option(struct sensor_link *l, int argc, char **argv, int *at)
{
	const char *word = argv[*at];
	bool config = strcmp(word, "--config") == 0 || strcmp(word, "-c") == 0;
	bool redis = strcmp(word, "--redis") == 0, sensor = strcmp(word, "--sensor") == 0;

	if (!config && !redis && !sensor)
		return 0;
	if (*at + 1 == argc) {
		fprintf(stderr, "askance %s: %s wants a value\n", l->verb, word);
		return -1;
	}
	++*at;
	if (config)
		l->config = argv[*at];
	else if (redis)
		l->url = argv[*at];
	else
		snprintf(l->sensor, sizeof l->sensor, "%s", argv[*at]);
	return 1;
}

static void tell_mistake(void *context, const char *path, unsigned line, const char *sentence)
{
	const struct sensor_link *l = context;

	if (line)
		fprintf(stderr, "askance %s: %s:%u: %s\n", l->verb, path, line, sentence);
	else
		fprintf(stderr, "askance %s: %s: %s\n", l->verb, path, sentence);
}

/* The address, from the command line or the configuration. */
static int find_url(struct sensor_link *l, char url[CONFIG_URL_BYTES])
{
	struct configuration c;

	if (l->url) {
		if (!l->sensor[0]) {
			fprintf(stderr, "askance %s: --redis wants --sensor NAME too\n", l->verb);
			return -1;
		}
		return snprintf(url, CONFIG_URL_BYTES, "%s", l->url) < CONFIG_URL_BYTES ? 0 : -1;
	}
	if (configuration_read(l->config ? l->config : default_config, &c, tell_mistake, l) > 0)
		return -1;
	if (!l->sensor[0])
		memcpy(l->sensor, c.sensor, sizeof l->sensor);
	if (c.redis_url[0])
		memcpy(url, c.redis_url, sizeof c.redis_url);
	else
		snprintf(url, CONFIG_URL_BYTES, "unix://%s/redis.sock", c.state);
	return 0;
}

static redisContext *connect_redis(struct redis_url *u)
{
	struct timeval patience = { PATIENCE_S, 0 };
	redisContext *r = u->path[0] ? redisConnectUnixWithTimeout(u->path, patience) : redisConnectWithTimeout(u->host, u->port, patience);

	if (r && !r->err)
		redisSetTimeout(r, patience);
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

int sensor_link_open(struct sensor_link *l)
{
	char url[CONFIG_URL_BYTES], why[256];
	struct redis_url u;

	if (find_url(l, url) < 0)
		return -1;
	if (redis_url_parse(&u, url, why, sizeof why) < 0) {
		fprintf(stderr, "askance %s: %s\n", l->verb, why);
		return -1;
	}
	l->redis = connect_redis(&u);
	if (!l->redis || l->redis->err) {
		fprintf(stderr, "askance %s: Redis at %s can't be reached: %s; does the sensor run?\n", l->verb,
		        u.path[0] ? u.path : u.host, l->redis ? l->redis->errstr : "no memory");
		sensor_link_close(l);
		return -1;
	}
	if (log_in(l, &u) < 0) {
		sensor_link_close(l);
		return -1;
	}
	return 0;
}

redisReply *sensor_link_ask(struct sensor_link *l, int argc, const char **argv)
{
	redisReply *reply = redisCommandArgv(l->redis, argc, argv, NULL);

	if (reply && reply->type != REDIS_REPLY_ERROR)
		return reply;
	fprintf(stderr, "askance %s: Redis: %s\n", l->verb, reply ? reply->str : l->redis->errstr);
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
