/*
 * Reassembly of IP fragments. Datagrams beyond the fixed number push out the oldest; one with
 * overlapping fragments is dropped whole, as RFC 5722 asks and as no honest sender makes them.
 */
#include "sensor/engine/fragment.h"

#include <stdlib.h>
#include <string.h>

enum {
	DATAGRAMS = 64,
	DATAGRAM_BYTES = 16384,
	BLOCK_BYTES = 8, /* fragments begin at multiples of this */
};

static const int64_t patience_ns = 30000000000;

struct datagram {
	uint8_t source[16];
	uint8_t target[16];
	uint32_t id;
	uint16_t zone;
	uint8_t protocol;
	uint8_t family;
	bool used;
	uint32_t total; /* 0 until the last fragment came */
	uint32_t have;  /* bytes that came */
	int64_t time_ns;
	uint8_t came[DATAGRAM_BYTES / BLOCK_BYTES / 8];
	uint8_t bytes[DATAGRAM_BYTES];
};

struct fragments {
	struct datagram datagrams[DATAGRAMS];
};

struct fragments *fragments_new(void)
{
	return calloc(1, sizeof(struct fragments));
}

void fragments_free(struct fragments *all)
{
	free(all);
}

static bool same(const struct datagram *d, const struct fragment *f)
{
	return d->used && d->id == f->id && d->zone == f->zone && d->protocol == f->protocol && d->family == f->family &&
	       memcmp(d->source, f->source, 16) == 0 && memcmp(d->target, f->target, 16) == 0;
}

static void start(struct datagram *d, const struct fragment *f)
{
	memcpy(d->source, f->source, 16);
	memcpy(d->target, f->target, 16);
	d->id = f->id;
	d->zone = f->zone;
	d->protocol = f->protocol;
	d->family = f->family;
	d->used = true;
	d->total = 0;
	d->have = 0;
	memset(d->came, 0, sizeof d->came);
}

static struct datagram *find(struct fragments *all, const struct fragment *f, uint64_t *dropped)
{
	struct datagram *oldest = &all->datagrams[0];

	for (int i = 0; i < DATAGRAMS; i++) {
		struct datagram *d = &all->datagrams[i];

		if (same(d, f)) {
			if (f->time_ns - d->time_ns <= patience_ns)
				return d;
			++*dropped;
			start(d, f);
			return d;
		}
		if (!d->used || (oldest->used && d->time_ns < oldest->time_ns))
			oldest = d;
	}
	if (oldest->used)
		++*dropped;
	start(oldest, f);
	return oldest;
}

/* False when a byte came twice. */
static bool mark(struct datagram *d, uint32_t from, uint32_t len)
{
	for (uint32_t b = from / BLOCK_BYTES; b < (from + len + BLOCK_BYTES - 1) / BLOCK_BYTES; b++) {
		if (d->came[b / 8] & 1u << b % 8)
			return false;
		d->came[b / 8] |= (uint8_t)(1u << b % 8);
	}
	return true;
}

/* The very same fragment again is what a mirror of two ports shows. */
static bool repeated(const struct datagram *d, const struct fragment *f)
{
	uint32_t b = f->offset / BLOCK_BYTES;

	return d->came[b / 8] & 1u << b % 8 && memcmp(d->bytes + f->offset, f->bytes, f->len) == 0;
}

bool fragments_add(struct fragments *all, const struct fragment *f, const uint8_t **bytes, uint32_t *len, uint64_t *dropped)
{
	struct datagram *d;
	uint32_t end = (uint32_t)f->offset + f->len;

	if (f->len == 0 || end > DATAGRAM_BYTES || (f->more && f->len % BLOCK_BYTES)) {
		++*dropped;
		return false;
	}
	d = find(all, f, dropped);
	d->time_ns = f->time_ns;
	if (repeated(d, f))
		return false;
	if (!mark(d, f->offset, f->len) || (d->total && end > d->total) || (!f->more && d->total)) {
		++*dropped;
		d->used = false;
		return false;
	}
	memcpy(d->bytes + f->offset, f->bytes, f->len);
	d->have += f->len;
	if (!f->more)
		d->total = end;
	if (!d->total || d->have < d->total)
		return false;
	d->used = false;
	*bytes = d->bytes;
	*len = d->total;
	return true;
}
