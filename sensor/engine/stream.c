/*
 * TCP bytes in order, in bounded memory (RFC 9293 section 3.4). What came twice is dropped, what came
 * too early waits for at most EARLY_MAX segments; a hole that stays is passed on as a gap.
 */
#include "sensor/engine/engine.h"

#include <string.h>

struct stream {
	struct engine *e;
	struct flow *f;
	const struct packet *p;
	struct half *h;
};

/* Sequence numbers wrap: the sign of the difference orders those within 2^31 of each other. */
static int32_t after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static void lose(struct stream *s, size_t bytes)
{
	s->e->counters.stream_dropped_bytes += bytes;
	half_drop_held(&s->e->details, s->h);
	s->h->gap = true;
}

/* Keeps the start of a message that isn't whole. */
static void hold(struct stream *s, const uint8_t *bytes, size_t len)
{
	struct details *d = &s->e->details;
	bool large = len > SMALL_BYTES;

	if (len > LARGE_BYTES) {
		lose(s, len);
		return;
	}
	s->h->held = pool_take(large ? &d->large : &d->small, d->share);
	s->h->held_large = large;
	if (!s->h->held) {
		lose(s, len);
		return;
	}
	memcpy(pool_at(large ? &d->large : &d->small, s->h->held), bytes, len);
	s->h->held_len = (uint16_t)len;
}

/* The held block moves to a large one when it is full. False when there is none. */
static bool enlarge(struct stream *s)
{
	struct details *d = &s->e->details;
	uint32_t large = pool_take(&d->large, d->share);

	if (!large)
		return false;
	memcpy(pool_at(&d->large, large), pool_at(&d->small, s->h->held), s->h->held_len);
	pool_give(&d->small, s->h->held, d->share);
	s->h->held = large;
	s->h->held_large = true;
	return true;
}

/*
 * Where the bytes of a direction start, by its SYN. Without it, as in a connection that was joined in its middle,
 * or when the two don't fit together, the first segment is the start. A single byte before the start is what keeps
 * a silent connection alive (RFC 1122, 4.2.3.6); more than that is of a sender that doesn't count its SYN.
 */
static uint32_t first_sequence(const struct flow *f, uint8_t direction, uint32_t sequence, size_t len)
{
	uint16_t start = f->start[direction];
	uint32_t early = (sequence - start) & FLOW_START_MASK;

	if (!(start & FLOW_START_SEEN))
		return sequence;
	if (early == FLOW_START_MASK && len == 1)
		return sequence + 1;
	return early <= FLOW_START_MASK / 2 ? sequence - early : sequence;
}

static bool readable(const struct flow *f)
{
	return f->state == FLOW_UNDECIDED || f->state == FLOW_OURS;
}

/* Bytes that nothing waits before. */
static void pass_on(struct stream *s, const uint8_t *bytes, size_t len)
{
	bool need_more;
	size_t taken = classify_bytes(s->e, s->f, s->p, bytes, len, &need_more);

	if (need_more && readable(s->f))
		hold(s, bytes + taken, len - taken);
}

/*
 * Bytes that belong behind what is held. Returns how many of them found their place. Where what was held turns
 * out to be nobody's, the new bytes have yet to be shown alone: a connection that changes its language
 * (STARTTLS) does so at the start of a segment.
 */
static size_t pass_behind(struct stream *s, const uint8_t *bytes, size_t len)
{
	struct details *d = &s->e->details;
	size_t room = s->h->held_large ? LARGE_BYTES : SMALL_BYTES, was = s->h->held_len, more, taken;
	uint8_t *held;
	bool need_more;

	if (was + len > room && !s->h->held_large && enlarge(s))
		room = LARGE_BYTES;
	more = len < room - was ? len : room - was;
	held = pool_at(s->h->held_large ? &d->large : &d->small, s->h->held);
	memcpy(held + was, bytes, more);
	taken = classify_bytes(s->e, s->f, s->p, held, was + more, &need_more);
	if (need_more && taken == 0 && was + more == room) {
		lose(s, room); /* a message larger than anything may be */
	} else if (need_more && taken <= was) {
		memmove(held, held + taken, was + more - taken);
		s->h->held_len = (uint16_t)(was + more - taken);
	} else if (!need_more && taken < was) {
		half_drop_held(d, s->h);
		return 0;
	} else {
		half_drop_held(d, s->h);
		/* What was taken of the new bytes is done with; the rest goes on from where it stands. */
		return need_more && taken > was ? taken - was : more;
	}
	return more;
}

static void read_bytes(struct stream *s, const uint8_t *bytes, size_t len)
{
	while (len && readable(s->f)) {
		size_t used;

		if (!s->h->held) {
			pass_on(s, bytes, len);
			return;
		}
		used = pass_behind(s, bytes, len);
		bytes += used;
		len -= used;
	}
}

static void deliver(struct stream *s, const uint8_t *bytes, size_t len)
{
	s->h->next += (uint32_t)len;
	read_bytes(s, bytes, len);
	if (s->e->ears)
		ears_stream(s->e, s->f, s->p, bytes, len);
}

/* Drops what is known already. False when nothing new is left. */
static bool trim(const struct half *h, uint32_t *sequence, const uint8_t **bytes, size_t *len)
{
	int32_t known = after(h->next, *sequence);

	if (known <= 0)
		return true;
	if ((size_t)known >= *len)
		return false;
	*sequence += (uint32_t)known;
	*bytes += known;
	*len -= (size_t)known;
	return true;
}

static void deliver_early(struct stream *s)
{
	struct details *d = &s->e->details;

	while (s->h->early) {
		uint32_t block = s->h->early;
		struct early *early = pool_at(&d->small, block);
		uint32_t sequence = early->sequence;
		const uint8_t *bytes = early->bytes;
		size_t len = early->len;

		if (after(sequence, s->h->next) > 0)
			return;
		s->h->early = early->next;
		s->h->early_count--;
		if (trim(s->h, &sequence, &bytes, &len))
			deliver(s, bytes, len);
		pool_give(&d->small, block, d->share);
		/* Reading may have ended the flow's memory; nothing is left to deliver then. */
		if (!s->f->detail)
			return;
	}
}

/* Gives up waiting: goes on behind the hole. */
static void skip_hole(struct stream *s, uint32_t to)
{
	s->e->counters.stream_gaps++;
	pulse_unseen(s->e, s->f, s->p);
	half_drop_held(&s->e->details, s->h);
	s->h->gap = true;
	s->h->next = to;
}

static bool keep_early(struct stream *s, uint32_t sequence, const uint8_t *bytes, size_t len)
{
	struct details *d = &s->e->details;
	uint32_t *link = &s->h->early, block;
	struct early *early;

	if (s->h->early_count >= EARLY_MAX || len > sizeof early->bytes)
		return false;
	while (*link && after(((struct early *)pool_at(&d->small, *link))->sequence, sequence) < 0)
		link = &((struct early *)pool_at(&d->small, *link))->next;
	block = pool_take(&d->small, d->share);
	if (!block)
		return false;
	early = pool_at(&d->small, block);
	early->next = *link;
	early->sequence = sequence;
	early->len = (uint32_t)len;
	memcpy(early->bytes, bytes, len);
	*link = block;
	s->h->early_count++;
	return true;
}

/* What is held of a message counts as one whose end the capture cut. */
static void read_unfinished(struct stream *s)
{
	struct details *d = &s->e->details;
	bool need_more;

	if (s->f->state == FLOW_OURS)
		classify_bytes(s->e, s->f, s->p, pool_at(s->h->held_large ? &d->large : &d->small, s->h->held), s->h->held_len, &need_more);
	half_drop_held(d, s->h);
}

void stream_end(struct engine *e, struct flow *f, struct packet *p)
{
	for (uint8_t direction = 0; direction < 2; direction++) {
		struct half *h = &detail_at(&e->details, f->detail)->half[direction];
		struct stream s = { e, f, p, h };

		p->direction = direction;
		while (h->early) {
			skip_hole(&s, ((struct early *)pool_at(&e->details.small, h->early))->sequence);
			deliver_early(&s);
		}
		p->payload_lost = 1;
		if (h->held)
			read_unfinished(&s);
		p->payload_lost = 0;
	}
}

void stream_segment(struct engine *e, struct flow *f, const struct packet *p)
{
	struct detail *d = detail_at(&e->details, f->detail);
	struct stream s = { e, f, p, &d->half[p->direction] };
	const uint8_t *bytes = p->payload;
	size_t len = p->payload_len;
	uint32_t sequence = p->sequence + !!(p->tcp_flags & TCP_SYN);

	if (!s.h->started) {
		s.h->started = true;
		s.h->next = first_sequence(f, p->direction, sequence, len);
		s.h->gap = !(f->flags & FLOW_FROM_START);
	}
	if (!trim(s.h, &sequence, &bytes, &len))
		return;
	if (sequence != s.h->next) {
		if (keep_early(&s, sequence, bytes, len))
			return;
		/* The hole will not be filled: on with the earliest that waits, then with this one. */
		if (s.h->early) {
			skip_hole(&s, ((struct early *)pool_at(&e->details.small, s.h->early))->sequence);
			deliver_early(&s);
			if (!f->detail)
				return;
		}
		if (!trim(s.h, &sequence, &bytes, &len))
			return;
		if (sequence != s.h->next)
			skip_hole(&s, sequence);
	}
	deliver(&s, bytes, len);
	if (!f->detail)
		return;
	if (p->payload_lost)
		skip_hole(&s, s.h->next + p->payload_lost);
	deliver_early(&s);
}
