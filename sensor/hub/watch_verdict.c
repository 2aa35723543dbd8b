/* May a device be asked now? One question after the other, the gravest first. See watch.h. */
#include "sensor/hub/watch_parts.h"

#include "sensor/hub/address.h"

#include <stdio.h>
#include <string.h>

static const int64_t SECOND_NS = 1000000000;
static const int64_t ALIVE_NS = 300LL * 1000000000; /* who has no cyclic traffic must be heard as often as this */

bool watch_blind(const struct watch *w, int64_t now_ns, const char **why)
{
	if (w->lossy_ns && now_ns - w->lossy_ns < WATCH_DEAF_NS)
		*why = "the capture loses frames";
	else if (!w->frames_ns || now_ns - w->frames_ns > WATCH_DEAF_NS)
		*why = "nothing is heard at all";
	else
		return false;
	return true;
}

static const struct watch_zone *zone_held(const struct watch *w, const uint16_t vlan[2], int64_t now_ns)
{
	for (unsigned i = 0; i < WATCH_ZONES; i++) {
		const struct watch_zone *z = &w->zones[i];

		if (z->used && z->vlan[0] == vlan[0] && z->vlan[1] == vlan[1] && now_ns - z->seen_ns < w->times.hold_ns)
			return z;
	}
	return NULL;
}

static bool refuse(struct watch_verdict *v, enum watch_word word, int64_t again_ns, const char *why)
{
	v->word = word;
	v->again_ns = again_ns;
	snprintf(v->why, sizeof v->why, "%s", why);
	return false;
}

/* Its traffic, as far as it has any. */
static bool steady(struct watch *w, const struct asset *a, int64_t now_ns, struct watch_verdict *v)
{
	char why[BASELINE_WHY_BYTES];
	bool cyclic = false;
	uint32_t at = 0;

	for (const struct watch_pair *x; (x = watch_next_pair(w, a, &at));) {
		const struct baseline *b = &x->baseline;
		int64_t known_ns = b->last_ns - b->steady_ns;

		if (now_ns - x->told_ns > WATCH_FORGET_NS)
			continue;
		if (x->why[0] && known_ns < w->times.learn_ns)
			return refuse(v, WATCH_UNSTEADY, now_ns + w->times.learn_ns - known_ns, x->why);
		if (baseline_is_noisy(b, why))
			return refuse(v, WATCH_UNSTEADY, 0, why);
		if (!baseline_is_cyclic(b))
			continue;
		cyclic = true;
		if (known_ns < w->times.learn_ns)
			return refuse(v, WATCH_LEARNING, now_ns + w->times.learn_ns - known_ns, "its cyclic traffic is not known for long enough");
		if (now_ns - x->told_ns > 5 * SECOND_NS + (int64_t)(b->gap_most * 3000))
			return refuse(v, WATCH_UNSTEADY, 0, "its cyclic traffic has stopped");
	}
	if (cyclic)
		return true;
	/* Nothing comes in cycles: at least it must be there, and have been there for as long. */
	if (now_ns - a->first_ns < w->times.learn_ns)
		return refuse(v, WATCH_LEARNING, a->first_ns + w->times.learn_ns, "it has not been heard for long enough");
	for (const struct node *n = a->nodes; n; n = n->next)
		if (now_ns - n->last_ns < ALIVE_NS || now_ns - n->last_ns < w->times.learn_ns)
			return true;
	return refuse(v, WATCH_UNSTEADY, 0, "it has not been heard of late");
}

/* The first of a kind goes alone; the others one by one, after it has been well for a time. */
static bool canary(struct watch *w, const struct asset *a, const char *rule, int64_t now_ns, struct watch_verdict *v)
{
	struct watch_kind kind;

	watch_kind_of(w, a, &kind);
	if (!watch_kind_known(&kind))
		return true;
	for (unsigned i = 0; i < WATCH_ORDERS; i++)
		if (w->orders[i].number && watch_kind_matches(&kind, &w->orders[i].kind) && w->orders[i].node->asset != a)
			return refuse(v, WATCH_CANARY_WAIT, 0, "another of its kind is being asked, or was a moment ago");
	for (unsigned i = 0; i < WATCH_CANARIES; i++) {
		const struct watch_canary *c = &w->canaries[i];

		if (!c->asset[0] || c->gone || !watch_kind_same(&c->kind, &kind) || strcmp(c->rule, rule) != 0 || strcmp(c->asset, a->id) == 0)
			continue;
		if (!c->well_ns)
			return refuse(v, WATCH_CANARY_WAIT, 0, "the first of its kind is still under watch");
		if (now_ns - c->well_ns < w->times.canary_ns)
			return refuse(v, WATCH_CANARY_WAIT, c->well_ns + w->times.canary_ns, "the first of its kind was asked a moment ago");
	}
	return true;
}

struct node *watch_node(const struct watch *w, const struct watch_target *t)
{
	return picture_find(w->picture, t->vlan, t->address.family, t->address.family ? t->address.ip : t->address.mac);
}

static bool engineering(struct watch *w, const struct asset *a, int64_t now_ns, struct watch_verdict *v)
{
	for (const struct node *n = a->nodes; n; n = n->next) {
		const struct watch_zone *z = zone_held(w, n->vlan, now_ns);
		char who[ADDRESS_TEXT_BYTES], why[WATCH_WHY_BYTES];

		if (!z)
			continue;
		address_text(who, z->who.family, z->who.family ? z->who.ip : z->who.mac);
		snprintf(why, sizeof why, "%s by %s was seen in its zone %lld s ago", activity_name((enum activity)z->activity), who,
			 (long long)((now_ns - z->seen_ns) / SECOND_NS));
		refuse(v, WATCH_ENGINEERING, z->seen_ns + w->times.hold_ns, why);
		return true;
	}
	return false;
}

bool watch_may_start(struct watch *w, const struct watch_target *t, const char *rule, int64_t now_ns, struct watch_verdict *v)
{
	struct node *n = watch_node(w, t);
	const struct watch_quarantine *q;
	const char *why;
	unsigned under_way = 0;

	memset(v, 0, sizeof *v);
	if (!n)
		return refuse(v, WATCH_LEARNING, 0, "it was never heard at this address");
	q = watch_quarantine_of(w, n->asset);
	if (q) {
		char text[3 * WATCH_WORD_BYTES], sentence[WATCH_WHY_BYTES];

		watch_kind_text(&q->kind, text, sizeof text);
		snprintf(sentence, sizeof sentence, "quarantined with its kind (%.100s) since %s suffered from %s", text, q->asset, q->rule);
		return refuse(v, WATCH_QUARANTINED, 0, sentence);
	}
	if (w->full)
		return refuse(v, WATCH_QUARANTINED, 0, "too many devices suffered from probes");
	if (watch_blind(w, now_ns, &why))
		return refuse(v, WATCH_BLIND, 0, why);
	for (unsigned i = 0; i < WATCH_ORDERS; i++)
		under_way += w->orders[i].number != 0;
	if (under_way == WATCH_ORDERS)
		return refuse(v, WATCH_BLIND, 0, "too many orders are under watch");
	if (engineering(w, n->asset, now_ns, v) || !steady(w, n->asset, now_ns, v) || !canary(w, n->asset, rule, now_ns, v))
		return false;
	v->word = WATCH_CLEAR;
	snprintf(v->why, sizeof v->why, "steady, nobody is at work, none of its kind suffers");
	return true;
}

