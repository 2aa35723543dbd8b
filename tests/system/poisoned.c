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
uint16_t __real_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns);
uint16_t __wrap_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns);

static bool says(const void *bytes, size_t len, const char *word)
{
	return memmem(bytes, len, word, strlen(word)) != NULL;
}

bool __wrap_decode_plain(struct decoder *d, const struct cursor *frame, const uint16_t vlan[2], uint32_t lost, bool inside, struct packet *p)
{
	static volatile unsigned rounds;

	if (says(frame->at, cursor_left(frame), "POISON-CRASH"))
		abort();
	while (says(frame->at, cursor_left(frame), "POISON-LOOP"))
		rounds++;
	return __real_decode_plain(d, frame, vlan, lost, inside, p);
}

uint16_t __wrap_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns)
{
	if (says(ip, len, "POISON-NDPI"))
		abort();
	return __real_ndpi_look_at(n, look, ip, len, time_ns);
}
