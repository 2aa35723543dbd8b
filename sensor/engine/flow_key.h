/*
 * What makes packets one flow: addresses, ports, protocol and zone, both directions under one key. It is
 * made, hashed and compared for every packet, so all of it is inline.
 */
#ifndef SENSOR_ENGINE_FLOW_KEY_H
#define SENSOR_ENGINE_FLOW_KEY_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Both directions of a flow have one key: the lower (address, port) stands first. 40 bytes, compared whole. */
struct flow_key {
	uint8_t low[16];
	uint8_t high[16];
	uint16_t low_port;
	uint16_t high_port;
	uint8_t protocol; /* of IP */
	uint8_t family;   /* 4 or 6 */
	uint16_t zone;    /* index in the table of VLAN stacks */
};

_Static_assert(sizeof(struct flow_key) == 40, "keys are compared and hashed as five words");
_Static_assert(BYTE_ORDER == LITTLE_ENDIAN, "keys are put together in registers");

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* What follows the addresses in a key, as one word. */
static inline uint64_t flow_key_tail(const struct flow_key *k)
{
	uint64_t tail;

	memcpy(&tail, &k->low_port, sizeof tail);
	return tail;
}

/* What of a tail is hashed: a zone's number depends on which was met first, and that differs from engine to engine. */
static inline uint64_t flow_tail_hashed(uint64_t tail)
{
	return tail & 0xffffffffffff;
}

/* `key` is random, so that no sender can choose flows that collide. */
static inline uint64_t flow_hash_ipv4(uint32_t low, uint32_t high, uint64_t tail, const uint64_t key[2])
{
	return hash_mix(((uint64_t)low << 32 | high) ^ key[0], tail ^ key[1]);
}

static inline uint64_t flow_hash_ipv6(const uint64_t low[2], const uint64_t high[2], uint64_t tail, const uint64_t key[2])
{
	return hash_mix(hash_mix(low[0] ^ key[0], low[1] ^ high[0]) ^ hash_mix(high[1] ^ key[1], tail), tail ^ key[0]);
}

static inline uint64_t flow_key_hash(const struct flow_key *k, const uint64_t key[2])
{
	uint64_t low[2], high[2];

	memcpy(low, k->low, sizeof low);
	memcpy(high, k->high, sizeof high);
	if (k->family == 4)
		return flow_hash_ipv4((uint32_t)low[0], (uint32_t)high[0], flow_tail_hashed(le64toh(flow_key_tail(k))), key);
	return flow_hash_ipv6(low, high, flow_tail_hashed(le64toh(flow_key_tail(k))), key);
}

static inline uint64_t flow_key_word(const struct flow_key *k, unsigned i)
{
	uint64_t w;

	memcpy(&w, (const uint8_t *)k + i * sizeof w, sizeof w);
	return w;
}

static inline uint64_t flow_key_differs(const struct flow_key *a, const struct flow_key *b, unsigned i)
{
	return flow_key_word(a, i) ^ flow_key_word(b, i);
}

/* memcmp() of 40 bytes is a call; this is five loads. */
static inline bool flow_key_same(const struct flow_key *a, const struct flow_key *b)
{
	return (flow_key_differs(a, b, 0) | flow_key_differs(a, b, 1) | flow_key_differs(a, b, 2) | flow_key_differs(a, b, 3) |
		flow_key_differs(a, b, 4)) == 0;
}

struct flow_ends {
	const uint8_t *source; /* 4 or 16 bytes, as family says */
	const uint8_t *target;
	uint16_t source_port;
	uint16_t target_port;
	uint8_t family;
	uint8_t protocol;
	uint16_t zone;
};

/* What follows the addresses in a key, as it lies in memory. `ports`: the low one's in the lower half. */
static inline uint64_t flow_tail_make(uint32_t ports, uint8_t protocol, uint8_t family, uint16_t zone)
{
	return (uint64_t)zone << 48 | (uint64_t)family << 40 | (uint64_t)protocol << 32 | ports;
}

/* An IPv4 packet's ends as they stand in its header, ports as one number: the source's in the upper half. */
struct flow_ends_ipv4 {
	uint32_t source; /* in network order */
	uint32_t target;
	uint32_t ports;
	uint8_t protocol;
	uint16_t zone;
};

/*
 * Puts the two ends in order and hashes them; true when the source stands second. Which does is a coin's toss for each packet,
 * so nothing branches on it. The key is put together in registers: a load that spans fresh narrow stores waits.
 */
static inline bool flow_key_make_ipv4(struct flow_key *k, uint64_t *hash, const struct flow_ends_ipv4 *e, const uint64_t hash_key[2])
{
	uint64_t source = (uint64_t)be32toh(e->source) << 16 | e->ports >> 16, target = (uint64_t)be32toh(e->target) << 16 | (uint16_t)e->ports;
	uint32_t swap = 0u - (source > target), turned = e->ports << 16 | e->ports >> 16;
	uint32_t low = e->source ^ ((e->source ^ e->target) & swap), high = e->source ^ e->target ^ low;
	uint64_t tail = flow_tail_make(turned ^ ((turned ^ e->ports) & swap), e->protocol, 4, e->zone);

	memset(k, 0, offsetof(struct flow_key, low_port));
	memcpy(k->low, &low, sizeof low);
	memcpy(k->high, &high, sizeof high);
	memcpy(&k->low_port, &tail, sizeof tail);
	*hash = flow_hash_ipv4(low, high, flow_tail_hashed(tail), hash_key);
	return swap;
}

/* The same for any family. */
static inline bool flow_key_make(struct flow_key *k, uint64_t *hash, const struct flow_ends *e, const uint64_t hash_key[2])
{
	uint32_t ports = (uint32_t)e->source_port << 16 | e->target_port;
	uint64_t tail;
	bool swap;
	int order;

	if (e->family == 4) {
		struct flow_ends_ipv4 ends = { .ports = ports, .protocol = e->protocol, .zone = e->zone };

		memcpy(&ends.source, e->source, sizeof ends.source);
		memcpy(&ends.target, e->target, sizeof ends.target);
		return flow_key_make_ipv4(k, hash, &ends, hash_key);
	}
	order = memcmp(e->source, e->target, sizeof k->low);
	swap = order > 0 || (order == 0 && e->source_port > e->target_port);
	memcpy(k->low, swap ? e->target : e->source, sizeof k->low);
	memcpy(k->high, swap ? e->source : e->target, sizeof k->high);
	tail = flow_tail_make(swap ? ports : ports << 16 | ports >> 16, e->protocol, e->family, e->zone);
	memcpy(&k->low_port, &tail, sizeof tail);
	*hash = flow_key_hash(k, hash_key);
	return swap;
}

#endif
