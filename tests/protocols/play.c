/*
 * The engine's part towards a classifier, in small: in-order bytes for each direction, one memo, the
 * four verdicts. Every call gets its bytes and its memo in heap blocks of the exact size, so that
 * AddressSanitizer sees a read or write one byte too far.
 */
#include "tests/protocols/play.h"

#include "tests/protocols/allocations.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const verdict_names[] = { "NOT_MINE", "NEED_MORE", "MAYBE", "MINE" };

static void __attribute__((noreturn)) blame(const struct play *p, const char *what)
{
	fprintf(stderr, "%s breaks its contract: %s\n", p->c->name, what);
	abort();
}

static void say(struct lines *l, const char *line, bool once)
{
	size_t n = strlen(line);

	if (once && l->text)
		for (const char *at = l->text; (at = strstr(at, line)) != NULL; at += n)
			if (at == l->text || at[-1] == '\n')
				return;
	l->text = realloc(l->text, l->len + n + 1);
	if (!l->text)
		abort();
	memcpy(l->text + l->len, line, n + 1);
	l->len += n;
}

/* Only what changes in a direction: the rest is rhythm. */
static void say_verdict(struct play *p, int from, uint8_t verdict, uint8_t role)
{
	uint8_t answer = (uint8_t)(1 + verdict * ROLES + (verdict == MINE ? role : 0));
	char line[128];

	if (!p->said || p->answer[from] == answer)
		return;
	p->answer[from] = answer;
	snprintf(line, sizeof line, "verdict %s %s%s%s\n", p->c->name, verdict_names[verdict],
		 verdict == MINE ? " " : "", verdict == MINE ? role_name(role) : "");
	say(p->said, line, false);
}

static void print_endpoint(char *to, size_t room, const struct endpoint *e)
{
	char ip[INET6_ADDRSTRLEN] = "";
	static const uint8_t none[6];

	if (e->family)
		inet_ntop(e->family == 6 ? AF_INET6 : AF_INET, e->ip, ip, sizeof ip);
	if (memcmp(e->mac, none, 6) == 0)
		snprintf(to, room, "%s", ip);
	else
		snprintf(to, room, "%02x:%02x:%02x:%02x:%02x:%02x%s%s", e->mac[0], e->mac[1], e->mac[2], e->mac[3],
			 e->mac[4], e->mac[5], ip[0] ? "/" : "", ip);
}

/* What the hub would get; checked as the hub does. */
static void check_item(const struct play *p, const struct told *t, const struct told_item *i)
{
	struct finding f = { .kind = i->kind, .confidence = i->confidence, .subject = i->other, .transport = p->flow->transport };

	*(i->kind == FINDING_ACTIVITY ? &f.activity : &f.attribute) = i->attribute;
	if (strlen(t->text + i->path) >= sizeof f.path || strlen(t->text + i->value) >= sizeof f.value)
		blame(p, "told a text that is too long");
	snprintf(f.protocol, sizeof f.protocol, "%s", p->c->name);
	snprintf(f.path, sizeof f.path, "%s", t->text + i->path);
	snprintf(f.value, sizeof f.value, "%s", t->text + i->value);
	if (!finding_valid(&f)) {
		fprintf(stderr, "kind %u path '%s' attribute %u value '%s'\n", f.kind, f.path, f.attribute, f.value);
		blame(p, "told a finding that the hub refuses");
	}
}

/* Side SENDER or RECEIVER of a message from that end. */
static const char *name_of_side(const struct play *p, int from, uint8_t side)
{
	if (!p->by_end)
		return side == SENDER ? "sender" : "receiver";
	return (side == SENDER) == (from == 0) ? "first" : "second";
}

static void say_item(struct play *p, int from, const struct told *t, const struct told_item *i)
{
	char who[96], line[FINDING_PATH_BYTES + FINDING_VALUE_BYTES + 160];
	const char *path = t->text + i->path;

	if (i->side == OTHER)
		print_endpoint(who, sizeof who, &i->other);
	else
		snprintf(who, sizeof who, "%s", name_of_side(p, from, i->side));
	if (i->kind == FINDING_HOST)
		snprintf(line, sizeof line, "binding %s\n", who);
	else if (i->kind == FINDING_SUBASSET)
		snprintf(line, sizeof line, "%s %s exists\n", who, path);
	else if (i->kind == FINDING_ACTIVITY)
		snprintf(line, sizeof line, "%s %s%sdoes %s: %s\n", who, path, path[0] ? " " : "",
			 activity_name(i->attribute), t->text + i->value);
	else
		snprintf(line, sizeof line, "%s %s%s%s = %s\n", who, path, path[0] ? " " : "",
			 attribute_name(i->attribute), t->text + i->value);
	say(p->said, line, true);
}

static void take_told(struct play *p, const struct reader *r, const struct told *t)
{
	if (r->sender_role == ROLE_UNKNOWN || r->sender_role >= ROLES)
		blame(p, "MINE without a role of the sender");
	for (size_t i = 0; i < t->count; i++) {
		check_item(p, t, &t->items[i]);
		if (p->said)
			say_item(p, r->direction, t, &t->items[i]);
	}
}

static struct endpoint endpoint_of(const struct flow *f, int side)
{
	struct endpoint e = { .binding = BINDING_FRAME };

	memcpy(e.mac, f->mac[side], 6);
	if (f->transport != TRANSPORT_ETHERNET) {
		const uint8_t ip[4] = { 192, 0, 2, (uint8_t)(side + 1) };

		e.family = 4;
		memcpy(e.ip, ip, 4);
	}
	return e;
}

static void *exact_copy(const void *from, size_t len)
{
	void *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, from, len);
	return copy;
}

static const int64_t PLAY_TIME_NS = 1700000000000000000;

static struct reader make_reader(const struct play *p, int from, bool truncated)
{
	const struct flow *f = p->flow;

	return (struct reader){
		.transport = f->transport,
		.direction = (uint8_t)from,
		.handshake = f->transport != TRANSPORT_TCP || f->midstream ? ROLE_UNKNOWN : from ? ROLE_SERVER : ROLE_CLIENT,
		.gap = p->gap[from],
		.truncated = truncated,
		.multicast = f->multicast && from == 0,
		.sender_port = f->port[from],
		.receiver_port = f->port[!from],
		.ethertype = f->ethertype,
		.time_ns = PLAY_TIME_NS,
	};
}

/* True, and where the message ends, when the classifier calls it routine, as the engine would ask. */
static bool glance(const struct play *p, int from, const uint8_t *block, size_t len, uint64_t *memo, bool truncated, struct glance *g)
{
	*g = (struct glance){ .bytes = cursor_over(block, len), .direction = (uint8_t)from, .transport = p->flow->transport, .time_ns = PLAY_TIME_NS };
	return p->c->glance && !truncated && !p->gap[from] && (!memo || p->spoke[from]) && p->c->glance(g, memo) && cursor_ok(&g->bytes);
}

/* What was routine must have been nothing else for read(). */
static void check_routine(const struct play *p, const struct glance *g, const struct reader *r, enum verdict v, bool memo_same)
{
	if (v != MINE || r->told->count || r->told->lost || r->signs != g->signs || !memo_same)
		blame(p, "called a message routine that was not");
	if (p->flow->transport == TRANSPORT_TCP && g->bytes.at != r->bytes.at)
		blame(p, "took another length at a glance");
	if (p->flow->transport == TRANSPORT_UDP && cursor_left(&g->bytes))
		blame(p, "left bytes of a datagram at a glance");
}

/* As the engine does now and then of a flow that is the classifier's. */
static void forget(struct play *p)
{
	uint64_t *memo = exact_copy(p->memo, MEMO_BYTES);

	p->c->forget(memo);
	memcpy(p->memo, memo, MEMO_BYTES);
	free(memo);
}

/* Offers `len` bytes; returns the verdict and how many bytes were taken. */
static enum verdict offer(struct play *p, int from, const uint8_t *bytes, size_t len, bool truncated, size_t *taken)
{
	static struct told told;
	struct endpoint sender = endpoint_of(p->flow, from), receiver = endpoint_of(p->flow, !from);
	uint8_t *block = exact_copy(bytes, len);
	uint64_t *memo = p->flow->transport <= TRANSPORT_IP ? NULL : exact_copy(p->memo, MEMO_BYTES);
	uint64_t *glanced = memo ? exact_copy(p->memo, MEMO_BYTES) : NULL;
	struct reader r = make_reader(p, from, truncated);
	unsigned long before;
	struct glance g;
	enum verdict v;
	bool routine;

	told.count = told.used = 0;
	told.lost = 0;
	r.bytes = cursor_over(block, len);
	r.sender = &sender;
	r.receiver = &receiver;
	r.memo = memo;
	r.told = &told;
	before = allocations();
	routine = glance(p, from, block, len, glanced, truncated, &g);
	if (!routine && memo && memcmp(memo, glanced, MEMO_BYTES) != 0)
		blame(p, "changed the memo at a glance that was not enough");
	v = p->c->read(&r);
	if (allocations() != before)
		blame(p, "it took memory from the heap");
	if (v > MINE)
		blame(p, "unknown verdict");
	if (r.bytes.at < block || r.bytes.at > block + len)
		blame(p, "the cursor left its bytes");
	*taken = (size_t)(r.bytes.at - block);
	if (routine)
		check_routine(p, &g, &r, v, !memo || memcmp(memo, glanced, MEMO_BYTES) == 0);
	p->spoke[from] |= v == MINE;
	if (v != NEED_MORE)
		say_verdict(p, from, (uint8_t)v, r.sender_role);
	if (v == MINE)
		take_told(p, &r, &told);
	p->told += v == MINE ? told.count : 0;
	/* A refused or incomplete message may have scribbled on the memo: the engine doesn't undo that. */
	if (memo)
		memcpy(p->memo, memo, MEMO_BYTES);
	free(glanced);
	free(memo);
	free(block);
	return v;
}

static void give_up(struct play *p, int from)
{
	p->refused = true;
	p->len[from] = 0;
	if (!p->mine)
		p->dead = true;
}

static void play_stream(struct play *p, int from, bool truncated)
{
	size_t room = p->c->max_message ? p->c->max_message : 4096, at = 0, taken = 0;
	enum verdict v = NOT_MINE;

	while (at < p->len[from]) {
		if (p->forgetful && p->mine)
			forget(p);
		v = offer(p, from, p->buffer[from] + at, p->len[from] - at, truncated, &taken);
		if (v == NOT_MINE) {
			give_up(p, from);
			return;
		}
		if (v == NEED_MORE)
			break;
		if (taken == 0)
			blame(p, "took a message of no bytes");
		p->mine |= v == MINE;
		p->gap[from] = false;
		at += taken;
	}
	p->len[from] -= at;
	memmove(p->buffer[from], p->buffer[from] + at, p->len[from]);
	if (p->len[from] > room)
		blame(p, "asked for more than its longest message");
}

void play_start(struct play *p, const struct classifier *c, const struct flow *f, struct lines *said)
{
	memset(p, 0, offsetof(struct play, buffer));
	p->c = c;
	p->flow = f;
	p->said = said;
	p->gap[0] = p->gap[1] = f->midstream;
}

void play_segment(struct play *p, const struct segment *s, bool truncated)
{
	int from = s->direction;
	size_t taken;
	enum verdict v;

	if (p->dead)
		return;
	if (s->gap) {
		p->gap[0] = p->gap[1] = true;
		p->len[0] = p->len[1] = 0;
	}
	if (p->flow->transport == TRANSPORT_TCP) {
		if (p->len[from] + s->len > PLAY_BUFFER_BYTES)
			blame(p, "the transcript's segment is too long");
		memcpy(p->buffer[from] + p->len[from], s->bytes, s->len);
		p->len[from] += s->len;
		play_stream(p, from, truncated);
		return;
	}
	if (p->forgetful && p->mine)
		forget(p);
	v = offer(p, from, s->bytes, s->len, truncated, &taken);
	if (v == NEED_MORE)
		blame(p, "NEED_MORE of a datagram");
	if (v == NOT_MINE && p->flow->transport == TRANSPORT_UDP)
		give_up(p, from);
	p->mine |= v == MINE;
}

bool play_offers(const struct classifier *c, const struct flow *f)
{
	if (!(c->transports & 1 << f->transport))
		return false;
	if (f->transport > TRANSPORT_IP)
		return true;
	for (int i = 0; i < CLASSIFIER_ETHERTYPES; i++)
		if (c->ethertypes[i] && c->ethertypes[i] == f->ethertype)
			return true;
	return false;
}
