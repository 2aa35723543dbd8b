/*
 * Fills templates. They come from a file that the user chose, what fills them from a stranger: every
 * byte written is counted against the room of its field.
 */
#include "classifiers/probes/service_template.h"

#include <ctype.h>
#include <string.h>

enum { ARGUMENTS = 3, ARGUMENT_BYTES = 64, NUMBER_BYTES = 8, HEX_DIGITS = 2 };

/* What nmap keeps of each field, and no more. */
static const uint16_t field_bytes[SERVICE_FIELDS] = {
	[SERVICE_PRODUCT] = 80, [SERVICE_VERSION] = 80, [SERVICE_INFO] = 256, [SERVICE_HOSTNAME] = 80, [SERVICE_OS] = 32,
	[SERVICE_DEVICE] = 32,  [SERVICE_CPE_A] = 256,  [SERVICE_CPE_H] = 256, [SERVICE_CPE_O] = 256,
};

struct output {
	char *text;
	size_t len, room;
	bool cpe;
	bool failed;
};

struct argument {
	bool is_text;
	unsigned number;
	uint8_t text[ARGUMENT_BYTES];
	size_t len;
};

struct call {
	char name[8];
	struct argument arguments[ARGUMENTS];
	unsigned count;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that an escape stands for; `at` is behind the backslash and moves behind the escape. -1 for none. */
static int read_escape(const char **at, const char *end)
{
	char c = *at < end ? *(*at)++ : 0;
	int high, low;

	switch (c) {
	case '\\': return '\\';
	case '0': return 0;
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'x':
		if (end - *at < HEX_DIGITS)
			return -1;
		high = hex_digit((*at)[0]);
		low = hex_digit((*at)[1]);
		*at += HEX_DIGITS;
		return high < 0 || low < 0 ? -1 : high << 4 | low;
	default: return -1;
	}
}

long service_unescape(const char *from, const char *end, uint8_t *to)
{
	long n = 0;

	while (from < end) {
		int byte = (uint8_t)*from++;

		if (byte == '\\')
			byte = read_escape(&from, end);
		if (byte < 0)
			return -1;
		to[n++] = (uint8_t)byte;
	}
	return n;
}

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* "text" with escapes; what `at` points behind afterwards, NULL when it is none. */
static const char *read_text(const char *at, struct argument *a)
{
	const char *end = at + strlen(at);

	a->is_text = true;
	a->len = 0;
	for (at++; *at != '"';) {
		int byte = (uint8_t)*at;

		if (!*at || a->len == sizeof a->text)
			return NULL;
		at++;
		if (byte == '\\' && *at == '"')
			byte = (uint8_t)*at++;
		else if (byte == '\\')
			byte = read_escape(&at, end);
		if (byte < 0)
			return NULL;
		a->text[a->len++] = (uint8_t)byte;
	}
	return at + 1;
}

static const char *read_number(const char *at, struct argument *a)
{
	a->is_text = false;
	a->number = 0;
	if (!isdigit((unsigned char)*at))
		return NULL;
	for (; isdigit((unsigned char)*at); at++) {
		if (a->number > 99)
			return NULL;
		a->number = a->number * 10 + (unsigned)(*at - '0');
	}
	return at;
}

/* NAME(argument, ...) from behind the dollar. NULL when it is no call. */
static const char *read_call(const char *at, struct call *c)
{
	size_t n = 0;

	c->count = 0;
	while (isupper((unsigned char)*at) && n + 1 < sizeof c->name)
		c->name[n++] = *at++;
	c->name[n] = 0;
	if (*at++ != '(')
		return NULL;
	for (;;) {
		struct argument *a = &c->arguments[c->count];

		if (c->count++ == ARGUMENTS)
			return NULL;
		at = skip_blanks(at);
		at = *at == '"' ? read_text(at, a) : read_number(at, a);
		if (!at)
			return NULL;
		at = skip_blanks(at);
		if (*at == ')')
			return at + 1;
		if (*at++ != ',')
			return NULL;
	}
}

static const char *call_mistake(const struct call *c)
{
	const struct argument *a = c->arguments;

	if (a[0].is_text || a[0].number < 1 || a[0].number >= SERVICE_GROUPS)
		return "a function's first argument is the number of a group, 1 to 9";
	if (strcmp(c->name, "P") == 0)
		return c->count == 1 ? NULL : "$P() takes one argument";
	if (strcmp(c->name, "SUBST") == 0)
		return c->count == 3 && a[1].is_text && a[2].is_text && a[1].len ? NULL : "$SUBST() takes a group and two texts";
	if (strcmp(c->name, "I") == 0)
		return c->count == 2 && a[1].is_text && a[1].len == 1 && (a[1].text[0] == '>' || a[1].text[0] == '<')
			       ? NULL : "$I() takes a group and \">\" or \"<\"";
	return "an unknown function; there are $P(), $SUBST() and $I()";
}

const char *service_template_mistake(const char *template)
{
	struct call call;
	const char *mistake;

	while ((template = strchr(template, '$'))) {
		template++;
		if (*template >= '1' && *template <= '9')
			continue;
		template = read_call(template, &call);
		if (!template)
			return "a dollar is followed by neither a digit from 1 to 9 nor a function";
		mistake = call_mistake(&call);
		if (mistake)
			return mistake;
	}
	return NULL;
}

static void put(struct output *o, char byte)
{
	if (o->len >= o->room)
		o->failed = true;
	else
		o->text[o->len++] = byte;
}

/* A byte that a stranger chose. In a CPE name it may not look like the name's own punctuation. */
static void put_foreign(struct output *o, uint8_t byte)
{
	static const char hex[] = "0123456789ABCDEF";

	if (!o->cpe) {
		put(o, (char)byte);
	} else if (byte && strchr(":/?#[]@!$&'()*+,;=%<>\"", byte)) {
		put(o, '%');
		put(o, hex[byte >> 4]);
		put(o, hex[byte & 15]);
	} else {
		put(o, isspace(byte) ? '_' : byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : (char)byte);
	}
}

static bool group_of(const struct service_groups *g, unsigned number, const uint8_t **bytes, size_t *len)
{
	if (number >= g->count || g->at[number][0] == SIZE_MAX || g->at[number][1] < g->at[number][0])
		return false;
	*bytes = g->subject + g->at[number][0];
	*len = g->at[number][1] - g->at[number][0];
	return true;
}

/* As it stands; nmap works on C strings here, so a NUL ends it. */
static void put_group(struct output *o, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && bytes[i]; i++)
		put_foreign(o, bytes[i]);
}

static void put_printable(struct output *o, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
			put_foreign(o, bytes[i]);
}

static void put_replaced(struct output *o, const uint8_t *bytes, size_t len, const struct argument *find, const struct argument *by)
{
	for (size_t i = 0; i < len && bytes[i];) {
		if (len - i >= find->len && memcmp(bytes + i, find->text, find->len) == 0) {
			for (size_t j = 0; j < by->len; j++)
				put_foreign(o, by->text[j]);
			i += find->len;
		} else {
			put_foreign(o, bytes[i++]);
		}
	}
}

static void put_number(struct output *o, const uint8_t *bytes, size_t len, bool big)
{
	uint64_t value = 0;
	char digits[24];
	size_t n = 0;

	if (len == 0 || len > NUMBER_BYTES) {
		o->failed = true;
		return;
	}
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[big ? i : len - 1 - i];
	do {
		digits[n++] = (char)('0' + value % 10);
	} while (value /= 10);
	while (n)
		put(o, digits[--n]);
}

static void put_call(struct output *o, const struct call *c, const struct service_groups *g)
{
	const struct argument *a = c->arguments;
	const uint8_t *bytes;
	size_t len;

	if (call_mistake(c) || !group_of(g, a[0].number, &bytes, &len))
		o->failed = true;
	else if (c->name[0] == 'P')
		put_printable(o, bytes, len);
	else if (c->name[0] == 'S')
		put_replaced(o, bytes, len, &a[1], &a[2]);
	else
		put_number(o, bytes, len, a[1].text[0] == '>');
}

int service_template_expand(const char *template, enum service_field field, const struct service_groups *g,
			    char out[SERVICE_VALUE_BYTES])
{
	struct output o = { .text = out, .room = field_bytes[field], .cpe = field >= SERVICE_CPE_A };
	struct call call;

	while (*template && !o.failed) {
		const uint8_t *bytes;
		size_t len;

		if (*template != '$') {
			put(&o, *template++);
		} else if (template[1] >= '1' && template[1] <= '9') {
			if (group_of(g, (unsigned)(template[1] - '0'), &bytes, &len))
				put_group(&o, bytes, len);
			else
				o.failed = true;
			template += 2;
		} else if ((template = read_call(template + 1, &call))) {
			put_call(&o, &call, g);
		} else {
			return -1;
		}
	}
	if (o.failed)
		return -1;
	while (o.len && (isspace((unsigned char)out[o.len - 1]) || out[o.len - 1] == ','))
		o.len--;
	out[o.len] = 0;
	return (int)o.len;
}
