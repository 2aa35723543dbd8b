/* Waits for replies: where one ends, whether it is the one expected, and when there is none. */
#include "active/prober/run_state.h"

#include "active/prober/match.h"

#include <poll.h>
#include <string.h>

static void note_received(struct run *r, const uint8_t *bytes, const struct line_news *news)
{
	struct audit *a = &r->p->audit;

	r->reply_bytes += (uint32_t)news->len;
	audit_begin(a, "received", clock_ns());
	audit_number(a, "run", (int64_t)r->o->id);
	audit_number(a, "at_ns", news->time_ns);
	if (r->line.transport == TRANSPORT_UDP)
		audit_number(a, "from_port", news->port);
	if (r->line.transport == TRANSPORT_ETHERNET)
		audit_hex(a, "from_mac", news->mac, sizeof news->mac);
	audit_hex(a, "bytes", bytes, news->len);
	audit_end(a, false);
	tell_bytes(&r->p->tell, false, bytes, news->len, news);
}

enum line_got reply_take(struct run *r)
{
	struct line_news news = { .len = 0 };
	enum line_got got;

	if (r->line.transport != TRANSPORT_TCP)
		r->have = 0; /* each datagram stands alone */
	if (r->have == sizeof r->in)
		return LINE_NOTHING;
	got = line_receive(&r->line, r->in + r->have, sizeof r->in - r->have, &news);
	if (got == LINE_DATA) {
		note_received(r, r->in + r->have, &news);
		r->have += news.len;
	}
	if (got == LINE_CLOSED || got == LINE_FAILED)
		r->dead = r->line.transport == TRANSPORT_TCP;
	return got;
}

void reply_forget(struct run *r)
{
	r->have = 0;
	while (reply_take(r) == LINE_DATA)
		r->have = 0;
	r->have = 0;
}

/* The first `len` bytes of what came are the reply; the rest stays. */
static void keep(struct run *r, size_t len)
{
	memcpy(r->last, r->in, len);
	r->last_len = len;
	memmove(r->in, r->in + len, r->have - len);
	r->have -= len;
	r->replies++;
}

static enum match begins(const struct run *r, const struct step *step)
{
	return match_begins(r->rule, &step->reply.begins, r->fillings, r->in, r->have);
}

enum verdict { VERDICT_WAIT, VERDICT_PASS, VERDICT_GOOD, VERDICT_OTHER };

/* What to make of what came so far. With `over`, nothing more will come. */
static enum verdict judge(struct run *r, const struct step *step, bool over)
{
	const struct reply *reply = &step->reply;
	enum match m = begins(r, step);
	enum reach reach;
	size_t end = 0;

	if (r->have == 0)
		return VERDICT_WAIT;
	if (m == MATCH_NO && reply->otherwise == OTHERWISE_STOP)
		return VERDICT_OTHER;
	reach = match_end(reply, r->in, r->have, &end);
	if (r->line.transport != TRANSPORT_TCP && reach == REACH_MORE)
		reach = REACH_BROKEN; /* the rest of a datagram does not come later */
	if (reach == REACH_OPEN && (over || r->have == sizeof r->in)) {
		reach = REACH_WHOLE;
		end = r->have < reply->at_most ? r->have : reply->at_most;
	}
	if (reach == REACH_MORE || reach == REACH_OPEN)
		return over && reply->otherwise != OTHERWISE_WAIT ? VERDICT_OTHER : VERDICT_WAIT;
	if (reach == REACH_BROKEN)
		end = r->have;
	keep(r, end);
	if (reach == REACH_WHOLE && m == MATCH_YES)
		return VERDICT_GOOD;
	return reply->otherwise == OTHERWISE_WAIT ? VERDICT_PASS : VERDICT_OTHER;
}

/* Many datagrams may answer; each is looked at by itself, and quiet ends them. */
static enum answer await_many(struct run *r, const struct step *step, int64_t until_ms)
{
	const struct reply *reply = &step->reply;
	int64_t quiet_ms = until_ms;
	size_t taken = 0;
	bool good = false;

	for (;;) {
		enum wait w = run_wait(r, POLLIN, quiet_ms < until_ms ? quiet_ms : until_ms, true);

		if (w == WAIT_ABORTED)
			return ANSWER_ABORTED;
		if (w == WAIT_LATE)
			return good ? ANSWER_GOOD : ANSWER_SILENCE;
		while (reply_take(r) == LINE_DATA && taken < reply->at_most) {
			taken += r->have;
			if (begins(r, step) == MATCH_YES) {
				keep(r, r->have);
				good = true;
				quiet_ms = clock_ms() + reply->idle_ms;
			}
		}
		if (taken >= reply->at_most)
			return good ? ANSWER_GOOD : ANSWER_OTHER;
	}
}

static enum answer closed(struct run *r, const struct step *step, enum line_got got)
{
	enum verdict v = judge(r, step, true);

	if (v == VERDICT_GOOD)
		return ANSWER_GOOD;
	return got == LINE_CLOSED ? ANSWER_CLOSED : ANSWER_FAILED;
}

static enum answer late(struct run *r, const struct step *step)
{
	bool open = step->reply.ends == REPLY_IDLE;

	if (r->have == 0 || !open)
		return ANSWER_SILENCE;
	return judge(r, step, true) == VERDICT_GOOD ? ANSWER_GOOD : ANSWER_OTHER;
}

enum answer reply_await(struct run *r, const struct step *step)
{
	int64_t until_ms = clock_ms() + r->rule->timeout_ms, idle_ms = until_ms;
	enum line_got got;
	enum verdict v;

	if (step->reply.ends == REPLY_NONE)
		return ANSWER_GOOD;
	r->expected = true;
	if (r->line.unreachable)
		return ANSWER_FAILED;
	if (step->reply.ends == REPLY_IDLE && r->line.transport != TRANSPORT_TCP)
		return await_many(r, step, until_ms);
	for (;;) {
		while ((v = judge(r, step, false)) == VERDICT_PASS)
			;
		if (v != VERDICT_WAIT)
			return v == VERDICT_GOOD ? ANSWER_GOOD : ANSWER_OTHER;
		switch (run_wait(r, POLLIN, idle_ms < until_ms ? idle_ms : until_ms, true)) {
		case WAIT_ABORTED:
			return ANSWER_ABORTED;
		case WAIT_LATE:
			return late(r, step);
		case WAIT_READY:
			break;
		}
		got = reply_take(r);
		if (got == LINE_CLOSED || got == LINE_FAILED)
			return closed(r, step, got);
		if (got == LINE_DATA && step->reply.ends == REPLY_IDLE)
			idle_ms = clock_ms() + step->reply.idle_ms;
	}
}
