/*
 * A text that many patterns share ("HTTP/1.", "Server: ") says little when it is seen, and one of its own
 * for each of ten thousand patterns takes long to build a search for. So a pattern is looked for by a text
 * that a few others have too: with those it is tried at little cost.
 */
#include "classifiers/match/literal_choice.h"

#include <stdlib.h>
#include <string.h>

enum {
	LONG_ENOUGH = 4,
	LOOKED_FOR_BYTES = 8, /* of a text its end: as good a sign, and sooner built */
	SHARED_MOST = 1,      /* patterns that may well have the same text */
	TABLE_BITS = 18,
	TABLE = 1 << TABLE_BITS,
};

/* How many patterns have a text, by its hash: two that share a number only make a choice a little worse. */
struct counts {
	uint32_t *of;
	uint32_t *last_seen_in; /* pattern + 1 that counted last: one counts once */
	uint32_t pattern;
	struct literal_choice *choice;
};

static uint32_t hash_text(const uint8_t *bytes, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++) {
		uint8_t b = bytes[i];

		if (b >= 'A' && b <= 'Z')
			b |= 0x20;
		h = (h ^ b) * 16777619u;
	}
	return (h ^ h >> TABLE_BITS) & (TABLE - 1);
}

static void cut(const uint8_t **literal, size_t *len)
{
	if (*len > LOOKED_FOR_BYTES) {
		*literal += *len - LOOKED_FOR_BYTES;
		*len = LOOKED_FOR_BYTES;
	}
}

static void count_text(void *context, const uint8_t *literal, size_t len)
{
	struct counts *c = context;
	uint32_t h;

	cut(&literal, &len);
	h = hash_text(literal, len);

	if (c->last_seen_in[h] == c->pattern + 1)
		return;
	c->last_seen_in[h] = c->pattern + 1;
	c->of[h]++;
}

static bool better(const struct counts *c, const uint8_t *literal, size_t len)
{
	const struct literal_choice *now = c->choice;
	uint32_t others, others_now;

	if (now->len < LONG_ENOUGH || len < LONG_ENOUGH)
		return len > now->len;
	others = c->of[hash_text(literal, len)];
	others_now = c->of[hash_text(now->bytes, now->len)];
	if (others <= SHARED_MOST && others_now <= SHARED_MOST)
		return others > others_now;
	return others < others_now || (others == others_now && len > now->len);
}

static void choose_text(void *context, const uint8_t *literal, size_t len)
{
	struct counts *c = context;

	c->choice->weight = (uint16_t)(c->choice->weight + len);
	cut(&literal, &len);
	if (!better(c, literal, len))
		return;
	memcpy(c->choice->bytes, literal, len);
	c->choice->len = (uint16_t)len;
}

static void choose(struct counts *c, const struct service_match *m, struct literal_choice *choice)
{
	bool caseless;

	c->choice = choice;
	if (!required_literals(m->pattern, m->pattern_len, choose_text, c, &caseless))
		*choice = (struct literal_choice){ 0 };
	choice->caseless = caseless || m->caseless;
}

struct literal_choice *literal_choices(const struct service_probes *s)
{
	struct literal_choice *choices = calloc((size_t)s->match_count + 1, sizeof *choices);
	struct counts c = { .of = calloc(TABLE, sizeof *c.of), .last_seen_in = calloc(TABLE, sizeof *c.last_seen_in) };
	bool ignored;

	if (choices && c.of && c.last_seen_in) {
		for (c.pattern = 0; c.pattern < s->match_count; c.pattern++)
			required_literals(s->matches[c.pattern].pattern, s->matches[c.pattern].pattern_len, count_text, &c, &ignored);
		for (uint32_t i = 0; i < s->match_count; i++)
			choose(&c, &s->matches[i], &choices[i]);
	} else {
		free(choices);
		choices = NULL;
	}
	free(c.of);
	free(c.last_seen_in);
	return choices;
}
