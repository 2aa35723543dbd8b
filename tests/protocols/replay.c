/*
 * Replays written conversations to classifiers and compares what they say with what is expected.
 *
 *	replay NAME CASE.txt          prints what classifier NAME says
 *	replay --check NAME CASE.txt  compares with CASE.expected; then the same conversation cut to single
 *	                              bytes, with every prefix, with every byte set to 0, to 255 and
 *	                              raised by one, with what was told forgotten before each message,
 *	                              and offered to all other classifiers
 *	replay --coverage FOLDER      every classifier has a folder with a case that it calls its own, and
 *	                              where it can forget, with one in which that makes it tell again
 *
 * Built with AddressSanitizer the mutated runs find reads past the end; without it they still find
 * broken contracts.
 */
#include "tests/protocols/play.h"
#include "tests/protocols/transcript.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AFTERMATH = 6 }; /* segments played after a mutated one: a spoilt memo must do no harm either */

static struct play playing, before;

static const struct classifier *find_classifier(const char *name)
{
	for (size_t i = 0; classifiers[i]; i++)
		if (strcmp(classifiers[i]->name, name) == 0)
			return classifiers[i];
	fprintf(stderr, "there is no classifier called %s\n", name);
	exit(2);
}

/* Plays all flows; true when the classifier refused nothing. */
static bool run(const struct classifier *c, const struct transcript *t, struct lines *said)
{
	bool clean = true;

	for (size_t i = 0; i < t->count; i++) {
		const struct flow *f = &t->flows[i];

		play_start(&playing, c, f, said);
		for (size_t j = 0; j < f->count; j++)
			play_segment(&playing, &f->segments[j], f->truncated);
		clean &= !playing.refused;
	}
	return clean;
}

/* The same, with or without forgetting before each message, told by ends. Returns how many findings were told. */
static unsigned run_again(const struct classifier *c, const struct transcript *t, bool forgetful, struct lines *said)
{
	unsigned told = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct flow *f = &t->flows[i];

		play_start(&playing, c, f, said);
		playing.forgetful = forgetful;
		playing.by_end = true;
		for (size_t j = 0; j < f->count; j++)
			play_segment(&playing, &f->segments[j], f->truncated);
		told += playing.told;
	}
	return told;
}

/* The same with TCP handed over byte by byte. */
static void run_recut(const struct classifier *c, const struct transcript *t, struct lines *said)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct flow *f = &t->flows[i];

		play_start(&playing, c, f, said);
		for (size_t j = 0; j < f->count; j++) {
			struct segment s = f->segments[j];

			if (f->transport != TRANSPORT_TCP || f->norecut) {
				play_segment(&playing, &s, f->truncated);
				continue;
			}
			s.len = 1;
			for (size_t k = 0; k < f->segments[j].len; k++, s.bytes++, s.gap = false)
				play_segment(&playing, &s, f->truncated);
		}
	}
}

static void try_segment(const struct flow *f, size_t at, const struct segment *changed, bool truncated)
{
	playing = before;
	playing.said = NULL;
	play_segment(&playing, changed, truncated || f->truncated);
	for (size_t j = at + 1; j < f->count && j <= at + AFTERMATH; j++)
		play_segment(&playing, &f->segments[j], f->truncated);
}

static size_t try_changes(const struct flow *f, size_t at)
{
	struct segment s = f->segments[at];
	uint8_t *bytes = malloc(s.len + 1);
	size_t tried = 0;

	if (!bytes)
		abort();
	memcpy(bytes, s.bytes, s.len);
	s.bytes = bytes;
	for (size_t k = 0; k < f->segments[at].len; k++) {
		const uint8_t was = bytes[k], values[] = { 0, 255, (uint8_t)(was + 1) };

		s.len = k;
		try_segment(f, at, &s, false);
		try_segment(f, at, &s, true);
		s.len = f->segments[at].len;
		for (size_t v = 0; v < sizeof values; v++, tried++) {
			bytes[k] = values[v];
			try_segment(f, at, &s, false);
		}
		bytes[k] = was;
		tried += 2;
	}
	free(bytes);
	return tried;
}

static size_t run_mutated(const struct classifier *c, const struct transcript *t)
{
	size_t tried = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct flow *f = &t->flows[i];

		play_start(&before, c, f, NULL);
		for (size_t j = 0; j < f->count; j++) {
			tried += try_changes(f, j);
			play_segment(&before, &f->segments[j], f->truncated);
		}
	}
	return tried;
}

static bool allowed(const struct transcript *t, const char *name)
{
	for (size_t i = 0; i < t->also_count; i++)
		if (strcmp(t->also[i], name) == 0)
			return true;
	return false;
}

static int offer_to_others(const struct classifier *own, const struct transcript *t)
{
	int bad = 0;

	for (size_t i = 0; classifiers[i]; i++) {
		const struct classifier *c = classifiers[i];

		for (size_t j = 0; j < t->count && c != own; j++) {
			const struct flow *f = &t->flows[j];

			if (!play_offers(c, f))
				continue;
			play_start(&playing, c, f, NULL);
			for (size_t k = 0; k < f->count; k++)
				play_segment(&playing, &f->segments[k], f->truncated);
			if (playing.mine && !allowed(t, c->name)) {
				fprintf(stderr, "%s claims flow %zu, which is none of its own\n", c->name, j + 1);
				bad = 1;
			}
		}
	}
	return bad;
}

/* The file's lines without comments and empty lines; NULL when there is no file. */
static char *read_expected(const char *path)
{
	FILE *in = fopen(path, "r");
	char *line = NULL, *text = NULL;
	size_t room = 0, len = 0;
	ssize_t n;

	if (!in)
		return NULL;
	text = calloc(1, 1);
	while (text && (n = getline(&line, &room, in)) > 0) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		text = realloc(text, len + (size_t)n + 1);
		if (!text)
			abort();
		memcpy(text + len, line, (size_t)n + 1);
		len += (size_t)n;
	}
	free(line);
	fclose(in);
	return text;
}

static char *expected_path(const char *case_path)
{
	size_t n = strlen(case_path);
	char *path = malloc(n + 16);

	if (!path || n < 4)
		abort();
	snprintf(path, n + 16, "%.*s.expected", (int)(n - 4), case_path);
	return path;
}

static int compare(const char *what, const char *want, const char *got)
{
	if (strcmp(want, got) == 0)
		return 0;
	fprintf(stderr, "%s:\n--- expected\n%s--- heard\n%s", what, want, got);
	return 1;
}

/* What is forgotten is told again: nothing else changes. */
static int check_forgetful(const struct classifier *c, const struct transcript *t)
{
	struct lines once = { 0 }, again = { 0 };
	int bad;

	run_again(c, t, false, &once);
	run_again(c, t, true, &again);
	bad = compare("with what was told forgotten before each message", once.text ? once.text : "", again.text ? again.text : "");
	free(once.text);
	free(again.text);
	return bad;
}

static int check(const char *name, const char *path)
{
	const struct classifier *c = find_classifier(name);
	struct transcript t = transcript_read(path);
	struct lines said = { 0 }, recut = { 0 };
	char *file = expected_path(path), *want = read_expected(file);
	bool clean = run(c, &t, &said);
	int bad = 0;

	if (!want || !want[0]) {
		fprintf(stderr, "%s is missing or says nothing\n", file);
		bad = 1;
	} else {
		bad |= compare("the transcript", want, said.text ? said.text : "");
	}
	if (clean) {
		run_recut(c, &t, &recut);
		bad |= compare("cut to single bytes", said.text ? said.text : "", recut.text ? recut.text : "");
	}
	if (c->forget)
		bad |= check_forgetful(c, &t);
	bad |= offer_to_others(c, &t);
	printf("%zu changed conversations tried\n", run_mutated(c, &t));
	free(said.text);
	free(recut.text);
	free(want);
	free(file);
	transcript_free(&t);
	return bad;
}

static int show(const char *name, const char *path)
{
	struct transcript t = transcript_read(path);
	struct lines said = { 0 };

	run(find_classifier(name), &t, &said);
	fputs(said.text ? said.text : "", stdout);
	free(said.text);
	transcript_free(&t);
	return 0;
}

/* True when one of the expected answers in the classifier's folder says that it took a conversation. */
static bool has_case(const char *folder, const char *name)
{
	char pattern[4096];
	glob_t found;
	bool good = false;

	snprintf(pattern, sizeof pattern, "%s/%s/*.txt", folder, name);
	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc && !good; i++) {
		char *path = expected_path(found.gl_pathv[i]), *want = read_expected(path);

		good = want && strstr(want, " MINE ") != NULL;
		free(want);
		free(path);
	}
	globfree(&found);
	return good;
}

/* True when forgetting makes it tell more in one of the cases in the classifier's folder. */
static bool tells_again(const char *folder, const struct classifier *c)
{
	char pattern[4096];
	glob_t found;
	bool more = false;

	snprintf(pattern, sizeof pattern, "%s/%s/*.txt", folder, c->name);
	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc && !more; i++) {
		struct transcript t = transcript_read(found.gl_pathv[i]);

		more = run_again(c, &t, true, NULL) > run_again(c, &t, false, NULL);
		transcript_free(&t);
	}
	globfree(&found);
	return more;
}

static int coverage(const char *folder)
{
	size_t count = 0;
	int bad = 0;

	for (size_t i = 0; classifiers[i]; i++, count++) {
		if (!has_case(folder, classifiers[i]->name)) {
			fprintf(stderr, "%s/%s holds no case that is its own\n", folder, classifiers[i]->name);
			bad = 1;
		}
		if (classifiers[i]->forget && !tells_again(folder, classifiers[i])) {
			fprintf(stderr, "%s/%s holds no case in which it tells again what it forgot\n", folder, classifiers[i]->name);
			bad = 1;
		}
	}
	printf("%zu classifiers\n", count);
	return bad || count == 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--check") == 0)
		return check(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "--coverage") == 0)
		return coverage(argv[2]);
	if (argc == 3 && argv[1][0] != '-')
		return show(argv[1], argv[2]);
	fputs("usage: replay NAME CASE.txt | --check NAME CASE.txt | --coverage FOLDER\n", stderr);
	return 2;
}
