/*
 * From a frame to a packet: link layers, VLAN tags, tunnels of the mirror, IP and its fragments, ports.
 */
#ifndef SENSOR_ENGINE_DECODE_H
#define SENSOR_ENGINE_DECODE_H

#include "classifiers/api/cursor.h"
#include "sensor/common/message.h"
#include "sensor/common/spread.h"
#include "sensor/engine/packet.h"

enum { ZONES = 4096, ZONE_PLACES = 2 * ZONES };

struct fragments;

/* The decoder's state. Zeroed memory after decoder_init() holds zone 0: no VLAN. */
struct decoder {
	struct engine_counters *counters;
	struct fragments *fragments;
	uint64_t hash_key[2]; /* random: a sender must not know which flows share a bucket */
	uint16_t zone_count;
	uint16_t unknown_linktype; /* the last one met that is not decoded */
	uint16_t zone_place[ZONE_PLACES]; /* a zone's number where the hash of its tags says, or on the next free place; 0: free */
	uint16_t vlan[ZONES][2]; /* outer, inner */
};

/*
 * Takes its memory once; false when there is none. `repeatable`: the same frames give the same findings
 * in every run, at the price of a hash that a hostile file could be made for: it is slow then, and what resembles something met
 * lately by design is left out (lately.h).
 */
bool decoder_init(struct decoder *d, struct engine_counters *counters, bool repeatable);
void decoder_free(struct decoder *d);

/* Within the decoder, see decode.c and plain.c. */

/* A VLAN stack as one word: the outer VID in the upper half, the inner one in the lower; 0 for none. */
static inline uint32_t decoder_tags_word(const uint16_t vlan[2])
{
	return (uint32_t)vlan[0] << 16 | vlan[1];
}

/* VID 0 is a priority alone. Of more than two tags the outermost and innermost count. */
static inline uint32_t decoder_tags_push(uint32_t tags, uint16_t tci)
{
	uint16_t vid = tci & 0xfff;

	if (vid == 0)
		return tags;
	return tags >> 16 ? (tags & 0xffff0000) | vid : (uint32_t)vid << 16 | tags;
}

static inline void decoder_push_vlan(uint16_t vlan[2], uint16_t tci)
{
	uint32_t tags = decoder_tags_push(decoder_tags_word(vlan), tci);

	vlan[0] = (uint16_t)(tags >> 16);
	vlan[1] = (uint16_t)tags;
}

/* A zone as its VLAN tags: what every engine makes of it, whatever it met before. */
static inline uint32_t decoder_tags(const struct decoder *d, uint16_t zone)
{
	return decoder_tags_word(d->vlan[zone]);
}

/* The number of tags that do not stand at their place itself. Those beyond the table's room share zone 0 and are counted as undecoded. */
uint16_t decoder_seek_zone(struct decoder *d, uint32_t tags, uint64_t place);

static inline uint16_t decoder_zone(struct decoder *d, uint32_t tags)
{
	uint64_t place;
	uint16_t zone;

	if (tags == 0)
		return 0;
	place = hash_mix(tags ^ d->hash_key[0], d->hash_key[1] | 1);
	zone = d->zone_place[place % ZONE_PLACES];
	return decoder_tags(d, zone) == tags ? zone : decoder_seek_zone(d, tags, place);
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
 * The short way: an Ethernet frame with at most two tags that holds IPv4 with TCP or UDP, whole and without options, or a
 * protocol of its own, or such a frame in one tunnel. `vlan` is what stood round it, `lost` how many bytes the capture cut
 * off its end, `inside`: it stands in a tunnel. False for all others: those go layer by layer.
 */
bool decode_plain(struct decoder *d, const struct cursor *frame, const uint16_t vlan[2], uint32_t lost, bool inside, struct packet *p);

/* Storms are made of it. Not what stands behind a tag or in a tunnel. */
static inline bool frame_is_arp(const struct frame *f)
{
	struct cursor c = cursor_over(f->bytes, f->captured);

	cursor_skip(&c, 12);
	return cursor_u16be(&c) == ETHERTYPE_ARP && cursor_ok(&c) && f->linktype == LINKTYPE_ETHERNET && !f->has_vlan;
}

/* What ends a run of plain frames, besides a frame that is not plain. */
struct plain_limits {
	bool sure;   /* a frame of which it is not sure whose it is */
	bool no_arp; /* one that frame_is_arp() */
};

/*
 * Decodes frames the short way, one after the other, until one does not go that way or the limits end it: returns how many.
 * What is written of the packet after the last is of no use.
 */
unsigned decode_plain_run(struct decoder *d, const struct frame *frames, unsigned count, const struct plain_limits *limits, struct packet *packets);

/* The long way, layer by layer. */
void decode_layers(struct decoder *d, const struct frame *f, const uint16_t vlan[2], struct packet *p);

/*
 * Fills *p from *f; what can't be decoded is counted and gives PACKET_NOTHING. Pointers in *p point
 * into the frame, or into the reassembler (p->reassembled).
 */
static inline void decode_frame(struct decoder *d, const struct frame *f, struct packet *p)
{
	struct cursor c = cursor_over(f->bytes, f->captured);
	uint16_t vlan[2] = { 0, 0 };

	p->share = SHARE_NONE;
	p->frame = f->number;
	p->time_ns = f->time_ns;
	if (f->has_vlan)
		decoder_push_vlan(vlan, f->vlan_tci);
	if (f->linktype != LINKTYPE_ETHERNET || !decode_plain(d, &c, vlan, f->length - f->captured, false, p))
		decode_layers(d, f, vlan, p);
}

#endif
