/* Asks step by step: holes, rounds, what is carried over, and what follows when an answer is missing. */
#include "active/prober/run_state.h"

#include "active/guard/guard.h"
#include "active/prober/match.h"
#include "classifiers/api/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum next { NEXT_ROUND, NEXT_STEP, NEXT_END };

struct asking {
	struct run *r;
	size_t index;
	const struct step *step;
	uint16_t round;
	unsigned silent;      /* rounds without an answer in a row */
	enum probe_end end;   /* with NEXT_END */
};

/* A message as it is about to be sent, held against the one that was approved. */
struct comparison {
	size_t step;
	uint16_t round;
	const uint8_t *bytes;
	size_t len;
	bool same;
};

static bool compare_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	struct comparison *c = context;

	(void)plan;
	if (m->step != c->step || m->round != c->round)
		return true;
	c->same = m->len == c->len;
	for (size_t i = 0; i < m->len && c->same; i++)
		c->same = m->open[i] || m->bytes[i] == c->bytes[i];
	return false;
}

/* As approved, but for what only a reply can tell. */
static bool is_planned(const struct asking *q, const uint8_t *bytes, size_t len)
{
	struct comparison c = { q->index, q->round, bytes, len, false };

	plan_messages(q->r->plan, compare_message, &c);
	return c.same;
}

static bool holds(const struct step *step, size_t hole)
{
	for (size_t i = 0; i < step->send.count; i++)
		if (step->send.parts[i].kind == PART_HOLE && step->send.parts[i].hole == hole)
			return true;
	return false;
}

static void count_up(struct run *r, const struct step *step)
{
	for (size_t i = 0; i < r->rule->holes_count; i++) {
		const struct hole *h = &r->rule->holes[i];

		if (h->source == HOLE_COUNTER && holds(step, i))
			r->fillings[i].number = r->fillings[i].number >= h->high ? h->low : r->fillings[i].number + 1;
	}
}

static enum next end_with(struct asking *q, enum probe_end end, const char *why)
{
	q->end = end;
	if (!q->r->why[0])
		snprintf(q->r->why, sizeof q->r->why, "step %.40s: %.140s", q->step->name, why);
	return NEXT_END;
}

static void note_sent(const struct asking *q, const uint8_t *bytes, size_t len, int64_t time_ns)
{
	struct run *r = q->r;
	struct line_news news = { .len = len, .time_ns = time_ns };

	audit_begin(&r->p->audit, "sent", clock_ns());
	audit_number(&r->p->audit, "run", (int64_t)r->o->id);
	audit_number(&r->p->audit, "at_ns", time_ns);
	audit_text(&r->p->audit, "clock", r->line.kernel_time ? "kernel" : "prober");
	audit_end(&r->p->audit, false);
	tell_bytes(&r->p->tell, true, bytes, len, &news);
}

/* Its bytes are on the disk before they are on the wire. */
static bool note_sending(const struct asking *q, const uint8_t *bytes, size_t len)
{
	struct audit *a = &q->r->p->audit;

	audit_begin(a, "sending", clock_ns());
	audit_number(a, "run", (int64_t)q->r->o->id);
	audit_text(a, "step", q->step->name);
	audit_number(a, "round", q->round + 1);
	audit_hex(a, "bytes", bytes, len);
	return audit_end(a, true) != 0;
}

static enum next send_message(struct asking *q)
{
	struct run *r = q->r;
	uint8_t bytes[RULE_MESSAGE_BYTES];
	struct guard_answer g;
	int64_t time_ns = 0;
	size_t len = 0;

	/* Not before its reply was looked at, which repeats the number. */
	if (r->asked)
		count_up(r, r->asked);
	r->asked = NULL;
	if (!rule_render(r->rule, q->index, r->fillings, bytes, &len) || len == 0)
		return end_with(q, PROBE_UNEXPECTED, "the last reply carries a value that the rule does not take");
	g = rule_guard(r->rule, bytes, len);
	if (!g.allowed)
		return end_with(q, PROBE_UNEXPECTED, g.why);
	if (!is_planned(q, bytes, len) || r->line.bytes + len > r->rule->max_bytes)
		return end_with(q, PROBE_UNEXPECTED, "the message would be another than the approved one");
	if (q->step->reply.otherwise != OTHERWISE_WAIT)
		reply_forget(r);
	if (r->dead)
		return end_with(q, PROBE_CLOSED, "the device closed the connection");
	if (!run_right_neighbour(r))
		return end_with(q, PROBE_ABORTED, "another device answers for the target's address");
	if (!note_sending(q, bytes, len))
		return end_with(q, PROBE_ABORTED, "the audit can't be written");
	if (run_must_end(r))
		return end_with(q, PROBE_ABORTED, "stopped");
	if (!line_send(&r->line, bytes, len, &time_ns))
		return end_with(q, r->line.transport == TRANSPORT_TCP ? PROBE_CLOSED : PROBE_NO_CONNECTION, strerror(errno));
	note_sent(q, bytes, len, time_ns);
	r->asked = q->step;
	return NEXT_ROUND;
}

static void carry(struct asking *q)
{
	for (size_t i = 0; i < q->step->carries_count; i++) {
		const struct carry *c = &q->step->carries[i];

		/* A value that is not there leaves the hole as it is; the guard and the range still stand. */
		match_carry(&q->r->rule->holes[c->hole], c, q->r->last, q->r->last_len, &q->r->fillings[c->hole]);
	}
}

static enum next take_silence(struct asking *q)
{
	if (q->step->reply.otherwise != OTHERWISE_NEXT)
		return end_with(q, PROBE_SILENT, "no reply in time");
	q->silent++;
	return q->step->stop_after_silent && q->silent >= q->step->stop_after_silent ? NEXT_STEP : NEXT_ROUND;
}

static enum next take_answer(struct asking *q, enum answer answer)
{
	switch (answer) {
	case ANSWER_GOOD:
		q->silent = 0;
		carry(q);
		return NEXT_ROUND;
	case ANSWER_OTHER:
		q->silent = 0;
		if (q->step->reply.otherwise == OTHERWISE_NEXT)
			return NEXT_ROUND;
		return end_with(q, PROBE_UNEXPECTED, "a reply with another beginning");
	case ANSWER_SILENCE:
		return take_silence(q);
	case ANSWER_CLOSED:
		return end_with(q, PROBE_CLOSED, "the device closed the connection");
	case ANSWER_FAILED:
		return end_with(q, q->r->line.transport == TRANSPORT_TCP ? PROBE_CLOSED : PROBE_NO_CONNECTION,
		                q->r->line.transport == TRANSPORT_TCP ? "the device broke the connection off" : "nobody has that port");
	case ANSWER_ABORTED:
		break;
	}
	return end_with(q, PROBE_ABORTED, "stopped");
}

static bool wanted(const struct asking *q)
{
	struct cursor c = cursor_over(q->r->last, q->r->last_len);

	if (!q->step->has_while)
		return true;
	cursor_skip(&c, q->step->while_offset);
	return cursor_u8(&c) == q->step->while_byte && cursor_ok(&c);
}

static enum next ask(struct asking *q)
{
	struct run *r = q->r;
	enum next next = NEXT_ROUND;

	if (q->round > 0 && q->step->pause_ms && run_wait(r, 0, clock_ms() + q->step->pause_ms, true) == WAIT_ABORTED)
		return end_with(q, PROBE_ABORTED, "stopped");
	if (!q->step->listens)
		next = send_message(q);
	return next == NEXT_ROUND ? take_answer(q, reply_await(r, q->step)) : next;
}

static uint16_t rounds_of(const struct run *r, const struct step *step)
{
	const struct hole *over;

	if (step->over == WHOLE_MESSAGE)
		return step->rounds;
	over = &r->rule->holes[step->over];
	return over->source == HOLE_LIST ? over->values_count : r->plan->swept_count;
}

static enum next run_step(struct asking *q)
{
	struct run *r = q->r;
	uint16_t rounds = rounds_of(r, q->step);
	uint8_t over = q->step->over;
	enum next next = NEXT_ROUND;

	for (q->round = 0; q->round < rounds && next == NEXT_ROUND && wanted(q); q->round++) {
		if (over != WHOLE_MESSAGE)
			r->fillings[over].number = r->rule->holes[over].source == HOLE_LIST ? r->rule->holes[over].values[q->round] :
			                                                                      r->plan->swept[q->round];
		next = ask(q);
	}
	if (over != WHOLE_MESSAGE)
		r->fillings[over] = r->plan->fillings[over];
	return next;
}

enum probe_end steps_run(struct run *r)
{
	struct asking q = { .r = r };

	for (q.index = 0; q.index < r->rule->steps_count; q.index++) {
		q.step = &r->rule->steps[q.index];
		q.silent = 0;
		if (run_step(&q) == NEXT_END)
			return q.end;
	}
	return r->expected && r->replies == 0 ? PROBE_SILENT : PROBE_COMPLETE;
}
