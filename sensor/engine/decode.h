/*
 * From a frame to a packet: link layers, VLAN tags, tunnels of the mirror, IP and its fragments, ports.
 */
#ifndef SENSOR_ENGINE_DECODE_H
#define SENSOR_ENGINE_DECODE_H

#include "classifiers/api/cursor.h"
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
	uint16_t zone_last; /* the one looked up last: most frames have the tags of the one before */
	uint16_t unknown_linktype; /* the last one met that is not decoded */
	uint16_t vlan[ZONES][2]; /* outer, inner */
};

/*
 * Takes its memory once; false when there is none. `repeatable`: the same frames give the same findings
 * in every run, at the price of a hash that a hostile file could be made for (it is slow then, no more).
 */
bool decoder_init(struct decoder *d, struct engine_counters *counters, bool repeatable);
void decoder_free(struct decoder *d);

/* Within the decoder, see decode.c and plain.c. */

/* VID 0 is a priority alone. Of more than two tags the outermost and innermost count. */
static inline void decoder_push_vlan(uint16_t vlan[2], uint16_t tci)
{
	uint16_t vid = tci & 0xfff;

	if (vid == 0)
		return;
	if (vlan[0] == 0)
		vlan[0] = vid;
	else
		vlan[1] = vid;
}

/* The stack's number; stacks beyond the table's room share zone 0 and are counted as undecoded. */
uint16_t decoder_tagged_zone(struct decoder *d, const uint16_t vlan[2]);

static inline uint16_t decoder_zone(struct decoder *d, const uint16_t vlan[2])
{
	return vlan[0] == 0 && vlan[1] == 0 ? 0 : decoder_tagged_zone(d, vlan);
}

/* What every packet starts with, whichever way it is decoded. */
static inline void decoder_start_packet(struct packet *p)
{
	p->network = NULL;
	p->ip_id = 0;
	p->reassembled = false;
	p->payload_lost = 0;
	p->payload_len = 0;
}

/*
 * The short way: an Ethernet frame with at most one tag that holds IPv4 with TCP or UDP, whole and without options, or a
 * protocol of its own. `vlan` is what stood round it, `lost` how many bytes the capture cut off its end. False, and
 * nothing is changed, for all others: those go layer by layer.
 */
bool decode_plain(struct decoder *d, struct cursor frame, const uint16_t vlan[2], uint32_t lost, struct packet *p);

/*
 * Fills *p from *f; what can't be decoded is counted and gives PACKET_NOTHING. Pointers in *p point
 * into the frame, or into the reassembler (p->reassembled).
 */
void decode_frame(struct decoder *d, const struct frame *f, struct packet *p);

#endif
