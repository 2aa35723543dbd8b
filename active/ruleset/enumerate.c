/* Goes through what a step can render: the values of its holes one at a time, and all at their ends. */
#include "active/ruleset/script.h"

#include <string.h>

enum { EVERY_VALUE = 256, SPREAD = 32 };

/* Numbers with dots, as many characters as asked: six of them, or a title that begins with 1.3. */
static void fill_numbers(const struct hole *h, struct filling *f, size_t len)
{
	size_t shortest = h->form == FORM_NETID ? 11 : 3, spare = len > shortest ? len - shortest : 0;
	size_t n = 0;

	for (int i = 0; h->form == FORM_NETID && i < 6 && n + 2 <= RULE_TEXT_BYTES; i++) {
		size_t more = spare < 2 ? spare : 2;

		if (i)
			f->bytes[n++] = '.';
		for (size_t digit = 0; digit <= more; digit++)
			f->bytes[n++] = '1';
		spare -= more;
	}
	for (size_t i = 0; h->form == FORM_TITLE && i < len && i < RULE_TEXT_BYTES; i++)
		f->bytes[n++] = i % 2 && i + 1 < len ? '.' : i == 2 ? '3' : '1';
	f->len = (uint8_t)n;
}

static void fill_text(const struct hole *h, struct filling *f, uint64_t len)
{
	if (h->form != FORM_PLAIN) {
		fill_numbers(h, f, (size_t)len);
		return;
	}
	/* A target's text is an address or a port; any other may be printable text. */
	uint8_t letter = h->source == HOLE_TARGET ? '1' : 'a';

	f->len = (uint8_t)len;
	memset(f->bytes, letter, len);
}

static void fill_default(const struct hole *h, struct filling *f)
{
	*f = (struct filling){ .number = h->low };
	if (h->type == VALUE_BYTES) {
		f->len = h->width;
	} else if (h->type == VALUE_TEXT && h->text) {
		f->len = (uint8_t)strnlen(h->text, RULE_TEXT_BYTES);
		memcpy(f->bytes, h->text, f->len);
	} else if (h->type == VALUE_TEXT) {
		fill_text(h, f, h->low);
	} else if (h->source == HOLE_LIST) {
		f->number = h->values[0];
	} else if (h->has_value) {
		f->number = h->value;
	}
}

void rule_defaults(const struct rule *rule, struct filling fillings[RULE_HOLES])
{
	for (size_t i = 0; i < rule->holes_count; i++)
		fill_default(&rule->holes[i], &fillings[i]);
}

static void fill_end(const struct hole *h, struct filling *f, bool high)
{
	if (h->type == VALUE_TEXT)
		fill_text(h, f, high ? h->high : h->low);
	else if (h->type == VALUE_BYTES)
		memset(f->bytes, high ? 0xff : 0x00, h->width);
	else if (h->source == HOLE_LIST)
		f->number = high ? h->values[h->values_count - 1] : h->values[0];
	else
		f->number = high ? h->high : h->low;
}

struct tour {
	const struct rule *rule;
	size_t step;
	script_see *see;
	void *context;
	struct filling fillings[RULE_HOLES];
};

static bool show(struct tour *t)
{
	uint8_t bytes[RULE_MESSAGE_BYTES];
	size_t len = 0;

	if (!rule_render(t->rule, t->step, t->fillings, bytes, &len))
		return t->see(t->context, t->rule, t->step, t->fillings, NULL, 0);
	return t->see(t->context, t->rule, t->step, t->fillings, bytes, len);
}

static bool show_number(struct tour *t, struct filling *f, uint64_t number)
{
	f->number = number;
	return show(t);
}

static bool tour_numbers(struct tour *t, const struct hole *h, struct filling *f)
{
	uint64_t span = h->high - h->low;

	if (h->source == HOLE_LIST) {
		for (size_t i = 0; i < h->values_count; i++)
			if (!show_number(t, f, h->values[i]))
				return false;
		return true;
	}
	if (span < EVERY_VALUE) {
		for (uint64_t n = 0; n <= span; n++)
			if (!show_number(t, f, h->low + n))
				return false;
		return true;
	}
	for (uint64_t n = 0; n <= SPREAD; n++)
		if (!show_number(t, f, h->low + span / SPREAD * n))
			return false;
	return show_number(t, f, h->low + 1) && show_number(t, f, h->high - 1) && show_number(t, f, h->high);
}

static bool tour_hole(struct tour *t, size_t i)
{
	const struct hole *h = &t->rule->holes[i];
	struct filling *f = &t->fillings[i];
	struct filling before = *f;
	bool go_on;

	if (h->type < VALUE_BYTES) {
		go_on = tour_numbers(t, h, f);
	} else {
		fill_end(h, f, false);
		go_on = show(t);
		fill_end(h, f, true);
		go_on = go_on && show(t);
	}
	*f = before;
	return go_on;
}

static bool uses_hole(const struct template *t, size_t hole)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->parts[i].kind == PART_HOLE && t->parts[i].hole == hole)
			return true;
	return false;
}

bool rule_enumerate(const struct rule *rule, size_t step, script_see *see, void *context)
{
	struct tour t = { rule, step, see, context, { { .number = 0 } } };

	if (rule->steps[step].listens)
		return true;
	rule_defaults(rule, t.fillings);
	if (!show(&t))
		return false;
	for (size_t i = 0; i < rule->holes_count; i++)
		if (uses_hole(&rule->steps[step].send, i) && !tour_hole(&t, i))
			return false;
	for (int high = 0; high <= 1; high++) {
		for (size_t i = 0; i < rule->holes_count; i++)
			fill_end(&rule->holes[i], &t.fillings[i], high);
		if (!show(&t))
			return false;
	}
	return true;
}
