/*
 * Appends the outbox to a file or a pipe, line by line. A line is written whole or taken back, so
 * that the last whole line of a file says where to go on; for a pipe the store remembers it.
 */
#include "sensor/hub/jsonl.h"

#include "sensor/common/log.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CHUNK_BYTES = 65536, LINE_BYTES_MAX = 16 * 1024 * 1024, FILE_MODE = 0640 };

static const char position_key[] = "jsonl_seq";

static struct {
	struct store *store;
	uv_loop_t *loop;
	uv_poll_t writable; /* of a pipe */
	bool polling;       /* `writable` is a handle of the loop */
	char path[256];     /* empty: stdout */
	int fd;             /* -1: none */
	bool regular;
	bool follow;        /* a file that may be moved away */
	dev_t dev;
	ino_t ino;
	int64_t written, noted, committed;
	size_t partial;     /* bytes of the next line that a pipe has taken already */
	const char *state;
} out = { .fd = -1, .state = "off" };

/* Told once per change. */
static void set_state(const char *state, int error)
{
	if (strcmp(out.state, state) == 0)
		return;
	if (error)
		log_warning("JSON lines to %s: %s: %s; events are kept and written later", out.path[0] ? out.path : "stdout",
			    state, strerror(error));
	else if (strcmp(out.state, "off") != 0)
		log_info("JSON lines to %s: writing again", out.path[0] ? out.path : "stdout");
	out.state = state;
}

/* The offset just behind the last line end before `end`, 0 when there is none, -1 when the file can't be read. */
static off_t line_start(int fd, off_t end)
{
	static char chunk[CHUNK_BYTES];
	off_t stop = end > LINE_BYTES_MAX ? end - LINE_BYTES_MAX : 0;

	while (end > stop) {
		size_t want = end - stop < CHUNK_BYTES ? (size_t)(end - stop) : CHUNK_BYTES;
		const char *found;

		if (pread(fd, chunk, want, end - (off_t)want) != (ssize_t)want)
			return -1;
		found = memrchr(chunk, '\n', want);
		if (found)
			return end - (off_t)want + (found - chunk) + 1;
		end -= (off_t)want;
	}
	return stop;
}

/* event.sequence of a document, 0 when it has none. */
static int64_t sequence_of(const char *line)
{
	json_t *document = json_loads(line, 0, NULL);
	int64_t seq = json_integer_value(json_object_get(json_object_get(document, "event"), "sequence"));

	json_decref(document);
	return seq > 0 ? seq : 0;
}

/*
 * Where a file that ends in `line` stands. A line that our outbox has with other bytes, or a number
 * that it has not reached, was written by another store: nothing of ours is in that file.
 */
static int64_t position_after(char *line)
{
	int64_t seq = sequence_of(line);
	struct outbox_size size;

	if (outbox_size(out.store, &size) < 0)
		return -1;
	if (seq == 0) {
		log_warning("JSON lines to %s: its last line is no event; appending", out.path);
		return store_meta(out.store, position_key, 0);
	}
	if (seq > size.last || !outbox_matches(out.store, seq, line, strlen(line)))
		return 0;
	return seq;
}

/* Cuts off what a kill left of a line and reads the last whole one. */
static int64_t find_position(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END), whole = line_start(fd, end), start;
	int64_t seq;
	char *line;

	if (end < 0 || whole < 0)
		return -1;
	if (whole < end) {
		log_warning("JSON lines to %s: the last line was torn, %lld bytes cut off", out.path, (long long)(end - whole));
		if (ftruncate(fd, whole) < 0)
			return -1;
	}
	if (whole == 0)
		return store_meta(out.store, position_key, 0);
	start = line_start(fd, whole - 1);
	line = start < 0 ? NULL : calloc(1, (size_t)(whole - start));
	if (!line || pread(fd, line, (size_t)(whole - start - 1), start) != whole - start - 1) {
		free(line);
		return -1;
	}
	seq = position_after(line);
	free(line);
	return seq;
}

/* A pipe must not hold up the loop: it gets a description of its own that does not block. */
static int open_stdout(void)
{
	struct stat st;
	int fd = -1;

	if (fstat(STDOUT_FILENO, &st) < 0)
		return -1;
	if (S_ISFIFO(st.st_mode))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int open_path(void)
{
	return open(out.path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, FILE_MODE);
}

static int take_file(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	out.fd = fd;
	out.regular = S_ISREG(st.st_mode);
	out.follow = out.regular && out.path[0];
	out.dev = st.st_dev;
	out.ino = st.st_ino;
	return 0;
}

int jsonl_open(uv_loop_t *loop, struct store *s, const char *path)
{
	struct outbox_size size;

	out.store = s;
	out.loop = loop;
	out.committed = 0;
	out.partial = 0;
	out.state = "off";
	if (!path[0])
		return 0;
	snprintf(out.path, sizeof out.path, "%s", strcmp(path, "-") == 0 ? "" : path);
	if (take_file(out.path[0] ? open_path() : open_stdout()) < 0 || outbox_size(s, &size) < 0 ||
	    (out.written = out.follow ? find_position(out.fd) : store_meta(s, position_key, 0)) < 0) {
		log_error("JSON lines to %s: %s", out.path[0] ? out.path : "stdout", strerror(errno));
		jsonl_close();
		return -1;
	}
	/* A position from another life of the store. */
	if (out.written > size.last)
		out.written = 0;
	out.noted = -1;
	if (!out.regular && uv_poll_init(loop, &out.writable, out.fd) == 0)
		out.polling = true;
	set_state("writing", 0);
	return 0;
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	uv_poll_stop(poll);
	jsonl_pump(out.committed);
}

/* What was not taken: a file's is cut off again, a pipe's goes on where it stopped. */
static void give_up_line(ssize_t taken, int error)
{
	if (taken > 0 && !out.regular) {
		out.partial += (size_t)taken;
		error = EAGAIN;
	} else if (taken > 0 && ftruncate(out.fd, lseek(out.fd, 0, SEEK_CUR) - taken) < 0) {
		log_error("JSON lines to %s: a torn line stays: %s", out.path, strerror(errno));
	}
	if (error == EAGAIN) {
		out.state = "blocked"; /* not told: a pipe is full now and then */
		if (out.polling)
			uv_poll_start(&out.writable, UV_WRITABLE, on_writable);
		return;
	}
	set_state(error == ENOSPC || error == EDQUOT || error == EFBIG ? "full" : "failed", error);
}

static bool write_line(const struct outbox_entry *e, void *arg)
{
	char end = '\n';
	size_t skip = out.partial < e->len ? out.partial : e->len;
	struct iovec parts[2] = { { (char *)(uintptr_t)e->body + skip, e->len - skip }, { &end, 1 } };
	ssize_t want = (ssize_t)(e->len - skip + 1), taken;

	(void)arg;
	do {
		taken = writev(out.fd, parts, 2);
	} while (taken < 0 && errno == EINTR);
	if (taken != want) {
		give_up_line(taken, taken < 0 ? errno : ENOSPC);
		return false;
	}
	out.partial = 0;
	out.written = e->seq;
	return true;
}

/* A pipe or terminal has no last line to read, so its position is kept in the store. */
static void note_position(void)
{
	if (out.noted != out.written && store_set_meta(out.store, position_key, out.written) == 0)
		out.noted = out.written;
}

void jsonl_pump(int64_t committed)
{
	int64_t before = out.written;

	out.committed = committed;
	if (out.fd < 0 || committed <= out.written)
		return;
	outbox_walk(out.store, out.written + 1, committed, write_line, NULL);
	if (strcmp(out.state, "blocked") != 0 && out.written > before)
		set_state("writing", 0);
	else if (out.written == committed)
		out.state = "writing";
	if (!out.follow && out.written > before)
		note_position();
}

/* logrotate moved the file: what follows goes into a new one. */
static void follow_file(void)
{
	struct stat st;
	int old = out.fd, fd;

	if (stat(out.path, &st) == 0 && st.st_dev == out.dev && st.st_ino == out.ino)
		return;
	fd = open_path();
	if (fd < 0) {
		set_state("failed", errno);
		return;
	}
	if (take_file(fd) < 0) {
		close(fd);
		return;
	}
	close(old);
	note_position();
}

void jsonl_tick(int64_t committed)
{
	if (out.fd < 0)
		return;
	if (out.follow)
		follow_file();
	jsonl_pump(committed);
	note_position();
}

void jsonl_close(void)
{
	if (out.polling) {
		uv_poll_stop(&out.writable);
		uv_close((uv_handle_t *)&out.writable, NULL);
	}
	out.polling = false;
	if (out.fd >= 0) {
		if (out.store && out.noted >= 0)
			note_position();
		close(out.fd);
	}
	out.fd = -1;
	out.state = "off";
}

const char *jsonl_state(void)
{
	return out.state;
}

int64_t jsonl_written(void)
{
	return out.written;
}
