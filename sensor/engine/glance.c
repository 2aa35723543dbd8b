/*
 * The short way of cyclic traffic. Nearly all of a plant's packets are messages of the same few kinds, in
 * order, on connections that were recognised long ago: each is looked at by its classifier's glance, counted
 * and passed by. All or nothing: a packet that is not routine to its last byte goes the long way, from its first.
 */
#include "sensor/engine/engine.h"

/* Who glances at this packet; NULL when there is more to do for it than that. */
static const struct classifier *glancer_of(const struct engine *e, const struct flow *f, const struct detail *d, const struct packet *p)
{
	const struct classifier_list *list = &e->lists[p->kind == PACKET_TCP ? TRANSPORT_TCP : TRANSPORT_UDP];
	const struct half *h = &d->half[p->direction];
	bool to_join = e->pulses.entries && !d->pulse && list->plants & 1ull << f->protocol;

	if (!(f->flags & (p->direction ? FLOW_TOLD_HIGH : FLOW_TOLD_LOW)) || h->held || h->early || h->gap || p->payload_lost || to_join ||
	    (e->ears && !d->ear_done))
		return NULL;
	return list->of[f->protocol];
}

/* How many routine messages the payload is made of, 0 when it holds anything else. */
static unsigned count_routine(const struct classifier *c, const struct detail *d, const struct packet *p, unsigned *writes)
{
	struct glance g = { .bytes = cursor_over(p->payload, p->payload_len), .direction = p->direction,
			    .transport = p->kind == PACKET_TCP ? TRANSPORT_TCP : TRANSPORT_UDP };
	unsigned count = 0;

	*writes = 0;
	do {
		g.signs = 0;
		if (!c->glance(&g, d->memo) || !cursor_ok(&g.bytes)) {
			*writes = 0;
			return 0;
		}
		*writes += g.signs & SIGN_WRITE ? 1 : 0;
		count++;
	} while (p->kind == PACKET_TCP && cursor_left(&g.bytes));
	return count;
}

static bool pass_by(struct engine *e, const struct flow *f, const struct detail *d, const struct packet *p)
{
	const struct classifier *c = glancer_of(e, f, d, p);
	unsigned count, writes;

	if (!c || !c->glance)
		return false;
	count = count_routine(c, d, p, &writes);
	e->counters.messages += count;
	e->routine += count;
	while (writes-- > 0)
		pulse_signs(e, f, p, SIGN_WRITE);
	return count > 0;
}

bool glance_segment(struct engine *e, const struct flow *f, const struct packet *p)
{
	struct detail *d = detail_at(&e->details, f->detail);
	struct half *h = &d->half[p->direction];

	if (!h->started || p->sequence != h->next || p->tcp_flags & TCP_SYN || !pass_by(e, f, d, p))
		return false;
	h->next += p->payload_len;
	return true;
}

bool glance_datagram(struct engine *e, const struct flow *f, const struct packet *p)
{
	return pass_by(e, f, detail_at(&e->details, f->detail), p);
}
