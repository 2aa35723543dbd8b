/* The body of a command as analysts' tools write it: each member, each reason for which one can't be read, and what is read of it. */
#include "sensor/hub/command_read.h"
#include "sensor/hub/proposal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct body {
	const char *text, *why; /* NULL: it can be read */
};

#define SIGNATURE_0 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define ID_0 "00112233445566778899aabbccddeeff"
#define APPROVE(id, analyst, before, after, uses, signature, more) \
	"{\"command\":\"approve\"" id analyst before after uses signature more "}"
#define ID ",\"id\":\"" ID_0 "\""
#define BY ",\"analyst\":\"ann\""
#define FROM ",\"not_before\":1"
#define UNTIL ",\"not_after\":2"
#define USES ",\"uses\":1"
#define SIGNED ",\"signature\":\"" SIGNATURE_0 "\""
#define AT ",\"time_ms\":5"
#define CANT "the command can't be read: "
#define MISSING CANT "a member that is missing"
#define RANGE MISSING " or out of its range"

static const struct body bodies[] = {
	{ "", "the command is no JSON object" },
	{ "[]", "the command is no JSON object" },
	{ "{\"command\":\"stop\"", "the command is no JSON object" },
	{ "{\"command\":\"stop\",\"command\":\"stop\"}", "the command is no JSON object" },
	{ "{}", CANT "command" },
	{ "{\"command\":7}", CANT "command" },
	{ "{\"command\":\"\"}", CANT "command" },
	{ "{\"command\":\"none\"}", CANT "command" },
	{ "{\"command\":\"approve-them-all\"}", CANT "command" },
	{ APPROVE(ID, BY, FROM, UNTIL, USES, SIGNED, ""), NULL },
	{ APPROVE("", BY, FROM, UNTIL, USES, SIGNED, ""), MISSING },
	{ APPROVE(ID, "", FROM, UNTIL, USES, SIGNED, ""), MISSING },
	{ APPROVE(ID, BY, "", UNTIL, USES, SIGNED, ""), MISSING },
	{ APPROVE(ID, BY, FROM, "", USES, SIGNED, ""), MISSING },
	{ APPROVE(ID, BY, FROM, UNTIL, "", SIGNED, ""), MISSING },
	{ APPROVE(ID, BY, FROM, UNTIL, USES, "", ""), MISSING },
	{ APPROVE(ID, BY, FROM, UNTIL, USES, SIGNED, ",\"why\":\"x\""), CANT "a member that is not known" },
	{ APPROVE(",\"id\":7", BY, FROM, UNTIL, USES, SIGNED, ""), CANT "id" },
	{ APPROVE(",\"id\":\"a\\u0000b\"", BY, FROM, UNTIL, USES, SIGNED, ""), "the command is no JSON object" },
	{ APPROVE(",\"id\":\"a\\nb\"", BY, FROM, UNTIL, USES, SIGNED, ""), CANT "id" },
	{ APPROVE(",\"id\":\"" ID_0 ID_0 ID_0 ID_0 "\"", BY, FROM, UNTIL, USES, SIGNED, ""), CANT "id" },
	{ APPROVE(ID, ",\"analyst\":null", FROM, UNTIL, USES, SIGNED, ""), CANT "analyst" },
	{ APPROVE(ID, BY, ",\"not_before\":-1", UNTIL, USES, SIGNED, ""), CANT "not_before" },
	{ APPROVE(ID, BY, ",\"not_before\":1.0", UNTIL, USES, SIGNED, ""), CANT "not_before" },
	{ APPROVE(ID, BY, FROM, ",\"not_after\":\"2\"", USES, SIGNED, ""), CANT "not_after" },
	{ APPROVE(ID, BY, FROM, ",\"not_after\":253402300799", USES, SIGNED, ""), CANT "not_after" }, /* of which nanoseconds can't be told */
	{ APPROVE(ID, BY, FROM, UNTIL, ",\"uses\":10", SIGNED, ""), NULL },
	{ APPROVE(ID, BY, FROM, UNTIL, ",\"uses\":11", SIGNED, ""), CANT "uses" },
	{ APPROVE(ID, BY, FROM, UNTIL, USES, ",\"signature\":\"AAAA\"", ""), CANT "signature" },
	{ APPROVE(ID, BY, FROM, UNTIL, USES, ",\"signature\":\"no base64\"", ""), CANT "signature" },
	{ APPROVE(ID, BY, FROM, UNTIL, USES, ",\"signature\":\"" SIGNATURE_0 "AAAA\"", ""), CANT "signature" },
	{ "{\"command\":\"stop\"}", NULL },
	{ "{\"command\":\"stop\",\"time_ms\":5}", CANT "analyst" },
	{ "{\"command\":\"stop\"" ID "}", CANT "a member that is not known" },
	{ "{\"command\":\"stop\"" BY "}", NULL }, /* its signature will not fit */
	{ "{\"command\":\"stop\",\"analyst\":\"\"}", CANT "analyst" },
	{ "{\"command\":\"stop\"" BY AT SIGNED "}", NULL },
	{ "{\"command\":\"resume\"}", CANT "analyst" },
	{ "{\"command\":\"resume\"" BY AT SIGNED "}", NULL },
	{ "{\"command\":\"resume\"" BY AT SIGNED ID "}", CANT "a member that is not known" },
	{ "{\"command\":\"deny\"" ID BY AT SIGNED ",\"why\":\"not today\"}", NULL },
	{ "{\"command\":\"deny\"" ID BY ",\"time_ms\":true" SIGNED "}", CANT "time_ms" },
	{ "{\"command\":\"deny\"" ID BY AT ",\"signature\":5,\"why\":5}", CANT "why" },
	{ "{\"command\":\"deny\"" ID AT SIGNED "}", CANT "analyst" },
	{ "{\"command\":\"deny\"" BY AT SIGNED "}", RANGE },
	{ "{\"command\":\"release\",\"asset\":\"a1\"" BY AT SIGNED "}", NULL },
	{ "{\"command\":\"release\"" ID BY AT SIGNED "}", RANGE },
	{ "{\"command\":\"set\",\"asset\":\"a1\",\"attribute\":\"serial\",\"of\":\"modbus/502/unit:3\",\"value\":\"7\"" BY AT SIGNED "}", NULL },
	{ "{\"command\":\"set\",\"asset\":\"a1\",\"attribute\":[],\"value\":\"7\"" BY AT SIGNED "}", CANT "attribute" },
	{ "{\"command\":\"set\",\"asset\":\"a1\",\"value\":\"7\"" BY AT SIGNED "}", RANGE },
	{ "{\"command\":\"undo\",\"fact\":\"3\"" BY AT SIGNED "}", NULL },
	{ "{\"command\":\"undo\",\"asset\":\"a1\"" BY AT SIGNED "}", RANGE },
};

static void test_bodies(void **state)
{
	char why[PROPOSAL_REASON_BYTES], longest[4098];
	struct command_read c;

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		const struct body *b = &bodies[i];
		size_t len = strlen(b->text);
		char *exact = malloc(len + 1); /* so that a read past the end is seen by the sanitizer */
		bool good;

		memcpy(exact, b->text, len);
		why[0] = '\0';
		good = command_read(&c, "plant-1", exact, len, why, sizeof why);
		free(exact);
		if (good != !b->why || strcmp(why, b->why ? b->why : "") != 0)
			fail_msg("%s: %s", b->text, good ? "was read" : why);
	}
	memset(longest, ' ', sizeof longest);
	memcpy(longest, "{\"command\":\"stop\"}", 18);
	assert_true(command_read(&c, "plant-1", longest, 4096, why, sizeof why));
	assert_false(command_read(&c, "plant-1", longest, 4097, why, sizeof why));
	assert_string_equal(why, "the command is longer than 4096 bytes");
}

static void test_fields(void **state)
{
	static const char approve[] = APPROVE(ID, BY, FROM, UNTIL, ",\"uses\":3", SIGNED, "");
	static const char set[] = "{\"command\":\"set\",\"asset\":\"a1\",\"attribute\":\"serial\",\"of\":\"modbus/502/unit:3\",\"value\":\"7\",\"why\":\"seen\"" BY AT SIGNED "}";
	char why[PROPOSAL_REASON_BYTES];
	struct command_read c;

	(void)state;
	assert_true(command_read(&c, "plant-1", approve, strlen(approve), why, sizeof why));
	assert_true(c.approves && c.not_before_s == 1 && c.not_after_s == 2 && c.uses == 3);
	assert_string_equal(c.id, ID_0);
	assert_string_equal(c.analyst, "ann");
	assert_true(command_read(&c, "plant-1", set, strlen(set), why, sizeof why));
	assert_true(!c.approves && c.command.type == COMMAND_SET && c.command.time_ms == 5);
	assert_string_equal(c.command.sensor, "plant-1");
	assert_string_equal(c.command.subject, "a1");
	assert_string_equal(c.command.attribute, "serial");
	assert_string_equal(c.command.path, "modbus/502/unit:3");
	assert_string_equal(c.command.value, "7");
	assert_string_equal(c.command.why, "seen");
	assert_string_equal(c.command.signature.analyst, "ann");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
