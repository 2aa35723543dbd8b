/*
 * Texts kept once each: equal texts are the same pointer, so that values are compared by address and
 * a thousand devices of one maker share its name. Nothing is given back before the end.
 */
#ifndef SENSOR_HUB_TEXTS_H
#define SENSOR_HUB_TEXTS_H

#include <stddef.h>
#include <stdint.h>

enum { TEXTS_RECENT = 4096 }; /* a power of two */

struct texts {
	const char *recent[TEXTS_RECENT]; /* by a few of their bytes: most texts are said again and again */
	const char **slots;
	size_t room, count;
	char *block;        /* where the next text goes */
	size_t left;
	uint64_t bytes;     /* of all blocks */
	uint64_t max_bytes; /* bound; 0 for none */
	void **blocks;
	size_t block_count;
};

void texts_free(struct texts *t);

/* The text's one copy; NULL when the bound is reached or memory is short. */
const char *texts_keep(struct texts *t, const char *text);

/* As above for a text that is already known; NULL when it is not. */
const char *texts_find(const struct texts *t, const char *text);

#endif
