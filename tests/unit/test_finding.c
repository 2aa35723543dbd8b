/* A finding that the hub may believe: each field in its range, each text plain; and the names that values have. */
#include "tests/unit/make_finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct finding good(void)
{
	struct finding f = service(at("00:1b:1b:00:00:01", "10.0.0.5", BINDING_STATED), "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE);

	snprintf(f.path, sizeof f.path, "modbus/502/unit:3");
	return f;
}

#define REFUSED(change) \
	do { \
		struct finding f = good(); \
		change; \
		if (finding_valid(&f)) \
			fail_msg("taken as valid: %s", #change); \
	} while (0)
#define VALID(change) \
	do { \
		struct finding f = good(); \
		change; \
		if (!finding_valid(&f)) \
			fail_msg("not taken as valid: %s", #change); \
	} while (0)

static void test_ranges(void **state)
{
	(void)state;
	VALID((void)0);
	REFUSED(f.kind = 0);
	REFUSED(f.kind = FINDING_KINDS);
	REFUSED(f.attribute = ATTRIBUTES);
	REFUSED(f.transport = TRANSPORTS);
	REFUSED(f.evidence = EVIDENCES);
	REFUSED(f.role = ROLES);
	REFUSED(f.source = SOURCE_PROBE + 1);
	REFUSED(f.confidence = 101);
	VALID(f.confidence = 100);
	REFUSED(f.activity = ACTIVITIES);
	VALID((f.vlan[0] = f.vlan[1] = 4095));
	REFUSED(f.vlan[0] = 4096);
	REFUSED(f.vlan[1] = 4096);
	REFUSED(f.subject.family = 5);
	REFUSED(f.peer.family = 5);
	VALID(f.peer.family = 6);
	REFUSED(f.subject.binding = BINDINGS);
	REFUSED(f.peer.binding = BINDINGS);
}

/* What one kind needs and the others must not have. */
static void test_kinds(void **state)
{
	(void)state;
	REFUSED(f.activity = ACTIVITY_NONE + 1);
	REFUSED(f.kind = FINDING_ACTIVITY);
	VALID((f.kind = FINDING_ACTIVITY, f.activity = ACTIVITY_NONE + 1));
	REFUSED((f.kind = FINDING_ACTIVITY, f.activity = ACTIVITY_NONE + 1, f.transport = TRANSPORT_NONE));
	REFUSED(f.transport = TRANSPORT_NONE);
	REFUSED((f.kind = FINDING_TALKS, f.transport = TRANSPORT_NONE));
	VALID((f.kind = FINDING_HOST, f.transport = TRANSPORT_NONE));
	REFUSED(f.kind = FINDING_ATTRIBUTE);
	REFUSED((f.kind = FINDING_ATTRIBUTE, f.attribute = ATTR_SERIAL));
	REFUSED((f.kind = FINDING_ATTRIBUTE, f.value[0] = '7'));
	VALID((f.kind = FINDING_ATTRIBUTE, f.attribute = ATTR_SERIAL, f.value[0] = '7'));
}

static void test_texts(void **state)
{
	(void)state;
	VALID(memcpy(f.protocol, "a_z0189", 8));
	REFUSED(memset(f.protocol, 'a', sizeof f.protocol));
	REFUSED(f.protocol[0] = 'M');
	REFUSED(f.protocol[1] = '{');
	REFUSED(f.protocol[1] = '/');
	REFUSED(f.protocol[1] = ':');
	REFUSED(f.protocol[1] = '`');
	REFUSED(memset(f.path, 'a', sizeof f.path));
	REFUSED(f.path[2] = ' ');
	REFUSED(f.path[2] = '\n');
	REFUSED(f.path[2] = '"');
	REFUSED(f.path[2] = '\\');
	REFUSED(f.path[2] = 0x7f);
	REFUSED(f.path[2] = '\x80');
	VALID(f.path[2] = '~');
	REFUSED(memset(f.value, 'a', sizeof f.value));
	REFUSED(f.value[0] = '\n');
	REFUSED(memcpy(f.value, "\xc3(", 3));
	VALID(memcpy(f.value, "\xc3\xbc", 3));
}

/* Every value has a name of its own, and what is none has one that can be printed. */
static void test_names(void **state)
{
	(void)state;
	for (int t = 0; t < TRANSPORTS; t++)
		assert_non_null(transport_name((enum transport)t));
	assert_string_equal(transport_name(TRANSPORT_TCP), "tcp");
	assert_string_equal(transport_name(TRANSPORTS), "");
	assert_string_equal(evidence_name(EVIDENCE_STRUCTURE), "structure");
	assert_string_equal(evidence_name(EVIDENCES), "");
	assert_string_equal(role_name(ROLE_SERVER), "server");
	assert_string_equal(role_name(ROLES), "unknown");
	assert_string_equal(source_name(SOURCE_PROBE), "probe");
	assert_string_equal(source_name(SOURCES), "passive");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges), cmocka_unit_test(test_kinds), cmocka_unit_test(test_texts), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
