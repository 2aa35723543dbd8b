/* askance(1), written from the table of verbs; the build installs what it prints. */
#include "sensor/ctl/help.h"
#include "sensor/ctl/options.h"

#include <ctype.h>
#include <string.h>

enum { LINE_COLUMNS = 78 };

/* mdoc takes a leading dot or quote for a request and a backslash for an escape; a dash is to be copied as one. */
static int put_text(const char *text, size_t len, bool first, FILE *to)
{
	int n = 0;

	if (first && len && (text[0] == '.' || text[0] == '\''))
		n += fprintf(to, "\\&");
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\\' ? fprintf(to, "\\e") : text[i] == '-' ? fprintf(to, "\\-") : fprintf(to, "%c", text[i]);
	return n;
}

/* True when a sentence ends with this word: mdoc wants the next one on a line of its own. */
static bool ends_sentence(const char *word, size_t len, const char *next)
{
	return len > 1 && strchr(".?!", word[len - 1]) && word[len - 2] != '.' && (isupper((unsigned char)*next) || *next == '`');
}

/* Words in lines of mdoc, up to the end of the paragraph. */
static void put_folded(const char *text, size_t len, FILE *to)
{
	int column = 0;

	while (len > 0) {
		size_t n = strcspn(text, " \n"), blanks;

		n = n < len ? n : len;
		if (column && column + 1 + (int)n > LINE_COLUMNS) {
			putc('\n', to);
			column = 0;
		}
		if (column)
			column += fprintf(to, " ");
		column += put_text(text, n, column == 0, to);
		blanks = strspn(text + n, " \n");
		blanks = n + blanks < len ? blanks : len - n;
		if (n + blanks < len && ends_sentence(text, n, text + n + blanks)) {
			putc('\n', to);
			column = 0;
		}
		text += n + blanks;
		len -= n + blanks;
	}
	putc('\n', to);
}

static bool put_word(void *context, const struct verb_option *row, size_t base)
{
	FILE *to = context;

	(void)base;
	if (row->name)
		return true;
	fprintf(to, ".It Ar %s\n", row->value);
	put_folded(row->text, strlen(row->text), to);
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
	put_folded(row->text, strlen(row->text), to);
	return true;
}

/* Prose as help.c prints it: paragraphs are folded, lines that begin with a blank are literal. */
static void put_prose(const char *text, FILE *to)
{
	while (*text) {
		bool literal = text[0] == ' ';
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);

		while (len && text[len - 1] == '\n')
			len--;
		fputs(literal ? ".Bd -literal\n" : ".Pp\n", to);
		if (literal) {
			put_text(text, len, true, to);
			fputs("\n.Ed\n", to);
		} else {
			put_folded(text, len, to);
		}
		text = end ? end + 2 : text + strlen(text);
	}
}

static void put_verb(const struct verb *v, FILE *to)
{
	char synopsis[160];

	help_synopsis(v, synopsis, sizeof synopsis);
	/* The zero-width space keeps a last bracket from being taken for punctuation. */
	fprintf(to, ".Ss askance %s %s\\&\n", v->name, synopsis);
	fprintf(to, "%c%s.\n", toupper((unsigned char)v->summary[0]), v->summary + 1);
	if (v->help)
		put_prose(v->help, to);
	if (v->options) {
		fputs(".Bl -tag -width 6n\n", to);
		options_each(v->options, put_word, to);
		options_each(v->options, put_option, to);
		fputs(".El\n", to);
	}
	if (!v->exits[0])
		return;
	fputs(".Pp\nExit status:\n.Bl -tag -width 2n -compact\n", to);
	for (int i = 0; i < VERB_EXITS; i++)
		if (v->exits[i]) {
			fprintf(to, ".It %d\n", i);
			put_folded(v->exits[i], strlen(v->exits[i]), to);
		}
	fputs(".El\n", to);
}

static const char before[] =
	".Dd November 22, 2026\n.Dt ASKANCE 1\n.Os\n.Sh NAME\n.Nm askance\n"
	".Nd network sensor for industrial plants\n.Sh SYNOPSIS\n.Nm\n.Ar verb\n.Op Ar option ...\n.Nm\n.Cm help\n.Op Ar verb\n"
	".Sh DESCRIPTION\n.Nm\nlistens on a SPAN port, keeps a picture of every device and of what the\n"
	"picture lacks, and tells it to Redis.\n"
	"What could be asked of a device is a proposal; it is asked when as many\nanalysts as its risk needs have signed for its bytes.\n"
	"How to bring it into a plant is told in\n.Xr askance-guide 7 .\n.Pp\n"
	"Options and words may be mixed;\n.Ql \\-\\-\nends the options.\nEvery verb takes\n.Fl \\-help .\n"
	"Tables fit the terminal; into a pipe nothing is cut.\n";

static const char after[] =
	".Sh ENVIRONMENT\n.Bl -tag -width 6n\n.It Ev NO_COLOR\nWhen it is set, nothing is coloured; nor is what goes to no terminal.\n"
	".It Ev COLUMNS\nThe width of a terminal that tells none.\n.It Ev HOME\nThe analyst's key is in\n.Pa ~/.askance/key .\n.El\n"
	".Sh FILES\n.Bl -tag -width 6n\n.It Pa /etc/askance/askance.yaml\nThe configuration,\n.Xr askance.yaml 5 .\n"
	".It Pa /etc/askance/rules\nThe rules: what may be asked, and what devices are,\n.Xr askance-rules 5\nand\n.Xr askance-probes 5 .\n.El\n"
	".Sh EXIT STATUS\n0 when all went well; 1 when something was cut short or found wanting, and\nwhat there is was printed;\n"
	"2 when nothing could be done or the call was wrong.\nWhere a verb says more, it stands with the verb.\n"
	".Sh SEE ALSO\n.Xr askance-probes 5 ,\n.Xr askance-rules 5 ,\n.Xr askance.yaml 5 ,\n.Xr askance-guide 7\n";

void help_print_man(FILE *to)
{
	fputs(before, to);
	fputs(".Sh VERBS\n", to);
	for (size_t i = 0; verb_list[i]; i++)
		put_verb(verb_list[i], to);
	fputs(after, to);
}
