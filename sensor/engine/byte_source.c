/* A regular file is looked at where the kernel has it; all else is read in blocks, of which only what one cut in two is copied. */
#include "sensor/engine/byte_source.h"

#include "sensor/engine/file_map.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum {
	BLOCK_BYTES = 64 * 1024, /* what is read streams through the cache: the less of it is in use, the more of all else stays there */
	PACKED_BYTES = 64 * 1024,
	AHEAD_BYTES = 1 << 18, /* of a mapped file in the window at once */
};

struct byte_source {
	struct byte_window window;
	uint8_t *own; /* memory of the window */
	int fd;
	bool gzip;
	bool looked; /* whether it is gzip */
	bool ended;
	bool tried; /* to map it */
	enum byte_fault fault;
	struct file_map map; /* closed: what is read is in `own` */
	size_t room;
	uint64_t read_bytes;
	uint64_t unpacked;
	z_stream z;
	uint8_t packed[PACKED_BYTES];
};

struct byte_source *byte_source_open(int fd, size_t largest)
{
	struct byte_source *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->fd = fd;
	s->room = largest + BLOCK_BYTES;
	s->own = malloc(s->room);
	if (!s->own) {
		free(s);
		return NULL;
	}
	s->window.bytes = s->own;
	return s;
}

void byte_source_close(struct byte_source *s)
{
	if (s->gzip)
		inflateEnd(&s->z);
	file_map_close(&s->map);
	free(s->own);
	free(s);
}

struct byte_window *byte_source_window(struct byte_source *s)
{
	return &s->window;
}

/* It was longer when what has been given out was read. */
static bool is_gone(const struct byte_source *s)
{
	off_t len = file_length(s->fd);

	return len >= 0 && len < lseek(s->fd, 0, SEEK_CUR);
}

static size_t read_block(struct byte_source *s, uint8_t *to, size_t room)
{
	ssize_t n;

	do
		n = read(s->fd, to, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		s->fault = BYTES_UNREADABLE;
	if (n == 0 && is_gone(s))
		s->fault = BYTES_GONE;
	if (n <= 0)
		return 0;
	s->read_bytes += (uint64_t)n;
	return (size_t)n;
}

/* Many tools write several gzip members one after the other; the next begins where one ends. */
static size_t unpack_block(struct byte_source *s, uint8_t *to, size_t room)
{
	s->z.next_out = to;
	s->z.avail_out = (uInt)room;
	while (s->z.avail_out == room) {
		int result;

		if (s->z.avail_in == 0) {
			s->z.next_in = s->packed;
			s->z.avail_in = (uInt)read_block(s, s->packed, sizeof s->packed);
			if (s->z.avail_in == 0) {
				/* At a member's end zlib stands at the start of the next: nothing was cut. */
				if (s->z.total_in != 0 && !s->fault)
					s->fault = BYTES_WRONG_GZIP;
				return 0;
			}
		}
		result = inflate(&s->z, Z_NO_FLUSH);
		if (result == Z_STREAM_END)
			inflateReset(&s->z);
		else if (result != Z_OK && result != Z_BUF_ERROR) {
			s->fault = BYTES_WRONG_GZIP;
			break;
		}
	}
	return room - s->z.avail_out;
}

static void look_for_gzip(struct byte_source *s)
{
	struct byte_window *w = &s->window;
	struct cursor start = byte_window_cursor(w);

	s->looked = true;
	if (!cursor_starts(&start, "\x1f\x8b", 2))
		return;
	if (inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK) {
		s->fault = BYTES_WRONG_GZIP;
		return;
	}
	s->gzip = true;
	w->to = w->to < PACKED_BYTES ? w->to : PACKED_BYTES;
	memcpy(s->packed, s->own, w->to);
	s->z.next_in = s->packed;
	s->z.avail_in = (uInt)w->to;
	w->to = unpack_block(s, s->own, BLOCK_BYTES);
}

/* The place of the window's next byte in a plain file. False for what is unpacked or can't be moved in. */
static bool find_place(const struct byte_source *s, uint64_t *offset)
{
	off_t at = lseek(s->fd, 0, SEEK_CUR);

	*offset = (uint64_t)at - (s->window.to - s->window.from);
	return at >= 0 && !s->gzip;
}

/* From here on the window is part of the file itself, when that can be. */
static void enter_map(struct byte_source *s)
{
	struct byte_window *w = &s->window;
	uint64_t offset;

	s->tried = true;
	if (!find_place(s, &offset) || !file_map_open(&s->map, s->fd))
		return;
	if (s->map.len - offset <= w->to - w->from || offset > s->map.len) {
		file_map_close(&s->map);
		return;
	}
	*w = (struct byte_window){ s->map.bytes, (size_t)offset, (size_t)offset + w->to - w->from };
	file_map_pass(&s->map, w->from);
}

bool byte_source_lost(const struct byte_source *s, bool odd)
{
	return file_map_lost(&s->map, odd);
}

/* Goes on from `offset` by reading. */
static void leave_map(struct byte_source *s, uint64_t offset)
{
	file_map_close(&s->map);
	s->window = (struct byte_window){ s->own, 0, 0 };
	s->read_bytes = offset;
	s->ended = lseek(s->fd, (off_t)offset, SEEK_SET) != (off_t)offset;
	if (s->ended)
		s->fault = BYTES_UNREADABLE;
}

/* The window reaches further into the mapped file. False when that is over: its last bytes, and what was added since, are read. */
static bool reach_on(struct byte_source *s)
{
	struct byte_window *w = &s->window;
	size_t to = s->map.len - w->to < AHEAD_BYTES ? s->map.len : w->to + AHEAD_BYTES;

	file_map_pass(&s->map, w->from);
	if (to > w->to && !file_map_lost(&s->map, true) && file_map_reach(&s->map, to)) {
		w->to = to;
		s->read_bytes = to;
		return true;
	}
	leave_map(s, w->from);
	return false;
}

static bool read_on(struct byte_source *s)
{
	struct byte_window *w = &s->window;
	size_t left = w->to - w->from, more, wanted = BLOCK_BYTES;

	memmove(s->own, w->bytes + w->from, left);
	w->from = 0;
	w->to = left;
	if (wanted > s->room - left)
		wanted = s->room - left;
	if (!s->looked)
		wanted = PACKED_BYTES - left; /* so that all of it fits the packed buffer, should it be gzip */
	more = s->gzip ? unpack_block(s, s->own + left, wanted) : read_block(s, s->own + left, wanted);
	w->to += more;
	s->unpacked += more;
	if (!s->looked && w->to >= 2)
		look_for_gzip(s);
	s->ended = more == 0;
	return !s->ended;
}

bool byte_source_refill(struct byte_source *s)
{
	if (s->ended)
		return false;
	if (s->looked && !s->tried)
		enter_map(s);
	return (s->map.bytes && reach_on(s)) || read_on(s);
}

bool byte_source_whole(const struct byte_source *s, struct cursor *whole)
{
	if (!s->map.bytes)
		return false;
	*whole = cursor_over(s->map.bytes, s->map.len);
	return true;
}

bool byte_source_go_to(struct byte_source *s, uint64_t offset)
{
	struct byte_window *w = &s->window;

	if (!s->map.bytes || offset <= w->from || offset > s->map.len)
		return false;
	w->from = (size_t)offset;
	if (w->to < w->from)
		s->read_bytes = w->to = w->from;
	file_map_pass(&s->map, w->from);
	return true;
}

bool byte_source_ended(const struct byte_source *s)
{
	return s->ended;
}

enum byte_fault byte_source_fault(const struct byte_source *s)
{
	return s->fault;
}

uint64_t byte_source_read(const struct byte_source *s)
{
	return s->read_bytes;
}

uint64_t byte_source_unpacked(const struct byte_source *s)
{
	return s->unpacked;
}
