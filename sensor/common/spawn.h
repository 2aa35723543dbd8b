/* Starts a child process of the sensor by exec, with exactly the descriptors it is to have. */
#ifndef SENSOR_COMMON_SPAWN_H
#define SENSOR_COMMON_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

struct spawn_fd {
	int from; /* open in the caller; -1 gives /dev/null */
	int to;   /* number in the child, 0 .. 255 */
};

/*
 * Starts `program` (a name beside the sensor's other processes, "askance-engine"; or a path with a
 * slash) with argv[] ended by NULL. The child holds the listed descriptors and stderr only, an empty
 * environment but PATH, LANG and TZ, and dies with its parent. Returns its pid, or -1 with errno.
 */
pid_t spawn(const char *program, char *const argv[], const struct spawn_fd *fds, size_t count);

/* Where spawn() finds such a program. 0, or -1 with errno. */
int spawn_find(const char *program, char *path, size_t room);

/* A read-only memory file that holds `len` bytes, for FD_CONFIG. -1 with errno. */
int spawn_config(const void *config, size_t len);

/* Reads a configuration of exactly `len` bytes from FD_CONFIG and closes it. 0, or -1 when its size differs. */
int spawn_read_config(void *config, size_t len);

#endif
