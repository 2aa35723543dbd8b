/*
 * Gaps of one asset. Nothing here is ever asked: a verdict of "proposed" is a proposal that analysts
 * sign or not, and the prober judges again. A service that is known by its port or by nDPI alone is
 * never asked, nor one that was never seen: guessing at devices is what broke them elsewhere. What may be
 * proposed for a TCP service of which not even that is known is to listen (the rule `null`, which sends nothing).
 */
#include "sensor/hub/gaps.h"

#include "sensor/hub/address.h"
#include "sensor/hub/gaps_parts.h"

#include "active/guard/command.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int64_t STALE_NS = 30LL * 24 * 3600 * 1000000000LL;

/* What is worth a question. Addresses, states and fingerprints come by themselves or mean nothing a month later. */
static const uint8_t identity[] = {
	ATTR_VENDOR, ATTR_PRODUCT, ATTR_ORDER_CODE, ATTR_FIRMWARE, ATTR_HARDWARE, ATTR_SERIAL, ATTR_SOFTWARE,
	ATTR_OS, ATTR_NAME, ATTR_DESCRIPTION, ATTR_LOCATION, ATTR_DEVICE_CLASS, ATTR_CERTIFICATE,
};

/* What a device is known by at all; looked for when no rule says what a protocol can tell. */
static const uint8_t core[] = { ATTR_VENDOR, ATTR_PRODUCT, ATTR_FIRMWARE };

const char *gap_kind_name(enum gap_kind k)
{
	static const char *const names[GAP_KINDS] = { "identity", "unidentified", "expected", "subassets", "stale" };

	return names[k];
}

const char *gap_verdict_name(enum gap_verdict v)
{
	static const char *const names[] = { "none", "forbidden", "proposed" };

	return names[v];
}

__attribute__((format(printf, 3, 4)))
static void decide(struct gap *g, enum gap_verdict verdict, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	vsnprintf(g->why, sizeof g->why, why, args);
	va_end(args);
	g->verdict = (uint8_t)verdict;
}

static void name_subject(char subject[GAP_SUBJECT_BYTES], const struct service_item *s)
{
	if (s->transport == TRANSPORT_TCP || s->transport == TRANSPORT_UDP)
		snprintf(subject, GAP_SUBJECT_BYTES, "%s/%u", transport_name((enum transport)s->transport), s->port);
	else
		snprintf(subject, GAP_SUBJECT_BYTES, "%s/%s", transport_name((enum transport)s->transport), s->protocol);
}

/* The gap to fill in; NULL when it stands there already (another address, another protocol at the port) or there is no room. */
static struct gap *add_gap(struct search *s, enum gap_kind kind, const char *subject, const char *protocol)
{
	struct gap *g;

	for (size_t i = 0; i < s->gaps->count; i++)
		if (s->gaps->items[i].kind == kind && strcmp(s->gaps->items[i].subject, subject) == 0)
			return NULL;
	if (s->gaps->count == GAPS_OF_ASSET) {
		s->gaps->lost++;
		return NULL;
	}
	g = &s->gaps->items[s->gaps->count++];
	memset(g, 0, sizeof *g);
	g->kind = (uint8_t)kind;
	g->protocol = protocol;
	snprintf(g->subject, sizeof g->subject, "%s", subject);
	return g;
}

static struct gap *add_service_gap(struct search *s, enum gap_kind kind, const struct view_service *service)
{
	char subject[GAP_SUBJECT_BYTES];
	struct gap *g;

	name_subject(subject, service->item);
	g = add_gap(s, kind, subject, service->item->protocol);
	if (g) {
		g->target = service->node;
		g->port = service->item->port;
		g->transport = service->item->transport;
	}
	return g;
}

static bool known(const struct view *v, enum attribute a)
{
	return view_best(v, a) != NULL;
}

static void lack(struct gap *g, uint8_t attribute)
{
	if (g->lacks_count < GAP_LACKS && !memchr(g->lacks, attribute, g->lacks_count))
		g->lacks[g->lacks_count++] = attribute;
}

static bool is_printer(const struct search *s)
{
	if (is_class(s->j->class, "printer") || is_class(s->j->heard_class, "printer"))
		return true;
	for (size_t i = 0; i < s->v->service_count; i++)
		if (s->v->services[i].item->transport == TRANSPORT_TCP && s->v->services[i].item->port == 9100)
			return true;
	return false;
}

/* Whether the gap's rule may be proposed, and why not. */
static void judge_gap(struct search *s, struct gap *g)
{
	struct policy_verdict verdict;

	if (s->v->standing && s->v->standing->kind == COMMAND_IGNORE) {
		decide(g, VERDICT_FORBIDDEN, "an analyst ignores this device: it is never asked (fact %" PRId64 ")", s->v->standing->number);
		return;
	}
	if (g->target->flags & NODE_APART) {
		decide(g, VERDICT_FORBIDDEN, "an analyst split this address from its MAC: who would answer is not known");
		return;
	}
	if (g->target->family && place_is_public(g->target->family, g->target->address)) {
		decide(g, VERDICT_FORBIDDEN, "public address: probes never leave the plant");
		return;
	}
	if (is_printer(s)) {
		decide(g, VERDICT_FORBIDDEN, "a printer prints what it is asked (tcp 9100): printers are never probed");
		return;
	}
	if (!s->k->policy) {
		decide(g, VERDICT_FORBIDDEN, "no policy is loaded: without a whitelist nothing may be asked");
		return;
	}
	verdict = gap_policy_chosen(s, g);
	g->signatures = verdict.signatures;
	g->automatic = verdict.automatic;
	decide(g, verdict.allowed ? VERDICT_PROPOSED : VERDICT_FORBIDDEN, "%s", verdict.why);
}

static bool is_reply(const struct view_attribute *a, const char *protocol)
{
	return a->item->source == SOURCE_PROBE && strcmp(a->item->protocol, protocol) == 0;
}

/* What the reply told that attribute number `first` came with, as a gap that lacks it; nothing when it was looked at before. */
static struct gap told_with(const struct view *v, const char *protocol, size_t first)
{
	const struct view_attribute *all = v->attributes;
	struct gap told = { .lacks_count = 0 };

	for (size_t i = 0; i < v->attribute_count; i++) {
		if (all[i].last_ns != all[first].last_ns || !is_reply(&all[i], protocol))
			continue;
		if (i < first)
			return (struct gap){ .lacks_count = 0 };
		lack(&told, all[i].item->attribute);
	}
	return told;
}

static void strike(struct gap *g, const struct rule *r)
{
	uint8_t kept = 0;

	for (unsigned i = 0; i < g->lacks_count; i++)
		if (!rule_fills(r, (enum attribute)g->lacks[i]))
			g->lacks[kept++] = g->lacks[i];
	g->lacks_count = kept;
}

/* The rule whose question the reply answers, as far as what it told shows; in doubt the one that could have told most. */
static const struct rule *answered_rule(const struct search *s, const struct service_item *item, const struct gap *told, const struct gap *open)
{
	const struct rule *best = NULL, *r;
	unsigned most = 0;
	size_t at = 0;

	while ((r = gap_next_rule(s, item, false, &at))) {
		unsigned explains = gap_fills(r, told);

		if (explains > most || (best && explains == most && gap_fills(r, open) > gap_fills(best, open))) {
			best = r;
			most = explains;
		}
	}
	return best;
}

/* Strikes from `open` what rules that were answered could have told: what a device did not tell then it won't tell now. */
static void strike_asked(const struct search *s, const struct service_item *item, struct gap *open)
{
	const struct gap all = *open;

	for (size_t i = 0; i < s->v->attribute_count; i++) {
		const struct rule *asked;
		struct gap told;

		if (!is_reply(&s->v->attributes[i], item->protocol))
			continue;
		told = told_with(s->v, item->protocol, i);
		asked = answered_rule(s, item, &told, &all);
		if (asked)
			strike(open, asked);
	}
}

/* Protocols whose purpose is another than to say who one is; no rule will ever ask them. */
static bool tells_nothing(const char *protocol)
{
	static const char *const names[] = { "arp", "dns", "dhcp", "dhcpv6", "ntp", "ptp", "igmp", "icmp", "icmpv6", "stp",
					     "llmnr", "syslog", "tftp", "radius", "kerberos", "ldap", "vrrp", "hsrp" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(protocol, names[i]) == 0)
			return true;
	return false;
}

/* No rule says what this protocol could tell; worth a word while the device is not known by any other. */
static void find_untold(struct search *s, const struct view_service *service)
{
	struct gap *g;

	for (size_t i = 0; i < sizeof core; i++)
		if (known(s->v, (enum attribute)core[i]))
			return;
	if (tells_nothing(service->item->protocol) || !(g = add_service_gap(s, GAP_IDENTITY, service)))
		return;
	for (size_t i = 0; i < sizeof core; i++)
		lack(g, core[i]);
	decide(g, VERDICT_NONE, "no probe rule asks %s who it is", service->item->protocol);
}

/* The attributes that the rules for this service can fill and that `wanted` picks. False when there is no rule. */
static bool gather_fillable(const struct search *s, const struct service_item *item, struct gap *g,
			    bool (*wanted)(const struct search *s, enum attribute a))
{
	const struct rule *r;
	size_t at = 0;
	bool any = false;

	while ((r = gap_next_rule(s, item, false, &at))) {
		any = true;
		for (size_t i = 0; i < sizeof identity; i++)
			if (rule_fills(r, (enum attribute)identity[i]) && wanted(s, (enum attribute)identity[i]))
				lack(g, identity[i]);
	}
	return any;
}

static bool is_unknown(const struct search *s, enum attribute a)
{
	return !known(s->v, a);
}

static bool is_stale(const struct search *s, enum attribute a)
{
	const struct view_attribute *best = view_best(s->v, a);

	return best && best->item->source != SOURCE_ANALYST && s->p->now_ns - best->last_ns > STALE_NS;
}

static void find_identity(struct search *s, const struct view_service *service)
{
	struct gap found = { .lacks_count = 0 }, open, *g;

	if (!gather_fillable(s, service->item, &found, is_unknown)) {
		find_untold(s, service);
		return;
	}
	if (!found.lacks_count || !(g = add_service_gap(s, GAP_IDENTITY, service)))
		return;
	memcpy(g->lacks, found.lacks, sizeof g->lacks);
	g->lacks_count = found.lacks_count;
	open = found;
	strike_asked(s, service->item, &open);
	g->open_count = open.lacks_count;
	memcpy(g->open, open.lacks, sizeof g->open);
	g->rule = gap_choose_rule(s, service, &open);
	if (g->rule)
		judge_gap(s, g);
	else
		decide(g, VERDICT_NONE, "it was asked by %s and did not tell this", service->item->protocol);
}

static void find_stale(struct search *s, const struct view_service *service)
{
	struct gap found = { .lacks_count = 0 }, *g;

	gather_fillable(s, service->item, &found, is_stale);
	found.rule = gap_choose_rule(s, service, &found);
	if (!found.rule || !(g = add_service_gap(s, GAP_STALE, service)))
		return;
	memcpy(g->lacks, found.lacks, sizeof g->lacks);
	g->lacks_count = found.lacks_count;
	g->open_count = found.lacks_count;
	memcpy(g->open, found.lacks, sizeof g->open);
	g->rule = found.rule;
	judge_gap(s, g);
}

/* For a service that nobody recognised: a foreign probe that the plant's own policy lets go there, else the rule that only listens. */
static void judge_unknown(struct search *s, const struct service_item *item, struct gap *g)
{
	const struct rule *listening = NULL;

	for (size_t i = 0; s->k->rules && i < ruleset_count(s->k->rules); i++) {
		const struct rule *r = ruleset_at(s->k->rules, i);

		if (!rule_asks_service(r, (enum transport)item->transport, "", false) || !rule_takes_port(r, item->port))
			continue;
		if (r->risk != RISK_CUSTOM) {
			listening = r;
			continue;
		}
		g->rule = r;
		judge_gap(s, g);
		if (g->verdict == VERDICT_PROPOSED)
			return;
	}
	g->rule = listening;
	if (listening)
		judge_gap(s, g);
	else
		decide(g, VERDICT_NONE, "nothing is known of what it speaks, so nothing may be asked");
}

static void find_unidentified(struct search *s, const struct view_service *service)
{
	const struct service_item *item = service->item;
	struct gap *g = add_service_gap(s, GAP_UNIDENTIFIED, service);
	size_t at = 0;

	if (!g)
		return;
	g->rule = gap_next_rule(s, item, false, &at);
	if (item->evidence == EVIDENCE_NDPI)
		decide(g, g->rule ? VERDICT_FORBIDDEN : VERDICT_NONE,
		       "nDPI alone calls it %s; a probe needs a protocol whose structure was read", item->protocol);
	else if (item->evidence == EVIDENCE_PORT)
		decide(g, g->rule ? VERDICT_FORBIDDEN : VERDICT_NONE,
		       "only its port suggests %s; a probe needs a protocol whose structure was read", item->protocol);
	else
		decide(g, VERDICT_NONE, "nothing is known of what it speaks, so nothing may be asked");
	if (!g->rule && item->evidence != EVIDENCE_NDPI && !item->protocol[0])
		judge_unknown(s, item, g);
	else
		g->rule = NULL;
}

/* True when it stands for others: by class, by its own word, or because several were heard behind this service. */
static bool is_gateway_for(const struct search *s, const char *protocol, unsigned *heard)
{
	const struct view_attribute *role = view_best(s->v, ATTR_ROLE);
	size_t len = strlen(protocol);

	*heard = 0;
	for (size_t i = 0; i < s->v->subasset_count; i++) {
		const char *path = s->v->subassets[i].path;

		*heard += strncmp(path, protocol, len) == 0 && path[len] == '/';
	}
	return *heard > 1 || is_class(s->j->class, "gateway") ||
	       (role && strstr(role->item->value, "gateway"));
}

static bool counted(const struct view *v, const char *protocol)
{
	size_t len = strlen(protocol);

	for (size_t i = 0; i < v->subasset_count; i++)
		if (v->subassets[i].probed && strncmp(v->subassets[i].path, protocol, len) == 0)
			return true;
	return false;
}

static void find_subassets(struct search *s, const struct view_service *service)
{
	const struct rule *best = NULL, *r;
	struct gap none = { .lacks_count = 0 }, *g;
	unsigned heard;
	size_t at = 0;

	if (!is_gateway_for(s, service->item->protocol, &heard) || counted(s->v, service->item->protocol))
		return;
	while ((r = gap_next_rule(s, service->item, true, &at)))
		if (gap_better_rule(r, best, &none))
			best = r;
	if ((!best && heard < 2) || !(g = add_service_gap(s, GAP_SUBASSETS, service)))
		return;
	g->rule = best;
	if (best)
		judge_gap(s, g);
	else
		decide(g, VERDICT_NONE, "%u were heard behind it; no probe rule counts what answers %s there", heard,
		       service->item->protocol);
}

static bool serves(const struct view *v, const char *protocol)
{
	for (size_t i = 0; i < v->service_count; i++)
		if (strcmp(v->services[i].item->protocol, protocol) == 0)
			return true;
	return false;
}

static void find_expected(struct search *s)
{
	const struct device_verdict *d = &s->j->verdict;

	for (size_t i = 0; i < d->expect_count; i++) {
		bool asked = s->k->rules && ruleset_next(s->k->rules, d->expects[i], TRANSPORT_NONE, NULL);
		struct gap *g;

		if (serves(s->v, d->expects[i]) || !(g = add_gap(s, GAP_EXPECTED, d->expects[i], d->expects[i])))
			continue;
		decide(g, asked ? VERDICT_FORBIDDEN : VERDICT_NONE,
		       "a device like this (%s) usually serves %s, which was not heard; only services that were heard are asked",
		       d->series ? d->series : d->device_class ? d->device_class : "rule", d->expects[i]);
	}
}

void gaps_find(struct gaps *g, const struct knowledge *k, const struct picture *p, const struct view *v,
	       const struct judgement *j)
{
	struct search s = { .gaps = g, .k = k, .p = p, .v = v, .j = j };

	g->count = 0;
	g->lost = 0;
	for (size_t i = 0; i < v->service_count; i++) {
		const struct view_service *service = &v->services[i];

		if (service->shadowed)
			continue;
		if (service->item->evidence != EVIDENCE_STRUCTURE) {
			find_unidentified(&s, service);
			continue;
		}
		find_identity(&s, service);
		find_subassets(&s, service);
		find_stale(&s, service);
	}
	find_expected(&s);
}
