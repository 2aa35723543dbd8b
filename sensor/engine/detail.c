/* Details and the blocks of bytes that hang on them. */
#include "sensor/engine/detail.h"

bool details_init(struct details *d, uint32_t count, uint32_t stream_bytes)
{
	return pool_init(&d->details, sizeof(struct detail), count) &&
	       pool_init(&d->small, SMALL_BYTES, stream_bytes / 2 / SMALL_BYTES) &&
	       pool_init(&d->large, LARGE_BYTES, stream_bytes / 2 / LARGE_BYTES);
}

void details_free(struct details *d)
{
	pool_free_all(&d->details);
	pool_free_all(&d->small);
	pool_free_all(&d->large);
}

uint32_t detail_take(struct details *d, uint64_t candidates)
{
	uint32_t number = pool_take(&d->details, d->share);
	struct detail *detail;

	if (!number)
		return 0;
	detail = detail_at(d, number);
	memset(detail, 0, sizeof *detail);
	detail->candidates = candidates;
	detail->favourite = NO_FAVOURITE;
	return number;
}

void detail_give(struct details *d, uint32_t number)
{
	struct detail *detail = detail_at(d, number);

	for (int i = 0; i < 2; i++) {
		half_drop_held(d, &detail->half[i]);
		half_drop_early(d, &detail->half[i]);
	}
	pool_give(&d->details, number, d->share);
}

void half_drop_held(struct details *d, struct half *h)
{
	if (h->held)
		pool_give(h->held_large ? &d->large : &d->small, h->held, d->share);
	h->held = 0;
	h->held_len = 0;
	h->held_large = false;
}

void half_drop_early(struct details *d, struct half *h)
{
	while (h->early) {
		uint32_t block = h->early;

		h->early = ((struct early *)pool_at(&d->small, block))->next;
		pool_give(&d->small, block, d->share);
	}
	h->early_count = 0;
}
