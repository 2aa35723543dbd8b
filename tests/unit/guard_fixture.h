/*
 * What the tests of the guard share: the shipped rules, messages as hex, and loops that change, cut and
 * lengthen every message of the protocols that a test file answers for.
 */
#ifndef TESTS_UNIT_GUARD_FIXTURE_H
#define TESTS_UNIT_GUARD_FIXTURE_H

#include "active/guard/guard.h"
#include "active/ruleset/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGE_BYTES = 512 };

/*
 * What a test file says of a protocol it answers for: whether the codes that decide what a message does are
 * those of a read, found anew here and not by the guard's own reader.
 */
struct codes {
	const char *protocol;
	bool (*reads)(const uint8_t *b, size_t n);
};

static struct ruleset *rules;

static inline void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	print_error("%s:%u: %s\n", file, line, what);
}

static inline int load_rules(void **state)
{
	(void)state;
	rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	return rules ? 0 : -1;
}

static inline int free_rules(void **state)
{
	(void)state;
	ruleset_free(rules);
	return 0;
}

static inline size_t from_hex(const char *hex, uint8_t *to)
{
	size_t n = 0;
	unsigned int byte;
	int used;

	while (sscanf(hex, " %2x%n", &byte, &used) == 1) {
		to[n++] = (uint8_t)byte;
		hex += used;
	}
	assert_int_equal(hex[strspn(hex, " ")], 0);
	return n;
}

/* In a heap block of the exact size, so that a read past the end is seen by the sanitizer. */
static inline struct guard_answer judge(const char *protocol, enum transport transport, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct guard_answer answer;

	memcpy(exact, bytes, len);
	answer = guard_allows(protocol, transport, exact, len);
	assert_true(guard_permits(protocol, transport, exact, len) == answer.allowed);
	free(exact);
	return answer;
}

struct message {
	const char *protocol;
	enum transport transport;
	const char *hex;
	const char *name;
	const char *why; /* the guard must refuse it for this, and not for a slip of ours in the bytes */
};

#define TCP TRANSPORT_TCP
#define UDP TRANSPORT_UDP
#define ETH TRANSPORT_ETHERNET

static size_t changed, passed;
static const struct codes *codes; /* ended by NULL */

static inline const struct codes *codes_of(const struct rule *rule)
{
	for (const struct codes *c = codes; c->protocol; c++)
		if (strcmp(c->protocol, rule->protocol) == 0)
			return c;
	return NULL;
}

static inline bool change_every_byte(void *context, const struct rule *rule, size_t step, const struct filling *fillings,
			      const uint8_t *bytes, size_t len)
{
	uint8_t copy[RULE_MESSAGE_BYTES];

	(void)context;
	(void)step;
	(void)fillings;
	memcpy(copy, bytes, len);
	assert_true(judge(rule->protocol, (enum transport)rule->transport, bytes, len).allowed);
	for (size_t i = 0; i < len; i++) {
		for (unsigned int value = 0; value < 256; value++) {
			copy[i] = (uint8_t)value;
			changed++;
			if (!guard_allows(rule->protocol, (enum transport)rule->transport, copy, len).allowed)
				continue;
			passed++;
			if (!codes_of(rule)->reads(copy, len))
				fail_msg("%s: byte %zu as %02x was allowed", rule->name, i, value);
		}
		copy[i] = bytes[i];
	}
	return false; /* one message of each step is enough for this */
}

/* Every beginning of a message is refused; of DCP those that lack more than padding. */
static inline bool cut_short(void *context, const struct rule *rule, size_t step, const struct filling *fillings,
		      const uint8_t *bytes, size_t len)
{
	size_t *count = context;
	bool dcp = strcmp(rule->protocol, "profinet_dcp") == 0;

	(void)step;
	(void)fillings;
	for (size_t n = 0; n < len; n++) {
		if (dcp && n >= 12u + bytes[11])
			continue;
		++*count;
		if (judge(rule->protocol, (enum transport)rule->transport, bytes, n).allowed)
			fail_msg("%s: the first %zu of %zu bytes were allowed", rule->name, n, len);
	}
	return true;
}

/* A byte more than the message is refused as well: nothing rides behind a read. */
static inline bool lengthen(void *context, const struct rule *rule, size_t step, const struct filling *fillings,
		     const uint8_t *bytes, size_t len)
{
	uint8_t longer[RULE_MESSAGE_BYTES + 1];

	(void)context;
	(void)step;
	(void)fillings;
	memcpy(longer, bytes, len);
	longer[len] = 0;
	if (judge(rule->protocol, (enum transport)rule->transport, longer, len + 1).allowed)
		fail_msg("%s: a byte behind the message was allowed", rule->name);
	return true;
}

/* Calls `see` for all messages of the file's protocols; a protocol without a message is a fault of the test. */
static inline void see_messages(script_see *see, void *context)
{
	for (const struct codes *c = codes; c->protocol; c++) {
		size_t steps = 0;

		for (size_t i = 0; i < ruleset_count(rules); i++) {
			const struct rule *rule = ruleset_at(rules, i);

			for (size_t n = 0; strcmp(rule->protocol, c->protocol) == 0 && n < rule->steps_count; n++, steps++)
				rule_enumerate(rule, n, see, context);
		}
		if (steps == 0)
			fail_msg("there is no rule for %s", c->protocol);
	}
}

/* Messages that the guard must refuse, each for its reason. */
static inline void refuse_all(const struct message *forbidden, size_t count)
{
	uint8_t bytes[MESSAGE_BYTES];

	for (size_t i = 0; i < count; i++) {
		const struct message *m = &forbidden[i];
		struct guard_answer a = judge(m->protocol, m->transport, bytes, from_hex(m->hex, bytes));

		if (a.allowed)
			fail_msg("%s, %s was allowed: %s", m->protocol, m->name, a.reading);
		assert_string_equal(a.why, m->why);
		assert_int_equal(a.reading[0], 0);
	}
}

#endif
