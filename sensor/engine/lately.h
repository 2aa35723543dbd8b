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
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LATELY_WAYS = 4 };

/*
 * Half a line of the cache: nearly everything was met before, and looking here is what it costs. Of a hash the upper half is kept,
 * beside what chose the set: of 10^9 that are new one is taken for another, and left out for as long as that one counts as met.
 */
struct lately_set {
	uint32_t tag[LATELY_WAYS];
	uint32_t met_s[LATELY_WAYS]; /* 0: the way is free */
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

static inline uint32_t lately_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* A bit for the way where the hash stands, or 0. Nobody can foresee which: no branch depends on it. */
static inline unsigned lately_bit(const struct lately_set *set, uint64_t hash)
{
#ifdef __SSE2__
	__m128i same = _mm_cmpeq_epi32(_mm_load_si128((const __m128i *)set->tag), _mm_set1_epi32((int)lately_tag(hash)));

	return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(same));
#else
	unsigned bits = 0;

	for (unsigned way = 0; way < LATELY_WAYS; way++)
		bits |= (unsigned)(set->tag[way] == lately_tag(hash)) << way;
	return bits;
#endif
}

static inline unsigned lately_oldest(const struct lately_set *set)
{
	unsigned oldest = 0;

	for (unsigned way = 1; way < LATELY_WAYS; way++)
		if (set->met_s[way] < set->met_s[oldest])
			oldest = way;
	return oldest;
}

/* True when it was met less than `within_s` seconds ago. */
static inline bool lately_met(const struct lately_set *set, uint64_t hash, uint32_t now_s, uint32_t within_s)
{
	unsigned bits = lately_bit(set, hash);

	return bits && now_s - set->met_s[__builtin_ctz(bits)] < within_s;
}

/* The same; when it was not, it is from now on, in place of what was met longest ago. *since_s is when it was met, unless NULL. */
static inline bool lately_meet(struct lately_set *set, uint64_t hash, uint32_t now_s, uint32_t within_s, uint32_t *since_s)
{
	unsigned bits = lately_bit(set, hash), way = bits ? (unsigned)__builtin_ctz(bits) : lately_oldest(set);
	bool met = bits && now_s - set->met_s[way] < within_s;

	if (!met) {
		set->tag[way] = lately_tag(hash);
		set->met_s[way] = now_s;
	}
	if (since_s)
		*since_s = set->met_s[way];
	return met;
}

#endif
