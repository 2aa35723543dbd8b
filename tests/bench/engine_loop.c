/*
 * The engine alone, in one process and behind no walls, over a capture file: engine_loop FILE. For counting its
 * instructions. Its findings go to a ring that nobody reads and that holds all of them.
 */
#include "sensor/engine/engine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { RING_BYTES = 1 << 30 };

static struct engine engine;

int main(int argc, char **argv)
{
	const struct engine_config config = {
		.version = CONFIG_VERSION, .source = ENGINE_FILE, .flows = 262144, .details = 131072, .stream_bytes = 64 << 20,
		.ndpi_flows = 8192, .retell_ms = 60000,
	};
	struct ring_fds fds;
	int file;

	/* The engine's descriptors have fixed numbers: nothing else may stand there. */
	for (int fd = 3; fd < FD_FIRST_FREE; fd++)
		dup2(STDERR_FILENO, fd);
	file = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (file < 0 || ring_create(&fds, "bench", RING_BYTES) < 0) {
		fprintf(stderr, "usage: engine_loop FILE\n");
		return 2;
	}
	if (dup2(fds.records_rw, FD_RECORDS_OUT) < 0 || dup2(fds.tail_ro, FD_TAIL_OUT) < 0 || dup2(fds.wake, FD_WAKE_OUT) < 0 ||
	    dup2(file, FD_CAPTURE_FILE) < 0)
		return 2;
	if (engine_init(&engine, &config) < 0 || run_open(&engine) < 0 || run_file(&engine) != 0)
		return 1;
	printf("%" PRIu64 " frames, %" PRIu64 " messages, %" PRIu64 " at a glance\n", engine.counters.frames, engine.counters.messages, engine.routine);
	return 0;
}
