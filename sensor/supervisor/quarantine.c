/* pcapng as draft-ietf-opsawg-pcapng has it: a section for each visit, an interface for each link type in it. */
#include "sensor/supervisor/quarantine.h"

#include "sensor/common/config.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_APPLICATION = 4,
	OPTION_RESOLUTION = 9,
	RESOLUTION_NS = 9,
	LINKTYPES = 8,
	MOST_BYTES = 65535, /* of one frame */
	BLOCK_ROOM = MOST_BYTES + 1024,
};

/* One block, put together in memory. */
struct block {
	uint8_t bytes[BLOCK_ROOM];
	size_t len;
};

struct file {
	int fd;
	uint16_t linktype[LINKTYPES];
	unsigned linktypes;
	struct block block;
};

static void put(struct block *b, const void *bytes, size_t len)
{
	static const uint8_t zeros[4];
	size_t pad = -len & 3;

	if (b->len + len + pad > sizeof b->bytes)
		return;
	if (len)
		memcpy(b->bytes + b->len, bytes, len);
	memcpy(b->bytes + b->len + len, zeros, pad);
	b->len += len + pad;
}

static void put_32(struct block *b, uint32_t value)
{
	put(b, &value, sizeof value);
}

static void put_option(struct block *b, uint16_t code, const void *value, size_t len)
{
	uint16_t head[2] = { code, (uint16_t)len };

	put(b, head, sizeof head);
	put(b, value, len);
}

static void begin(struct block *b, uint32_t type)
{
	b->len = 0;
	put_32(b, type);
	put_32(b, 0); /* its length, known at the end */
}

static bool end(struct file *f)
{
	struct block *b = &f->block;
	uint32_t len;

	put_option(b, OPTION_END, NULL, 0);
	len = (uint32_t)b->len + 4;
	put_32(b, len);
	memcpy(b->bytes + 4, &len, sizeof len);
	return write(f->fd, b->bytes, b->len) == (ssize_t)b->len;
}

static bool write_section(struct file *f)
{
	static const char application[] = "askance " ASKANCE_VERSION;
	const uint16_t version[2] = { 1, 0 };
	const int64_t length = -1; /* not stated */

	begin(&f->block, BLOCK_SECTION);
	put_32(&f->block, BYTE_ORDER_MAGIC);
	put(&f->block, version, sizeof version);
	put(&f->block, &length, sizeof length);
	put_option(&f->block, OPTION_APPLICATION, application, sizeof application - 1);
	return end(f);
}

/* The number of the interface with that link type; written when it is the first of its kind. */
static int find_interface(struct file *f, uint16_t linktype)
{
	const uint16_t head[2] = { linktype, 0 };
	const uint8_t resolution = RESOLUTION_NS;

	for (unsigned i = 0; i < f->linktypes; i++)
		if (f->linktype[i] == linktype)
			return (int)i;
	if (f->linktypes == LINKTYPES)
		return -1;
	begin(&f->block, BLOCK_INTERFACE);
	put(&f->block, head, sizeof head);
	put_32(&f->block, 0);
	put_option(&f->block, OPTION_RESOLUTION, &resolution, sizeof resolution);
	if (!end(f))
		return -1;
	f->linktype[f->linktypes] = linktype;
	return (int)f->linktypes++;
}

/* The record comes from another process's memory: its words are used once each, and checked. */
static bool write_frame(struct file *f, const void *record, size_t len, const char *comment)
{
	struct frame_header h;
	uint64_t time;
	uint32_t captured;
	int interface;

	if (len < sizeof h)
		return false;
	memcpy(&h, record, sizeof h);
	captured = (uint32_t)(len - sizeof h);
	if (captured > MOST_BYTES)
		captured = MOST_BYTES;
	interface = find_interface(f, h.linktype);
	if (interface < 0)
		return false;
	time = (uint64_t)h.time_ns;
	begin(&f->block, BLOCK_PACKET);
	put_32(&f->block, (uint32_t)interface);
	put_32(&f->block, (uint32_t)(time >> 32));
	put_32(&f->block, (uint32_t)time);
	put_32(&f->block, captured);
	put_32(&f->block, h.length);
	put(&f->block, (const uint8_t *)record + sizeof h, captured);
	put_option(&f->block, OPTION_COMMENT, comment, strlen(comment));
	return end(f);
}

static int open_file(const char *state)
{
	char path[CONFIG_PATH_BYTES + 32], old[CONFIG_PATH_BYTES + 32];
	struct stat st;

	snprintf(path, sizeof path, "%s/quarantine.pcapng", state);
	snprintf(old, sizeof old, "%s/quarantine-old.pcapng", state);
	if (stat(path, &st) == 0 && st.st_size >= QUARANTINE_BYTES && rename(path, old) < 0)
		return -1;
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

struct quarantined quarantine_take(const struct ring_fds *from, unsigned count, bool leave, const char *state, const char *comment)
{
	static struct file f;
	struct quarantined q = { 0, 0 };
	const void *record;
	struct ring r;
	size_t len;
	bool good;

	if (ring_attach_consumer(&r, from->records_ro, from->tail_rw, from->wake) < 0)
		return q;
	f.linktypes = 0;
	f.fd = open_file(state);
	good = f.fd >= 0 && write_section(&f);
	while (q.seen < count && ring_next(&r, &record, &len) == RING_OK) {
		q.seen++;
		good = good && write_frame(&f, record, len, comment);
		q.kept += good;
	}
	if (q.kept < q.seen)
		log_error("%u frames can't be kept in %s/quarantine.pcapng: %s", q.seen - q.kept, state, strerror(errno));
	if (!leave)
		ring_release(&r);
	ring_detach(&r);
	if (f.fd >= 0)
		close(f.fd);
	return q;
}
