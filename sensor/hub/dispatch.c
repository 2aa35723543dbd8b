/* Orders out, outcomes in. */
#include "sensor/hub/dispatch.h"

#include "classifiers/finding/text.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/hub/dispatch_facts.h"
#include "sensor/hub/publisher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_MS = 1000,
	BEGIN_S = 30,          /* within this time the prober says that it begins, or refuses */
	GRACE_S = 60,          /* beyond the longest that a rule can take */
	RETRY_FIRST_S = 5,     /* after a refusal; doubled each time, but for a busy prober */
	RETRY_MOST_S = 3600,
};

static const char stopped_key[] = "probing_stopped";

/* What is known of a proposal beside what is stored. */
struct waiting {
	char id[APPROVAL_ID_BYTES];
	int64_t again_s;       /* not before */
	int64_t retry_s;
	uint32_t refusal;      /* the last one told */
	int64_t sent_s;        /* of the run under way */
	bool planned;
};

static struct {
	struct dispatch_setup setup;
	uv_timer_t timer;
	uv_poll_t poll;
	bool open, polling;
	bool stopped, told_broken;
	struct waiting *waiting;
	size_t count, room;
} d;

static struct waiting *waiting_for(const struct proposal *x)
{
	for (size_t i = 0; i < d.count; i++)
		if (strcmp(d.waiting[i].id, x->a.id) == 0)
			return &d.waiting[i];
	if (!array_room(&d.waiting, &d.room, d.count, sizeof *d.waiting))
		abort();
	d.waiting[d.count] = (struct waiting){ .retry_s = RETRY_FIRST_S };
	memcpy(d.waiting[d.count].id, x->a.id, sizeof x->a.id);
	return &d.waiting[d.count++];
}

static void forget_over(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < d.count; i++)
		if (proposals_find(d.setup.proposals, d.waiting[i].id))
			d.waiting[kept++] = d.waiting[i];
	d.count = kept;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Whole or not at all: an order is smaller than what a pipe takes at once. */
static bool send_order(const struct order *o)
{
	ssize_t n;

	if (!d.open)
		return false;
	n = write(FD_ORDERS, o, sizeof *o);
	if (n == (ssize_t)sizeof *o) {
		d.told_broken = false;
		return true;
	}
	if (!d.told_broken)
		log_warning("the prober takes no orders: %s", n < 0 ? strerror(errno) : "the pipe took a part");
	d.told_broken = true;
	return false;
}

static bool say(enum order_type type, uint64_t run)
{
	struct order o = { .type = type, .id = run };

	if (type == ORDER_ALIVE && d.setup.loss)
		o.loss = d.setup.loss();
	return send_order(&o);
}

void dispatch_stop(void)
{
	bool news = !d.stopped;

	d.stopped = true;
	say(ORDER_STOP, 0);
	/* Within a batch that could not be stored it may come again and again. */
	if (!news)
		return;
	if (store_set_meta(d.setup.proposals->store, stopped_key, 1) < 0)
		log_error("that probing was stopped can't be written down; the prober keeps it all the same");
	log_warning("probing was stopped by a command");
}

void dispatch_resume(void)
{
	d.stopped = false;
	store_set_meta(d.setup.proposals->store, stopped_key, 0);
	say(ORDER_RESUME, 0);
	log_info("probing goes on by a command");
}

void dispatch_abort(uint64_t run)
{
	say(ORDER_ABORT, run);
}

static struct watch_target watched(const struct approval *a)
{
	struct watch_target t = { .vlan = { a->vlan[0], a->vlan[1] }, .address = a->target, .transport = a->transport, .port = a->port };

	return t;
}

/* The prober carries out one order at a time, whatever the zone may bear. */
static bool is_asking(void)
{
	const struct proposals *p = d.setup.proposals;

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
static bool has_budget(const struct proposal *x, const struct rule *rule, const struct policy_budgets *b, int64_t at_s)
{
	const struct policy_budget *scopes[] = { [RUNS_TARGET] = &b->target, [RUNS_ZONE] = &b->zone, [RUNS_SENSOR] = &b->sensor };

	for (int scope = RUNS_TARGET; scope <= RUNS_SENSOR; scope++) {
		struct run_sum minute = runs_since(d.setup.proposals->sql, x, (enum run_scope)scope, at_s - 60);
		struct run_sum day = runs_since(d.setup.proposals->sql, x, (enum run_scope)scope, at_s - 86400);
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

static bool policy_lets(const struct proposal *x, const struct rule *rule, char why[PROPOSAL_REASON_BYTES])
{
	const struct policy *policy = d.setup.proposals->knowledge->policy;
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
static bool is_there(const struct proposal *x, const struct rule *rule, int64_t at_s, char why[PROPOSAL_REASON_BYTES])
{
	struct order o = { .heard_s = 0 };

	dispatch_facts(d.setup.picture, x, rule, &o);
	if (o.conflict)
		return wait_for(why, "another MAC claims its address");
	if (at_s - o.heard_s > ORDER_HEARD_S)
		return wait_for(why, "it was not heard for %d s under this MAC, address and VLAN", ORDER_HEARD_S);
	return o.seen || wait_for(why, "it was not heard as a server of what the rule asks for");
}

/* False with the reason why it waits. */
static bool may_start(const struct proposal *x, const struct rule *rule, int64_t at_s, char why[PROPOSAL_REASON_BYTES])
{
	struct watch_target target = watched(&x->a);
	const struct policy_budgets *b;
	struct watch_verdict v;

	if (d.stopped)
		return wait_for(why, "all probing is stopped");
	if (!rule)
		return wait_for(why, "its rule has changed");
	if (!policy_lets(x, rule, why) || !is_there(x, rule, at_s, why))
		return false;
	b = policy_budgets(d.setup.proposals->knowledge->policy);
	if (is_asking())
		return wait_for(why, "another device is being asked");
	if (at_s - runs_last(d.setup.proposals->sql, &x->a, NULL) < b->cool_down_s)
		return wait_for(why, "the device was asked less than %u s ago", b->cool_down_s);
	if (!has_budget(x, rule, b, at_s))
		return wait_for(why, "a budget of budgets.yaml is used up");
	if (d.setup.watch && !d.setup.watch->may_start(d.setup.watch->watch, &target, rule->name, now_ns(), &v))
		return wait_for(why, "%s", v.why);
	return true;
}

struct beginning {
	const struct proposal *x;
	const struct rule *rule;
	uint64_t run;
};

static int note_run(struct store *s, void *context)
{
	const struct beginning *b = context;

	(void)s;
	return runs_begin(d.setup.proposals->sql, b->run, b->x, b->rule, now_s());
}

struct ending {
	uint64_t run;
	bool sent;
	uint32_t packets, bytes;
};

static int note_end(struct store *s, void *context)
{
	const struct ending *e = context;

	(void)s;
	return runs_end(d.setup.proposals->sql, e->run, e->sent, e->packets, e->bytes, now_s());
}

/* It did not begin: as before. */
static void take_back(struct proposal *x, const char *reason)
{
	struct ending e = { x->order, false, 0, 0 };
	struct proposal to = *x;

	to.order = 0;
	if (!proposal_is_over(x))
		to.status = PROPOSAL_APPROVED;
	snprintf(to.reason, sizeof to.reason, "%s", reason);
	proposals_change(d.setup.proposals, x, &to, TOLD_STATE, NULL, note_end, &e);
}

static void begin(struct proposal *x, const struct rule *rule, struct waiting *w)
{
	struct beginning b = { x, rule, runs_next(d.setup.proposals->sql) };
	struct watch_target target = watched(&x->a);
	struct order o = { .id = b.run, .type = ORDER_PROBE, .approval = x->a };
	struct proposal to = *x;

	if (!b.run)
		return;
	dispatch_facts(d.setup.picture, x, rule, &o);
	to.status = PROPOSAL_RUNNING;
	to.order = b.run;
	to.changed_s = now_s();
	to.reason[0] = '\0';
	if (proposals_change(d.setup.proposals, x, &to, TOLD_STATE, NULL, note_run, &b) < 0)
		return;
	w->sent_s = now_s();
	w->planned = false;
	if (d.setup.watch && !d.setup.watch->started(d.setup.watch->watch, b.run, &target, rule->name, now_ns())) {
		take_back(x, "the watch has no room");
		return;
	}
	if (send_order(&o))
		return;
	if (d.setup.watch)
		d.setup.watch->ended(d.setup.watch->watch, b.run, false, now_ns());
	take_back(x, "the prober takes no orders");
	w->again_s = now_s() + RETRY_FIRST_S;
}

/* Tells why it waits when that is another reason than before. */
static void note_waiting(struct proposal *x, const char *why)
{
	struct proposal to = *x;

	if (strcmp(x->reason, why) == 0)
		return;
	snprintf(to.reason, sizeof to.reason, "%s", why);
	proposals_change(d.setup.proposals, x, &to, TOLD_STATE, NULL, NULL, NULL);
}

static void look_at(struct proposal *x, int64_t at_s)
{
	const struct rule *rule = proposal_rule(d.setup.proposals, x);
	struct waiting *w = waiting_for(x);
	char why[PROPOSAL_REASON_BYTES] = "";

	if (at_s < x->a.not_before_s || at_s >= x->a.not_after_s || at_s < w->again_s)
		return;
	if (may_start(x, rule, at_s, why))
		begin(x, rule, w);
	else
		note_waiting(x, why);
}

/* The longest that a run of the rule can take. */
static int64_t longest_s(const struct rule *rule)
{
	int64_t ms = 0;

	for (size_t i = 0; rule && i < rule->steps_count; i++)
		ms += (int64_t)rule->steps[i].rounds * (rule->timeout_ms + rule->steps[i].pause_ms + rule->steps[i].reply.idle_ms);
	return ms / 1000 + GRACE_S;
}

static void finish(struct proposal *x, const struct outcome *o, bool sent);

/* A run of which nothing is heard any more: the prober ended meanwhile, or we did. */
static void look_after(struct proposal *x, int64_t at_s)
{
	struct waiting *w = waiting_for(x);
	struct outcome o = { .order = x->order, .type = OUTCOME_ENDED, .end = PROBE_ENDS };

	if (!w->sent_s)
		w->sent_s = at_s; /* it was begun before we were */
	if (!w->planned && x->used == 0 && at_s - w->sent_s > BEGIN_S) {
		if (d.setup.watch)
			d.setup.watch->ended(d.setup.watch->watch, x->order, false, now_ns());
		take_back(x, "the prober did not answer");
		w->again_s = at_s + RETRY_FIRST_S;
	} else if (at_s - w->sent_s > BEGIN_S + longest_s(proposal_rule(d.setup.proposals, x))) {
		snprintf(o.why, sizeof o.why, "the prober never said how it ended");
		finish(x, &o, true);
	}
}

void dispatch_kick(void)
{
	struct proposals *p = d.setup.proposals;
	int64_t at_s = now_s();

	if (!d.open || p->store->failing || p->store->open)
		return;
	for (size_t i = 0; i < p->count; i++) {
		struct proposal *x = p->items[i];

		if (x->unsaved)
			continue;
		if (x->order)
			look_after(x, at_s);
		else if (x->status == PROPOSAL_APPROVED)
			look_at(x, at_s);
	}
	forget_over();
	publisher_kick();
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	say(ORDER_ALIVE, 0);
	dispatch_kick();
}

/* Nothing that can change by itself. */
static bool is_final(uint32_t refusal)
{
	return refusal == REFUSED_NO_RULE || refusal == REFUSED_RULE_CHANGED || refusal == REFUSED_PARAMETERS || refusal == REFUSED_BYTES ||
	       refusal == REFUSED_GUARD || refusal == REFUSED_SIGNATURE || refusal == REFUSED_SIGNERS || refusal == REFUSED_USED;
}

static void take_refusal(struct proposal *x, const struct outcome *o)
{
	struct proposal_note note = { .outcome = o };
	struct ending e = { o->order, false, 0, 0 };
	struct waiting *w = waiting_for(x);
	struct proposal to = *x;
	bool news = w->refusal != o->refusal;

	to.order = 0;
	if (!proposal_is_over(x))
		to.status = is_final(o->refusal) ? PROPOSAL_SPENT : PROPOSAL_APPROVED;
	to.changed_s = now_s();
	snprintf(to.reason, sizeof to.reason, "the prober refused: %s", o->why);
	if (proposals_change(d.setup.proposals, x, &to, news ? TOLD_PROBE_REFUSED : TOLD_STATE, &note, note_end, &e) < 0)
		return;
	w->refusal = o->refusal;
	w->again_s = now_s() + w->retry_s;
	/* That the prober is busy says nothing of this proposal, and passes soon. */
	if (o->refusal != REFUSED_BUSY)
		w->retry_s = w->retry_s * 2 < RETRY_MOST_S ? w->retry_s * 2 : RETRY_MOST_S;
	if (d.setup.watch)
		d.setup.watch->ended(d.setup.watch->watch, o->order, false, now_ns());
}

static void take_plan(struct proposal *x, const struct outcome *o)
{
	struct proposal_note note = { .outcome = o };
	struct waiting *w = waiting_for(x);
	struct proposal to = *x;

	w->planned = true;
	to.used++;
	to.changed_s = now_s();
	proposals_change(d.setup.proposals, x, &to, TOLD_PLANNED, &note, NULL, NULL);
}

static void finish(struct proposal *x, const struct outcome *o, bool sent)
{
	struct proposal_note note = { .outcome = o };
	struct ending e = { o->order, sent, o->packets, o->bytes };
	struct waiting *w = waiting_for(x);
	struct proposal to = *x;
	uint64_t run = x->order;

	if (o->end >= PROBE_ENDS) {
		/* Nobody knows what was sent: it counts as all. */
		const struct rule *rule = proposal_rule(d.setup.proposals, x);

		e.packets = rule ? rule->max_packets : 0;
		e.bytes = rule ? rule->max_bytes : 0;
	}
	to.order = 0;
	to.changed_s = now_s();
	snprintf(to.reason, sizeof to.reason, "%s", o->why);
	if (!proposal_is_over(x))
		to.status = to.used < to.a.uses ? PROPOSAL_APPROVED : PROPOSAL_SPENT;
	if (proposals_change(d.setup.proposals, x, &to, TOLD_ENDED, &note, note_end, &e) < 0)
		return;
	w->refusal = REFUSED_NOT;
	w->retry_s = RETRY_FIRST_S;
	if (d.setup.watch)
		d.setup.watch->ended(d.setup.watch->watch, run, true, now_ns());
}

/* One that we had given up: its budget is to be counted all the same. */
static void take_stray(const struct outcome *o)
{
	log_warning("the prober tells of run %llu, which nobody waits for", (unsigned long long)o->order);
	if (o->type != OUTCOME_REFUSED)
		runs_end(d.setup.proposals->sql, o->order, true, o->packets, o->bytes, now_s());
}

/* False for what no prober writes: a run is planned once, and its event stays in the outbox whatever its limit. */
static bool take_outcome(const struct outcome *o)
{
	struct proposal *x = proposals_find_run(d.setup.proposals, o->order);

	if (o->type == OUTCOME_STATE) {
		/* A prober that was started anew must know what its predecessor was told. */
		if (d.stopped && !o->stopped)
			say(ORDER_STOP, 0);
		return true;
	}
	if (x && o->type == OUTCOME_PLANNED && waiting_for(x)->planned)
		return false;
	if (!x)
		take_stray(o);
	else if (o->type == OUTCOME_REFUSED)
		take_refusal(x, o);
	else if (o->type == OUTCOME_PLANNED)
		take_plan(x, o);
	else
		finish(x, o, true);
	return true;
}

static bool outcome_valid(const struct outcome *o)
{
	return o->type >= OUTCOME_REFUSED && o->type < OUTCOME_TYPES && o->refusal < REFUSALS && o->end < PROBE_ENDS && o->stopped <= 1 &&
	       text_is_clean(o->why, sizeof o->why) && o->audit <= INT64_MAX && o->order <= INT64_MAX;
}

static void on_outcome(uv_poll_t *poll, int status, int events)
{
	struct outcome o;
	ssize_t n = read(FD_OUTCOMES, &o, sizeof o);

	(void)status;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0) {
		uv_poll_stop(poll); /* there is no prober, and none will come */
		return;
	}
	if (n != (ssize_t)sizeof o || !outcome_valid(&o) || !take_outcome(&o)) {
		log_error("the prober wrote what no prober writes");
		d.setup.wrong();
		return;
	}
	dispatch_kick();
}

static bool is_pipe(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

int dispatch_start(uv_loop_t *loop, const struct dispatch_setup *setup)
{
	memset(&d, 0, sizeof d);
	d.setup = *setup;
	d.open = is_pipe(FD_ORDERS) && is_pipe(FD_OUTCOMES);
	d.stopped = store_meta(setup->proposals->store, stopped_key, 0) != 0;
	if (!d.open) {
		log_info("there is no prober: what is approved stays unasked");
		return 0;
	}
	if (uv_poll_init(loop, &d.poll, FD_OUTCOMES) < 0 || uv_poll_start(&d.poll, UV_READABLE, on_outcome) < 0) {
		log_error("the loop refuses the prober's pipe");
		return -1;
	}
	d.polling = true;
	if (d.stopped)
		say(ORDER_STOP, 0);
	return uv_timer_init(loop, &d.timer) < 0 || uv_timer_start(&d.timer, on_tick, 0, TICK_MS) < 0 ? -1 : 0;
}

void dispatch_end(void)
{
	if (d.open)
		uv_timer_stop(&d.timer);
	if (d.polling)
		uv_poll_stop(&d.poll);
	d.open = d.polling = false;
	free(d.waiting);
	d.waiting = NULL;
	d.count = d.room = 0;
}
