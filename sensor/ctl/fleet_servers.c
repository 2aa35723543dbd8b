/* Asks one node for the masters of its Cluster and connects to each. */
#include "sensor/ctl/fleet_servers.h"

#include "sensor/redis/redis_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct master {
	char host[256];
	int port;
};

/* Slots stand in many ranges; each master is listed once. A node that does not know its own address says "". */
static int add_master(struct master *list, unsigned *count, const redisReply *range, const char *asked)
{
	const redisReply *node = range->type == REDIS_REPLY_ARRAY && range->elements > 2 ? range->element[2] : NULL;
	struct master m;

	if (!node || node->type != REDIS_REPLY_ARRAY || node->elements < 2 || node->element[1]->type != REDIS_REPLY_INTEGER)
		return 0;
	snprintf(m.host, sizeof m.host, "%s", node->element[0]->type == REDIS_REPLY_STRING && node->element[0]->len ? node->element[0]->str : asked);
	m.port = (int)node->element[1]->integer;
	for (unsigned i = 0; i < *count; i++)
		if (list[i].port == m.port && strcmp(list[i].host, m.host) == 0)
			return 0;
	if (*count == FLEET_SERVERS)
		return -1;
	list[(*count)++] = m;
	return 0;
}

/* 0 masters: no Cluster. -1 after a message. */
static int list_masters(struct sensor_link *link, struct master *list, unsigned *count)
{
	redisReply *reply = redis_ask(link->redis, "CLUSTER SLOTS");
	const char *asked = link->redis->tcp.host ? link->redis->tcp.host : "127.0.0.1";
	int result = 0;

	*count = 0;
	if (!reply || (reply->type == REDIS_REPLY_ERROR && !strstr(reply->str, "cluster support disabled"))) {
		if (!link->quiet)
			fprintf(stderr, "askance %s: Redis at %s: %s\n", link->verb, link->where, reply ? reply->str : link->redis->errstr);
		result = -1;
	}
	for (size_t i = 0; result == 0 && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		if (add_master(list, count, reply->element[i], asked) < 0) {
			fprintf(stderr, "askance %s: the Cluster has more than %d masters\n", link->verb, FLEET_SERVERS);
			result = -1;
		}
	if (reply)
		freeReplyObject(reply);
	return result;
}

int fleet_servers_open(struct fleet_servers *s, struct sensor_link *link)
{
	struct master masters[FLEET_SERVERS];
	unsigned count;

	*s = (struct fleet_servers){ .count = 0 };
	if (sensor_link_open(link) < 0)
		return -1;
	if (list_masters(link, masters, &count) < 0) {
		sensor_link_close(link);
		return -1;
	}
	if (count == 0) {
		s->redis[s->count++] = link->redis;
		return 0;
	}
	s->node = calloc(count, sizeof *s->node);
	for (unsigned i = 0; s->node && i < count; i++) {
		if (sensor_link_open_node(&s->node[i], link, masters[i].host, masters[i].port) < 0)
			break;
		s->redis[s->count++] = s->node[i].redis;
	}
	if (s->count == count)
		return 0;
	fleet_servers_close(s, link);
	return -1;
}

void fleet_servers_close(struct fleet_servers *s, struct sensor_link *link)
{
	for (unsigned i = 0; s->node && i < s->count; i++)
		sensor_link_close(&s->node[i]);
	free(s->node);
	sensor_link_close(link);
	*s = (struct fleet_servers){ .count = 0 };
}
