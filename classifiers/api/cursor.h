/*
 * A cursor reads bytes somebody else wrote. There is no other way to a packet byte.
 *
 * Every read is checked. A read past the end gives zero, moves nothing and marks the cursor for
 * good, so a reader goes straight down its format and asks cursor_ok() once, before it believes.
 */
#ifndef CLASSIFIERS_API_CURSOR_H
#define CLASSIFIERS_API_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Every packet byte passes through these: a call each would cost more than the check. */
#ifdef ASKANCE_COUNTED /* each is counted once, and not in all lines that call it */
#define CURSOR_INLINE static inline
#else
#define CURSOR_INLINE static inline __attribute__((always_inline))
#endif

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

CURSOR_INLINE struct cursor cursor_over(const void *bytes, size_t len)
{
	return (struct cursor){ bytes, (const uint8_t *)bytes + len, false };
}

CURSOR_INLINE bool cursor_ok(const struct cursor *c)
{
	return !c->bad;
}

CURSOR_INLINE size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->at);
}

CURSOR_INLINE void cursor_fail(struct cursor *c)
{
	c->bad = true;
}

/* The next len bytes as a cursor of their own; a bad one if they are not there. */
CURSOR_INLINE struct cursor cursor_take(struct cursor *c, size_t len)
{
	if (c->bad || cursor_left(c) < len) {
		c->bad = true;
		return (struct cursor){ c->at, c->at, true };
	}
	c->at += len;
	return (struct cursor){ c->at - len, c->at, c->bad };
}

/* All bytes that are left; never bad unless the cursor was. */
static inline struct cursor cursor_rest(struct cursor *c)
{
	return cursor_take(c, cursor_left(c));
}

CURSOR_INLINE void cursor_skip(struct cursor *c, size_t len)
{
	(void)cursor_take(c, len);
}

static inline uint64_t cursor_be(struct cursor *c, size_t width)
{
	struct cursor v = cursor_take(c, width);
	uint64_t x = 0;

	for (const uint8_t *p = v.at; p < v.end; p++)
		x = x << 8 | *p;
	return x;
}

static inline uint64_t cursor_le(struct cursor *c, size_t width)
{
	struct cursor v = cursor_take(c, width);
	uint64_t x = 0;

	for (const uint8_t *p = v.end; p > v.at; p--)
		x = x << 8 | p[-1];
	return x;
}

CURSOR_INLINE uint8_t cursor_u8(struct cursor *c)
{
	struct cursor v = cursor_take(c, 1);

	return v.bad ? 0 : v.at[0];
}

CURSOR_INLINE uint16_t cursor_u16be(struct cursor *c)
{
	struct cursor v = cursor_take(c, 2);

	return (uint16_t)(v.bad ? 0 : v.at[0] << 8 | v.at[1]);
}

CURSOR_INLINE uint32_t cursor_u24be(struct cursor *c)
{
	struct cursor v = cursor_take(c, 3);

	return v.bad ? 0 : (uint32_t)v.at[0] << 16 | (uint32_t)v.at[1] << 8 | v.at[2];
}

CURSOR_INLINE uint32_t cursor_u32be(struct cursor *c)
{
	struct cursor v = cursor_take(c, 4);
	uint32_t x = 0;

	if (!v.bad)
		memcpy(&x, v.at, 4);
	return be32toh(x);
}

static inline uint64_t cursor_u64be(struct cursor *c)
{
	struct cursor v = cursor_take(c, 8);
	uint64_t x = 0;

	if (!v.bad)
		memcpy(&x, v.at, 8);
	return be64toh(x);
}

CURSOR_INLINE uint16_t cursor_u16le(struct cursor *c)
{
	struct cursor v = cursor_take(c, 2);

	return (uint16_t)(v.bad ? 0 : v.at[1] << 8 | v.at[0]);
}

static inline uint32_t cursor_u24le(struct cursor *c)
{
	return (uint32_t)cursor_le(c, 3);
}

CURSOR_INLINE uint32_t cursor_u32le(struct cursor *c)
{
	struct cursor v = cursor_take(c, 4);
	uint32_t x = 0;

	if (!v.bad)
		memcpy(&x, v.at, 4);
	return le32toh(x);
}

static inline uint64_t cursor_u64le(struct cursor *c)
{
	struct cursor v = cursor_take(c, 8);
	uint64_t x = 0;

	if (!v.bad)
		memcpy(&x, v.at, 8);
	return le64toh(x);
}

/* The byte `offset` further on, without moving; zero and a mark when it is not there. */
CURSOR_INLINE uint8_t cursor_peek(struct cursor *c, size_t offset)
{
	if (cursor_left(c) <= offset) {
		c->bad = true;
		return 0;
	}
	return c->at[offset];
}

/* Takes `to.len` bytes out of the stream into memory of our own. False (and zeros) when they are not there. */
static inline bool cursor_copy(struct cursor *c, void *to, size_t len)
{
	struct cursor v = cursor_take(c, len);

	if (v.bad)
		memset(to, 0, len);
	else
		memcpy(to, v.at, len);
	return !v.bad;
}

/* True when the next bytes are these; moves nothing, marks nothing. */
static inline bool cursor_starts(const struct cursor *c, const void *bytes, size_t len)
{
	return cursor_left(c) >= len && memcmp(c->at, bytes, len) == 0;
}

/* The same for a text, whatever the case of its letters. */
static inline bool cursor_starts_any_case(const struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	return cursor_left(c) >= len && strncasecmp((const char *)c->at, text, len) == 0;
}

/* Distance to the first such byte, or -1. Moves nothing. */
static inline ptrdiff_t cursor_find(const struct cursor *c, uint8_t byte)
{
	const uint8_t *p = cursor_left(c) ? memchr(c->at, byte, cursor_left(c)) : NULL;

	return p ? p - c->at : -1;
}

/*
 * Takes one line without its end (LF or CRLF). A bad cursor, and `c` unmoved and unmarked, when no
 * line end is there.
 */
static inline struct cursor cursor_line(struct cursor *c)
{
	ptrdiff_t n = cursor_find(c, '\n');
	struct cursor line;

	if (n < 0)
		return (struct cursor){ c->at, c->at, true };
	line = cursor_take(c, (size_t)n + 1);
	line.end--;
	if (line.end > line.at && line.end[-1] == '\r')
		line.end--;
	return line;
}

#endif
