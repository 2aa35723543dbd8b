/* What is remembered of a flow while it is looked at or read: candidates, memo, bytes that wait. */
#ifndef SENSOR_ENGINE_DETAIL_H
#define SENSOR_ENGINE_DETAIL_H

#include "classifiers/api/classifier.h"
#include "classifiers/ndpi/ndpi.h"
#include "sensor/engine/pool.h"

#include <stddef.h>

enum {
	SMALL_BYTES = 4096,
	LARGE_BYTES = 16384 + 4096,
	EARLY_MAX = 8,        /* segments kept for a hole before them to be filled */
	NO_FAVOURITE = 0xff,
};

/* One direction of a TCP connection. */
struct half {
	uint32_t next;      /* sequence number of the next byte in order */
	uint32_t held;      /* block with the start of a message that is not whole, 0 for none */
	uint32_t early;     /* first of the segments that came too early, by sequence number */
	uint16_t held_len;
	uint8_t early_count;
	bool held_large;
	bool started;
	bool gap;
};

/* What was seen last of one direction, to know what the mirror brings twice; see pulse.c. */
struct trace {
	int64_t marked_ns;
	uint32_t marks[4];
	uint8_t mark_at;
};

/* In lines of the cache: the first two are all that a routine message needs, the others are for its pulse. */
struct detail {
	uint64_t memo[MEMO_BYTES / 8];

	struct half half[2];
	uint64_t candidates; /* classifiers of the transport still possible, a bit each */
	uint32_t ear;        /* what its server has said, 0 for none */
	uint32_t pulse;      /* number of its entry, from 1; 0 for none */
	uint8_t favourite;   /* classifier that said MAYBE and owns the memo */
	uint8_t fitted;      /* 1 << direction: of this one it took a message with MAYBE */
	bool ndpi_done;
	bool ear_done;       /* its server has had its say, see ears.c */
	uint8_t unlike;      /* packets since one that repeated another, see repeat.c */

	struct trace trace[2];

	struct ndpi_look *look;
	int64_t asked_ns;    /* the request that is out, 0 for none */
	int64_t begun_ns;    /* the last exchange */
	uint32_t pulse_generation;
	uint16_t label;      /* nDPI's word while the classifiers still look */
	uint8_t server;      /* of its pulse: the direction in which the server sends */
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct detail, trace) == 128 && offsetof(struct detail, look) == 192 && sizeof(struct detail) == 256,
	       "a detail is four lines of the cache");

/* A segment that came too early, in a small block. */
struct early {
	uint32_t next; /* block of the following one */
	uint32_t sequence;
	uint32_t len;
	uint8_t bytes[SMALL_BYTES - 12];
};

_Static_assert(sizeof(struct early) == SMALL_BYTES, "an early segment fills a small block");

struct details {
	uint8_t share; /* whose flow is at hand: its blocks are taken and given back */
	struct pool details;
	struct pool small;
	struct pool large;
};

bool details_init(struct details *d, uint32_t count, uint32_t stream_bytes);
void details_free(struct details *d);

/* Zeroed but for what a new flow needs; 0 when all are in use. */
uint32_t detail_take(struct details *d, uint64_t candidates);
/* Gives back everything it holds; nDPI's look is the caller's to end before. */
void detail_give(struct details *d, uint32_t number);

static inline struct detail *detail_at(struct details *d, uint32_t number)
{
	return pool_at(&d->details, number);
}

/* Lets go of the waiting bytes of one direction. */
void half_drop_held(struct details *d, struct half *h);
void half_drop_early(struct details *d, struct half *h);

#endif
