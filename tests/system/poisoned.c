/*
 * Planted faults for an engine in a test: linked with --wrap before the real functions, so that the product
 * holds none of it. A frame that says POISON-CRASH crashes the decoder, POISON-LOOP keeps it for ever, and
 * POISON-NDPI crashes nDPI.
 */
#include "classifiers/ndpi/ndpi.h"
#include "sensor/engine/decode.h"

#include <stdlib.h>
#include <string.h>

void __real_decode_frame(struct decoder *d, const struct frame *f, struct packet *p);
void __wrap_decode_frame(struct decoder *d, const struct frame *f, struct packet *p);
uint16_t __real_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns);
uint16_t __wrap_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns);

static bool says(const void *bytes, size_t len, const char *word)
{
	return memmem(bytes, len, word, strlen(word)) != NULL;
}

void __wrap_decode_frame(struct decoder *d, const struct frame *f, struct packet *p)
{
	static volatile unsigned rounds;

	if (says(f->bytes, f->captured, "POISON-CRASH"))
		abort();
	while (says(f->bytes, f->captured, "POISON-LOOP"))
		rounds++;
	__real_decode_frame(d, f, p);
}

uint16_t __wrap_ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns)
{
	if (says(ip, len, "POISON-NDPI"))
		abort();
	return __real_ndpi_look_at(n, look, ip, len, time_ns);
}
