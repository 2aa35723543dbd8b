/*
 * What the tests of replies share: a question with its values, the answer of a real device to it, and what the
 * prober must make of the answer whole, cut and with an impossible length.
 */
#ifndef TESTS_UNIT_EXCHANGE_FIXTURE_H
#define TESTS_UNIT_EXCHANGE_FIXTURE_H

#include "active/prober/match.h"
#include "tests/unit/guard_fixture.h"

enum { VALUES = 4, REPLY_BYTES = 1024 };

struct value {
	const char *hole;
	uint64_t number;
	const char *text;
};

struct exchange {
	const char *rule, *step;
	struct value values[VALUES];
	const char *sent; /* the question with these values; NULL when only the answer is looked at */
	const char *reply;
	enum match begins;
	struct value carried[2];
};

static size_t step_of(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->steps_count; i++)
		if (strcmp(rule->steps[i].name, name) == 0)
			return i;
	fail_msg("%s has no step %s", rule->name, name);
	return 0;
}

static size_t hole_of(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->holes_count; i++)
		if (strcmp(rule->holes[i].name, name) == 0)
			return i;
	fail_msg("%s has no hole %s", rule->name, name);
	return 0;
}

static void fill_values(const struct rule *rule, const struct value *values, struct filling fillings[RULE_HOLES])
{
	rule_defaults(rule, fillings);
	for (size_t i = 0; i < VALUES && values[i].hole; i++) {
		struct filling *f = &fillings[hole_of(rule, values[i].hole)];

		f->number = values[i].number;
		if (values[i].text) {
			f->len = (uint8_t)strlen(values[i].text);
			memcpy(f->bytes, values[i].text, f->len);
		}
	}
}

static void look_at_carried(const struct exchange *e, const struct rule *rule, const struct step *step, const uint8_t *reply, size_t len)
{
	for (size_t i = 0; i < 2 && e->carried[i].hole; i++) {
		struct filling got = { .number = 0 };
		size_t hole = hole_of(rule, e->carried[i].hole);
		bool found = false;

		for (size_t n = 0; n < step->carries_count; n++)
			if (step->carries[n].hole == hole)
				found = match_carry(&rule->holes[hole], &step->carries[n], reply, len, &got);
		assert_true(found);
		assert_int_equal(got.number, e->carried[i].number);
	}
}

/* No part of it passes for the whole, and a length that can't be is told. */
static void look_at_parts(const struct rule *rule, const struct step *step, const struct filling *fillings, uint8_t *reply, size_t len)
{
	size_t end = 0;

	for (size_t n = 0; n < len; n++) {
		assert_int_not_equal(match_begins(rule, &step->reply.begins, fillings, reply, n), MATCH_NO);
		if (step->reply.ends == REPLY_LENGTH)
			assert_int_not_equal(match_end(&step->reply, reply, n, &end), REACH_WHOLE);
	}
	if (step->reply.ends != REPLY_LENGTH)
		return;
	memset(reply + step->reply.offset, 0, step->reply.width);
	if (match_end(&step->reply, reply, len, &end) == REACH_WHOLE)
		assert_true(end <= len && end >= step->reply.offset + (size_t)step->reply.width);
	memset(reply + step->reply.offset, 0xff, step->reply.width);
	assert_int_not_equal(match_end(&step->reply, reply, len, &end), REACH_WHOLE);
}

static void look_at_exchanges(const struct exchange *exchanges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct exchange *e = &exchanges[i];
		const struct rule *rule = ruleset_find(rules, e->rule);
		struct filling fillings[RULE_HOLES];
		uint8_t bytes[RULE_MESSAGE_BYTES], expected[RULE_MESSAGE_BYTES], reply[REPLY_BYTES];
		const struct step *step;
		size_t len = 0, end = 0, index;

		if (!rule)
			fail_msg("there is no rule %s", e->rule);
		index = step_of(rule, e->step);
		step = &rule->steps[index];
		fill_values(rule, e->values, fillings);
		if (e->sent) {
			size_t want = from_hex(e->sent, expected);

			assert_true(rule_render(rule, index, fillings, bytes, &len));
			if (len != want || memcmp(bytes, expected, len) != 0)
				for (size_t n = 0; n < len || n < want; n++)
					if (n >= len || n >= want || bytes[n] != expected[n])
						fail_msg("%s, step %s: byte %zu of %zu is %02x", e->rule, e->step, n, len, bytes[n]);
		}
		len = from_hex(e->reply, reply);
		if (match_begins(rule, &step->reply.begins, fillings, reply, len) != e->begins)
			fail_msg("%s, step %s: another beginning: %s", e->rule, e->step, e->reply);
		if (e->begins != MATCH_YES)
			continue;
		if (step->reply.ends != REPLY_IDLE) {
			if (match_end(&step->reply, reply, len, &end) != REACH_WHOLE || end != len)
				fail_msg("%s, step %s: ends elsewhere: %s", e->rule, e->step, e->reply);
		}
		look_at_carried(e, rule, step, reply, len);
		look_at_parts(rule, step, fillings, reply, len);
	}
}

#endif
