/* Two tables of fixed size: what connections that are being opened offered, and what was told of whom. */
#include "sensor/engine/stacks.h"

#include "classifiers/stack/os_db.h"
#include "classifiers/stack/stack_file.h"
#include "sensor/common/log.h"
#include "sensor/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPENING = 4096 / SHARES, /* connections whose SYN is remembered until it is answered */
	GUESSED = 256 / SHARES,
	SEEN_SETS = 4096 / SHARES,
	SEEN_WAYS = 4,
	CONFIDENCE_SIGNATURE = 90, /* that it was sent so */
	CONFIDENCE_SPECIFIC = 60,  /* that it means what a file says */
	CONFIDENCE_GENERIC = 40,
	CONFIDENCE_PRINT = 45,     /* at most, when all prints that fit agree */
	GUESSES_OF_SECOND = 64 / SHARES,    /* a guess looks through thousands of prints: no more, whatever is sent */
};

struct opening {
	uint32_t tag;
	struct stack_signature asked;
};

/* What was guessed of a signature: many hosts have the same. */
struct guessed {
	uint64_t of;
	bool known;
	struct os_guess guess;
};

/* What is remembered of a share of the traffic. */
struct memory_of_stacks {
	uint32_t guesses_s, guesses; /* of that second */
	struct guessed guessed[GUESSED];
	struct opening opening[OPENING];
	uint64_t seen[SEEN_SETS][SEEN_WAYS];
	uint32_t seen_s[SEEN_SETS][SEEN_WAYS];
};

struct stacks {
	struct stack_file *p0f;
	struct os_db *os_db;
	struct memory_of_stacks of[SHARES];
};

static void tell_line(void *context, const char *path, uint32_t line, const char *sentence)
{
	if (!line)
		log_error("%s: %s", path, sentence);
	else if (*(const bool *)context)
		log_warning("%s:%u: %s; left out", path, line, sentence);
}

struct stacks *stacks_open(int p0f, const char *p0f_path, int os_db, const char *os_db_path, bool words)
{
	struct stacks *x = calloc(1, sizeof *x);

	if (!x) {
		log_error("no memory for the signatures of stacks");
		return NULL;
	}
	if (p0f >= 0)
		x->p0f = stack_file_load_fd(p0f, p0f_path, tell_line, &words);
	if (os_db >= 0)
		x->os_db = os_db_load_fd(os_db, os_db_path, tell_line, &words);
	if ((p0f < 0 || x->p0f) && (os_db < 0 || x->os_db))
		return x;
	stacks_close(x);
	return NULL;
}

void stacks_close(struct stacks *x)
{
	if (!x)
		return;
	stack_file_free(x->p0f);
	os_db_free(x->os_db);
	free(x);
}

/* The SYN that this one answers, NULL when it was not seen. */
static const struct stack_signature *asked_by(const struct stacks *x, const struct packet *p)
{
	const struct opening *o = &x->of[p->share].opening[p->hash & (OPENING - 1)];

	return o->tag == (uint32_t)(p->hash >> 32) ? &o->asked : NULL;
}

static void remember_syn(struct stacks *x, const struct packet *p, const struct stack_signature *s)
{
	struct opening *o = &x->of[p->share].opening[p->hash & (OPENING - 1)];

	o->tag = (uint32_t)(p->hash >> 32);
	o->asked = *s;
}

/* Keyed as flows are: who chooses a signature must not make it another's. */
static uint64_t hash_signature(const struct stack_signature *s, const uint64_t key[2])
{
	uint64_t layout[STACK_OPTIONS / 8], h;

	memcpy(layout, s->layout, sizeof layout);
	h = hash_mix(((uint64_t)s->mss << 48 | (uint64_t)s->window << 32 | s->quirks) ^ key[0],
		     ((uint64_t)s->initial_ttl << 32 | (uint64_t)s->scale << 24 | (uint64_t)s->window_kind << 16 | (uint64_t)s->layout_count << 8 |
		      (uint64_t)s->reserved << 4 | (uint64_t)s->ecn << 2 | (uint64_t)s->payload << 1 | s->accepts) ^ key[1]);
	for (size_t i = 0; i < s->layout_count; i += 8)
		h = hash_mix(h ^ layout[i / 8], key[1] | 1);
	return h;
}

static uint64_t hash_of(const struct decoder *decoder, const struct packet *p, const struct stack_signature *s)
{
	const uint8_t *address = p->direction ? p->key.high : p->key.low;
	const uint64_t *key = decoder->hash_key;
	uint64_t words[2];

	memcpy(words, address, sizeof words);
	return hash_mix(hash_signature(s, key) ^ words[0], words[1] ^ (uint64_t)decoder_tags(decoder, p->zone) << 32 ^ key[0]) | 1;
}

static bool seen_lately(struct memory_of_stacks *x, uint64_t hash, uint32_t now_s, uint32_t retell_s)
{
	uint64_t *set = x->seen[hash >> 16 & (SEEN_SETS - 1)];
	uint32_t *when = x->seen_s[hash >> 16 & (SEEN_SETS - 1)];
	int oldest = 0;

	for (int i = 0; i < SEEN_WAYS; i++) {
		if (set[i] == hash) {
			if (now_s - when[i] < retell_s)
				return true;
			oldest = i;
			break;
		}
		if (when[i] < when[oldest])
			oldest = i;
	}
	set[oldest] = hash;
	when[oldest] = now_s;
	return false;
}

static void tell_one(struct engine *e, const struct witness *w, struct statement *s, enum attribute a, uint8_t confidence, const char *value)
{
	s->attribute = (uint8_t)a;
	s->confidence = confidence;
	teller_tell(&e->teller, w, s, NULL, value);
}

/* The link that the MSS was made for: one line for one MTU. */
static void tell_link(struct engine *e, struct witness *w, struct statement *is, const struct stack_signature *s)
{
	char text[STACK_LABEL_BYTES + 16];
	const char *link;
	unsigned mtu;

	link = e->stacks->p0f ? stack_file_link(e->stacks->p0f, s, &mtu) : NULL;
	if (!link)
		return;
	snprintf(text, sizeof text, "MTU %u, %s", mtu, link);
	w->protocol = "tcp_mtu";
	tell_one(e, w, is, ATTR_FINGERPRINT, CONFIDENCE_GENERIC, text);
}

/* False too when enough was guessed in this second. */
static bool guess(const struct engine *e, const struct packet *p, const struct stack_signature *s, const struct stack_signature *asked,
		  struct os_guess *g)
{
	const uint64_t *key = e->decoder.hash_key;
	uint32_t now_s = (uint32_t)(p->time_ns / 1000000000);
	struct memory_of_stacks *m = &e->stacks->of[p->share];
	struct stacks *x = e->stacks;
	struct guessed *kept;
	uint64_t of;

	if (!x->os_db || !s->accepts || !asked)
		return false;
	of = hash_mix(hash_signature(s, key) ^ key[1], hash_signature(asked, key)) | 1;
	kept = &m->guessed[of >> 8 & (GUESSED - 1)];
	if (kept->of == of) {
		*g = kept->guess;
		return kept->known;
	}
	if (m->guesses_s != now_s) {
		m->guesses_s = now_s;
		m->guesses = 0;
	}
	if (m->guesses++ >= GUESSES_OF_SECOND)
		return false;
	kept->of = of;
	kept->known = os_db_guess(x->os_db, s, asked, &kept->guess);
	*g = kept->guess;
	return kept->known;
}

static void tell_signature(struct engine *e, const struct packet *p, const struct stack_signature *s, const struct stack_signature *asked)
{
	const struct stack_label *label = e->stacks->p0f ? stack_file_find(e->stacks->p0f, s) : NULL;
	struct statement is = { .kind = FINDING_ATTRIBUTE };
	char text[STACK_TEXT_BYTES];
	struct os_guess system;
	struct parties who;
	struct witness w;

	parties_of(p, &who);
	witness_of(e, p, s->accepts ? "tcp_syn_ack" : "tcp_syn", &w);
	is.subject = who.sender;
	stack_signature_write(s, text);
	tell_one(e, &w, &is, ATTR_FINGERPRINT, CONFIDENCE_SIGNATURE, text);
	if (label)
		tell_one(e, &w, &is, label->system ? ATTR_OS : ATTR_SOFTWARE, label->generic ? CONFIDENCE_GENERIC : CONFIDENCE_SPECIFIC, label->name);
	tell_link(e, &w, &is, s);
	if (!guess(e, p, s, asked, &system))
		return;
	w.protocol = "tcp_os_db";
	tell_one(e, &w, &is, ATTR_OS, (uint8_t)(CONFIDENCE_PRINT * system.share / 100), system.family);
}

void stacks_see(struct engine *e, const struct packet *p)
{
	struct stacks *x = e->stacks;
	const struct stack_signature *asked = p->tcp_flags & TCP_ACK ? asked_by(x, p) : NULL;
	struct stack_signature s;

	if (!p->network || p->reassembled)
		return;
	if (!stack_signature_read(cursor_over(p->network, p->network_len), asked ? asked->mss : 0, &s))
		return;
	if (!s.accepts)
		remember_syn(x, p, &s);
	/* Every stack states one; what doesn't was made by a program that writes packets. */
	if (!s.mss || seen_lately(&x->of[p->share], hash_of(&e->decoder, p, &s), (uint32_t)(p->time_ns / 1000000000), teller_facts_s(&e->teller)))
		return;
	tell_signature(e, p, &s, asked);
}
