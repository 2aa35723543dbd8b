/* The memory of messages read lately, as hashes of them and of all else that read() can see. */
#include "sensor/engine/repeat.h"

#include "sensor/engine/engine.h"
#include "sensor/engine/lately.h"

#include <stdlib.h>
#include <string.h>

enum {
	SETS = 8192 / SHARES,
	BYTES_MAX = 1600, /* longer payloads are read each time */
	/* A flow that repeats nothing so many times in a row is not looked at until its counter comes round. */
	PATIENCE = 16,
	PATIENCE_TCP = 4, /* requests and answers are numbered, mostly */
};

struct repeats {
	struct lately_set set[SHARES][SETS];
};

struct repeats *repeats_new(void)
{
	struct repeats *r = aligned_alloc(_Alignof(struct repeats), sizeof *r);

	if (r)
		memset(r, 0, sizeof *r);
	return r;
}

static uint32_t second_of(const struct packet *p)
{
	return (uint32_t)(p->time_ns / 1000000000);
}

static uint64_t hash_memo(const struct engine *e, const struct detail *d)
{
	const uint64_t *m = d->memo, *k = e->decoder.hash_key;

	_Static_assert(MEMO_BYTES == 64, "eight words");
	return hash_mix(hash_mix(m[0] ^ k[0], m[1] ^ k[1]) ^ m[2], hash_mix(m[3] ^ k[0], m[4] ^ k[1]) ^ m[5] ^ k[0]) + hash_mix(m[6] ^ k[1], m[7] ^ k[0]);
}

/* All that read() can see but the time: who sends it to whom, by what MAC and over how many routers, the memo and the bytes. */
static uint64_t hash_packet(const struct engine *e, const struct flow *f, const struct packet *p, uint64_t memo)
{
	const uint64_t *k = e->decoder.hash_key;
	struct cursor c = cursor_over(p->payload, p->payload_len);
	uint64_t h = lately_hash(memo ^ p->hash, &c, k[1]), about = p->ethernet ? packet_source_mac(p->ethernet) : 0;

	about |= (uint64_t)p->hop_limit << 48 | (uint64_t)p->direction << 56 | (uint64_t)p->multicast << 57;
	h = hash_mix(h ^ about, k[1] ^ ((uint64_t)decoder_tags(&e->decoder, p->zone) << 32 | p->payload_len));
	return hash_mix(h, k[0] ^ f->protocol) | 1;
}

static struct lately_set *set_of(const struct engine *e, const struct packet *p, uint64_t hash)
{
	return &e->repeats->set[p->share][hash >> 1 & (SETS - 1)];
}

bool repeat_seen(struct engine *e, const struct flow *f, struct detail *d, const struct packet *p)
{
	uint64_t memo, hash;

	if (d->unlike++ >= (p->kind == PACKET_TCP ? PATIENCE_TCP : PATIENCE) || p->payload_len > BYTES_MAX || e->asked || !e->repeats)
		return false;
	memo = hash_memo(e, d);
	hash = hash_packet(e, f, p, memo);
	/* What it told is told again when that is due. */
	if (lately_met(set_of(e, p, hash), hash, second_of(p), teller_facts_s(&e->teller))) {
		d->unlike = 0;
		return true;
	}
	e->repeat = (struct repeat){ .hash = hash, .memo = memo, .told_s = second_of(p) };
	return false;
}

void repeat_remember(struct engine *e, const struct detail *d, const struct packet *p)
{
	if (e->repeat.messages == 1 && hash_memo(e, d) == e->repeat.memo)
		(void)lately_meet(set_of(e, p, e->repeat.hash), e->repeat.hash, e->repeat.told_s, 0, NULL);
}
