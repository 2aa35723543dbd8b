/* From words to a verb's struct: options wherever they stand, other words in the order of the table. */
#include "sensor/ctl/options.h"

#include "sensor/ctl/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DECIMAL = 10, ROWS_MAX = 64 };

/* The table with its groups, laid out in one row: places are those in the verb's own struct. */
struct taking {
	const char *verb;
	char *base;
	struct verb_option rows[ROWS_MAX];
	size_t count;
	char **words; /* those that are no option, in the order given */
	int words_count;
};

static bool each_from(const struct verb_option *table, size_t base, option_see *see, void *context)
{
	for (; table->kind != KIND_END; table++)
		if (table->kind == KIND_GROUP ? !each_from(table->group, base + table->offset, see, context) : !see(context, table, base))
			return false;
	return true;
}

bool options_each(const struct verb_option *table, option_see *see, void *context)
{
	return each_from(table, 0, see, context);
}

bool option_is_choice(const struct verb_option *row)
{
	return row->value && islower((unsigned char)row->value[0]);
}

static bool lay_out(void *context, const struct verb_option *row, size_t base)
{
	struct taking *t = context;

	if (t->count == ROWS_MAX)
		abort();
	t->rows[t->count] = *row;
	t->rows[t->count++].offset += base;
	return true;
}

static bool is_among(const char *word, const char *choices)
{
	size_t n = strlen(word);

	for (; *choices; choices += *choices == '|') {
		size_t len = strcspn(choices, "|");

		if (len == n && memcmp(word, choices, n) == 0)
			return true;
		choices += len;
	}
	return false;
}

static bool put_number(const struct taking *t, const struct verb_option *row, const char *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, DECIMAL);
	if (errno || *end || !*value || n < row->least || n > row->most) {
		fprintf(stderr, "askance %s: --%s is a number from %d to %d, not '%s'\n", t->verb, row->name, row->least, row->most, value);
		return false;
	}
	*(int *)(void *)(t->base + row->offset) = (int)n;
	return true;
}

static bool put_value(const struct taking *t, const struct verb_option *row, const char *value)
{
	const char *dashes = row->name ? "--" : "", *name = row->name ? row->name : "the word";
	void *field = t->base + row->offset;

	if (option_is_choice(row) && !is_among(value, row->value)) {
		fprintf(stderr, "askance %s: %s%s is one of %s, not '%s'\n", t->verb, dashes, name, row->value, value);
		return false;
	}
	switch (row->kind) {
	case KIND_NUMBER:
		return put_number(t, row, value);
	case KIND_COPY:
		if (strlen(value) < row->room) {
			memcpy(field, value, strlen(value) + 1);
			return true;
		}
		fprintf(stderr, "askance %s: %s%s is at most %zu bytes long\n", t->verb, dashes, name, row->room - 1);
		return false;
	default:
		*(const char **)field = value;
		return true;
	}
}

static const struct verb_option *find_letter(const struct taking *t, char letter)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].name && t->rows[i].letter == letter)
			return &t->rows[i];
	return NULL;
}

/* The name, or the beginning of one alone. */
static const struct verb_option *find_name(const struct taking *t, const char *name, size_t len)
{
	const struct verb_option *found = NULL;
	size_t like = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct verb_option *row = &t->rows[i];

		if (!row->name || strncmp(row->name, name, len) != 0)
			continue;
		if (row->name[len] == 0)
			return row;
		found = row;
		like++;
	}
	return len && like == 1 ? found : NULL;
}

static void tell_unknown(const struct taking *t, const char *word)
{
	struct suggestion s = suggest_for(word + strspn(word, "-"));

	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].name)
			suggest_try(&s, t->rows[i].name);
	suggest_try(&s, "help");
	fprintf(stderr, "askance %s: there is no option '%s'", t->verb, word);
	suggest_tell(&s, "--");
	fprintf(stderr, " `askance help %s` lists them\n", t->verb);
}

/* An option at argv[*at], and its value. False after a message. */
static bool take_option(const struct taking *t, int argc, char **argv, int *at)
{
	const char *word = argv[*at], *equals = word[1] == '-' ? strchr(word, '=') : NULL;
	const struct verb_option *row = NULL;

	if (word[1] == '-')
		row = find_name(t, word + 2, strcspn(word + 2, "="));
	else if (word[2] == 0)
		row = find_letter(t, word[1]);
	if (!row) {
		tell_unknown(t, word);
		return false;
	}
	if (row->kind == KIND_FLAG && !equals) {
		*(bool *)(t->base + row->offset) = true;
		return true;
	}
	if (row->kind == KIND_FLAG) {
		fprintf(stderr, "askance %s: --%s takes no value\n", t->verb, row->name);
		return false;
	}
	if (!equals && *at + 1 == argc) {
		fprintf(stderr, "askance %s: %s wants a value: %s\n", t->verb, word, row->value);
		return false;
	}
	return put_value(t, row, equals ? equals + 1 : argv[++*at]);
}

/* The words left, by the rows for words. False after a message. */
static bool place_words(const struct taking *t)
{
	int used = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct verb_option *row = &t->rows[i];

		if (row->kind != KIND_WORD && row->kind != KIND_WORDS)
			continue;
		if (used == t->words_count && !row->may_lack) {
			fprintf(stderr, "askance %s: %s is missing: %s; `askance help %s` tells more\n", t->verb, row->value, row->text, t->verb);
			return false;
		}
		if (row->kind == KIND_WORDS) {
			*(struct option_words *)(void *)(t->base + row->offset) =
				(struct option_words){ t->words + used, t->words_count - used };
			used = t->words_count;
		} else if (used < t->words_count && !put_value(t, row, t->words[used++])) {
			return false;
		}
	}
	if (used == t->words_count)
		return true;
	fprintf(stderr, "askance %s: unexpected '%s'; `askance help %s` tells more\n", t->verb, t->words[used], t->verb);
	return false;
}

bool options_take(const struct verb_option *table, void *base, int argc, char **argv)
{
	struct taking t = { .verb = argv[0], .base = base, .words = argv + 1 };
	bool options = true;

	options_each(table, lay_out, &t);
	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (!options || argv[i][0] != '-' || argv[i][1] == 0)
			t.words[t.words_count++] = argv[i]; /* never behind i, so nothing unread is lost */
		else if (!take_option(&t, argc, argv, &i))
			return false;
	}
	return place_words(&t);
}
