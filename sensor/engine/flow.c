/* Open addressing with linear probing; nothing is ever removed, entries are replaced in place. */
#include "sensor/engine/flow.h"

#include <string.h>
#include <sys/mman.h>

enum {
	FIRST_SIZE = 1 << 11,
	HUGE_BYTES = 1 << 21,
	SILENT_S = 300,      /* an entry silent for longer may be replaced at any time */
	PROBES_MAX = 128,    /* entries looked at for one key while the table can still grow */
	PROBES_AT_LIMIT = 16, /* then: a full table must not make each new flow dear. Who stands further off begins anew */
};

static struct flow *map_entries(uint64_t size)
{
	size_t bytes = size * sizeof(struct flow), room = bytes >= HUGE_BYTES ? bytes + HUGE_BYTES : bytes, before;
	void *all = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *entries = all;

	if (all == MAP_FAILED)
		return NULL;
	if (room == bytes)
		return all;
	/* Huge pages halve the cost of a lookup in a large table; without them it works as well. They begin at multiples of their size. */
	before = -(uintptr_t)all & (HUGE_BYTES - 1);
	entries += before;
	if (before)
		munmap(all, before);
	munmap(entries + bytes, HUGE_BYTES - before);
	madvise(entries, bytes, MADV_HUGEPAGE);
	return (struct flow *)entries;
}

bool flow_table_init(struct flow_table *t, uint64_t max, const uint64_t hash_key[2])
{
	memset(t, 0, sizeof *t);
	memcpy(t->hash_key, hash_key, sizeof t->hash_key);
	t->max = max;
	t->size = max < FIRST_SIZE ? max : FIRST_SIZE;
	t->entries = map_entries(t->size);
	return t->entries != NULL;
}

void flow_table_free(struct flow_table *t)
{
	munmap(t->entries, t->size * sizeof *t->entries);
}

/* Doubles the table; entries keep no hash, so each key is hashed again. */
static bool grow(struct flow_table *t)
{
	uint64_t size = t->size * 2, mask = size - 1;
	struct flow *entries = map_entries(size);

	if (!entries)
		return false;
	/* They come to lie on all its pages, which cost less all at once. */
	madvise(entries, size * sizeof *entries, MADV_POPULATE_WRITE);
	for (uint64_t i = 0; i < t->size; i++) {
		uint64_t j;

		if (!t->entries[i].packets)
			continue;
		j = flow_key_hash(&t->entries[i].key, t->hash_key) & mask;
		while (entries[j].packets)
			j = (j + 1) & mask;
		entries[j] = t->entries[i];
	}
	munmap(t->entries, t->size * sizeof *t->entries);
	t->entries = entries;
	t->size = size;
	t->changes++;
	return true;
}

static struct flow *replace(struct flow_table *t, struct flow *f, const struct packet *p, struct flow *evicted)
{
	t->changes++;
	*evicted = *f;
	memset(f, 0, sizeof *f);
	f->key = p->key;
	return f;
}

/* A connection that was asked for and nobody answered: what a scan leaves behind by the million. */
static bool is_attempt(const struct flow *f)
{
	return f->packets == 1 && f->state == FLOW_NEW;
}

/* Of the entries where a flow may stand, the one that is missed least: an attempt, else the longest silent one. */
static struct flow *least_missed(struct flow_table *t, uint64_t home)
{
	struct flow *least = &t->entries[home];

	for (uint64_t n = 1; n < PROBES_AT_LIMIT; n++) {
		struct flow *f = &t->entries[(home + n) & (t->size - 1)];

		if (is_attempt(f) != is_attempt(least) ? is_attempt(f) : f->last_s < least->last_s)
			least = f;
	}
	return least;
}

struct flow *flow_find(struct flow_table *t, const struct packet *p, struct flow *evicted)
{
	uint64_t mask = t->size - 1, home = p->hash & mask, probes = t->size == t->max ? PROBES_AT_LIMIT : PROBES_MAX;
	uint32_t now_s = (uint32_t)(p->time_ns / 1000000000);
	struct flow *silent = NULL, *f = NULL;

	evicted->packets = 0;
	for (uint64_t n = 0; n < probes; n++) {
		f = &t->entries[(home + n) & mask];
		if (!f->packets)
			break;
		if (__builtin_expect(flow_key_same(&f->key, &p->key), 1))
			return f;
		if (!silent && now_s > f->last_s && now_s - f->last_s > SILENT_S)
			silent = f;
	}
	if (silent)
		return replace(t, silent, p, evicted);
	if ((t->used + 1) * 4 > t->size * 3 && t->size < t->max && grow(t))
		return flow_find(t, p, evicted);
	if (f->packets)
		return replace(t, least_missed(t, home), p, evicted);
	t->used++;
	memset(f, 0, sizeof *f);
	f->key = p->key;
	return f;
}

uint64_t flow_table_sweep(struct flow_table *t, struct flow **first, uint64_t count)
{
	if (t->sweep >= t->size)
		t->sweep = 0;
	if (count > t->size - t->sweep)
		count = t->size - t->sweep;
	*first = &t->entries[t->sweep];
	t->sweep += count;
	return count;
}
