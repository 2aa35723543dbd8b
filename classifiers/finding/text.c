/* Makes strangers' text fit to keep. See text.h for the promise. */
#include "classifiers/finding/text.h"

#include <stdint.h>
#include <string.h>

/* Length of the valid UTF-8 character at s (1..4), or 0. Unicode 15, table 3-7. */
static size_t utf8_len(const uint8_t *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
		     s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/*
 * C0, DEL and C1 steer terminals; so do the bidirectional marks U+061C, U+200E, U+200F, U+202A..202E and U+2066..2069.
 * U+2028 and U+2029 end a line for some readers of JSON lines.
 */
static bool steers(const uint8_t *s, size_t len)
{
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (len == 2)
		return (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c);
	return len == 3 && s[0] == 0xe2 &&
	       ((s[1] == 0x80 && ((s[2] >= 0xa8 && s[2] <= 0xae) || s[2] == 0x8e || s[2] == 0x8f)) || (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

static size_t put_escaped(char *to, size_t at, size_t room, uint8_t b)
{
	static const char hex[] = "0123456789abcdef";

	if (at + 5 > room)
		return at;
	to[at] = '\\';
	to[at + 1] = 'x';
	to[at + 2] = hex[b >> 4];
	to[at + 3] = hex[b & 15];
	return at + 4;
}

static size_t put_latin1(char *to, size_t at, size_t room, uint8_t b)
{
	if (b < 0xa0)
		return put_escaped(to, at, room, b);
	if (at + 3 > room)
		return at;
	to[at] = (char)(0xc0 | b >> 6);
	to[at + 1] = (char)(0x80 | (b & 0x3f));
	return at + 2;
}

static bool blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* How many bytes from s on are printable ASCII: nearly all of what is ever cleaned. Eight at a time. */
static size_t plain_run(const uint8_t *s, const uint8_t *e)
{
	const uint64_t ones = 0x0101010101010101;
	const uint8_t *from = s;
	uint64_t w;

	for (; e - s >= 8; s += 8) {
		memcpy(&w, s, sizeof w);
		/* The top bit of a byte is set in w from 80 on, in w + 1 by 7f, in w - 20 below 20. */
		if ((w | (w + ones) | (w - ones * 0x20)) & ones * 0x80)
			break;
	}
	while (s < e && *s >= 0x20 && *s < 0x7f)
		s++;
	return (size_t)(s - from);
}

size_t text_clean(char *to, size_t room, const void *from, size_t n)
{
	const uint8_t *s = from, *nul = n ? memchr(s, 0, n) : NULL, *e = nul ? nul : s + n;
	size_t at = 0;

	while (s < e && blank(*s))
		s++;
	while (e > s && blank(e[-1]))
		e--;
	while (s < e) {
		size_t len = plain_run(s, e), before = at;

		if (len) {
			size_t fits = at + len < room ? len : room - 1 - at;

			memcpy(to + at, s, fits);
			at += fits;
			if (fits < len)
				break;
			s += len;
			continue;
		}
		len = utf8_len(s, (size_t)(e - s));
		if (len == 0) {
			at = put_latin1(to, at, room, *s);
			len = 1;
		} else if (steers(s, len)) {
			for (size_t i = 0; i < len; i++)
				at = put_escaped(to, at, room, s[i]);
		} else if (at + len < room) {
			memcpy(to + at, s, len);
			at += len;
		}
		if (at == before)
			break;
		s += len;
	}
	to[at] = 0;
	return at;
}

/* The code point of UTF-16LE at s, and by how many bytes it is coded; half a pair alone is U+FFFD, and what follows it stands
 * for itself (Unicode 15, D91 and section 3.9). At least 2 bytes are there. */
static uint32_t utf16le_at(const uint8_t *s, size_t n, size_t *len)
{
	uint32_t c = (uint32_t)(s[0] | s[1] << 8);

	*len = 2;
	if (c < 0xd800 || c >= 0xe000)
		return c;
	if (c < 0xdc00 && n >= 4) {
		uint32_t low = (uint32_t)(s[2] | s[3] << 8);

		if (low >= 0xdc00 && low < 0xe000) {
			*len = 4;
			return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return 0xfffd;
}

/* Writes c, which is no surrogate, as UTF-8: 1 to 4 bytes. */
static size_t put_utf8(uint8_t *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (uint8_t)(0xc0 | c >> 6);
		to[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (uint8_t)(0xe0 | c >> 12);
		to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		to[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (uint8_t)(0xf0 | c >> 18);
	to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	to[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

size_t text_clean_utf16le(char *to, size_t room, const void *from, size_t n)
{
	const uint8_t *s = from;
	uint8_t utf8[1024];
	size_t at = 0, len;

	for (size_t i = 0; i + 1 < n && at + 4 < sizeof utf8; i += len) {
		uint32_t c = utf16le_at(s + i, n - i, &len);

		if (c == 0)
			break;
		at += put_utf8(utf8 + at, c);
	}
	return text_clean(to, room, utf8, at);
}

bool text_is_clean(const char *s, size_t room)
{
	size_t n = strnlen(s, room);
	const uint8_t *p = (const uint8_t *)s, *e = p + n;

	if (n == room)
		return false;
	while (p < e) {
		size_t len = utf8_len(p, (size_t)(e - p));

		if (len == 0 || steers(p, len))
			return false;
		p += len;
	}
	return true;
}
