/* Tells findings to the hub, and remembers which: what was told lately is not told again. */
#include "sensor/engine/teller.h"

#include "sensor/engine/lately.h"
#include "sensor/engine/packet.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	MEMORY_SETS = 16384 / SHARES,
	ACTIVITY_RETELL_S = 1,
	WAIT_NS = 200000, /* between looks at a full ring */
};

struct memory {
	struct lately_set set[SHARES][MEMORY_SETS];
};

int teller_open(struct teller *t, struct engine_counters *counters, uint32_t engine, uint32_t retell_ms, uint64_t hash_key)
{
	memset(t, 0, sizeof *t);
	t->counters = counters;
	t->engine = engine;
	t->retell_s = retell_ms / 1000;
	t->memory = aligned_alloc(_Alignof(struct memory), sizeof *t->memory);
	t->hash_key = hash_key;
	if (!t->memory)
		return -1;
	memset(t->memory, 0, sizeof *t->memory);
	return ring_attach_producer(&t->ring, FD_RECORDS_OUT, FD_TAIL_OUT, FD_WAKE_OUT);
}

static uint64_t word_at(const void *at)
{
	uint64_t w;

	memcpy(&w, at, sizeof w);
	return w;
}

/* Fewer than eight bytes as a word, without a copy of a length that nobody can foresee. */
static uint64_t short_word(const char *p, size_t len)
{
	uint32_t first, last;

	if (len < 4)
		return len ? (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[len / 2] << 8 | (uint8_t)p[len - 1] : 0;
	memcpy(&first, p, sizeof first);
	memcpy(&last, p + len - 4, sizeof last);
	return (uint64_t)first << 32 | last;
}

/* The last words of a text may overlap. */
static uint64_t hash_text(uint64_t h, const char *text)
{
	const char *p = text;
	size_t len = strlen(text), left = len;

	for (; left > 8; p += 8, left -= 8)
		h = hash_mix(h ^ word_at(p), 0x9e3779b97f4a7c15);
	return hash_mix(h ^ (len < 8 ? short_word(text, len) : word_at(text + len - 8)) ^ (uint64_t)len << 56, 0xd6e8feb86659fd93);
}

/* A device is its IP where it has one: by which router's MAC its frames came says nothing new. */
static uint64_t hash_endpoint(uint64_t h, const struct endpoint *e, bool with_mac)
{
	const uint64_t mac = 0xffffffffffff, family = UINT64_C(0xff) << 48;
	uint64_t head = word_at(e), low = word_at(e->ip);

	if (!with_mac)
		head &= e->family ? family : mac | family;
	if (e->family == 6)
		h = hash_mix(h ^ word_at(e->ip + 8), 0xd6e8feb86659fd93);
	else
		low = e->family ? (uint32_t)low : 0;
	return hash_mix(h ^ head, low ^ 0x9e3779b97f4a7c15);
}

/* False too when the packet stands for a flow that ended: nobody sent it. */
static bool is_from_ip(const struct packet *p, const struct endpoint *who)
{
	return p->kind != PACKET_ETHERNET && p->network && who->family == p->key.family &&
	       memcmp(who->ip, p->direction ? p->key.high : p->key.low, who->family == 6 ? 16 : 4) == 0;
}

/*
 * Only who sends is surely there: of the other end, of whom DHCP or a name service serves, something may be said when they are long
 * gone.
 */
static uint16_t sent_from(const struct packet *p, const struct endpoint *who)
{
	uint16_t from = p->ethernet && memcmp(p->ethernet + 6, who->mac, sizeof who->mac) == 0 ? SENT_FROM_MAC : 0;
	/* On Ethernet (ARP, DCP) a sender states no address but its own; in IP packets it may, of any MAC but its own (DHCP). */
	bool stated = who->binding == BINDING_STATED && (p->kind == PACKET_ETHERNET || from);

	if (who->family && (stated || is_from_ip(p, who)))
		from |= SENT_FROM_IP;
	return from;
}

static uint64_t hash_finding(const struct teller *t, const struct witness *w, const struct statement *s, const char *path,
			     const char *value)
{
	/* That a host is there is told of what it sends itself, whoever has said the same of it. */
	uint64_t heard = s->kind == FINDING_HOST ? sent_from(w->packet, &s->subject) : 0;
	uint64_t words[2] = {
		(uint64_t)s->kind | (uint64_t)s->attribute << 8 | (uint64_t)w->transport << 16 | (uint64_t)s->evidence << 24 |
			(uint64_t)s->role << 32 | heard << 40 | (uint64_t)w->port << 48,
		(uint64_t)w->vlan[0] | (uint64_t)w->vlan[1] << 16 | (uint64_t)w->ethertype << 32 | (uint64_t)w->source << 56 | (uint64_t)s->activity << 48,
	};
	uint64_t h = hash_mix(t->hash_key ^ words[0], words[1] ^ 0x9e3779b97f4a7c15);

	h = hash_endpoint(h, &s->subject, s->kind == FINDING_HOST);
	h = hash_endpoint(h, &s->peer, false);
	h = hash_text(h, w->protocol);
	if (path)
		h = hash_text(h, path);
	if (value)
		h = hash_text(h, value);
	return h;
}

/* The hub may be writing to a slow disk: wait for it, frames are kept in their own ring meanwhile. */
static struct report *reserve(struct teller *t)
{
	struct report *r;

	while (!(r = ring_reserve(&t->ring, sizeof *r))) {
		struct timespec wait = { .tv_nsec = WAIT_NS };

		ring_publish(&t->ring);
		ring_beat(&t->ring);
		nanosleep(&wait, NULL);
	}
	return r;
}

/* What stands behind the zero means nothing. Returns the bytes up to and with it. */
static size_t put_text(char *to, size_t room, const char *text)
{
	size_t n = text ? strnlen(text, room - 1) : 0;

	if (n)
		memcpy(to, text, n);
	to[n] = 0;
	return n + 1;
}

static uint32_t again_after_s(const struct teller *t, const struct statement *s)
{
	return s->activity ? ACTIVITY_RETELL_S : s->kind == FINDING_HOST ? t->retell_s : teller_facts_s(t);
}

uint32_t teller_tell(struct teller *t, const struct witness *w, const struct statement *s, const char *path, const char *value)
{
	uint32_t now_s = (uint32_t)(w->time_ns / 1000000000), told_s;
	struct report *r;
	struct finding *f;
	uint64_t hash;
	size_t len;

	/* The sensor is no device of the plant, and nobody's client. */
	if (own_endpoint(&t->own, &s->subject) || (s->kind == FINDING_TALKS && own_endpoint(&t->own, &s->peer)))
		return now_s;
	hash = hash_finding(t, w, s, path, value);
	if (lately_meet(&t->memory->set[report_share(t->order)][hash & (MEMORY_SETS - 1)], hash, now_s, again_after_s(t, s), &told_s))
		return told_s;
	r = reserve(t);
	memset(r, 0, offsetof(struct report, finding.protocol));
	r->type = REPORT_FINDING;
	r->engine = (uint16_t)t->engine;
	r->sent_from = sent_from(w->packet, &s->subject);
	r->order = t->order;
	f = &r->finding;
	f->kind = s->kind;
	f->attribute = s->attribute;
	f->activity = s->activity;
	f->evidence = s->evidence;
	f->role = s->role;
	f->confidence = s->confidence;
	f->subject = s->subject;
	f->peer = s->peer;
	if (own_endpoint(&t->own, &s->peer))
		f->peer = (struct endpoint){ .family = 0 };
	f->source = w->source;
	f->transport = w->transport;
	f->port = w->port;
	f->ethertype = w->ethertype;
	f->vlan[0] = w->vlan[0];
	f->vlan[1] = w->vlan[1];
	f->frame = w->frame;
	f->time_ns = w->time_ns;
	put_text(f->protocol, sizeof f->protocol, w->protocol);
	put_text(f->path, sizeof f->path, path);
	len = put_text(f->value, sizeof f->value, value);
	ring_commit(&t->ring, offsetof(struct report, finding.value) + len);
	t->counters->findings++;
	return now_s;
}

void teller_report(struct teller *t, const struct report *from)
{
	struct report *r = reserve(t);

	*r = *from;
	r->engine = (uint16_t)t->engine;
	r->order = t->order;
	ring_commit(&t->ring, sizeof *r);
}

void teller_flush(struct teller *t)
{
	ring_publish(&t->ring);
}
