/* Plans: every shipped rule can be planned, written, read back and hashed; another text is another plan or none. */
#include "active/guard/guard.h"
#include "active/ruleset/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

enum { MUTATIONS = 10000, SHOWN_BYTES = 8192, NOW_S = 1795327200, VALUES = RULE_HOLES };

static struct ruleset *shipped;

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	print_error("%s:%u: %s\n", file, line, what);
}

static int load_shipped(void **state)
{
	(void)state;
	shipped = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	return shipped ? 0 : -1;
}

static int free_shipped(void **state)
{
	(void)state;
	ruleset_free(shipped);
	return 0;
}

static const struct endpoint who = { .mac = { 0, 0x80, 0x2f, 1, 2, 3 }, .family = 4, .ip = { 10, 0, 0, 5 } };

static struct plan plan_of(const char *name, size_t count, const struct plan_value *values)
{
	const struct rule *rule = ruleset_find(shipped, name);
	struct plan_facts facts = { &who, 502, NOW_S, count, values };
	char why[PLAN_WHY_BYTES] = "";
	struct plan plan;

	assert_non_null(rule);
	if (!plan_make(&plan, rule, &facts, why))
		fail_msg("%s", why);
	return plan;
}

/* Any rule, with the lower end of every value that must have been heard. */
static bool make_any(struct plan *plan, const struct rule *rule)
{
	struct plan_value values[VALUES];
	char texts[VALUES][2 * RULE_TEXT_BYTES + 1], why[PLAN_WHY_BYTES] = "";
	struct plan_facts facts = { &who, 502, NOW_S, 0, values };

	for (size_t i = 0; i < rule->holes_count; i++) {
		const struct hole *h = &rule->holes[i];

		if (h->source != HOLE_SEEN)
			continue;
		if (h->type == VALUE_BYTES)
			memset(texts[i], '5', 2 * (size_t)h->width), texts[i][2 * h->width] = '\0';
		else if (h->form != FORM_PLAIN)
			snprintf(texts[i], sizeof texts[i], h->form == FORM_NETID ? "5.1.2.3.1.1" : "1.3.6.1");
		else
			snprintf(texts[i], sizeof texts[i], "%llu", (unsigned long long)h->low);
		values[facts.values_count++] = (struct plan_value){ h->name, texts[i] };
	}
	if (!plan_make(plan, rule, &facts, why))
		fail_msg("%s: %s", rule->name, why);
	return true;
}

static bool show(void *context, const struct plan *plan, const struct plan_message *m)
{
	char *shown = context, text[PLAN_TEXT_BYTES];
	size_t n = strlen(shown);

	plan_message_text(plan, m, text);
	snprintf(shown + n, SHOWN_BYTES - n, "%zu.%u%s %s\n", m->step + 1, m->round + 1, m->perhaps ? "?" : "", text);
	return true;
}

static bool guard_each(void *context, const struct plan *plan, const struct plan_message *m)
{
	struct guard_answer a = guard_allows(plan->rule->protocol, (enum transport)plan->rule->transport, m->bytes, m->len);

	(void)context;
	if (!a.allowed)
		fail_msg("%s: %s", plan->rule->name, a.why);
	return true;
}

static void test_every_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ruleset_count(shipped); i++) {
		const struct rule *rule = ruleset_at(shipped, i);
		char text[APPROVAL_PARAMETERS_BYTES], again[APPROVAL_PARAMETERS_BYTES], why[PLAN_WHY_BYTES] = "";
		uint8_t digest[32], digest_again[32];
		struct plan plan, read;

		make_any(&plan, rule);
		assert_true(plan_parameters(&plan, text, sizeof text));
		if (!plan_read(&read, rule, text, why))
			fail_msg("%s: '%s': %s", rule->name, text, why);
		assert_true(plan_parameters(&read, again, sizeof again));
		assert_string_equal(text, again);
		assert_true(plan_digest(&plan, digest));
		assert_true(plan_digest(&read, digest_again));
		assert_memory_equal(digest, digest_again, sizeof digest);
		assert_true(plan_messages(&plan, guard_each, NULL));
		assert_true(plan_names_target(&plan, &who, 502));
	}
}

/* The bytes of one request, and those of the ones that follow as far as anybody can know them. */
static void test_modbus(void **state)
{
	const struct plan_value values[] = { { "unit", "3" } };
	struct plan plan = plan_of("modbus", 1, values);
	char text[APPROVAL_PARAMETERS_BYTES], shown[SHOWN_BYTES] = "";
	uint8_t digest[32], expected[32];
	static const char hashed[] = "askance plan 1 modbus\n"
				     "1.1 000100000005032b0e0200\n"
				     "2.1 000200000005032b0e02{object}\n"
				     "2.2 000300000005032b0e02{object}\n"
				     "2.3 000400000005032b0e02{object}\n"
				     "2.4 000500000005032b0e02{object}\n"
				     "2.5 000600000005032b0e02{object}\n"
				     "2.6 000700000005032b0e02{object}\n"
				     "2.7 000800000005032b0e02{object}\n";

	(void)state;
	assert_true(plan_parameters(&plan, text, sizeof text));
	assert_string_equal(text, "transaction=1 unit=3");
	assert_true(plan_messages(&plan, show, shown));
	assert_string_equal(shown, "1.1 000100000005032b0e0200\n"
				   "2.1? 000200000005032b0e02{object}\n"
				   "2.2? 000300000005032b0e02{object}\n"
				   "2.3? 000400000005032b0e02{object}\n"
				   "2.4? 000500000005032b0e02{object}\n"
				   "2.5? 000600000005032b0e02{object}\n"
				   "2.6? 000700000005032b0e02{object}\n"
				   "2.7? 000800000005032b0e02{object}\n");
	assert_true(plan_digest(&plan, digest));
	crypto_hash_sha256(expected, (const unsigned char *)hashed, sizeof hashed - 1);
	assert_memory_equal(digest, expected, sizeof digest);
}

static void test_sweep(void **state)
{
	const struct plan_value heard[] = { { "unit", "17" }, { "slot", "4" }, { "unit", "5" }, { "unit", "17" }, { "unit", "0" } };
	struct plan plan = plan_of("modbus-units", 5, heard);
	char text[APPROVAL_PARAMETERS_BYTES], shown[SHOWN_BYTES] = "", why[PLAN_WHY_BYTES];
	struct plan read;

	(void)state;
	/* Unit 0 is the broadcast, which the rule leaves out; 17 was heard twice and is asked once. */
	assert_true(plan_parameters(&plan, text, sizeof text));
	assert_string_equal(text, "transaction=1 unit=17,5");
	assert_true(plan_messages(&plan, show, shown));
	assert_string_equal(shown, "1.1 000100000005112b0e0100\n1.2 000200000005052b0e0100\n");
	assert_false(plan_read(&read, plan.rule, "transaction=1 unit=17,5,17", why));
	assert_false(plan_read(&read, plan.rule, "transaction=1 unit=", why));
	assert_false(plan_read(&read, plan.rule, "transaction=1 unit=5,", why));
	assert_false(plan_read(&read, plan.rule, "transaction=1 unit=248", why));
	/* Nothing heard: from the rule's default, as far as the rule goes. */
	plan = plan_of("modbus-units", 0, NULL);
	assert_int_equal(plan.swept_count, 32);
	assert_int_equal(plan.swept[0], 1);
	assert_int_equal(plan.swept[31], 32);
	assert_true(plan_parameters(&plan, text, sizeof text));
	snprintf(text + strlen(text), sizeof text - strlen(text), ",33");
	assert_false(plan_read(&read, plan.rule, text, why));
}

static void test_seen(void **state)
{
	const struct plan_value values[] = { { "outstation", "10" }, { "master", "0x1" } };
	const struct rule *rule = ruleset_find(shipped, "dnp3");
	struct plan_facts facts = { &who, 20000, NOW_S, 1, values };
	char why[PLAN_WHY_BYTES] = "", text[APPROVAL_PARAMETERS_BYTES];
	struct plan plan;

	(void)state;
	assert_false(plan_make(&plan, rule, &facts, why));
	assert_non_null(strstr(why, "master"));
	facts.values_count = 2;
	assert_true(plan_make(&plan, rule, &facts, why));
	assert_true(plan_parameters(&plan, text, sizeof text));
	assert_non_null(strstr(text, "outstation=10"));
	assert_non_null(strstr(text, "master=1"));
}

static void test_text(void **state)
{
	const struct plan_value values[] = { { "community", "a b=c%" } }, control[] = { { "community", "a\nb" } };
	struct plan plan = plan_of("snmp-v1", 1, values), read;
	const struct rule *rule = plan.rule;
	struct plan_facts facts = { &who, 161, NOW_S, 1, control };
	char text[APPROVAL_PARAMETERS_BYTES], why[PLAN_WHY_BYTES];

	(void)state;
	assert_true(plan_parameters(&plan, text, sizeof text));
	assert_non_null(strstr(text, "community=a%20b%3dc%25"));
	assert_true(plan_read(&read, rule, text, why));
	/* The same, written otherwise, is not taken. */
	*strstr(text, "%3d") = '\0';
	strcat(text, "%3Dc%25");
	assert_false(plan_read(&read, rule, text, why));
	assert_false(plan_make(&plan, rule, &facts, why));
}

static void test_target(void **state)
{
	const struct endpoint six = { .family = 6, .ip = { 0xfd, [15] = 1 } };
	const struct rule *rule = ruleset_find(shipped, "http-head");
	struct plan_facts facts = { &six, 8080, NOW_S, 0, NULL };
	char text[APPROVAL_PARAMETERS_BYTES], why[PLAN_WHY_BYTES];
	struct plan plan;

	(void)state;
	assert_true(plan_make(&plan, rule, &facts, why));
	assert_true(plan_parameters(&plan, text, sizeof text));
	assert_string_equal(text, "host=[fd00::1] port=8080");
	assert_true(plan_names_target(&plan, &six, 8080));
	assert_false(plan_names_target(&plan, &six, 80));
	assert_false(plan_names_target(&plan, &who, 8080));
}

/* A changed text is no plan, or another plan with other bytes; never the same bytes under another text. */
static void test_mutated(void **state)
{
	(void)state;
	for (int i = 0; i < MUTATIONS; i++) {
		const struct rule *rule = ruleset_at(shipped, (size_t)i % ruleset_count(shipped));
		char text[APPROVAL_PARAMETERS_BYTES], changed[APPROVAL_PARAMETERS_BYTES], again[APPROVAL_PARAMETERS_BYTES];
		char why[PLAN_WHY_BYTES] = "";
		uint8_t digest[32], other[32];
		struct plan plan, read;
		size_t at;

		make_any(&plan, rule);
		assert_true(plan_parameters(&plan, text, sizeof text));
		memcpy(changed, text, sizeof text);
		at = randombytes_uniform((uint32_t)strlen(text) + 1);
		changed[at] = (char)(1 + randombytes_uniform(255));
		if (at == strlen(text))
			changed[at + 1] = '\0';
		if (strcmp(changed, text) == 0 || !plan_read(&read, rule, changed, why))
			continue;
		assert_true(plan_parameters(&read, again, sizeof again));
		assert_string_equal(again, changed);
		assert_true(plan_digest(&plan, digest));
		assert_true(plan_digest(&read, other));
		if (memcmp(digest, other, sizeof digest) == 0)
			fail_msg("%s: '%s' and '%s' have the same bytes", rule->name, text, changed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_rule), cmocka_unit_test(test_modbus), cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_seen),       cmocka_unit_test(test_text),   cmocka_unit_test(test_target),
		cmocka_unit_test(test_mutated),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, load_shipped, free_shipped);
}
