/* The texts that a pattern can't match without: what a search for many patterns at once looks for. */
#ifndef CLASSIFIERS_MATCH_REQUIRED_LITERAL_H
#define CLASSIFIERS_MATCH_REQUIRED_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUIRED_LITERAL_BYTES = 32 };

/* Gets each text in turn; longer ones are cut to REQUIRED_LITERAL_BYTES. */
typedef void required_literal_see(void *context, const uint8_t *literal, size_t len);

/*
 * Walks a PCRE pattern and shows the texts that stand in every subject it matches; there may be none.
 * *caseless is set where the pattern itself turns case off. False where the pattern uses something whose
 * meaning isn't followed here: nothing that was shown may be relied on then.
 */
bool required_literals(const char *pattern, size_t len, required_literal_see *see, void *context, bool *caseless);

#endif
