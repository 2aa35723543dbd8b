/* Looks up the maker of a MAC address in the IEEE's registries (CSV files of Debian's ieee-data). */
#include "classifiers/host/maker.h"

#include "classifiers/finding/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_BYTES = 128,
	FILE_BYTES_MAX = 64 * 1024 * 1024,
	PART_BYTES = 128 * 1024, /* read at a time */
	LENGTHS = 3,
	FIRST_ROWS = 1024, FIRST_NAMES = 16 * 1024, /* each grows to double */
};

static const uint8_t length_bits[LENGTHS] = { 24, 28, 36 };

/* A registered prefix in one number, so that sorting is of numbers alone: its length, its bits, and whose it is. */
enum { NAME_BITS = 24, PREFIX_BITS = 36, LENGTH_SHIFT = PREFIX_BITS + NAME_BITS };

/* While loading: all prefixes, and the name of each. A pool that holds a name once would take longer than it saves. */
struct rows {
	const struct makers_wanted *wanted; /* NULL: all */
	size_t met; /* assignments, wanted or not */
	uint64_t *row;
	size_t count;
	size_t room;
	char *names;
	size_t names_len;
	size_t names_room;
	char *text; /* the part of a file at work on */
	size_t text_room;
};

struct makers {
	uint64_t *row; /* sorted */
	size_t count;
	char *names;
};

static uint64_t pack_row(unsigned length, uint64_t prefix, uint32_t name)
{
	return (uint64_t)length << LENGTH_SHIFT | prefix << NAME_BITS | name;
}

/* Its word and bit, by the 24 bits that all prefixes of an address begin with. */
static uint64_t wanted_place(uint64_t first_24_bits)
{
	return first_24_bits * UINT64_C(0x9e3779b97f4a7c15) >> 48;
}

void makers_want(struct makers_wanted *w, const uint8_t mac[6])
{
	uint64_t place = wanted_place((uint64_t)mac[0] << 16 | (uint64_t)mac[1] << 8 | mac[2]);

	w->bits[place / 64] |= UINT64_C(1) << place % 64;
}

static bool is_wanted(const struct makers_wanted *w, unsigned length, uint64_t prefix)
{
	uint64_t place = wanted_place(prefix >> (length_bits[length] - 24));

	return w == NULL || (w->bits[place / 64] >> place % 64 & 1) != 0;
}

static void add_note(char *note, size_t room, const char *path, const char *what)
{
	size_t used = strlen(note);

	if (used + 1 < room)
		snprintf(note + used, room - used, "%s%s: %s", used > 0 ? "; " : "", path, what);
}

/* A file, of which a part stands in the text of `rows` with a NUL behind it. */
struct registry {
	FILE *file;
	struct rows *rows;
	size_t len, total;
	bool ended;
	const char *why; /* NULL when all is well */
};

/* Reads on, behind what is left from *at on, which moves to the beginning. False when there is no more, or with `why`. */
static bool read_on(struct registry *r, const char **at)
{
	struct rows *rows = r->rows;
	size_t left = *at != NULL ? r->len - (size_t)(*at - rows->text) : 0, n;

	if (left > 0)
		memmove(rows->text, *at, left);
	if (rows->text_room - left <= PART_BYTES / 2) {
		char *more = realloc(rows->text, rows->text_room + PART_BYTES + 1);

		if (more == NULL) {
			r->why = "no memory";
			return false;
		}
		rows->text = more;
		rows->text_room += PART_BYTES;
	}
	n = fread(rows->text + left, 1, rows->text_room - left, r->file);
	r->len = left + n;
	r->total += n;
	r->ended = feof(r->file) != 0;
	rows->text[r->len] = 0;
	*at = rows->text;
	if (ferror(r->file) || r->total > FILE_BYTES_MAX)
		r->why = ferror(r->file) ? "can't be read" : "too large";
	return r->why == NULL;
}

/* A field's text: where it stands in the file, or its copy without the quotes. */
struct field {
	const char *text;
	size_t len;
	char copy[NAME_BYTES];
};

/* What stands in a field that has quotes within it, cut when there is no room for it; gives where the field ends. */
static const char *unquote(const char *s, struct field *f)
{
	bool quoted = true;

	f->len = 0;
	for (s++; *s != 0; s++) {
		if (quoted && s[0] == '"' && s[1] == '"')
			s++;
		else if (quoted && s[0] == '"') {
			quoted = false;
			continue;
		} else if (!quoted && (*s == ',' || *s == '\n'))
			break;
		if (f->len < sizeof(f->copy))
			f->copy[f->len++] = *s;
	}
	f->text = f->copy;
	return s;
}

/* The CSV field at *at; true when a further field of the same row follows. */
static bool next_field(const char **at, struct field *f)
{
	const char *s = *at, *end = s;

	if (*s == '"')
		end = strchr(s + 1, '"');
	else /* fields are short: a search that prepares itself first takes longer */
		while (*end != ',' && *end != '\n' && *end != 0)
			end++;
	if (*s != '"') {
		f->text = s;
		f->len = (size_t)(end - s);
	} else if (end != NULL && (end[1] == ',' || end[1] == '\n')) {
		f->text = s + 1;
		f->len = (size_t)(end - f->text);
		end++;
	} else {
		end = unquote(s, f);
	}
	*at = *end != 0 ? end + 1 : end;
	return *end == ',';
}

/* Behind the end of the row; what stands until there is of no interest. */
static const char *skip_row(const char *at)
{
	for (;;) {
		const char *end = strchrnul(at, '\n'), *quoted = memchr(at, '"', (size_t)(end - at));

		if (quoted == NULL)
			return *end == 0 ? end : end + 1;
		at = strchr(quoted + 1, '"');
		if (at == NULL)
			return "";
		at++;
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The registered prefix in hex; false when it is none of the lengths that exist. */
static bool read_assignment(const struct field *hex, unsigned *length, uint64_t *prefix)
{
	if (hex->len * 4 > PREFIX_BITS)
		return false;
	*prefix = 0;
	for (size_t i = 0; i < hex->len; i++) {
		int digit = hex_digit(hex->text[i]);

		if (digit < 0)
			return false;
		*prefix = *prefix << 4 | (uint64_t)digit;
	}
	for (*length = 0; *length < LENGTHS; ++*length)
		if (hex->len * 4 == length_bits[*length])
			return true;
	return false;
}

/* The registries' own words for "somebody else has parts of this" and "doesn't want to be named". */
static bool names_nobody(const char *name)
{
	return strcmp(name, "Private") == 0 || strcmp(name, "IEEE Registration Authority") == 0;
}

/* Room for one more of each. */
static bool grow(struct rows *rows)
{
	if (rows->count == rows->room) {
		size_t room = rows->room > 0 ? rows->room * 2 : FIRST_ROWS;
		uint64_t *more = realloc(rows->row, room * sizeof(*more));

		if (more == NULL)
			return false;
		rows->row = more;
		rows->room = room;
	}
	if (rows->names_len + NAME_BYTES > rows->names_room) {
		size_t room = rows->names_room > 0 ? rows->names_room * 2 : FIRST_NAMES;
		char *more = realloc(rows->names, room);

		if (more == NULL)
			return false;
		rows->names = more;
		rows->names_room = room;
		if (rows->names_len == 0)
			rows->names[rows->names_len++] = 0; /* offset 0 is the empty name */
	}
	return rows->names_len < 1u << NAME_BITS;
}

/* A row without a name is passed over. */
static bool add_row(struct rows *rows, unsigned length, uint64_t prefix, const struct field *name)
{
	uint32_t offset = 0;
	size_t len;

	if (!grow(rows))
		return false;
	len = text_clean(rows->names + rows->names_len, NAME_BYTES, name->text, name->len);
	if (len == 0)
		return true;
	if (!names_nobody(rows->names + rows->names_len)) {
		offset = (uint32_t)rows->names_len;
		rows->names_len += len + 1;
	}
	rows->row[rows->count++] = pack_row(length, prefix, offset);
	return true;
}

struct row {
	unsigned length;
	uint64_t prefix;
	struct field name; /* not read of what is not wanted */
	bool assigned, wanted;
};

/* The row at `at`: behind it, where the text ends when the row may be cut there. */
static const char *read_row(const char *at, const struct makers_wanted *wanted, struct row *row)
{
	struct field registry, assignment;

	row->name.len = 0;
	if (!next_field(&at, &registry) || !next_field(&at, &assignment)) {
		row->assigned = row->wanted = false;
		return at;
	}
	row->assigned = read_assignment(&assignment, &row->length, &row->prefix);
	row->wanted = row->assigned && is_wanted(wanted, row->length, row->prefix);
	return !row->wanted || next_field(&at, &row->name) ? skip_row(at) : at;
}

static void read_rows(struct registry *r)
{
	const char *at = NULL;

	if (!read_on(r, &at))
		return;
	while (*at != 0) {
		struct row row;
		const char *next = read_row(at, r->rows->wanted, &row);

		if (*next == 0 && !r->ended) {
			if (!read_on(r, &at))
				return;
			continue;
		}
		r->rows->met += row.assigned;
		if (row.wanted && !add_row(r->rows, row.length, row.prefix, &row.name)) {
			r->why = "no memory";
			return;
		}
		at = next;
	}
}

/* All rows of a file, or none with a note. */
static void read_registry(struct rows *rows, const char *path, char *note, size_t room)
{
	struct registry r = { .file = fopen(path, "re"), .rows = rows };
	size_t before = rows->count, met = rows->met;

	if (r.file == NULL) {
		add_note(note, room, path, strerror(errno));
		return;
	}
	read_rows(&r);
	fclose(r.file);
	if (r.why != NULL)
		rows->count = before;
	if (r.why != NULL || rows->met == met)
		add_note(note, room, path, r.why != NULL ? r.why : "holds no assignment");
}

/* By length and prefix, DIGIT_BITS of them at a time from the lowest on; what is equal stays as it was read. */
static bool sort_rows(struct rows *rows)
{
	enum { DIGIT_BITS = 10, DIGITS = 1 << DIGIT_BITS };
	uint64_t *from = rows->row, *to = malloc(rows->count * sizeof(*to)), *was;

	if (to == NULL)
		return false;
	for (unsigned shift = NAME_BITS; shift < 64; shift += DIGIT_BITS) {
		size_t start[DIGITS + 1] = { 0 };

		for (size_t i = 0; i < rows->count; i++)
			start[(from[i] >> shift & (DIGITS - 1)) + 1]++;
		for (size_t d = 0; d < DIGITS; d++)
			start[d + 1] += start[d];
		for (size_t i = 0; i < rows->count; i++)
			to[start[from[i] >> shift & (DIGITS - 1)]++] = from[i];
		was = from;
		from = to;
		to = was;
	}
	rows->row = from;
	free(to);
	return true;
}

/* Takes the rows and the pool of names over. */
static struct makers *build_makers(struct rows *rows)
{
	struct makers *m = calloc(1, sizeof(*m));

	if (m == NULL || !sort_rows(rows)) {
		free(m);
		return NULL;
	}
	*m = (struct makers){ rows->row, rows->count, rows->names };
	rows->row = NULL;
	rows->names = NULL;
	return m;
}

static void read_registries(struct rows *rows, const char *oui_file, char *note, size_t room)
{
	static const char *const beside[] = { "mam.csv", "oui36.csv", "iab.csv" };
	const char *slash = strrchr(oui_file, '/');
	int folder = slash != NULL ? (int)(slash - oui_file) + 1 : 0;
	char path[4096];

	read_registry(rows, oui_file, note, room);
	/* Without the first file the rest would name only the few who share a block. */
	for (size_t i = 0; rows->met > 0 && i < sizeof(beside) / sizeof(beside[0]); i++) {
		snprintf(path, sizeof(path), "%.*s%s", folder, oui_file, beside[i]);
		read_registry(rows, path, note, room);
	}
}

struct makers *makers_load_wanted(const char *oui_file, const struct makers_wanted *w, char *note, size_t room)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	struct makers *m = NULL;

	if (room > 0)
		note[0] = 0;
	if (rows != NULL) {
		rows->wanted = w;
		read_registries(rows, oui_file, note, room);
	}
	if (rows != NULL && rows->count > 0)
		m = build_makers(rows);
	if (m == NULL && (rows == NULL || rows->count > 0))
		add_note(note, room, oui_file, "no memory");
	if (rows != NULL) {
		free(rows->row);
		free(rows->names);
		free(rows->text);
	}
	free(rows);
	return m;
}

struct makers *makers_load(const char *oui_file, char *note, size_t room)
{
	return makers_load_wanted(oui_file, NULL, note, room);
}

void makers_free(struct makers *m)
{
	if (m == NULL)
		return;
	free(m->row);
	free(m->names);
	free(m);
}

size_t makers_count(const struct makers *m)
{
	return m != NULL ? m->count : 0;
}

static int compare_prefix(const void *key, const void *element)
{
	uint64_t want = *(const uint64_t *)key, have = *(const uint64_t *)element >> NAME_BITS;

	return (want > have) - (want < have);
}

const char *maker_of(const struct makers *m, const uint8_t mac[6])
{
	uint64_t address = 0;

	/* Bit 0 of the first byte: multicast; bit 1: assigned by whoever runs the network. */
	if (m == NULL || (mac[0] & 0x03) != 0)
		return NULL;
	for (int i = 0; i < 6; i++)
		address = address << 8 | mac[i];
	if (address == 0)
		return NULL;
	for (unsigned l = LENGTHS; l-- > 0;) {
		uint64_t key = pack_row(l, address >> (48 - length_bits[l]), 0) >> NAME_BITS;
		const uint64_t *row = bsearch(&key, m->row, m->count, sizeof(*row), compare_prefix);

		if (row != NULL) {
			uint32_t name = *row & ((1u << NAME_BITS) - 1);

			return name != 0 ? m->names + name : NULL;
		}
	}
	return NULL;
}
