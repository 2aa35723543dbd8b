/* Keeps of each print the few tests that count here, as the texts they are, and compares by nmap's grammar. */
#include "classifiers/stack/os_db.h"

#include "classifiers/files/whole_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 2048, VALUE_BYTES = 64, FAMILIES = 256, FIRST_ROOM = 1024, USUAL_MSS = 1460,
       KIND_NOP = 1, KIND_MSS = 2, KIND_WS = 3, KIND_SOK = 4, KIND_TS = 8 };

/* Offsets of texts; 0 for none. An empty text is a text. */
struct print {
	uint32_t df, tg, quirks, window, options, ecn_window, ecn_options;
	uint16_t family;
};

struct os_db {
	struct print *prints;
	char *text;
	char (*families)[OS_FAMILY_BYTES];
	size_t count, room, used, text_room, family_count;
};

struct parser {
	struct os_db *db;
	const char *path;
	stack_complain *complain;
	void *context;
	uint32_t line;
	struct print now;
	bool open; /* a print has begun */
};

static bool grow(void *list, size_t size, size_t wanted, size_t *room)
{
	void *old, *more;
	size_t next = *room ? *room * 2 : FIRST_ROOM;

	if (wanted <= *room)
		return true;
	while (next < wanted)
		next *= 2;
	memcpy(&old, list, sizeof old);
	more = realloc(old, size * next);
	if (!more)
		return false;
	memcpy(list, &more, sizeof more);
	*room = next;
	return true;
}

static uint32_t keep(struct os_db *db, const char *text, size_t len)
{
	uint32_t at = (uint32_t)db->used;

	if (!grow(&db->text, 1, db->used + len + 1, &db->text_room))
		return 0;
	memcpy(db->text + db->used, text, len);
	db->text[db->used + len] = 0;
	db->used += len + 1;
	return at;
}

/* The value of KEY in "NAME(A=1%B=2)"; kept, 0 when it isn't there. */
static uint32_t keep_value(struct os_db *db, const char *line, const char *key)
{
	const char *at = strchr(line, '(');
	size_t n = strlen(key);

	while (at && *at++) {
		size_t len = strcspn(at, "%)");

		if (strncmp(at, key, n) == 0 && at[n] == '=')
			return keep(db, at + n + 1, len - n - 1);
		at = at[len] == '%' ? at + len : NULL;
	}
	return 0;
}

/* "vendor | family | generation | type": the number of the family. */
static bool read_class(struct parser *p, const char *text)
{
	const char *bar = strchr(text, '|'), *end = bar ? strchr(bar + 1, '|') : NULL;
	char family[OS_FAMILY_BYTES];
	uint16_t known = 0;
	size_t n;

	if (!end)
		return false;
	bar += 1 + strspn(bar + 1, " ");
	while (end > bar && end[-1] == ' ')
		end--;
	n = (size_t)(end - bar);
	if (n == 0 || n >= sizeof family)
		return false;
	memcpy(family, bar, n);
	family[n] = 0;
	while (known < p->db->family_count && strcmp(p->db->families[known], family) != 0)
		known++;
	if (known == FAMILIES)
		return false;
	if (known == p->db->family_count)
		memcpy(p->db->families[p->db->family_count++], family, sizeof family);
	p->now.family = known;
	return true;
}

static void end_print(struct parser *p)
{
	const struct print *n = &p->now;

	/* One that answers nothing of this (R=N) can't be compared. */
	if (p->open && n->df && n->tg && n->window && n->options && n->family != UINT16_MAX &&
	    grow(&p->db->prints, sizeof *n, p->db->count + 1, &p->db->room))
		p->db->prints[p->db->count++] = *n;
	p->open = false;
}

static void read_line(struct parser *p, const char *line)
{
	struct os_db *db = p->db;

	if (strncmp(line, "Fingerprint ", 12) == 0) {
		end_print(p);
		p->now = (struct print){ .family = UINT16_MAX };
		p->open = true;
	} else if (!p->open || strncmp(line, "CPE ", 4) == 0) {
		return; /* MatchPoints: its weights are the same for all prints, and all that is compared must fit */
	} else if (strncmp(line, "Class ", 6) == 0) {
		if (p->now.family == UINT16_MAX && !read_class(p, line + 6))
			p->complain(p->context, p->path, p->line, "a class is vendor | family | generation | type");
	} else if (strncmp(line, "OPS(", 4) == 0) {
		p->now.options = keep_value(db, line, "O1");
	} else if (strncmp(line, "WIN(", 4) == 0) {
		p->now.window = keep_value(db, line, "W1");
	} else if (strncmp(line, "ECN(", 4) == 0) {
		p->now.ecn_window = keep_value(db, line, "W");
		p->now.ecn_options = keep_value(db, line, "O");
	} else if (strncmp(line, "T1(", 3) == 0) {
		p->now.df = keep_value(db, line, "DF");
		p->now.tg = keep_value(db, line, "TG");
		p->now.quirks = keep_value(db, line, "Q");
	} else if (!strchr(line, '(')) {
		p->complain(p->context, p->path, p->line, "is neither a test nor another line of a print");
	}
}

static void read_lines(struct parser *p, const char *text, size_t len)
{
	const char *end = text + len;
	char line[LINE_BYTES];

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((newline ? newline : end) - text);

		p->line++;
		if (n >= sizeof line || memchr(text, 0, n)) {
			p->complain(p->context, p->path, p->line, n >= sizeof line ? "the line is too long" : "a NUL stands in the line");
		} else if (n == 0) {
			end_print(p);
		} else if (text[0] != '#') {
			memcpy(line, text, n);
			line[n] = 0;
			read_line(p, line);
		}
		text = newline ? newline + 1 : end;
	}
	end_print(p);
}

struct os_db *os_db_read(const char *text, size_t len, const char *path, stack_complain *complain, void *context)
{
	struct os_db *db = calloc(1, sizeof *db);
	struct parser p = { .db = db, .path = path, .complain = complain, .context = context };

	if (db && (db->families = calloc(FAMILIES, sizeof *db->families)) != NULL) {
		keep(db, "", 0); /* so that no text stands at 0 */
		read_lines(&p, text, len);
	}
	if (db && db->count)
		return db;
	complain(context, path, 0, "holds no print that can be compared");
	os_db_free(db);
	return NULL;
}

struct os_db *os_db_load_fd(int fd, const char *path, stack_complain *complain, void *context)
{
	struct os_db *db = NULL;
	const char *why;
	size_t len;
	char *text = whole_file(fd, STACK_FILE_BYTES_MAX, &len, &why);

	if (text)
		db = os_db_read(text, len, path, complain, context);
	else
		complain(context, path, 0, why);
	free(text);
	return db;
}

void os_db_free(struct os_db *db)
{
	if (!db)
		return;
	free(db->prints);
	free(db->text);
	free(db->families);
	free(db);
}

size_t os_db_count(const struct os_db *db)
{
	return db->count;
}

/* One alternative of a value: a number or range in hexadecimal, ">x", "<x", or the text itself. */
static bool alternative_fits(const char *at, size_t len, const char *value)
{
	char text[VALUE_BYTES], *dash, *end;
	unsigned long number = strtoul(value, &end, 16);
	bool is_number = *value && !*end;

	if (len >= sizeof text)
		return false;
	memcpy(text, at, len);
	text[len] = 0;
	if (strcmp(text, value) == 0)
		return true;
	if (!is_number || len == 0)
		return false;
	if (text[0] == '>' || text[0] == '<')
		return text[0] == '>' ? number > strtoul(text + 1, NULL, 16) : number < strtoul(text + 1, NULL, 16);
	dash = strchr(text, '-');
	return dash && number >= strtoul(text, NULL, 16) && number <= strtoul(dash + 1, NULL, 16);
}

static bool value_fits(const char *expression, const char *value)
{
	for (;;) {
		size_t len = strcspn(expression, "|");

		if (alternative_fits(expression, len, value))
			return true;
		if (!expression[len])
			return false;
		expression += len + 1;
	}
}

/* Options without what M states: it follows the path's MTU, and the SYN's. */
static void strip_mss(const char *from, size_t len, char to[VALUE_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < VALUE_BYTES; i++) {
		to[n++] = from[i];
		if (from[i] == 'M')
			while (i + 1 < len && (isdigit((unsigned char)from[i + 1]) || (from[i + 1] >= 'A' && from[i + 1] <= 'F')))
				i++;
	}
	to[n] = 0;
}

static bool options_fit(const char *expression, const char *value)
{
	for (;;) {
		size_t len = strcspn(expression, "|");
		char text[VALUE_BYTES];

		strip_mss(expression, len, text);
		if (strcmp(text, value) == 0)
			return true;
		if (!expression[len])
			return false;
		expression += len + 1;
	}
}

static bool offers(const struct stack_signature *s, uint8_t kind)
{
	return memchr(s->layout, kind, s->layout_count) != NULL;
}

/* The options of an answer as nmap writes them, without the MSS itself. False for one it has no letter for. */
static bool write_options(const struct stack_signature *s, char to[VALUE_BYTES])
{
	size_t n = 0;

	for (unsigned i = 0; i < s->layout_count && n + 8 < VALUE_BYTES; i++) {
		switch (s->layout[i]) {
		case 0: to[n++] = 'L'; break;
		case KIND_NOP: to[n++] = 'N'; break;
		case KIND_MSS: to[n++] = 'M'; break;
		case KIND_SOK: to[n++] = 'S'; break;
		case KIND_WS: n += (size_t)snprintf(to + n, VALUE_BYTES - n, "W%X", s->scale); break;
		case KIND_TS: n += (size_t)snprintf(to + n, VALUE_BYTES - n, "T%c1", s->quirks & QUIRK_TS1_MINUS ? '0' : '1'); break;
		default: return false;
		}
	}
	to[n] = 0;
	return true;
}

/* What is looked for in each print. */
struct question {
	char window[8], tg[4], options[VALUE_BYTES];
	const char *df, *quirks;
	bool timed; /* the SYN offered timestamps: OPS and WIN are comparable, else ECN */
};

static bool print_fits(const struct os_db *db, const struct print *n, const struct question *q)
{
	uint32_t window = q->timed ? n->window : n->ecn_window, options = q->timed ? n->options : n->ecn_options;

	return window && options && value_fits(db->text + n->df, q->df) && value_fits(db->text + n->tg, q->tg) &&
	       value_fits(db->text + window, q->window) && options_fit(db->text + options, q->options) &&
	       (!n->quirks || value_fits(db->text + n->quirks, q->quirks));
}

static bool make_question(const struct stack_signature *answer, const struct stack_signature *asked, struct question *q)
{
	/* nmap's own SYN offers all of these, and an MSS of 1460: what others get can only be compared when they do too. */
	if (answer->version != 4 || !answer->accepts || asked->mss != USUAL_MSS || !offers(asked, KIND_WS) || !offers(asked, KIND_SOK))
		return false;
	q->timed = offers(asked, KIND_TS);
	q->df = answer->quirks & QUIRK_DF ? "Y" : "N";
	q->quirks = answer->quirks & QUIRK_UPTR_PLUS ? "U" : "";
	snprintf(q->tg, sizeof q->tg, "%X", answer->initial_ttl == 255 ? 0xff : answer->initial_ttl);
	snprintf(q->window, sizeof q->window, "%X", answer->window);
	return write_options(answer, q->options);
}

bool os_db_guess(const struct os_db *db, const struct stack_signature *answer, const struct stack_signature *asked, struct os_guess *guess)
{
	unsigned fits[FAMILIES] = { 0 }, all = 0, most = 0;
	struct question q;

	if (!make_question(answer, asked, &q))
		return false;
	for (size_t i = 0; i < db->count; i++)
		if (print_fits(db, &db->prints[i], &q)) {
			fits[db->prints[i].family]++;
			all++;
		}
	for (unsigned i = 1; i < db->family_count; i++)
		most = fits[i] > fits[most] ? i : most;
	/* What the file calls embedded is a place for those without a system that has a name. */
	if (!all || fits[most] * 100 < all * OS_DB_AGREEMENT || strcmp(db->families[most], "embedded") == 0)
		return false;
	memcpy(guess->family, db->families[most], sizeof guess->family);
	guess->share = fits[most] * 100 / all;
	return true;
}
