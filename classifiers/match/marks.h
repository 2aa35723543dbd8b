/*
 * Whether a subject can hold all texts that a pattern needs, told from their marks: numbers of four bytes each, upper and
 * lower case as one. A text is found by few of its bytes and shared by many; this spares most of the tries that follow.
 */
#ifndef CLASSIFIERS_MATCH_MARKS_H
#define CLASSIFIERS_MATCH_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARK_BYTES = 4, MARK_BITS = 16 };

/* Which marks a subject has. */
struct marks {
	uint64_t some[(1 << MARK_BITS) / 64];
};

void marks_of(struct marks *m, const uint8_t *subject, size_t len);

/* Marks of a text, as many as cover it, into `to` that has room for (len + 3) / MARK_BYTES; their number. */
size_t marks_of_text(const uint8_t *text, size_t len, uint16_t *to);

/* False when one of `count` marks isn't among those of the subject: it doesn't hold their texts. */
bool marks_hold(const struct marks *m, const uint16_t *marks, size_t count);

#endif
