/* libyaml tells where each value stands; only those bytes are exchanged. */
#include "sensor/ctl/setup_file.h"

#include "sensor/supervisor/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

enum { EDITS_MOST = 4, EDIT_BYTES = 256, LISTED_MOST = 1 };

static const char new_file[] = "# askance.yaml: made by `askance setup`. It listens and never asks.\n\nprobing:\n  mode: off\n";

struct edit {
	size_t at, length; /* bytes that go */
	char text[EDIT_BYTES];
};

struct file_text {
	const char *path;
	char *text; /* ended by a zero */
	size_t length;
	bool there;
	struct stat was;
	yaml_document_t document;
	bool parsed;
	struct edit edit[EDITS_MOST];
	size_t edits;
};

static bool complain(const struct file_text *f, const yaml_node_t *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* False, for a caller to hand on. */
static bool complain(const struct file_text *f, const yaml_node_t *at, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "askance setup: %s", f->path);
	if (at)
		fprintf(stderr, ":%zu", at->start_mark.line + 1);
	fputs(": ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

static bool read_text(struct file_text *f, FILE *file)
{
	f->text = calloc(1, SETUP_FILE_MOST + 1);
	if (!f->text)
		return complain(f, NULL, "no memory");
	f->length = fread(f->text, 1, SETUP_FILE_MOST + 1, file);
	if (ferror(file) || fstat(fileno(file), &f->was) < 0)
		return complain(f, NULL, "can't be read: %s", strerror(errno));
	if (f->length > SETUP_FILE_MOST || memchr(f->text, 0, f->length))
		return complain(f, NULL, "is no configuration file");
	f->there = true;
	return true;
}

static bool parse_text(struct file_text *f)
{
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return complain(f, NULL, "no memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)f->text, f->length);
	f->parsed = yaml_parser_load(&parser, &f->document);
	if (!f->parsed)
		fprintf(stderr, "askance setup: %s:%zu: is no YAML: %s\n", f->path, parser.problem_mark.line + 1,
			parser.problem ? parser.problem : "unreadable");
	yaml_parser_delete(&parser);
	return f->parsed;
}

static bool open_text(struct file_text *f, const char *path)
{
	FILE *file = fopen(path, "re");
	bool good;

	*f = (struct file_text){ .path = path };
	if (!file && errno != ENOENT)
		return complain(f, NULL, "can't be read: %s", strerror(errno));
	if (file) {
		good = read_text(f, file);
		fclose(file);
	} else {
		f->text = strdup(new_file);
		f->length = strlen(new_file);
		good = f->text != NULL;
	}
	return good && parse_text(f);
}

static void close_text(struct file_text *f)
{
	if (f->parsed)
		yaml_document_delete(&f->document);
	free(f->text);
}

static yaml_node_t *find_value(struct file_text *f, yaml_node_t *mapping, const char *key)
{
	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(&f->document, p->key);

		if (k->type == YAML_SCALAR_NODE && strcmp((const char *)k->data.scalar.value, key) == 0)
			return yaml_document_get_node(&f->document, p->value);
	}
	return NULL;
}

static bool is_empty(const yaml_node_t *node)
{
	return (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0) ||
	       (node->type == YAML_SEQUENCE_NODE && node->data.sequence.items.start == node->data.sequence.items.top);
}

/* The interface that `capture:` names: *node is NULL when it names nothing yet. */
static bool find_interface(struct file_text *f, yaml_node_t *root, yaml_node_t **node)
{
	yaml_node_t *list = find_value(f, root, "capture"), *item;

	*node = NULL;
	if (!list || is_empty(list))
		return true;
	if (list->type != YAML_SEQUENCE_NODE)
		return complain(f, list, "capture: is no list");
	if (list->data.sequence.items.top - list->data.sequence.items.start > LISTED_MOST)
		return complain(f, list, "capture: names several sources; setup knows one, so edit this list by hand");
	item = yaml_document_get_node(&f->document, list->data.sequence.items.start[0]);
	*node = find_value(f, item, "interface");
	if (*node && (*node)->type == YAML_SCALAR_NODE)
		return true;
	return complain(f, item, "capture: reads no interface; edit it by hand");
}

static void copy_word(char word[SETUP_WORD_BYTES], const yaml_node_t *node)
{
	word[0] = 0;
	if (node && node->type == YAML_SCALAR_NODE)
		snprintf(word, SETUP_WORD_BYTES, "%s", (const char *)node->data.scalar.value);
}

static bool read_words(struct file_text *f, struct setup_words *words)
{
	yaml_node_t *root = yaml_document_get_root_node(&f->document), *interface, *sensor = find_value(f, root, "sensor");

	if (!find_interface(f, root, &interface))
		return false;
	copy_word(words->interface, interface);
	copy_word(words->name, find_value(f, sensor, "name"));
	copy_word(words->zone, find_value(f, sensor, "zone"));
	copy_word(words->probing, find_value(f, find_value(f, root, "probing"), "interface"));
	return true;
}

bool setup_file_read(const char *path, struct setup_words *words)
{
	struct file_text f;
	bool good = open_text(&f, path) && read_words(&f, words);

	close_text(&f);
	return good;
}

/* Byte of a mark; libyaml counts characters. */
static size_t offset_of(const struct file_text *f, const yaml_mark_t *mark)
{
	size_t at = strncmp(f->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, left = mark->index;

	while (at < f->length && left) {
		at++;
		while (at < f->length && ((unsigned char)f->text[at] & 0xc0) == 0x80)
			at++;
		left--;
	}
	return at;
}

static void add_edit(struct file_text *f, size_t at, size_t length, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add_edit(struct file_text *f, size_t at, size_t length, const char *format, ...)
{
	struct edit *e = &f->edit[f->edits++];
	va_list args;

	e->at = at;
	e->length = length;
	va_start(args, format);
	vsnprintf(e->text, sizeof e->text, format, args);
	va_end(args);
}

static void replace_node(struct file_text *f, const yaml_node_t *node, const char *word)
{
	size_t at = offset_of(f, &node->start_mark);

	if (strcmp((const char *)node->data.scalar.value, word) != 0)
		add_edit(f, at, offset_of(f, &node->end_mark) - at, "%s", word);
}

/* A key of `sensor:`, replaced or put before its first one. */
static bool edit_sensor(struct file_text *f, yaml_node_t *sensor, const char *key, const char *word)
{
	yaml_node_t *old = find_value(f, sensor, key);
	const yaml_node_t *first;

	if (!word[0])
		return true;
	if (sensor->type != YAML_MAPPING_NODE || sensor->data.mapping.pairs.start == sensor->data.mapping.pairs.top)
		return complain(f, sensor, "sensor: holds no keys; write `sensor: {name: ...}`");
	if (old && old->type != YAML_SCALAR_NODE)
		return complain(f, old, "%s: is no word", key);
	if (old) {
		replace_node(f, old, word);
		return true;
	}
	first = yaml_document_get_node(&f->document, sensor->data.mapping.pairs.start->key);
	if (sensor->data.mapping.style == YAML_FLOW_MAPPING_STYLE)
		add_edit(f, offset_of(f, &first->start_mark), 0, "%s: %s, ", key, word);
	else
		add_edit(f, offset_of(f, &first->start_mark), 0, "%s: %s\n%*s", key, word, (int)first->start_mark.column, "");
	return true;
}

/* `capture:` with nothing after it, "[]", or none at all. */
static void edit_empty_capture(struct file_text *f, const yaml_node_t *list, const char *word)
{
	size_t at = f->length, end;

	if (!list) {
		add_edit(f, at, 0, "%scapture:\n  - interface: %s\n", at && f->text[at - 1] != '\n' ? "\n" : "", word);
		return;
	}
	at = offset_of(f, &list->start_mark);
	end = offset_of(f, &list->end_mark);
	while (at && f->text[at - 1] == ' ')
		at--;
	add_edit(f, at, end - at, "\n  - interface: %s", word);
}

static bool plan_edits(struct file_text *f, const struct setup_words *w)
{
	yaml_node_t *root = yaml_document_get_root_node(&f->document), *interface, *sensor = find_value(f, root, "sensor");
	size_t begin = root ? offset_of(f, &root->start_mark) : f->length;

	if (root && (root->type != YAML_MAPPING_NODE || root->data.mapping.style == YAML_FLOW_MAPPING_STYLE))
		return complain(f, root, "is not written as lines of `key: value`; edit it by hand");
	if (!find_interface(f, root, &interface))
		return false;
	if (interface)
		replace_node(f, interface, w->interface);
	else
		edit_empty_capture(f, find_value(f, root, "capture"), w->interface);
	if (sensor)
		return edit_sensor(f, sensor, "name", w->name) && edit_sensor(f, sensor, "zone", w->zone);
	add_edit(f, begin, 0, "sensor:\n  name: %s\n%s%s%s\n", w->name, w->zone[0] ? "  zone: " : "", w->zone, w->zone[0] ? "\n" : "");
	return true;
}

static int by_place(const void *a, const void *b)
{
	size_t x = ((const struct edit *)a)->at, y = ((const struct edit *)b)->at;

	return (x > y) - (x < y);
}

static void print_text(struct file_text *f, FILE *to)
{
	size_t at = 0;

	qsort(f->edit, f->edits, sizeof f->edit[0], by_place);
	for (size_t i = 0; i < f->edits; i++) {
		fwrite(f->text + at, 1, f->edit[i].at - at, to);
		fputs(f->edit[i].text, to);
		at = f->edit[i].at + f->edit[i].length;
	}
	fwrite(f->text + at, 1, f->length - at, to);
}

/* Beside the file, so that it can take its place; with its owner and mode, so that whoever read it still can. */
static bool write_draft(struct file_text *f, char draft[PATH_MAX])
{
	int fd = mkostemp(draft, O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = file != NULL;

	if (good) {
		print_text(f, file);
		good = fchmod(fd, f->there ? f->was.st_mode & 07777 : 0644) == 0 &&
		       (!f->there || fchown(fd, f->was.st_uid, f->was.st_gid) == 0) && fflush(file) == 0 && fsync(fd) == 0;
	}
	if (!good)
		complain(f, NULL, "can't be written: %s", strerror(errno));
	if (file)
		fclose(file);
	return good;
}

static void tell_mistake(void *context, const char *path, unsigned line, const char *sentence)
{
	const struct file_text *f = context;

	(void)path;
	if (line)
		fprintf(stderr, "askance setup: %s:%u: %s\n", f->path, line, sentence);
	else
		fprintf(stderr, "askance setup: %s: %s\n", f->path, sentence);
}

static bool check_draft(struct file_text *f, const char *draft)
{
	static struct configuration c;

	if (configuration_read(draft, &c, tell_mistake, f) == 0)
		return true;
	return complain(f, NULL, "would not be what the sensor takes (lines as they would be); it stays as it was");
}

static bool sync_folder(const char *path)
{
	char room[PATH_MAX];
	int fd, result;

	snprintf(room, sizeof room, "%s", path);
	fd = open(dirname(room), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return result == 0;
}

/* The old file is kept under a second name first: at no moment is there none. */
static bool take_place(struct file_text *f, const char *draft)
{
	char kept[PATH_MAX];

	snprintf(kept, sizeof kept, "%s.bak", f->path);
	if (f->there && ((unlink(kept) < 0 && errno != ENOENT) || link(f->path, kept) < 0))
		return complain(f, NULL, "can't be kept as %s: %s", kept, strerror(errno));
	if (rename(draft, f->path) < 0 || !sync_folder(f->path))
		return complain(f, NULL, "can't be written: %s", strerror(errno));
	return true;
}

static enum setup_written write_file(struct file_text *f)
{
	char draft[PATH_MAX];
	bool good;

	if (f->there && f->edits == 0)
		return SETUP_UNCHANGED;
	if ((size_t)snprintf(draft, sizeof draft, "%s.XXXXXX", f->path) >= sizeof draft) {
		complain(f, NULL, "is too long a path");
		return SETUP_REFUSED;
	}
	good = write_draft(f, draft) && check_draft(f, draft) && take_place(f, draft);
	if (!good)
		unlink(draft);
	return good ? SETUP_WRITTEN : SETUP_REFUSED;
}

enum setup_written setup_file_write(const char *path, const struct setup_words *words)
{
	struct file_text f;
	enum setup_written done = SETUP_REFUSED;

	if (open_text(&f, path) && plan_edits(&f, words))
		done = write_file(&f);
	close_text(&f);
	return done;
}
