/* Text of two or four bytes a character, big-endian, as UTF-8. */
#ifndef CLASSIFIERS_API_UTF8_H
#define CLASSIFIERS_API_UTF8_H

#include "classifiers/api/cursor.h"

/* Writes one character (at most 0x10ffff) in up to four bytes; returns how many. */
static inline size_t utf8_put(char *to, uint32_t c)
{
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i > 1; i--, c >>= 6)
		to[i - 1] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(lead[n] | c);
	return n;
}

/*
 * UCS-2 (or UTF-16, whose surrogate pairs are joined) for width 2, UCS-4 for width 4. What is no
 * character becomes U+FFFD. Ends where `room` does; returns the bytes written, without a zero.
 */
static inline size_t utf8_from_wide(char *to, size_t room, struct cursor c, size_t width)
{
	size_t n = 0;

	while (cursor_left(&c) >= width && n + 4 <= room) {
		uint32_t x = (uint32_t)cursor_be(&c, width);

		if (width == 2 && x >= 0xd800 && x < 0xdc00 && cursor_left(&c) >= 2)
			x = 0x10000 + ((x & 0x3ff) << 10) + (cursor_u16be(&c) & 0x3ff);
		if ((x >= 0xd800 && x < 0xe000) || x > 0x10ffff)
			x = 0xfffd;
		n += utf8_put(to + n, x);
	}
	return n;
}

#endif
