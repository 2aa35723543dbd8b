/*
 * Systems by the first packets of their connections: the signature of each SYN and SYN+ACK is told once for a
 * host, and what the user's file of p0f signatures calls it. A weak witness, and told as one.
 */
#ifndef SENSOR_ENGINE_STACKS_H
#define SENSOR_ENGINE_STACKS_H

#include "sensor/engine/packet.h"

#include <stdbool.h>

struct engine;
struct stacks;

/* `p0f`: a descriptor, -1 for none. NULL, and told, without memory or when the file is of no use. */
struct stacks *stacks_open(int p0f, const char *path, bool words);
void stacks_close(struct stacks *x);

/* A packet with SYN. */
void stacks_see(struct engine *e, const struct packet *p);

#endif
