/*
 * The short way of cyclic traffic. Nearly all of a plant's packets are messages of the same few kinds, in
 * order, on connections that were recognised long ago: each is looked at by its classifier's glance, counted
 * and passed by. The first that is not routine goes the long way, with all that follows it in its packet.
 */
#include "sensor/engine/engine.h"

/* True when there is more to do for a packet than to look at its messages. */
static inline bool is_special(const struct engine *e, const struct flow *f, const struct detail *d, const struct packet *p)
{
	const struct half *h = &d->half[p->direction];

	return !(f->flags & FLOW_TOLD_LOW << p->direction) || h->held | h->early | h->gap | p->payload_lost ||
	       (e->ears && !d->ear_done);
}

/* Who plays a part in a plant is to have a pulse. */
static inline bool has_to_join(const struct engine *e, const struct flow *f, const struct detail *d, const struct classifier_list *list)
{
	return e->pulses.entries && !d->pulse && list->plants & 1ull << f->protocol;
}

/* What the payload's messages signal, one by one. */
static inline void count_signs(struct engine *e, const struct flow *f, const struct packet *p, uint8_t signs)
{
	if (e->pulses.entries && signs)
		pulse_signs(e, f, p, signs);
}

/* Passes routine messages by. Returns the bytes they are made of. */
static inline uint32_t pass_routine(struct engine *e, const struct classifier *c, const struct flow *f, struct detail *d, const struct packet *p,
				    uint8_t transport)
{
	struct glance g = { .bytes = cursor_over(p->payload, p->payload_len), .direction = p->direction, .transport = transport, .time_ns = p->time_ns };
	const uint8_t *end = p->payload;

	do {
		g.signs = 0;
		if (!c->glance(&g, d->memo) || !cursor_ok(&g.bytes) || g.bytes.at == end)
			break;
		count_signs(e, f, p, g.signs);
		e->counters.messages++;
		e->routine++;
		end = g.bytes.at;
	} while (transport == TRANSPORT_TCP && cursor_left(&g.bytes));
	return transport == TRANSPORT_UDP && end != p->payload ? p->payload_len : (uint32_t)(end - p->payload);
}

static inline uint32_t pass_repeated(struct engine *e, const struct flow *f, struct detail *d, const struct packet *p)
{
	if (!repeat_seen(e, f, d, p))
		return 0;
	e->counters.messages++;
	e->routine++;
	return p->payload_len;
}

/* Returns how many bytes from the payload's start are done with. */
static inline uint32_t pass_by(struct engine *e, const struct flow *f, struct detail *d, const struct packet *p, uint8_t transport)
{
	const struct classifier_list *list = &e->lists[transport];
	const struct classifier *c = list->of[f->protocol];
	uint32_t passed = 0;

	if (is_special(e, f, d, p) || has_to_join(e, f, d, list))
		return 0;
	if (c->glance)
		passed = pass_routine(e, c, f, d, p, transport);
	return passed ? passed : pass_repeated(e, f, d, p);
}

bool glance_segment(struct engine *e, const struct flow *f, const struct packet *p)
{
	struct detail *d = detail_at(&e->details, f->detail);
	struct half *h = &d->half[p->direction];
	uint32_t passed;

	if (!h->started || p->sequence != h->next || p->tcp_flags & TCP_SYN)
		return false;
	/* What was not passed by is put in order behind it, as after bytes that came before. */
	passed = pass_by(e, f, d, p, TRANSPORT_TCP);
	h->next += passed;
	return passed == p->payload_len;
}

bool glance_datagram(struct engine *e, const struct flow *f, const struct packet *p)
{
	return pass_by(e, f, detail_at(&e->details, f->detail), p, TRANSPORT_UDP) > 0;
}
