/* Judges what a device is: finds the rules whose conditions hold and lets the surest one speak. */
#include "classifiers/host/device_class.h"

#include "classifiers/host/device_rules.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { EXPECTING_MAX = 64 };

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
int device_pattern_fits(const char *pattern, const char *text)
{
	char bounded[DEVICE_TEXT_BYTES];

	if (strlen(text) >= sizeof(bounded)) {
		memcpy(bounded, text, sizeof(bounded) - 1);
		bounded[sizeof(bounded) - 1] = 0;
		text = bounded;
	}
	return strpbrk(pattern, "*?") != NULL ? glob_fits(pattern, text) : words_fit(pattern, text);
}

static bool any_pattern(char *const *pattern, unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++)
		if (device_pattern_fits(pattern[i], text))
			return true;
	return false;
}

static bool any_word(char *const *words, unsigned count, const char *word)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static bool any_name(char *const *words, unsigned count, const char *const *names, size_t name_count)
{
	for (size_t i = 0; i < name_count; i++)
		if (any_word(words, count, names[i]))
			return true;
	return false;
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

static bool any_number(const uint64_t *number, unsigned count, const char *text)
{
	uint64_t have;

	if (count == 0 || !read_number(text, &have))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (number[i] == have)
			return true;
	return false;
}

static bool value_fits(const struct device_condition *c, const struct device_value *v)
{
	if (v->attribute >= ATTRIBUTES || (c->looks_at >> v->attribute & 1) == 0 || v->value == NULL)
		return false;
	if (c->protocol_count > 0 && (v->protocol == NULL || !any_word(c->protocol, c->protocol_count, v->protocol)))
		return false;
	return any_pattern(c->is, c->is_count, v->value) || any_number(c->number, c->number_count, v->value);
}

/* A plant has thousands of devices of few makers: what a condition said of a maker is remembered. */
static bool maker_fits(const struct device_rules *r, const struct device_condition *c, const char *maker)
{
	size_t slot = ((uintptr_t)maker * 31 + (uintptr_t)c / sizeof(*c)) % DEVICE_MAKER_MEMOS;
	struct device_maker_memo *memo = &r->maker_memo[slot];

	if (memo->condition != c || memo->maker != maker)
		*memo = (struct device_maker_memo){ c, maker, any_pattern(c->maker, c->maker_count, maker) };
	return memo->fits;
}

static bool condition_holds(const struct device_rules *r, const struct device_condition *c, const struct device_evidence *e)
{
	if (c->maker_count > 0)
		return e->maker != NULL && maker_fits(r, c, e->maker);
	if (c->serves_count > 0)
		return any_name(c->serves, c->serves_count, e->serves, e->serve_count);
	if (c->speaks_count > 0)
		return any_name(c->speaks, c->speaks_count, e->speaks, e->speak_count);
	for (size_t i = 0; i < e->value_count; i++)
		if (value_fits(c, &e->values[i]))
			return true;
	return false;
}

/* The bits of device_condition.looks_at for which there is anything to look at. */
static uint64_t evidence_bits(const struct device_evidence *e)
{
	uint64_t bits = (uint64_t)(e->maker != NULL) << LOOKS_AT_MAKER_BIT | (uint64_t)(e->serve_count > 0) << LOOKS_AT_SERVES_BIT |
			(uint64_t)(e->speak_count > 0) << LOOKS_AT_SPEAKS_BIT;

	for (size_t i = 0; i < e->value_count; i++)
		if (e->values[i].attribute < ATTRIBUTES)
			bits |= 1ULL << e->values[i].attribute;
	return bits;
}

static bool rule_matches(const struct device_rules *all, const struct device_rule *r, const struct device_evidence *e, uint64_t bits)
{
	for (unsigned i = 0; i < r->when_count; i++)
		if ((r->when[i].looks_at & bits) == 0)
			return false;
	for (unsigned i = 0; i < r->when_count; i++)
		if (!condition_holds(all, &r->when[i], e))
			return false;
	return true;
}

static bool outranks(const struct device_rule *r, const struct device_rule *best)
{
	if (best == NULL || r->sure != best->sure)
		return best == NULL || r->sure > best->sure;
	return r->when_count > best->when_count;
}

/* The surest matching rule for each thing that can follow. */
struct winners {
	const struct device_rule *vendor;
	const struct device_rule *class;
	const struct device_rule *series;
	const struct device_rule *os;
};

static void hear_rule(struct winners *w, const struct device_rule *r)
{
	if (r->vendor != NULL && outranks(r, w->vendor))
		w->vendor = r;
	if (r->class != CLASS_NONE && outranks(r, w->class))
		w->class = r;
	if (r->series != NULL && outranks(r, w->series))
		w->series = r;
	if (r->os != NULL && outranks(r, w->os))
		w->os = r;
}

static void add_expected(struct device_verdict *v, const struct device_rule *r)
{
	for (unsigned i = 0; i < r->expects_count; i++) {
		size_t seen = 0;

		while (seen < v->expect_count && strcmp(v->expects[seen], r->expects[i]) != 0)
			seen++;
		if (seen == v->expect_count && seen < DEVICE_EXPECTS)
			v->expects[v->expect_count++] = r->expects[i];
	}
}

/* A rule that speaks of another vendor or class than the device turned out to be expects nothing of it. */
static bool agrees(const struct device_rule *r, const struct winners *w)
{
	if (r->vendor != NULL && strcmp(r->vendor, w->vendor->vendor) != 0)
		return false;
	return r->class == CLASS_NONE || r->class == w->class->class;
}

static const char *cpe_of(const struct device_rules *r, const char *series)
{
	for (size_t f = 0; f < r->files; f++)
		for (unsigned i = 0; i < r->file[f]->cpe_count; i++)
			if (strcmp(r->file[f]->cpe[i].series, series) == 0)
				return r->file[f]->cpe[i].cpe;
	return NULL;
}

void device_class_place(const struct device_rules *r, const char *device_class, const char **purdue, const char **attack)
{
	*purdue = *attack = NULL;
	for (unsigned i = 0; r != NULL && device_class_name(i) != NULL; i++) {
		if (strcmp(device_class_name(i), device_class) != 0 || r->of_class[i + 1] == NULL)
			continue;
		*purdue = r->of_class[i + 1]->purdue;
		*attack = r->of_class[i + 1]->attack;
	}
}

static void fill_verdict(struct device_verdict *out, const struct device_rules *r, const struct winners *w)
{
	if (w->vendor != NULL) {
		out->vendor = w->vendor->vendor;
		out->vendor_rule = w->vendor->name;
		out->vendor_sure = w->vendor->sure;
	}
	if (w->class != NULL) {
		out->device_class = device_class_name(w->class->class - 1);
		out->class_rule = w->class->name;
		out->class_sure = w->class->sure;
		if (r->of_class[w->class->class] != NULL) {
			out->purdue = r->of_class[w->class->class]->purdue;
			out->attack = r->of_class[w->class->class]->attack;
		}
	}
	out->series = w->series != NULL ? w->series->series : NULL;
	if (out->series != NULL)
		out->cpe = cpe_of(r, out->series);
	out->os = w->os != NULL ? w->os->os : NULL;
}

void device_class_of(const struct device_rules *r, const struct device_evidence *e, struct device_verdict *out)
{
	const struct device_rule *telling[EXPECTING_MAX]; /* matching rules that expect something */
	uint64_t bits = evidence_bits(e);
	size_t tellers = 0;
	struct winners w = { 0 };

	memset(out, 0, sizeof(*out));
	for (size_t f = 0; r != NULL && f < r->files; f++)
		for (unsigned i = 0; i < r->file[f]->rule_count; i++) {
			const struct device_rule *rule = &r->file[f]->rule[i];

			if (!rule_matches(r, rule, e, bits))
				continue;
			hear_rule(&w, rule);
			if (rule->expects_count > 0 && tellers < EXPECTING_MAX)
				telling[tellers++] = rule;
		}
	if (r != NULL)
		fill_verdict(out, r, &w);
	for (size_t i = 0; i < tellers; i++)
		if (agrees(telling[i], &w))
			add_expected(out, telling[i]);
}

/* "V3.2.6 (build 7)" becomes 3.2.6: its first word, without the letter that says it is a version. */
static size_t put_version(const char *version, char *out, size_t room)
{
	size_t n = 0;

	if ((version[0] == 'V' || version[0] == 'v') && isdigit((unsigned char)version[1]))
		version++;
	for (; *version > ' ' && *version < 0x7f; version++) {
		bool plain = isalnum((unsigned char)*version) || *version == '.' || *version == '-' || *version == '_';

		if (n + 2 >= room)
			return 0;
		if (!plain)
			out[n++] = '\\';
		out[n++] = (char)tolower((unsigned char)*version);
	}
	out[n] = 0;
	return n;
}

size_t device_cpe(const struct device_verdict *v, const char *version, char *out, size_t room)
{
	char text[DEVICE_TEXT_BYTES];
	int n;

	if (v->cpe == NULL)
		return 0;
	if (version == NULL || put_version(version, text, sizeof(text)) == 0 || strcmp(text, "-") == 0)
		memcpy(text, "*", 2);
	n = snprintf(out, room, "cpe:2.3:%s:%s:*:*:*:*:*:*:*", v->cpe, text);
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}
