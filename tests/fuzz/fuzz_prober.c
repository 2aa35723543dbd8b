/*
 * What the prober gets from others: replies held against a rule's beginnings and ends, orders from the
 * pipe, and lines of the audit.
 *
 * Input: {kind:1 rule:2 step:1} and the bytes.
 */
#include "active/guard/chain.h"
#include "active/prober/match.h"
#include "active/prober/word.h"
#include "tests/fuzz/must.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ruleset *rules;

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	(void)file;
	(void)line;
	(void)what;
}

/* A beginning that does not fit a part of the bytes fits none that is longer. */
static void try_begins(const struct rule *rule, const struct step *step, const struct filling *fillings, const uint8_t *bytes, size_t len)
{
	enum match whole = match_begins(rule, &step->reply.begins, fillings, bytes, len);
	enum match half = match_begins(rule, &step->reply.begins, fillings, bytes, len / 2);

	must(half != MATCH_NO || whole == MATCH_NO);
	must(half != MATCH_YES || whole == MATCH_YES);
}

static void try_reply(uint16_t which, uint8_t index, const uint8_t *bytes, size_t len)
{
	const struct rule *rule = ruleset_at(rules, which % ruleset_count(rules));
	const struct step *step = &rule->steps[index % rule->steps_count];
	struct filling fillings[RULE_HOLES];
	size_t end = 0, message_len;
	uint8_t message[RULE_MESSAGE_BYTES];
	enum reach reach;

	rule_defaults(rule, fillings);
	try_begins(rule, step, fillings, bytes, len);
	reach = match_end(&step->reply, bytes, len, &end);
	if (reach == REACH_WHOLE) {
		must(end <= len && end <= step->reply.at_most);
		must(end > 0 || step->reply.ends == REPLY_NONE || len == 0);
	}
	for (size_t i = 0; i < step->carries_count; i++)
		match_carry(&rule->holes[step->carries[i].hole], &step->carries[i], bytes, len, &fillings[step->carries[i].hole]);
	/* Whatever a reply carries, what is rendered with it has the room it says. */
	for (size_t i = 0; i < rule->steps_count; i++)
		if (rule_render(rule, i, fillings, message, &message_len))
			must(message_len <= sizeof message);
}

static void try_order(const uint8_t *bytes, size_t len)
{
	char text[APPROVAL_TEXT_BYTES];
	struct order o;

	memset(&o, 0, sizeof o);
	memcpy(&o, bytes, len < sizeof o ? len : sizeof o);
	if (order_valid(&o) && o.type == ORDER_PROBE)
		must(approval_text(&o.approval, text) > 0);
}

static void try_chain(const uint8_t *bytes, size_t len)
{
	struct chain c = { .number = 0 };
	const char *at = (const char *)bytes, *end = at + len;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((line ? line : end) - at);
		uint64_t before = c.number;

		if (!chain_take(&c, at, n))
			break;
		must(c.number == before || c.number == before + 1);
		at += n + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!rules)
		rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	if (!rules || size < 4)
		return 0;
	if (data[0] % 8 == 0)
		try_order(data + 4, size - 4);
	else if (data[0] % 8 == 1)
		try_chain(data + 4, size - 4);
	else
		try_reply((uint16_t)(data[1] | data[2] << 8), data[3], data + 4, size - 4);
	return 0;
}
