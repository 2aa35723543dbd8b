/*
 * What was said over a line, as frames on their way to engine 0: a reply enters the sensor by the same
 * door as a frame from the SPAN port, and is read by the same classifier.
 */
#ifndef ACTIVE_PROBER_TELL_H
#define ACTIVE_PROBER_TELL_H

#include "active/prober/line.h"
#include "sensor/common/rebuild.h"
#include "sensor/common/ring.h"

struct tell {
	struct ring ring;
	bool open;
	uint64_t lost;              /* frames that found the ring full: they are still in the audit */
	struct conversation talk;
};

/* Takes the producer's end from FD_*_OUT. Without a ring nothing is told. */
void tell_open(struct tell *t);

/* A line was opened, with the VLAN tags of its target. TCP's handshake is told with it. */
void tell_start(struct tell *t, const struct line *l, const uint16_t vlan[2], int64_t time_ns);
void tell_bytes(struct tell *t, bool sent, const uint8_t *bytes, size_t len, const struct line_news *news);
void tell_end(struct tell *t, int64_t time_ns);

#endif
