/* The memory of what was told: a set-associative table of hashes. A lost entry only means telling again. */
#include "sensor/engine/teller.h"

#include "sensor/engine/packet.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	MEMORY_SETS = 16384,
	MEMORY_WAYS = 4,
	ACTIVITY_RETELL_S = 1,
	WAIT_NS = 200000, /* between looks at a full ring */
};

/* One line of the cache: most findings were told before, and looking here is what they cost. */
struct memory_set {
	uint64_t hash[MEMORY_WAYS];
	uint32_t told_s[MEMORY_WAYS];
} __attribute__((aligned(64)));

struct memory {
	struct memory_set set[MEMORY_SETS];
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

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t w;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&w, p, 8);
		h = hash_mix(h ^ w, 0x9e3779b97f4a7c15);
	}
	w = 0;
	memcpy(&w, p, len);
	return hash_mix(h ^ w ^ (uint64_t)len << 56, 0xd6e8feb86659fd93);
}

/* A device is its IP where it has one: by which router's MAC its frames came says nothing new. */
static uint64_t hash_endpoint(uint64_t h, const struct endpoint *e, bool with_mac)
{
	h = hash_mix(h ^ e->family, 0x9e3779b97f4a7c15);
	if (e->family)
		h = hash_bytes(h, e->ip, e->family == 4 ? 4 : 16);
	if (with_mac || !e->family)
		h = hash_bytes(h, e->mac, sizeof e->mac);
	return with_mac ? h ^ e->binding : h;
}

static uint64_t hash_finding(const struct teller *t, const struct witness *w, const struct statement *s, const char *path,
			     const char *value)
{
	uint64_t words[2] = {
		(uint64_t)s->kind | (uint64_t)s->attribute << 8 | (uint64_t)w->transport << 16 | (uint64_t)s->evidence << 24 |
			(uint64_t)s->role << 32 | (uint64_t)w->port << 48,
		(uint64_t)w->vlan[0] | (uint64_t)w->vlan[1] << 16 | (uint64_t)w->ethertype << 32 | (uint64_t)w->source << 56 | (uint64_t)s->activity << 48,
	};
	uint64_t h = hash_bytes(t->hash_key, words, sizeof words);

	h = hash_endpoint(h, &s->subject, s->kind == FINDING_HOST);
	h = hash_endpoint(h, &s->peer, false);
	h = hash_bytes(h, w->protocol, strlen(w->protocol));
	if (path)
		h = hash_bytes(h, path, strlen(path));
	if (value)
		h = hash_bytes(h, value, strlen(value));
	return h;
}

/* True when it was told lately; else remembers that it is told now. */
static bool told_lately(struct teller *t, uint64_t hash, uint32_t now_s, uint32_t retell_s)
{
	struct memory_set *set = &t->memory->set[hash & (MEMORY_SETS - 1)];
	int oldest = 0;

	for (int i = 0; i < MEMORY_WAYS; i++) {
		if (set->hash[i] == hash) {
			if (now_s - set->told_s[i] < retell_s)
				return true;
			oldest = i;
			break;
		}
		if (set->told_s[i] < set->told_s[oldest])
			oldest = i;
	}
	set->hash[oldest] = hash;
	set->told_s[oldest] = now_s;
	return false;
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

static void put_text(char *to, size_t room, const char *text)
{
	size_t n = text ? strnlen(text, room - 1) : 0;

	if (n)
		memcpy(to, text, n);
	memset(to + n, 0, room - n);
}

void teller_tell(struct teller *t, const struct witness *w, const struct statement *s, const char *path, const char *value)
{
	uint32_t retell_s = s->activity ? ACTIVITY_RETELL_S : t->retell_s;
	struct report *r;
	struct finding *f;

	/* The sensor is no device of the plant, and nobody's client. */
	if (own_endpoint(&t->own, &s->subject) || (s->kind == FINDING_TALKS && own_endpoint(&t->own, &s->peer)))
		return;
	if (told_lately(t, hash_finding(t, w, s, path, value), (uint32_t)(w->time_ns / 1000000000), retell_s))
		return;
	r = reserve(t);
	memset(r, 0, offsetof(struct report, finding.protocol));
	r->type = REPORT_FINDING;
	r->engine = t->engine;
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
	put_text(f->value, sizeof f->value, value);
	ring_commit(&t->ring, sizeof *r);
	t->counters->findings++;
}

void teller_report(struct teller *t, const struct report *from)
{
	struct report *r = reserve(t);

	*r = *from;
	r->engine = t->engine;
	ring_commit(&t->ring, sizeof *r);
}

void teller_flush(struct teller *t)
{
	ring_publish(&t->ring);
}
