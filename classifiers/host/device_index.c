/*
 * Finds the device rules whose conditions hold. Each pattern keeps which letters it needs, as bits: most patterns are
 * told from a text by one AND, without a look at either.
 */
#include "classifiers/host/device_index.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where a condition can look: at an attribute, or at one of these. */
enum { PLACE_MAKER = ATTRIBUTES, PLACE_SERVES, PLACE_SPEAKS, PLACES };

enum { LETTERS = 26, DIGITS = 10, SIGNS = 64 - LETTERS - DIGITS };

struct pattern {
	const char *text;
	uint32_t condition;
};

struct number {
	uint64_t value;
	uint32_t condition;
};

struct place {
	uint64_t *needs; /* letters of each pattern; apart from them, because most are looked at no further */
	struct pattern *patterns;
	struct number *numbers;
	size_t count, room, number_count, number_room;
};

struct held {
	const struct device_condition *condition;
	uint32_t rule;
	bool holds;
};

struct device_index {
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

static uint64_t letters_of(const char *text)
{
	uint64_t letters = 0;

	for (; *text != 0; text++)
		letters |= 1ULL << letter_bit((unsigned char)*text);
	return letters;
}

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?") != NULL;
}

static uint64_t letters_needed(const char *pattern)
{
	uint64_t letters = 0;

	for (; *pattern != 0; pattern++)
		if (*pattern != '*' && *pattern != '?')
			letters |= 1ULL << letter_bit((unsigned char)*pattern);
	return letters;
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
	p->needs[p->count] = letters_needed(text);
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
	return x->rules != NULL && x->matched != NULL && x->open != NULL && x->conditions != NULL && x->found != NULL;
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

static bool is_equal(const char *word, const char *name)
{
	return strcmp(word, name) == 0;
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

/* Patterns that need a letter which the text lacks are passed over. */
static void look_at_text(struct device_index *x, const struct place *p, const char *text, const char *protocol,
			 bool (*fits)(const char *pattern, const char *text))
{
	uint64_t lacks = ~letters_of(text);

	for (size_t i = 0; i < p->count; i++) {
		const struct pattern *pattern = &p->patterns[i];

		if ((p->needs[i] & lacks) != 0 || x->conditions[pattern->condition].holds)
			continue;
		if (fits(pattern->text, text) && from_protocol(x->conditions[pattern->condition].condition, protocol))
			note_held(x, pattern->condition);
	}
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
	const struct place *p = &x->places[v->attribute];
	char bounded[DEVICE_TEXT_BYTES];

	look_at_text(x, p, bound(v->value, bounded), v->protocol, pattern_fits);
	look_at_number(x, p, v->value, v->protocol);
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
		look_at_text(x, &x->places[PLACE_MAKER], bound(e->maker, bounded), NULL, pattern_fits);
	for (size_t i = 0; i < e->serve_count; i++)
		look_at_text(x, &x->places[PLACE_SERVES], e->serves[i], NULL, is_equal);
	for (size_t i = 0; i < e->speak_count; i++)
		look_at_text(x, &x->places[PLACE_SPEAKS], e->speaks[i], NULL, is_equal);
	for (size_t i = 0; i < e->value_count; i++)
		if (e->values[i].attribute < ATTRIBUTES && e->values[i].value != NULL)
			look_at_value(x, &e->values[i]);
	*count = settle(x);
	return x->matched;
}
