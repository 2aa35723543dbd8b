/* Which addresses are one device: what a finding's endpoint says of that, and what follows. */
#ifndef SENSOR_HUB_BINDING_H
#define SENSOR_HUB_BINDING_H

#include "sensor/hub/picture.h"

/*
 * Takes in an endpoint and gives its nodes (NULL for an address that names no single device). Both
 * belong to an asset afterwards. May split and merge assets.
 */
void binding_hear(struct picture *p, const uint16_t vlan[2], const struct endpoint *e, int64_t now, uint64_t frame,
		  struct node **ip, struct node **mac);

/* The MAC node that this IP node is one device with; NULL when none is. */
struct node *binding_parent(const struct node *ip);

/*
 * What analysts say of it beats what was heard. Ties hold two placed nodes' assets together, whatever becomes of their
 * links; false when there are too many. A node set apart is a device of its own until that is taken back.
 */
bool binding_tie(struct picture *p, struct node *a, struct node *b);
void binding_untie(struct picture *p, struct node *a, struct node *b);
void binding_apart(struct picture *p, struct node *n, bool apart);

/* For keep.c: restores a link as it was stored. */
void binding_restore(struct node *ip, struct node *mac, bool stated, bool framed, int64_t first_ns, int64_t last_ns);

#endif
