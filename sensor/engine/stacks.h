/*
 * Systems by the first packets of their connections: the signature of each SYN and SYN+ACK is told once for a
 * host, and what the user's files of p0f signatures and of nmap's prints call it. A weak witness, and told as one.
 */
#ifndef SENSOR_ENGINE_STACKS_H
#define SENSOR_ENGINE_STACKS_H

#include "sensor/engine/packet.h"

#include <stdbool.h>

struct engine;
struct stacks;

/* The files' descriptors, -1 for none. NULL, and told, without memory or when a file is of no use. */
struct stacks *stacks_open(int p0f, const char *p0f_path, int os_db, const char *os_db_path, bool words);
void stacks_close(struct stacks *x);

/* A packet with SYN. */
void stacks_see(struct engine *e, const struct packet *p);

#endif
