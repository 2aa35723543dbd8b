/* Makes plans: fills the holes of a rule for one target. */
#include "active/ruleset/plan.h"

#include "active/ruleset/plan_parts.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PORT_TEXT_BYTES = 6 };

static uint64_t random_number(uint64_t low, uint64_t high)
{
	uint64_t span = high - low, number, limit;

	if (span == UINT64_MAX) {
		randombytes_buf(&number, sizeof(number));
		return number;
	}
	limit = UINT64_MAX - UINT64_MAX % (span + 1);
	do {
		randombytes_buf(&number, sizeof(number));
	} while (number >= limit);
	return low + number % (span + 1);
}

static void fill_fresh(const struct hole *h, struct filling *f)
{
	if (h->type == VALUE_BYTES) {
		f->len = h->width;
		randombytes_buf(f->bytes, h->width);
	} else {
		f->number = random_number(h->low, h->high);
	}
}

/* The target as its hole writes it; false when it can't be written there. */
static bool fill_target(const struct hole *h, const struct endpoint *who, uint16_t port, struct filling *f)
{
	char ip[INET6_ADDRSTRLEN] = "", host[INET6_ADDRSTRLEN + 3], number[PORT_TEXT_BYTES];

	if (who->family)
		inet_ntop(who->family == 6 ? AF_INET6 : AF_INET, who->ip, ip, sizeof(ip));
	snprintf(host, sizeof(host), who->family == 6 ? "[%s]" : "%s", ip);
	snprintf(number, sizeof(number), "%u", port);
	return hole_fill_target(h, host, number, f);
}

static const struct plan_value *find_value(const struct plan_facts *facts, const char *hole)
{
	for (size_t i = 0; i < facts->values_count; i++)
		if (strcmp(facts->values[i].hole, hole) == 0)
			return &facts->values[i];
	return NULL;
}

/* What was heard or stated; values that do not fit, or no more of them, are passed over. */
static void sweep_known(struct plan *plan, const struct hole *h, const struct plan_facts *facts)
{
	for (size_t i = 0; i < facts->values_count; i++) {
		const struct plan_value *v = &facts->values[i];
		uint64_t number;

		if (strcmp(v->hole, h->name) == 0 && plan_read_number(v->text, strlen(v->text), &number))
			plan_sweep_add(plan, h, number);
	}
}

static bool fill_sweep(struct plan *plan, const struct hole *h, struct filling *f, const struct plan_facts *facts,
		       char why[PLAN_WHY_BYTES])
{
	sweep_known(plan, h, facts);
	if (plan->swept_count == 0 && h->source == HOLE_SEEN)
		return plan_refuse(why, "%s asks for a %s that was heard, and none was", plan->rule->name, h->name);
	for (uint64_t n = h->value; plan->swept_count == 0 || (n > h->value && n <= h->high); n++)
		if (!plan_sweep_add(plan, h, n))
			break;
	f->number = plan->swept[0];
	return true;
}

static bool fill_known(const struct plan *plan, const struct hole *h, struct filling *f, const struct plan_facts *facts,
		       char why[PLAN_WHY_BYTES])
{
	const struct plan_value *v = find_value(facts, h->name);

	if (!v && h->source == HOLE_SEEN)
		return plan_refuse(why, "%s asks for a %s that was heard, and none was", plan->rule->name, h->name);
	if (!v)
		return true; /* the rule's default stands there already */
	if (h->type == VALUE_TEXT) {
		*f = (struct filling){ .len = (uint8_t)strnlen(v->text, RULE_TEXT_BYTES) };
		memcpy(f->bytes, v->text, f->len);
		if (strlen(v->text) <= RULE_TEXT_BYTES && plan_fits_text(h, f))
			return true;
	} else if (plan_read_value(h, v->text, strlen(v->text), f)) {
		return true;
	}
	return plan_refuse(why, "%.60s is no value for the %s of %s", v->text, h->name, plan->rule->name);
}

static bool fill_hole(struct plan *plan, size_t i, const struct plan_facts *facts, char why[PLAN_WHY_BYTES])
{
	const struct hole *h = &plan->rule->holes[i];
	struct filling *f = &plan->fillings[i];

	switch ((enum hole_source)h->source) {
	case HOLE_FRESH:
		fill_fresh(h, f);
		return true;
	case HOLE_CLOCK:
		f->number = hole_clock(h, facts->now_s);
		return (f->number >= h->low && f->number <= h->high) || plan_refuse(why, "the clock is wrong");
	case HOLE_TARGET:
		return fill_target(h, facts->who, facts->port, f) ||
		       plan_refuse(why, "%s needs the %s of the target, which has none", plan->rule->name, h->name);
	case HOLE_SEEN:
	case HOLE_ORDER:
		return plan_sweeps(plan->rule, h) ? fill_sweep(plan, h, f, facts, why) : fill_known(plan, h, f, facts, why);
	case HOLE_COUNTER:
	case HOLE_LIST:
	case HOLE_REPLY:
	case HOLE_OWN:
	case HOLE_SOURCES:
		break;
	}
	return true;
}

bool plan_make(struct plan *plan, const struct rule *rule, const struct plan_facts *facts, char why[PLAN_WHY_BYTES])
{
	struct plan p = { .rule = rule };
	char text[APPROVAL_PARAMETERS_BYTES];

	rule_defaults(rule, p.fillings);
	for (size_t i = 0; i < rule->holes_count; i++)
		if (!fill_hole(&p, i, facts, why))
			return false;
	if (!plan_parameters(&p, text, sizeof(text)))
		return plan_refuse(why, "the parameters of %s are longer than an approval has room for", rule->name);
	if (!plan_renders(&p))
		return plan_refuse(why, "%s can't be rendered for this target", rule->name);
	*plan = p;
	return true;
}

bool plan_names_target(const struct plan *plan, const struct endpoint *who, uint16_t port)
{
	for (size_t i = 0; i < plan->rule->holes_count; i++) {
		const struct filling *f = &plan->fillings[i];
		struct filling is;

		if (plan->rule->holes[i].source != HOLE_TARGET)
			continue;
		if (!fill_target(&plan->rule->holes[i], who, port, &is) || is.number != f->number || is.len != f->len ||
		    memcmp(is.bytes, f->bytes, f->len) != 0)
			return false;
	}
	return true;
}
