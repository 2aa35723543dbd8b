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
	LENGTHS = 3,
	SLOTS = 1 << 17, /* of the table that finds a name again; the registries name about 35 000 organisations */
};

static const uint8_t length_bits[LENGTHS] = { 24, 28, 36 };

/* A registered prefix in one number, so that sorting is of numbers alone: its length, its bits, and whose it is. */
enum { NAME_BITS = 24, PREFIX_BITS = 36, LENGTH_SHIFT = PREFIX_BITS + NAME_BITS };

/* While loading: all prefixes, and every name once. */
struct rows {
	uint64_t *row;
	size_t count;
	size_t room;
	char *names;
	size_t names_len;
	size_t names_room;
	uint32_t slot[SLOTS]; /* offsets of names by their hash, 0 for an empty slot */
	size_t slots_used;
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

static void add_note(char *note, size_t room, const char *path, const char *what)
{
	size_t used = strlen(note);

	if (used + 1 < room)
		snprintf(note + used, room - used, "%s%s: %s", used > 0 ? "; " : "", path, what);
}

/* The whole file with a NUL behind it, or NULL with *why. */
static char *read_whole(const char *path, const char **why)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len = 0, room = 0;

	*why = "";
	if (f == NULL) {
		*why = strerror(errno);
		return NULL;
	}
	while (!feof(f) && !ferror(f) && len < FILE_BYTES_MAX) {
		if (room - len < 65536) {
			char *more = realloc(text, room + 262144 + 1);

			if (more == NULL)
				break;
			text = more;
			room += 262144;
		}
		len += fread(text + len, 1, room - len, f);
	}
	if (ferror(f) || !feof(f)) {
		*why = ferror(f) ? "can't be read" : "too large";
		free(text);
		text = NULL;
	}
	fclose(f);
	if (text != NULL)
		text[len] = 0;
	return text;
}

/* Unquotes the CSV field at *at into `to` (cut when it doesn't fit); true when a further field of the same row follows. */
static bool next_field(const char **at, char *to, size_t room)
{
	const char *s = *at;
	size_t n = 0;
	bool quoted = *s == '"';

	if (quoted)
		s++;
	for (; *s != 0; s++) {
		if (quoted && s[0] == '"' && s[1] == '"')
			s++;
		else if (quoted && s[0] == '"') {
			quoted = false;
			continue;
		} else if (!quoted && (*s == ',' || *s == '\n'))
			break;
		if (n + 1 < room)
			to[n++] = *s;
	}
	to[n] = 0;
	*at = *s != 0 ? s + 1 : s;
	return *s == ',';
}

/* Behind the end of the row; what stands until there is of no interest. */
static const char *skip_row(const char *at)
{
	for (;;) {
		size_t plain = strcspn(at, "\"\n");

		at += plain;
		if (*at != '"')
			return *at == 0 ? at : at + 1;
		at = strchr(at + 1, '"');
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
static bool read_assignment(const char *hex, unsigned *length, uint64_t *prefix)
{
	size_t digits = 0;

	for (*prefix = 0; hex[digits] != 0; digits++) {
		if (hex_digit(hex[digits]) < 0 || digits * 4 >= PREFIX_BITS)
			return false;
		*prefix = *prefix << 4 | (uint64_t)hex_digit(hex[digits]);
	}
	for (*length = 0; *length < LENGTHS; ++*length)
		if (digits * 4 == length_bits[*length])
			return true;
	return false;
}

/* The registries' own words for "somebody else has parts of this" and "doesn't want to be named". */
static bool names_nobody(const char *name)
{
	return strcmp(name, "Private") == 0 || strcmp(name, "IEEE Registration Authority") == 0;
}

static bool grow_names(struct rows *rows, size_t len)
{
	size_t room = rows->names_room > 0 ? rows->names_room * 2 : 1 << 20;
	char *more;

	if (rows->names_len + len + 1 <= rows->names_room)
		return true;
	more = realloc(rows->names, room);
	if (more == NULL)
		return false;
	rows->names = more;
	rows->names_room = room;
	if (rows->names_len == 0)
		rows->names[rows->names_len++] = 0; /* offset 0 is the empty name */
	return true;
}

/* The offset at which the name stands in the pool, put there if it is new; 0 when there is no room. */
static uint32_t intern_name(struct rows *rows, const char *name)
{
	size_t len = strlen(name);
	uint32_t hash = 2166136261U;
	size_t at;

	if (!grow_names(rows, len))
		return 0;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619U;
	for (at = hash % SLOTS; rows->slot[at] != 0; at = (at + 1) % SLOTS)
		if (strcmp(rows->names + rows->slot[at], name) == 0)
			return rows->slot[at];
	if (rows->slots_used >= SLOTS / 2 || rows->names_len >= 1u << NAME_BITS)
		return 0;
	rows->slots_used++;
	rows->slot[at] = (uint32_t)rows->names_len;
	memcpy(rows->names + rows->names_len, name, len + 1);
	rows->names_len += len + 1;
	return rows->slot[at];
}

static bool add_row(struct rows *rows, unsigned length, uint64_t prefix, const char *name)
{
	uint32_t offset = names_nobody(name) ? 0 : intern_name(rows, name);

	if (rows->count == rows->room) {
		size_t room = rows->room > 0 ? rows->room * 2 : 65536;
		uint64_t *more = realloc(rows->row, room * sizeof(*more));

		if (more == NULL)
			return false;
		rows->row = more;
		rows->room = room;
	}
	if (offset == 0 && !names_nobody(name))
		return false;
	rows->row[rows->count++] = pack_row(length, prefix, offset);
	return true;
}

static void read_registry(struct rows *rows, const char *path, char *note, size_t room)
{
	const char *why;
	char *text = read_whole(path, &why);
	size_t before = rows->count;

	if (text == NULL) {
		add_note(note, room, path, why[0] != 0 ? why : "no memory");
		return;
	}
	for (const char *at = text; *at != 0;) {
		char registry[16], assignment[16] = "", name[NAME_BYTES] = "", clean[NAME_BYTES];
		unsigned length;
		uint64_t prefix;
		bool more = next_field(&at, registry, sizeof(registry)) && next_field(&at, assignment, sizeof(assignment)) &&
			    next_field(&at, name, sizeof(name));

		if (more)
			at = skip_row(at);
		if (read_assignment(assignment, &length, &prefix) && text_clean(clean, sizeof(clean), name, strlen(name)) > 0 &&
		    !add_row(rows, length, prefix, clean)) {
			add_note(note, room, path, "no memory");
			break;
		}
	}
	if (rows->count == before)
		add_note(note, room, path, "holds no assignment");
	free(text);
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
	for (size_t i = 0; rows->count > 0 && i < sizeof(beside) / sizeof(beside[0]); i++) {
		snprintf(path, sizeof(path), "%.*s%s", folder, oui_file, beside[i]);
		read_registry(rows, path, note, room);
	}
}

struct makers *makers_load(const char *oui_file, char *note, size_t room)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	struct makers *m = NULL;

	if (room > 0)
		note[0] = 0;
	if (rows != NULL)
		read_registries(rows, oui_file, note, room);
	if (rows != NULL && rows->count > 0)
		m = build_makers(rows);
	if (m == NULL && (rows == NULL || rows->count > 0))
		add_note(note, room, oui_file, "no memory");
	if (rows != NULL) {
		free(rows->row);
		free(rows->names);
	}
	free(rows);
	return m;
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
