/*
 * The pulse of those who serve a plant: how regularly each is asked, how soon it answers, and whether the
 * connection suffers. One entry for each pair of server and client, whatever connections they use; told to the
 * hub once a second, and at once when there is trouble (struct pulse in sensor/common/message.h).
 *
 * A mirror brings frames twice and loses others. A frame that comes twice has the IP identification of the
 * first; what was lost is known from the acknowledgments. Neither counts as a fault of the plant.
 *
 * The table is fixed in size; the longest silent entry nearby gives way.
 */
#ifndef SENSOR_ENGINE_PULSE_H
#define SENSOR_ENGINE_PULSE_H

#include "sensor/common/message.h"
#include "sensor/engine/flow.h"

enum { PULSE_CLIENT, PULSE_SERVER };
enum { PULSE_BLOCK = 64 };

struct engine;
struct detail;
struct teller;

struct pulse_entry {
	struct flow_key key;      /* low: the server, low_port: its port; high: the client, high_port 0 */
	struct pulse told;        /* what the next report says */
	int64_t asked_ns;         /* the request that waits longest for its answer, 0 for none */
	uint64_t asked_frame;
	int64_t unseen_ns;        /* when the capture was last known to have lost a frame of theirs */
	uint32_t generation;      /* another one: the entry is somebody else's now */
	int64_t begun_ns;         /* the last exchange, of any connection */
	uint32_t last_gap_us;
	uint32_t longest_gap_us;  /* of late: the usual ones are shorter */
	uint32_t longest_rtt_us;
	uint32_t gaps;            /* measured since the entry is there */
	uint32_t answers;
	uint8_t alarmed;          /* enum pulse_why told since the last good sign */
	bool used;
};

struct pulses {
	struct pulse_entry *entries; /* NULL: nobody wants to know */
	int64_t *look_ns;            /* of each entry, when it must be looked at again; INT64_MAX for a free one */
	int64_t *block_ns;           /* of each block of entries, not later than the first of their look_ns */
	uint32_t size;               /* a power of two, at least PULSE_BLOCK */
	uint32_t generation;
	int64_t swept_ns;
	int64_t until_ns;            /* the first of look_ns, as far as known */
	uint64_t hash_key[2];
};

/* `size` 0 measures nothing. False without memory. */
bool pulses_init(struct pulses *ps, uint32_t size, const uint64_t hash_key[2]);
void pulses_free(struct pulses *ps);

/* A classifier knows the flow now, and which end serves: joins the pair's entry. server: the direction in which the server sends. */
void pulse_join(struct engine *e, struct flow *f, const struct packet *p, uint8_t server, const char *protocol);
/* A packet of a flow that has joined, before its bytes are put in order. */
void pulse_packet(struct engine *e, struct flow *f, const struct packet *p);
/* What its classifier said of a message (enum sign). */
void pulse_signs(struct engine *e, const struct flow *f, const struct packet *p, uint8_t signs);
/* Bytes of one direction never came. */
void pulse_unseen(struct engine *e, const struct flow *f, const struct packet *p);
/* A SYN without ACK, or a RST, of any flow. */
void pulse_connects(struct engine *e, const struct flow *f, const struct packet *p);
void pulse_resets(struct engine *e, const struct flow *f, const struct packet *p);
/* A cyclic frame on Ethernet of an ethertype that is worth it; `protocol` is NULL while nobody has read one of them. */
void pulse_frame(struct engine *e, const struct packet *p, const char *protocol);
/* Time has passed: tells what is due. */
void pulse_sweep(struct engine *e, int64_t now_ns);

#endif
