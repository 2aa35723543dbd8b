/* Builds a rule from the words of its file: heads, ports, attributes; its holes and steps elsewhere. */
#include "active/ruleset/build.h"

#include "active/guard/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_BYTES = 400, PLACE_BYTES = 120 };

void wrong(const struct building *b, uint32_t line, const char *format, ...)
{
	char sentence[SENTENCE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	mistake_at(b->m, yaml_file_path(b->file), line, "rule '%s': %s", b->raw->name, sentence);
}

uint32_t line_in(const struct building *b, const char *format, ...)
{
	char place[PLACE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(place, sizeof(place), format, args);
	va_end(args);
	return yaml_file_line(b->file, "rules[%zu].%s", b->index, place);
}

void trim_end(char *text)
{
	size_t n = text ? strlen(text) : 0;

	while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
}

bool is_word(const char *s, const char *more)
{
	if (*s == '\0')
		return false;
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && !strchr(more, *s))
			return false;
	return true;
}

static bool build_destination(struct building *b, const char *text)
{
	unsigned int byte[6];
	int used = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5], &used) != 6 ||
	    text[used] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(byte) / sizeof(byte[0]); i++)
		b->rule->destination[i] = (uint8_t)byte[i];
	b->rule->multicast = true;
	return byte[0] & 1;
}

/* A layer-2 rule has an ethertype and perhaps a group to speak to; the others have ports. */
static void build_place(struct building *b)
{
	const struct rule_file *raw = b->raw;

	if (raw->reply_port != REPLY_PORT_SERVICE && raw->transport != TRANSPORT_UDP)
		wrong(b, line_in(b, "reply_port"), "replies come from another port over udp alone; take out reply_port");
	if (raw->transport == TRANSPORT_ETHERNET) {
		if (raw->ports_count)
			wrong(b, line_in(b, "ports"), "a frame of its own ethertype has no port; take out ports");
		if (raw->ethertype < 0x0600)
			wrong(b, line_in(b, "ethertype"), "needs the ethertype that its frames carry, 0x0600 or above");
		b->rule->ethertype = raw->ethertype;
		if (raw->destination && !build_destination(b, raw->destination))
			wrong(b, line_in(b, "destination"),
			      "'%s' is no group address; leave it out to ask the target alone", raw->destination);
		return;
	}
	if (raw->ethertype || raw->destination)
		wrong(b, line_in(b, raw->ethertype ? "ethertype" : "destination"),
		      "over %s there is neither an ethertype nor a destination to choose", transport_name(raw->transport));
	if (raw->ports_count == 0)
		wrong(b, line_in(b, "name"), "has no ports; name the usual ones");
	for (uint32_t i = 0; i < raw->ports_count; i++) {
		if (raw->ports[i] == 0)
			wrong(b, line_in(b, "ports[%u]", i), "0 is no port");
		if (guard_port_prints(raw->ports[i]))
			wrong(b, line_in(b, "ports[%u]", i), "port %u prints whatever it gets; nothing may be sent to it",
			      raw->ports[i]);
		b->rule->ports[i] = raw->ports[i];
	}
	b->rule->ports_count = (uint8_t)raw->ports_count;
}

static void build_fills(struct building *b)
{
	struct rule *rule = b->rule;

	for (uint32_t i = 0; i < b->raw->fills_count; i++) {
		enum attribute a = attribute_of_name(b->raw->fills[i]);

		if (a == ATTR_NONE)
			wrong(b, line_in(b, "fills[%u]", i), "'%s' is no attribute; classifiers/finding/attribute.c has the list",
			      b->raw->fills[i]);
		else if (rule_fills(rule, a))
			wrong(b, line_in(b, "fills[%u]", i), "'%s' stands twice", b->raw->fills[i]);
		else
			rule->fills[rule->fills_count++] = (uint8_t)a;
	}
}

static bool is_guarded(const char *protocol)
{
	return guard_knows(protocol, TRANSPORT_TCP) || guard_knows(protocol, TRANSPORT_UDP) ||
	       guard_knows(protocol, TRANSPORT_ETHERNET);
}

static void build_seen(struct building *b)
{
	for (uint32_t i = 0; i < b->raw->must_have_seen_count; i++) {
		const char *seen = b->raw->must_have_seen[i];

		if (!is_guarded(seen))
			wrong(b, line_in(b, "must_have_seen[%u]", i), "'%s' is no protocol that can be asked", seen);
		b->rule->seen[i] = seen;
	}
	b->rule->seen_count = (uint8_t)b->raw->must_have_seen_count;
}

static void check_name(const struct building *b)
{
	const char *name = b->raw->name, *protocol = b->probe->protocol;
	size_t n = strlen(protocol);

	if (!is_word(name, "-_"))
		wrong(b, line_in(b, "name"), "a name is made of a-z, 0-9, '_' and '-'");
	else if (strncmp(name, protocol, n) != 0 || (name[n] != '\0' && name[n] != '-'))
		wrong(b, line_in(b, "name"), "a rule's name is its protocol's or begins with '%s-'", protocol);
	if (is_guarded(protocol) && !guard_knows(protocol, b->raw->transport))
		wrong(b, line_in(b, "transport"), "the guard has no list for %s over %s", protocol,
		      transport_name(b->raw->transport));
}

void build_rule(struct building *b)
{
	const struct rule_file *raw = b->raw;
	unsigned int before = b->m->count;

	trim_end(raw->why);
	trim_end(raw->notes);
	*b->rule = (struct rule){
		.name = raw->name,
		.protocol = b->probe->protocol,
		.file = yaml_file_path(b->file),
		.why = raw->why,
		.notes = raw->notes ? raw->notes : "",
		.line = yaml_file_line(b->file, "rules[%zu]", b->index),
		.transport = (uint8_t)raw->transport,
		.risk = (uint8_t)raw->risk,
		.reply_port = (uint8_t)raw->reply_port,
		.sub_assets = raw->sub_assets,
		.session = raw->session,
		.max_packets = raw->max_packets,
		.max_bytes = raw->max_bytes,
		.timeout_ms = raw->timeout_ms,
		.holes_count = (uint8_t)raw->holes_count,
		.steps_count = (uint8_t)raw->steps_count,
		.holes = b->holes,
		.steps = b->steps,
	};
	check_name(b);
	build_place(b);
	build_seen(b);
	build_fills(b);
	build_holes(b);
	build_steps(b);
	check_holes(b);
	check_rule(b);
	if (b->m->count != before)
		return;
	check_bounds(b);
	if (!b->unsent)
		check_guard(b);
}
