/*
 * Shared memory whose other end is an attacker's: its words change as it likes, at any time.
 *
 * Input: a row of acts {1 byte, 8 bytes}: the neighbour writes its position, or words anywhere in the record area,
 * and we go on as a consumer of frames, of reports, or as a producer.
 */
#include "classifiers/api/cursor.h"
#include "sensor/engine/engine.h"
#include "sensor/hub/hub.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AREA = 65536, PAGE = 4096, TAKE = 16 };

struct scene {
	struct ring_fds fds;
	struct ring consumer, producer;
	uint8_t *records, *tail; /* as the neighbour sees them: the head or tail first, then the counters; the records after a page */
};

static void start(struct scene *s)
{
	if (ring_create(&s->fds, "fuzz", AREA) < 0)
		abort();
	s->records = mmap(NULL, PAGE + AREA, PROT_READ | PROT_WRITE, MAP_SHARED, s->fds.records_rw, 0);
	s->tail = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->fds.tail_rw, 0);
	if (s->records == MAP_FAILED || s->tail == MAP_FAILED)
		abort();
}

/* Everything as new, both ends attached. */
static void reset(struct scene *s)
{
	memset(s->tail, 0, PAGE);
	memset(s->records, 0, PAGE + 4096);
	if (ring_attach_consumer(&s->consumer, s->fds.records_ro, s->fds.tail_rw, s->fds.wake) < 0 ||
	    ring_attach_producer(&s->producer, s->fds.records_rw, s->fds.tail_ro, s->fds.wake) < 0)
		abort();
}

static void must_lie_within(const struct ring *r, const void *record, size_t len)
{
	const uint8_t *at = record;
	volatile uint8_t sum = 0;

	if (at < r->bytes || len > r->size || at + len > r->bytes + r->size)
		abort();
	for (size_t i = 0; i < len; i += 64)
		sum = (uint8_t)(sum + at[i]);
}

static void take_frames(struct ring *r)
{
	struct frame f;

	for (unsigned i = 0; i < TAKE && run_next_frame(r, &f) == RING_OK; i++)
		must_lie_within(r, f.bytes, f.captured);
	ring_release(r);
}

static void take_reports(struct ring *r)
{
	struct report report;

	for (unsigned i = 0; i < TAKE && report_next(r, 0, &report) == RING_OK; i++)
		if (report.type == REPORT_FINDING && !finding_valid(&report.finding))
			abort();
	ring_release(r);
}

static void produce(struct ring *r, size_t len)
{
	void *room = ring_reserve(r, len);

	if (room) {
		must_lie_within(r, room, len);
		memset(room, 0x5a, len);
		ring_commit(r, len);
	}
	ring_publish(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene s;
	struct cursor c = cursor_over(data, size);

	if (!s.records)
		start(&s);
	reset(&s);
	while (cursor_left(&c) >= 9) {
		uint8_t act = cursor_u8(&c);
		uint64_t word = (uint64_t)cursor_u32be(&c) << 32;

		word |= cursor_u32be(&c);
		switch (act % 8) {
		case 0: memcpy(s.records, &word, 8); break;
		case 1: memcpy(s.tail, &word, 8); break;
		case 2: case 3: memcpy(s.records + PAGE + (act / 8 * 8u + (word & 0x7f8)) % (AREA - 8), &word, 8); break;
		case 4: take_frames(&s.consumer); break;
		case 5: take_reports(&s.consumer); break;
		case 6: produce(&s.producer, word % (RING_RECORD_MAX + 2)); break;
		default: produce(&s.producer, word % 64);
		}
	}
	ring_detach(&s.consumer);
	ring_detach(&s.producer);
	return 0;
}
