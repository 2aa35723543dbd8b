/* Which rule fills a gap, and why none of the others that could ask there. */
#include "sensor/hub/gaps_parts.h"

#include "sensor/hub/address.h"

#include <stdarg.h>
#include <stdio.h>

enum { FRAME_BYTES = 64 }; /* what a packet costs before it carries anything */

unsigned gap_fills(const struct rule *r, const struct gap *g)
{
	unsigned count = 0;

	for (unsigned i = 0; i < g->lacks_count; i++)
		count += rule_fills(r, (enum attribute)g->lacks[i]);
	return count;
}

static struct endpoint endpoint_of(const struct node *n, const struct view *v)
{
	struct endpoint e = { .family = n->family };

	memcpy(n->family ? e.ip : e.mac, n->address, address_bytes(n->family));
	if (n->family && v->mac_count)
		memcpy(e.mac, v->nodes[0]->address, sizeof e.mac);
	return e;
}

/* The policy's word. What an analyst says of a device's class can forbid, and never allow what its own word forbids. */
struct policy_verdict gap_policy(const struct search *s, const struct rule *r, const struct node *node, uint16_t port)
{
	struct endpoint who = endpoint_of(node, s->v);
	char zone[128];
	struct policy_target target = { &who, zone, s->j->class, s->j->maker, port };
	struct policy_verdict stated, heard;

	picture_zone(s->p, node, zone, sizeof zone);
	stated = policy_verdict(s->k->policy, r, &target);
	if (!stated.allowed || !s->j->heard_class || is_class(s->j->heard_class, s->j->class))
		return stated;
	target.device_class = s->j->heard_class;
	heard = policy_verdict(s->k->policy, r, &target);
	heard.automatic &= stated.automatic;
	if (heard.signatures < stated.signatures)
		heard.signatures = stated.signatures;
	return heard;
}

struct policy_verdict gap_policy_chosen(const struct search *s, const struct gap *g)
{
	if (s->chosen.rule == g->rule && s->chosen.node == g->target && s->chosen.port == g->port)
		return s->chosen.verdict;
	return gap_policy(s, g->rule, g->target, g->port);
}

/* What asking costs at most. */
static uint64_t cost_of(const struct rule *r)
{
	return (uint64_t)r->max_packets * FRAME_BYTES + r->max_bytes;
}

/* True when it fills all of the gap that the other does, and more. */
static bool outdoes(const struct rule *r, const struct rule *other, const struct gap *g)
{
	for (unsigned i = 0; i < g->lacks_count; i++)
		if (rule_fills(other, (enum attribute)g->lacks[i]) && !rule_fills(r, (enum attribute)g->lacks[i]))
			return false;
	return gap_fills(r, g) > gap_fills(other, g);
}

/*
 * The rule of the least risk; of those one that spares the question of another; else the one that costs least for each
 * attribute that it fills; else the earlier one.
 */
bool gap_better_rule(const struct rule *r, const struct rule *than, const struct gap *g)
{
	unsigned mine, its;

	if (!than)
		return true;
	if (r->risk != than->risk)
		return r->risk < than->risk;
	if (outdoes(r, than, g) || outdoes(than, r, g))
		return outdoes(r, than, g);
	mine = gap_fills(r, g);
	its = gap_fills(than, g);
	return cost_of(r) * (its ? its : 1) < cost_of(than) * (mine ? mine : 1);
}

const struct rule *gap_next_rule(const struct search *s, const struct service_item *item, bool sub_assets, size_t *at)
{
	const struct rule *r = NULL;

	while (s->k->rules && (r = ruleset_asking(s->k->rules, item->protocol, at)))
		if (r->sub_assets == sub_assets && r->transport == item->transport && !r->multicast && rule_takes_port(r, item->port))
			return r;
	return r;
}

const struct rule *gap_choose_rule(struct search *s, const struct view_service *service, const struct gap *open)
{
	const struct rule *best = NULL, *r;
	size_t at = 0;

	s->chosen.node = service->node;
	s->chosen.port = service->item->port;
	s->chosen.rule = NULL;
	s->chosen.verdict.allowed = false;
	while ((r = gap_next_rule(s, service->item, false, &at))) {
		struct policy_verdict verdict;
		bool best_may = s->chosen.verdict.allowed;

		if (!gap_fills(r, open))
			continue;
		/* Without a policy nothing may be asked, and all rules are alike. */
		if (!s->k->policy)
			verdict.allowed = false;
		else
			verdict = gap_policy(s, r, service->node, service->item->port);
		if (verdict.allowed < best_may || (verdict.allowed == best_may && !gap_better_rule(r, best, open)))
			continue;
		best = r;
		if (s->k->policy) {
			s->chosen.rule = r;
			s->chosen.verdict = verdict;
		}
	}
	return best;
}

/* Of a service that nobody recognised the rules are those that ask whatever speaks there. */
static const struct rule *next_other(const struct search *s, const struct gap *g, const struct service_item *item, size_t *i)
{
	if (g->kind != GAP_UNIDENTIFIED)
		return gap_next_rule(s, item, g->kind == GAP_SUBASSETS, i);
	while (s->k->rules && *i < ruleset_count(s->k->rules)) {
		const struct rule *r = ruleset_at(s->k->rules, (*i)++);

		if (rule_asks_service(r, (enum transport)item->transport, "", false) && rule_takes_port(r, item->port))
			return r;
	}
	return NULL;
}

/* The service that the gap's rule would ask. */
static const struct service_item *service_of(const struct view *v, const struct gap *g)
{
	for (size_t i = 0; i < v->service_count; i++) {
		const struct view_service *s = &v->services[i];

		if (!s->shadowed && s->node == g->target && s->item->port == g->port && s->item->transport == g->transport)
			return s->item;
	}
	return NULL;
}

__attribute__((format(printf, 2, 3)))
static void say(struct gap_other *o, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(o->why, sizeof o->why, format, args);
	va_end(args);
}

/* Why not this one, in the order in which it was chosen. */
static void compare(const struct search *s, const struct gap *g, const struct gap *open, struct gap_other *o)
{
	const struct rule *r = o->rule, *chosen = g->rule;
	struct policy_verdict verdict;

	if (open->lacks_count && !gap_fills(r, open)) {
		say(o, "it fills nothing of this gap");
		return;
	}
	verdict = s->k->policy ? gap_policy(s, r, g->target, g->port) : (struct policy_verdict){ .allowed = true };
	if (!verdict.allowed)
		say(o, "forbidden: %s", verdict.why);
	else if (g->kind == GAP_UNIDENTIFIED)
		say(o, r->risk == RISK_CUSTOM ? "%s is tried first" : "it only listens, and the policy lets %s ask", chosen->name);
	else if (r->risk > chosen->risk)
		say(o, "its risk is %s, that of %s is %s", risk_name((enum risk)r->risk), chosen->name, risk_name((enum risk)chosen->risk));
	else if (outdoes(chosen, r, open))
		say(o, "%s fills the same and more", chosen->name);
	else if (gap_better_rule(chosen, r, open) && open->lacks_count)
		say(o, "it costs more for each value: up to %u packets and %u bytes for %u, %s %u and %u for %u", r->max_packets, r->max_bytes,
		    gap_fills(r, open), chosen->name, chosen->max_packets, chosen->max_bytes, gap_fills(chosen, open));
	else if (gap_better_rule(chosen, r, open))
		say(o, "it costs more than %s", chosen->name);
	else
		say(o, "%s stands before it in the rules and costs the same", chosen->name);
}

size_t gaps_others(const struct gap *g, const struct knowledge *k, const struct picture *p, const struct view *v, const struct judgement *j,
		   struct gap_other others[GAP_OTHERS])
{
	const struct search s = { .k = k, .p = p, .v = v, .j = j };
	const struct service_item *item = g->rule ? service_of(v, g) : NULL;
	struct gap open = { .lacks_count = g->open_count };
	size_t count = 0, at = 0;

	memcpy(open.lacks, g->open, sizeof open.lacks);
	while (item && count < GAP_OTHERS) {
		const struct rule *r = next_other(&s, g, item, &at);

		if (!r)
			break;
		if (r == g->rule)
			continue;
		others[count] = (struct gap_other){ .rule = r };
		compare(&s, g, &open, &others[count++]);
	}
	return count;
}
