/* What the decoder makes of a frame: whose it is, which flow, where its payload lies. */
#ifndef SENSOR_ENGINE_PACKET_H
#define SENSOR_ENGINE_PACKET_H

#include "classifiers/finding/finding.h"
#include "sensor/engine/frame.h"

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

enum packet_kind {
	PACKET_NOTHING,  /* nothing more to do: counted by the decoder */
	PACKET_ETHERNET, /* a protocol straight on Ethernet or LLC */
	PACKET_IP,       /* IP without ports: other protocols, later fragments */
	PACKET_UDP,
	PACKET_TCP,
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct packet {
	struct flow_key key;
	uint64_t hash;
	const uint8_t *payload;
	const uint8_t *network;  /* the IP header, for nDPI */
	const uint8_t *ethernet; /* destination and source MAC, 12 bytes; NULL when the link has none */
	uint32_t payload_len;    /* bytes that are there */
	uint32_t payload_lost;   /* bytes more that the sender sent and the capture cut off */
	uint32_t network_len;
	uint32_t sequence;       /* TCP */
	uint8_t kind;            /* enum packet_kind */
	uint8_t direction;       /* 0: sent by key.low */
	uint8_t tcp_flags;
	uint8_t hop_limit;
	uint16_t ethertype;      /* PACKET_ETHERNET */
	uint16_t zone;
	bool multicast;
	bool reassembled;        /* payload lies in the reassembler's memory, good until the next fragment */
	uint64_t frame;
	int64_t time_ns;
};

#endif
