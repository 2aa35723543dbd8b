/* Reads the audit's lines and holds each against the one before. */
#include "active/guard/chain.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEX_BYTES = 2 * CHAIN_HASH_BYTES, READ_BYTES = 65536 };

void chain_hash(const void *bytes, size_t len, uint8_t out[CHAIN_HASH_BYTES])
{
	crypto_hash_sha256(out, bytes, len);
}

void chain_file(unsigned n, char out[16])
{
	snprintf(out, 16, "%04u.log", n % 1000000);
}

/* Takes the text that must stand here. */
static bool take_text(const char **at, const char *end, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(end - *at) < n || memcmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool take_number(const char **at, const char *end, uint64_t *number)
{
	const char *start = *at;
	uint64_t n = 0;

	while (*at < end && **at >= '0' && **at <= '9' && *at - start < 19)
		n = n * 10 + (uint64_t)(*(*at)++ - '0');
	*number = n;
	return *at > start;
}

static bool take_hash(const char **at, const char *end, uint8_t out[CHAIN_HASH_BYTES])
{
	if (end - *at < HEX_BYTES || sodium_hex2bin(out, CHAIN_HASH_BYTES, *at, HEX_BYTES, NULL, NULL, NULL) != 0)
		return false;
	*at += HEX_BYTES;
	return true;
}

struct head {
	uint64_t number;
	uint64_t time_ns;
	uint8_t previous[CHAIN_HASH_BYTES];
	const char *rest;
};

static bool read_head(const char *line, size_t len, struct head *h)
{
	const char *at = line, *end = line + len;

	if (!take_text(&at, end, "{\"number\":") || !take_number(&at, end, &h->number) || !take_text(&at, end, ",\"time_ns\":") ||
	    !take_number(&at, end, &h->time_ns) || !take_text(&at, end, ",\"previous\":\"") || !take_hash(&at, end, h->previous) ||
	    !take_text(&at, end, "\",\"type\":\"") || end[-1] != '}')
		return false;
	h->rest = at;
	return true;
}

/* The line after an unfinished one must say so, with its hash. */
static bool names_torn(const struct chain *c, const struct head *h, const char *end)
{
	const char *at = h->rest;
	uint8_t hash[CHAIN_HASH_BYTES];

	return take_text(&at, end, "torn\",\"torn_sha256\":\"") && take_hash(&at, end, hash) &&
	       memcmp(hash, c->torn_hash, sizeof hash) == 0;
}

static bool fault(struct chain *c, const char *why)
{
	snprintf(c->why, sizeof c->why, "after line %" PRIu64 ": %s", c->number, why);
	return false;
}

bool chain_take(struct chain *c, const char *line, size_t len)
{
	struct head h;

	if (!read_head(line, len, &h)) {
		if (c->torn)
			return fault(c, "two lines that are none");
		c->torn = true;
		chain_hash(line, len, c->torn_hash);
		return true;
	}
	if (memcmp(h.previous, c->hash, sizeof h.previous) != 0)
		return fault(c, "the next line does not follow: one was changed, removed or put in");
	if (h.number != c->number + 1)
		return fault(c, "the next line has another number");
	if (c->torn && !names_torn(c, &h, line + len))
		return fault(c, "an unfinished line that nobody accounts for");
	c->torn = false;
	c->number = h.number;
	if ((int64_t)h.time_ns > c->time_ns)
		c->time_ns = (int64_t)h.time_ns;
	chain_hash(line, len, c->hash);
	return true;
}

/* Takes the lines that are whole in the buffer; returns how many bytes they and their ends are. */
static size_t take_lines(struct chain *c, char *bytes, size_t len, chain_see *see, void *context, bool *good)
{
	size_t at = 0;

	for (;;) {
		char *end = memchr(bytes + at, '\n', len - at);
		size_t n;

		if (!end)
			return at;
		n = (size_t)(end - bytes) - at;
		*end = 0;
		if (!chain_take(c, bytes + at, n)) {
			*good = false;
			return at;
		}
		if (see && !c->torn)
			see(context, c, bytes + at, n);
		at += n + 1;
	}
}

bool chain_read(struct chain *c, int fd, chain_see *see, void *context, size_t *tail)
{
	char *bytes = malloc(CHAIN_LINE_BYTES + READ_BYTES);
	size_t held = 0;
	bool good = bytes != NULL;
	ssize_t n = 0;

	if (!bytes)
		fault(c, "no memory");
	while (good && (n = read(fd, bytes + held, READ_BYTES)) > 0) {
		size_t taken;

		held += (size_t)n;
		taken = take_lines(c, bytes, held, see, context, &good);
		held -= taken;
		memmove(bytes, bytes + taken, held);
		if (good && held > CHAIN_LINE_BYTES)
			good = fault(c, "a line without an end");
	}
	if (n < 0)
		good = fault(c, "the file can't be read");
	*tail = held;
	if (good && held) {
		if (c->torn)
			good = fault(c, "two lines that are none");
		c->torn = true;
		chain_hash(bytes, held, c->torn_hash);
	}
	free(bytes);
	return good;
}
