/*
 * One record of a classic pcap file (draft-ietf-opsawg-pcap, section 5), wherever in memory it stands.
 *
 *   sec:4 fraction:4 captured:4 length:4 [more, of old Linux] bytes
 */
#ifndef SENSOR_ENGINE_PCAP_RECORD_H
#define SENSOR_ENGINE_PCAP_RECORD_H

#include "classifiers/api/cursor.h"
#include "sensor/engine/frame.h"

enum { CAPTURED_MAX = 262144 }; /* the largest snap length */

/* What all records of a file have in common. */
struct pcap_form {
	size_t head; /* bytes of a record before the frame's, 16 or 24 */
	uint32_t unit_ns; /* of the fraction of a second */
	uint16_t linktype;
	bool swapped; /* not in this machine's byte order, as little-endian is meant here */
};

/* Not read again for a later use: somebody may write the file meanwhile, and it could change after a look at it. */
static inline uint32_t once(uint32_t value)
{
	__asm__("" : "+r"(value));
	return value;
}

/* False when the record is not all there, or states an impossible length. The frame's number and share are the caller's. */
static inline bool take_pcap_record(struct cursor *c, const struct pcap_form *form, struct frame *f)
{
	struct cursor h = cursor_take(c, form->head), bytes;
	uint32_t seconds = cursor_u32le(&h), fraction = cursor_u32le(&h), captured = cursor_u32le(&h), length = cursor_u32le(&h);

	if (form->swapped) {
		seconds = __builtin_bswap32(seconds);
		fraction = __builtin_bswap32(fraction);
		captured = __builtin_bswap32(captured);
		length = __builtin_bswap32(length);
	}
	captured = once(captured);
	if (captured > CAPTURED_MAX)
		return false;
	bytes = cursor_take(c, captured);
	if (!cursor_ok(&bytes))
		return false;
	f->bytes = bytes.at;
	f->captured = captured;
	f->length = length < captured ? captured : length;
	f->time_ns = (int64_t)seconds * 1000000000 + (int64_t)fraction * form->unit_ns;
	f->linktype = form->linktype;
	f->has_vlan = false;
	return true;
}

#endif
