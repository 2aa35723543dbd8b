/* Reads p0f.fp strictly, line by line, and compares signatures with its own. */
#include "classifiers/stack/stack_file.h"

#include "classifiers/files/whole_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 1024, ANY = -1, TTL_DISTANCE = 35, PARTS = 8, OPTION_EOL = 0, FIRST_ROOM = 64, LABEL_PARTS = 4,
       HEADERS_IPV4 = 40, HEADERS_IPV6 = 60 };

struct stack_entry {
	uint32_t label;
	int16_t version, scale, payload;
	int32_t mss;
	uint8_t ttl, option_bytes, eol_padding, layout_count;
	bool any_ttl; /* "64-": the stack chooses it at random, up to that */
	bool accepts;
	uint8_t window_kind;
	uint16_t window;
	uint32_t quirks;
	uint8_t layout[STACK_OPTIONS];
};

struct link_entry {
	uint32_t label;
	uint16_t mtu;
};

struct stack_file {
	struct stack_entry *entries;
	struct link_entry *links;
	struct stack_label *labels;
	size_t count, room, link_count, link_room, label_count, label_room;
};

enum section { SECTION_OTHER, SECTION_MTU, SECTION_REQUEST, SECTION_RESPONSE };

struct parser {
	struct stack_file *out;
	const char *path;
	stack_complain *complain;
	void *context;
	uint32_t line;
	enum section section;
	bool has_label;
};

static void refuse(struct parser *p, const char *sentence)
{
	p->complain(p->context, p->path, p->line, sentence);
}

static bool read_number(const char *text, long low, long high, long *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtol(text, &end, 10);
	return errno == 0 && !*end && *number >= low && *number <= high;
}

/* A number, or `*` for ANY. */
static bool read_number_or_any(const char *text, long high, long *number)
{
	*number = ANY;
	return strcmp(text, "*") == 0 || read_number(text, 0, high, number);
}

/* "64", "64-", "54+10" */
static bool read_ttl(char *text, struct stack_entry *n)
{
	size_t len = strlen(text);
	char *plus = strchr(text, '+');
	long ttl, distance = 0;

	if (len > 1 && text[len - 1] == '-') {
		n->any_ttl = true;
		text[len - 1] = 0;
	}
	if (plus) {
		*plus++ = 0;
		if (!read_number(plus, 0, 255, &distance))
			return false;
	}
	if (!read_number(text, 1, 255, &ttl) || ttl + distance > 255)
		return false;
	n->ttl = (uint8_t)(ttl + distance);
	return true;
}

/* "8192,7", "mss*20,*", "%8192,0" */
static bool read_window(char *text, struct stack_entry *n)
{
	char *scale = strchr(text, ',');
	long number = 0;

	if (!scale)
		return false;
	*scale++ = 0;
	if (strcmp(text, "*") == 0) {
		n->window_kind = WINDOW_ANY;
	} else if (strncmp(text, "mss*", 4) == 0 || strncmp(text, "mtu*", 4) == 0) {
		n->window_kind = text[1] == 's' ? WINDOW_MSS : WINDOW_MTU;
		if (!read_number(text + 4, 1, 1000, &number))
			return false;
	} else if (text[0] == '%') {
		n->window_kind = WINDOW_MODULO;
		if (!read_number(text + 1, 2, UINT16_MAX, &number))
			return false;
	} else if (!read_number(text, 0, UINT16_MAX, &number)) {
		return false;
	}
	n->window = (uint16_t)number;
	if (!read_number_or_any(scale, 255, &number))
		return false;
	n->scale = (int16_t)number;
	return true;
}

static bool read_layout(char *text, struct stack_entry *n)
{
	for (char *word = strsep(&text, ","); word; word = strsep(&text, ",")) {
		unsigned kind = stack_option_of(word);
		long padding;

		if (!*word && n->layout_count == 0 && !text)
			return true;
		if (n->layout_count == STACK_OPTIONS)
			return false;
		if (strncmp(word, "eol+", 4) == 0) {
			if (!read_number(word + 4, 0, STACK_OPTIONS, &padding) || text)
				return false;
			n->eol_padding = (uint8_t)padding;
			kind = OPTION_EOL;
		}
		if (kind > 255)
			return false;
		n->layout[n->layout_count++] = (uint8_t)kind;
	}
	return true;
}

static bool read_quirks(char *text, struct stack_entry *n)
{
	if (!*text)
		return true;
	for (char *word = strsep(&text, ","); word; word = strsep(&text, ",")) {
		uint32_t bit = stack_quirk_of(word);

		if (!bit)
			return false;
		n->quirks |= bit;
	}
	return true;
}

/* NULL when the signature is well, else which part of it isn't. */
static const char *read_parts(char *text, struct stack_entry *n)
{
	char *part[PARTS];
	long version, options, mss;

	for (int i = 0; i < PARTS; i++)
		if (!(part[i] = strsep(&text, ":")))
			return "a signature has eight parts";
	if (text)
		return "a signature has eight parts";
	if (!read_number_or_any(part[0], 6, &version) || (version != ANY && version != 4 && version != 6))
		return "the version is 4, 6 or *";
	if (!read_ttl(part[1], n))
		return "the initial TTL is as 64, 64- or 54+10";
	if (!read_number(part[2], 0, 255, &options))
		return "the bytes of IP options are a number";
	if (!read_number_or_any(part[3], UINT16_MAX, &mss))
		return "the MSS is a number or *";
	if (!read_window(part[4], n))
		return "the window is as 8192,7 or mss*20,* or mtu*4,0 or %8192,0";
	if (!read_layout(part[5], n))
		return "a TCP option is none of nop mss ws sok sack ts eol+N ?N";
	if (!read_quirks(part[6], n))
		return "a quirk is none of p0f's";
	if (strcmp(part[7], "0") != 0 && strcmp(part[7], "+") != 0 && strcmp(part[7], "*") != 0)
		return "the payload is 0, + or *";
	n->version = (int16_t)version;
	n->option_bytes = (uint8_t)options;
	n->mss = (int32_t)mss;
	n->payload = (int16_t)(part[7][0] == '*' ? ANY : part[7][0] == '+');
	return NULL;
}

static bool grow(void *list, size_t size, size_t used, size_t *room)
{
	void *old, *more;

	if (used < *room)
		return true;
	memcpy(&old, list, sizeof old);
	more = realloc(old, size * (*room ? *room * 2 : FIRST_ROOM));
	if (!more)
		return false;
	memcpy(list, &more, sizeof more);
	*room = *room ? *room * 2 : FIRST_ROOM;
	return true;
}

static void read_mtu(struct parser *p, const char *text)
{
	struct stack_file *f = p->out;
	const char *mistake = NULL;
	long mtu;

	if (!p->has_label)
		mistake = "a signature belongs to a label before it";
	else if (!read_number(text, 1, UINT16_MAX, &mtu))
		mistake = "an MTU is a number of bytes";
	else if (!grow(&f->links, sizeof *f->links, f->link_count, &f->link_room))
		mistake = "no memory";
	if (mistake)
		refuse(p, mistake);
	else
		f->links[f->link_count++] = (struct link_entry){ (uint32_t)(f->label_count - 1), (uint16_t)mtu };
}

static void read_signature(struct parser *p, char *text)
{
	struct stack_file *f = p->out;
	struct stack_entry n = { .accepts = p->section == SECTION_RESPONSE };
	const char *mistake;

	if (!p->has_label) {
		refuse(p, "a signature belongs to a label before it");
		return;
	}
	mistake = read_parts(text, &n);
	if (!mistake && !grow(&f->entries, sizeof n, f->count, &f->room))
		mistake = "no memory";
	if (mistake) {
		refuse(p, mistake);
		return;
	}
	n.label = (uint32_t)(f->label_count - 1);
	f->entries[f->count++] = n;
}

/* type:class:name:flavour; of a system. False, and told, when it is none. */
static bool read_system(struct parser *p, char *text, struct stack_label *n)
{
	char *part[LABEL_PARTS];

	for (int i = 0; i < LABEL_PARTS; i++)
		part[i] = i == LABEL_PARTS - 1 ? text : strsep(&text, ":");
	if (!part[0] || !part[1] || !part[2] || !part[3] || !*part[2] || (strcmp(part[0], "s") != 0 && strcmp(part[0], "g") != 0)) {
		refuse(p, "a label is s or g, a class, a name and a flavour: s:unix:Linux:3.x");
		return false;
	}
	n->generic = part[0][0] == 'g';
	n->system = strcmp(part[1], "!") != 0;
	snprintf(n->name, sizeof n->name, "%s%s%s", part[2], *part[3] ? " " : "", part[3]);
	return true;
}

/* A link's name is the label as it stands. */
static void read_label(struct parser *p, char *text)
{
	struct stack_label n = { .line = p->line };

	p->has_label = false;
	if (p->section == SECTION_MTU)
		snprintf(n.name, sizeof n.name, "%s", text);
	else if (!read_system(p, text, &n))
		return;
	if (!grow(&p->out->labels, sizeof n, p->out->label_count, &p->out->label_room)) {
		refuse(p, "no memory");
		return;
	}
	p->out->labels[p->out->label_count++] = n;
	p->has_label = true;
}

static void read_line(struct parser *p, char *line)
{
	char *value = strchr(line, '='), *end;
	size_t key;

	if (line[0] == '[') {
		p->section = strcmp(line, "[tcp:request]") == 0    ? SECTION_REQUEST
			     : strcmp(line, "[tcp:response]") == 0 ? SECTION_RESPONSE
			     : strcmp(line, "[mtu]") == 0          ? SECTION_MTU
								   : SECTION_OTHER;
		p->has_label = false;
		return;
	}
	if (p->section == SECTION_OTHER)
		return;
	if (!value) {
		refuse(p, "is neither a section nor a key = value");
		return;
	}
	key = strcspn(line, " \t=");
	value++;
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
		end[-1] = 0;
	if (key == 5 && strncmp(line, "label", key) == 0)
		read_label(p, value);
	else if (key == 3 && strncmp(line, "sig", key) == 0 && p->section == SECTION_MTU)
		read_mtu(p, value);
	else if (key == 3 && strncmp(line, "sig", key) == 0)
		read_signature(p, value);
	else if (!(key == 3 && strncmp(line, "sys", key) == 0))
		refuse(p, "there are label, sys and sig");
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
			refuse(p, n >= sizeof line ? "the line is too long" : "a NUL stands in the line");
		} else {
			memcpy(line, text, n);
			while (n && isspace((unsigned char)line[n - 1]))
				n--;
			line[n] = 0;
			if (n && line[0] != ';' && line[0] != '#')
				read_line(p, line + strspn(line, " \t"));
		}
		text = newline ? newline + 1 : end;
	}
}

struct stack_file *stack_file_read(const char *text, size_t len, const char *path, stack_complain *complain, void *context)
{
	struct stack_file *f = calloc(1, sizeof *f);
	struct parser p = { .out = f, .path = path, .complain = complain, .context = context };

	if (f)
		read_lines(&p, text, len);
	if (f && stack_file_count(f))
		return f;
	complain(context, path, 0, f ? "holds no signature of TCP or of an MTU that can be used" : "no memory");
	stack_file_free(f);
	return NULL;
}

struct stack_file *stack_file_load_fd(int fd, const char *path, stack_complain *complain, void *context)
{
	struct stack_file *f = NULL;
	const char *why;
	size_t len;
	char *text = whole_file(fd, STACK_FILE_BYTES_MAX, &len, &why);

	if (text)
		f = stack_file_read(text, len, path, complain, context);
	else
		complain(context, path, 0, why);
	free(text);
	return f;
}

void stack_file_free(struct stack_file *f)
{
	if (!f)
		return;
	free(f->entries);
	free(f->links);
	free(f->labels);
	free(f);
}

size_t stack_file_count(const struct stack_file *f)
{
	return f->count + f->link_count;
}

static bool window_fits(const struct stack_entry *n, const struct stack_signature *s)
{
	switch ((enum stack_window)n->window_kind) {
	case WINDOW_ANY: return true;
	case WINDOW_PLAIN: return s->window == n->window;
	case WINDOW_MODULO: return s->window % n->window == 0;
	case WINDOW_MSS:
	case WINDOW_MTU: return s->window_kind == n->window_kind && s->window_times == n->window;
	}
	return false;
}

static bool fits(const struct stack_entry *n, const struct stack_signature *s)
{
	uint32_t blind = n->version == ANY ? (s->version == 4 ? QUIRKS_IPV6 : QUIRKS_IPV4) : 0;

	if (n->accepts != s->accepts || (n->version != ANY && n->version != s->version) || n->layout_count != s->layout_count ||
	    memcmp(n->layout, s->layout, s->layout_count) != 0 || n->eol_padding != s->eol_padding || n->option_bytes != s->option_bytes)
		return false;
	if ((n->quirks & ~blind) != (s->quirks & ~blind))
		return false;
	if (s->ttl > n->ttl || (!n->any_ttl && n->ttl - s->ttl > TTL_DISTANCE))
		return false;
	return (n->mss == ANY || n->mss == s->mss) && (n->scale == ANY || n->scale == s->scale) &&
	       (n->payload == ANY || n->payload == s->payload) && window_fits(n, s);
}

const struct stack_label *stack_file_find(const struct stack_file *f, const struct stack_signature *s)
{
	const struct stack_label *generic = NULL;

	for (size_t i = 0; i < f->count; i++) {
		const struct stack_label *label = &f->labels[f->entries[i].label];

		if ((label->generic && generic) || !fits(&f->entries[i], s))
			continue;
		if (!label->generic)
			return label;
		generic = label;
	}
	return generic;
}

const char *stack_file_link(const struct stack_file *f, const struct stack_signature *s, unsigned *mtu)
{
	unsigned sum = s->mss + (s->version == 4 ? HEADERS_IPV4 + 0u : HEADERS_IPV6);

	for (size_t i = 0; s->mss && i < f->link_count; i++)
		if (f->links[i].mtu == sum) {
			*mtu = sum;
			return f->labels[f->links[i].label].name;
		}
	return NULL;
}
