/* Takes off what PRP's redundancy adds to a frame (IEC 62439-3). For decode.c alone, which is why it is inline. */
#ifndef SENSOR_ENGINE_PRP_H
#define SENSOR_ENGINE_PRP_H

#include "classifiers/api/cursor.h"

/*
 * The trailer that PRP puts behind a frame: {sequence 2}{LAN a or b 4 bits}{size 12 bits}{88fb}, where the size counts
 * all behind the ethertype. IEC 62439-3, 4.2.7.3. IP ends where its header says; of others the trailer comes off here.
 */
static inline void cut_prp_trailer(struct cursor *c)
{
	enum { TRAILER_BYTES = 6, SUFFIX = 0x88fb };
	size_t left = cursor_left(c);
	struct cursor trailer = *c;
	uint16_t lan_and_size;

	if (left < TRAILER_BYTES)
		return;
	cursor_skip(&trailer, left - TRAILER_BYTES + 2);
	lan_and_size = cursor_u16be(&trailer);
	if (cursor_u16be(&trailer) == SUFFIX && (lan_and_size >> 12 == 0xa || lan_and_size >> 12 == 0xb) &&
	    (lan_and_size & 0xfff) == left)
		c->end -= TRAILER_BYTES;
}

#endif
