/* The Ethernet frames of the recorded plant, as they are or damaged, for tests of whoever reads headers. */
#ifndef TESTS_UNIT_PLANT_FRAMES_H
#define TESTS_UNIT_PLANT_FRAMES_H

#include "tests/unit/engine_fixture.h"

#include "sensor/engine/capture_file.h"

#include <fcntl.h>

enum { MACS_BYTES = 12, HEADERS_BYTES = 70, ROUNDS = 40 };

static inline unsigned chance(uint32_t *random, unsigned below)
{
	*random = *random * 1103515245 + 12345;
	return (*random >> 8) % below;
}

/* Two bytes of the headers become others, and every fifth frame is cut. */
static inline void damage(uint8_t *bytes, struct frame *f, uint32_t *random)
{
	for (int i = 0; i < 2 && f->captured > MACS_BYTES; i++)
		bytes[chance(random, f->captured < HEADERS_BYTES ? f->captured : HEADERS_BYTES)] = (uint8_t)chance(random, 256);
	if (chance(random, 5) == 0)
		f->captured = chance(random, f->captured + 1);
}

/* `seed` 0 leaves the frames as they are. */
static inline void each_plant_frame(uint32_t seed, void (*look)(void *context, const struct frame *f), void *context)
{
	int fd = open(SOURCE_DIR "/tests/plant/plant.pcap.gz", O_RDONLY | O_CLOEXEC);
	struct capture_file *file;
	enum capture_result result;
	struct frame f;
	const char *why;
	static uint8_t copy[65536];

	file = capture_file_open(fd, &why);
	assert_non_null(file);
	while ((result = capture_file_next(file, &f)) == CAPTURE_FRAME || (result == CAPTURE_REFILL && capture_file_refill(file))) {
		if (result != CAPTURE_FRAME || f.linktype != LINKTYPE_ETHERNET)
			continue;
		memcpy(copy, f.bytes, f.captured);
		f.bytes = copy;
		if (seed)
			damage(copy, &f, &seed);
		look(context, &f);
	}
	capture_file_close(file);
	close(fd);
}

#endif
