/* Reads the text form of a conversation; see transcript.h. */
#include "tests/protocols/transcript.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *path;
	int line;
	bool gap; /* waits for the next segment */
	struct transcript out;
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void __attribute__((noreturn)) complain(const struct parser *p, const char *what, const char *at)
{
	fprintf(stderr, "%s:%d: %s: %s\n", p->path, p->line, what, at);
	exit(2);
}

static void append(struct segment *s, uint8_t byte, size_t times)
{
	s->bytes = must(realloc(s->bytes, s->len + times + 1));
	memset(s->bytes + s->len, byte, times);
	s->len += times;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* One character of a quoted text, escapes as in C; moves *s behind it. */
static uint8_t parse_character(const struct parser *p, const char **s)
{
	char c = *(*s)++;

	if (c != '\\')
		return (uint8_t)c;
	c = *(*s)++;
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '0':
		return 0;
	case '\\':
	case '"':
		return (uint8_t)c;
	case 'x':
		if (hex_digit((*s)[0]) >= 0 && hex_digit((*s)[1]) >= 0) {
			*s += 2;
			return (uint8_t)(hex_digit((*s)[-2]) << 4 | hex_digit((*s)[-1]));
		}
	}
	complain(p, "unknown escape", *s - 2);
}

static const char *parse_text(const struct parser *p, struct segment *seg, const char *s)
{
	while (*s && *s != '"')
		append(seg, parse_character(p, &s), 1);
	if (*s != '"')
		complain(p, "text without an end", s);
	return s + 1;
}

static void parse_bytes(const struct parser *p, struct segment *seg, const char *s)
{
	while (*s && *s != '#') {
		if (isspace((unsigned char)*s)) {
			s++;
		} else if (*s == '"') {
			s = parse_text(p, seg, s + 1);
		} else if (hex_digit(s[0]) >= 0 && hex_digit(s[1]) >= 0) {
			uint8_t byte = (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
			char *end = NULL;
			size_t times = s[2] == '*' ? strtoul(s + 3, &end, 10) : 1;

			if (times == 0 || times > 65536)
				complain(p, "bad repetition", s);
			append(seg, byte, times);
			s = end ? end : s + 2;
		} else {
			complain(p, "neither hex nor text", s);
		}
	}
}

static struct flow *last_flow(struct parser *p, const char *at)
{
	if (p->out.count == 0)
		complain(p, "no tcp, udp or ethernet line before it", at);
	return &p->out.flows[p->out.count - 1];
}

static void add_segment(struct parser *p, const char *s)
{
	struct flow *f = last_flow(p, s);
	struct segment *seg;

	f->segments = must(realloc(f->segments, (f->count + 1) * sizeof *f->segments));
	seg = &f->segments[f->count++];
	*seg = (struct segment){ .direction = *s == '<', .gap = p->gap };
	p->gap = false;
	append(seg, 0, 0);
	parse_bytes(p, seg, s + 1);
}

static void continue_segment(struct parser *p, const char *s)
{
	struct flow *f = last_flow(p, s);

	if (f->count == 0)
		complain(p, "goes on with nothing", s);
	parse_bytes(p, &f->segments[f->count - 1], s);
}

static void parse_option(const struct parser *p, struct flow *f, const char *word)
{
	if (strcmp(word, "midstream") == 0)
		f->midstream = true;
	else if (strcmp(word, "truncated") == 0)
		f->truncated = true;
	else if (strcmp(word, "multicast") == 0)
		f->multicast = true;
	else if (strcmp(word, "norecut") == 0)
		f->norecut = true;
	else
		complain(p, "unknown word", word);
}

static void parse_mac(const struct parser *p, uint8_t mac[6], const char *s)
{
	unsigned m[6];
	int end = 0;

	if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", m, m + 1, m + 2, m + 3, m + 4, m + 5, &end) != 6 || s[end])
		complain(p, "no MAC", s);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)m[i];
}

static void parse_ethernet(const struct parser *p, struct flow *f, char **save)
{
	const char *type = strtok_r(NULL, " \t", save), *from = strtok_r(NULL, " \t", save);
	const char *to = strtok_r(NULL, " \t", save);

	if (!type || !from || !to)
		complain(p, "wants an ethertype and two MACs", "ethernet");
	f->ethertype = (uint16_t)strtoul(type, NULL, 0);
	parse_mac(p, f->mac[0], from);
	parse_mac(p, f->mac[1], to);
	f->multicast = f->mac[1][0] & 1;
}

/* IP itself: its protocol's number, sent to a group. */
static void parse_ip(const struct parser *p, struct flow *f, char **save)
{
	static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 1, 0, 0x5e, 0, 0, 18 } };
	const char *protocol = strtok_r(NULL, " \t", save);

	if (!protocol || strtoul(protocol, NULL, 10) == 0)
		complain(p, "wants a protocol", "ip");
	f->ethertype = (uint16_t)strtoul(protocol, NULL, 10);
	f->multicast = true;
	memcpy(f->mac, macs, sizeof macs);
}

static void parse_ports(const struct parser *p, struct flow *f, char **save)
{
	static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

	for (int i = 0; i < 2; i++) {
		const char *port = strtok_r(NULL, " \t", save);
		unsigned long n = port ? strtoul(port, NULL, 10) : 0;

		if (n == 0 || n > 65535)
			complain(p, "wants two ports", port ? port : "");
		f->port[i] = (uint16_t)n;
	}
	memcpy(f->mac, macs, sizeof macs);
}

static void add_flow(struct parser *p, char *line, uint8_t transport)
{
	char *save = NULL, *word;
	struct flow *f;

	p->out.flows = must(realloc(p->out.flows, (p->out.count + 1) * sizeof *p->out.flows));
	f = &p->out.flows[p->out.count++];
	*f = (struct flow){ .transport = transport };
	line[strcspn(line, "#")] = 0;
	strtok_r(line, " \t", &save);
	if (transport == TRANSPORT_ETHERNET)
		parse_ethernet(p, f, &save);
	else if (transport == TRANSPORT_IP)
		parse_ip(p, f, &save);
	else
		parse_ports(p, f, &save);
	while ((word = strtok_r(NULL, " \t", &save)) != NULL)
		parse_option(p, f, word);
}

static void parse_line(struct parser *p, char *line)
{
	line[strcspn(line, "\r\n")] = 0;
	if (line[0] == 0 || line[0] == '#')
		return;
	if (line[0] == '>' || line[0] == '<')
		add_segment(p, line);
	else if (line[0] == ' ' || line[0] == '\t')
		continue_segment(p, line);
	else if (strncmp(line, "tcp ", 4) == 0)
		add_flow(p, line, TRANSPORT_TCP);
	else if (strncmp(line, "udp ", 4) == 0)
		add_flow(p, line, TRANSPORT_UDP);
	else if (strncmp(line, "ethernet ", 9) == 0)
		add_flow(p, line, TRANSPORT_ETHERNET);
	else if (strncmp(line, "ip ", 3) == 0)
		add_flow(p, line, TRANSPORT_IP);
	else if (strcmp(line, "gap") == 0)
		p->gap = true;
	else if (strncmp(line, "also ", 5) == 0 && p->out.also_count < TRANSCRIPT_ALSO)
		snprintf(p->out.also[p->out.also_count++], FINDING_PROTOCOL_BYTES, "%s", line + 5);
	else
		complain(p, "not understood", line);
}

struct transcript transcript_read(const char *path)
{
	struct parser p = { .path = path };
	char *line = NULL;
	size_t room = 0;
	FILE *in = fopen(path, "r");

	if (!in)
		complain(&p, "can't be opened", path);
	while (getline(&line, &room, in) > 0) {
		p.line++;
		parse_line(&p, line);
	}
	free(line);
	fclose(in);
	for (size_t i = 0; i < p.out.count; i++)
		if (p.out.flows[i].count == 0)
			complain(&p, "a flow in which nobody says a thing", "");
	if (p.out.count == 0)
		complain(&p, "holds no flow", "");
	return p.out;
}

void transcript_free(struct transcript *t)
{
	for (size_t i = 0; i < t->count; i++) {
		for (size_t j = 0; j < t->flows[i].count; j++)
			free(t->flows[i].segments[j].bytes);
		free(t->flows[i].segments);
	}
	free(t->flows);
}
