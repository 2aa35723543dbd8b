/* Keeps of each print the few tests that count here, as the texts they are, and compares by nmap's grammar. */
#include "classifiers/stack/os_db.h"

#include "classifiers/files/whole_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 2048, VALUE_BYTES = 64, FAMILIES = 256, FIRST_ROOM = 1024, USUAL_MSS = 1460, POINTS_MOST = 1000,
       KIND_NOP = 1, KIND_MSS = 2, KIND_WS = 3, KIND_SOK = 4, KIND_TS = 8 };

/* What a SYN+ACK can be asked for, by the lines of a print. */
enum test { T1_DF, T1_TG, T1_Q, OPS_O1, WIN_W1, ECN_R, ECN_DF, ECN_TG, ECN_Q, ECN_W, ECN_O, ECN_CC, SEQ_TI, TESTS };

static const struct {
	const char *line, *key;
	bool must; /* a print that doesn't tell it can't be compared */
} tests[TESTS] = {
	[T1_DF] = { "T1(", "DF", true },   [T1_TG] = { "T1(", "TG", true },   [T1_Q] = { "T1(", "Q", false },
	[OPS_O1] = { "OPS(", "O1", true }, [WIN_W1] = { "WIN(", "W1", true }, [ECN_R] = { "ECN(", "R", false },
	[ECN_DF] = { "ECN(", "DF", true }, [ECN_TG] = { "ECN(", "TG", true }, [ECN_Q] = { "ECN(", "Q", false },
	[ECN_W] = { "ECN(", "W", true },   [ECN_O] = { "ECN(", "O", true },   [ECN_CC] = { "ECN(", "CC", false },
	[SEQ_TI] = { "SEQ(", "TI", false },
};

/* Offsets of texts; 0 for none. An empty text is a text. */
struct print {
	uint32_t value[TESTS];
	uint16_t family;
};

struct os_db {
	struct print *prints;
	char *text;
	char (*families)[OS_FAMILY_BYTES];
	size_t count, room, used, text_room, family_count;
	unsigned points[TESTS]; /* what each is worth, as the file's MatchPoints say */
};

struct parser {
	struct os_db *db;
	const char *path;
	stack_complain *complain;
	void *context;
	uint32_t line;
	struct print now;
	bool open;   /* a print has begun */
	bool points; /* MatchPoints have */
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

/* The value of KEY in "NAME(A=1%B=2)", NULL when it isn't there. */
static const char *find_value(const char *line, const char *key, size_t *len)
{
	const char *at = strchr(line, '(');
	size_t n = strlen(key);

	while (at && *at++) {
		size_t whole = strcspn(at, "%)");

		if (strncmp(at, key, n) == 0 && at[n] == '=') {
			*len = whole - n - 1;
			return at + n + 1;
		}
		at = at[whole] == '%' ? at + whole : NULL;
	}
	return NULL;
}

static void read_test(struct parser *p, const char *line)
{
	for (int i = 0; i < TESTS; i++) {
		const char *value;
		size_t len;

		if (strncmp(line, tests[i].line, strlen(tests[i].line)) != 0 || !(value = find_value(line, tests[i].key, &len)))
			continue;
		if (p->points)
			p->db->points[i] = (unsigned)strtoul(value, NULL, 10) % POINTS_MOST;
		else
			p->now.value[i] = keep(p->db, value, len);
	}
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
	if (p->open && n->value[T1_DF] && n->value[T1_TG] && n->value[WIN_W1] && n->value[OPS_O1] && n->family != UINT16_MAX &&
	    grow(&p->db->prints, sizeof *n, p->db->count + 1, &p->db->room))
		p->db->prints[p->db->count++] = *n;
	p->open = p->points = false;
}

static void read_line(struct parser *p, const char *line)
{
	if (strncmp(line, "Fingerprint ", 12) == 0) {
		end_print(p);
		p->now = (struct print){ .family = UINT16_MAX };
		p->open = true;
	} else if (strcmp(line, "MatchPoints") == 0) {
		end_print(p);
		p->points = true;
	} else if ((!p->open && !p->points) || strncmp(line, "CPE ", 4) == 0) {
		return;
	} else if (strncmp(line, "Class ", 6) == 0) {
		if (p->open && p->now.family == UINT16_MAX && !read_class(p, line + 6))
			p->complain(p->context, p->path, p->line, "a class is vendor | family | generation | type");
	} else if (!strchr(line, '(')) {
		p->complain(p->context, p->path, p->line, "is neither a test nor another line of a print");
	} else {
		read_test(p, line);
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
		for (int i = 0; i < TESTS; i++)
			db->points[i] = 1;
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

/* Whether numbers of packets are all zero is all that one packet says of how they grow. */
static bool growth_fits(const char *expression, bool zero)
{
	for (;;) {
		size_t len = strcspn(expression, "|");

		if (zero == (len == 1 && (*expression == 'Z' || *expression == '0')))
			return true;
		if (!expression[len])
			return false;
		expression += len + 1;
	}
}

/* What is looked for in each print; NULL for a test that the answer at hand can't answer. */
struct question {
	char window[8], tg[4], options[VALUE_BYTES];
	const char *value[TESTS];
	bool number_zero;
};

static bool test_fits(const char *expression, enum test test, const struct question *q)
{
	switch (test) {
	case OPS_O1:
	case ECN_O:
		return options_fit(expression, q->options);
	case SEQ_TI:
		return growth_fits(expression, q->number_zero);
	default:
		return value_fits(expression, q->value[test]);
	}
}

/* What the tests are worth that were compared; 0 when one of them doesn't fit. */
static unsigned points_of(const struct os_db *db, const struct print *n, const struct question *q)
{
	unsigned points = 0;

	for (int i = 0; i < TESTS; i++) {
		if (!q->value[i] || (!n->value[i] && !tests[i].must))
			continue;
		if (!n->value[i] || !test_fits(db->text + n->value[i], (enum test)i, q))
			return 0;
		points += db->points[i];
	}
	return points;
}

/* What the line ECN or T1 says of the answer's headers. */
static void ask_headers(struct question *q, const struct stack_signature *answer, bool ecn)
{
	static const char *const unusual[] = { "", "U", "R", "RU" };

	q->value[ecn ? ECN_DF : T1_DF] = answer->quirks & QUIRK_DF ? "Y" : "N";
	q->value[ecn ? ECN_TG : T1_TG] = q->tg;
	q->value[ecn ? ECN_Q : T1_Q] = unusual[(answer->reserved ? 2 : 0) + (answer->quirks & QUIRK_UPTR_PLUS ? 1 : 0)];
}

static bool make_question(const struct stack_signature *answer, const struct stack_signature *asked, struct question *q)
{
	static const char *const congestion[] = { [0] = "N", [STACK_ECE] = "Y", [STACK_CWR] = "O", [STACK_ECE | STACK_CWR] = "S" };
	bool timed = offers(asked, KIND_TS), ecn = asked->ecn == (STACK_ECE | STACK_CWR);

	/* nmap's own SYN offers all of these, and an MSS of 1460: what others get can only be compared when they do too. */
	if (answer->version != 4 || !answer->accepts || asked->mss != USUAL_MSS || !offers(asked, KIND_WS) || !offers(asked, KIND_SOK))
		return false;
	*q = (struct question){ .number_zero = answer->quirks & QUIRK_DF ? !(answer->quirks & QUIRK_ID_PLUS) : answer->quirks & QUIRK_ID_MINUS };
	snprintf(q->tg, sizeof q->tg, "%X", answer->initial_ttl);
	snprintf(q->window, sizeof q->window, "%X", answer->window);
	/* The SYN of ECN has no timestamps, those of T1, OPS and WIN have. */
	ask_headers(q, answer, ecn && !timed);
	q->value[timed ? WIN_W1 : ECN_W] = q->window;
	q->value[timed ? OPS_O1 : ECN_O] = q->options;
	q->value[SEQ_TI] = "";
	if (ecn) {
		q->value[ECN_R] = "Y";
		q->value[ECN_CC] = congestion[answer->ecn];
	}
	return write_options(answer, q->options);
}

bool os_db_guess(const struct os_db *db, const struct stack_signature *answer, const struct stack_signature *asked, struct os_guess *guess)
{
	uint64_t fits[FAMILIES] = { 0 }, all = 0;
	unsigned most = 0;
	struct question q;

	if (!make_question(answer, asked, &q))
		return false;
	for (size_t i = 0; i < db->count; i++) {
		unsigned points = points_of(db, &db->prints[i], &q);

		fits[db->prints[i].family] += points;
		all += points;
	}
	for (unsigned i = 1; i < db->family_count; i++)
		most = fits[i] > fits[most] ? i : most;
	/* What the file calls embedded is a place for those without a system that has a name. */
	if (!all || fits[most] * 100 < all * OS_DB_AGREEMENT || strcmp(db->families[most], "embedded") == 0)
		return false;
	memcpy(guess->family, db->families[most], sizeof guess->family);
	guess->share = (unsigned)(fits[most] * 100 / all);
	return true;
}
