/* What the reader of people's files complained of: a count, and a line "FILE:LINE what" for each. */
#ifndef TESTS_UNIT_TOLD_H
#define TESTS_UNIT_TOLD_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { TOLD_BYTES = 8192 };

struct told {
	unsigned int count;
	char text[TOLD_BYTES];
};

static inline void keep(void *context, const char *file, uint32_t line, const char *what)
{
	struct told *t = context;
	size_t n = strlen(t->text);

	t->count++;
	snprintf(t->text + n, sizeof t->text - n, "%s:%u %s\n", strrchr(file, '/') + 1, line, what);
}

#endif
