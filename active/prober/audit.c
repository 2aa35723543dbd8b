/* Writes the lines of the audit and starts its files; a line counts when all of it is in the file. */
#include "active/prober/audit.h"

#include "sensor/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 999999, HEX_STEP = 256 };

static int open_file(const struct audit *a, unsigned n, int how)
{
	char path[sizeof a->folder + 20], name[16];

	chain_file(n, name);
	snprintf(path, sizeof path, "%s/%s", a->folder, name);
	return open(path, how | O_CLOEXEC, 0640);
}

static unsigned last_file(const struct audit *a)
{
	unsigned n = 0;
	struct stat st;
	char path[sizeof a->folder + 20], name[16];

	for (; n < FILES_MAX; n++) {
		chain_file(n + 1, name);
		snprintf(path, sizeof path, "%s/%s", a->folder, name);
		if (stat(path, &st) < 0)
			break;
	}
	return n;
}

/* Finds the chain's end: only what the files hold counts. */
static bool read_chain(struct audit *a, unsigned last)
{
	size_t tail;

	for (unsigned n = 1; n <= last; n++) {
		int fd = open_file(a, n, O_RDONLY);
		bool good = fd >= 0 && chain_read(&a->chain, fd, NULL, NULL, &tail);

		if (fd >= 0)
			close(fd);
		if (!good) {
			log_error("the audit in %s does not hold (%s); nothing is asked. `askance audit verify` tells more", a->folder,
			          fd < 0 ? strerror(errno) : a->chain.why);
			return false;
		}
	}
	return true;
}

/* The unfinished line gets its end, and a line of its own that says what happened. */
static bool account_for_torn(struct audit *a)
{
	char hash[2 * CHAIN_HASH_BYTES + 1];
	char last = '\n';

	if (a->bytes && (pread(a->fd, &last, 1, (off_t)a->bytes - 1) != 1 || (last != '\n' && write(a->fd, "\n", 1) != 1)))
		return false;
	a->bytes += last != '\n';
	sodium_bin2hex(hash, sizeof hash, a->chain.torn_hash, sizeof a->chain.torn_hash);
	audit_begin(a, "torn", a->chain.time_ns);
	audit_text(a, "torn_sha256", hash);
	log_warning("the last line of the audit was left unfinished; that is noted there");
	return audit_end(a, true) != 0;
}

/* A new file is begun at a start alone: behind its walls the prober opens nothing. */
static bool is_full(const struct audit *a)
{
	struct stat st;
	int fd = open_file(a, a->file, O_RDONLY);
	bool full = fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= AUDIT_FILE_BYTES;

	if (fd >= 0)
		close(fd);
	return full;
}

static bool open_last(struct audit *a)
{
	struct stat st;

	a->file = last_file(a);
	if (!read_chain(a, a->file)) {
		a->broken = true;
		return false;
	}
	if (a->file == 0 || (!a->chain.torn && is_full(a)))
		a->file++;
	a->fd = open_file(a, a->file, O_RDWR | O_CREAT | O_APPEND);
	if (a->fd < 0 || fstat(a->fd, &st) < 0) {
		log_error("the audit in %s can't be written (%s); nothing is asked", a->folder, strerror(errno));
		return false;
	}
	a->bytes = (uint64_t)st.st_size;
	return true;
}

bool audit_open(struct audit *a, const char *state_dir)
{
	*a = (struct audit){ .fd = -1 };
	snprintf(a->folder, sizeof a->folder, "%s/audit", state_dir);
	a->line = malloc(CHAIN_LINE_BYTES);
	if (!a->line)
		return false;
	if (mkdir(a->folder, 0750) < 0 && errno != EEXIST) {
		log_error("the folder %s can't be made (%s); nothing is asked", a->folder, strerror(errno));
		return false;
	}
	return open_last(a) && (!a->chain.torn || account_for_torn(a));
}

void audit_close(struct audit *a)
{
	if (a->fd >= 0)
		close(a->fd);
	free(a->line);
	*a = (struct audit){ .fd = -1 };
}

static void put(struct audit *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct audit *a, const char *format, ...)
{
	va_list args;
	int n;

	if (a->full || !a->line)
		return;
	va_start(args, format);
	n = vsnprintf(a->line + a->used, CHAIN_LINE_BYTES - a->used, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= CHAIN_LINE_BYTES - a->used)
		a->full = true;
	else
		a->used += (size_t)n;
}

void audit_begin(struct audit *a, const char *type, int64_t time_ns)
{
	char hash[2 * CHAIN_HASH_BYTES + 1];

	a->used = 0;
	a->full = false;
	sodium_bin2hex(hash, sizeof hash, a->chain.hash, sizeof a->chain.hash);
	put(a, "{\"number\":%" PRIu64 ",\"time_ns\":%" PRId64 ",\"previous\":\"%s\",\"type\":\"%s\"", a->chain.number + 1, time_ns, hash, type);
}

static void put_key(struct audit *a, const char *key)
{
	put(a, "%s\"%s\":", a->used && a->line[a->used - 1] == '{' ? "" : ",", key);
}

void audit_text(struct audit *a, const char *key, const char *value)
{
	put_key(a, key);
	put(a, "\"");
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '\n')
			put(a, "\\n");
		else if (*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\')
			put(a, "\\u%04x", *p);
		else
			put(a, "%c", *p);
	}
	put(a, "\"");
}

void audit_number(struct audit *a, const char *key, int64_t value)
{
	put_key(a, key);
	put(a, "%" PRId64, value);
}

void audit_hex(struct audit *a, const char *key, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	put_key(a, key);
	put(a, "\"");
	for (size_t at = 0; at < len; at += HEX_STEP) {
		size_t n = len - at < HEX_STEP ? len - at : HEX_STEP;
		char hex[2 * HEX_STEP + 1];

		sodium_bin2hex(hex, sizeof hex, p + at, n);
		put(a, "%s", hex);
	}
	put(a, "\"");
}

void audit_list_begin(struct audit *a, const char *key)
{
	put_key(a, key);
	put(a, "[");
}

void audit_item(struct audit *a)
{
	put(a, "%s{", a->used && a->line[a->used - 1] == '[' ? "" : ",");
}

void audit_item_end(struct audit *a)
{
	put(a, "}");
}

void audit_list_end(struct audit *a)
{
	put(a, "]");
}

static bool write_line(struct audit *a, bool durable)
{
	ssize_t n = write(a->fd, a->line, a->used);

	if (n == (ssize_t)a->used && (!durable || fdatasync(a->fd) == 0))
		return true;
	log_error("the audit can't be written (%s); nothing is asked", n < 0 ? strerror(errno) : "the disk is full");
	/* Half a line would end the chain for good. */
	if (n > 0 && ftruncate(a->fd, (off_t)a->bytes) < 0)
		a->broken = true;
	return false;
}

uint64_t audit_end(struct audit *a, bool durable)
{
	put(a, "}\n");
	if (a->fd < 0 || a->broken || a->full || !write_line(a, durable))
		return 0;
	a->bytes += a->used;
	if (!chain_take(&a->chain, a->line, a->used - 1)) {
		a->broken = true;
		log_error("the audit's own line does not follow (%s); nothing is asked", a->chain.why);
		return 0;
	}
	return a->chain.number;
}
