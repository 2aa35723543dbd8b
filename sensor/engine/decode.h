/*
 * From a frame to a packet: link layers, VLAN tags, tunnels of the mirror, IP and its fragments, ports.
 */
#ifndef SENSOR_ENGINE_DECODE_H
#define SENSOR_ENGINE_DECODE_H

#include "sensor/common/message.h"
#include "sensor/engine/packet.h"

enum { ZONES = 4096 };

struct fragments;

/* The decoder's state. Zeroed memory after decoder_init() holds zone 0: no VLAN. */
struct decoder {
	struct engine_counters *counters;
	struct fragments *fragments;
	uint64_t hash_key[2]; /* random: a sender must not know which flows share a bucket */
	uint16_t zone_count;
	uint16_t unknown_linktype; /* the last one met that is not decoded */
	uint16_t vlan[ZONES][2]; /* outer, inner */
};

/*
 * Takes its memory once; false when there is none. `repeatable`: the same frames give the same findings
 * in every run, at the price of a hash that a hostile file could be made for (it is slow then, no more).
 */
bool decoder_init(struct decoder *d, struct engine_counters *counters, bool repeatable);
void decoder_free(struct decoder *d);

/*
 * Fills *p from *f; what can't be decoded is counted and gives PACKET_NOTHING. Pointers in *p point
 * into the frame, or into the reassembler (p->reassembled).
 */
void decode_frame(struct decoder *d, const struct frame *f, struct packet *p);

#endif
