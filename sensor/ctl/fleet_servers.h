/* Connections to every server that holds sensors: the one Redis, or all masters of a Cluster. */
#ifndef SENSOR_CTL_FLEET_SERVERS_H
#define SENSOR_CTL_FLEET_SERVERS_H

#include "sensor/ctl/sensor_link.h"

enum { FLEET_SERVERS = 64 };

struct fleet_servers {
	struct redisContext *redis[FLEET_SERVERS];
	unsigned count;
	struct sensor_link *node; /* of a Cluster; owned */
};

/* Opens `link` first, which says where to ask. 0, or -1 after a message on stderr. */
int fleet_servers_open(struct fleet_servers *s, struct sensor_link *link);
void fleet_servers_close(struct fleet_servers *s, struct sensor_link *link);

#endif
