/*
 * The flow table: one lookup for a packet, in open addressing over entries of one cache line. It grows
 * to its configured size and no further; then the longest silent entry nearby gives way, counted.
 */
#ifndef SENSOR_ENGINE_FLOW_H
#define SENSOR_ENGINE_FLOW_H

#include "sensor/engine/packet.h"

enum flow_state {
	FLOW_NEW,       /* no payload seen yet */
	FLOW_UNDECIDED, /* classifiers and nDPI are looking */
	FLOW_OURS,      /* a classifier reads it */
	FLOW_LABELLED,  /* nDPI alone has a word for it */
	FLOW_UNKNOWN,   /* nobody knows it */
	FLOW_CLOSED,    /* TCP said goodbye */
};

/* Of the pairs, the one of a direction is LOW << direction. */
enum flow_flag {
	FLOW_HEARD_LOW = 1,       /* key.low has sent */
	FLOW_HEARD_HIGH = 2,
	FLOW_SERVER_LOW = 4,      /* the handshake showed key.low as the server */
	FLOW_SERVER_HIGH = 8,
	FLOW_FROM_START = 16,     /* its SYN was seen */
	FLOW_TOLD_LOW = 32,       /* what key.low does here was told; where nobody reads: who serves was */
	FLOW_TOLD_HIGH = 64,      /* where nobody reads: who serves was told, or needs not be */
	FLOW_ANSWERED = 128,      /* a SYN was accepted */
};

/* A first segment waits for those before it as long as they are fewer bytes than half of this. */
enum { FLOW_START_MASK = 0x7fff, FLOW_START_SEEN = 0x8000 };

struct flow {
	struct flow_key key;
	uint32_t packets;    /* 0: the entry is free */
	uint32_t last_s;     /* capture time, seconds */
	uint32_t detail;     /* index of its detail, 0 for none */
	uint8_t state;       /* enum flow_state */
	uint8_t protocol;    /* FLOW_OURS: index in the transport's list of classifiers */
	uint8_t flags;       /* enum flow_flag */
	uint8_t looks;       /* payload packets shown to classifiers while undecided */
	uint16_t label;      /* FLOW_LABELLED: nDPI's number */
	uint8_t takeovers;   /* attempts of other classifiers after the first decision */
	uint8_t goodbyes : 2; /* 1 << direction for each FIN seen */
	uint8_t present : 2;  /* 1 << direction for who was heard in this window, see teller_window() */
	uint16_t start[2];   /* by direction: FLOW_START_SEEN and the low bits of the sequence number after the SYN */
};

_Static_assert(sizeof(struct flow) == 64, "a flow is one cache line");

enum { PEEKS_MAX = 4 };

struct flow_table {
	struct flow *entries;
	uint64_t size; /* a power of two */
	uint64_t max;
	uint64_t used;
	uint64_t sweep;
	uint64_t changes; /* counts what makes pointers to entries mean something else */
	uint64_t hash_key[2];
};

/* `max` entries at most, a power of two; hash_key as in the packets' hashes. False without memory. */
bool flow_table_init(struct flow_table *t, uint64_t max, const uint64_t hash_key[2]);
void flow_table_free(struct flow_table *t);

static inline void flow_prefetch(const struct flow_table *t, uint64_t hash)
{
	const struct flow *f = &t->entries[hash & (t->size - 1)];

	/* A third of all flows stand behind their place. One past the end does no harm. */
	__builtin_prefetch(f, 1);
	__builtin_prefetch(f + 1, 1);
}

/* The packet's flow, good until t->changes; NULL when it is new, or far. So that what hangs on it can be fetched before it is needed. */
static inline struct flow *flow_peek(const struct flow_table *t, const struct packet *p)
{
	uint64_t mask = t->size - 1;

	for (uint64_t n = 0; n < PEEKS_MAX; n++) {
		struct flow *f = &t->entries[(p->hash + n) & mask];

		if (!f->packets)
			break;
		if (flow_key_same(&f->key, &p->key))
			return f;
	}
	return NULL;
}

/*
 * The packet's flow; a new one has packets == 0 and the packet's key. When an old flow had to give way
 * *evicted is set to it as it was (its detail is then the caller's to free), else its packets are 0.
 * The pointer is good until the next call.
 */
struct flow *flow_find(struct flow_table *t, const struct packet *p, struct flow *evicted);

/* The next few entries in turn, for whoever ends silent flows. Returns how many, at most `count`. */
uint64_t flow_table_sweep(struct flow_table *t, struct flow **first, uint64_t count);

#endif
