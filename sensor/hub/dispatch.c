/* Orders out, outcomes in. */
#include "sensor/hub/dispatch.h"

#include "classifiers/finding/text.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/time_range.h"
#include "sensor/hub/dispatch_facts.h"
#include "sensor/hub/dispatch_judge.h"
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
};

static struct {
	struct dispatch_setup setup;
	uv_timer_t timer;
	uv_poll_t poll;
	bool open, polling;
	bool stopped, told_broken;
	bool held;             /* an outcome that the store did not take; others wait behind it */
	struct outcome outcome;
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

/* Also one that is over, as long as a run of it is under way. */
static bool is_kept(const char *id)
{
	const struct proposals *p = d.setup.proposals;

	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i]->a.id, id) == 0)
			return true;
	return false;
}

static void forget_over(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < d.count; i++)
		if (is_kept(d.waiting[i].id))
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
	struct watch_target target = dispatch_watched(&x->a);
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
	if (dispatch_may_start(&d.setup, d.stopped, x, rule, now_ns(), why))
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

static bool finish(struct proposal *x, const struct outcome *o, bool sent);

/* A run of which nothing is heard any more: the prober ended meanwhile, or we did. */
static void look_after(struct proposal *x, int64_t at_s)
{
	struct waiting *w = waiting_for(x);
	struct outcome o = { .order = x->order, .type = OUTCOME_ENDED, .end = PROBE_ENDS };

	if (!w->sent_s)
		w->sent_s = at_s; /* it was begun before we were */
	if (at_s - w->sent_s > BEGIN_S && !runs_planned(d.setup.proposals->sql, x->order)) {
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

/* Nothing that can change by itself. */
static bool is_final(uint32_t refusal)
{
	return refusal == REFUSED_NO_RULE || refusal == REFUSED_RULE_CHANGED || refusal == REFUSED_PARAMETERS || refusal == REFUSED_BYTES ||
	       refusal == REFUSED_GUARD || refusal == REFUSED_SIGNATURE || refusal == REFUSED_SIGNERS || refusal == REFUSED_USED;
}

/* What is false here and below: the store refused, and nothing has changed. */
static bool take_refusal(struct proposal *x, const struct outcome *o)
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
		return false;
	w->refusal = o->refusal;
	w->again_s = now_s() + w->retry_s;
	/* That the prober is busy says nothing of this proposal, and passes soon. */
	if (o->refusal != REFUSED_BUSY)
		w->retry_s = w->retry_s * 2 < RETRY_MOST_S ? w->retry_s * 2 : RETRY_MOST_S;
	if (d.setup.watch)
		d.setup.watch->ended(d.setup.watch->watch, o->order, false, now_ns());
	return true;
}

static int note_plan(struct store *s, void *context)
{
	const uint64_t *run = context;

	(void)s;
	return runs_plan(d.setup.proposals->sql, *run);
}

/* A run that was given up and begins all the same is watched again. */
static void watch_again(const struct proposal *x)
{
	const struct rule *rule = proposal_rule(d.setup.proposals, x);
	struct watch_target target = dispatch_watched(&x->a);

	waiting_for(x)->sent_s = now_s();
	if (d.setup.watch && rule)
		d.setup.watch->started(d.setup.watch->watch, x->order, &target, rule->name, now_ns());
}

static bool take_plan(struct proposal *x, const struct outcome *o)
{
	struct proposal_note note = { .outcome = o };
	bool given_up = x->order == 0;
	uint64_t run = o->order;
	struct proposal to = *x;

	to.used = (uint8_t)(to.used + (to.used < UINT8_MAX));
	to.changed_s = now_s();
	if (given_up) {
		to.order = run;
		if (!proposal_is_over(x))
			to.status = PROPOSAL_RUNNING;
	}
	if (proposals_change(d.setup.proposals, x, &to, TOLD_PLANNED, &note, note_plan, &run) < 0)
		return false;
	if (given_up)
		watch_again(x);
	return true;
}

static bool finish(struct proposal *x, const struct outcome *o, bool sent)
{
	struct proposal_note note = { .outcome = o };
	struct ending e = { o->order, sent, o->packets, o->bytes };
	struct waiting *w = waiting_for(x);
	struct proposal to = *x;

	if (o->end >= PROBE_ENDS) {
		/* Nobody knows what was sent: it counts as all. */
		const struct rule *rule = proposal_rule(d.setup.proposals, x);

		e.packets = rule ? rule->max_packets : 0;
		e.bytes = rule ? rule->max_bytes : 0;
	}
	to.changed_s = now_s();
	if (x->order == o->order) {
		to.order = 0;
		snprintf(to.reason, sizeof to.reason, "%s", o->why);
		if (!proposal_is_over(x))
			to.status = to.used < to.a.uses ? PROPOSAL_APPROVED : PROPOSAL_SPENT;
	}
	if (proposals_change(d.setup.proposals, x, &to, TOLD_ENDED, &note, note_end, &e) < 0)
		return false;
	w->refusal = REFUSED_NOT;
	w->retry_s = RETRY_FIRST_S;
	if (d.setup.watch)
		d.setup.watch->ended(d.setup.watch->watch, o->order, true, now_ns());
	return true;
}

/* No run ends that was not planned: a hub that died between the pipe and its store took the word with it. */
static bool take_end(struct proposal *x, const struct outcome *o)
{
	struct outcome plan = { .order = o->order, .type = OUTCOME_PLANNED, .started_ns = o->started_ns };

	return (runs_planned(d.setup.proposals->sql, o->order) || take_plan(x, &plan)) && finish(x, o, true);
}

/* The proposal is gone, long since or with a store that was lost: its budget is to be counted all the same. */
static bool take_stray(const struct outcome *o)
{
	log_warning("the prober tells of run %llu, of which nothing is known", (unsigned long long)o->order);
	return o->type == OUTCOME_REFUSED || runs_end(d.setup.proposals->sql, o->order, true, o->packets, o->bytes, now_s()) == 0;
}

/* False when the store refused. */
static bool take_outcome(const struct outcome *o)
{
	struct proposal *x = proposals_find_run(d.setup.proposals, o->order);

	/* What was given up and is carried out all the same is told like any other. */
	if (!x && o->type != OUTCOME_REFUSED)
		x = proposals_recall(d.setup.proposals, o->order);
	if (!x)
		return take_stray(o);
	if (o->type == OUTCOME_REFUSED)
		return take_refusal(x, o);
	return o->type == OUTCOME_PLANNED ? take_plan(x, o) : take_end(x, o);
}

static bool outcome_valid(const struct outcome *o)
{
	return o->type >= OUTCOME_REFUSED && o->type < OUTCOME_TYPES && o->refusal < REFUSALS && o->end < PROBE_ENDS && o->stopped <= 1 &&
	       text_is_clean(o->why, sizeof o->why) && time_valid(o->started_ns) && time_valid(o->ended_ns) && o->audit <= INT64_MAX && o->order <= INT64_MAX;
}

static void on_outcome(uv_poll_t *poll, int status, int events);

/* What the store did not take is tried again each second, and the prober's next words wait. */
static void take_held(void)
{
	d.held = !take_outcome(&d.outcome);
	if (d.held)
		uv_poll_stop(&d.poll);
	else
		uv_poll_start(&d.poll, UV_READABLE, on_outcome);
}

/* False for what no prober writes: a run is planned once, and its event stays in the outbox whatever its limit. */
static bool hear_outcome(const struct outcome *o)
{
	if (!outcome_valid(o) || (o->type == OUTCOME_PLANNED && runs_planned(d.setup.proposals->sql, o->order)))
		return false;
	if (o->type == OUTCOME_STATE) {
		/* A prober that was started anew must know what its predecessor was told. */
		if (d.stopped && !o->stopped)
			say(ORDER_STOP, 0);
		return true;
	}
	d.outcome = *o;
	take_held();
	return true;
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
	if (n != (ssize_t)sizeof o || !hear_outcome(&o)) {
		log_error("the prober wrote what no prober writes");
		d.setup.wrong();
		return;
	}
	dispatch_kick();
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	say(ORDER_ALIVE, 0);
	if (d.held)
		take_held();
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
