/*
 * A text is found by its first 1, 2, 4 or 8 bytes, as many as it has: a hash of these leads to a list of texts, and a bit
 * for each hash says beforehand that there is none, which is the rule.
 */
#include "classifiers/match/literal_table.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTHS = 4, SLOT_BITS = 16, SLOTS = 1 << SLOT_BITS, WORD_BITS = 64, NONE = 0 };

/* Texts that are alike share one; `first` .. `first + count` in `choices` have it. */
struct text {
	uint8_t bytes[LITERAL_CHOICE_BYTES];
	uint8_t len;
	bool caseless;
	uint32_t seen;  /* the last subject it stood in */
	uint32_t first, count;
	uint32_t next;  /* of its slot, NONE at the end */
};

struct slots {
	uint64_t some[SLOTS / WORD_BITS];
	uint32_t head[SLOTS];
	bool used;
};

struct literal_table {
	struct text *texts; /* from 1 */
	uint32_t *choices;  /* in the order of their texts */
	uint32_t text_count;
	uint32_t subject;
	struct slots of[WIDTHS];
};

static unsigned width_of(size_t len)
{
	return len >= 8 ? 3 : len >= 4 ? 2 : len >= 2 ? 1 : 0;
}

/* Upper and lower case are one here, and some other bytes too: the text itself is compared later. */
static inline __attribute__((always_inline)) uint32_t slot_of(const uint8_t *bytes, unsigned width)
{
	uint64_t word = 0;

	memcpy(&word, bytes, (size_t)1 << width);
	return (uint32_t)(((word | 0x2020202020202020) * 0x9e3779b97f4a7c15) >> (WORD_BITS - SLOT_BITS));
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static int compare_choices(const void *a, const void *b, void *context)
{
	const struct literal_choice *all = context, *x = &all[*(const uint32_t *)a], *y = &all[*(const uint32_t *)b];

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->caseless != y->caseless ? (x->caseless ? 1 : -1) : memcmp(x->bytes, y->bytes, x->len);
}

/* A new text, in its slot. */
static void add_text(struct literal_table *t, const struct literal_choice *c, uint32_t first)
{
	struct text *text = &t->texts[++t->text_count];
	unsigned width = width_of(c->len);
	struct slots *s = &t->of[width];
	uint32_t slot = slot_of(c->bytes, width);

	*text = (struct text){ .len = (uint8_t)c->len, .caseless = c->caseless, .first = first, .next = s->head[slot] };
	memcpy(text->bytes, c->bytes, c->len);
	for (size_t i = 0; c->caseless && i < c->len; i++)
		text->bytes[i] = lower(c->bytes[i]);
	s->head[slot] = t->text_count;
	s->some[slot / WORD_BITS] |= 1ull << slot % WORD_BITS;
	s->used = true;
}

struct literal_table *literal_table_new(const struct literal_choice *choices, uint32_t count)
{
	struct literal_table *t = calloc(1, sizeof *t);
	uint32_t n = 0;

	if (!t)
		return NULL;
	t->choices = calloc((size_t)count + 1, sizeof *t->choices);
	t->texts = calloc((size_t)count + 1, sizeof *t->texts);
	if (!t->choices || !t->texts) {
		literal_table_free(t);
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++)
		if (choices[i].len)
			t->choices[n++] = i;
	qsort_r(t->choices, n, sizeof *t->choices, compare_choices, (void *)choices);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 || compare_choices(&t->choices[i - 1], &t->choices[i], (void *)choices) != 0)
			add_text(t, &choices[t->choices[i]], i);
		t->texts[t->text_count].count++;
	}
	return t;
}

void literal_table_free(struct literal_table *t)
{
	if (!t)
		return;
	free(t->texts);
	free(t->choices);
	free(t);
}

static bool stands_at(const struct text *text, const uint8_t *at, size_t left)
{
	if (text->len > left)
		return false;
	if (!text->caseless)
		return memcmp(at, text->bytes, text->len) == 0;
	for (size_t i = 0; i < text->len; i++)
		if (lower(at[i]) != text->bytes[i])
			return false;
	return true;
}

static void look_at(struct literal_table *t, const struct slots *s, uint32_t slot, const uint8_t *at, size_t left, uint64_t *bits)
{
	for (uint32_t i = s->head[slot]; i != NONE; i = t->texts[i].next) {
		struct text *text = &t->texts[i];

		if (text->seen == t->subject || !stands_at(text, at, left))
			continue;
		text->seen = t->subject;
		for (uint32_t k = text->first; k < text->first + text->count; k++)
			bits[t->choices[k] / WORD_BITS] |= 1ull << t->choices[k] % WORD_BITS;
	}
}

/* `width` is a constant wherever this is put: that halves what a byte costs. */
static inline __attribute__((always_inline)) void scan(struct literal_table *t, unsigned width, const uint8_t *subject, size_t len, uint64_t *bits)
{
	const struct slots *s = &t->of[width];

	for (size_t at = 0; s->used && at + ((size_t)1 << width) <= len; at++) {
		uint32_t slot = slot_of(subject + at, width);

		if (s->some[slot / WORD_BITS] >> slot % WORD_BITS & 1)
			look_at(t, s, slot, subject + at, len - at, bits);
	}
}

/* When the count has gone round, what was seen long ago must not be taken for seen now. */
static void count_subject(struct literal_table *t)
{
	if (++t->subject)
		return;
	for (uint32_t i = 1; i <= t->text_count; i++)
		t->texts[i].seen = 0;
	t->subject = 1;
}

void literal_table_find(struct literal_table *t, const uint8_t *subject, size_t len, uint64_t *bits)
{
	count_subject(t);
	scan(t, 0, subject, len, bits);
	scan(t, 1, subject, len, bits);
	scan(t, 2, subject, len, bits);
	scan(t, 3, subject, len, bits);
}
