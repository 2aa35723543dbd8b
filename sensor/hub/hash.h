/*
 * Hashes for the hub's tables. The key is drawn at start, so that a stranger who chooses addresses
 * and values can't choose where they fall; nothing that is told depends on the order of a table.
 */
#ifndef SENSOR_HUB_HASH_H
#define SENSOR_HUB_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Draws the key; call once before any table is filled. */
void hash_start(void);

uint64_t hash_bytes(const void *bytes, size_t len);

/* The same on every machine and at every start: for names that stay. */
uint64_t hash_stable(const void *bytes, size_t len);

#endif
