/*
 * A verb's connection to a sensor: through its Redis, as any other client. Which sensor: --config
 * FILE (its name and Redis are in it), or --redis URL with --sensor NAME.
 */
#ifndef SENSOR_CTL_SENSOR_LINK_H
#define SENSOR_CTL_SENSOR_LINK_H

#include "sensor/ctl/verb.h"
#include "sensor/redis/redis_bound.h"
#include "sensor/supervisor/configuration.h"

#include <stdbool.h>

struct redisContext;
struct redisReply;

struct sensor_link {
	const char *verb;   /* for messages */
	const char *config; /* from the command line, NULL when not given */
	const char *url;
	char sensor[CONFIG_NAME_BYTES];
	bool all;           /* no single sensor is meant: --redis needs no --sensor */
	bool quiet;         /* a failure was told before and is not told again */
	struct redisContext *redis;
	struct redis_bound bound; /* of its answers: redis_ask.h, and not hiredis's own calls, reads them */
	char where[CONFIG_URL_BYTES]; /* the server, for messages */
	struct configuration configuration; /* read by sensor_link_open(), unless `url` was given */
	char why[256];                      /* why the last way to Redis failed */
};

/* --config, --redis and --sensor, for OPTION_GROUP. */
extern const struct verb_option sensor_link_options[];

/* The address, from the command line or the configuration, which it reads. 0, or -1 after a message on stderr. */
int sensor_link_url(struct sensor_link *l, char url[CONFIG_URL_BYTES]);

/* Connects; an open link stays where it is in memory. 0, or -1 after a message on stderr. */
int sensor_link_open(struct sensor_link *l);

/*
 * Another node of the cluster that `first`, which is open, stands in: same login, same trust. 0, or -1 after a
 * message on stderr.
 */
int sensor_link_open_node(struct sensor_link *node, const struct sensor_link *first, const char *host, int port);

/* One command in words. NULL after a message when Redis went away or answered with an error; to be freed by freeReplyObject(). */
struct redisReply *sensor_link_ask(struct sensor_link *l, int argc, const char **argv);

void sensor_link_close(struct sensor_link *l);

#endif
