/* A free list inside the blocks themselves. */
#include "sensor/engine/pool.h"

#include <string.h>
#include <sys/mman.h>

bool pool_init(struct pool *p, size_t block_bytes, uint32_t count)
{
	memset(p, 0, sizeof *p);
	p->block_bytes = block_bytes;
	p->count = count;
	p->blocks = mmap(NULL, block_bytes * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p->blocks != MAP_FAILED;
}

void pool_free_all(struct pool *p)
{
	munmap(p->blocks, p->block_bytes * p->count);
	memset(p, 0, sizeof *p);
}

uint32_t pool_take(struct pool *p)
{
	uint32_t block = p->free;

	if (block)
		memcpy(&p->free, pool_at(p, block), sizeof p->free);
	else if (p->fresh < p->count)
		block = ++p->fresh;
	else
		return 0;
	p->used++;
	return block;
}

void pool_give(struct pool *p, uint32_t block)
{
	memcpy(pool_at(p, block), &p->free, sizeof p->free);
	p->free = block;
	p->used--;
}
