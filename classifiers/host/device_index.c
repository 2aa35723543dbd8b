/*
 * Finds the device rules whose conditions hold. Each pattern keeps which letters it needs, as bits: most patterns are
 * told from a text by one AND, without a look at either. And what fits a text is kept for a while: makers, products and
 * protocols are those of many devices.
 */
#include "classifiers/host/device_index.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where a condition can look: at an attribute, or at one of these. */
enum { PLACE_MAKER = ATTRIBUTES, PLACE_SERVES, PLACE_SPEAKS, PLACES };

/* A text that is longer, or fits more patterns, is looked at anew each time. */
enum { SEEN_TEXTS = 1024, SEEN_BYTES = 64, SEEN_FITS = 8 };

enum { LETTERS = 26, DIGITS = 10, SIGNS = 64 - LETTERS - DIGITS };

struct pattern {
	const char *text;
	uint32_t condition;
};

struct number {
	uint64_t value;
	uint32_t condition;
};

/* Which bytes stand in a text, and which pairs of them, as bits that several share. */
struct letters {
	uint64_t one, two;
};

struct place {
	struct letters *needs; /* letters of each pattern; apart from them, because most are looked at no further */
	struct pattern *patterns;
	struct number *numbers;
	size_t count, room, number_count, number_room;
};

struct held {
	const struct device_condition *condition;
	uint32_t rule;
	bool holds;
};

/* A text that was looked at, and the conditions whose patterns fit it. */
struct seen {
	char text[SEEN_BYTES];
	uint8_t place; /* + 1; 0: nothing is here */
	uint8_t count;
	uint32_t fits[SEEN_FITS];
};

struct device_index {
	struct seen *seen; /* SEEN_TEXTS of them; where one stands is told by the place and its text */
	struct place places[PLACES];
	struct held *conditions;
	const struct device_rule **rules; /* in the order of loading */
	uint8_t *open;                    /* conditions of each rule that don't hold yet */
	uint32_t *found;                  /* conditions that hold */
	const struct device_rule **matched;
	size_t condition_count, rule_count, found_count;
};

/* Large and small letters are one, as patterns see them. */
static unsigned letter_bit(unsigned char c)
{
	unsigned small = c | 0x20u;

	if (small >= 'a' && small <= 'z')
		return small - 'a';
	return isdigit(c) ? LETTERS + c - '0' : LETTERS + DIGITS + c % SIGNS;
}

/* Two bytes in a row: of the texts that have all letters of a pattern, few have them in its order. */
static unsigned pair_bit(unsigned before, unsigned bit)
{
	return (before * 7 + bit * 13) % 64;
}

static bool is_wild(char c)
{
	return c == '*' || c == '?';
}

/* What stands in a text, or in a pattern: there '*' and '?' are no letters. */
static struct letters letters_of(const char *text, bool pattern)
{
	struct letters l = { 0, 0 };
	unsigned before = 64;

	for (; *text != 0; text++) {
		unsigned bit = pattern && is_wild(*text) ? 64 : letter_bit((unsigned char)*text);

		if (bit < 64)
			l.one |= 1ULL << bit;
		if (bit < 64 && before < 64)
			l.two |= 1ULL << pair_bit(before, bit);
		before = bit;
	}
	return l;
}

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?") != NULL;
}

/* Making it */

/* Room for one more thing, of an array that starts small: most places have few patterns. */
static bool grow(void *items, size_t *room, size_t size)
{
	void **at = items, *grown = realloc(*at, *room * size);

	if (grown != NULL)
		*at = grown;
	return grown != NULL;
}

static bool add_pattern(struct place *p, const char *text, uint32_t condition)
{
	if (p->count == p->room) {
		p->room = p->room != 0 ? p->room * 2 : 16;
		if (!grow(&p->needs, &p->room, sizeof(*p->needs)) || !grow(&p->patterns, &p->room, sizeof(*p->patterns)))
			return false;
	}
	p->needs[p->count] = letters_of(text, true);
	p->patterns[p->count++] = (struct pattern){ text, condition };
	return true;
}

static bool add_number(struct place *p, uint64_t value, uint32_t condition)
{
	if (p->number_count == p->number_room) {
		p->number_room = p->number_room != 0 ? p->number_room * 2 : 16;
		if (!grow(&p->numbers, &p->number_room, sizeof(*p->numbers)))
			return false;
	}
	p->numbers[p->number_count++] = (struct number){ value, condition };
	return true;
}

static bool add_all(struct place *p, char *const *texts, unsigned count, uint32_t condition)
{
	for (unsigned i = 0; i < count; i++)
		if (!add_pattern(p, texts[i], condition))
			return false;
	return true;
}

static bool add_condition(struct device_index *x, const struct device_condition *c, uint32_t number)
{
	if (!add_all(&x->places[PLACE_MAKER], c->maker, c->maker_count, number) ||
	    !add_all(&x->places[PLACE_SERVES], c->serves, c->serves_count, number) ||
	    !add_all(&x->places[PLACE_SPEAKS], c->speaks, c->speaks_count, number))
		return false;
	for (unsigned a = 0; a < c->attribute_count; a++) {
		struct place *p = &x->places[c->attribute[a]];

		if (!add_all(p, c->is, c->is_count, number))
			return false;
		for (unsigned i = 0; i < c->number_count; i++)
			if (!add_number(p, c->number[i], number))
				return false;
	}
	return true;
}

static bool add_rule(struct device_index *x, const struct device_rule *r)
{
	uint32_t rule = (uint32_t)x->rule_count++;

	x->rules[rule] = r;
	x->open[rule] = (uint8_t)r->when_count;
	for (unsigned i = 0; i < r->when_count; i++) {
		uint32_t number = (uint32_t)x->condition_count++;

		x->conditions[number] = (struct held){ &r->when[i], rule, false };
		if (!add_condition(x, &r->when[i], number))
			return false;
	}
	return true;
}

static bool make_room(struct device_index *x, const struct device_rules *r)
{
	size_t rules = 0, conditions = 0;

	for (size_t f = 0; f < r->files; f++)
		for (unsigned i = 0; i < r->file[f]->rule_count; i++, rules++)
			conditions += r->file[f]->rule[i].when_count;
	x->rules = calloc(rules + 1, sizeof(*x->rules));
	x->matched = calloc(rules + 1, sizeof(*x->matched));
	x->open = calloc(rules + 1, sizeof(*x->open));
	x->conditions = calloc(conditions + 1, sizeof(*x->conditions));
	x->found = calloc(conditions + 1, sizeof(*x->found));
	x->seen = calloc(SEEN_TEXTS, sizeof(*x->seen));
	return x->seen != NULL && x->rules != NULL && x->matched != NULL && x->open != NULL && x->conditions != NULL && x->found != NULL;
}

struct device_index *device_index_make(const struct device_rules *r)
{
	struct device_index *x = calloc(1, sizeof(*x));
	bool good = x != NULL && make_room(x, r);

	for (size_t f = 0; good && f < r->files; f++)
		for (unsigned i = 0; good && i < r->file[f]->rule_count; i++)
			good = add_rule(x, &r->file[f]->rule[i]);
	if (good)
		return x;
	device_index_free(x);
	return NULL;
}

void device_index_free(struct device_index *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++) {
		free(x->places[i].needs);
		free(x->places[i].patterns);
		free(x->places[i].numbers);
	}
	free(x->seen);
	free(x->rules);
	free(x->matched);
	free(x->open);
	free(x->conditions);
	free(x->found);
	free(x);
}

/* Matching */

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* '*' for any run, '?' for one byte; backtracks to the last star alone, so the cost is bounded by their product. */
static bool glob_fits(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text != 0) {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern != 0 && (*pattern == '?' || same_letter(*pattern, *text))) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || (c & 0x80) != 0;
}

/* The words stand somewhere in the text and aren't part of longer words: "GE" is not in "GENEREX". */
static bool words_fit(const char *words, const char *text)
{
	size_t n = strlen(words);
	char small = (char)tolower((unsigned char)words[0]), large = (char)toupper((unsigned char)words[0]);

	/* Texts are short: looking for the first letter beats a search that prepares itself first. */
	for (const char *at = text; *at != 0; at++) {
		if ((*at != small && *at != large) || strncasecmp(at, words, n) != 0)
			continue;
		if ((at == text || !is_word_byte(at[-1]) || !is_word_byte(words[0])) &&
		    (!is_word_byte(at[n]) || !is_word_byte(words[n - 1])))
			return true;
	}
	return false;
}

/* A pattern with '*' or '?' must fit the whole text, one without them is a run of whole words in it. */
static bool pattern_fits(const char *pattern, const char *text)
{
	return is_glob(pattern) ? glob_fits(pattern, text) : words_fit(pattern, text);
}

/* Values write numbers as "42", "0x002a" or either with words behind it, "42 (Siemens)". */
static bool read_number(const char *text, uint64_t *number)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	*number = strtoull(text, &end, hex ? 16 : 10);
	return *end == 0 || *end == ' ';
}

static bool from_protocol(const struct device_condition *c, const char *protocol)
{
	for (unsigned i = 0; i < c->protocol_count; i++)
		if (protocol != NULL && strcmp(c->protocol[i], protocol) == 0)
			return true;
	return c->protocol_count == 0;
}

static void note_held(struct device_index *x, uint32_t condition)
{
	struct held *h = &x->conditions[condition];

	h->holds = true;
	x->open[h->rule]--;
	x->found[x->found_count++] = condition;
}

static void hear_fit(struct device_index *x, uint32_t condition, const char *protocol)
{
	if (!x->conditions[condition].holds && from_protocol(x->conditions[condition].condition, protocol))
		note_held(x, condition);
}

/* Where a text is kept; a walk over it costs less than a look at the patterns. NULL when it is too long. */
static struct seen *seen_slot(const struct device_index *x, uint8_t place, const char *text)
{
	uint64_t hash = place;
	size_t len = 0;

	for (; text[len] != 0; len++)
		hash = (hash ^ (uint8_t)text[len]) * 0x9e3779b97f4a7c15;
	return len < SEEN_BYTES ? &x->seen[hash >> 32 & (SEEN_TEXTS - 1)] : NULL;
}

/* Patterns that need a letter which the text lacks are passed over. */
static void look_anew(struct device_index *x, uint8_t place, const char *text, const char *protocol, struct seen *seen)
{
	bool words = place != PLACE_SERVES && place != PLACE_SPEAKS;
	const struct place *p = &x->places[place];
	const struct letters has = letters_of(text, false);
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct pattern *pattern = &p->patterns[i];

		if (((p->needs[i].one & ~has.one) | (p->needs[i].two & ~has.two)) != 0 || !(words ? pattern_fits(pattern->text, text) : strcmp(pattern->text, text) == 0))
			continue;
		hear_fit(x, pattern->condition, protocol);
		if (seen != NULL && count < SEEN_FITS)
			seen->fits[count] = pattern->condition;
		count++;
	}
	if (seen == NULL)
		return;
	seen->place = count <= SEEN_FITS ? (uint8_t)(place + 1) : 0;
	seen->count = (uint8_t)count;
	strcpy(seen->text, text);
}

/* protocol: who says it, NULL when nobody does. */
static void look_at_text(struct device_index *x, uint8_t place, const char *text, const char *protocol)
{
	struct seen *seen;

	if (x->places[place].count == 0)
		return;
	seen = seen_slot(x, place, text);
	if (seen == NULL || seen->place != place + 1 || strcmp(seen->text, text) != 0) {
		look_anew(x, place, text, protocol, seen);
		return;
	}
	for (unsigned i = 0; i < seen->count; i++)
		hear_fit(x, seen->fits[i], protocol);
}

static void look_at_number(struct device_index *x, const struct place *p, const char *text, const char *protocol)
{
	uint64_t value;

	if (p->number_count == 0 || !read_number(text, &value))
		return;
	for (size_t i = 0; i < p->number_count; i++) {
		uint32_t condition = p->numbers[i].condition;

		if (p->numbers[i].value == value && !x->conditions[condition].holds &&
		    from_protocol(x->conditions[condition].condition, protocol))
			note_held(x, condition);
	}
}

/* The beginning of a text that is longer than is looked at. */
static const char *bound(const char *text, char bounded[DEVICE_TEXT_BYTES])
{
	if (strnlen(text, DEVICE_TEXT_BYTES) < DEVICE_TEXT_BYTES)
		return text;
	memcpy(bounded, text, DEVICE_TEXT_BYTES - 1);
	bounded[DEVICE_TEXT_BYTES - 1] = 0;
	return bounded;
}

static void look_at_value(struct device_index *x, const struct device_value *v)
{
	char bounded[DEVICE_TEXT_BYTES];

	look_at_text(x, (uint8_t)v->attribute, bound(v->value, bounded), v->protocol);
	look_at_number(x, &x->places[v->attribute], v->value, v->protocol);
}

static int order_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Makes the rules that hold of the conditions that do, and forgets those for the next call. */
static size_t settle(struct device_index *x)
{
	size_t count = 0;

	qsort(x->found, x->found_count, sizeof(*x->found), order_numbers);
	for (size_t i = 0; i < x->found_count; i++) {
		struct held *h = &x->conditions[x->found[i]];
		bool last = i + 1 == x->found_count || x->conditions[x->found[i + 1]].rule != h->rule;

		h->holds = false;
		if (last && x->open[h->rule] == 0)
			x->matched[count++] = x->rules[h->rule];
		if (last)
			x->open[h->rule] = (uint8_t)x->rules[h->rule]->when_count;
	}
	x->found_count = 0;
	return count;
}

const struct device_rule *const *device_index_match(struct device_index *x, const struct device_evidence *e, size_t *count)
{
	char bounded[DEVICE_TEXT_BYTES];

	if (e->maker != NULL)
		look_at_text(x, PLACE_MAKER, bound(e->maker, bounded), NULL);
	for (size_t i = 0; i < e->serve_count; i++)
		look_at_text(x, PLACE_SERVES, e->serves[i], NULL);
	for (size_t i = 0; i < e->speak_count; i++)
		look_at_text(x, PLACE_SPEAKS, e->speaks[i], NULL);
	for (size_t i = 0; i < e->value_count; i++)
		if (e->values[i].attribute < ATTRIBUTES && e->values[i].value != NULL)
			look_at_value(x, &e->values[i]);
	*count = settle(x);
	return x->matched;
}
