/*
 * What the kernel knows of the way to a target: whose address it is, over which interface and router
 * it is reached, and which MAC it was last found at. Asked over one netlink socket that is opened
 * before the walls.
 */
#ifndef ACTIVE_PROBER_ROUTE_H
#define ACTIVE_PROBER_ROUTE_H

#include "classifiers/finding/finding.h"

enum route_kind {
	ROUTE_NONE,      /* there is no way */
	ROUTE_DIRECT,    /* on the network of the interface */
	ROUTE_ROUTED,    /* behind a router */
	ROUTE_OWN,       /* an address of this machine */
	ROUTE_MANY,      /* a broadcast or multicast address */
};

struct route {
	int fd;
	unsigned interface; /* index of the one that probes leave by */
	bool loopback;      /* which is lo: for tests, where all addresses are our own */
	uint8_t own_mac[6];
	uint32_t sequence;
};

/* False, with errno, when the interface is not there or no socket can be had. */
bool route_open(struct route *r, const char *interface);

/* The way to an address; *leaves_by is the interface's index. */
enum route_kind route_to(struct route *r, const struct endpoint *to, unsigned *leaves_by);

/* True when the address is a router of any route. True also when that can't be told. */
bool route_is_gateway(struct route *r, const struct endpoint *who);

/* The MAC that the kernel found for it by ARP or neighbour discovery; false when it has none. */
bool route_neighbour(struct route *r, const struct endpoint *who, uint8_t mac[6]);

#endif
