/*
 * The supervisor on what a dead engine and a living capture left in shared memory, both an attacker's: notes of what
 * was in hand, positions, records. Nothing is read outside, no more frames are kept than may be, and the file of
 * quarantine is pcapng to its last block.
 *
 * Input: a row of acts {1 byte, 8 bytes}: a neighbour writes its position, words anywhere, or a note; or the engine dies.
 */
#include "classifiers/api/cursor.h"
#include "sensor/common/message.h"
#include "sensor/supervisor/crash.h"
#include "sensor/supervisor/quarantine.h"
#include "sensor/supervisor/watchdog.h"
#include "tests/fuzz/must.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AREA = 65536, PAGE = 4096, FILE_MOST = QUARANTINE_BYTES + (1 << 20), DEATHS = 4 };

static struct scene {
	struct configuration config;
	struct wiring w;
	struct child engine;
	uint8_t *frames, *tail, *findings; /* the records' files of both rings, and the tail of the frames' */
	char file[CONFIG_PATH_BYTES + 32], old[CONFIG_PATH_BYTES + 32];
} s;

static uint8_t *map(int fd, size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(at != MAP_FAILED);
	return at;
}

static void start(void)
{
	struct wiring *w = &s.w;

	snprintf(s.config.state, sizeof s.config.state, "%s", access("/dev/shm", W_OK) == 0 ? "/dev/shm/crashes.XXXXXX" : "/tmp/crashes.XXXXXX");
	must(mkdtemp(s.config.state) != NULL);
	snprintf(s.file, sizeof s.file, "%s/quarantine.pcapng", s.config.state);
	snprintf(s.old, sizeof s.old, "%s/quarantine-old.pcapng", s.config.state);
	w->config = &s.config;
	w->engines = 1;
	w->engine[0].file = -1;
	must(ring_create(&w->engine[0].frames, "frames", AREA) == 0 && ring_create(&w->probes, "probes", AREA) == 0 &&
	     ring_create(&w->engine[0].findings, "findings", AREA) == 0);
	must(ring_attach_watcher(&w->engine[0].watch, w->engine[0].findings.records_ro, w->engine[0].findings.tail_ro) == 0);
	must(ring_attach_watcher(&w->engine[0].frames_watch, w->engine[0].frames.records_ro, w->engine[0].frames.tail_ro) == 0);
	s.frames = map(w->engine[0].frames.records_rw, PAGE + AREA);
	s.tail = map(w->engine[0].frames.tail_rw, PAGE);
	s.findings = map(w->engine[0].findings.records_rw, PAGE);
}

static void reset(void)
{
	memset(s.frames, 0, PAGE + 4096);
	memset(s.tail, 0, PAGE);
	memset(s.findings, 0, PAGE);
	s.engine = (struct child){ .role = CHILD_ENGINE, .name = "engine", .pid = 1 };
	s.w.engine[0].careful = s.w.engine[0].avoids = 0;
	s.w.quarantined = 0;
	unlink(s.file);
	unlink(s.old);
}

static uint32_t word_at(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* Every block states its length at both ends, and the blocks fill the file. */
static void check_file(void)
{
	static uint8_t bytes[FILE_MOST];
	int fd = open(s.file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);

	if (fd >= 0)
		close(fd);
	must(n >= 0 && n < FILE_MOST);
	for (size_t at = 0; at < (size_t)n;) {
		uint32_t len;

		must((size_t)n - at >= 12);
		len = word_at(bytes + at + 4);
		must(len >= 12 && len % 4 == 0 && len <= (size_t)n - at && word_at(bytes + at + len - 4) == len);
		at += len;
	}
}

static void die(uint64_t word)
{
	s.engine.failures = (unsigned)(word >> 8) % 4;
	s.engine.hung = word & 1;
	crash_of_engine(&s.w, &s.engine, word & 2 ? SIGKILL : SIGSEGV);
	must(s.w.engine[0].avoids <= ENGINE_AVOIDS);
	check_file();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	unsigned deaths = 0;

	if (!s.frames)
		start();
	reset();
	while (cursor_left(&c) >= 9 && deaths < DEATHS) {
		uint8_t act = cursor_u8(&c);
		uint64_t word = (uint64_t)cursor_u32le(&c) | (uint64_t)cursor_u32le(&c) << 32;

		switch (act % 8) {
		case 0: memcpy(s.frames, &word, 8); break;
		case 1: memcpy(s.tail, &word, 8); break;
		case 2: case 3: memcpy(s.frames + PAGE + (act / 8 * 8u + (word & 0x7f8)) % (AREA - 8), &word, 8); break;
		case 4: memcpy(s.findings + act / 8 * 8u, &word, 8); break;
		case 5: watchdog_hangs(&s.w, &s.engine); break;
		default: die(word); deaths++;
		}
	}
	return 0;
}
