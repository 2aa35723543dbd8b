/* askance help, and the --help of every verb. */
#include "sensor/ctl/help.h"

#include "sensor/ctl/options.h"
#include "sensor/ctl/suggest.h"

#include <ctype.h>
#include <string.h>

enum { WIDTH = 78, TEXT_AT = 22, NAME_BYTES = 80 };

struct synopsis {
	char *text;
	size_t room, n;
	bool optional;
};

static bool add_word(void *context, const struct verb_option *row, size_t base)
{
	struct synopsis *s = context;

	(void)base;
	if (row->name) {
		s->optional = true;
		return true;
	}
	s->n += (size_t)snprintf(s->text + s->n, s->room - s->n, " %s%s%s%s", row->may_lack ? "[" : "", row->value,
				 row->kind == KIND_WORDS ? "..." : "", row->may_lack ? "]" : "");
	return s->n < s->room;
}

void help_synopsis(const struct verb *v, char *text, size_t room)
{
	char words[WIDTH * 2] = "";
	struct synopsis s = { .text = words, .room = sizeof words };

	if (v->options)
		options_each(v->options, add_word, &s);
	snprintf(text, room, "%s%s%s", s.optional ? "[OPTION...]" : "", s.optional && v->usage ? " " : "",
		 v->usage ? v->usage : s.optional ? words : words + (words[0] != 0));
}

/* Words of a text folded into lines, the first of which begins at column `at`. */
static void print_folded(const char *text, size_t len, int at, int indent, FILE *to)
{
	int column = at;

	while (len > 0) {
		size_t n = 0;

		while (n < len && text[n] != ' ' && text[n] != '\n')
			n++;
		if (column > indent && column + 1 + (int)n > WIDTH) {
			fprintf(to, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(to, "%s%.*s", column > indent ? " " : "", (int)n, text);
		while (n < len && (text[n] == ' ' || text[n] == '\n'))
			n++;
		text += n;
		len -= n;
	}
	putc('\n', to);
}

static void print_entry(const char *name, const char *text, FILE *to)
{
	int n = fprintf(to, "  %s", name);

	if (n > TEXT_AT - 2)
		fprintf(to, "\n%*s", TEXT_AT, "");
	else
		fprintf(to, "%*s", TEXT_AT - n, "");
	print_folded(text, strlen(text), TEXT_AT, TEXT_AT, to);
}

static bool print_word(void *context, const struct verb_option *row, size_t base)
{
	(void)base;
	if (!row->name)
		print_entry(row->value, row->text, context);
	return true;
}

static bool print_option(void *context, const struct verb_option *row, size_t base)
{
	char name[NAME_BYTES];

	(void)base;
	if (!row->name)
		return true;
	snprintf(name, sizeof name, "%c%c%s--%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ', row->letter ? ", " : "  ",
		 row->name, row->value ? " " : "", row->value ? row->value : "");
	print_entry(name, row->text, context);
	return true;
}

/* Paragraphs are folded; a line that begins with a blank stays as it is. */
static void print_prose(const char *text, FILE *to)
{
	while (*text) {
		const char *end = text[0] == ' ' ? strchr(text, '\n') : strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);

		while (len && text[len - 1] == '\n')
			len--;
		if (text[0] == '\n' && len == 0)
			putc('\n', to);
		else if (text[0] == ' ')
			fprintf(to, "%.*s\n", (int)len, text);
		else
			print_folded(text, len, 0, 0, to);
		text = end ? end + 1 : text + strlen(text);
	}
}

static void print_exits(const struct verb *v, FILE *to)
{
	fputs("\nExit status:\n", to);
	for (int i = 0; i < VERB_EXITS; i++)
		if (v->exits[i]) {
			char code[] = { (char)('0' + i), 0 };
			int n = fprintf(to, "  %s  ", code);

			print_folded(v->exits[i], strlen(v->exits[i]), n, n, to);
		}
}

void help_print(const struct verb *v, FILE *to)
{
	char synopsis[WIDTH * 2];
	int at;

	help_synopsis(v, synopsis, sizeof synopsis);
	at = fprintf(to, "usage: askance %s ", v->name);
	print_folded(synopsis, strlen(synopsis), at, at, to);
	fprintf(to, "\n%c%s.\n", toupper((unsigned char)v->summary[0]), v->summary + 1);
	if (v->help) {
		putc('\n', to);
		print_prose(v->help, to);
	}
	if (v->options) {
		putc('\n', to);
		options_each(v->options, print_word, to);
		options_each(v->options, print_option, to);
	}
	if (v->exits[0])
		print_exits(v, to);
}

void help_print_all(FILE *to)
{
	fprintf(to, "usage: askance VERB [OPTION...]\n\nA network sensor for industrial plants.\n\n");
	for (size_t i = 0; verb_list[i]; i++)
		fprintf(to, "  %-10s %s\n", verb_list[i]->name, verb_list[i]->summary);
	fprintf(to, "\n`askance help VERB` tells more of one.\n");
}

const struct verb *help_find(const char *name)
{
	const struct verb *v = verb_find(name);
	struct suggestion s = suggest_for(name);

	if (v)
		return v;
	for (size_t i = 0; verb_list[i]; i++)
		suggest_try(&s, verb_list[i]->name);
	fprintf(stderr, "askance: there is no verb '%s'", name);
	suggest_tell(&s, "");
	fputs(" `askance help` lists them\n", stderr);
	return NULL;
}

struct request {
	const char *verb, *completion;
	bool man;
};

static const struct verb_option options[] = {
	OPTION_MAYBE_WORD(struct request, verb, "VERB", "the one to tell of; all, when it is left out"),
	OPTION_FLAG(struct request, man, 0, "man", "print askance(1), as mdoc"),
	OPTION_TEXT(struct request, completion, 0, "completion", "bash|zsh|fish", "print the completion for this shell"),
	OPTION_END,
};

static int run_help(int argc, char **argv)
{
	struct request q = { .verb = NULL };
	const struct verb *v = NULL;

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (q.verb && !(v = help_find(q.verb)))
		return EXIT_NOTHING;
	if (q.man)
		help_print_man(stdout);
	else if (q.completion)
		help_print_completion(q.completion, stdout);
	else if (v)
		help_print(v, stdout);
	else
		help_print_all(stdout);
	return EXIT_WELL;
}

const struct verb verb_help = {
	.name = "help",
	.summary = "tell what the verbs do, and what one of them takes",
	.options = options,
	.exits = { "told", NULL, "there is no such verb" },
	.run = run_help,
};
