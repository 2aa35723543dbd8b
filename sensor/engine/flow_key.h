/*
 * What makes packets one flow: addresses, ports, protocol and zone, both directions under one key. It is
 * made, hashed and compared for every packet, so all of it is inline.
 */
#ifndef SENSOR_ENGINE_FLOW_KEY_H
#define SENSOR_ENGINE_FLOW_KEY_H

#include <endian.h>
#include <stdbool.h>
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
		return flow_hash_ipv4((uint32_t)low[0], (uint32_t)high[0], flow_key_tail(k), key);
	return flow_hash_ipv6(low, high, flow_key_tail(k), key);
}

/* memcmp() of 40 bytes is a call; this is five loads. */
static inline bool flow_key_same(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[5], y[5];

	memcpy(x, a, sizeof x);
	memcpy(y, b, sizeof y);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4])) == 0;
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

/*
 * Puts the two ends in order; true when the source stands second. The key is put together in registers
 * and written word by word: it is hashed at once, and a load that spans fresh narrow stores waits.
 */
static inline bool flow_key_make(struct flow_key *k, const struct flow_ends *e)
{
	uint64_t source[2] = { 0 }, target[2] = { 0 }, tail;
	struct flow_key rest;
	bool swap;

	if (e->family == 4) {
		uint32_t a, b;

		memcpy(&a, e->source, sizeof a);
		memcpy(&b, e->target, sizeof b);
		swap = be32toh(a) > be32toh(b) || (a == b && e->source_port > e->target_port);
		source[0] = a;
		target[0] = b;
	} else {
		int order = memcmp(e->source, e->target, sizeof source);

		swap = order > 0 || (order == 0 && e->source_port > e->target_port);
		memcpy(source, e->source, sizeof source);
		memcpy(target, e->target, sizeof target);
	}
	memset(&rest, 0, sizeof rest);
	rest.low_port = swap ? e->target_port : e->source_port;
	rest.high_port = swap ? e->source_port : e->target_port;
	rest.protocol = e->protocol;
	rest.family = e->family;
	rest.zone = e->zone;
	tail = flow_key_tail(&rest);
	memcpy(k->low, swap ? target : source, sizeof k->low);
	memcpy(k->high, swap ? source : target, sizeof k->high);
	memcpy(&k->low_port, &tail, sizeof tail);
	return swap;
}

#endif
