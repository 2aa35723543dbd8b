/*
 * A regular file as memory, of which a part that moves forward is resident. Its pages are the kernel's own: another process may
 * write the file meanwhile, so what is read of it twice may differ.
 *
 * A file can get shorter, or its disk fail, while it is read: see file_map_lost().
 */
#ifndef SENSOR_ENGINE_FILE_MAP_H
#define SENSOR_ENGINE_FILE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FILE_MAPS_MAX = 8 }; /* open at once in a process */

/* All zeros: closed. */
struct file_map {
	const uint8_t *bytes; /* of the whole file, as long as it was when it was opened; NULL: closed */
	size_t len;
	size_t passed, reached; /* what is resident */
	int fd;
	unsigned watch;
};

/* Of what fd is open on; -1 when it has none, as a pipe. Its place stays. */
off_t file_length(int fd);

/* False, and closed, when fd is no file, empty, or can't be mapped: then it must be read. fd stays the caller's, and open. */
bool file_map_open(struct file_map *m, int fd);
void file_map_close(struct file_map *m);

/* Reads ahead so that all bytes before `upto` (<= len) are there, unless they were passed. False when they can't be read. */
bool file_map_reach(struct file_map *m, size_t upto);
/* Nothing before `before` will be looked at again. */
void file_map_pass(struct file_map *m, size_t before);

/*
 * Zeros stand for bytes that the file has no more: rely on nothing of it. On the file's new last page that is not noticed by itself;
 * `odd` says that what was read may be such zeros, and has its length looked at. One frame that ends there may have been taken for whole.
 */
bool file_map_lost(const struct file_map *m, bool odd);

#endif
