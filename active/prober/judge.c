/* The checks, one after the other; the first that fails decides. */
#include "active/prober/judge.h"

#include "active/guard/guard.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>

enum { MINUTE_S = 60, DAY_S = 86400, SECOND_NS = 1000000000, CLOCK_SLACK_S = 5 };

struct hearing {
	struct prober *p;
	const struct order *o;
	const struct approval *a;
	const struct rule *rule;
	struct plan *plan;
	int64_t now_ns, now_s;
	struct policy_verdict verdict;
	char *why;
};

static enum refusal refuse(struct hearing *h, enum refusal r, const char *format, ...) __attribute__((format(printf, 3, 4)));

static enum refusal refuse(struct hearing *h, enum refusal r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(h->why, OUTCOME_WHY_BYTES, format, args);
	va_end(args);
	return r;
}

static enum refusal check_state(struct hearing *h)
{
	struct prober *p = h->p;
	enum refusal r = word_forbids(&p->word);

	if (p->config.probing == PROBING_OFF)
		return refuse(h, REFUSED_PROBING_OFF, "probing is off in the configuration");
	if (p->broken != REFUSED_NOT)
		return refuse(h, p->broken, "%s", p->why_broken);
	if (r == REFUSED_STOPPED)
		return refuse(h, r, "probing is stopped");
	if (r == REFUSED_HUB_SILENT)
		return refuse(h, r, "the hub does not say that it lives");
	if (r == REFUSED_LOSS)
		return refuse(h, r, "the sensor loses frames: nobody could see what a probe does");
	if (p->audit.fd < 0 || p->audit.broken || p->ledger.broken)
		return refuse(h, REFUSED_AUDIT, "the audit can't be written");
	return REFUSED_NOT;
}

static enum refusal check_clock(struct hearing *h)
{
	struct timex t = { .modes = 0 };

	int state = h->p->config.require_clock ? adjtimex(&t) : TIME_OK;

	if (state < 0 || state == TIME_ERROR || t.status & STA_UNSYNC)
		return refuse(h, REFUSED_CLOCK, "the clock is not synchronised; see `probing: require_clock`");
	if (h->now_ns < h->p->audit.chain.time_ns)
		return refuse(h, REFUSED_CLOCK, "the clock is before the audit's last record");
	return REFUSED_NOT;
}

static enum refusal check_rule(struct hearing *h)
{
	const struct approval *a = h->a;
	char sha[2 * APPROVAL_HASH_BYTES + 1];

	h->rule = ruleset_find(h->p->rules, a->rule);
	if (!h->rule)
		return refuse(h, REFUSED_NO_RULE, "there is no rule '%s'", a->rule);
	sodium_bin2hex(sha, sizeof sha, a->rule_sha256, sizeof a->rule_sha256);
	if (strcmp(sha, rule_sha256(h->rule)) != 0)
		return refuse(h, REFUSED_RULE_CHANGED, "the rule '%s' is another than the one that was approved", a->rule);
	if (strcmp(a->sensor, h->p->config.sensor) != 0 || strcmp(a->zone, h->p->config.zone) != 0)
		return refuse(h, REFUSED_TARGET, "the approval is for sensor %s in zone %s", a->sensor, a->zone);
	if (a->transport != h->rule->transport || (a->transport == TRANSPORT_ETHERNET ? a->port != 0 : a->port == 0))
		return refuse(h, REFUSED_PARAMETERS, "transport and port are not those of the rule");
	if (!rule_takes_port(h->rule, a->port))
		return refuse(h, REFUSED_TARGET, "the rule is not asked at port %u", a->port);
	return REFUSED_NOT;
}

static bool guard_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	struct guard_answer g = rule_guard(plan->rule, m->bytes, m->len);
	char *why = context;

	if (!g.allowed)
		snprintf(why, OUTCOME_WHY_BYTES, "step %zu: %s", m->step + 1, g.why);
	return g.allowed;
}

static enum refusal check_plan(struct hearing *h)
{
	uint8_t digest[APPROVAL_HASH_BYTES];
	char why[PLAN_WHY_BYTES];

	if (!plan_read(h->plan, h->rule, h->a->parameters, why))
		return refuse(h, REFUSED_PARAMETERS, "%s", why);
	if (!plan_names_target(h->plan, &h->a->target, h->a->port))
		return refuse(h, REFUSED_PARAMETERS, "the plan writes another address or port than the target's");
	if (!plan_digest(h->plan, digest) || memcmp(digest, h->a->plan_sha256, sizeof digest) != 0)
		return refuse(h, REFUSED_BYTES, "the bytes are others than those that were approved");
	if (!plan_messages(h->plan, guard_message, h->why))
		return REFUSED_GUARD;
	return REFUSED_NOT;
}

static enum refusal check_policy(struct hearing *h)
{
	const struct approval *a = h->a;
	const struct policy_target target = { &a->target, a->zone, a->device_class, a->maker, a->port };
	struct policy_window window;

	h->verdict = policy_verdict(h->p->policy, h->rule, &target);
	if (!h->verdict.allowed)
		return refuse(h, REFUSED_POLICY, "%s", h->verdict.why);
	window = policy_window(h->p->policy, a->zone, h->now_s);
	if (!window.open)
		return refuse(h, REFUSED_WINDOW, "%s", window.why);
	return REFUSED_NOT;
}

static enum refusal check_signatures(struct hearing *h)
{
	char why[POLICY_WHY_BYTES];
	bool automatic = h->p->config.probing == PROBING_AUTOMATIC && h->verdict.automatic && h->a->signatures == 0;

	if (automatic)
		return REFUSED_NOT;
	if (!policy_signed(h->p->policy, h->rule, h->a, h->verdict.signatures, why))
		return refuse(h, h->a->signatures < h->verdict.signatures ? REFUSED_SIGNERS : REFUSED_SIGNATURE, "%s", why);
	return REFUSED_NOT;
}

static enum refusal check_time(struct hearing *h)
{
	const struct approval *a = h->a;
	unsigned uses = ledger_uses(&h->p->ledger, a->id);

	if (h->now_s < a->not_before_s)
		return refuse(h, REFUSED_TIME, "the approval does not hold yet");
	if (h->now_s > a->not_after_s)
		return refuse(h, REFUSED_TIME, "the approval does not hold any more");
	if (uses >= a->uses)
		return refuse(h, REFUSED_USED, "the approval was used %u of %u times", uses, a->uses);
	return REFUSED_NOT;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

static bool say(char why[OUTCOME_WHY_BYTES], const char *sentence)
{
	snprintf(why, OUTCOME_WHY_BYTES, "%s", sentence);
	return false;
}

static bool judge_ip6(const struct endpoint *who, bool loopback, char why[OUTCOME_WHY_BYTES])
{
	/* ::/96 and ::ffff:0:0/96 are IPv4 under another name, ::/128 nobody, ::1 ourselves. */
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool self = is_zero(who->ip, 15) && who->ip[15] == 1;

	if (self && loopback)
		return true;
	if (is_zero(who->ip, 12) || memcmp(who->ip, mapped, sizeof mapped) == 0)
		return say(why, "the address is an IPv4 address in another form, our own or nobody's");
	return who->ip[0] == 0xff ? say(why, "the address is not one device's") : true;
}

bool judge_address(const struct endpoint *who, const struct endpoint *own, bool loopback, char why[OUTCOME_WHY_BYTES])
{
	if (who->family != own->family)
		return say(why, "the address is of another family than the one that probes come from");
	if (who->family == 6)
		return judge_ip6(who, loopback, why) && (loopback || memcmp(who->ip, own->ip, 16) != 0 || say(why, "the address is our own"));
	if (!is_zero(who->ip + 4, 12))
		return say(why, "the address is none");
	if (who->ip[0] == 0)
		return say(why, "the address is nobody's");
	if (who->ip[0] >= 224)
		return say(why, "the address is not one device's");
	if (who->ip[0] == 127 && !loopback)
		return say(why, "the address is our own");
	return loopback || memcmp(who->ip, own->ip, 4) != 0 || say(why, "the address is our own");
}

/* A MAC that is one station's, and not ours. */
static bool judge_mac(const struct hearing *h, const uint8_t mac[6])
{
	return !is_zero(mac, 6) && !(mac[0] & 1) && memcmp(mac, h->p->route.own_mac, 6) != 0;
}

static enum refusal check_way(struct hearing *h)
{
	struct route *r = &h->p->route;
	unsigned leaves_by = 0;
	enum route_kind way;

	if (!judge_address(&h->a->target, &h->p->own, r->loopback, h->why))
		return REFUSED_TARGET;
	if (r->loopback)
		return REFUSED_NOT;
	way = route_to(r, &h->a->target, &leaves_by);
	if (way == ROUTE_OWN || way == ROUTE_MANY)
		return refuse(h, REFUSED_TARGET, way == ROUTE_OWN ? "the address is our own" : "the address is not one device's");
	if (way == ROUTE_NONE || leaves_by != r->interface)
		return refuse(h, REFUSED_TARGET, "no way to the address leads over %s", h->p->config.interface);
	if (route_is_gateway(r, &h->a->target))
		return refuse(h, REFUSED_TARGET, "the address is a router's on our way");
	if (way == ROUTE_DIRECT && !judge_mac(h, h->a->target.mac))
		return refuse(h, REFUSED_TARGET, "the target has no MAC address of its own");
	return REFUSED_NOT;
}

static enum refusal check_target(struct hearing *h)
{
	const struct approval *a = h->a;

	if ((a->port >= 9100 && a->port <= 9107) || a->port == 515)
		return refuse(h, REFUSED_TARGET, "a printer's port prints whatever it gets");
	if (a->vlan[0] != h->p->config.vlan[0] || a->vlan[1] != h->p->config.vlan[1])
		return refuse(h, REFUSED_TARGET, "the target was heard in VLAN %u.%u, and probes leave into %u.%u", a->vlan[0], a->vlan[1],
		              h->p->config.vlan[0], h->p->config.vlan[1]);
	if (h->rule->multicast && h->rule->transport != TRANSPORT_ETHERNET)
		return refuse(h, REFUSED_TARGET, "datagrams to many are not sent");
	if (h->rule->transport != TRANSPORT_ETHERNET)
		return check_way(h);
	if (!h->rule->multicast && !judge_mac(h, a->target.mac))
		return refuse(h, REFUSED_TARGET, "the target has no MAC address of its own");
	return REFUSED_NOT;
}

static enum refusal check_heard(struct hearing *h)
{
	const struct order *o = h->o;

	if (o->heard_s > h->now_s + CLOCK_SLACK_S || h->now_s - o->heard_s > ORDER_HEARD_S)
		return refuse(h, REFUSED_NOT_HEARD, "the target was not heard within %d s", ORDER_HEARD_S);
	if (o->conflict)
		return refuse(h, REFUSED_CONFLICT, "another device claims the target's address");
	if (h->rule->seen_count && !o->seen)
		return refuse(h, REFUSED_NOT_SEEN, "the protocol was not heard there by its structure");
	return REFUSED_NOT;
}

static bool exceeds(const struct hearing *h, struct ledger_sum is, uint32_t packets, uint32_t bytes, uint32_t connections)
{
	return is.packets + h->rule->max_packets > packets || is.bytes + h->rule->max_bytes > bytes || is.connections + 1 > connections;
}

static bool over_budget(const struct hearing *h, const struct policy_budget *b, const struct approval *target)
{
	const struct ledger *l = &h->p->ledger;

	return exceeds(h, ledger_since(l, target, h->now_s - MINUTE_S), b->packets_a_minute, b->bytes_a_minute, b->connections_a_minute) ||
	       exceeds(h, ledger_since(l, target, h->now_s - DAY_S), b->packets_a_day, b->bytes_a_day, b->connections_a_day);
}

static enum refusal check_budgets(struct hearing *h)
{
	const struct policy_budgets *b = policy_budgets(h->p->policy);
	const struct ledger *l = &h->p->ledger;
	int64_t last = ledger_last(l, h->a), asked = ledger_last_asked(l, h->a);

	if (!hold_has_room(&h->p->hold))
		return refuse(h, REFUSED_BUSY, "too many connections wait for their devices to close them");
	if (last && h->now_s - last < b->cool_down_s)
		return refuse(h, REFUSED_COOL_DOWN, "the target was asked %lld s ago; %u s must pass", (long long)(h->now_s - last), b->cool_down_s);
	if (asked && h->now_s - asked < (int64_t)b->repeat_days * DAY_S)
		return refuse(h, REFUSED_COOL_DOWN, "this rule asked this target less than %u days ago", b->repeat_days);
	/* Whoever signed after them knew of them; what needs no signature waits for somebody to look. */
	if (ledger_failures(l, h->a->rule, h->a->signatures ? h->a->not_before_s : 0) >= b->failures_to_stop)
		return refuse(h, REFUSED_FAILURES, "the rule failed %u times in a row since the approval", b->failures_to_stop);
	if (over_budget(h, &b->target, h->a))
		return refuse(h, REFUSED_BUDGET, "the target's budget is used up");
	if (over_budget(h, &b->zone, NULL) || over_budget(h, &b->sensor, NULL))
		return refuse(h, REFUSED_BUDGET, "the budget of the zone or the sensor is used up");
	return REFUSED_NOT;
}

enum refusal judge_order(struct prober *p, const struct order *o, int64_t now_ns, struct plan *plan, char why[OUTCOME_WHY_BYTES])
{
	static enum refusal (*const checks[])(struct hearing *h) = {
		check_state, check_clock, check_rule, check_plan, check_policy, check_signatures, check_time, check_target, check_heard, check_budgets,
	};
	struct hearing h = { .p = p, .o = o, .a = &o->approval, .plan = plan, .now_ns = now_ns, .now_s = now_ns / SECOND_NS, .why = why };
	enum refusal r = REFUSED_NOT;

	why[0] = 0;
	for (size_t i = 0; i < sizeof checks / sizeof *checks && r == REFUSED_NOT; i++)
		r = checks[i](&h);
	return r;
}
