/* Completion for bash, zsh and fish, written from the table of verbs. */
#include "sensor/ctl/help.h"
#include "sensor/ctl/options.h"

#include <string.h>

/* A choice's words with blanks between. */
static void put_choices(const char *choices, FILE *to)
{
	for (; *choices; choices++) /* an option of choices has them. NOLINT(clang-analyzer-core.NullDereference) */
		putc(*choices == '|' ? ' ' : *choices, to);
}

static bool is_path(const struct verb_option *row)
{
	return row->value && (strncmp(row->value, "FILE", 4) == 0 || strcmp(row->value, "DIR") == 0);
}

static const struct verb_option help_row = { .kind = KIND_FLAG, .letter = 'h', .name = "help", .text = "tell what this verb takes" };

static void each_row(const struct verb *v, option_see *see, void *context)
{
	if (v->options)
		options_each(v->options, see, context);
	see(context, &help_row, 0);
}

static bool bash_name(void *context, const struct verb_option *row, size_t base)
{
	(void)base;
	if (row->name)
		fprintf(context, " --%s", row->name);
	return true;
}

static bool bash_value(void *context, const struct verb_option *row, size_t base)
{
	FILE *to = context;

	(void)base;
	if (!row->value || (!is_path(row) && !option_is_choice(row)))
		return true;
	if (!row->name)
		fprintf(to, "\t\t*) ");
	else if (row->letter)
		fprintf(to, "\t\t--%s | -%c) ", row->name, row->letter);
	else
		fprintf(to, "\t\t--%s) ", row->name);
	if (is_path(row)) {
		fprintf(to, "words=; compopt -o filenames; COMPREPLY=($(compgen -%c -- \"$word\")) ;;\n", strcmp(row->value, "DIR") == 0 ? 'd' : 'f');
	} else {
		fputs("words=\"$words ", to);
		put_choices(row->value, to);
		fputs("\" ;;\n", to);
	}
	return true;
}

static bool bash_value_of_option(void *context, const struct verb_option *row, size_t base)
{
	return row->name ? bash_value(context, row, base) : true;
}

/* The first word alone decides what is offered where no option waits for its value. */
static bool bash_value_of_word(void *context, const struct verb_option *row, size_t base)
{
	if (row->name)
		return true;
	bash_value(context, row, base);
	return false;
}

static void print_bash(FILE *to)
{
	fputs("# bash completion of askance, written by `askance help --completion bash`\n_askance()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words\n\n\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords=\"",
	      to);
	for (size_t i = 0; verb_list[i]; i++)
		fprintf(to, "%s ", verb_list[i]->name);
	fputs("--help --version\"\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", to);
	for (size_t i = 0; verb_list[i]; i++) {
		fprintf(to, "\t%s)\n\t\twords=\"", verb_list[i]->name);
		each_row(verb_list[i], bash_name, to);
		fputs("\"\n\t\tcase $before in\n", to);
		each_row(verb_list[i], bash_value_of_option, to);
		each_row(verb_list[i], bash_value_of_word, to);
		fputs("\t\tesac ;;\n", to);
	}
	fputs("\tesac\n\t[ -z \"$words\" ] || [ -n \"$COMPREPLY\" ] || COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -F _askance askance\n",
	      to);
}

/* Single quotes, and what would end them. */
static void put_quoted(const char *text, const char *special, FILE *to)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", to);
		else if (strchr(special, *text))
			fprintf(to, "\\%c", *text);
		else
			putc(*text == '\n' ? ' ' : *text, to);
	}
}

static void zsh_action(const struct verb_option *row, FILE *to)
{
	fprintf(to, ":%s:", option_is_choice(row) ? "choice" : row->value);
	if (option_is_choice(row)) {
		putc('(', to);
		put_choices(row->value, to);
		putc(')', to);
	} else if (is_path(row)) {
		fputs(strcmp(row->value, "DIR") == 0 ? "_directories" : "_files", to);
	}
}

static bool zsh_row(void *context, const struct verb_option *row, size_t base)
{
	FILE *to = context;

	(void)base;
	fputs(" \\\n\t\t\t'", to);
	if (row->name) {
		fprintf(to, "--%s[", row->name);
		put_quoted(row->text, "[]:", to);
		putc(']', to);
		if (row->value)
			zsh_action(row, to);
	} else {
		if (row->kind == KIND_WORDS)
			putc('*', to);
		else if (row->may_lack)
			putc(':', to);
		zsh_action(row, to);
	}
	putc('\'', to);
	return true;
}

static void print_zsh(FILE *to)
{
	fputs("#compdef askance\n# zsh completion of askance, written by `askance help --completion zsh`\n_askance()\n{\n\tlocal -a verbs\n\n"
	      "\tif (( CURRENT == 2 )); then\n\t\tverbs=(\n", to);
	for (size_t i = 0; verb_list[i]; i++) {
		fprintf(to, "\t\t\t'%s:", verb_list[i]->name);
		put_quoted(verb_list[i]->summary, ":", to);
		fputs("'\n", to);
	}
	fputs("\t\t)\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n\tcase $words[2] in\n", to);
	for (size_t i = 0; verb_list[i]; i++) {
		fprintf(to, "\t%s)\n\t\tshift words; (( CURRENT-- ))\n\t\t_arguments", verb_list[i]->name);
		each_row(verb_list[i], zsh_row, to);
		fputs(" ;;\n", to);
	}
	fputs("\tesac\n}\n", to);
	/* Loaded by its name it is to complete at once, sourced it is to be made known. */
	fputs("if [[ $funcstack[1] == _askance ]]; then\n\t_askance \"$@\"\nelse\n\tcompdef _askance askance\nfi\n", to);
}

struct fish {
	FILE *to;
	const char *verb;
};

static bool fish_row(void *context, const struct verb_option *row, size_t base)
{
	const struct fish *f = context;

	(void)base;
	if (!row->name && !is_path(row) && !option_is_choice(row))
		return true;
	fprintf(f->to, "complete -c askance -n '__fish_seen_subcommand_from %s'", f->verb);
	if (row->name)
		fprintf(f->to, " -l %s", row->name);
	if (row->letter)
		fprintf(f->to, " -s %c", row->letter);
	if (row->value && row->name)
		fputs(is_path(row) ? " -r -F" : " -x", f->to);
	else if (is_path(row))
		fputs(" -F", f->to);
	if (option_is_choice(row)) {
		fputs(" -a '", f->to);
		put_choices(row->value, f->to);
		putc('\'', f->to);
	}
	fputs(" -d '", f->to);
	for (const char *c = row->text; *c; c++)
		fprintf(f->to, *c == '\'' || *c == '\\' ? "\\%c" : "%c", *c);
	fputs("'\n", f->to);
	return true;
}

static void print_fish(FILE *to)
{
	fputs("# fish completion of askance, written by `askance help --completion fish`\ncomplete -c askance -f\n", to);
	for (size_t i = 0; verb_list[i]; i++)
		fprintf(to, "complete -c askance -n __fish_use_subcommand -a %s -d \"%s\"\n", verb_list[i]->name, verb_list[i]->summary);
	for (size_t i = 0; verb_list[i]; i++)
		each_row(verb_list[i], fish_row, &(struct fish){ to, verb_list[i]->name });
}

void help_print_completion(const char *shell, FILE *to)
{
	if (strcmp(shell, "bash") == 0)
		print_bash(to);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(to);
	else
		print_fish(to);
}
