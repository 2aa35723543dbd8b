/* Loads a picture. What a file is, its first byte tells: documents begin with a brace, no capture does. */
#include "sensor/ctl/picture_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COPY_BYTES = 65536 };

static void add_line(char *line, size_t len, void *context)
{
	asset_list_add(context, line, len);
}

/* False after a message. */
static bool take_document(struct asset_list *a, const char *line, size_t len, const char *name, unsigned number, const char *verb)
{
	json_error_t error;
	json_t *document = json_loadb(line, len, 0, &error);
	const json_t *ot = json_object_get(document, "ot");
	bool good = document && json_is_object(json_object_get(ot, "asset")) && json_is_array(json_object_get(ot, "services"));

	if (!document)
		fprintf(stderr, "askance %s: %s:%u: is no JSON: %s\n", verb, name, number, error.text);
	else if (!good)
		fprintf(stderr, "askance %s: %s:%u: is no asset's document as `askance read --json` prints them\n", verb, name, number);
	else
		asset_list_add(a, line, len);
	json_decref(document);
	return good;
}

static int load_documents(struct asset_list *a, FILE *in, const char *name, const char *verb)
{
	unsigned number = 0, wrong = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, in)) > 0) {
		while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			n--;
		number++;
		wrong += n && !take_document(a, line, (size_t)n, name, number, verb);
	}
	if (ferror(in))
		fprintf(stderr, "askance %s: %s: %s\n", verb, name, strerror(errno));
	free(line);
	return ferror(in) || wrong ? (a->count ? EXIT_PARTLY : EXIT_NOTHING) : EXIT_WELL;
}

/* stdin may be a pipe, of which the first byte can't be read twice: a file without a name takes its place. */
static FILE *copy_stdin(void)
{
	char buffer[COPY_BYTES];
	FILE *copy = tmpfile();
	size_t n;

	while (copy && (n = fread(buffer, 1, sizeof buffer, stdin)) > 0)
		if (fwrite(buffer, 1, n, copy) != n)
			break;
	if (copy && (ferror(stdin) || fflush(copy) != 0 || dup2(fileno(copy), STDIN_FILENO) < 0)) {
		fclose(copy);
		return NULL;
	}
	if (copy)
		rewind(copy);
	return copy;
}

static FILE *open_file(const char *name, const char *verb)
{
	FILE *in = strcmp(name, "-") == 0 ? copy_stdin() : fopen(name, "re");

	if (!in)
		fprintf(stderr, "askance %s: %s: %s\n", verb, name, strerror(errno));
	return in;
}

static int load_file(struct asset_list *a, const char *name, const struct capture_options *o, const char *verb)
{
	FILE *in = open_file(name, verb);
	int first, code;

	if (!in)
		return EXIT_NOTHING;
	first = getc(in);
	rewind(in);
	if (first == '{') {
		code = load_documents(a, in, name, verb);
	} else {
		/* stdio may have read ahead, and with stdin the reader of captures shares our place in the file. */
		lseek(fileno(in), 0, SEEK_SET);
		code = capture_read(o, verb, &(struct option_words){ (char **)&name, 1 }, add_line, a);
	}
	fclose(in);
	asset_list_sort(a);
	return code;
}

int picture_load(struct asset_list *a, const char *name, const struct capture_options *o, struct sensor_link *l)
{
	int result;

	memset(a, 0, sizeof *a);
	if (name)
		return load_file(a, name, o, l->verb);
	if (sensor_link_open(l) < 0)
		return EXIT_NOTHING;
	result = asset_list_fetch(a, l);
	sensor_link_close(l);
	return result < 0 ? EXIT_NOTHING : EXIT_WELL;
}
