/*
 * Blocks of one size in memory of fixed size, touched only when first used. Numbers stand for pointers; 0 is none.
 * Each share of the traffic may use as many as any other, so that none takes what another would have got.
 */
#ifndef SENSOR_ENGINE_POOL_H
#define SENSOR_ENGINE_POOL_H

#include "sensor/common/spread.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *blocks;
	size_t block_bytes;
	uint32_t count;
	uint32_t fresh; /* first block never used */
	uint32_t free;  /* head of the list of blocks given back */
	uint32_t quota; /* of a share */
	uint32_t used[SHARES];
};

/* block_bytes a multiple of 8, at least 8; count SHARES or more. False without address space. */
bool pool_init(struct pool *p, size_t block_bytes, uint32_t count);
void pool_free_all(struct pool *p);

/* A block's number, its bytes as they were left; 0 when the share uses all that it may. */
uint32_t pool_take(struct pool *p, uint8_t share);
/* `share` as it was taken for. */
void pool_give(struct pool *p, uint32_t block, uint8_t share);

static inline uint32_t pool_used(const struct pool *p)
{
	uint32_t used = 0;

	for (unsigned s = 0; s < SHARES; s++)
		used += p->used[s];
	return used;
}

static inline void *pool_at(const struct pool *p, uint32_t block)
{
	return p->blocks + (size_t)(block - 1) * p->block_bytes;
}

#endif
