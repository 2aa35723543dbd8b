/*
 * A ring of records in shared memory between one producer and one consumer process.
 *
 * Two memory files: the producer's (its head, then the records), which the consumer may only read,
 * and the consumer's (its tail), which the producer may only read. Neither end believes the other:
 * a position or length that can't be is RING_BROKEN, never an access out of bounds. What was not
 * released stays when either end is killed and started again.
 *
 * The consumer sleeps on an eventfd that the producer writes only when the consumer said it sleeps.
 */
#ifndef SENSOR_COMMON_RING_H
#define SENSOR_COMMON_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RING_COUNTERS = 16,           /* free-use counters that the producer shows to the consumer */
	RING_RECORD_MAX = 256 * 1024, /* bytes of one record */
};

/* Descriptors of one ring, as the supervisor makes and hands them out. */
struct ring_fds {
	int records_rw; /* producer */
	int records_ro; /* consumer */
	int tail_rw;    /* consumer */
	int tail_ro;    /* producer */
	int wake;       /* eventfd, both */
};

struct ring_records;
struct ring_tail;

struct ring {
	struct ring_records *records;
	struct ring_tail *tail;
	uint8_t *bytes;
	uint64_t size; /* of the record area, a power of two */
	uint64_t at;   /* own position: the producer's head, the consumer's tail */
	uint64_t seen; /* last known position of the other end */
	int wake;
	_Atomic uint64_t *beats; /* this end's, in memory that the other may only read */
};

enum ring_end { RING_PRODUCER, RING_CONSUMER };
enum ring_result { RING_OK, RING_EMPTY, RING_FULL, RING_BROKEN };

/* Makes a ring with a record area of `size` bytes (a power of two, 64 KiB .. 1 GiB). 0, or -1 with errno. */
int ring_create(struct ring_fds *fds, const char *name, size_t size);
void ring_close_fds(struct ring_fds *fds);

/* Maps one end; it goes on where its predecessor stood. 0, or -1 with errno. The descriptors may be closed after it, but wake. */
int ring_attach_producer(struct ring *r, int records_rw, int tail_ro, int wake);
int ring_attach_consumer(struct ring *r, int records_ro, int tail_rw, int wake);
/* Maps both ends to be looked at and not changed: for ring_counter() and ring_beats() alone. */
int ring_attach_watcher(struct ring *r, int records_ro, int tail_ro);
void ring_detach(struct ring *r);

/* A sign of life of this end, for who watches over it: given at least once a second by who does not hang. */
void ring_beat(struct ring *r);
/* How many signs of life that end has given, and its predecessors. */
uint64_t ring_beats(const struct ring *r, enum ring_end end);

/*
 * Producer: room for a record of len bytes, 8-byte aligned, or NULL when the ring is full (or len too
 * large, or the other end lies). Nothing is seen by the consumer before ring_publish().
 */
void *ring_reserve(struct ring *r, size_t len);
/* Ends the reserved record; len may be less than was reserved. */
void ring_commit(struct ring *r, size_t len);
/* Shows all committed records to the consumer and wakes it if it sleeps. */
void ring_publish(struct ring *r);
/* The same, with a counter that says how far that is: the consumer is woken for it even when there is no new record. */
void ring_publish_to(struct ring *r, unsigned index, uint64_t value);
/* Producer: bytes published and not yet released by the consumer. */
uint64_t ring_pending(struct ring *r);
/* Consumer: bytes published and not yet taken. */
uint64_t ring_waiting(struct ring *r);

/*
 * Consumer: the next record without taking it; RING_EMPTY when there is none. *record points into
 * memory that the producer can still change: copy before checking, when the producer is not trusted.
 */
enum ring_result ring_next(struct ring *r, const void **record, size_t *len);
/* Consumer: gives the room of all records returned so far back to the producer. */
void ring_release(struct ring *r);
/* Consumer: a position to release later, for records whose effect is durable only after a while. */
uint64_t ring_position(const struct ring *r);
void ring_release_to(struct ring *r, uint64_t position);
/*
 * Consumer: announces sleep; true when it may wait for `wake` to be readable, false when records came
 * in between. ring_woken() after waking, it drains the eventfd.
 */
bool ring_sleep(struct ring *r);
void ring_woken(struct ring *r);

/*
 * Counters beside the records: the producer adds, the consumer reads. index < RING_COUNTERS. Who sees a value sees
 * the records that were published before it.
 */
void ring_count(struct ring *r, unsigned index, uint64_t value);
uint64_t ring_counter(const struct ring *r, unsigned index);

#endif
