/*
 * Text that a stranger wrote, made fit to keep: valid UTF-8, bounded, no control characters.
 */
#ifndef CLASSIFIERS_FINDING_TEXT_H
#define CLASSIFIERS_FINDING_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies the n bytes at `from` into `to` (room >= 5) as clean text: ends at the first NUL, blanks
 * trimmed at both ends, control characters written as \xNN, bytes that are no UTF-8 taken as
 * Latin-1, cut at a character's edge when it does not fit. Returns the length; 0 for nothing left.
 */
size_t text_clean(char *to, size_t room, const void *from, size_t n);

/* Like text_clean() for little-endian UTF-16. */
size_t text_clean_utf16le(char *to, size_t room, const void *from, size_t n);

/* True when the NUL ends within `room` and what stands before it is valid UTF-8 free of control characters. */
bool text_is_clean(const char *s, size_t room);

#endif
