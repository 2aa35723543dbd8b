/* Whether an approved proposal may be asked now: what the prober will judge again. */
#include "sensor/hub/dispatch_judge.h"

#include "sensor/hub/dispatch_facts.h"

#include <stdarg.h>
#include <stdio.h>

enum { NS_A_SECOND = 1000000000 };

struct watch_target dispatch_watched(const struct approval *a)
{
	struct watch_target t = { .vlan = { a->vlan[0], a->vlan[1] }, .address = a->target, .transport = a->transport, .port = a->port };

	return t;
}

/* The prober carries out one order at a time, whatever the zone may bear. */
static bool is_asking(const struct proposals *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i]->order)
			return true;
	return false;
}

static bool within(const struct run_sum *sum, uint32_t packets, uint32_t bytes, uint32_t connections, const struct rule *rule)
{
	return sum->packets + rule->max_packets <= packets && sum->bytes + rule->max_bytes <= bytes && sum->connections < connections;
}

/* The prober counts by frames and has the last word; this spares it orders that it would refuse. */
static bool has_budget(const struct proposals *p, const struct proposal *x, const struct rule *rule, const struct policy_budgets *b, int64_t at_s)
{
	const struct policy_budget *scopes[] = { [RUNS_TARGET] = &b->target, [RUNS_ZONE] = &b->zone, [RUNS_SENSOR] = &b->sensor };

	for (int scope = RUNS_TARGET; scope <= RUNS_SENSOR; scope++) {
		struct run_sum minute = runs_since(p->sql, x, (enum run_scope)scope, at_s - 60);
		struct run_sum day = runs_since(p->sql, x, (enum run_scope)scope, at_s - 86400);
		const struct policy_budget *s = scopes[scope];

		if (!within(&minute, s->packets_a_minute, s->bytes_a_minute, s->connections_a_minute, rule) ||
		    !within(&day, s->packets_a_day, s->bytes_a_day, s->connections_a_day, rule))
			return false;
	}
	return true;
}

__attribute__((format(printf, 2, 3)))
static bool wait_for(char why[PROPOSAL_REASON_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, PROPOSAL_REASON_BYTES, format, args);
	va_end(args);
	return false;
}

static bool policy_lets(const struct policy *policy, const struct proposal *x, const struct rule *rule, char why[PROPOSAL_REASON_BYTES])
{
	struct policy_target target = { &x->a.target, x->a.zone, x->a.device_class, x->a.maker, x->a.port };
	struct policy_verdict v;
	struct policy_window window;

	if (!policy)
		return wait_for(why, "no policy is loaded");
	v = policy_verdict(policy, rule, &target);
	if (!v.allowed)
		return wait_for(why, "%s", v.why);
	if (!policy_signed(policy, rule, &x->a, x->automatic && v.automatic ? 0 : v.signatures, why))
		return false;
	window = policy_window(policy, x->a.zone, now_s());
	return window.open || wait_for(why, "%s", window.why);
}

/* As the prober will judge it: what is not there at this moment is not asked. */
static bool is_there(const struct picture *p, const struct proposal *x, const struct rule *rule, int64_t at_s, char why[PROPOSAL_REASON_BYTES])
{
	struct order o = { .heard_s = 0 };

	dispatch_facts(p, x, rule, &o);
	if (o.conflict)
		return wait_for(why, "another MAC claims its address");
	if (at_s - o.heard_s > ORDER_HEARD_S)
		return wait_for(why, "it was not heard for %d s under this MAC, address and VLAN", ORDER_HEARD_S);
	return o.seen || wait_for(why, "it was not heard as a server of what the rule asks for");
}

bool dispatch_may_start(const struct dispatch_setup *setup, bool stopped, const struct proposal *x, const struct rule *rule, int64_t at_ns,
			char why[PROPOSAL_REASON_BYTES])
{
	int64_t at_s = at_ns / NS_A_SECOND;
	const struct policy *policy = setup->proposals->knowledge->policy;
	struct watch_target target = dispatch_watched(&x->a);
	const struct policy_budgets *b;
	struct watch_verdict v;

	if (stopped)
		return wait_for(why, "all probing is stopped");
	if (!rule)
		return wait_for(why, "its rule has changed");
	if (!policy_lets(policy, x, rule, why) || !is_there(setup->picture, x, rule, at_s, why))
		return false;
	b = policy_budgets(policy);
	if (is_asking(setup->proposals))
		return wait_for(why, "another device is being asked");
	if (at_s - runs_last(setup->proposals->sql, &x->a, NULL) < b->cool_down_s)
		return wait_for(why, "the device was asked less than %u s ago", b->cool_down_s);
	if (!has_budget(setup->proposals, x, rule, b, at_s))
		return wait_for(why, "a budget of budgets.yaml is used up");
	if (setup->watch && !setup->watch->may_start(setup->watch->watch, &target, rule->name, at_ns, &v))
		return wait_for(why, "%s", v.why);
	return true;
}
