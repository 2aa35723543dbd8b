/*
 * Spreads frames over rings. Capture does it and not the kernel's fanout: the kernel can neither hand one frame to
 * several sockets nor number the frames of all of them, and both are needed for several engines to tell what one would.
 */
#include "sensor/capture/outlet.h"

#include <string.h>
#include <unistd.h>

static int open_ring(struct outlet *o, unsigned i)
{
	int first = fd_of_ring(FD_RECORDS_OUT, i);
	uint64_t *counts = o->counts[i];

	if (ring_attach_producer(&o->ring[i], first, first + 1, first + 2) < 0)
		return -1;
	close(first);
	close(first + 1);
	for (unsigned n = 0; n < CAPTURE_COUNTERS; n++)
		counts[n] = ring_counter(&o->ring[i], n);
	ring_count(&o->ring[i], CAPTURE_STARTS, ++counts[CAPTURE_STARTS]);
	/* Numbers go on where a predecessor stopped. */
	if (counts[CAPTURE_NUMBER] > o->number)
		o->number = o->published = counts[CAPTURE_NUMBER];
	return 0;
}

int outlet_open(struct outlet *o, unsigned rings)
{
	*o = (struct outlet){ .rings = rings };
	for (unsigned i = 0; i < rings; i++)
		if (open_ring(o, i) < 0)
			return -1;
	return 0;
}

static void put_into(struct outlet *o, unsigned i, const struct frame_header *frame, const uint8_t *bytes)
{
	size_t len = sizeof *frame + frame->captured;
	uint8_t *record = ring_reserve(&o->ring[i], len);

	if (!record) {
		o->counts[i][CAPTURE_RING_DROPS]++;
		return;
	}
	memcpy(record, frame, sizeof *frame);
	memcpy(record + sizeof *frame, bytes, frame->captured);
	ring_commit(&o->ring[i], len);
	o->counts[i][CAPTURED_FRAMES]++;
	o->counts[i][CAPTURED_BYTES] += frame->length;
}

void outlet_put(struct outlet *o, struct frame_header *frame, const uint8_t *bytes)
{
	frame->number = ++o->number;
	if (o->rings == 1) {
		put_into(o, 0, frame, bytes);
		return;
	}
	frame->share = share_of_frame(bytes, frame->captured, frame->linktype);
	if (frame->share != SHARE_UNSURE) {
		put_into(o, frame->share % o->rings, frame, bytes);
		return;
	}
	for (unsigned i = 0; i < o->rings; i++)
		put_into(o, i, frame, bytes);
}

void outlet_publish(struct outlet *o)
{
	if (o->published == o->number)
		return;
	for (unsigned i = 0; i < o->rings; i++)
		ring_publish_to(&o->ring[i], CAPTURE_NUMBER, o->number);
	o->published = o->number;
}

void outlet_show_counts(struct outlet *o, uint64_t kernel_drops, uint64_t interface_drops)
{
	for (unsigned i = 0; i < o->rings; i++) {
		const uint64_t *counts = o->counts[i];

		ring_count(&o->ring[i], CAPTURED_FRAMES, counts[CAPTURED_FRAMES]);
		ring_count(&o->ring[i], CAPTURED_BYTES, counts[CAPTURED_BYTES]);
		ring_count(&o->ring[i], CAPTURE_RING_DROPS, counts[CAPTURE_RING_DROPS]);
	}
	ring_count(&o->ring[0], CAPTURE_KERNEL_DROPS, o->counts[0][CAPTURE_KERNEL_DROPS] + kernel_drops);
	ring_count(&o->ring[0], CAPTURE_INTERFACE_DROPS, o->counts[0][CAPTURE_INTERFACE_DROPS] + interface_drops);
}

void outlet_beat(struct outlet *o)
{
	ring_beat(&o->ring[0]);
}
