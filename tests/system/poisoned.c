/*
 * Planted faults for an engine in a test: linked with --wrap before the real functions, so that the product
 * holds none of it. A frame that says POISON-CRASH crashes the decoder, POISON-LOOP keeps it for ever, and
 * POISON-NDPI crashes nDPI.
 */
#include "classifiers/ndpi/ndpi.h"
#include "sensor/engine/decode.h"

#include <stdlib.h>
#include <string.h>

bool __real_decode_plain(struct decoder *d, const struct cursor *frame, const uint16_t vlan[2], uint32_t lost, bool inside, struct packet *p);
bool __wrap_decode_plain(struct decoder *d, const struct cursor *frame, const uint16_t vlan[2], uint32_t lost, bool inside, struct packet *p);
unsigned __real_decode_plain_run(struct decoder *d, const struct frame *frames, unsigned count, const struct plain_limits *limits, struct packet *packets);
unsigned __wrap_decode_plain_run(struct decoder *d, const struct frame *frames, unsigned count, const struct plain_limits *limits, struct packet *packets);
uint16_t __real_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns);
uint16_t __wrap_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns);

static bool says(const void *bytes, size_t len, const char *word)
{
	return memmem(bytes, len, word, strlen(word)) != NULL;
}

static void suffer(const void *bytes, size_t len)
{
	static volatile unsigned rounds;

	if (says(bytes, len, "POISON-CRASH"))
		abort();
	while (says(bytes, len, "POISON-LOOP"))
		rounds++;
}

bool __wrap_decode_plain(struct decoder *d, const struct cursor *frame, const uint16_t vlan[2], uint32_t lost, bool inside, struct packet *p)
{
	suffer(frame->at, cursor_left(frame));
	return __real_decode_plain(d, frame, vlan, lost, inside, p);
}

unsigned __wrap_decode_plain_run(struct decoder *d, const struct frame *frames, unsigned count, const struct plain_limits *limits, struct packet *packets)
{
	for (unsigned i = 0; i < count; i++)
		suffer(frames[i].bytes, frames[i].captured);
	return __real_decode_plain_run(d, frames, count, limits, packets);
}

uint16_t __wrap_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns)
{
	if (says(ip, len, "POISON-NDPI"))
		abort();
	return __real_ndpi_look_at(n, look, ip, len, time_ns);
}
