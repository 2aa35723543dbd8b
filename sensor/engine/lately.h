/*
 * What was met lately, as hashes: a set-associative memory that forgets the oldest of a set. To lose an entry only
 * means to do again what was done before.
 */
#ifndef SENSOR_ENGINE_LATELY_H
#define SENSOR_ENGINE_LATELY_H

#include "classifiers/api/cursor.h"
#include "sensor/engine/flow_key.h"

#include <stdbool.h>
#include <stdint.h>

enum { LATELY_WAYS = 4, LATELY_TIME_BITS = 20 };

/*
 * Half a line of the cache: nearly everything was met before, and looking here is what it costs. An entry is the upper 44 bits of
 * a hash and the lower 20 of the second when it was met, 0 when it is free. What comes back after a multiple of twelve days
 * may so be taken for met lately, until a minute later.
 */
struct lately_set {
	uint64_t entry[LATELY_WAYS];
} __attribute__((aligned(32)));

/* Hashes bytes into `h`, which says how many they are. The last words may overlap. `key` is of mixed bits. */
static inline uint64_t lately_hash(uint64_t h, const struct cursor *bytes, uint64_t key)
{
	struct cursor c = *bytes, last = c;

	if (cursor_left(&c) < 8)
		return hash_mix(h, key ^ cursor_le(&c, cursor_left(&c)));
	cursor_skip(&last, cursor_left(&c) - 8);
	while (cursor_left(&c) > 16) {
		uint64_t word = cursor_u64le(&c);

		h = hash_mix(h ^ word, key ^ cursor_u64le(&c));
	}
	return hash_mix(h ^ (cursor_left(&c) > 8 ? cursor_u64le(&c) : 0), key ^ cursor_u64le(&last));
}

/* A bit for the way where the hash stands, or 0. Nobody can foresee which: no branch depends on it. */
static inline unsigned lately_bit(const struct lately_set *set, uint64_t hash)
{
	unsigned bits = 0;

	for (unsigned way = 0; way < LATELY_WAYS; way++)
		bits |= (unsigned)((set->entry[way] ^ hash) >> LATELY_TIME_BITS == 0) << way;
	return bits;
}

/* In seconds, below 2^LATELY_TIME_BITS; more for a free entry. */
static inline uint32_t lately_age(uint64_t entry, uint32_t now_s)
{
	const uint32_t most = (1u << LATELY_TIME_BITS) - 1;

	return entry ? (now_s - (uint32_t)entry) & most : most + 1;
}

static inline unsigned lately_oldest(const struct lately_set *set, uint32_t now_s)
{
	unsigned oldest = 0;

	for (unsigned way = 1; way < LATELY_WAYS; way++)
		if (lately_age(set->entry[way], now_s) > lately_age(set->entry[oldest], now_s))
			oldest = way;
	return oldest;
}

/* True when it was met less than `within_s` seconds ago, 0 .. 86400. */
static inline bool lately_met(const struct lately_set *set, uint64_t hash, uint32_t now_s, uint32_t within_s)
{
	unsigned bits = lately_bit(set, hash);

	return bits && lately_age(set->entry[__builtin_ctz(bits)], now_s) < within_s;
}

/* The same; when it was not, it is from now on, in place of what was met longest ago. *since_s is when it was met, unless NULL. */
static inline bool lately_meet(struct lately_set *set, uint64_t hash, uint32_t now_s, uint32_t within_s, uint32_t *since_s)
{
	unsigned bits = lately_bit(set, hash), way = bits ? (unsigned)__builtin_ctz(bits) : lately_oldest(set, now_s);
	uint32_t age_s = bits ? lately_age(set->entry[way], now_s) : within_s;
	bool met = age_s < within_s;

	if (!met)
		set->entry[way] = hash >> LATELY_TIME_BITS << LATELY_TIME_BITS | (now_s & ((1u << LATELY_TIME_BITS) - 1));
	if (since_s)
		*since_s = met ? now_s - age_s : now_s;
	return met;
}

#endif
