/*
 * A text that many patterns share ("HTTP/1.", "Server: ") says little when it is seen, and one of its own
 * for each of ten thousand patterns takes long to build a search for. So a pattern is looked for by a text
 * that a few others have too: with those it is tried at little cost.
 */
#include "classifiers/match/literal_choice.h"

#include "classifiers/match/marks.h"

#include <stdlib.h>
#include <string.h>

enum {
	LONG_ENOUGH = 4,
	SHARED_MOST = 1, /* patterns that may well have the same text */
	TABLE_BITS = 18,
	TABLE = 1 << TABLE_BITS,
	FIRST_ROOM = 4096,
	MARKS_OF_TEXT = REQUIRED_LITERAL_BYTES / MARK_BYTES,
};

/* A text as it would be looked for. */
struct text {
	uint8_t bytes[LITERAL_CHOICE_BYTES];
	uint32_t hash;
	uint16_t len;
	uint16_t whole; /* its length before it was cut */
};

/* All texts of all patterns and their marks, those of one pattern together: to walk the patterns is what takes long. */
struct texts {
	struct text *list;
	uint16_t *marks;
	size_t count, room, mark_count, mark_room;
	bool exhausted; /* no memory */
};

/* How many patterns have a text, by its hash: two that share a number only make a choice a little worse. */
struct counts {
	uint32_t *of;
	uint32_t *last_seen_in; /* pattern + 1 that counted last: one counts once */
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

/* Twice the room when less than `least` is left of it. */
static bool grow(void *list, size_t size, size_t used, size_t least, size_t *room)
{
	void *old, *more;

	if (*room - used >= least)
		return true;
	memcpy(&old, list, sizeof old);
	more = realloc(old, 2 * *room * size);
	if (more) {
		memcpy(list, &more, sizeof more);
		*room *= 2;
	}
	/* cppcheck-suppress memleak -- the list holds it */
	return more != NULL;
}

static void keep_text(void *context, const uint8_t *literal, size_t len)
{
	struct texts *t = context;
	struct text *n;

	if (!grow(&t->list, sizeof *t->list, t->count, 1, &t->room) ||
	    !grow(&t->marks, sizeof *t->marks, t->mark_count, MARKS_OF_TEXT, &t->mark_room)) {
		t->exhausted = true;
		return;
	}
	t->mark_count += marks_of_text(literal, len, t->marks + t->mark_count);
	n = &t->list[t->count++];
	n->whole = (uint16_t)len;
	if (len > LITERAL_CHOICE_BYTES) {
		literal += len - LITERAL_CHOICE_BYTES;
		len = LITERAL_CHOICE_BYTES;
	}
	memcpy(n->bytes, literal, len);
	n->len = (uint16_t)len;
	n->hash = hash_text(literal, len);
}

static void count_texts(struct counts *c, const struct text *text, const struct text *end, uint32_t pattern)
{
	for (; text < end; text++) {
		if (c->last_seen_in[text->hash] == pattern + 1)
			continue;
		c->last_seen_in[text->hash] = pattern + 1;
		c->of[text->hash]++;
	}
}

static bool better(const struct counts *c, const struct text *now, const struct text *next)
{
	uint32_t others, others_now;

	if (!now || now->len < LONG_ENOUGH || next->len < LONG_ENOUGH)
		return !now || next->len > now->len;
	others = c->of[next->hash];
	others_now = c->of[now->hash];
	if (others <= SHARED_MOST && others_now <= SHARED_MOST)
		return others > others_now;
	return others < others_now || (others == others_now && next->len > now->len);
}

static void choose(const struct counts *c, const struct text *text, const struct text *end, struct literal_choice *choice)
{
	const struct text *best = NULL;

	for (; text < end; text++) {
		choice->weight = (uint16_t)(choice->weight + text->whole);
		if (better(c, best, text))
			best = text;
	}
	if (!best)
		return;
	memcpy(choice->bytes, best->bytes, best->len);
	choice->len = best->len;
}

/* The texts of match i into t, counted; none where they can't be relied on. */
static void read_texts(const struct service_match *m, uint32_t i, struct texts *t, struct counts *c, struct literal_choice *choice)
{
	size_t first = t->count, first_mark = t->mark_count;
	bool caseless, sure = required_literals(m->pattern, m->pattern_len, keep_text, t, &caseless);

	choice->caseless = caseless || m->caseless;
	count_texts(c, t->list + first, t->list + t->count, i);
	if (!sure) {
		t->count = first;
		t->mark_count = first_mark;
	}
}

/* first[i] .. first[i + 1] are the texts of match i. */
static bool choose_all(const struct service_probes *s, struct texts *t, uint32_t *first, struct counts *c, struct literal_choices *choices)
{
	for (uint32_t i = 0; i < s->match_count && !t->exhausted; i++) {
		first[i] = (uint32_t)t->count;
		choices->first_mark[i] = (uint32_t)t->mark_count;
		read_texts(&s->matches[i], i, t, c, &choices->of[i]);
	}
	first[s->match_count] = (uint32_t)t->count;
	choices->first_mark[s->match_count] = (uint32_t)t->mark_count;
	for (uint32_t i = 0; i < s->match_count && !t->exhausted; i++)
		choose(c, t->list + first[i], t->list + first[i + 1], &choices->of[i]);
	return !t->exhausted;
}

bool literal_choices_make(struct literal_choices *choices, const struct service_probes *s)
{
	size_t n = (size_t)s->match_count + 1;
	uint32_t *first = calloc(n, sizeof *first);
	struct counts c = { .of = calloc(TABLE, sizeof *c.of), .last_seen_in = calloc(TABLE, sizeof *c.last_seen_in) };
	struct texts t = { .list = malloc(FIRST_ROOM * sizeof *t.list), .marks = malloc(FIRST_ROOM * sizeof *t.marks),
			   .room = FIRST_ROOM, .mark_room = FIRST_ROOM };
	bool well;

	*choices = (struct literal_choices){ .of = calloc(n, sizeof *choices->of), .first_mark = calloc(n, sizeof *choices->first_mark) };
	well = choices->of && choices->first_mark && first && c.of && c.last_seen_in && t.list && t.marks && choose_all(s, &t, first, &c, choices);
	choices->marks = t.marks;
	if (!well)
		literal_choices_free(choices);
	free(t.list);
	free(first);
	free(c.of);
	free(c.last_seen_in);
	return well;
}

void literal_choices_free(struct literal_choices *c)
{
	free(c->of);
	free(c->marks);
	free(c->first_mark);
	*c = (struct literal_choices){ 0 };
}
