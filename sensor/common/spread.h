/*
 * How work is dealt out to several engines. The traffic is cut into SHARES parts, always as many: by the innermost
 * pair of IP addresses, the same for both directions, or by the sender's MAC where there is no IP. Whatever an engine
 * remembers belongs to one share and has room of its own there, so that what is told of a share does not depend on
 * who works on the others. Of N engines the one with index i works on the shares s with s % N == i.
 *
 * share_of_frame() is a first look that takes off what nearly all frames have: capture and the readers of files use it to
 * pass over what is surely another engine's. The decoder, which takes off all headers, has the last word.
 */
#ifndef SENSOR_COMMON_SPREAD_H
#define SENSOR_COMMON_SPREAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	SHARES = 8, /* as many as the three bits of share_of_words() tell apart */
	SHARE_UNSURE = SHARES, /* fragments and what is rarely met: every engine decodes it to find out */
	SHARE_NONE = 0,        /* of frames that have neither address: they are the first engine's */
	STRIDE_FRAMES = 128,   /* of everybody, after which each engine looks after what is its own: at the same places however many they are */
};

/* Bit s for each share of the engine. index < engines <= SHARES. */
static inline uint32_t shares_of_engine(uint32_t index, uint32_t engines)
{
	uint32_t shares = 0;

	for (uint32_t s = index; s < SHARES; s += engines)
		shares |= 1u << s;
	return shares;
}

/* A product is the same in both directions, and its top bits depend on all bits of both factors. */
static inline uint8_t share_of_words(uint64_t a, uint64_t b)
{
	const uint64_t odd = 0x9e3779b97f4a7c15;

	return (uint8_t)((a ^ odd) * (b ^ odd) >> 61);
}

/* `a` and `b` are addresses as they stand in the header: 4 or 16 bytes, as family says. */
static inline uint8_t share_of_pair(const uint8_t *a, const uint8_t *b, uint8_t family)
{
	uint64_t x[2], y[2];
	uint32_t m, n;

	if (family == 4) {
		memcpy(&m, a, sizeof m);
		memcpy(&n, b, sizeof n);
		return share_of_words(m, n);
	}
	memcpy(x, a, sizeof x);
	memcpy(y, b, sizeof y);
	return share_of_words(x[0] * 0xa0761d6478bd642f ^ x[1], y[0] * 0xa0761d6478bd642f ^ y[1]);
}

static inline uint8_t share_of_mac(const uint8_t mac[6])
{
	uint32_t first;
	uint16_t last;

	memcpy(&first, mac, sizeof first);
	memcpy(&last, mac + sizeof first, sizeof last);
	return share_of_words((uint64_t)last << 32 | first, 0);
}

/* The share of a captured frame, or SHARE_UNSURE. linktype: LINKTYPE_* of libpcap's registry. */
uint8_t share_of_frame(const uint8_t *bytes, size_t captured, uint16_t linktype);

#endif
