/* Reads the text of a template: hex, text, holes and computed parts, each line with its label. */
#include "active/ruleset/script.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32 };

struct reading {
	struct template *t;
	const char *at;
	const char *start;
	bool pattern;
	struct hole *holes;
	size_t holes_count;
	size_t line_first; /* first part of this line, for its label */
	uint32_t line;
	struct template_error *error;
};

static bool fail(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct reading *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error->why, sizeof(r->error->why), format, args);
	va_end(args);
	r->error->line = r->line;
	return false;
}

static struct part *add_part(struct reading *r, enum part_kind kind)
{
	struct part *p;

	if (r->t->count == PARTS) {
		fail(r, "the message has more than %d parts; join neighbouring bytes", PARTS);
		return NULL;
	}
	p = &r->t->parts[r->t->count++];
	*p = (struct part){ .kind = (uint8_t)kind, .hole = WHOLE_MESSAGE };
	return p;
}

/* Joins the byte to the line's last part of plain bytes, or begins one. */
static bool add_byte(struct reading *r, uint8_t byte)
{
	struct template *t = r->t;
	struct part *p = t->count > r->line_first ? &t->parts[t->count - 1] : NULL;

	if (t->bytes_used == TEMPLATE_BYTES)
		return fail(r, "the message has more than %d bytes", TEMPLATE_BYTES);
	if (!p || p->kind != PART_BYTES) {
		p = add_part(r, PART_BYTES);
		if (!p)
			return false;
		p->at = t->bytes_used;
	}
	t->bytes[t->bytes_used++] = byte;
	p->len++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool read_repeated(struct reading *r, uint8_t byte)
{
	char *end;
	unsigned long n = strtoul(r->at + 1, &end, 10);
	struct part *p;

	if (!isdigit((unsigned char)r->at[1]) || n < 2 || n > TEMPLATE_BYTES)
		return fail(r, "a byte is repeated 2 to %d times, as in 00*30", TEMPLATE_BYTES);
	r->at = end;
	if (r->t->bytes_used == TEMPLATE_BYTES)
		return fail(r, "the message has more than %d bytes", TEMPLATE_BYTES);
	p = add_part(r, PART_REPEATED);
	if (!p)
		return false;
	p->at = r->t->bytes_used;
	r->t->bytes[r->t->bytes_used++] = byte;
	p->len = (uint16_t)n;
	return true;
}

static bool read_hex(struct reading *r)
{
	int high = hex_digit(r->at[0]);
	int low = high < 0 ? -1 : hex_digit(r->at[1]);
	uint8_t byte;

	if (high < 0)
		return fail(r, "'%c' is no hex digit; write bytes as two hex digits, holes as {name:type}, text in quotes",
			    r->at[0]);
	if (low < 0)
		return fail(r, "'%c' stands alone; a byte has two hex digits", r->at[0]);
	byte = (uint8_t)(high << 4 | low);
	r->at += 2;
	if (*r->at == '*')
		return read_repeated(r, byte);
	return add_byte(r, byte);
}

static bool read_text(struct reading *r)
{
	for (r->at++; *r->at != '"'; r->at++) {
		char c = *r->at;

		if (c == '\0' || c == '\n')
			return fail(r, "the text has no closing quote on its line");
		if (c == '\\') {
			c = *++r->at;
			if (c == 'r')
				c = '\r';
			else if (c == 'n')
				c = '\n';
			else if (c != '"' && c != '\\')
				return fail(r, "'\\%c' is unknown; text knows \\r \\n \\\" and \\\\", c);
		}
		if (!add_byte(r, (uint8_t)c))
			return false;
	}
	r->at++;
	return true;
}

static bool read_any(struct reading *r)
{
	struct part *p = r->t->count > r->line_first ? &r->t->parts[r->t->count - 1] : NULL;

	if (!r->pattern)
		return fail(r, "'..' (any byte) stands in a reply's beginning only");
	if (!p || p->kind != PART_ANY)
		p = add_part(r, PART_ANY);
	if (!p)
		return false;
	p->len++;
	r->at += 2;
	return true;
}

/* Of "bytes32" the 32; 0 for any other. */
static unsigned int bytes_of_type(const char *type)
{
	char *end;
	unsigned long n;

	if (strncmp(type, "bytes", 5) != 0 || !isdigit((unsigned char)type[5]))
		return 0;
	n = strtoul(type + 5, &end, 10);
	return *end == '\0' && n <= RULE_TEXT_BYTES ? (unsigned int)n : 0;
}

static enum value_type type_of_name(const char *name, unsigned int *width)
{
	for (int t = 0; t < VALUE_TYPES; t++)
		if (t != VALUE_BYTES && strcmp(value_type_name((enum value_type)t), name) == 0) {
			*width = value_width((enum value_type)t);
			return (enum value_type)t;
		}
	*width = bytes_of_type(name);
	return *width ? VALUE_BYTES : VALUE_TYPES;
}

/* "netid" and "title" are text to all but the one who writes the bytes. */
static enum text_form form_of_name(const char *name)
{
	return strcmp(name, "netid") == 0 ? FORM_NETID : strcmp(name, "title") == 0 ? FORM_TITLE : FORM_PLAIN;
}

static int hole_of_name(const struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->holes_count; i++)
		if (strcmp(r->holes[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool add_hole(struct reading *r, const char *name, const char *type_name)
{
	unsigned int width;
	enum text_form form = form_of_name(type_name);
	enum value_type type = type_of_name(form ? "text" : type_name, &width);
	int i = hole_of_name(r, name);
	struct hole *h = i < 0 ? NULL : &r->holes[i];
	struct part *p;

	if (!h)
		return fail(r, "hole '%s' is not declared; add it under holes with its source and range", name);
	if (type == VALUE_TYPES)
		return fail(r, "'%s' is no type of a hole; u8 u16be u16le u24be u32be u32le u48be u64le bytesN text netid title are", type_name);
	if (h->type == VALUE_TYPES || (h->type == type && !h->has_form)) {
		h->type = (uint8_t)type;
		h->width = (uint8_t)width;
		h->form = (uint8_t)form;
		h->has_form = true;
	} else if (h->type != type || h->form != form || (type == VALUE_BYTES && h->width != width)) {
		return fail(r, "hole '%s' is %s here and another type before", name, type_name);
	}
	p = add_part(r, PART_HOLE);
	if (!p)
		return false;
	p->hole = (uint8_t)i;
	p->type = (uint8_t)type;
	p->form = (uint8_t)form;
	p->len = (uint16_t)width;
	return true;
}

/* crc-dnp3, sum8-N, xor8-N, crc-ccitt-N; false when it is none of them, and so perhaps a length. */
static bool add_checksum(struct reading *r, const char *text, bool *added)
{
	unsigned int from = 0;
	int used = -1;
	struct part *p;

	for (int c = 0; c < CHECKSUMS; c++) {
		const char *name = checksum_name((enum checksum)c);
		size_t n = strlen(name);

		if (strncmp(text, name, n) != 0)
			continue;
		if (c == CHECKSUM_CRC_DNP3 ? text[n] != '\0'
					   : sscanf(text + n, "-%3u%n", &from, &used) != 1 || text[n + (size_t)used] != '\0')
			continue;
		p = add_part(r, PART_CRC);
		*added = p != NULL;
		if (p) {
			p->type = (uint8_t)c;
			p->len = (uint16_t)checksum_width((enum checksum)c);
			p->less = (uint16_t)from;
		}
		return true;
	}
	return false;
}

/* What stands between "{=" and "}": a checksum, length-N:type, length(hole):type. */
static bool add_computed(struct reading *r, const char *text)
{
	char name[NAME_BYTES + 1] = "", type_name[NAME_BYTES + 1] = "";
	unsigned int less = 0, more = 0, width;
	enum value_type type;
	struct part *p;
	int used = -1, i = WHOLE_MESSAGE;
	bool added;

	if (r->pattern)
		return fail(r, "{=%s} is computed for what is sent; a reply's beginning can't hold it", text);
	if (add_checksum(r, text, &added))
		return added;
	if ((sscanf(text, "length(%32[a-z0-9_])+%2u:%32[a-z0-9]%n", name, &more, type_name, &used) == 3 && text[used] == '\0') ||
	    (sscanf(text, "length(%32[a-z0-9_]):%32[a-z0-9]%n", name, type_name, &used) == 2 && text[used] == '\0')) {
		i = hole_of_name(r, name);
		if (i < 0 || (r->holes[i].type != VALUE_TYPES && r->holes[i].type != VALUE_TEXT))
			return fail(r, "'%s' is no text hole", name);
		r->holes[i].type = VALUE_TEXT;
	} else if ((sscanf(text, "length-%3u:%32[a-z0-9]%n", &less, type_name, &used) != 2 || text[used] != '\0') &&
		   (sscanf(text, "length:%32[a-z0-9]%n", type_name, &used) != 1 || text[used] != '\0')) {
		return fail(r, "{=%s} is unknown; {=length-N:type}, {=length(hole)+N:type} and checksums are known", text);
	}
	type = type_of_name(type_name, &width);
	if (type >= VALUE_BYTES)
		return fail(r, "a length can't be written as '%s'", type_name);
	p = add_part(r, PART_LENGTH);
	if (!p)
		return false;
	p->type = (uint8_t)type;
	p->hole = (uint8_t)i;
	p->less = (uint16_t)less;
	p->more = (uint8_t)more;
	p->len = (uint16_t)width;
	return true;
}

static bool read_braces(struct reading *r)
{
	char inside[2 * NAME_BYTES + 16];
	size_t n = strcspn(r->at + 1, "}\n");
	char *colon;

	if (r->at[1 + n] != '}')
		return fail(r, "'{' has no '}' on its line");
	if (n >= sizeof(inside))
		return fail(r, "the hole's text is too long");
	memcpy(inside, r->at + 1, n);
	inside[n] = '\0';
	r->at += n + 2;
	if (inside[0] == '=')
		return add_computed(r, inside + 1);
	colon = strchr(inside, ':');
	if (!colon)
		return fail(r, "hole '%s' has no type; write {%s:u8} or another type", inside, inside);
	*colon = '\0';
	return add_hole(r, inside, colon + 1);
}

/* The label goes to all parts of its line; line_first says where it began. */
static bool read_label(struct reading *r)
{
	struct template *t = r->t;
	size_t n;

	for (r->at++; *r->at == ' '; r->at++)
		;
	n = strcspn(r->at, "\n");
	if (t->labels_used == 0)
		t->labels[t->labels_used++] = '\0';
	if (t->labels_used + n + 1 > TEMPLATE_LABELS)
		return fail(r, "the remarks of this message are longer than %d bytes", TEMPLATE_LABELS);
	memcpy(t->labels + t->labels_used, r->at, n);
	for (size_t i = r->line_first; i < t->count; i++)
		t->parts[i].label = t->labels_used;
	t->labels_used = (uint16_t)(t->labels_used + n);
	t->labels[t->labels_used++] = '\0';
	r->at += n;
	return true;
}

static bool read_one(struct reading *r)
{
	switch (*r->at) {
	case '\n':
		r->line++;
		r->line_first = r->t->count;
		r->at++;
		return true;
	case ' ':
	case '\t':
		r->at++;
		return true;
	case '#':
		return read_label(r);
	case '"':
		return read_text(r);
	case '{':
		return read_braces(r);
	case '.':
		return r->at[1] == '.' ? read_any(r) : fail(r, "'.' stands alone; '..' is any byte");
	default:
		return read_hex(r);
	}
}

bool template_read(struct template *t, const char *text, bool pattern, struct hole *holes, size_t holes_count,
		   struct template_error *error)
{
	struct reading r = { t, text, text, pattern, holes, holes_count, 0, 0, error };

	memset(t, 0, sizeof(*t));
	while (*r.at)
		if (!read_one(&r))
			return false;
	if (t->count == 0)
		return fail(&r, "there are no bytes");
	return true;
}
