/* What must hold for a rule as a whole: sense, bounds, and the guard's yes to all that it can send. */
#include "active/ruleset/build.h"

#include "active/guard/guard.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS_LEAST = 100, HEX_BYTES = 24 };

static bool sends_hole(const struct step *s, size_t hole)
{
	for (size_t i = 0; i < s->send.count; i++)
		if (s->send.parts[i].kind == PART_HOLE && s->send.parts[i].hole == hole)
			return true;
	return false;
}

static bool carries_hole(const struct step *s, size_t hole)
{
	for (size_t i = 0; i < s->carries_count; i++)
		if (s->carries[i].hole == hole)
			return true;
	return false;
}

/* A carried value is there when its step comes, and ends within the reply that it is taken from. */
static void check_carried(const struct building *b, size_t hole)
{
	const struct hole *h = &b->holes[hole];
	bool have = h->has_value;

	for (size_t i = 0; i < b->rule->steps_count; i++) {
		const struct step *s = &b->steps[i];

		if (sends_hole(s, hole) && !have)
			wrong(b, s->line, "step '%s': hole '%s' is not carried yet; give it a value for the first time", s->name,
			      h->name);
		if (carries_hole(s, hole))
			have = true;
		for (size_t n = 0; n < s->carries_count; n++)
			if (s->carries[n].hole == hole && s->carries[n].offset + (uint32_t)h->width > s->reply.at_most)
				wrong(b, s->line, "step '%s': hole '%s' would be taken from beyond the reply's at_most", s->name,
				      h->name);
	}
}

static void check_lists(const struct building *b, size_t hole)
{
	for (size_t i = 0; i < b->rule->steps_count; i++)
		if (sends_hole(&b->steps[i], hole) && b->steps[i].over != hole)
			wrong(b, b->steps[i].line, "step '%s': hole '%s' has many values; say repeat: {over: %s}",
			      b->steps[i].name, b->holes[hole].name, b->holes[hole].name);
}

static void check_sense(const struct building *b)
{
	const struct rule *rule = b->rule;

	if (rule->session && rule->risk == RISK_LOW)
		wrong(b, line_in(b, "risk"), "what opens a session is medium at least");
	if (rule->multicast && rule->risk == RISK_LOW)
		wrong(b, line_in(b, "risk"), "what goes to many at once is medium at least");
	if (rule->address && !rule->sub_assets)
		wrong(b, line_in(b, "steps"), "it sweeps '%s' and so reads sub-assets; say sub_assets: true", rule->address);
	if (rule->address && rule->risk == RISK_LOW)
		wrong(b, line_in(b, "risk"), "a sweep is medium at least");
	if (rule->timeout_ms < TIMEOUT_MS_LEAST || rule->timeout_ms > RULE_TIMEOUT_MS)
		wrong(b, line_in(b, "timeout_ms"), "timeout_ms is %d to %d", TIMEOUT_MS_LEAST, RULE_TIMEOUT_MS);
	if (rule->max_packets == 0 || rule->max_packets > RULE_PACKETS)
		wrong(b, line_in(b, "max_packets"), "max_packets is 1 to %d", RULE_PACKETS);
	if (rule->max_bytes > RULE_BYTES)
		wrong(b, line_in(b, "max_bytes"), "max_bytes is at most %d", RULE_BYTES);
}

void check_rule(const struct building *b)
{
	check_sense(b);
	for (size_t i = 0; i < b->rule->holes_count; i++) {
		if (b->holes[i].source == HOLE_REPLY)
			check_carried(b, i);
		else if (b->holes[i].source == HOLE_LIST)
			check_lists(b, i);
	}
}

/*
 * Packets towards the target: a message each; over TCP also SYN and ACK, an ACK for each reply, FIN
 * and the ACK of the device's FIN. A reply in many segments costs further ACKs, which no rule can bound.
 */
void check_bounds(const struct building *b)
{
	const struct rule *rule = b->rule;
	size_t packets = rule->transport == TRANSPORT_TCP ? 4 : 0, bytes = 0, messages = 0;

	for (size_t i = 0; i < rule->steps_count; i++) {
		const struct step *s = &b->steps[i];
		size_t longest = s->listens ? 0 : template_longest(&s->send, b->holes);

		if (longest > RULE_MESSAGE_BYTES)
			wrong(b, s->line, "step '%s' can become %zu bytes long; a message has at most %d", s->name, longest,
			      RULE_MESSAGE_BYTES);
		messages += s->rounds;
		bytes += longest * s->rounds;
		packets += s->listens ? 0 : s->rounds;
		if (rule->transport == TRANSPORT_TCP && s->reply.ends != REPLY_NONE)
			packets += s->rounds;
	}
	if (messages > RULE_MESSAGES)
		wrong(b, line_in(b, "steps"), "its steps make %zu messages; a rule has at most %d", messages, RULE_MESSAGES);
	if (packets > rule->max_packets)
		wrong(b, line_in(b, "max_packets"), "its steps can take %zu packets, more than max_packets (%u)", packets,
		      rule->max_packets);
	if (bytes > rule->max_bytes)
		wrong(b, line_in(b, "max_bytes"), "its steps can send %zu bytes, more than max_bytes (%u)", bytes,
		      rule->max_bytes);
}

struct guarding {
	const struct building *b;
	uint32_t line;
};

static bool hold_before_guard(void *context, const struct rule *rule, size_t step, const struct filling *fillings,
			      const uint8_t *bytes, size_t len)
{
	const struct guarding *g = context;
	struct guard_answer answer;
	char hex[2 * HEX_BYTES + 1] = "";

	(void)fillings;
	if (!bytes) {
		wrong(g->b, g->line, "step '%s' can't be rendered with values that its holes allow", rule->steps[step].name);
		return false;
	}
	if (guard_permits(rule->protocol, (enum transport)rule->transport, bytes, len))
		return true;
	answer = rule_guard(rule, bytes, len);
	for (size_t i = 0; i < len && i < HEX_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	wrong(g->b, g->line, "step '%s' could send %s%s, which the guard refuses: %s", rule->steps[step].name, hex,
	      len > HEX_BYTES ? "..." : "", answer.why);
	return false;
}

void check_guard(const struct building *b)
{
	for (size_t i = 0; i < b->rule->steps_count; i++) {
		struct guarding g = { b, b->raw->steps[i].send ? line_in(b, "steps[%zu].send", i) : b->steps[i].line };

		rule_enumerate(b->rule, i, hold_before_guard, &g);
	}
}
