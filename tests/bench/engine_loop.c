/*
 * The engine alone, in one process and behind no walls, over a capture file: engine_loop FILE [SERVICE-PROBES]. For
 * counting its instructions. Its findings go to a ring that nobody reads and that holds all of them.
 */
#include "sensor/engine/engine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { RING_BYTES = 1 << 30 };

static struct engine engine;

/* The file at the descriptor where the engine expects it. */
static bool hand_over(const char *path, int fd)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	return file >= 0 && dup2(file, fd) == fd;
}

int main(int argc, char **argv)
{
	struct engine_config config = {
		.version = CONFIG_VERSION, .source = ENGINE_FILE, .flows = 262144, .details = 131072, .stream_bytes = 64 << 20,
		.ndpi_flows = 8192, .retell_ms = 60000,
	};
	struct ring_fds fds;

	/* The engine's descriptors have fixed numbers: nothing else may stand there. */
	for (int fd = 3; fd < FD_FIRST_FREE; fd++)
		dup2(STDERR_FILENO, fd);
	if (argc < 2 || argc > 3 || ring_create(&fds, "bench", RING_BYTES) < 0 || !hand_over(argv[1], FD_CAPTURE_FILE) ||
	    (argc == 3 && !hand_over(argv[2], FD_ENGINE_FILES + ENGINE_SERVICE_PROBES))) {
		fprintf(stderr, "usage: engine_loop FILE [SERVICE-PROBES]\n");
		return 2;
	}
	if (argc == 3)
		snprintf(config.file[ENGINE_SERVICE_PROBES], sizeof config.file[ENGINE_SERVICE_PROBES], "%s", argv[2]);
	if (dup2(fds.records_rw, FD_RECORDS_OUT) < 0 || dup2(fds.tail_ro, FD_TAIL_OUT) < 0 || dup2(fds.wake, FD_WAKE_OUT) < 0)
		return 2;
	if (engine_init(&engine, &config) < 0 || run_open(&engine) < 0 || run_file(&engine) != 0)
		return 1;
	printf("%" PRIu64 " frames, %" PRIu64 " messages, %" PRIu64 " at a glance, %" PRIu64 " findings\n", engine.counters.frames, engine.counters.messages, engine.routine, engine.counters.findings);
	return 0;
}
