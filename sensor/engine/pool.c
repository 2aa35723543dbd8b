/* A free list inside the blocks themselves. */
#include "sensor/engine/pool.h"

#include <string.h>
#include <sys/mman.h>

enum { SMALL_POOL_BYTES = 4 << 20 };

bool pool_init(struct pool *p, size_t block_bytes, uint32_t count)
{
	memset(p, 0, sizeof *p);
	p->block_bytes = block_bytes;
	p->count = count;
	p->quota = count / SHARES;
	p->blocks = mmap(NULL, block_bytes * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->blocks == MAP_FAILED)
		return false;
	/* Blocks far into a large pool are found at random: huge pages make that cheaper, and few blocks pay for none. */
	if (block_bytes * count > SMALL_POOL_BYTES)
		madvise(p->blocks + SMALL_POOL_BYTES, block_bytes * count - SMALL_POOL_BYTES, MADV_HUGEPAGE);
	return true;
}

void pool_free_all(struct pool *p)
{
	munmap(p->blocks, p->block_bytes * p->count);
	memset(p, 0, sizeof *p);
}

uint32_t pool_take(struct pool *p, uint8_t share)
{
	uint32_t block = p->free;

	if (p->used[share] >= p->quota)
		return 0;
	if (block)
		memcpy(&p->free, pool_at(p, block), sizeof p->free);
	else
		block = ++p->fresh;
	p->used[share]++;
	return block;
}

void pool_give(struct pool *p, uint32_t block, uint8_t share)
{
	memcpy(pool_at(p, block), &p->free, sizeof p->free);
	p->free = block;
	p->used[share]--;
}
