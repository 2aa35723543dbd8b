/* A descriptor as a window of bytes that slides forward: unpacked when it is gzip (RFC 1952), in place when it is a regular file. */
#ifndef SENSOR_ENGINE_BYTE_SOURCE_H
#define SENSOR_ENGINE_BYTE_SOURCE_H

#include "classifiers/api/cursor.h"

struct byte_source;

enum byte_fault { BYTES_WELL, BYTES_UNREADABLE, BYTES_WRONG_GZIP, BYTES_GONE /* the file is shorter than what was read of it */ };

/* What is in memory: `bytes` from `from` up to `to` have yet to be read. */
struct byte_window {
	const uint8_t *bytes;
	size_t from;
	size_t to;
};

/* The window always can hold `largest` bytes. NULL without memory. */
struct byte_source *byte_source_open(int fd, size_t largest);
void byte_source_close(struct byte_source *s);

/* Its window, for as long as it is open. Whoever reads moves `from`; a refill changes all of it. */
struct byte_window *byte_source_window(struct byte_source *s);

static inline struct cursor byte_window_cursor(const struct byte_window *w)
{
	return cursor_over(w->bytes + w->from, w->to - w->from);
}

/* Keeps what is left and has more behind it. False when nothing more came. */
bool byte_source_refill(struct byte_source *s);
/* Bytes of the window are gone from the file: don't rely on what they were, and refill. See file_map_lost(). */
bool byte_source_lost(const struct byte_source *s, bool odd);
/* All of a file that is looked at in place, wherever the window is. False for others. */
bool byte_source_whole(const struct byte_source *s, struct cursor *whole);
/* Has the window begin at `offset` of such a file, behind where it does now. False when there is no such place. */
bool byte_source_go_to(struct byte_source *s, uint64_t offset);
bool byte_source_ended(const struct byte_source *s);
/* Why nothing more comes, other than that the descriptor's bytes end there. */
enum byte_fault byte_source_fault(const struct byte_source *s);
uint64_t byte_source_read(const struct byte_source *s);     /* bytes of the file */
uint64_t byte_source_unpacked(const struct byte_source *s); /* bytes given into the window */

#endif
