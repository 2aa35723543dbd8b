/* The bytes of a rule's messages as people read them: offset, hex, what it is, and where a value comes from. */
#include "active/guard/guard.h"
#include "active/ruleset/script.h"
#include "sensor/ctl/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BYTES_A_LINE = 8, ORIGIN_BYTES = 200, HEX_BYTES = 3 * BYTES_A_LINE + 1 };

struct showing {
	const struct rule *rule;
	const struct step *step;
	struct filling fillings[RULE_HOLES];
	bool known[RULE_HOLES];
	bool unknown_before; /* a part whose value is open was shown: a checksum over it is open too */
	uint8_t bytes[RULE_MESSAGE_BYTES];
	size_t len;
	int indent;
	FILE *to;
};

/* A value is known beforehand when it is the default of an order, stands in a list or comes from a stated target. */
static void fill_known(struct showing *s, const struct explain_target *target)
{
	rule_defaults(s->rule, s->fillings);
	for (size_t i = 0; i < s->rule->holes_count; i++) {
		const struct hole *h = &s->rule->holes[i];

		s->known[i] = h->source == HOLE_ORDER || h->source == HOLE_LIST || h->source == HOLE_COUNTER;
		if (h->source == HOLE_TARGET && target->host[0])
			s->known[i] = hole_fill_target(h, target->host, target->port, &s->fillings[i]);
	}
}

static void describe_range(const struct hole *h, char *text, size_t room)
{
	size_t n = 0;

	text[0] = '\0';
	if (h->source == HOLE_LIST) {
		for (size_t i = 0; i < h->values_count && n < room; i++)
			n += (size_t)snprintf(text + n, room - n, "%s%" PRIu64, i ? "," : "", h->values[i]);
	} else if (h->type == VALUE_TEXT) {
		snprintf(text, room, "%" PRIu64 " to %" PRIu64 " characters", h->low, h->high);
	} else if (h->type == VALUE_BYTES) {
		snprintf(text, room, "%u bytes", h->width);
	} else if (h->source != HOLE_CLOCK) {
		snprintf(text, room, "%" PRIu64 " to %" PRIu64, h->low, h->high);
	}
}

static const char *origin_of(const struct showing *s, const struct part *p, char *text, size_t room)
{
	const struct hole *h;

	text[0] = '\0';
	if (p->kind == PART_LENGTH) {
		snprintf(text, room, "computed");
	} else if (p->kind == PART_CRC) {
		snprintf(text, room, "computed: %s", checksum_name((enum checksum)p->type));
	} else if (p->kind == PART_HOLE) {
		h = &s->rule->holes[p->hole];
		snprintf(text, room, "{%s} by %s", h->name, hole_source_name((enum hole_source)h->source));
	}
	return text;
}

static bool is_open(struct showing *s, const struct part *p)
{
	bool open = p->kind == PART_HOLE && !s->known[p->hole];

	/* The length of an open text is open; all other lengths are the same for every value. */
	if (p->kind == PART_LENGTH)
		for (size_t i = 0; i < s->rule->holes_count; i++)
			open |= s->rule->holes[i].type == VALUE_TEXT && !s->known[i];
	if (p->kind == PART_CRC)
		open = s->unknown_before;
	s->unknown_before = p->kind == PART_CRC ? false : s->unknown_before || open;
	return open;
}

/* The first message tells where a counter starts; where it stands later depends on what came before. */
static void forget_counters(struct showing *s)
{
	for (size_t i = 0; i < s->step->send.count; i++) {
		const struct part *p = &s->step->send.parts[i];

		if (p->kind == PART_HOLE && s->rule->holes[p->hole].source == HOLE_COUNTER)
			s->known[p->hole] = false;
	}
}

/* One part, eight bytes to a line; the words stand beside its first line. */
static void show_part(struct showing *s, const struct part *p, size_t at, size_t len, const char *label)
{
	char origin[ORIGIN_BYTES];
	bool open = is_open(s, p);
	size_t shown = len ? len : 1;

	origin_of(s, p, origin, sizeof origin);
	for (size_t from = 0; from < shown; from += BYTES_A_LINE) {
		char hex[HEX_BYTES] = "";
		size_t n = 0;

		for (size_t i = from; i < len && i < from + BYTES_A_LINE; i++)
			n += (size_t)snprintf(hex + n, sizeof hex - n, open ? "%s.." : "%s%02x", n ? " " : "",
					      s->bytes[at + i]);
		if (from || (!label[0] && !origin[0]))
			fprintf(s->to, "%*s%4zu  %s\n", s->indent, "", at + from, hex);
		else
			fprintf(s->to, "%*s%4zu  %-*s %s%s%s\n", s->indent, "", at, HEX_BYTES, hex, label,
				label[0] && origin[0] ? "  " : "", origin);
	}
}

static void show_message(struct showing *s)
{
	const struct template *t = &s->step->send;
	size_t at = 0;
	uint16_t before = 0;

	s->unknown_before = false;
	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];
		size_t len = part_length(p, s->fillings);
		bool repeated = p->label && p->label == before;

		show_part(s, p, at, len, p->label && !repeated ? t->labels + p->label : "");
		before = p->label;
		at += len;
	}
}

static void show_guard(struct showing *s)
{
	struct guard_answer a = rule_guard(s->rule, s->bytes, s->len);

	fprintf(s->to, "%*sthe guard %s it: %s\n", s->indent, "", a.allowed ? "reads" : "refuses", a.allowed ? a.reading : a.why);
}

static void show_pattern(const struct showing *s, const struct template *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];

		for (size_t n = 0; p->kind == PART_BYTES && n < p->len; n++)
			fprintf(s->to, " %02x", t->bytes[p->at + n]);
		for (size_t n = 0; p->kind == PART_ANY && n < p->len; n++)
			fputs(" ..", s->to);
		if (p->kind == PART_HOLE)
			fprintf(s->to, " {%s}", s->rule->holes[p->hole].name);
	}
}

static void show_end(const struct showing *s, const struct reply *r)
{
	switch ((enum reply_end)r->ends) {
	case REPLY_LENGTH:
		fprintf(s->to, "its length is the %s-endian number of %u byte%s at %u", r->little ? "little" : "big", r->width,
			r->width == 1 ? "" : "s", r->offset);
		if (r->add)
			fprintf(s->to, ", plus %d", r->add);
		break;
	case REPLY_DELIMITER:
		fputs("it ends with", s->to);
		for (size_t i = 0; i < r->delimiter_bytes; i++)
			fprintf(s->to, " %02x", r->delimiter[i]);
		break;
	case REPLY_DATAGRAM:
		fputs("it is one packet", s->to);
		break;
	case REPLY_DNP3:
		fputs("it ends with the last link frame of a fragment", s->to);
		break;
	case REPLY_IDLE:
		fprintf(s->to, "it ends when nothing more came for %u ms", r->idle_ms);
		break;
	case REPLY_CLOSE:
		fputs("it ends when the device closes", s->to);
		break;
	case REPLY_NONE:
	case REPLY_ENDS:
		break;
	}
}

static void show_reply(const struct showing *s)
{
	static const char *const otherwises[] = { "the run ends", "the next step follows",
						  "other packets are passed over; without one in time the run ends" };
	const struct reply *r = &s->step->reply;

	if (r->ends == REPLY_NONE) {
		fprintf(s->to, "%*sno reply is waited for\n", s->indent, "");
		return;
	}
	fprintf(s->to, "%*sreply:", s->indent, "");
	if (r->begins.count) {
		fputs(" begins", s->to);
		show_pattern(s, &r->begins);
		fputc(';', s->to);
	}
	fputc(' ', s->to);
	show_end(s, r);
	fprintf(s->to, "; at most %u bytes are taken\n", r->at_most);
	fprintf(s->to, "%*selse: %s\n", s->indent, "", otherwises[r->otherwise]);
	for (size_t i = 0; i < s->step->carries_count; i++)
		fprintf(s->to, "%*s{%s} is taken from the reply's byte %u on\n", s->indent, "",
			s->rule->holes[s->step->carries[i].hole].name, s->step->carries[i].offset);
}

static void show_rounds(const struct showing *s)
{
	const struct step *step = s->step;

	if (step->has_while)
		fprintf(s->to, "%*sonly while the last reply's byte %u is 0x%02x, at most %u times\n", s->indent, "",
			step->while_offset, step->while_byte, step->rounds);
	if (step->over == WHOLE_MESSAGE)
		return;
	fprintf(s->to, "%*sonce for each %s, at most %u times", s->indent, "", s->rule->holes[step->over].name, step->rounds);
	if (step->pause_ms)
		fprintf(s->to, ", %u ms apart", step->pause_ms);
	if (step->stop_after_silent)
		fprintf(s->to, "; ends after %u without an answer", step->stop_after_silent);
	fputc('\n', s->to);
}

static void show_step(struct showing *s, size_t i)
{
	s->step = &s->rule->steps[i];
	fprintf(s->to, "\n%*sstep %zu, %s: %s\n", s->indent, "", i + 1, s->step->name, s->step->says);
	s->indent += 2;
	show_rounds(s);
	if (s->step->listens) {
		fprintf(s->to, "%*snothing is sent\n", s->indent, "");
	} else if (rule_render(s->rule, i, s->fillings, s->bytes, &s->len)) {
		show_message(s);
		show_guard(s);
		forget_counters(s);
	} else {
		fprintf(s->to, "%*sthese values can't be rendered\n", s->indent, "");
	}
	show_reply(s);
	s->indent -= 2;
}

static void show_holes(const struct showing *s)
{
	if (s->rule->holes_count)
		fprintf(s->to, "\n%*svalues, the rest is fixed:\n", s->indent, "");
	for (size_t i = 0; i < s->rule->holes_count; i++) {
		const struct hole *h = &s->rule->holes[i];
		char range[ORIGIN_BYTES], value[64] = "";

		describe_range(h, range, sizeof range);
		if (h->text)
			snprintf(value, sizeof value, ", %.32s unless stated", h->text);
		else if (h->has_value)
			snprintf(value, sizeof value, ", %" PRIu64 " unless stated", h->value);
		fprintf(s->to, "%*s{%s} %s%s%s%s: %s\n", s->indent + 2, "", h->name, hole_source_name((enum hole_source)h->source),
			range[0] ? ", " : "", range, value, h->meaning);
	}
}

void explain_steps(const struct rule *rule, const struct explain_target *target, int indent, FILE *to)
{
	struct showing s = { .rule = rule, .indent = indent, .to = to };

	fill_known(&s, target);
	show_holes(&s);
	for (size_t i = 0; i < rule->steps_count; i++)
		show_step(&s, i);
}
