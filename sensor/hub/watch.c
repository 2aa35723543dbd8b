/* Judges whether a device may be asked, and looks on while it is. See watch.h for the promise. */
#include "sensor/hub/watch_parts.h"

#include "sensor/common/log.h"
#include "sensor/hub/address.h"
#include "sensor/hub/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SECOND_NS = 1000000000;

const char *watch_word_name(enum watch_word w)
{
	static const char *const names[WATCH_WORDS] = { "clear", "learning", "unsteady", "engineering", "quarantined", "canary-wait", "blind" };

	return w < WATCH_WORDS ? names[w] : "blind";
}

static void take_default(int64_t *value, int64_t seconds)
{
	if (*value == 0)
		*value = seconds * SECOND_NS;
}

struct watch *watch_open(struct store *s, struct picture *p, struct batch *b, const struct watch_times *times, const struct watch_ears *ears)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w || !(w->pairs = calloc(WATCH_TARGETS, sizeof *w->pairs))) {
		log_error("no memory for the watch");
		free(w);
		return NULL;
	}
	w->store = s;
	w->picture = p;
	w->batch = b;
	w->ears = *ears;
	if (times)
		w->times = *times;
	take_default(&w->times.learn_ns, 600);
	take_default(&w->times.hold_ns, 900);
	take_default(&w->times.observe_ns, 60);
	take_default(&w->times.canary_ns, 600);
	if (w->times.loss_permille == 0)
		w->times.loss_permille = 10;
	if (watch_load(w) < 0) {
		watch_close(w);
		return NULL;
	}
	return w;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	watch_close_statements(w);
	free(w->pairs);
	free(w);
}

/* Pairs */

static void address_of(const struct endpoint *e, uint8_t *family, uint8_t address[16])
{
	*family = e->family;
	memcpy(address, e->family ? e->ip : e->mac, address_bytes(e->family));
}

static struct watch_pair_key key_of(const struct pulse *p)
{
	struct watch_pair_key k = { .vlan = { p->vlan[0], p->vlan[1] }, .port = p->port, .ethertype = p->ethertype, .transport = p->transport };

	address_of(&p->server, &k.server_family, k.server);
	address_of(&p->client, &k.client_family, k.client);
	return k;
}

/* Of a few places the pair's own, a free one, or one that was silent for long. NULL when all are in use. */
static struct watch_pair *pair_of(struct watch *w, const struct pulse *p, int64_t now_ns)
{
	enum { PLACES = 64 };
	struct watch_pair_key key = key_of(p);
	size_t home = hash_bytes(&key, sizeof key);
	struct watch_pair *free_one = NULL;

	for (size_t n = 0; n < PLACES; n++) {
		struct watch_pair *x = &w->pairs[(home + n) % WATCH_TARGETS];

		if (x->used && memcmp(&x->key, &key, sizeof key) == 0)
			return x;
		if (!free_one && (!x->used || now_ns - x->told_ns > WATCH_FORGET_NS))
			free_one = x;
	}
	if (!free_one) {
		w->pairs_refused++;
		return NULL;
	}
	memset(free_one, 0, sizeof *free_one);
	free_one->key = key;
	free_one->used = true;
	return free_one;
}

static struct asset *asset_of(const struct watch *w, const uint16_t vlan[2], uint8_t family, const uint8_t *address)
{
	struct node *n = picture_find(w->picture, vlan, family, address);

	return n ? n->asset : NULL;
}

struct watch_pair *watch_next_pair(struct watch *w, const struct asset *a, uint32_t *at)
{
	while (*at < WATCH_TARGETS) {
		struct watch_pair *x = &w->pairs[(*at)++];

		if (x->used && asset_of(w, x->key.vlan, x->key.server_family, x->key.server) == a)
			return x;
	}
	return NULL;
}

/* Orders */

static struct watch_order *order_of(struct watch *w, uint64_t number)
{
	for (unsigned i = 0; i < WATCH_ORDERS; i++)
		if (w->orders[i].number == number)
			return &w->orders[i];
	return NULL;
}

bool watch_holds(const struct watch *w, uint64_t order)
{
	for (unsigned i = 0; i < WATCH_ORDERS; i++)
		if (order && w->orders[i].number == order)
			return true;
	return false;
}

static void abort_order(struct watch *w, struct watch_order *o, const char *evidence)
{
	if (o->aborted || o->ended_ns)
		return;
	o->aborted = true;
	if (w->ears.abort_order)
		w->ears.abort_order(w->ears.context, o->number, evidence);
}

const struct watch_quarantine *watch_quarantine_of(struct watch *w, const struct asset *a)
{
	struct watch_kind kind;
	bool judged = false;

	for (unsigned i = 0; i < WATCH_QUARANTINES; i++) {
		const struct watch_quarantine *q = &w->quarantines[i];

		if (!q->asset[0] || q->lifted)
			continue;
		if (strcmp(q->asset, a->id) == 0)
			return q;
		if (!judged)
			watch_kind_of(w, a, &kind);
		judged = true;
		if (watch_kind_matches(&q->kind, &kind))
			return q;
	}
	return NULL;
}

static struct watch_quarantine *add_quarantine(struct watch *w, const struct asset *a, const struct watch_order *o, const char *evidence,
					       int64_t now_ns)
{
	struct watch_quarantine *free_one = NULL;

	for (unsigned i = 0; i < WATCH_QUARANTINES; i++) {
		struct watch_quarantine *q = &w->quarantines[i];

		if (strcmp(q->asset, a->id) == 0 && !q->lifted)
			return q;
		if (!free_one && !q->asset[0])
			free_one = q;
	}
	if (!free_one) {
		log_error("more than %d quarantines: nobody is asked any more", WATCH_QUARANTINES);
		w->full = true;
		return NULL;
	}
	*free_one = (struct watch_quarantine){ .kind = o->kind, .order = o->number, .since_ns = now_ns, .unsaved = true };
	memcpy(free_one->asset, a->id, sizeof free_one->asset);
	memcpy(free_one->rule, o->rule, sizeof free_one->rule);
	snprintf(free_one->evidence, sizeof free_one->evidence, "%s", evidence);
	w->unsaved = true;
	return free_one;
}

/* The target of an order suffers: it and its kind are left alone from now on, and people are told. */
static void degrade(struct watch *w, struct watch_order *o, const struct baseline *before, const struct pulse *after, const char *evidence,
		    int64_t now_ns)
{
	struct asset *a = o->node->asset;
	struct watch_quarantine *q = add_quarantine(w, a, o, evidence, now_ns);

	o->suffered = true;
	log_warning("%s is other than usual since it was asked (%s): %s", a->id, o->rule, evidence);
	abort_order(w, o, evidence);
	watch_tell_degraded(w, a, o, q, before, after, now_ns);
	for (unsigned i = 0; i < WATCH_ORDERS; i++) {
		struct watch_order *other = &w->orders[i];

		/* Whoever is of the same kind is asked no further. */
		if (other != o && other->number && watch_kind_matches(&o->kind, &other->kind))
			abort_order(w, other, "a device of the same kind suffered from a probe");
	}
	for (unsigned i = 0; i < WATCH_CANARIES; i++) {
		struct watch_canary *c = &w->canaries[i];

		if (c->asset[0] && watch_kind_same(&c->kind, &o->kind) && strcmp(c->rule, o->rule) == 0) {
			c->gone = true;
			w->unsaved = true;
		}
	}
	if (o->ended_ns)
		memset(o, 0, sizeof *o);
}

static void degrade_asset(struct watch *w, const struct asset *a, const struct baseline *before, const struct pulse *after,
			  const char *evidence, int64_t now_ns)
{
	for (unsigned i = 0; i < WATCH_ORDERS; i++) {
		struct watch_order *o = &w->orders[i];

		if (o->number && !o->suffered && o->node->asset == a)
			degrade(w, o, before, after, evidence, now_ns);
	}
}

/* Zones */

static void hold_zone(struct watch *w, const uint16_t vlan[2], uint8_t activity, const struct endpoint *who, const struct endpoint *whom,
		      int64_t now_ns)
{
	struct watch_zone *z = NULL;

	for (unsigned i = 0; i < WATCH_ZONES; i++) {
		struct watch_zone *x = &w->zones[i];

		if (x->used && x->vlan[0] == vlan[0] && x->vlan[1] == vlan[1]) {
			z = x;
			break;
		}
		if (!z || !x->used || (z->used && x->seen_ns < z->seen_ns))
			z = x;
	}
	*z = (struct watch_zone){ .vlan = { vlan[0], vlan[1] }, .seen_ns = now_ns, .activity = activity, .used = true, .who = *who, .whom = *whom };
	for (unsigned i = 0; i < WATCH_ORDERS; i++) {
		struct watch_order *o = &w->orders[i];

		if (o->number && o->node->vlan[0] == vlan[0] && o->node->vlan[1] == vlan[1])
			abort_order(w, o, "an engineer began to work in the zone");
	}
}

/* What engines tell */

static bool under_watch(const struct watch *w, const struct asset *a)
{
	for (unsigned i = 0; a && i < WATCH_ORDERS; i++)
		if (w->orders[i].number && w->orders[i].node->asset == a)
			return true;
	return false;
}

static void note_recent(struct watch_recent *r, const struct pulse *p)
{
	uint32_t at = r->count++ % WATCH_RECENT;

	r->gap_us[at] = p->requests ? p->gap_sum_us / p->requests : 0;
	r->rtt_us[at] = p->replies ? p->rtt_sum_us / p->replies : 0;
}

void watch_pulse(struct watch *w, const struct pulse *p, int64_t now_ns)
{
	struct watch_pair *x = pair_of(w, p, now_ns);
	struct baseline before;
	struct asset *a;
	char why[BASELINE_WHY_BYTES];

	w->heard_ns = now_ns;
	if (!x)
		return;
	a = asset_of(w, x->key.vlan, x->key.server_family, x->key.server);
	x->told_ns = now_ns;
	memcpy(x->protocol, p->protocol, sizeof x->protocol);
	note_recent(&x->recent, p);
	if (baseline_is_write_burst(&x->baseline, p))
		hold_zone(w, p->vlan, ACTIVITY_WRITE_BURST, &p->client, &p->server, now_ns);
	before = x->baseline;
	if (p->heard_ns[1] > x->heard_ns) {
		x->heard_ns = p->heard_ns[1];
		x->frame = p->frame;
		x->quiet_told = false;
	}
	if (baseline_is_cyclic(&before))
		x->usual_us = before.gap_most;
	if (baseline_hear(&x->baseline, p, !under_watch(w, a), why)) {
		memcpy(x->why, why, sizeof x->why);
		if (a)
			degrade_asset(w, a, &before, p, why, now_ns);
	}
}

/* Some announce themselves all the time: that is no sign of anything. */
static bool announces_often(struct watch *w, const struct asset *a, int64_t now_ns)
{
	unsigned at = a->number % WATCH_STARTS;
	bool often = w->starts[at].asset == a->number && now_ns - w->starts[at].seen_ns < WATCH_FORGET_NS;

	w->starts[at].asset = a->number;
	w->starts[at].seen_ns = now_ns;
	return often;
}

void watch_hear(struct watch *w, const struct finding *f, int64_t now_ns)
{
	struct asset *a;

	w->heard_ns = now_ns;
	if (f->kind != FINDING_ACTIVITY || f->source != SOURCE_PASSIVE)
		return;
	if (activity_is_engineering((enum activity)f->activity)) {
		hold_zone(w, f->vlan, f->activity, &f->subject, &f->peer, now_ns);
		return;
	}
	a = f->subject.family ? asset_of(w, f->vlan, f->subject.family, f->subject.ip) : NULL;
	if (!a)
		a = asset_of(w, f->vlan, 0, f->subject.mac);
	if (a && !announces_often(w, a, now_ns))
		degrade_asset(w, a, NULL, NULL, "it has started again, as it says itself", now_ns);
}

void watch_loss(struct watch *w, uint64_t frames, uint64_t lost, int64_t now_ns)
{
	w->heard_ns = now_ns;
	if (frames != w->frames_last) {
		w->frames_last = frames;
		w->frames_ns = now_ns;
	}
	if (frames < w->frames_from || lost < w->lost_from || now_ns - w->loss_from_ns > WATCH_DEAF_NS || !w->loss_from_ns) {
		w->loss_from_ns = now_ns;
		w->frames_from = frames;
		w->lost_from = lost;
		return;
	}
	if ((lost - w->lost_from) * 1000 > (frames - w->frames_from + lost - w->lost_from) * w->times.loss_permille)
		w->lossy_ns = now_ns;
}

/* The observation is over and all is well. */
static void end_observation(struct watch *w, struct watch_order *o, int64_t now_ns)
{
	for (unsigned i = 0; i < WATCH_CANARIES; i++) {
		struct watch_canary *c = &w->canaries[i];

		if (c->asset[0] && !c->gone && !c->well_ns && watch_kind_same(&c->kind, &o->kind) && strcmp(c->rule, o->rule) == 0) {
			c->well_ns = now_ns;
			c->unsaved = true;
			w->unsaved = true;
		}
	}
	memset(o, 0, sizeof *o);
}

void watch_tick(struct watch *w, int64_t now_ns)
{
	const char *why;

	watch_look_for_quiet(w, now_ns);
	for (unsigned i = 0; i < WATCH_ORDERS; i++) {
		struct watch_order *o = &w->orders[i];

		if (!o->number)
			continue;
		/* Who can't see the target must not go on asking it. */
		if (!o->ended_ns && watch_blind(w, now_ns, &why))
			abort_order(w, o, why);
		if (o->ended_ns && now_ns >= o->until_ns)
			end_observation(w, o, now_ns);
	}
}

static void start_canary(struct watch *w, const struct watch_order *o)
{
	struct watch_canary *free_one = NULL;

	if (!watch_kind_known(&o->kind))
		return;
	for (unsigned i = 0; i < WATCH_CANARIES; i++) {
		struct watch_canary *c = &w->canaries[i];

		if (c->asset[0] && !c->gone && watch_kind_same(&c->kind, &o->kind) && strcmp(c->rule, o->rule) == 0)
			return;
		if (!free_one && !c->asset[0])
			free_one = c;
	}
	if (!free_one)
		return; /* one by one they go all the same, because of the orders under watch */
	*free_one = (struct watch_canary){ .kind = o->kind, .unsaved = true };
	memcpy(free_one->rule, o->rule, sizeof free_one->rule);
	memcpy(free_one->asset, o->node->asset->id, sizeof free_one->asset);
	w->unsaved = true;
}

bool watch_started(struct watch *w, uint64_t order, const struct watch_target *t, const char *rule, int64_t now_ns)
{
	struct watch_order *o = order_of(w, 0);
	struct node *n = watch_node(w, t);

	if (!o || !n || !order || order_of(w, order))
		return false;
	*o = (struct watch_order){ .number = order, .node = n, .started_ns = now_ns };
	watch_kind_of(w, n->asset, &o->kind);
	snprintf(o->rule, sizeof o->rule, "%s", rule);
	start_canary(w, o);
	return true;
}

static int64_t observation_ns(struct watch *w, const struct asset *a)
{
	int64_t longest_ns = w->times.observe_ns;
	uint32_t at = 0;

	for (const struct watch_pair *x; (x = watch_next_pair(w, a, &at));)
		if (baseline_is_cyclic(&x->baseline) && (int64_t)(x->baseline.gap.mean * 10000) > longest_ns)
			longest_ns = (int64_t)(x->baseline.gap.mean * 10000);
	return longest_ns;
}

void watch_ended(struct watch *w, uint64_t order, bool asked, int64_t now_ns)
{
	struct watch_order *o = order ? order_of(w, order) : NULL;

	if (!o || o->ended_ns)
		return;
	if (asked) {
		o->ended_ns = now_ns;
		o->until_ns = now_ns + observation_ns(w, o->node->asset);
		return;
	}
	for (unsigned i = 0; i < WATCH_CANARIES; i++) {
		struct watch_canary *c = &w->canaries[i];

		/* Nobody went first yet. */
		if (strcmp(c->asset, o->node->asset->id) == 0 && !c->well_ns && strcmp(c->rule, o->rule) == 0) {
			c->gone = true;
			w->unsaved = true;
		}
	}
	memset(o, 0, sizeof *o);
}

int watch_release(struct watch *w, const char *asset, const char *analyst, int64_t now_ns, char *why)
{
	struct asset *a = picture_asset(w->picture, asset);
	const struct watch_quarantine *because = a ? watch_quarantine_of(w, a) : NULL;

	for (unsigned i = 0; i < WATCH_QUARANTINES; i++) {
		struct watch_quarantine *q = &w->quarantines[i];

		if (strcmp(q->asset, asset) != 0 || q->lifted)
			continue;
		q->lifted = true;
		w->unsaved = true;
		log_info("%s is released from quarantine by %s", asset, analyst);
		if (a)
			watch_tell_released(w, a, q, analyst, now_ns);
		return 0;
	}
	if (because)
		snprintf(why, WATCH_WHY_BYTES, "%s is in quarantine because %s suffered; release that one", asset, because->asset);
	else
		snprintf(why, WATCH_WHY_BYTES, "%.100s is not in quarantine", asset);
	return -1;
}
