/* A bit for each mark that a subject has: what isn't set stands nowhere in it. */
#include "classifiers/match/marks.h"

#include <string.h>

enum { WORD_BITS = 64 };

static uint16_t mark_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof word);
	return (uint16_t)((word | 0x20202020) * 2654435761u >> MARK_BITS);
}

void marks_of(struct marks *m, const uint8_t *subject, size_t len)
{
	memset(m, 0, sizeof *m);
	for (size_t i = 0; i + MARK_BYTES <= len; i++) {
		uint16_t mark = mark_at(subject + i);

		m->some[mark / WORD_BITS] |= 1ull << mark % WORD_BITS;
	}
}

size_t marks_of_text(const uint8_t *text, size_t len, uint16_t *to)
{
	size_t n = 0;

	for (size_t i = 0; i + MARK_BYTES <= len; i += MARK_BYTES)
		to[n++] = mark_at(text + i);
	if (n && len % MARK_BYTES)
		to[n++] = mark_at(text + len - MARK_BYTES);
	return n;
}

bool marks_hold(const struct marks *m, const uint16_t *marks, size_t count)
{
	/* What a pattern says last is most its own. */
	while (count--)
		if (!(m->some[marks[count] / WORD_BITS] >> marks[count] % WORD_BITS & 1))
			return false;
	return true;
}
