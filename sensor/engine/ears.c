/* What flows say, held against a file of service probes; ears.h tells when and how much. */
#include "sensor/engine/ears.h"

#include "classifiers/match/service_match.h"
#include "classifiers/probes/service_request.h"
#include "sensor/common/log.h"
#include "sensor/engine/engine.h"
#include "sensor/engine/ears_tell.h"

#include <stdlib.h>
#include <string.h>

enum {
	TRIES_MAX = 3,        /* of one answer while it grows; a last one when it is whole */
	ANSWERS_MAX = 2,      /* datagrams looked at */
	MISSES_MAX = 8,       /* flows of one server without a match until it is left alone for a while */
	PATIENCE_S = 60,
	MEMORY_SETS = 2048 / SHARES,
	MEMORY_WAYS = 4,
	WEIGHT_LEAST = 8,     /* of a line that is used out of its context */
};

struct ear {
	struct service_question question;
	const struct service_match *soft; /* the best so far */
	uint64_t server;                  /* its place in the memory of servers */
	uint16_t len;
	uint16_t tried;                   /* bytes of the last try */
	uint8_t tries;
	uint8_t answers;
	uint8_t direction;                /* in which the server sends */
	bool greeting;
	bool named;                       /* a match was told as a service */
	uint8_t bytes[SERVICE_SUBJECT_BYTES];
};

struct remembered {
	uint64_t server;
	uint32_t when_s;
	uint32_t misses; /* MISSES_MAX: known, or given up for now */
};

struct ears {
	struct service_probes *probes;
	struct request_index *index;
	struct service_matcher *matcher;
	struct pool pool;
	struct service_question greeting;
	struct remembered memory[SHARES][MEMORY_SETS][MEMORY_WAYS];
	bool words; /* lines that can't be used are told */
};

_Static_assert(sizeof(struct ear) % 8 == 0, "blocks of a pool are of whole words");

static void tell_line(void *context, const char *path, uint32_t line, const char *sentence)
{
	if (!*(const bool *)context && line)
		return;
	if (line)
		log_warning("%s:%u: %s; left out", path, line, sentence);
	else
		log_error("%s: %s", path, sentence);
}

struct ears *ears_open(int fd, const char *path, unsigned flows, bool words)
{
	struct ears *x = calloc(1, sizeof *x);

	if (!x || !pool_init(&x->pool, sizeof(struct ear), flows)) {
		log_error("no memory for the patterns of %s", path);
		free(x);
		return NULL;
	}
	x->words = words;
	x->probes = service_probes_load_fd(fd, path, tell_line, &x->words);
	x->matcher = x->probes ? service_matcher_new(x->probes, path, tell_line, &x->words) : NULL;
	x->index = x->matcher ? request_index_new(x->probes) : NULL;
	if (!x->index) {
		if (x->matcher)
			log_error("no memory for the probes of %s", path);
		ears_close(x);
		return NULL;
	}
	if (words && x->probes->match_count < x->probes->match_lines)
		log_warning("%s: %u of %u match lines are used", path, x->probes->match_count, x->probes->match_lines);
	service_question_of_greeting(x->probes, &x->greeting);
	return x;
}

void ears_close(struct ears *x)
{
	if (!x)
		return;
	service_matcher_free(x->matcher);
	request_index_free(x->index);
	service_probes_free(x->probes);
	pool_free_all(&x->pool);
	free(x);
}

static struct detail *detail_of(const struct engine *e, const struct flow *f)
{
	return f->detail ? pool_at(&e->details.details, f->detail) : NULL;
}

static struct ear *ear_at(const struct engine *e, const struct detail *d)
{
	return pool_at(&e->ears->pool, d->ear);
}

/* Which server, asked what. Keyed as flows are: nobody shall be left alone for what another made us try in vain. */
static uint64_t hash_server(const struct decoder *decoder, const struct flow *f, uint8_t direction, const struct service_question *q)
{
	const uint8_t *address = direction ? f->key.high : f->key.low;
	const uint64_t *key = decoder->hash_key;
	uint16_t port = direction ? f->key.high_port : f->key.low_port;
	uint64_t words[2], h;

	memcpy(words, address, sizeof words);
	h = hash_mix(words[0] ^ key[0], words[1] ^ key[1] ^ (uint64_t)port << 48 ^ (uint64_t)decoder_tags(decoder, f->key.zone) << 16 ^ f->key.protocol);
	h = hash_mix(h ^ key[1], (uint64_t)q->lists[0] << 8 ^ q->count ^ h >> 32);
	return h | 1;
}

static struct remembered *recall(struct ears *x, uint8_t share, uint64_t server)
{
	struct remembered *set = x->memory[share][server >> 16 & (MEMORY_SETS - 1)], *oldest = set;

	for (int i = 0; i < MEMORY_WAYS; i++) {
		if (set[i].server == server)
			return &set[i];
		if (set[i].when_s < oldest->when_s)
			oldest = &set[i];
	}
	*oldest = (struct remembered){ .server = server };
	return oldest;
}

static bool left_alone(struct engine *e, uint64_t server, uint32_t now_s)
{
	const struct remembered *r = recall(e->ears, e->details.share, server);

	return r->misses >= MISSES_MAX && now_s - r->when_s < PATIENCE_S;
}

static void remember(struct engine *e, uint64_t server, bool known, uint32_t now_s)
{
	struct remembered *r = recall(e->ears, e->details.share, server);

	r->when_s = now_s;
	r->misses = known || r->misses >= MISSES_MAX ? MISSES_MAX : r->misses + 1;
}

static uint32_t now_s(const struct packet *p)
{
	return (uint32_t)(p->time_ns / 1000000000);
}

static void let_go(struct engine *e, struct detail *d)
{
	if (d->ear)
		pool_give(&e->ears->pool, d->ear, e->details.share);
	d->ear = 0;
	d->ear_done = true;
}

static void start_question(struct engine *e, const struct flow *f, struct detail *d, const struct packet *p,
			   const struct service_question *q, uint8_t direction, bool greeting)
{
	uint64_t server = hash_server(&e->decoder, f, direction, q);
	struct ear *ear;

	if (q->count == 0 || left_alone(e, server, now_s(p))) {
		let_go(e, d);
		return;
	}
	if (!d->ear && !(d->ear = pool_take(&e->ears->pool, e->details.share))) {
		e->counters.ears_refused++;
		d->ear_done = true;
		return;
	}
	ear = ear_at(e, d);
	memset(ear, 0, offsetof(struct ear, bytes));
	ear->question = *q;
	ear->server = server;
	ear->direction = direction;
	ear->greeting = greeting;
}

/* A line that is used where its probe didn't ask must say much to be believed. */
static bool believable(const struct ears *x, const struct ear *ear, const struct service_found *found)
{
	bool asked = ear->greeting || x->probes->probes[ear->question.lists[found->list]].payload_len;

	if (asked && ear->question.kinship > SERVICE_KIN)
		return true;
	return service_match_weight(x->matcher, found->match) >= (asked ? WEIGHT_LEAST / 2 : WEIGHT_LEAST);
}

/* Looks at what the server has said so far. True when no more need be heard. */
static bool try_answer(struct engine *e, const struct flow *f, const struct packet *p, struct ear *ear)
{
	struct service_found found;

	if (ear->len == ear->tried)
		return false;
	ear->tried = ear->len;
	ear->tries++;
	e->counters.service_subjects++;
	if (!service_match_find(e->ears->matcher, ear->question.lists, ear->question.count, ear->bytes, ear->len, &found) ||
	    !believable(e->ears, ear, &found))
		return false;
	if (found.match->soft) {
		if (!ear->soft)
			ear->soft = found.match;
		return false;
	}
	ear->named = ears_tell(e, f, p, ear->direction, &found, (enum service_kinship)ear->question.kinship);
	remember(e, ear->server, true, now_s(p));
	e->counters.service_matches++;
	return true;
}

/* What is known now is all that will be. True when it has a name. */
static bool conclude(struct engine *e, const struct flow *f, const struct packet *p, struct detail *d)
{
	struct ear *ear = ear_at(e, d);
	bool named;

	if (!try_answer(e, f, p, ear)) {
		struct service_found found = { .match = ear->soft };

		if (ear->len || ear->answers)
			remember(e, ear->server, false, now_s(p));
		if (ear->soft)
			ear->named = ears_tell(e, f, p, ear->direction, &found, (enum service_kinship)ear->question.kinship);
	}
	named = ear->named;
	let_go(e, d);
	return named;
}

static void append(struct ear *ear, const uint8_t *bytes, size_t len)
{
	size_t room = sizeof ear->bytes - ear->len;

	if (len > room)
		len = room;
	memcpy(ear->bytes + ear->len, bytes, len);
	ear->len = (uint16_t)(ear->len + len);
}

/* The first that is heard of a connection: a server's greeting, or a client's request. */
static void hear_first(struct engine *e, struct flow *f, struct detail *d, const struct packet *p, const uint8_t *bytes, size_t len)
{
	bool known = f->flags & (FLOW_SERVER_LOW | FLOW_SERVER_HIGH), from_server = known && !!(f->flags & FLOW_SERVER_HIGH) == p->direction;
	struct service_question q;

	if (from_server && f->flags & FLOW_FROM_START) {
		start_question(e, f, d, p, &e->ears->greeting, p->direction, true);
		return;
	}
	q.count = 0;
	if (!from_server)
		service_question_of(e->ears->probes, e->ears->index, TRANSPORT_TCP, bytes, len, &q);
	start_question(e, f, d, p, &q, !p->direction, false);
}

static void hear_client(struct engine *e, struct flow *f, struct detail *d, const struct packet *p, const uint8_t *bytes, size_t len)
{
	struct ear *ear = ear_at(e, d);
	const struct service_match *soft;
	struct service_question q;

	/* More of the same request. */
	if (!ear->len)
		return;
	if (!ear->greeting || try_answer(e, f, p, ear)) {
		conclude(e, f, p, d);
		return;
	}
	/* The greeting told nothing: what it answers now may. */
	service_question_of(e->ears->probes, e->ears->index, TRANSPORT_TCP, bytes, len, &q);
	if (q.count == 0) {
		conclude(e, f, p, d);
		return;
	}
	remember(e, ear->server, false, now_s(p));
	soft = ear->soft;
	start_question(e, f, d, p, &q, ear->direction, false);
	if (d->ear)
		ear_at(e, d)->soft = soft;
}

void ears_stream(struct engine *e, struct flow *f, const struct packet *p, const uint8_t *bytes, size_t len)
{
	struct detail *d = detail_of(e, f);
	struct ear *ear;

	if (!d || d->ear_done)
		return;
	if (!d->ear)
		hear_first(e, f, d, p, bytes, len);
	else if (ear_at(e, d)->direction != p->direction)
		hear_client(e, f, d, p, bytes, len);
	if (!d->ear || ear_at(e, d)->direction != p->direction)
		return;
	ear = ear_at(e, d);
	append(ear, bytes, len);
	if (ear->tries < TRIES_MAX && try_answer(e, f, p, ear))
		let_go(e, d);
	else if (ear->len == sizeof ear->bytes)
		conclude(e, f, p, d);
}

void ears_datagram(struct engine *e, struct flow *f, const struct packet *p)
{
	struct detail *d = detail_of(e, f);
	struct service_question q;
	struct ear *ear;

	if (!d || d->ear_done)
		return;
	if (!d->ear) {
		service_question_of(e->ears->probes, e->ears->index, TRANSPORT_UDP, p->payload, p->payload_len, &q);
		start_question(e, f, d, p, &q, !p->direction, false);
		return;
	}
	ear = ear_at(e, d);
	if (ear->direction != p->direction)
		return;
	ear->len = ear->tried = 0;
	append(ear, p->payload, p->payload_len);
	ear->answers++;
	if (try_answer(e, f, p, ear))
		let_go(e, d);
	else if (ear->answers == ANSWERS_MAX)
		conclude(e, f, p, d);
}

bool ears_wait(const struct engine *e, const struct flow *f)
{
	const struct detail *d = detail_of(e, f);

	return e->ears && d && d->ear && f->key.protocol == 17;
}

bool ears_end(struct engine *e, struct flow *f, const struct packet *p)
{
	struct detail *d = detail_of(e, f);

	return e->ears && d && d->ear && conclude(e, f, p, d);
}
