/* The conversations of a node, found again by whom they are with. */
#ifndef SENSOR_HUB_TALKS_H
#define SENSOR_HUB_TALKS_H

#include "sensor/hub/picture.h"

/*
 * The node's conversation with the peer, the port, the protocol and the side of `key`; NULL when there is none. *known says
 * whether there is one with that peer and port in any protocol.
 */
struct talk_item *talks_find(struct node *n, const struct talk_item *key, bool *known);

#endif
