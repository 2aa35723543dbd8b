/* What is told of proposals, approvals and probes, in the ECS envelope of all events. */
#include "sensor/hub/proposal.h"

#include "active/guard/guard.h"
#include "sensor/hub/address.h"
#include "sensor/hub/watch.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGES_SHOWN = 64, HASH_TEXT_BYTES = 2 * APPROVAL_HASH_BYTES + 1, SIGNATURE_TEXT_BYTES = 96 };

static const struct {
	const char *kind, *category, *type, *action, *dataset;
} words[TOLD_KINDS] = {
	[TOLD_PROPOSED] = { "event", "host", "info", "probe-proposed", "askance.proposal" },
	[TOLD_EXPIRED] = { "event", "host", "info", "proposal-expired", "askance.proposal" },
	[TOLD_SUPERSEDED] = { "event", "host", "info", "proposal-superseded", "askance.proposal" },
	[TOLD_STATE] = { "state", "host", "info", "proposal-state", "askance.proposal" },
	[TOLD_SIGNED] = { "event", "configuration", "change", "approval-signed", "askance.approval" },
	[TOLD_DENIED] = { "event", "configuration", "change", "approval-denied", "askance.approval" },
	[TOLD_REVOKED] = { "event", "configuration", "change", "approval-revoked", "askance.approval" },
	[TOLD_REFUSED] = { "event", "configuration", "info", "approval-refused", "askance.approval" },
	[TOLD_STOPPED] = { "event", "configuration", "change", "probing-stopped", "askance.approval" },
	[TOLD_RESUMED] = { "event", "configuration", "change", "probing-resumed", "askance.approval" },
	[TOLD_RELEASED] = { "event", "configuration", "change", "quarantine-released", "askance.approval" },
	[TOLD_STATED] = { "event", "configuration", "change", "fact-stated", "askance.approval" },
	[TOLD_PLANNED] = { "event", "network", "start", "probe-planned", "askance.probe" },
	[TOLD_PROBE_REFUSED] = { "event", "network", "denied", "probe-refused", "askance.probe" },
	[TOLD_ENDED] = { "event", "network", "end", "probe-ended", "askance.probe" },
};

static void put_word(struct json *j, const char *key, const char *word)
{
	json_open(j, key, '[');
	json_text(j, NULL, word);
	json_close(j, ']');
}

static void put_envelope(struct proposals *p, const struct proposal *x, enum proposal_event event, int64_t now_ns)
{
	struct json *j = &p->document.json;

	json_clear(j);
	json_open(j, NULL, '{');
	json_time(j, "@timestamp", now_ns);
	json_open(j, "ecs", '{');
	json_text(j, "version", "8.17.0");
	json_close(j, '}');
	json_open(j, "event", '{');
	p->document.mark = j->len;
	json_text(j, "kind", words[event].kind);
	put_word(j, "category", words[event].category);
	put_word(j, "type", words[event].type);
	json_text(j, "action", words[event].action);
	json_text(j, "dataset", words[event].dataset);
	json_text(j, "module", "askance");
	json_close(j, '}');
	json_open(j, "observer", '{');
	json_text(j, "name", p->picture->sensor);
	json_text(j, "type", "sensor");
	json_text(j, "vendor", "askance");
	json_text(j, "product", "askance");
	json_text(j, "version", ASKANCE_VERSION);
	json_open(j, "ingress", '{');
	json_text(j, "zone", x ? x->a.zone : p->picture->zone);
	json_close(j, '}');
	json_close(j, '}');
}

static void put_host(struct json *j, const struct proposal *x)
{
	static const uint8_t none[6];
	const struct endpoint *e = &x->a.target;
	char ip[ADDRESS_TEXT_BYTES] = "", mac[ADDRESS_TEXT_BYTES], ecs[ADDRESS_TEXT_BYTES];

	if (e->family)
		address_text(ip, e->family, e->ip);
	address_text(mac, 0, e->mac);
	snprintf(ecs, sizeof ecs, "%02X-%02X-%02X-%02X-%02X-%02X", e->mac[0], e->mac[1], e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
	json_open(j, "host", '{');
	json_text(j, "id", x->asset);
	json_open(j, "ip", '[');
	if (ip[0])
		json_text(j, NULL, ip);
	json_close(j, ']');
	json_open(j, "mac", '[');
	if (memcmp(e->mac, none, sizeof none) != 0)
		json_text(j, NULL, ecs);
	json_close(j, ']');
	json_close(j, '}');
	json_open(j, "related", '{');
	json_open(j, "ip", '[');
	if (ip[0])
		json_text(j, NULL, ip);
	json_close(j, ']');
	json_close(j, '}');
	json_open(j, "destination", '{');
	json_text(j, ip[0] ? "ip" : "mac", ip[0] ? ip : mac);
	if (x->a.port)
		json_number(j, "port", x->a.port);
	json_close(j, '}');
}

static void put_hash(struct json *j, const char *key, const uint8_t hash[APPROVAL_HASH_BYTES])
{
	char text[HASH_TEXT_BYTES];

	json_text(j, key, sodium_bin2hex(text, sizeof text, hash, APPROVAL_HASH_BYTES));
}

static void put_asset(struct json *j, const struct proposal *x)
{
	json_open(j, "asset", '{');
	json_text(j, "id", x->asset);
	json_text(j, "zone", x->a.zone);
	if (x->a.device_class[0])
		json_text(j, "class", x->a.device_class);
	json_close(j, '}');
}

static void put_gap(struct json *j, const struct proposal *x, const struct rule *rule)
{
	json_text(j, "kind", gap_kind_name((enum gap_kind)x->kind));
	json_text(j, "subject", x->subject);
	json_open(j, "lacks", '[');
	for (size_t i = 0; i < x->lacks_count; i++)
		json_text(j, NULL, attribute_name((enum attribute)x->lacks[i]));
	json_close(j, ']');
	json_text(j, "rule", x->a.rule);
	if (rule) {
		json_text(j, "protocol", rule->protocol);
		json_text(j, "risk", risk_name((enum risk)rule->risk));
		json_open(j, "cost", '{');
		json_number(j, "packets", rule->max_packets);
		json_number(j, "bytes", rule->max_bytes);
		json_close(j, '}');
		json_text(j, "rationale", rule->why);
	}
	json_text(j, "why", x->why);
}

/* What was passed over, and why. */
static void put_others(struct json *j, const struct proposal *x)
{
	json_open(j, "alternatives", '[');
	for (size_t i = 0; i < x->others; i++) {
		const struct proposal_other *o = &x->other[i];

		json_open(j, NULL, '{');
		json_text(j, "rule", o->rule);
		json_text(j, "risk", risk_name((enum risk)o->risk));
		json_open(j, "cost", '{');
		json_number(j, "packets", o->packets);
		json_number(j, "bytes", o->bytes);
		json_close(j, '}');
		json_text(j, "why", o->why);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* The fields of the text to sign, each as the text writes it. */
static void put_text(struct json *j, const struct approval *a)
{
	char address[ADDRESS_TEXT_BYTES] = "";

	json_open(j, "text", '{');
	json_text(j, "sensor", a->sensor);
	json_text(j, "zone", a->zone);
	json_open(j, "vlan", '[');
	json_number(j, NULL, a->vlan[0]);
	json_number(j, NULL, a->vlan[1]);
	json_close(j, ']');
	address_text(address, 0, a->target.mac);
	json_text(j, "target_mac", address);
	address[0] = '\0';
	if (a->target.family)
		address_text(address, a->target.family, a->target.ip);
	json_text(j, "target_ip", address);
	json_text(j, "transport", transport_name((enum transport)a->transport));
	json_number(j, "port", a->port);
	json_text(j, "path", a->path);
	json_text(j, "class", a->device_class);
	json_text(j, "maker", a->maker);
	json_text(j, "rule", a->rule);
	put_hash(j, "rule_sha256", a->rule_sha256);
	json_text(j, "parameters", a->parameters);
	put_hash(j, "plan_sha256", a->plan_sha256);
	if (a->uses) {
		json_number(j, "not_before", a->not_before_s);
		json_number(j, "not_after", a->not_after_s);
		json_number(j, "uses", a->uses);
	}
	json_close(j, '}');
}

static void put_signatures(struct json *j, const struct approval *a)
{
	char text[SIGNATURE_TEXT_BYTES];

	json_open(j, "signed", '[');
	for (size_t i = 0; i < a->signatures; i++) {
		json_open(j, NULL, '{');
		json_text(j, "analyst", a->signature[i].analyst);
		json_text(j, "signature", sodium_bin2base64(text, sizeof text, a->signature[i].bytes, sizeof a->signature[i].bytes,
							    sodium_base64_VARIANT_ORIGINAL));
		json_close(j, '}');
	}
	json_close(j, ']');
}

struct listing {
	struct json *j;
	size_t count;
};

static bool put_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	struct listing *l = context;
	struct guard_answer answer;
	char text[PLAN_TEXT_BYTES];

	if (l->count++ >= MESSAGES_SHOWN)
		return true;
	plan_message_text(plan, m, text);
	answer = guard_allows(plan->rule->protocol, (enum transport)plan->rule->transport, m->bytes, m->len);
	json_open(l->j, NULL, '{');
	json_text(l->j, "step", plan->rule->steps[m->step].name);
	json_number(l->j, "step_number", (int64_t)m->step + 1);
	json_number(l->j, "round", m->round + 1);
	json_text(l->j, "hex", text);
	json_text(l->j, "reading", answer.allowed ? answer.reading : answer.why);
	json_bool(l->j, "perhaps", m->perhaps);
	json_close(l->j, '}');
	return true;
}

static void put_messages(struct json *j, const struct proposal *x, const struct rule *rule)
{
	struct listing l = { j, 0 };
	char why[PLAN_WHY_BYTES];
	struct plan plan;

	json_open(j, "messages", '[');
	if (rule && plan_read(&plan, rule, x->a.parameters, why))
		plan_messages(&plan, put_message, &l);
	json_close(j, ']');
	if (l.count > MESSAGES_SHOWN)
		json_number(j, "messages_not_listed", (int64_t)(l.count - MESSAGES_SHOWN));
}

/* What every event about a proposal says of it. */
static void put_short(struct json *j, const struct proposal *x)
{
	json_text(j, "id", x->a.id);
	json_text(j, "status", proposal_status_name((enum proposal_status)x->status));
	json_number(j, "signatures", x->needed);
	json_bool(j, "automatic", x->automatic);
	json_time(j, "expires", (x->a.not_after_s ? x->a.not_after_s : x->expires_s) * INT64_C(1000000000));
	json_number(j, "used", x->used);
	if (x->reason[0])
		json_text(j, "reason", x->reason);
}

/* How the target's traffic usually is, as far as it was learned when this was written. */
static void put_watch(struct proposals *p, const struct proposal *x, int64_t now_ns)
{
	const struct asset *a = p->watch ? picture_asset(p->picture, x->asset) : NULL;

	if (!a)
		return;
	json_open(&p->document.json, "watch", '{');
	watch_write(p->watch, a, now_ns, &p->document.json);
	json_close(&p->document.json, '}');
}

static void put_proposal(struct proposals *p, const struct proposal *x, int64_t now_ns)
{
	struct json *j = &p->document.json;
	const struct rule *rule = proposal_rule(p, x);

	json_open(j, "proposal", '{');
	put_short(j, x);
	json_time(j, "made", x->made_s * INT64_C(1000000000));
	put_gap(j, x, rule);
	put_others(j, x);
	put_text(j, &x->a);
	put_signatures(j, &x->a);
	put_messages(j, x, rule);
	put_watch(p, x, now_ns);
	json_close(j, '}');
}

/* What was stated, or taken back. */
static void put_fact(struct json *j, const struct fact_step *step)
{
	const struct command *c = step->command;

	json_open(j, "fact", '{');
	if (step->number)
		json_number(j, "id", step->number);
	json_text(j, "kind", command_name((enum command_type)c->type));
	json_text(j, "asset", step->asset);
	if (c->type == COMMAND_SET) {
		json_text(j, "name", c->attribute);
		json_text(j, "subject", c->path);
	}
	if (c->value[0])
		json_text(j, "value", c->value);
	json_text_if(j, "previous", step->previous);
	if (step->ends)
		json_number(j, "ends", step->ends);
	json_close(j, '}');
}

static void put_approval(struct json *j, const struct proposal *x, const struct proposal_note *n)
{
	if (x) {
		json_open(j, "proposal", '{');
		put_short(j, x);
		put_text(j, &x->a);
		put_signatures(j, &x->a);
		json_close(j, '}');
	}
	json_open(j, "command", '{');
	json_text(j, "name", n->command); /* told of a command alone, so there is one. NOLINT(clang-analyzer-core.NullDereference) */
	json_text_if(j, "analyst", n->analyst);
	json_text_if(j, "named", n->named);
	json_text_if(j, "reason", n->reason);
	if (n->count > 1)
		json_number(j, "count", (int64_t)n->count);
	json_close(j, '}');
	if (n->fact)
		put_fact(j, n->fact);
}

static void put_outcome(struct json *j, const struct proposal *x, enum proposal_event event, const struct outcome *o)
{
	json_open(j, "proposal", '{');
	put_short(j, x);
	put_text(j, &x->a);
	put_signatures(j, &x->a);
	json_close(j, '}');
	json_open(j, "probe", '{');
	json_number(j, "run", (int64_t)o->order);
	if (event == TOLD_PROBE_REFUSED)
		json_text(j, "refusal", refusal_name((enum refusal)o->refusal));
	if (event == TOLD_ENDED) {
		json_text(j, "outcome", o->end == PROBE_COMPLETE ? "success" : o->end < PROBE_ENDS ? "failure" : "unknown");
		json_text(j, "end", probe_end_name((enum probe_end)o->end));
		json_number(j, "packets", o->packets);
		json_number(j, "bytes", o->bytes);
		json_number(j, "replies", o->replies);
		json_number(j, "reply_bytes", o->reply_bytes);
		if (o->started_ns)
			json_time(j, "started", o->started_ns);
		if (o->ended_ns)
			json_time(j, "ended", o->ended_ns);
	}
	if (o->audit)
		json_number(j, "audit", (int64_t)o->audit);
	if (o->why[0])
		json_text(j, "why", o->why);
	json_close(j, '}');
}

void proposal_document(struct proposals *p, const struct proposal *x, enum proposal_event event, const struct proposal_note *note,
		       int64_t now_ns)
{
	struct json *j = &p->document.json;

	put_envelope(p, x, event, now_ns);
	if (x)
		put_host(j, x);
	if (note && note->analyst) {
		json_open(j, "user", '{');
		json_text(j, "name", note->analyst);
		json_close(j, '}');
	}
	json_open(j, "ot", '{');
	json_number(j, "schema_version", DOCUMENT_SCHEMA_VERSION);
	json_text(j, "zone", p->picture->zone);
	if (x)
		put_asset(j, x);
	if (event <= TOLD_SUPERSEDED || event == TOLD_STATE)
		put_proposal(p, x, now_ns);
	else if (event < TOLD_PLANNED)
		put_approval(j, x, note);
	else
		put_outcome(j, x, event, note->outcome); /* and here of an outcome. NOLINT(clang-analyzer-core.NullDereference) */
	json_close(j, '}');
	json_close(j, '}');
}
