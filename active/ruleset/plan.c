/* Writes and reads the parameters of plans. */
#include "active/ruleset/plan.h"

#include "active/ruleset/plan_parts.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool plan_refuse(char why[PLAN_WHY_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, PLAN_WHY_BYTES, format, args);
	va_end(args);
	return false;
}

/* Those whose values an approval states: the rest is in the rule or comes by reply. */
static bool is_stated(const struct hole *h)
{
	return h->source != HOLE_LIST && !hole_is_open(h);
}

bool plan_sweeps(const struct rule *rule, const struct hole *h)
{
	return rule->address && strcmp(rule->address, h->name) == 0;
}

/* Most values that the rule lets an order sweep. */
static size_t most_swept(const struct rule *rule)
{
	size_t most = HOLE_VALUES;

	for (size_t i = 0; i < rule->steps_count; i++) {
		const struct step *s = &rule->steps[i];

		if (s->over != WHOLE_MESSAGE && rule->holes[s->over].source != HOLE_LIST && s->rounds < most)
			most = s->rounds;
	}
	return most;
}

struct writing {
	char *out;
	size_t len, room;
	bool full;
};

static void put(struct writing *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct writing *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->out + w->len, w->room - w->len, format, args);
	va_end(args);
	w->full |= n < 0 || (size_t)n >= w->room - w->len;
	w->len = w->full ? w->len : w->len + (size_t)n;
}

static void put_text(struct writing *w, const struct filling *f)
{
	for (size_t i = 0; i < f->len; i++) {
		uint8_t c = f->bytes[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr(".:-_[]", c)))
			put(w, "%c", c);
		else
			put(w, "%%%02x", c);
	}
}

static void put_value(struct writing *w, const struct plan *plan, size_t i)
{
	const struct hole *h = &plan->rule->holes[i];
	const struct filling *f = &plan->fillings[i];

	if (plan_sweeps(plan->rule, h))
		for (size_t n = 0; n < plan->swept_count; n++)
			put(w, "%s%" PRIu64, n ? "," : "", plan->swept[n]);
	else if (h->type == VALUE_TEXT)
		put_text(w, f);
	else if (h->type == VALUE_BYTES)
		for (size_t n = 0; n < f->len; n++)
			put(w, "%02x", f->bytes[n]);
	else
		put(w, "%" PRIu64, f->number);
}

bool plan_parameters(const struct plan *plan, char *out, size_t room)
{
	struct writing w = { out, 0, room, room == 0 };

	if (room)
		out[0] = '\0';
	for (size_t i = 0; i < plan->rule->holes_count && !w.full; i++) {
		if (!is_stated(&plan->rule->holes[i]))
			continue;
		put(&w, "%s%s=", w.len ? " " : "", plan->rule->holes[i].name);
		put_value(&w, plan, i);
	}
	return !w.full;
}

/* Decimal or 0x-hex, wholly. */
bool plan_read_number(const char *text, size_t n, uint64_t *number)
{
	bool hex = n > 2 && text[0] == '0' && text[1] == 'x';
	uint64_t base = hex ? 16 : 10, value = 0;

	for (size_t i = hex ? 2 : 0; i < n; i++) {
		const char *digits = "0123456789abcdef", *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit || (uint64_t)(digit - digits) >= base || value > (UINT64_MAX - 15) / base)
			return false;
		value = value * base + (uint64_t)(digit - digits);
	}
	*number = value;
	return n > 0;
}

static bool fits_number(const struct hole *h, uint64_t number)
{
	return number >= h->low && number <= h->high;
}

/* Takes %XX back; the exact form is checked by writing it anew. */
static bool read_text(const char *text, size_t n, struct filling *f)
{
	f->len = 0;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (f->len == RULE_TEXT_BYTES)
			return false;
		if (c == '%') {
			if (n - i < 3 || sodium_hex2bin((unsigned char *)&c, 1, text + i + 1, 2, NULL, NULL, NULL) != 0)
				return false;
			i += 2;
		}
		f->bytes[f->len++] = (uint8_t)c;
	}
	return true;
}

bool plan_fits_text(const struct hole *h, const struct filling *f)
{
	for (size_t i = 0; i < f->len; i++)
		if (f->bytes[i] < 0x20 || f->bytes[i] > 0x7e)
			return false;
	return f->len >= h->low && f->len <= h->high && text_encode((enum text_form)h->form, f->bytes, f->len, NULL, NULL);
}

bool plan_read_value(const struct hole *h, const char *text, size_t n, struct filling *f)
{
	size_t len = 0;

	*f = (struct filling){ .number = 0 };
	if (h->type == VALUE_TEXT)
		return read_text(text, n, f) && plan_fits_text(h, f);
	if (h->type == VALUE_BYTES) {
		if (n != 2 * (size_t)h->width || sodium_hex2bin(f->bytes, sizeof(f->bytes), text, n, NULL, &len, NULL) != 0 || len != h->width)
			return false;
		f->len = h->width;
		return true;
	}
	return plan_read_number(text, n, &f->number) && fits_number(h, f->number);
}

bool plan_sweep_add(struct plan *plan, const struct hole *h, uint64_t number)
{
	if (!fits_number(h, number) || plan->swept_count >= most_swept(plan->rule))
		return false;
	for (size_t i = 0; i < plan->swept_count; i++)
		if (plan->swept[i] == number)
			return false;
	plan->swept[plan->swept_count++] = number;
	return true;
}

static bool read_sweep(struct plan *plan, const struct hole *h, const char *text, size_t n)
{
	const char *end = text + n;

	while (text <= end) {
		size_t len = strcspn(text, ", ");
		uint64_t number;

		if (!plan_read_number(text, len, &number) || !plan_sweep_add(plan, h, number))
			return false;
		text += len + 1;
	}
	return plan->swept_count > 0;
}

static bool see_any(void *context, const struct plan *plan, const struct plan_message *m)
{
	(void)context;
	(void)plan;
	return m->len > 0;
}

bool plan_renders(const struct plan *plan)
{
	return plan_messages(plan, see_any, NULL);
}

static bool read_hole(struct plan *plan, size_t i, const char **text, char why[PLAN_WHY_BYTES])
{
	const struct hole *h = &plan->rule->holes[i];
	size_t name = strlen(h->name), len;

	if (strncmp(*text, h->name, name) != 0 || (*text)[name] != '=')
		return plan_refuse(why, "the parameters of %s name no '%s' where it belongs", plan->rule->name, h->name);
	*text += name + 1;
	len = strcspn(*text, " ");
	if (plan_sweeps(plan->rule, h)) {
		if (!read_sweep(plan, h, *text, len))
			return plan_refuse(why, "the values of '%s' are not 1 to %zu different ones from %" PRIu64 " to %" PRIu64, h->name,
				      most_swept(plan->rule), h->low, h->high);
		plan->fillings[i].number = plan->swept[0];
	} else if (!plan_read_value(h, *text, len, &plan->fillings[i])) {
		return plan_refuse(why, "the value of '%s' is none that %s allows", h->name, plan->rule->name);
	}
	*text += len;
	if (**text == ' ' && (*text)[1])
		(*text)++;
	return true;
}

bool plan_read(struct plan *plan, const struct rule *rule, const char *parameters, char why[PLAN_WHY_BYTES])
{
	struct plan p = { .rule = rule };
	char again[APPROVAL_PARAMETERS_BYTES];
	const char *text = parameters;

	rule_defaults(rule, p.fillings);
	for (size_t i = 0; i < rule->holes_count; i++)
		if (is_stated(&rule->holes[i]) && !read_hole(&p, i, &text, why))
			return false;
	/* Two ways to write one plan would be two texts to sign for one thing. */
	if (*text || !plan_parameters(&p, again, sizeof(again)) || strcmp(again, parameters) != 0)
		return plan_refuse(why, "the parameters are not written as %s writes them", rule->name);
	if (!plan_renders(&p))
		return plan_refuse(why, "%s can't be rendered with these parameters", rule->name);
	*plan = p;
	return true;
}
