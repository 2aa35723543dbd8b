/* Measures exchanges. See pulse.h for what is told, and why. */
#include "sensor/engine/pulse.h"

#include "sensor/engine/engine.h"

#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = 16,             /* entries in which a pair may stand */
	GAPS_KNOWN = 16,         /* after so many the usual gap is known */
	ANSWERS_KNOWN = 8,
	ERRORS_MANY = 3,         /* in one report */
	MARKS = sizeof(((struct trace *)0)->marks) / sizeof(uint32_t),
};

static const int64_t SECOND_NS = 1000000000, MS_NS = 1000000;
static const int64_t SWEEP_NS = 5 * 1000000;
static const int64_t TWICE_NS = 1000000000;    /* a frame that the mirror brings again comes within this time */
static const int64_t TWICE_BLIND_NS = 2000000; /* ... where nothing but its bytes tell that it is the same */
static const int64_t TURN_NS = 5 * 1000000;    /* segments of one turn follow each other faster */
static const int64_t LOSSY_NS = 10LL * 1000000000; /* after the capture lost frames of a pair, more may be missing */
static const int64_t SILENT_NS = 3600LL * 1000000000; /* given up */

bool pulses_init(struct pulses *ps, uint32_t size, const uint64_t hash_key[2])
{
	memset(ps, 0, sizeof *ps);
	memcpy(ps->hash_key, hash_key, sizeof ps->hash_key);
	ps->until_ns = INT64_MAX;
	if (size == 0)
		return true;
	ps->size = size;
	ps->entries = calloc(size, sizeof *ps->entries);
	ps->look_ns = malloc(size * sizeof *ps->look_ns);
	ps->block_ns = malloc((size / PULSE_BLOCK + 1) * sizeof *ps->block_ns);
	if (!ps->entries || !ps->look_ns || !ps->block_ns)
		return false;
	for (uint32_t i = 0; i <= size / PULSE_BLOCK; i++)
		ps->block_ns[i] = INT64_MAX;
	for (uint32_t i = 0; i < size; i++)
		ps->look_ns[i] = INT64_MAX;
	return true;
}

void pulses_free(struct pulses *ps)
{
	free(ps->entries);
	free(ps->look_ns);
	free(ps->block_ns);
	memset(ps, 0, sizeof *ps);
}

static uint32_t microseconds(int64_t ns)
{
	return ns < 0 ? 0 : ns > UINT32_MAX * 1000LL ? UINT32_MAX : (uint32_t)(ns / 1000);
}

static void add_capped(uint32_t *sum, uint32_t value)
{
	*sum = value > UINT32_MAX - *sum ? UINT32_MAX : *sum + value;
}

/* The entry of a pair; NULL when there is none. */
static struct pulse_entry *find(struct pulses *ps, const struct flow_key *key)
{
	uint64_t home = flow_key_hash(key, ps->hash_key);

	for (uint32_t n = 0; n < WINDOW; n++) {
		struct pulse_entry *x = &ps->entries[(home + n) & (ps->size - 1)];

		if (x->used && flow_key_same(&x->key, key))
			return x;
	}
	return NULL;
}

static int64_t heard_ns(const struct pulse_entry *x)
{
	return x->told.heard_ns[0] > x->told.heard_ns[1] ? x->told.heard_ns[0] : x->told.heard_ns[1];
}

static void look_by(struct pulses *ps, const struct pulse_entry *x, int64_t when_ns)
{
	size_t number = (size_t)(x - ps->entries);
	int64_t *at = &ps->look_ns[number], *block = &ps->block_ns[number / PULSE_BLOCK];

	if (when_ns < *at)
		*at = when_ns;
	if (when_ns < *block)
		*block = when_ns;
	if (when_ns < ps->until_ns)
		ps->until_ns = when_ns;
}

/* A fresh entry for a pair, in place of nobody's or of the longest silent one. */
static struct pulse_entry *add(struct engine *e, const struct flow_key *key, const struct packet *p)
{
	struct pulses *ps = &e->pulses;
	uint64_t home = flow_key_hash(key, ps->hash_key);
	struct pulse_entry *x = NULL;

	for (uint32_t n = 0; n < WINDOW; n++) {
		struct pulse_entry *other = &ps->entries[(home + n) & (ps->size - 1)];

		if (!x || !other->used || heard_ns(other) < heard_ns(x))
			x = other;
		if (!other->used)
			break;
	}
	e->counters.pulses_evicted += x->used;
	memset(x, 0, sizeof *x);
	x->used = true;
	x->key = *key;
	x->generation = ++ps->generation;
	x->told.since_ns = p->time_ns;
	x->told.vlan[0] = e->decoder.vlan[p->zone][0];
	x->told.vlan[1] = e->decoder.vlan[p->zone][1];
	ps->look_ns[x - ps->entries] = INT64_MAX;
	look_by(ps, x, p->time_ns + SECOND_NS);
	return x;
}

static void clear_told(struct pulse *t, int64_t now_ns)
{
	t->why = 0;
	t->since_ns = now_ns;
	t->requests = t->replies = t->unanswered = 0;
	t->gap_sum_us = t->gap_jitter_us = t->gap_max_us = 0;
	t->rtt_sum_us = t->rtt_max_us = 0;
	t->errors = t->writes = t->connects = t->duplicates = t->unseen = 0;
	memset(t->retransmits, 0, sizeof t->retransmits);
	memset(t->resets, 0, sizeof t->resets);
}

static void tell_now(struct engine *e, struct pulse_entry *x, uint8_t why, int64_t now_ns)
{
	struct report r = { .type = REPORT_PULSE };

	x->told.why |= why;
	x->told.time_ns = now_ns > x->told.since_ns ? now_ns : x->told.since_ns;
	r.pulse = x->told;
	teller_report(&e->teller, &r);
	clear_told(&x->told, x->told.time_ns);
}

/* Trouble is told once until there is a good sign again. */
static void alarm_of(struct engine *e, struct pulse_entry *x, uint8_t why, uint64_t frame, int64_t now_ns)
{
	if (frame)
		x->told.frame = frame;
	if (x->alarmed & why) {
		x->told.why |= why;
		return;
	}
	x->alarmed |= why;
	tell_now(e, x, why, now_ns);
}

/* The key of the pair of a flow, given the direction in which the server sends. */
static struct flow_key pair_key(const struct flow *f, uint8_t server)
{
	struct flow_key key = f->key;

	if (server) {
		memcpy(key.low, f->key.high, sizeof key.low);
		memcpy(key.high, f->key.low, sizeof key.high);
		key.low_port = f->key.high_port;
	}
	key.high_port = 0;
	return key;
}

static void fill_ends(struct pulse_entry *x, const struct packet *p, bool from_server)
{
	struct parties who;

	parties_of(p, &who);
	x->told.server = from_server ? who.sender : who.receiver;
	x->told.client = from_server ? who.receiver : who.sender;
	x->told.server.binding = x->told.client.binding = BINDING_NONE;
}

/* Segments and datagrams are told apart by their identification and by what they hold; see pulse.h. */
static uint32_t mark_of(const struct packet *p)
{
	uint32_t body = p->sequence ^ p->payload_len << 8;

	if (p->kind == PACKET_UDP) {
		struct cursor c = cursor_over(p->payload, p->payload_len);
		uint64_t begin = cursor_le(&c, p->payload_len < 8 ? p->payload_len : 8);

		body = (uint32_t)(hash_mix(begin ^ p->payload_len, 0x9e3779b97f4a7c15) >> 16);
	}
	return (uint32_t)p->ip_id << 16 | ((body ^ body >> 16) & 0xffff);
}

/* True for a frame that the mirror brought a second time; else it is remembered. */
static bool came_twice(struct trace *t, const struct packet *p)
{
	uint32_t mark = mark_of(p);
	int64_t age_ns = p->time_ns - t->marked_ns;
	bool twice = false;

	for (unsigned i = 0; i < MARKS; i++)
		twice |= t->marks[i] == mark;
	if (twice && t->marked_ns && age_ns < (p->ip_id ? TWICE_NS : TWICE_BLIND_NS))
		return true;
	t->marks[t->mark_at++ % MARKS] = mark;
	t->marked_ns = p->time_ns;
	return false;
}

static struct pulse_entry *entry_of(struct engine *e, const struct detail *d)
{
	struct pulse_entry *x;

	if (!d->pulse)
		return NULL;
	x = &e->pulses.entries[d->pulse - 1];
	return x->generation == d->pulse_generation ? x : NULL;
}

/* Grows at most twofold, so that one pause is not taken for the custom; falls slowly. */
static void follow(uint32_t *longest, uint32_t value, uint32_t known, uint32_t enough)
{
	if (value <= *longest)
		*longest -= (*longest - value) / 64;
	else if (known >= enough && value / 2 > *longest)
		*longest *= 2;
	else
		*longest = value;
}

/* Somebody begins an exchange. */
static void begin(struct pulse_entry *x, struct detail *d, int64_t now_ns)
{
	int64_t before_ns = d->begun_ns ? d->begun_ns : x->begun_ns;
	uint32_t gap_us = microseconds(now_ns - before_ns);

	x->told.requests++;
	d->begun_ns = x->begun_ns = now_ns;
	if (!before_ns)
		return;
	add_capped(&x->told.gap_sum_us, gap_us);
	if (gap_us > x->told.gap_max_us)
		x->told.gap_max_us = gap_us;
	if (x->gaps)
		add_capped(&x->told.gap_jitter_us, gap_us > x->last_gap_us ? gap_us - x->last_gap_us : x->last_gap_us - gap_us);
	x->last_gap_us = gap_us;
	follow(&x->longest_gap_us, gap_us, x->gaps, GAPS_KNOWN);
	x->gaps++;
}

/* Where frames go missing, trouble takes longer to show. */
static int64_t patience_ns(const struct pulse_entry *x, int64_t wait_ns)
{
	if (wait_ns < 10 * MS_NS)
		wait_ns = 10 * MS_NS;
	return x->unseen_ns && heard_ns(x) - x->unseen_ns < LOSSY_NS ? 3 * wait_ns : wait_ns;
}

static bool regular(const struct pulse_entry *x)
{
	return x->gaps >= GAPS_KNOWN;
}

/*
 * When an unanswered request is overdue, and when the silence of both sides is too long. A device that dies just after
 * an answer is asked again a cycle later: three quarters of one more, and the alarm is within two.
 */
static int64_t overdue_ns(const struct pulse_entry *x)
{
	int64_t gap_ns = x->longest_gap_us * 750LL, rtt_ns = x->longest_rtt_us * 4000LL, wait_ns = gap_ns > rtt_ns ? gap_ns : rtt_ns;

	if (!x->asked_ns || !regular(x) || x->answers < ANSWERS_KNOWN)
		return INT64_MAX;
	/* A datagram without an answer may be one that the capture missed: two make a fault. */
	if (x->key.protocol == 17)
		wait_ns += x->longest_gap_us * 500LL;
	return x->asked_ns + patience_ns(x, wait_ns);
}

static int64_t silent_ns(const struct pulse_entry *x)
{
	return regular(x) ? heard_ns(x) + patience_ns(x, x->longest_gap_us * 1900LL) : INT64_MAX;
}

/* The client's turn. */
static void ask(struct engine *e, struct pulse_entry *x, struct detail *d, const struct packet *p)
{
	if (d->asked_ns) {
		const struct half *server = &d->half[d->server];
		bool acknowledged = p->kind == PACKET_TCP && server->started && p->tcp_flags & TCP_ACK &&
				    (int32_t)(p->acknowledgment - server->next) > 0;

		if (acknowledged) {
			x->told.unseen++;
			x->unseen_ns = p->time_ns;
			x->asked_ns = 0;
		} else if (p->time_ns - d->asked_ns < TURN_NS || p->time_ns - d->asked_ns < x->longest_gap_us * 500LL) {
			return; /* the request goes on, or the next is sent before the answer has come */
		} else if (x->answers >= ANSWERS_KNOWN) {
			x->told.unanswered++;
		}
	}
	begin(x, d, p->time_ns);
	d->asked_ns = p->time_ns;
	if (x->asked_ns)
		return;
	x->asked_ns = p->time_ns;
	x->asked_frame = p->frame;
	look_by(&e->pulses, x, overdue_ns(x));
}

void pulse_join(struct engine *e, struct flow *f, const struct packet *p, uint8_t server, const char *protocol)
{
	struct detail *d = f->detail ? detail_at(&e->details, f->detail) : NULL;
	struct flow_key key;
	struct pulse_entry *x;

	/* What the prober and its target say to each other is no custom of theirs. */
	if (!d || !e->pulses.entries || p->multicast || e->asked)
		return;
	key = pair_key(f, server);
	x = find(&e->pulses, &key);
	if (!x) {
		x = add(e, &key, p);
		fill_ends(x, p, p->direction == server);
		x->told.port = key.low_port;
		x->told.transport = key.protocol == 6 ? TRANSPORT_TCP : TRANSPORT_UDP;
	}
	strncpy(x->told.protocol, protocol, sizeof x->told.protocol - 1);
	x->told.heard_ns[p->direction == server] = p->time_ns;
	d->pulse = (uint32_t)(x - e->pulses.entries) + 1;
	d->pulse_generation = x->generation;
	d->server = server;
	came_twice(&d->trace[p->direction], p);
	if (p->direction != server)
		ask(e, x, d, p);
}

/* The server's turn: an answer, or word of its own accord. */
static void answer(struct pulse_entry *x, struct detail *d, const struct packet *p, int64_t before_ns)
{
	uint32_t rtt_us;

	x->alarmed &= PULSE_ERRORS;
	x->asked_ns = 0;
	if (!d->asked_ns) {
		if (p->time_ns - before_ns > TURN_NS && p->time_ns - d->begun_ns > TURN_NS)
			begin(x, d, p->time_ns);
		return;
	}
	rtt_us = microseconds(p->time_ns - d->asked_ns);
	d->asked_ns = 0;
	x->told.replies++;
	add_capped(&x->told.rtt_sum_us, rtt_us);
	if (rtt_us > x->told.rtt_max_us)
		x->told.rtt_max_us = rtt_us;
	follow(&x->longest_rtt_us, rtt_us, x->answers, ANSWERS_KNOWN);
	x->answers++;
}

/* What was there already, with another identification: the sender itself sent it again. What keeps a silent connection alive is none. */
static bool sent_again(const struct half *h, const struct packet *p)
{
	return p->kind == PACKET_TCP && h->started && p->payload_len > 1 && (int32_t)(p->sequence + p->payload_len - h->next) <= 0;
}

void pulse_packet(struct engine *e, struct flow *f, const struct packet *p)
{
	struct detail *d = detail_at(&e->details, f->detail);
	struct pulse_entry *x = entry_of(e, d);
	struct trace *t = &d->trace[p->direction];
	bool server = p->direction == d->server;
	int64_t before_ns = t->marked_ns;

	if (!x) {
		d->pulse = 0;
		return;
	}
	if (p->payload_len && came_twice(t, p)) {
		x->told.duplicates++;
		return;
	}
	x->told.heard_ns[server] = p->time_ns;
	if (!x->told.why && p->time_ns - x->told.since_ns > SECOND_NS)
		look_by(&e->pulses, x, p->time_ns);
	if (p->tcp_flags & TCP_FIN && p->kind == PACKET_TCP)
		x->asked_ns = 0; /* who hangs up waits no longer */
	if (!p->payload_len)
		return;
	x->told.frame = p->frame;
	if (sent_again(&d->half[p->direction], p)) {
		x->told.retransmits[server]++;
		if (!server && x->asked_ns)
			alarm_of(e, x, PULSE_RETRANSMIT, p->frame, p->time_ns);
	} else if (server) {
		answer(x, d, p, before_ns);
	} else {
		ask(e, x, d, p);
	}
}

void pulse_signs(struct engine *e, const struct flow *f, const struct packet *p, uint8_t signs)
{
	struct pulse_entry *x = f->detail ? entry_of(e, detail_at(&e->details, f->detail)) : NULL;

	if (!x)
		return;
	if (signs & SIGN_WRITE)
		x->told.writes++;
	if (signs & SIGN_ERROR && ++x->told.errors >= ERRORS_MANY)
		alarm_of(e, x, PULSE_ERRORS, p->frame, p->time_ns);
}

void pulse_unseen(struct engine *e, const struct flow *f, const struct packet *p)
{
	struct pulse_entry *x = f->detail ? entry_of(e, detail_at(&e->details, f->detail)) : NULL;

	if (!x)
		return;
	x->told.unseen++;
	x->unseen_ns = p->time_ns;
}

/* The pair's entry, from the handshake's word of who serves. */
static struct pulse_entry *known_pair(struct engine *e, const struct flow *f)
{
	struct flow_key key;

	if (!e->pulses.entries || e->asked || !(f->flags & (FLOW_SERVER_LOW | FLOW_SERVER_HIGH)))
		return NULL;
	key = pair_key(f, !!(f->flags & FLOW_SERVER_HIGH));
	return find(&e->pulses, &key);
}

void pulse_connects(struct engine *e, const struct flow *f, const struct packet *p)
{
	struct pulse_entry *x = known_pair(e, f);

	if (!x)
		return;
	x->told.connects++;
	x->told.heard_ns[PULSE_CLIENT] = p->time_ns;
	if (x->asked_ns)
		return;
	/* A server that accepts no more is as silent as one that answers no more. */
	x->asked_ns = p->time_ns;
	x->asked_frame = p->frame;
	look_by(&e->pulses, x, overdue_ns(x));
}

void pulse_resets(struct engine *e, const struct flow *f, const struct packet *p)
{
	struct detail *d = f->detail ? detail_at(&e->details, f->detail) : NULL;
	struct pulse_entry *x = d ? entry_of(e, d) : NULL;
	bool server = d && d->pulse ? p->direction == d->server : !!(f->flags & FLOW_SERVER_HIGH) == p->direction;

	if (!x)
		x = known_pair(e, f);
	/* Some end every connection so. */
	if (!x || f->goodbyes || f->state == FLOW_CLOSED)
		return;
	x->told.resets[server]++;
	x->told.heard_ns[server] = p->time_ns;
	x->asked_ns = 0;
	x->alarmed &= (uint8_t)~PULSE_RESET;
	alarm_of(e, x, PULSE_RESET, p->frame, p->time_ns);
}

/* Cyclic frames go from one MAC to another, or to a group; who sends them is the one that is watched. */
static struct flow_key frame_key(const struct packet *p)
{
	struct flow_key key = { .zone = p->zone, .low_port = p->ethertype };

	memcpy(key.low, p->ethernet + 6, 6);
	memcpy(key.high, p->ethernet, 6);
	return key;
}

void pulse_frame(struct engine *e, const struct packet *p, const char *protocol)
{
	struct flow_key key;
	struct pulse_entry *x;
	struct detail none = { 0 };

	if (!e->pulses.entries || !p->ethernet)
		return;
	key = frame_key(p);
	x = find(&e->pulses, &key);
	if (!x && protocol) {
		x = add(e, &key, p);
		fill_ends(x, p, true);
		if (p->multicast)
			memset(&x->told.client, 0, sizeof x->told.client);
		x->told.transport = TRANSPORT_ETHERNET;
		x->told.ethertype = p->ethertype;
		strncpy(x->told.protocol, protocol, sizeof x->told.protocol - 1);
	}
	if (!x || protocol)
		return;
	x->told.frame = p->frame;
	x->told.heard_ns[PULSE_SERVER] = p->time_ns;
	x->alarmed = 0;
	begin(x, &none, p->time_ns);
}

/* What is due of one entry. Returns when it must be looked at next. */
static int64_t look(struct engine *e, struct pulse_entry *x, int64_t now_ns)
{
	int64_t next_ns, end_ns;

	if (now_ns - heard_ns(x) > SILENT_NS) {
		x->used = false;
		x->generation = 0;
		return INT64_MAX;
	}
	if (now_ns >= overdue_ns(x) && !(x->alarmed & PULSE_OVERDUE))
		alarm_of(e, x, PULSE_OVERDUE, x->asked_frame, now_ns);
	if (now_ns >= silent_ns(x) && !(x->alarmed & PULSE_SILENT))
		alarm_of(e, x, PULSE_SILENT, 0, now_ns);
	if (now_ns - x->told.since_ns >= SECOND_NS && heard_ns(x) >= x->told.since_ns)
		tell_now(e, x, PULSE_TICK, now_ns);
	if (x->told.errors == 0)
		x->alarmed &= (uint8_t)~PULSE_ERRORS;
	next_ns = now_ns + SECOND_NS;
	end_ns = x->alarmed & PULSE_OVERDUE ? INT64_MAX : overdue_ns(x);
	if (end_ns < next_ns)
		next_ns = end_ns;
	end_ns = x->alarmed & PULSE_SILENT ? INT64_MAX : silent_ns(x);
	return end_ns < next_ns ? end_ns : next_ns;
}

/* Of one block, those whose time has come. */
static void look_at_block(struct engine *e, uint32_t block, int64_t now_ns)
{
	struct pulses *ps = &e->pulses;
	uint32_t end = (block + 1) * PULSE_BLOCK < ps->size ? (block + 1) * PULSE_BLOCK : ps->size;
	int64_t first_ns = INT64_MAX;

	for (uint32_t i = block * PULSE_BLOCK; i < end; i++) {
		if (ps->look_ns[i] <= now_ns)
			ps->look_ns[i] = look(e, &ps->entries[i], now_ns);
		if (ps->look_ns[i] < first_ns)
			first_ns = ps->look_ns[i];
	}
	ps->block_ns[block] = first_ns;
}

void pulse_sweep(struct engine *e, int64_t now_ns)
{
	struct pulses *ps = &e->pulses;
	int64_t first_ns = INT64_MAX;

	if (now_ns < ps->until_ns || (now_ns - ps->swept_ns < SWEEP_NS && now_ns >= ps->swept_ns))
		return;
	ps->swept_ns = now_ns;
	for (uint32_t block = 0; block * PULSE_BLOCK < ps->size; block++) {
		if (ps->block_ns[block] <= now_ns)
			look_at_block(e, block, now_ns);
		if (ps->block_ns[block] < first_ns)
			first_ns = ps->block_ns[block];
	}
	ps->until_ns = first_ns;
}
