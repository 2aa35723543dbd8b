/* The holes of a rule: declared with a source and a range, typed by their first use, all used. */
#include "active/ruleset/build.h"

#include <string.h>

/* 100 ns since 1601: the years 1970 to 2262, beyond which no clock of ours reaches. */
#define CLOCK_LOW UINT64_C(116444736000000000)
#define CLOCK_HIGH UINT64_C(208640000000000000)

/* 2020, in seconds since 1970: before it no clock of ours stands. */
enum { SECONDS_LOW = 1577836800, NETID_SHORTEST = 11, NETID_LONGEST = 23, TITLE_SHORTEST = 3, TITLE_LONGEST = 60 };

void build_holes(struct building *b)
{
	for (size_t i = 0; i < b->raw->holes_count; i++) {
		const struct hole_file *raw = &b->raw->holes[i];
		struct hole *h = &b->holes[i];

		trim_end(raw->meaning);
		*h = (struct hole){
			.name = raw->name,
			.meaning = raw->meaning,
			.text = raw->text,
			.line = line_in(b, "holes[%zu]", i),
			.source = (uint8_t)raw->by,
			.type = VALUE_TYPES,
			.has_value = raw->value != NULL,
			.low = raw->from ? *raw->from : 0,
			.high = raw->to ? *raw->to : 0,
			.value = raw->value ? *raw->value : 0,
			.values_count = (uint8_t)raw->values_count,
		};
		for (uint32_t n = 0; n < raw->values_count; n++)
			h->values[n] = raw->values[n];
		if (!is_word(h->name, "_"))
			wrong(b, h->line, "hole '%s': a name is made of a-z, 0-9 and '_'", h->name);
		for (size_t n = 0; n < i; n++)
			if (strcmp(b->holes[n].name, h->name) == 0)
				wrong(b, h->line, "hole '%s' is declared twice", h->name);
	}
}

static uint64_t most_of(const struct hole *h)
{
	unsigned int bits = 8 * h->width;

	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static void check_range(const struct building *b, const struct hole_file *raw, const struct hole *h, uint64_t most)
{
	if (!raw->from || !raw->to)
		wrong(b, h->line, "hole '%s' has no range; add from and to", h->name);
	else if (h->low > h->high || h->high > most)
		wrong(b, h->line, "hole '%s': the range %llu to %llu is upside down or beyond %llu", h->name,
		      (unsigned long long)h->low, (unsigned long long)h->high, (unsigned long long)most);
	else if (h->has_value && h->source != HOLE_REPLY && (h->value < h->low || h->value > h->high))
		wrong(b, h->line, "hole '%s': the value %llu is outside its range", h->name, (unsigned long long)h->value);
	else if (h->has_value && h->value > most)
		wrong(b, h->line, "hole '%s': the value %llu does not fit its type", h->name, (unsigned long long)h->value);
}

static void check_text(const struct building *b, const struct hole_file *raw, const struct hole *h)
{
	size_t n = h->text ? strlen(h->text) : 0;

	if (h->source != HOLE_TARGET && h->source != HOLE_ORDER && h->source != HOLE_SEEN)
		wrong(b, h->line, "hole '%s': text comes by target, by order or seen", h->name);
	if (h->source == HOLE_SEEN && h->text)
		wrong(b, h->line, "hole '%s': a value by seen is not given beforehand; take it out", h->name);
	if (h->text && !text_encode((enum text_form)h->form, (const uint8_t *)h->text, n, NULL, NULL))
		wrong(b, h->line, "hole '%s': its text is not one of numbers with dots in the form that its type asks for", h->name);
	if (h->form == FORM_NETID && (h->low < NETID_SHORTEST || h->high > NETID_LONGEST))
		wrong(b, h->line, "hole '%s': a netid has %d to %d characters", h->name, NETID_SHORTEST, NETID_LONGEST);
	if (h->form == FORM_TITLE && (h->low < TITLE_SHORTEST || h->high > TITLE_LONGEST))
		wrong(b, h->line, "hole '%s': a title has %d to %d characters", h->name, TITLE_SHORTEST, TITLE_LONGEST);
	if (h->source == HOLE_TARGET && strcmp(h->name, "host") != 0 && strcmp(h->name, "port") != 0)
		wrong(b, h->line, "hole '%s': by target there are host and port", h->name);
	if (raw->value || raw->values_count)
		wrong(b, h->line, "hole '%s' is text; give its default as text", h->name);
	check_range(b, raw, h, RULE_TEXT_BYTES);
	if (h->text && (n < h->low || n > h->high))
		wrong(b, h->line, "hole '%s': its text is shorter or longer than from and to allow", h->name);
	for (size_t i = 0; i < n; i++)
		if (h->text[i] < 0x20 || h->text[i] > 0x7e)
			wrong(b, h->line, "hole '%s': its text holds something else than printable ASCII", h->name);
	if (h->source == HOLE_ORDER && !h->text)
		wrong(b, h->line, "hole '%s' comes by order; give the text that is used when the analyst states none", h->name);
}

static void check_list(const struct building *b, const struct hole_file *raw, struct hole *h)
{
	if (h->values_count == 0)
		wrong(b, h->line, "hole '%s' comes from a list; give its values", h->name);
	if (raw->from || raw->to || raw->value)
		wrong(b, h->line, "hole '%s' comes from a list; from, to and value have no sense there", h->name);
	for (size_t i = 0; i < h->values_count; i++) {
		if (h->values[i] > most_of(h))
			wrong(b, h->line, "hole '%s': the value %llu does not fit its type", h->name,
			      (unsigned long long)h->values[i]);
		for (size_t n = 0; n < i; n++)
			if (h->values[n] == h->values[i])
				wrong(b, h->line, "hole '%s': the value %llu stands twice", h->name,
				      (unsigned long long)h->values[i]);
	}
}

static bool is_carried(const struct building *b, size_t hole)
{
	for (size_t i = 0; i < b->rule->steps_count; i++)
		for (size_t n = 0; n < b->steps[i].carries_count; n++)
			if (b->steps[i].carries[n].hole == hole)
				return true;
	return false;
}

/* Numbers that the addresses of a connection give: host as u32be, port as u16be. */
static void check_address(const struct building *b, const struct hole_file *raw, struct hole *h)
{
	bool own = h->source == HOLE_OWN;
	const char *host = own ? "own_host" : "host", *port = own ? "own_port" : "port";

	if (!(strcmp(h->name, host) == 0 && h->type == VALUE_U32BE) && !(strcmp(h->name, port) == 0 && h->type == VALUE_U16BE))
		wrong(b, h->line, "hole '%s': by %s there are the numbers {%s:u32be} and {%s:u16be}", h->name,
		      hole_source_name((enum hole_source)h->source), host, port);
	if (raw->from || raw->to || raw->value || raw->text || raw->values_count)
		wrong(b, h->line, "hole '%s': an address has neither range nor value; take them out", h->name);
	h->low = 0;
	h->high = most_of(h);
}

static void check_number(const struct building *b, size_t i, struct hole *h)
{
	const struct hole_file *raw = &b->raw->holes[i];

	if (h->source == HOLE_CLOCK) {
		if (raw->from || raw->to || raw->value || (h->type != VALUE_U64LE && h->type != VALUE_U32BE))
			wrong(b, h->line, "hole '%s': the clock is u64le or u32be and has no range", h->name);
		h->low = h->type == VALUE_U64LE ? CLOCK_LOW : SECONDS_LOW;
		h->high = h->type == VALUE_U64LE ? CLOCK_HIGH : UINT32_MAX;
		return;
	}
	if (h->source == HOLE_TARGET || h->source == HOLE_OWN) {
		check_address(b, raw, h);
		return;
	}
	if (raw->text || raw->values_count)
		wrong(b, h->line, "hole '%s' is a number; text and values have no sense there", h->name);
	check_range(b, raw, h, most_of(h));
	if (h->source == HOLE_ORDER && !raw->value)
		wrong(b, h->line, "hole '%s' comes by order; give the value that is used when the analyst states none", h->name);
	if ((h->source == HOLE_SEEN || h->source == HOLE_FRESH || h->source == HOLE_COUNTER) && raw->value)
		wrong(b, h->line, "hole '%s': a value by %s is not given beforehand; take it out", h->name,
		      hole_source_name((enum hole_source)h->source));
	if (h->source == HOLE_REPLY && !is_carried(b, i))
		wrong(b, h->line, "hole '%s' comes by reply, and no step carries it", h->name);
}

void check_holes(const struct building *b)
{
	for (size_t i = 0; i < b->raw->holes_count; i++) {
		const struct hole_file *raw = &b->raw->holes[i];
		struct hole *h = &b->holes[i];

		if (h->type == VALUE_TYPES && b->unread)
			continue;
		if (h->type == VALUE_TYPES)
			wrong(b, h->line, "hole '%s' is used by no step; take it out", h->name);
		else if (h->type == VALUE_TEXT)
			check_text(b, raw, h);
		else if (h->type == VALUE_BYTES && (h->source != HOLE_FRESH || raw->from || raw->to || raw->value || raw->text))
			wrong(b, h->line, "hole '%s': bytes come fresh and have neither range nor value", h->name);
		else if (h->source == HOLE_LIST)
			check_list(b, raw, h);
		else if (h->type != VALUE_BYTES)
			check_number(b, i, h);
		if (h->type == VALUE_TEXT)
			h->width = (uint8_t)h->high;
	}
}
