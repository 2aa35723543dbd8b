/*
 * nDPI through the one face that the engine knows of it. What crashes it here is no failure of ours: the sensor
 * must go on when it crashes there, which tests/system/poison shows. tests/fuzz/run tells how often it does.
 *
 * Input: messages {1 byte, length:2 bytes, an IP packet}, all of one flow. Bit 0: a new flow begins.
 */
#include "classifiers/api/cursor.h"
#include "classifiers/ndpi/ndpi.h"
#include "tests/fuzz/messages.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

MUTATE_MESSAGES(0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ndpi *n;
	struct cursor c = cursor_over(data, size);
	struct ndpi_look *look = NULL;
	int64_t time_ns = 1700000000ll * 1000000000;
	uint16_t number;

	if (!n && !(n = ndpi_open(4 * NDPI_PARTS)))
		abort();
	while (cursor_left(&c) >= 3) {
		bool fresh = cursor_u8(&c) & 1;
		uint16_t len = cursor_u16be(&c);
		struct cursor bytes = cursor_take(&c, len < cursor_left(&c) ? len : cursor_left(&c));
		size_t n_bytes = cursor_left(&bytes);
		uint8_t *exact = malloc(n_bytes ? n_bytes : 1);
		char label[24];

		memcpy(exact, bytes.at, n_bytes);
		if (fresh && look) {
			ndpi_look_end(n, look);
			look = NULL;
		}
		if (!look && !(look = ndpi_look_start(n, 0)))
			abort();
		number = ndpi_look_at(n, look, exact, (uint16_t)n_bytes, time_ns += 1000000);
		if (number) {
			ndpi_label(n, number, label, sizeof label);
			if (!memchr(label, 0, sizeof label))
				abort();
		}
		free(exact);
	}
	if (look)
		ndpi_look_end(n, look);
	return 0;
}
