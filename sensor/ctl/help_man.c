/* askance(1), written from the table of verbs; the build installs what it prints. */
#include "sensor/ctl/help.h"
#include "sensor/ctl/options.h"

#include <ctype.h>
#include <string.h>

/* mdoc takes a leading dot or quote for a request and a backslash for an escape; a dash is to be copied as one. */
static void put_text(const char *text, size_t len, FILE *to)
{
	if (len && (text[0] == '.' || text[0] == '\''))
		fputs("\\&", to);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			fputs("\\e", to);
		else if (text[i] == '-')
			fputs("\\-", to);
		else
			putc(text[i], to);
	}
}

/* A phrase as a sentence or two, each on a line of its own, as mdoc wants them. */
static void put_sentences(const char *text, FILE *to)
{
	size_t len = strlen(text);

	for (size_t i = 0, from = 0; i <= len; i++) {
		bool end = i == len || ((text[i] == ' ' || text[i] == '\n') && i > from + 3 && strchr(".?!", text[i - 1]) && text[i - 2] != '.');

		if (!end && text[i] != '\n')
			continue;
		put_text(text + from, i - from, to);
		putc('\n', to);
		from = i + 1;
	}
}

static bool put_word(void *context, const struct verb_option *row, size_t base)
{
	FILE *to = context;

	(void)base;
	if (row->name)
		return true;
	fprintf(to, ".It Ar %s\n", row->value);
	put_sentences(row->text, to);
	return true;
}

static bool put_option(void *context, const struct verb_option *row, size_t base)
{
	FILE *to = context;

	(void)base;
	if (!row->name)
		return true;
	fputs(".It Fl ", to);
	if (row->letter)
		fprintf(to, "%c , ", row->letter);
	fprintf(to, "%s\\-%s", row->letter ? "Fl " : "", row->name);
	if (row->value)
		fprintf(to, " Ar %s", row->value);
	putc('\n', to);
	put_sentences(row->text, to);
	return true;
}

/* Prose as help.c prints it: lines that begin with a blank are literal. */
static void put_prose(const char *text, FILE *to)
{
	bool literal = false;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (literal != (text[0] == ' '))
			fputs(literal ? ".Ed\n" : ".Bd -literal\n", to);
		else if (len == 0 && text[1] && text[1] != ' ')
			fputs(".Pp\n", to);
		literal = text[0] == ' ';
		put_text(text, len, to);
		if (len)
			putc('\n', to);
		text += len + (text[len] == '\n');
	}
	if (literal)
		fputs(".Ed\n", to);
}

static void put_verb(const struct verb *v, FILE *to)
{
	char synopsis[160];

	help_synopsis(v, synopsis, sizeof synopsis);
	fprintf(to, ".Ss askance %s %s\n", v->name, synopsis);
	fprintf(to, "%c%s.\n", toupper((unsigned char)v->summary[0]), v->summary + 1);
	if (v->help) {
		fputs(".Pp\n", to);
		put_prose(v->help, to);
	}
	if (v->options) {
		fputs(".Bl -tag -width 6n\n", to);
		options_each(v->options, put_word, to);
		options_each(v->options, put_option, to);
		fputs(".El\n", to);
	}
	for (int i = 0; i < VERB_EXITS; i++)
		if (v->exits[i])
			fprintf(to, "%sStatus %d: %s%s\n", i ? "" : ".Pp\n", i, v->exits[i], i + 1 < VERB_EXITS && v->exits[i + 1] ? ";" : ".");
}

static const char before[] =
	".Dd $Mdocdate$\n.Dt ASKANCE 1\n.Os askance " ASKANCE_VERSION "\n.Sh NAME\n.Nm askance\n"
	".Nd network sensor for industrial plants\n.Sh SYNOPSIS\n.Nm\n.Ar verb\n.Op Ar option ...\n.Nm\n.Cm help\n.Op Ar verb\n"
	".Sh DESCRIPTION\n.Nm\nlistens on a SPAN port, keeps a picture of every device and of what the picture lacks, and tells it to Redis.\n"
	"What could be asked of a device is a proposal; it is asked when as many analysts as its risk needs have signed for its bytes.\n"
	"How to bring it into a plant is told in\n.Xr askance-guide 7 .\n.Pp\n"
	"Options and words may be mixed;\n.Ql \\-\\-\nends the options.\nEvery verb takes\n.Fl \\-help .\n"
	"Tables fit the terminal; into a pipe nothing is cut.\n";

static const char after[] =
	".Sh ENVIRONMENT\n.Bl -tag -width 6n\n.It Ev NO_COLOR\nWhen it is set, nothing is coloured; nor is what goes to no terminal.\n"
	".It Ev COLUMNS\nThe width of a terminal that tells none.\n.It Ev HOME\nThe analyst's key is in\n.Pa ~/.askance/key .\n.El\n"
	".Sh FILES\n.Bl -tag -width 6n\n.It Pa /etc/askance/askance.yaml\nThe configuration,\n.Xr askance.yaml 5 .\n"
	".It Pa /etc/askance/rules\nThe rules: what may be asked, and what devices are,\n.Xr askance-rules 5\nand\n.Xr askance-probes 5 .\n.El\n"
	".Sh EXIT STATUS\n0 when all went well; 1 when something was cut short or found wanting, and what there is was printed;\n"
	"2 when nothing could be done or the call was wrong.\nWhere a verb says more, it stands with the verb.\n"
	".Sh SEE ALSO\n.Xr askance.yaml 5 ,\n.Xr askance-probes 5 ,\n.Xr askance-rules 5 ,\n.Xr askance-guide 7\n";

void help_print_man(FILE *to)
{
	fputs(before, to);
	fputs(".Sh VERBS\n", to);
	for (size_t i = 0; verb_list[i]; i++)
		put_verb(verb_list[i], to);
	fputs(after, to);
}
