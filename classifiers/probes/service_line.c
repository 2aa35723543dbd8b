/* The lines of a file of probes: each word of the format, its arguments and their ranges. */
#include "classifiers/probes/service_line.h"

#include "classifiers/probes/service_template.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_BYTES = 256, WAIT_MIN_MS = 100, WAIT_MAX_MS = 300000, PORTS_OF_LINE = 4096, FLAGS_MAX = 3, MODE_BYTES = 8,
       FIRST_ROOM = 64 };

#define REFUSE(p, ...) service_refuse(p, (p)->line, __VA_ARGS__)

void service_refuse(struct parser *p, uint32_t line, const char *format, ...)
{
	char sentence[SENTENCE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	p->out->left_out++;
	p->complain(p->context, p->path, line, sentence);
}

/* Room for one more of `size` bytes. False, and told once, without memory. */
static bool grow(struct parser *p, void *list, size_t size, size_t used, size_t *room)
{
	void *old, *more;

	if (used < *room)
		return true;
	memcpy(&old, list, sizeof old);
	more = realloc(old, size * (*room ? *room * 2 : FIRST_ROOM));
	if (!more) {
		if (!p->exhausted)
			REFUSE(p, "no memory for this line and those after it");
		p->exhausted = true;
		return false;
	}
	memcpy(list, &more, sizeof more);
	*room = *room ? *room * 2 : FIRST_ROOM;
	return true;
}

/* The blank-ended word at *at, ended by a NUL; *at moves to what follows. */
static char *take_word(char **at)
{
	char *word = *at, *end = word + strcspn(word, " \t");

	*at = end + strspn(end, " \t");
	*end = 0;
	return word;
}

/* A text between two of the same byte. NULL when it doesn't end. */
static char *take_quoted(char **at, char **end)
{
	char delimiter = **at, *text = *at + 1;

	*end = delimiter ? strchr(text, delimiter) : NULL;
	if (!*end)
		return NULL;
	**end = 0;
	*at = *end + 1;
	return text;
}

static bool take_number(const char **at, unsigned long most, unsigned long *number)
{
	unsigned long n = 0;

	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at) {
		n = n * 10 + (unsigned long)(**at - '0');
		if (n > most)
			return false;
	}
	*number = n;
	return true;
}

/* One item of a list, "110" or "110-115" or "-115" or "1024-". */
static const char *read_range(const char *at, struct service_ports *r)
{
	unsigned long low = 0, high = UINT16_MAX;
	bool open_low = *at == '-';

	if (!open_low && !take_number(&at, UINT16_MAX, &low))
		return NULL;
	if (*at == '-') {
		at++;
		if (isdigit((unsigned char)*at) && !take_number(&at, UINT16_MAX, &high))
			return NULL;
	} else {
		high = low;
	}
	if (high < low)
		return NULL;
	r->low = (uint16_t)low;
	r->high = (uint16_t)high;
	return at;
}

/*
 * A list of ports. Their number, or -1. Their place is told as an offset, since the list moves as it grows.
 * Only Exclude may name transports.
 */
static long read_ports(struct parser *p, const char *at, bool transports, size_t *first)
{
	struct service_ports r = { .transport = TRANSPORT_NONE };
	size_t was = p->m->ports_used;

	for (;;) {
		at += strspn(at, " \t");
		if (transports && (*at == 'T' || *at == 'U') && at[1] == ':') {
			r.transport = *at == 'T' ? TRANSPORT_TCP : TRANSPORT_UDP;
			at += 2;
			at += strspn(at, " \t");
		}
		at = read_range(at, &r);
		if (!at || p->m->ports_used - was == PORTS_OF_LINE ||
		    !grow(p, &p->m->ports, sizeof r, p->m->ports_used, &p->m->ports_room)) {
			p->m->ports_used = was;
			return -1;
		}
		p->m->ports[p->m->ports_used++] = r;
		at += strspn(at, " \t");
		if (!*at)
			break;
		if (*at++ != ',') {
			p->m->ports_used = was;
			return -1;
		}
	}
	*first = was;
	return (long)(p->m->ports_used - was);
}

/* Offsets stand for pointers until the lists no longer move; see settle(). */
static const struct service_ports *ports_at(size_t offset)
{
	return (const struct service_ports *)(uintptr_t)offset;
}

static void read_exclude(struct parser *p, char *rest)
{
	size_t first;
	long count;

	if (p->out->exclude_count) {
		REFUSE(p, "a second Exclude; there may be one");
		return;
	}
	if (p->probe != NO_PROBE || p->broken_probe) {
		REFUSE(p, "Exclude stands before the first Probe");
		return;
	}
	count = read_ports(p, rest, true, &first);
	if (count < 0) {
		REFUSE(p, "Exclude wants a list of ports, T:9100-9107,U:53");
		return;
	}
	p->out->exclude = ports_at(first);
	p->out->exclude_count = (uint32_t)count;
}

static const char *check_probe(const struct parser *p, const struct service_probe *n)
{
	if (!n->transport)
		return "after Probe stands TCP or UDP";
	if (!isalnum((unsigned char)n->name[0]) || strlen(n->name) >= SERVICE_NAME_BYTES)
		return "a probe's name begins with a letter or digit and has at most 63 characters";
	if (service_probes_find(p->out, (enum transport)n->transport, n->name))
		return "a probe of this name stands further up";
	return p->out->probe_count == SERVICE_PROBES_MAX ? "more probes than are taken" : NULL;
}

/* q<delimiter>bytes<delimiter>, then perhaps "no-payload". False, and told, when it isn't so. */
static bool read_payload(struct parser *p, char *at, struct service_probe *n)
{
	uint8_t *to = p->m->payloads + p->m->payloads_used;
	char *text, *end;
	long len;

	if (*at++ != 'q' || !(text = take_quoted(&at, &end))) {
		REFUSE(p, "the probe's bytes stand in q|...|");
		return false;
	}
	len = service_unescape(text, end, to);
	if (len < 0) {
		REFUSE(p, "an escape in the probe's bytes is none of \\\\ \\0 \\n \\r \\t \\xHH");
		return false;
	}
	at += strspn(at, " \t");
	n->no_payload = strcmp(at, "no-payload") == 0;
	if (*at && !n->no_payload) {
		REFUSE(p, "'%.40s' after the probe's bytes; only no-payload may stand there", at);
		return false;
	}
	if (len == 0 && n->transport == TRANSPORT_UDP) {
		REFUSE(p, "a UDP probe has bytes to send");
		return false;
	}
	n->payload = to;
	n->payload_len = (uint32_t)len;
	p->m->payloads_used += (size_t)len;
	return true;
}

static void read_probe(struct parser *p, char *rest)
{
	struct service_probe n = { .line = p->line, .rarity = SERVICE_RARITY_DEFAULT, .total_wait_ms = SERVICE_WAIT_DEFAULT_MS,
				   .first_match = p->out->match_count };
	const char *transport = take_word(&rest), *mistake;
	size_t names_room = p->m->probe_room;

	p->broken_probe = p->line;
	n.transport = strcmp(transport, "TCP") == 0 ? TRANSPORT_TCP : strcmp(transport, "UDP") == 0 ? TRANSPORT_UDP : TRANSPORT_NONE;
	n.name = take_word(&rest);
	mistake = check_probe(p, &n);
	if (mistake) {
		REFUSE(p, "%s", mistake);
		return;
	}
	if (!read_payload(p, rest, &n) || !grow(p, &p->m->names, sizeof *p->m->names, p->out->probe_count, &names_room) ||
	    !grow(p, &p->out->probes, sizeof n, p->out->probe_count, &p->m->probe_room))
		return;
	p->m->names[p->out->probe_count] = NULL;
	p->out->probes[p->out->probe_count] = n;
	p->probe = p->out->probe_count++;
	p->broken_probe = 0;
}

/* "p", "cpe:" ...: its place among the fields, SERVICE_FIELDS for no such. `value` tells the part of a CPE name. */
static enum service_field field_of(const char *mode, const char *value)
{
	static const char letters[] = "pvihod";
	const char *letter = mode[0] && !mode[1] ? strchr(letters, mode[0]) : NULL;

	if (letter)
		return (enum service_field)(letter - letters);
	if (strcmp(mode, "cpe:") != 0)
		return SERVICE_FIELDS;
	switch (value[0]) {
	case 'a': return SERVICE_CPE_A;
	case 'h': return SERVICE_CPE_H;
	case 'o': return SERVICE_CPE_O;
	default: return SERVICE_FIELDS;
	}
}

/* One template, `p/text/` with perhaps a flag after it. False, and told, when it is none. */
static bool read_field(struct parser *p, char **at, struct service_match *m)
{
	size_t n;
	char mode[MODE_BYTES], *value, *end;
	enum service_field field;
	const char *mistake;

	/* Any delimiter will do: the mode is its letters, and the colon of cpe. */
	for (n = 0; isalpha((unsigned char)(*at)[n]) || (*at)[n] == ':'; n++)
		continue;
	if (n == 0 || n >= sizeof mode || !(*at)[n] || (*at)[n] == ' ' || (*at)[n] == '\t') {
		REFUSE(p, "'%.40s' is no template", *at);
		return false;
	}
	memcpy(mode, *at, n);
	mode[n] = 0;
	*at += n;
	value = take_quoted(at, &end);
	if (!value) {
		REFUSE(p, "the template %s does not end", mode);
		return false;
	}
	field = field_of(mode, value);
	mistake = field == SERVICE_FIELDS ? "there are p v i h o d and cpe:/a cpe:/h cpe:/o" : service_template_mistake(value);
	for (n = 0; isalpha((unsigned char)(*at)[n]); n++)
		continue;
	if (!mistake && (n > FLAGS_MAX || ((*at)[n] && (*at)[n] != ' ' && (*at)[n] != '\t')))
		mistake = "something else follows it without a blank";
	if (mistake) {
		REFUSE(p, "template %s: %s", mode, mistake);
		return false;
	}
	*at += n;
	*at += strspn(*at, " \t");
	m->field[field] = value;
	return true;
}

/* The flags behind a pattern. False when there is another than i and s. */
static bool read_flags(char **at, struct service_match *m)
{
	for (int n = 0; **at && **at != ' ' && **at != '\t'; n++, ++*at) {
		if (n == FLAGS_MAX || (**at != 'i' && **at != 's'))
			return false;
		m->caseless |= **at == 'i';
		m->dot_all |= **at == 's';
	}
	*at += strspn(*at, " \t");
	return true;
}

static void read_match(struct parser *p, char *rest, bool soft)
{
	struct service_match m = { .soft = soft, .line = p->line };
	char *end;

	if (p->probe == NO_PROBE) {
		REFUSE(p, "a match belongs to a Probe before it");
		return;
	}
	m.probe = (uint32_t)p->probe;
	m.service = take_word(&rest);
	if (!m.service[0] || strlen(m.service) >= SERVICE_NAME_BYTES || *rest++ != 'm' || !(m.pattern = take_quoted(&rest, &end))) {
		REFUSE(p, "after match stand a service's name and m|pattern|");
		return;
	}
	m.pattern_len = (uint32_t)(end - m.pattern);
	if (!m.pattern_len) {
		REFUSE(p, "the pattern is empty");
		return;
	}
	if (!read_flags(&rest, &m)) {
		REFUSE(p, "after the pattern stand the flags i and s alone");
		return;
	}
	while (*rest)
		if (!read_field(p, &rest, &m))
			return;
	if (p->out->match_count == SERVICE_MATCHES_MAX) {
		REFUSE(p, "more matches than are taken");
		return;
	}
	if (!grow(p, &p->out->matches, sizeof m, p->out->match_count, &p->m->match_room))
		return;
	p->out->matches[p->out->match_count++] = m;
	p->out->probes[p->probe].match_count++;
}

static void read_port_line(struct parser *p, char *rest, bool ssl)
{
	struct service_probe *n = &p->out->probes[p->probe];
	size_t first;
	long count;

	if (ssl ? n->ssl_port_count : n->port_count) {
		REFUSE(p, "a second list of ports for one probe");
		return;
	}
	count = read_ports(p, rest, false, &first);
	if (count < 0) {
		REFUSE(p, "ports wants a list as 21,43,110-115");
		return;
	}
	if (ssl) {
		n->ssl_ports = ports_at(first);
		n->ssl_port_count = (uint32_t)count;
	} else {
		n->ports = ports_at(first);
		n->port_count = (uint32_t)count;
	}
}

static void read_number_line(struct parser *p, const char *word, const char *rest)
{
	struct service_probe *n = &p->out->probes[p->probe];
	bool rarity = word[0] == 'r', wrapped = strcmp(word, "tcpwrappedms") == 0;
	unsigned long low = rarity ? 1 : WAIT_MIN_MS, high = rarity ? 9 : WAIT_MAX_MS, number;

	if (!take_number(&rest, high, &number) || number < low || rest[strspn(rest, " \t")]) {
		REFUSE(p, "%s wants a number from %lu to %lu", word, low, high);
		return;
	}
	if (wrapped && n->payload_len) {
		REFUSE(p, "tcpwrappedms belongs to the probe without bytes");
		return;
	}
	if (rarity)
		n->rarity = (uint8_t)number;
	else if (wrapped)
		n->tcp_wrapped_ms = (uint32_t)number;
	else
		n->total_wait_ms = (uint32_t)number;
}

static void read_fallback(struct parser *p, char *rest)
{
	if (!*rest) {
		REFUSE(p, "fallback wants names of probes");
		return;
	}
	if (p->m->names[p->probe]) {
		REFUSE(p, "a second fallback for one probe");
		return;
	}
	/* Who is meant may stand further down: the names are looked up when all is read. */
	p->m->names[p->probe] = rest;
}

static void read_of_probe(struct parser *p, const char *word, char *rest)
{
	if (strcmp(word, "ports") == 0 || strcmp(word, "sslports") == 0)
		read_port_line(p, rest, word[0] == 's');
	else if (strcmp(word, "rarity") == 0 || strcmp(word, "totalwaitms") == 0 || strcmp(word, "tcpwrappedms") == 0)
		read_number_line(p, word, rest);
	else
		read_fallback(p, rest);
}

static bool belongs_to_probe(const char *word)
{
	static const char *const words[] = { "ports", "sslports", "rarity", "totalwaitms", "tcpwrappedms", "fallback", "match", "softmatch" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

void service_line_read(struct parser *p, char *line)
{
	char *rest = line, *word = take_word(&rest);
	bool match = strcmp(word, "match") == 0, soft = strcmp(word, "softmatch") == 0;

	p->out->match_lines += match || soft;
	if (strcmp(word, "Exclude") == 0)
		read_exclude(p, rest);
	else if (strcmp(word, "Probe") == 0)
		read_probe(p, rest);
	else if (!belongs_to_probe(word))
		REFUSE(p, "'%.40s' is no word of this format", word);
	else if (p->broken_probe)
		REFUSE(p, "belongs to the probe of line %u, which was left out", p->broken_probe);
	else if (match || soft)
		read_match(p, rest, soft);
	else if (p->probe == NO_PROBE)
		REFUSE(p, "%s belongs to a Probe before it", word);
	else
		read_of_probe(p, word, rest);
}
