/* Makes proposals of gaps, keeps them as long as nothing changes, and changes each together with its event. */
#include "sensor/hub/proposal.h"

#include "classifiers/finding/text.h"
#include "sensor/common/log.h"
#include "sensor/hub/address.h"
#include "sensor/hub/binding.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/watch.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEARD_MOST = 64, ZONE_TEXT_BYTES = 128, EXPIRED_AT_ONCE = 32, FRESH_S = 5, FRESH_AT_ONCE = 16, DAY_S = 86400 };

const char *proposal_status_name(enum proposal_status s)
{
	static const char *const names[PROPOSAL_STATUSES] = {
		[PROPOSAL_OPEN] = "open",     [PROPOSAL_APPROVED] = "approved", [PROPOSAL_RUNNING] = "running",
		[PROPOSAL_SPENT] = "spent",   [PROPOSAL_DENIED] = "denied",     [PROPOSAL_REVOKED] = "revoked",
		[PROPOSAL_EXPIRED] = "expired", [PROPOSAL_SUPERSEDED] = "superseded",
	};

	return names[s];
}

int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

bool proposal_is_over(const struct proposal *x)
{
	return x->status > PROPOSAL_RUNNING;
}

int proposals_open(struct proposals *p, struct store *s, const struct knowledge *k, const struct picture *picture, uint8_t mode)
{
	memset(p, 0, sizeof *p);
	p->store = s;
	p->knowledge = k;
	p->picture = picture;
	p->mode = mode;
	p->sql = proposal_sql_open(s);
	if (sodium_init() < 0) {
		log_error("libsodium does not start");
		return -1;
	}
	return proposal_sql_load(p->sql, p);
}

void proposals_close(struct proposals *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i]);
	free(p->items);
	json_free(&p->document.json);
	json_free(&p->line);
	if (p->sql)
		proposal_sql_close(p->sql);
	memset(p, 0, sizeof *p);
}

struct proposal *proposals_find(const struct proposals *p, const char *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (!proposal_is_over(p->items[i]) && strcmp(p->items[i]->a.id, id) == 0)
			return p->items[i];
	return NULL;
}

struct proposal *proposals_find_run(const struct proposals *p, uint64_t run)
{
	for (size_t i = 0; run && i < p->count; i++)
		if (p->items[i]->order == run)
			return p->items[i];
	return NULL;
}

static bool rule_hash(const struct rule *rule, uint8_t hash[APPROVAL_HASH_BYTES])
{
	const char *hex = rule_sha256(rule);
	size_t n = 0;

	return sodium_hex2bin(hash, APPROVAL_HASH_BYTES, hex, strlen(hex), NULL, &n, NULL) == 0 && n == APPROVAL_HASH_BYTES;
}

const struct rule *proposal_rule(const struct proposals *p, const struct proposal *x)
{
	const struct rule *rule = p->knowledge->rules ? ruleset_find(p->knowledge->rules, x->a.rule) : NULL;
	uint8_t hash[APPROVAL_HASH_BYTES];

	return rule && rule_hash(rule, hash) && memcmp(hash, x->a.rule_sha256, sizeof hash) == 0 ? rule : NULL;
}

/* What the target is: all of the approval but the plan and what analysts say. */
static bool fill_target(const struct proposals *p, const struct subject *s, const struct gap *g, struct approval *a)
{
	const struct node *mac = g->target->family ? binding_parent(g->target) : g->target;
	const char *class = s->judgement->heard_class ? s->judgement->heard_class : s->judgement->class;
	char zone[ZONE_TEXT_BYTES];

	picture_zone(p->picture, g->target, zone, sizeof zone);
	if (strlen(zone) >= sizeof a->zone)
		return false;
	a->transport = g->transport;
	a->port = g->transport == TRANSPORT_ETHERNET ? 0 : g->port;
	memcpy(a->vlan, g->target->vlan, sizeof a->vlan);
	snprintf(a->sensor, sizeof a->sensor, "%s", p->picture->sensor);
	memcpy(a->zone, zone, strlen(zone));
	/* The prober's policy judges by the device's own word; an analyst's was asked before it came to a proposal. */
	if (class)
		text_clean(a->device_class, sizeof a->device_class, class, strlen(class));
	if (s->judgement->maker)
		text_clean(a->maker, sizeof a->maker, s->judgement->maker, strlen(s->judgement->maker));
	a->target.family = g->target->family;
	if (g->target->family)
		memcpy(a->target.ip, g->target->address, address_bytes(g->target->family));
	if (mac)
		memcpy(a->target.mac, mac->address, sizeof a->target.mac);
	memcpy(a->rule, g->rule->name, strnlen(g->rule->name, sizeof a->rule - 1));
	return rule_hash(g->rule, a->rule_sha256);
}

/* False when the rule can't be made ready for this target: something that it needs was not heard. */
static bool fill_plan(const struct subject *s, const struct gap *g, int64_t at_s, struct approval *a)
{
	struct plan_value values[HEARD_MOST];
	struct plan_facts facts = { &a->target, g->port, at_s, proposal_heard(s, g, values, HEARD_MOST), values };
	char why[PLAN_WHY_BYTES];
	struct plan plan;
	bool made = plan_make(&plan, g->rule, &facts, why) && plan_parameters(&plan, a->parameters, sizeof a->parameters) &&
		    plan_digest(&plan, a->plan_sha256);

	proposal_heard_free(values, facts.values_count);
	return made;
}

static void fill_id(struct approval *a)
{
	uint8_t random[(sizeof a->id - 1) / 2];

	randombytes_buf(random, sizeof random);
	sodium_bin2hex(a->id, sizeof a->id, random, sizeof random);
}

static void note_others(const struct subject *s, const struct gap *g, struct proposal *x)
{
	struct gap_other others[GAP_OTHERS];

	x->others = (uint8_t)gaps_others(g, s->knowledge, s->picture, s->view, s->judgement, others);
	for (size_t i = 0; i < x->others; i++) {
		const struct rule *r = others[i].rule;
		struct proposal_other *o = &x->other[i];

		*o = (struct proposal_other){ .risk = (uint8_t)r->risk, .packets = r->max_packets, .bytes = r->max_bytes };
		memcpy(o->rule, r->name, strnlen(r->name, sizeof o->rule - 1));
		memcpy(o->why, others[i].why, sizeof o->why);
	}
}

static bool make_proposal(const struct proposals *p, const struct subject *s, const struct gap *g, int64_t at_s, struct proposal *x)
{
	const struct policy_budgets *budgets = policy_budgets(p->knowledge->policy);

	*x = (struct proposal){ .status = PROPOSAL_OPEN, .needed = g->signatures, .kind = g->kind, .lacks_count = g->lacks_count,
				.made_s = at_s, .changed_s = at_s, .expires_s = at_s + PROPOSAL_LIFE_S, .unsaved = true };
	memcpy(x->lacks, g->lacks, sizeof x->lacks);
	memcpy(x->asset, s->view->asset->id, sizeof x->asset);
	memcpy(x->subject, g->subject, sizeof x->subject);
	memcpy(x->why, g->why, sizeof x->why);
	if (!fill_target(p, s, g, &x->a))
		return false;
	if (proposal_sql_refused(p->sql, x, at_s - PROPOSAL_REFUSED_S))
		return false;
	/* What was asked not long ago is not asked again, answered or not. */
	if (at_s - runs_last(p->sql, &x->a, x->a.rule) < (int64_t)budgets->repeat_days * DAY_S)
		return false;
	if (!fill_plan(s, g, at_s, &x->a))
		return false;
	fill_id(&x->a);
	note_others(s, g, x);
	x->automatic = g->automatic && p->mode == PROBING_AUTOMATIC;
	if (x->automatic) {
		x->needed = 0;
		x->status = PROPOSAL_APPROVED;
		x->a.not_before_s = at_s;
		x->a.not_after_s = x->expires_s = at_s + PROPOSAL_AUTOMATIC_S;
		x->a.uses = 1;
	}
	return true;
}

/* The gap that the proposal is for; NULL when it is not one any more, or would be asked otherwise now. */
static const struct gap *gap_of(const struct proposals *p, const struct subject *s, const struct proposal *x)
{
	for (size_t i = 0; i < s->gaps->count; i++) {
		const struct gap *g = &s->gaps->items[i];
		struct approval a = { .port = 0 };

		if (g->kind != x->kind || strcmp(g->subject, x->subject) != 0)
			continue;
		if (g->verdict != VERDICT_PROPOSED || !fill_target(p, s, g, &a) || strcmp(a.rule, x->a.rule) != 0 ||
		    memcmp(a.rule_sha256, x->a.rule_sha256, sizeof a.rule_sha256) != 0 || a.transport != x->a.transport ||
		    a.port != x->a.port || memcmp(a.vlan, x->a.vlan, sizeof a.vlan) != 0 || strcmp(a.zone, x->a.zone) != 0 ||
		    strcmp(a.device_class, x->a.device_class) != 0 || strcmp(a.maker, x->a.maker) != 0 ||
		    memcmp(&a.target, &x->a.target, sizeof a.target) != 0 || g->signatures > (x->automatic ? UINT8_MAX : x->needed))
			return NULL;
		return g;
	}
	return NULL;
}

static void supersede(struct proposals *p, const struct subject *s, struct proposal *x, int64_t at_s, proposals_tell *tell, void *context)
{
	bool still = false;

	for (size_t i = 0; i < s->gaps->count; i++)
		still |= s->gaps->items[i].kind == x->kind && strcmp(s->gaps->items[i].subject, x->subject) == 0;
	x->status = PROPOSAL_SUPERSEDED;
	x->changed_s = at_s;
	x->unsaved = true;
	snprintf(x->reason, sizeof x->reason, "%s", still ? "what is known of the device, its rule or the policy has changed" : "the gap has closed");
	proposal_document(p, x, TOLD_SUPERSEDED, NULL, at_s * INT64_C(1000000000));
	tell(context, x);
}

static bool has_proposal(const struct proposals *p, const char *asset, const struct gap *g)
{
	for (size_t i = 0; i < p->count; i++)
		if (!proposal_is_over(p->items[i]) && p->items[i]->kind == g->kind && strcmp(p->items[i]->asset, asset) == 0 &&
		    strcmp(p->items[i]->subject, g->subject) == 0)
			return true;
	return false;
}

static bool add_proposal(struct proposals *p, const struct proposal *made, proposals_tell *tell, void *context)
{
	struct proposal *x = malloc(sizeof *x);

	if (!x || !array_room(&p->items, &p->room, p->count, sizeof(struct proposal *)))
		abort();
	*x = *made;
	p->items[p->count++] = x;
	proposal_document(p, x, TOLD_PROPOSED, NULL, x->made_s * INT64_C(1000000000));
	tell(context, x);
	return true;
}

bool proposals_review(struct proposals *p, const struct subject *s, int64_t at_s, proposals_tell *tell, void *context)
{
	const char *asset = s->view->asset->id;
	bool changed = false;

	for (size_t i = 0; i < p->count; i++) {
		struct proposal *x = p->items[i];
		const struct gap *g;

		if (proposal_is_over(x) || strcmp(x->asset, asset) != 0)
			continue;
		g = gap_of(p, s, x);
		if (g)
			note_others(s, g, x);
		/* What runs is left to its end. */
		if (g || x->status == PROPOSAL_RUNNING)
			continue;
		changed = true;
		if (tell)
			supersede(p, s, x, at_s, tell, context);
	}
	for (size_t i = 0; i < s->gaps->count && p->count < PROPOSALS_MOST; i++) {
		const struct gap *g = &s->gaps->items[i];
		struct proposal made;

		if (g->verdict != VERDICT_PROPOSED || has_proposal(p, asset, g) || !make_proposal(p, s, g, at_s, &made))
			continue;
		changed = true;
		if (tell)
			add_proposal(p, &made, tell, context);
	}
	return changed;
}

/* The row of a proposal with the document that consumers see. */
static int put(struct proposals *p, const struct proposal *x, int64_t at_s)
{
	proposal_document(p, x, TOLD_STATE, NULL, at_s * INT64_C(1000000000));
	document_number(&p->document, p->picture->sensor, outbox_epoch(p->store), outbox_next(p->store) - 1, &p->line);
	return proposal_sql_put(p->sql, x, p->line.text, p->line.len);
}

bool proposals_unsaved(const struct proposals *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i]->unsaved)
			return true;
	return false;
}

int proposals_save(struct proposals *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i]->unsaved && put(p, p->items[i], p->items[i]->changed_s) < 0)
			return -1;
	return 0;
}

static void drop_over(struct proposals *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (proposal_is_over(p->items[i]) && !p->items[i]->unsaved && !p->items[i]->order)
			free(p->items[i]);
		else
			p->items[kept++] = p->items[i];
	}
	p->count = kept;
}

void proposals_saved(struct proposals *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->items[i]->unsaved = false;
	drop_over(p);
}

int proposals_change(struct proposals *p, struct proposal *x, const struct proposal *to, enum proposal_event event,
		     const struct proposal_note *note, int (*more)(struct store *s, void *context), void *context)
{
	static const char *const types[TOLD_KINDS] = {
		[TOLD_PROPOSED] = "proposal", [TOLD_EXPIRED] = "proposal", [TOLD_SUPERSEDED] = "proposal",
		[TOLD_SIGNED] = "approval",   [TOLD_DENIED] = "approval",  [TOLD_REVOKED] = "approval",
		[TOLD_REFUSED] = "approval",  [TOLD_STOPPED] = "approval", [TOLD_RESUMED] = "approval", [TOLD_RELEASED] = "approval",
		[TOLD_STATED] = "approval",
		[TOLD_PLANNED] = "probe",     [TOLD_PROBE_REFUSED] = "probe", [TOLD_ENDED] = "probe",
	};
	int64_t at_s = now_s(), sequence;

	if (store_begin(p->store) < 0)
		return -1;
	if (event != TOLD_STATE) {
		sequence = outbox_next(p->store);
		proposal_document(p, to ? to : x, event, note, at_s * INT64_C(1000000000));
		document_number(&p->document, p->picture->sensor, outbox_epoch(p->store), sequence, &p->line);
		if (sequence <= 0 || outbox_append(p->store, types[event], to ? to->asset : x ? x->asset : NULL, p->line.text, p->line.len) < 0)
			goto failed;
	}
	if ((to && put(p, to, to->changed_s) < 0) || (more && more(p->store, context) < 0))
		goto failed;
	if (store_commit(p->store) < 0)
		return -1;
	if (to)
		*x = *to;
	return 0;
failed:
	store_rollback(p->store);
	return -1;
}

/* What ends a proposal without anybody's doing; NULL for nothing. */
static const char *end_of(const struct proposals *p, const struct proposal *x, int64_t at_s, enum proposal_event *event)
{
	*event = TOLD_EXPIRED;
	if (x->status == PROPOSAL_OPEN && at_s >= x->expires_s)
		return "nobody approved it in time";
	if (x->status == PROPOSAL_APPROVED && at_s >= x->a.not_after_s)
		return "its time ran out before it could be asked";
	*event = TOLD_SUPERSEDED;
	return proposal_rule(p, x) ? NULL : "its rule has changed";
}

/* Whoever decides wants to see how the target is now, not how it was when the proposal was made. */
static void freshen(struct proposals *p, int64_t at_s)
{
	unsigned put_count = 0;

	if (!p->watch || at_s - p->fresh_s < FRESH_S || store_begin(p->store) < 0)
		return;
	p->fresh_s = at_s;
	for (size_t n = 0; n < p->count && put_count < FRESH_AT_ONCE; n++) {
		const struct proposal *x = p->items[p->fresh_at++ % p->count];

		if (x->unsaved || proposal_is_over(x) || !watch_knows(p->watch, picture_asset(p->picture, x->asset)))
			continue;
		if (put(p, x, at_s) < 0) {
			store_rollback(p->store);
			return;
		}
		put_count++;
	}
	store_commit(p->store);
}

bool proposals_tick(struct proposals *p, int64_t at_s)
{
	unsigned told = 0;

	for (size_t i = 0; i < p->count && told < EXPIRED_AT_ONCE; i++) {
		struct proposal *x = p->items[i], to = *x;
		enum proposal_event event;
		const char *why = x->unsaved || proposal_is_over(x) || x->status == PROPOSAL_RUNNING ? NULL : end_of(p, x, at_s, &event);

		if (!why)
			continue;
		to.status = event == TOLD_EXPIRED ? PROPOSAL_EXPIRED : PROPOSAL_SUPERSEDED;
		to.changed_s = at_s;
		snprintf(to.reason, sizeof to.reason, "%s", why);
		if (proposals_change(p, x, &to, event, NULL, NULL, NULL) < 0)
			break;
		told++;
	}
	drop_over(p);
	freshen(p, at_s);
	if (proposal_sql_forget(p->sql, at_s - PROPOSAL_KEEP_S) > 0)
		told++;
	return told > 0;
}
