/* Commands of analysts: one text for each, and no change of a field or a signature goes unseen. */
#include "active/guard/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

enum { MUTATIONS = 10000 };

static uint8_t key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];

static struct command sample(void)
{
	struct command c = { .type = COMMAND_DENY, .sensor = "plant-1", .subject = "00112233445566778899aabbccddeeff",
			     .why = "the line runs", .time_ms = 1795327200123, .signature = { .analyst = "a.lang" } };
	char text[COMMAND_TEXT_BYTES];
	size_t len = command_text(&c, text);

	assert_true(len > 0);
	crypto_sign_detached(c.signature.bytes, NULL, (const unsigned char *)text, len, secret);
	return c;
}

static void test_text(void **state)
{
	struct command c = sample();
	char text[COMMAND_TEXT_BYTES];
	size_t len = command_text(&c, text);

	(void)state;
	assert_string_equal(text, "askance command 1\ncommand: deny\nsensor: plant-1\nsubject: 00112233445566778899aabbccddeeff\n"
				  "why: the line runs\ntime: 2026-11-22T06:00:00.123Z\n");
	assert_int_equal(len, strlen(text));
	assert_true(command_verify(&c, key));
	memset(c.sensor, 'x', sizeof c.sensor - 1);
	memset(c.subject, 'x', sizeof c.subject - 1);
	memset(c.why, 'x', sizeof c.why - 1);
	len = command_text(&c, text);
	assert_int_equal(len, strlen(text));
	assert_int_equal(text[len - 1], '\n');
}

/* What states a fact says all of it in the signed text. */
static void test_fact_text(void **state)
{
	struct command c = { .type = COMMAND_SET, .sensor = "plant-1", .subject = "a-0011223344556677", .attribute = "serial",
			     .path = "s7comm/102/slot:2", .value = "S C-X4U421302009", .why = "read off the plate",
			     .time_ms = 1795327200123, .signature = { .analyst = "a.lang" } };
	char text[COMMAND_TEXT_BYTES];
	size_t len;

	(void)state;
	len = command_text(&c, text);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text, "askance command 1\ncommand: set\nsensor: plant-1\nsubject: a-0011223344556677\n"
				  "attribute: serial\nof: s7comm/102/slot:2\nvalue: S C-X4U421302009\n"
				  "why: read off the plate\ntime: 2026-11-22T06:00:00.123Z\n");
	memset(c.subject, 'x', sizeof c.subject - 1);
	memset(c.sensor, 'x', sizeof c.sensor - 1);
	memset(c.attribute, 'x', sizeof c.attribute - 1);
	memset(c.path, 'x', sizeof c.path - 1);
	memset(c.value, 'x', sizeof c.value - 1);
	memset(c.why, 'x', sizeof c.why - 1);
	len = command_text(&c, text);
	assert_int_equal(len, strlen(text));
	assert_int_equal(text[len - 1], '\n');
}

/* A detail that the type has no use for would be signed and mean nothing. */
static void test_fact_details(void **state)
{
	struct command c = { .type = COMMAND_MERGE, .sensor = "plant-1", .subject = "a-1", .value = "a-2", .time_ms = 1 };

	(void)state;
	assert_true(command_valid(&c));
	snprintf(c.path, sizeof c.path, "modbus/502/unit:1");
	assert_false(command_valid(&c));
	memset(c.path, 0, sizeof c.path);
	memset(c.value, 0, sizeof c.value);
	assert_false(command_valid(&c));
	c.type = COMMAND_ACCEPT;
	assert_true(command_valid(&c));
	c.type = COMMAND_SET;
	assert_false(command_valid(&c));
	snprintf(c.attribute, sizeof c.attribute, "serial");
	snprintf(c.value, sizeof c.value, "4711");
	assert_true(command_valid(&c));
	c.type = COMMAND_DENY;
	assert_false(command_valid(&c));
	assert_true(command_is_fact(COMMAND_UNDO) && command_is_fact(COMMAND_SET) && !command_is_fact(COMMAND_RELEASE));
}

static void test_invalid(void **state)
{
	struct command c = sample();
	char text[COMMAND_TEXT_BYTES];

	(void)state;
	c.type = COMMAND_STOP;
	assert_int_equal(command_text(&c, text), 0); /* names a proposal */
	memset(c.subject, 0, sizeof c.subject);
	assert_true(command_text(&c, text) > 0);
	c.type = COMMAND_REVOKE;
	assert_int_equal(command_text(&c, text), 0);
	c = sample();
	c.why[3] = '\n';
	assert_int_equal(command_text(&c, text), 0);
	c = sample();
	c.type = COMMAND_TYPES;
	assert_int_equal(command_text(&c, text), 0);
	c = sample();
	c.time_ms = -1;
	assert_int_equal(command_text(&c, text), 0);
	assert_int_equal(command_of_name("resume"), COMMAND_RESUME);
	assert_int_equal(command_of_name("approve"), COMMAND_NONE);
}

/* Each type has a name, and the name leads back to it. */
static void test_names(void **state)
{
	(void)state;
	for (int t = COMMAND_NONE + 1; t < COMMAND_TYPES; t++) {
		assert_non_null(command_name((enum command_type)t));
		assert_int_equal(command_of_name(command_name((enum command_type)t)), t);
	}
	assert_null(command_name(COMMAND_NONE));
	assert_null(command_name(COMMAND_TYPES));
	assert_int_equal(command_of_name(""), COMMAND_NONE);
	for (int t = COMMAND_NONE; t <= COMMAND_TYPES; t++)
		assert_int_equal(command_is_fact((enum command_type)t), t >= COMMAND_SET && t < COMMAND_TYPES);
}

/* The ends of each range, and what lies beyond. */
static void test_edges(void **state)
{
	struct command c = sample();

	(void)state;
	c.time_ms = 0;
	assert_true(command_valid(&c));
	c.time_ms = INT64_C(4611686018427); /* a day of 2116 */
	assert_true(command_valid(&c));
	c.time_ms++;
	assert_false(command_valid(&c));
	c = sample();
	c.type = COMMAND_NONE;
	assert_false(command_valid(&c));
	c = sample();
	memset(c.sensor, 0, sizeof c.sensor);
	assert_false(command_valid(&c));
	c = sample();
	c.signature.analyst[0] = '\n';
	assert_false(command_valid(&c));
	c = (struct command){ .type = COMMAND_RESUME, .sensor = "plant-1" };
	assert_true(command_valid(&c));
	c = (struct command){ .type = COMMAND_SPLIT, .sensor = "plant-1", .subject = "a-1", .value = "10.0.0.5" };
	assert_true(command_valid(&c));
	memset(c.value, 0, sizeof c.value);
	assert_false(command_valid(&c));
	snprintf(c.value, sizeof c.value, "10.0.0.5");
	snprintf(c.attribute, sizeof c.attribute, "serial");
	assert_false(command_valid(&c));
}

/* A command that is none has no text, and a signature of nothing is no signature of it. */
static void test_signed_nothing(void **state)
{
	struct command c = sample();

	(void)state;
	c.type = COMMAND_NONE;
	crypto_sign_detached(c.signature.bytes, NULL, (const unsigned char *)"", 0, secret);
	assert_false(command_verify(&c, key));
}

/* All but the analyst's name, which is looked up and so proves itself. */
static void test_mutated(void **state)
{
	struct command good = sample();

	(void)state;
	for (int i = 0; i < MUTATIONS; i++) {
		static const size_t ends[] = { offsetof(struct command, sensor), offsetof(struct command, subject),
					       offsetof(struct command, why), offsetof(struct command, why) + COMMAND_WHY_BYTES };
		struct command c = good;
		uint8_t *bytes = (uint8_t *)&c;
		size_t at;

		switch (i % 4) {
		case 0: at = randombytes_uniform((uint32_t)ends[3]); break;
		case 1: at = offsetof(struct command, time_ms) + randombytes_uniform(8); break;
		case 2: at = offsetof(struct command, signature.bytes) + randombytes_uniform(APPROVAL_SIGNATURE_BYTES); break;
		default: at = offsetof(struct command, type); break;
		}
		bytes[at] = (uint8_t)(bytes[at] ^ (1 + randombytes_uniform(255)));
		if (command_verify(&c, key))
			fail_msg("byte %zu was changed and the signature still fits", at);
	}
	assert_true(command_verify(&good, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_text), cmocka_unit_test(test_fact_text),
					     cmocka_unit_test(test_fact_details), cmocka_unit_test(test_invalid),
					     cmocka_unit_test(test_names), cmocka_unit_test(test_edges),
					     cmocka_unit_test(test_signed_nothing),
					     cmocka_unit_test(test_mutated) };

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(key, secret);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
