/* The consumer's ends of the findings rings. */
#include "sensor/hub/intake.h"

#include "sensor/common/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void key_of(char key[32], const char *what, unsigned engine)
{
	snprintf(key, 32, "ring:%u:%s", engine, what);
}

/* The memory file's own number, and this boot's: together they are not met again. */
static int64_t identify(int fd)
{
	char boot[64] = "";
	struct stat st;
	int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	uint64_t hash = 1469598103934665603u;

	if (file >= 0) {
		if (read(file, boot, sizeof boot - 1) < 0)
			boot[0] = 0;
		close(file);
	}
	for (const char *s = boot; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 1099511628211u;
	if (fstat(fd, &st) == 0) {
		hash = (hash ^ (uint64_t)st.st_ino) * 1099511628211u;
		hash = (hash ^ (uint64_t)st.st_dev) * 1099511628211u;
		hash = (hash ^ (uint64_t)st.st_ctim.tv_sec) * 1099511628211u;
		hash = (hash ^ (uint64_t)st.st_ctim.tv_nsec) * 1099511628211u;
	}
	return (int64_t)(hash >> 1);
}

int intake_open(struct intake *in, unsigned engine, struct store *s)
{
	int first = engine == 0 ? FD_RECORDS_IN : FD_FIRST_FREE + 3 * ((int)engine - 1);
	char key[32];

	memset(in, 0, sizeof *in);
	in->engine = engine;
	in->wake = first + 2;
	if (ring_of_engine(&in->ring, engine) < 0) {
		log_error("the findings ring of engine %u could not be mapped", engine);
		return -1;
	}
	in->identity = identify(first);
	in->released = ring_position(&in->ring);
	key_of(key, "identity", engine);
	if (store_meta(s, key, 0) != in->identity)
		return 0;
	key_of(key, "position", engine);
	in->skip_to = (uint64_t)store_meta(s, key, 0);
	return 0;
}

enum ring_result intake_next(struct intake *in, struct report *report)
{
	for (;;) {
		enum ring_result result = report_next(&in->ring, in->engine, report);

		if (result != RING_OK || ring_position(&in->ring) > in->skip_to)
			return result;
		in->skipped++;
	}
}

int intake_note(const struct intake *in, struct store *s)
{
	char key[32];

	if (ring_position(&in->ring) == in->released)
		return 0;
	key_of(key, "identity", in->engine);
	if (store_set_meta(s, key, in->identity) < 0)
		return -1;
	key_of(key, "position", in->engine);
	return store_set_meta(s, key, (int64_t)ring_position(&in->ring));
}

void intake_release(struct intake *in)
{
	in->released = ring_position(&in->ring);
	ring_release_to(&in->ring, in->released);
}

bool intake_strained(const struct intake *in)
{
	return ring_position(&in->ring) - in->released > in->ring.size / 2;
}
