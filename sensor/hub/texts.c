/* Interned texts: an open-addressing table of pointers into large blocks. */
#include "sensor/hub/texts.h"

#include "sensor/hub/hash.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, FIRST_SLOTS = 1024 };

static size_t slot_of(const struct texts *t, const char *text, size_t len)
{
	size_t at = hash_bytes(text, len) & (t->room - 1);

	while (t->slots[at] && strcmp(t->slots[at], text) != 0)
		at = (at + 1) & (t->room - 1);
	return at;
}

static int grow_slots(struct texts *t)
{
	struct texts old = *t;

	t->room = old.room ? old.room * 2 : FIRST_SLOTS;
	t->slots = calloc(t->room, sizeof *t->slots);
	if (!t->slots) {
		*t = old;
		return -1;
	}
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i])
			t->slots[slot_of(t, old.slots[i], strlen(old.slots[i]))] = old.slots[i];
	free(old.slots);
	return 0;
}

static int add_block(struct texts *t)
{
	void **blocks;
	char *block;

	if (t->max_bytes && t->bytes + BLOCK_BYTES > t->max_bytes)
		return -1;
	blocks = realloc(t->blocks, (t->block_count + 1) * sizeof *blocks);
	if (!blocks)
		return -1;
	t->blocks = blocks;
	block = malloc(BLOCK_BYTES);
	if (!block)
		return -1;
	t->blocks[t->block_count++] = block;
	t->block = block;
	t->left = BLOCK_BYTES;
	t->bytes += BLOCK_BYTES;
	return 0;
}

const char *texts_find(const struct texts *t, const char *text)
{
	return t->room ? t->slots[slot_of(t, text, strlen(text))] : NULL;
}

/* Where to look first. Who chooses texts that share a place gains nothing but the search in the table. */
static const char **recent_place(struct texts *t, const char *text, size_t len)
{
	uint64_t ends[2] = { len, 0 };

	if (len < sizeof ends) {
		for (size_t i = 0; i < len; i++)
			ends[0] = ends[0] * 31 + (uint8_t)text[i];
	} else {
		memcpy(ends, text, sizeof ends[0]);
		memcpy(ends + 1, text + len - sizeof ends[1], sizeof ends[1]);
	}
	return &t->recent[(ends[0] * 0x9e3779b97f4a7c15 ^ ends[1] * 0xc2b2ae3d27d4eb4f) >> 40 & (TEXTS_RECENT - 1)];
}

/* The text's one copy, from the table or put into it. */
static const char *keep_in_table(struct texts *t, const char *text, size_t len)
{
	size_t at;
	char *copy;

	if (t->count * 4 >= t->room * 3 && grow_slots(t) < 0)
		return NULL;
	at = slot_of(t, text, len);
	if (t->slots[at])
		return t->slots[at];
	if (len >= BLOCK_BYTES || (t->left <= len && add_block(t) < 0))
		return NULL;
	copy = memcpy(t->block, text, len + 1);
	t->block += len + 1;
	t->left -= len + 1;
	t->slots[at] = copy;
	t->count++;
	return copy;
}

const char *texts_keep(struct texts *t, const char *text)
{
	size_t len = strlen(text);
	const char **recent = recent_place(t, text, len), *kept;

	if (*recent && strcmp(*recent, text) == 0)
		return *recent;
	kept = keep_in_table(t, text, len);
	if (kept)
		*recent = kept;
	return kept;
}

void texts_free(struct texts *t)
{
	for (size_t i = 0; i < t->block_count; i++)
		free(t->blocks[i]);
	free(t->blocks);
	free(t->slots);
	memset(t, 0, sizeof *t);
}
