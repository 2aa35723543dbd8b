/*
 * An asset seen whole: what hangs on its nodes, joined and in a fixed order. Documents, gaps and
 * classes are made from it.
 */
#ifndef SENSOR_HUB_VIEW_H
#define SENSOR_HUB_VIEW_H

#include "sensor/hub/picture.h"

struct view_attribute {
	const struct attribute_item *item;
	int64_t first_ns, last_ns; /* over all nodes that have it */
	uint64_t frame;
	uint8_t confidence;
};

struct view_service {
	const struct service_item *item;
	const struct node *node;
	uint32_t clients;
	bool shadowed; /* a surer claim stands at the same port: this one is a witness only */
};

struct view_subasset {
	const char *path;
	bool probed;
	int64_t first_ns, last_ns;
};

struct view {
	const struct asset *asset;
	const struct node **nodes;               /* MACs, then IPv4, then IPv6, each in order of value */
	struct view_attribute *attributes;       /* by path, name, protocol, source, value */
	struct view_service *services;           /* by address, transport, port, evidence (surest first), protocol */
	const struct speaks_item **speaks;       /* by protocol, role */
	struct view_subasset *subassets;         /* by path, numbers in their natural order */
	const struct talk_item **talks;          /* by peer, protocol, port */
	const struct talk_item **visits;         /* of public clients; likewise */
	size_t node_count, attribute_count, service_count, speak_count, subasset_count, talk_count, visit_count;
	size_t mac_count;                        /* of nodes, at their beginning */
	const char *sole;                        /* path of the only sub-asset, NULL when there is none or more */
	int64_t first_ns, last_ns;
	uint8_t flags;                           /* enum node_flag of all nodes */
	const struct fact_item *standing;        /* that an analyst accepted or ignores it: the newest word; NULL for none */
	uint32_t lost;
	size_t node_room, attribute_room, service_room, speak_room, subasset_room, talk_room, visit_room;
};

/* Fills in for one asset; memory is kept for the next. Pointers into the picture hold until it changes. */
void view_fill(struct view *v, const struct picture *p, const struct asset *a);
void view_free(struct view *v);

/* The best value of the device itself (or of its sole sub-asset); NULL when none is known. */
const struct view_attribute *view_best(const struct view *v, enum attribute a);

/* True when this sub-asset's identity is the device's. */
bool view_is_device(const struct view *v, const char *path);

/* Like strcmp(), but 9 comes before 10. */
int natural_order(const char *a, const char *b);

#endif
