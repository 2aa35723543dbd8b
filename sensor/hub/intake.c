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
	char key[32];

	memset(in, 0, sizeof *in);
	in->engine = engine;
	in->wake = records_of_engine(engine) + 2;
	if (ring_of_engine(&in->ring, engine) < 0) {
		log_error("the findings ring of engine %u could not be mapped", engine);
		return -1;
	}
	in->identity = identify(records_of_engine(engine));
	in->released = in->taken = ring_position(&in->ring);
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
		in->taken = ring_position(&in->ring);
	}
}

void intake_take(struct intake *in)
{
	in->held = false;
	in->taken = ring_position(&in->ring);
}

int intake_note(const struct intake *in, struct store *s)
{
	char key[32];

	if (in->taken == in->released)
		return 0;
	key_of(key, "identity", in->engine);
	if (store_set_meta(s, key, in->identity) < 0)
		return -1;
	key_of(key, "position", in->engine);
	return store_set_meta(s, key, (int64_t)in->taken);
}

void intake_release_to(struct intake *in, uint64_t position)
{
	/* A ring that was relieved meanwhile is further. */
	if (position <= in->released)
		return;
	in->released = position;
	ring_release_to(&in->ring, position);
}

void intake_release(struct intake *in)
{
	intake_release_to(in, in->taken);
}

bool intake_strained(const struct intake *in)
{
	return in->taken - in->released > in->ring.size / 2;
}
