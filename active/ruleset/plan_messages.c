/* Goes through all messages of a plan: their bytes, what stays open in them, their text and digest. */
#include "active/ruleset/plan.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Where the plan stands after the messages so far. */
struct walk {
	const struct plan *plan;
	struct filling fillings[RULE_HOLES];
	bool open[RULE_HOLES]; /* its value is a reply's or our connection's, or depends on how many replies came */
	struct plan_message message;
	plan_see *see;
	void *context;
};

static bool holds(const struct step *step, size_t hole)
{
	for (size_t i = 0; i < step->send.count; i++)
		if (step->send.parts[i].kind == PART_HOLE && step->send.parts[i].hole == hole)
			return true;
	return false;
}

static bool any_open(const struct plan_message *m, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (m->open[i])
			return true;
	return false;
}

/* Marks the bytes of one message that no plan can know. */
static void mark_open(struct walk *w, const struct template *t)
{
	struct plan_message *m = &w->message;
	size_t at = 0, unchecked = 0;

	memset(m->open, 0, sizeof(m->open));
	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];
		size_t len = part_length(p, w->fillings);

		if (p->kind == PART_HOLE && w->open[p->hole])
			memset(m->open + at, p->hole + 1, len);
		if (p->kind == PART_CRC) {
			size_t from = p->type == CHECKSUM_CRC_DNP3 ? unchecked : p->less;

			if (any_open(m, from, at))
				memset(m->open + at, PLAN_CHECKSUM, len);
			unchecked = at + len;
		}
		at += len;
	}
}

/* A counter goes up by one with each message that holds it, then from below again. */
static void count_up(struct walk *w, const struct step *step)
{
	for (size_t i = 0; i < w->plan->rule->holes_count; i++) {
		const struct hole *h = &w->plan->rule->holes[i];

		if (h->source != HOLE_COUNTER || !holds(step, i))
			continue;
		w->fillings[i].number = w->fillings[i].number >= h->high ? h->low : w->fillings[i].number + 1;
	}
}

static bool walk_round(struct walk *w, size_t i, uint16_t round)
{
	const struct step *step = &w->plan->rule->steps[i];
	struct plan_message *m = &w->message;

	m->step = i;
	m->round = round;
	m->perhaps = step->has_while || (step->stop_after_silent && round >= step->stop_after_silent);
	if (!rule_render(w->plan->rule, i, w->fillings, m->bytes, &m->len))
		return false;
	mark_open(w, &step->send);
	if (!w->see(w->context, w->plan, m))
		return false;
	count_up(w, step);
	for (size_t n = 0; n < step->carries_count; n++)
		w->open[step->carries[n].hole] = true;
	return true;
}

static uint16_t rounds_of(const struct plan *plan, const struct step *step)
{
	const struct hole *over;

	if (step->over == WHOLE_MESSAGE)
		return step->rounds;
	over = &plan->rule->holes[step->over];
	return over->source == HOLE_LIST ? over->values_count : plan->swept_count;
}

static bool walk_step(struct walk *w, size_t i)
{
	const struct rule *rule = w->plan->rule;
	const struct step *step = &rule->steps[i];
	uint16_t rounds = rounds_of(w->plan, step);

	for (uint16_t n = 0; n < rounds && !step->listens; n++) {
		if (step->over != WHOLE_MESSAGE) {
			const struct hole *over = &rule->holes[step->over];

			w->fillings[step->over].number = over->source == HOLE_LIST ? over->values[n] : w->plan->swept[n];
		}
		if (!walk_round(w, i, n))
			return false;
	}
	if (step->listens)
		for (size_t n = 0; n < step->carries_count; n++)
			w->open[step->carries[n].hole] = true;
	/* What was swept stands at its first value for steps that ask once. */
	if (step->over != WHOLE_MESSAGE)
		w->fillings[step->over] = w->plan->fillings[step->over];
	/* How many messages were sent, and so where its counters stand, only the run knows. */
	if (step->has_while || (step->stop_after_silent && rounds > step->stop_after_silent))
		for (size_t h = 0; h < rule->holes_count; h++)
			w->open[h] |= rule->holes[h].source == HOLE_COUNTER && holds(step, h);
	return true;
}

bool plan_messages(const struct plan *plan, plan_see *see, void *context)
{
	struct walk w = { .plan = plan, .see = see, .context = context };

	memcpy(w.fillings, plan->fillings, sizeof(w.fillings));
	for (size_t i = 0; i < plan->rule->holes_count; i++)
		w.open[i] = plan->rule->holes[i].source == HOLE_OWN;
	for (size_t i = 0; i < plan->rule->steps_count; i++)
		if (!walk_step(&w, i))
			return false;
	return true;
}

/* The name of what is open there; hole names are at most 40 bytes long. */
static const char *open_name(const struct plan *plan, uint8_t open)
{
	return open == PLAN_CHECKSUM ? "=checksum" : plan->rule->holes[open - 1].name;
}

void plan_message_text(const struct plan *plan, const struct plan_message *m, char out[PLAN_TEXT_BYTES])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < m->len && n < PLAN_TEXT_BYTES; i++) {
		if (!m->open[i])
			n += (size_t)snprintf(out + n, PLAN_TEXT_BYTES - n, "%02x", m->bytes[i]);
		else if (i == 0 || m->open[i] != m->open[i - 1])
			n += (size_t)snprintf(out + n, PLAN_TEXT_BYTES - n, "{%.40s}", open_name(plan, m->open[i]));
	}
}

static bool digest_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	crypto_hash_sha256_state *state = context;
	char text[PLAN_TEXT_BYTES], head[32];

	snprintf(head, sizeof(head), "%zu.%u ", m->step + 1, m->round + 1);
	plan_message_text(plan, m, text);
	crypto_hash_sha256_update(state, (const unsigned char *)head, strlen(head));
	crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text));
	crypto_hash_sha256_update(state, (const unsigned char *)"\n", 1);
	return true;
}

bool plan_digest(const struct plan *plan, uint8_t out[APPROVAL_HASH_BYTES])
{
	static const char form[] = "askance plan 1 ";
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)form, sizeof(form) - 1);
	crypto_hash_sha256_update(&state, (const unsigned char *)plan->rule->name, strlen(plan->rule->name));
	crypto_hash_sha256_update(&state, (const unsigned char *)"\n", 1);
	if (!plan_messages(plan, digest_message, &state))
		return false;
	crypto_hash_sha256_final(&state, out);
	return true;
}
