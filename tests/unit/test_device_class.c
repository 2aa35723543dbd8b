/* Tests of the rules that say what a device is. */
#include "classifiers/host/device_class.h"
#include "tests/unit/host/folder.h"
#include "tests/unit/host/vendor_cases.h"

#include <stdbool.h>
#include <string.h>

enum { NOTE = 1024 };

static struct device_rules *shipped;

/* Loads one rule file of the given text; NULL with its complaint in error. */
static struct device_rules *load_text(const char *text, char *error)
{
	struct device_rules *r;

	write_file("rules.yaml", text);
	r = device_rules_load(folder, error, NOTE);
	remove_file("rules.yaml");
	return r;
}

static void expect_mistake(const char *text, const char *where, const char *what)
{
	char error[NOTE];
	struct device_rules *r = load_text(text, error);

	assert_null(r);
	if (strstr(error, where) == NULL || strstr(error, what) == NULL)
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", error, where, what);
}

#define HEAD "source: a test\nrules:\n"

static void mistakes_have_a_line(void **state)
{
	(void)state;
	expect_mistake(HEAD "  - name: a\n    clas: plc\n    sure: 5\n    when: [{serves: [x]}]\n", "/rules.yaml:4: ", "clas");
	expect_mistake(HEAD "  - name: a\n    class: plk\n    sure: 5\n    when: [{serves: [x]}]\n", "/rules.yaml:4: ", "plk");
	expect_mistake(HEAD "  - name: a\n    class: plc\n    sure: 5\n    when:\n      - {attribute: [colour], is: [x]}\n", "/rules.yaml:7: ", "colour");
	expect_mistake(HEAD "  - name: a\n    class: plc\n    sure: many\n    when: [{serves: [x]}]\n", "/rules.yaml:5: ", "many");
	expect_mistake(HEAD "  - name: a\n    class: plc\n    when: [{serves: [x]}]\n", "/rules.yaml:", "sure");
	expect_mistake(HEAD "  - name: b\n    class: plc\n    sure: 101\n    when: [{serves: [x]}]\n", "/rules.yaml:3: ", "1 to 100");
	expect_mistake(HEAD "  - name: c\n    sure: 10\n    when: [{serves: [x]}]\n", "/rules.yaml:3: ", "says something");
	expect_mistake(HEAD "  - name: d\n    class: plc\n    sure: 10\n    when: [{serves: [x], maker: [y]}]\n", "/rules.yaml:3: ", "exactly one");
	expect_mistake(HEAD "  - name: e\n    class: plc\n    sure: 10\n    when: [{attribute: [vendor]}]\n", "/rules.yaml:3: ", "'is' or 'number'");
	expect_mistake(HEAD "  - name: f\n    class: plc\n    sure: 10\n    when: [{serves: [x], number: [1]}]\n", "/rules.yaml:3: ", "belong to");
	expect_mistake(HEAD "  - {name: g, class: plc, sure: 10, when: [{serves: [x]}]}\n  - {name: g, class: plc, sure: 10, when: [{serves: [x]}]}\n",
		       "/rules.yaml:", "taken");
	expect_mistake(HEAD "  - name: [\n", "/rules.yaml:", "");
	expect_mistake("", "/rules.yaml:", "");
	expect_mistake("\xff\xfe\x00", "/rules.yaml:", "");
}

static void folders_without_rules_are_refused(void **state)
{
	char error[NOTE];

	(void)state;
	assert_null(device_rules_load("/nonexistent", error, sizeof(error)));
	assert_non_null(strstr(error, "/nonexistent:0: No such file"));
	assert_null(device_rules_load(folder, error, sizeof(error)));
	assert_non_null(strstr(error, "holds no rule file"));
	assert_null(device_rules_load(folder, error, 10));
	assert_true(strlen(error) < 10);
}

static struct device_verdict judge(const struct device_rules *r, const char *maker, enum attribute a, const char *protocol, const char *value)
{
	const struct device_value one = { a, protocol, value };
	const struct device_evidence e = { .maker = maker, .values = &one, .value_count = value != NULL };
	struct device_verdict v;

	device_class_of(r, &e, &v);
	return v;
}

static void patterns_fit_as_told(void **state)
{
	char error[NOTE];
	struct device_rules *r = load_text(HEAD
		"  - {name: word, vendor: Word, sure: 10, when: [{attribute: [vendor], is: [\"GE\", \"Acme Works\"]}]}\n"
		"  - {name: glob, vendor: Glob, sure: 20, when: [{attribute: [product], is: [\"6ES7 31?-*\", \"*end\", \"a*b*c\"]}]}\n"
		"  - {name: number, vendor: Number, sure: 30, when: [{attribute: [vendor_id], protocol: [bacnet], number: [42, 0x2a0]}]}\n", error);

	(void)state;
	assert_non_null(r);
	assert_int_equal(device_rules_count(r), 3);
	assert_string_equal(judge(r, NULL, ATTR_VENDOR, "x", "ge").vendor, "Word");
	assert_string_equal(judge(r, NULL, ATTR_VENDOR, "x", "by GE, Inc").vendor, "Word");
	assert_string_equal(judge(r, NULL, ATTR_VENDOR, "x", "the acme works").vendor, "Word");
	assert_null(judge(r, NULL, ATTR_VENDOR, "x", "GENEREX").vendor);
	assert_null(judge(r, NULL, ATTR_VENDOR, "x", "BRIDGE").vendor);
	assert_null(judge(r, NULL, ATTR_PRODUCT, "x", "GE").vendor);
	assert_string_equal(judge(r, NULL, ATTR_PRODUCT, "x", "6es7 315-2EH14").vendor, "Glob");
	assert_null(judge(r, NULL, ATTR_PRODUCT, "x", "6ES7 31").vendor);
	assert_null(judge(r, NULL, ATTR_PRODUCT, "x", "x 6ES7 315-2").vendor);
	assert_string_equal(judge(r, NULL, ATTR_PRODUCT, "x", "the end end").vendor, "Glob");
	assert_string_equal(judge(r, NULL, ATTR_PRODUCT, "x", "a-bb-b-c-c").vendor, "Glob");
	assert_null(judge(r, NULL, ATTR_PRODUCT, "x", "a-bb-b-c-d").vendor);
	assert_string_equal(judge(r, NULL, ATTR_VENDOR_ID, "bacnet", "42").vendor, "Number");
	assert_string_equal(judge(r, NULL, ATTR_VENDOR_ID, "bacnet", "0x002A (Acme)").vendor, "Number");
	assert_string_equal(judge(r, NULL, ATTR_VENDOR_ID, "bacnet", "672").vendor, "Number");
	assert_null(judge(r, NULL, ATTR_VENDOR_ID, "bacnet", "421").vendor);
	assert_null(judge(r, NULL, ATTR_VENDOR_ID, "bacnet", "42nd").vendor);
	assert_null(judge(r, NULL, ATTR_VENDOR_ID, "enip", "42").vendor);
	assert_null(judge(NULL, NULL, ATTR_VENDOR, "x", "ge").vendor);
	device_rules_free(r);
}

/* All of them meet, each at its own value, and nothing of one device is left over for the next. */
static void conditions_are_met_one_by_one(void **state)
{
	static const char *const spoken[] = { "modbus" };
	const struct device_value values[] = { { ATTR_VENDOR, "http", "Acme M\u00fcller" }, { ATTR_VENDOR, "snmp", "acme m\u00fcller" },
					       { ATTR_PRODUCT, "x", "+box+" }, { ATTR_PRODUCT, "x", "7" }, { ATTRIBUTES, "x", "7" },
					       { ATTR_PRODUCT, "x", NULL } };
	struct device_evidence e = { .values = values, .value_count = 6, .speaks = spoken, .speak_count = 1 };
	struct device_verdict v;
	char error[NOTE];
	struct device_rules *r = load_text(HEAD
		"  - {name: late, os: Late, series: Second, sure: 50, when: [{attribute: [vendor], protocol: [snmp], is: [\"M\u00fcller\"]}, {attribute: [product], is: [\"+BOX+\"]}]}\n"
		"  - {name: later, os: Later, series: Third, sure: 50, when: [{attribute: [product, vendor], number: [7]}, {speaks: [modbus]}]}\n"
		"  - {name: half, os: Half, sure: 90, when: [{attribute: [vendor], is: [Acme]}, {serves: [modbus]}]}\n"
		"  - {name: twice, vendor: Twice, sure: 90, when: [{attribute: [vendor], is: [Acme, M?ller, \"*\"]}, {attribute: [vendor], is: [acme]}]}\n", error);

	(void)state;
	assert_non_null(r);
	for (unsigned again = 0; again < 3; again++) {
		device_class_of(r, &e, &v);
		assert_string_equal(v.os, "Late");
		assert_string_equal(v.series, "Second");
		assert_string_equal(v.vendor, "Twice");
		/* Without its first value the second is still heard by its protocol. */
		e.values = values + 1;
		e.value_count = 1;
		device_class_of(r, &e, &v);
		assert_null(v.os);
		assert_string_equal(v.vendor, "Twice");
		e.values = values + 2;
		e.value_count = 2;
		device_class_of(r, &e, &v);
		assert_string_equal(v.os, "Later");
		assert_null(v.vendor);
		e.values = values;
		e.value_count = 6;
	}
	device_rules_free(r);
}

static void the_surest_rule_decides(void **state)
{
	static const char *const served[] = { "modbus", "http" };
	const struct device_value values[] = { { ATTR_VENDOR, "modbus", "Acme" }, { ATTR_PRODUCT, "modbus", "Box 7" } };
	struct device_evidence e = { "Maker Ltd", values, 2, served, 2, NULL, 0 };
	struct device_verdict v;
	char error[NOTE];
	struct device_rules *r = load_text(HEAD
		"  - {name: low, class: server, sure: 10, expects: [ftp], when: [{serves: [modbus]}]}\n"
		"  - {name: maker, vendor: Maker, sure: 60, expects: [ssh], when: [{maker: [\"Maker*\"]}]}\n"
		"  - {name: high, vendor: Acme, class: plc, sure: 80, expects: [modbus], when: [{attribute: [vendor], is: [Acme]}]}\n"
		"  - {name: two, vendor: Acme, class: drive, series: Box, sure: 80, expects: [snmp], when: [{attribute: [vendor], is: [Acme]}, {attribute: [product], is: [\"Box*\"]}]}\n"
		"  - {name: same, vendor: Acme, sure: 5, expects: [http, snmp], when: [{serves: [http]}]}\n"
		"  - {name: not, vendor: Never, class: phone, sure: 100, when: [{speaks: [modbus]}]}\n", error);

	(void)state;
	assert_non_null(r);
	device_class_of(r, &e, &v);
	assert_string_equal(v.vendor, "Acme");
	assert_string_equal(v.vendor_rule, "two");
	assert_string_equal(v.device_class, "drive");
	assert_string_equal(v.series, "Box");
	assert_null(v.os);
	assert_int_equal(v.class_sure, 80);
	/* expected: what agrees with the outcome, each once */
	assert_int_equal(v.expect_count, 2);
	assert_string_equal(v.expects[0], "snmp");
	assert_string_equal(v.expects[1], "http");
	e.value_count = 0;
	device_class_of(r, &e, &v);
	assert_string_equal(v.vendor, "Maker");
	assert_string_equal(v.device_class, "server");
	assert_int_equal(v.vendor_sure, 60);
	assert_int_equal(v.expect_count, 2);
	device_rules_free(r);
}

static void every_vendor_is_recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vendor_cases) / sizeof(vendor_cases[0]); i++) {
		const struct vendor_case *c = &vendor_cases[i];
		struct device_verdict v = judge(shipped, c->maker, c->attribute, c->protocol, c->value);

		if (v.vendor == NULL || strcmp(v.vendor, c->vendor) != 0)
			fail_msg("%s %s: %s, not %s", c->maker != NULL ? c->maker : "", c->value != NULL ? c->value : "",
				 v.vendor != NULL ? v.vendor : "nothing", c->vendor);
	}
}

static void safety_controllers_are_told_apart(void **state)
{
	static const struct { const char *value; bool safety; } cases[] = {
		{ "6ES7 315-6FF04-0AB0", true },  { "6ES7 315-2EH14-0AB0", false }, { "6ES7 416-3FS07-0AB0", true },
		{ "6ES7 214-1AF40-0XB0", true },  { "6ES7 214-1AG40-0XB0", false }, { "6ES7 516-3FN02-0AB0", true },
		{ "6ES7 516-3AN02-0AB0", false }, { "1756-L72S", true },            { "1756-L72", false },
		{ "1769-L33ERMS", true },         { "1769-L33ERM", false },         { "PNOZmulti 2", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device_verdict v = judge(shipped, NULL, ATTR_ORDER_CODE, "s7comm", cases[i].value);

		if (v.device_class == NULL || (strcmp(v.device_class, "safety") == 0) != cases[i].safety)
			fail_msg("%s is %s", cases[i].value, v.device_class != NULL ? v.device_class : "nothing");
	}
}

static void classes_have_their_place(void **state)
{
	struct device_verdict v = judge(shipped, NULL, ATTR_ORDER_CODE, "s7comm", "6ES7 315-2EH14-0AB0");

	(void)state;
	assert_string_equal(v.purdue, "1");
	assert_string_equal(v.attack, "A0003");
	v = judge(shipped, NULL, ATTR_ORDER_CODE, "s7comm", "6ES7 315-6FF04-0AB0");
	assert_string_equal(v.attack, "A0010");
	v = judge(shipped, "Axis Communications AB", ATTR_NONE, NULL, NULL);
	assert_string_equal(v.purdue, "4");
	assert_null(v.attack);
}

static void products_have_a_cpe_name(void **state)
{
	struct device_verdict v = judge(shipped, NULL, ATTR_ORDER_CODE, "s7comm", "6ES7 315-2EH14-0AB0");
	char name[128], little[20];

	(void)state;
	assert_int_not_equal(device_cpe(&v, "V3.2.6 rev 1", name, sizeof(name)), 0);
	assert_string_equal(name, "cpe:2.3:o:siemens:simatic_s7-300_cpu_firmware:3.2.6:*:*:*:*:*:*:*");
	assert_int_not_equal(device_cpe(&v, NULL, name, sizeof(name)), 0);
	assert_string_equal(name, "cpe:2.3:o:siemens:simatic_s7-300_cpu_firmware:*:*:*:*:*:*:*:*");
	assert_int_not_equal(device_cpe(&v, "1:2*\x1b", name, sizeof(name)), 0);
	assert_string_equal(name, "cpe:2.3:o:siemens:simatic_s7-300_cpu_firmware:1\\:2\\*:*:*:*:*:*:*:*");
	assert_int_equal(device_cpe(&v, "V3.2.6", little, sizeof(little)), 0);
	v = judge(shipped, NULL, ATTR_PRODUCT, "modbus", "nobody's");
	assert_int_equal(device_cpe(&v, "1", name, sizeof(name)), 0);
}

static void wrong_facts_are_refused(void **state)
{
	static const struct { const char *text, *told; } cases[] = {
		{ "source: x\nclasses:\n  - {class: plc, purdue: \"7\"}\n", ":3: 'purdue'" },
		{ "source: x\nclasses:\n  - {class: plc, purdue: \"1\", attack: T0803}\n", ":3: 'attack'" },
		{ "source: x\nclasses:\n  - {class: plc, purdue: \"1\"}\n  - {class: plc, purdue: \"2\"}\n", "already" },
		{ "source: x\nclasses:\n  - {class: toaster, purdue: \"1\"}\n", "facts.yaml:3" },
		{ "source: x\ncpes:\n  - {series: X, cpe: \"siemens:x\"}\n", ":3: 'cpe'" },
		{ "source: x\ncpes:\n  - {series: X, cpe: \"h:Siemens:x\"}\n", ":3: 'cpe'" },
		{ "source: x\n", "holds no rule" },
	};
	char error[NOTE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file("facts.yaml", cases[i].text);
		assert_null(device_rules_load(folder, error, sizeof(error)));
		if (strstr(error, cases[i].told) == NULL)
			fail_msg("%s: %s", cases[i].told, error);
	}
	remove_file("facts.yaml");
}

static void lookalikes_stay_apart(void **state)
{
	static const struct vendor_case cases[] = {
		{ NULL, "Fujitsu Siemens Computers", ATTR_NONE, NULL, NULL },
		{ NULL, "ABBRIS Ltd.", ATTR_NONE, NULL, NULL },
		{ NULL, "Abbott Diagnostics", ATTR_NONE, NULL, NULL },
		{ NULL, "Digital Loggers, Inc.", ATTR_NONE, NULL, NULL },
		{ NULL, NULL, ATTR_VENDOR, "bacnet", "Delta Controls" },
		{ NULL, NULL, ATTR_VENDOR_ID, "modbus", "1" },
		{ NULL, NULL, ATTR_URI, "snmp", "1.3.6.1.4.1.43290.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_null(judge(shipped, cases[i].maker, cases[i].attribute, cases[i].protocol, cases[i].value).vendor);
}

static void families_are_told_apart(void **state)
{
	static const struct { enum attribute attribute; const char *value, *series, *class; } cases[] = {
		{ ATTR_ORDER_CODE, "6ES7 214-1AD23-0XB0", "SIMATIC S7-200", "plc" },
		{ ATTR_ORDER_CODE, "6ES7 315-2EH14-0AB0", "SIMATIC S7-300", "plc" },
		{ ATTR_ORDER_CODE, "6ES7 414-3XM05-0AB0", "SIMATIC S7-400", "plc" },
		{ ATTR_ORDER_CODE, "6ES7 214-1AG40-0XB0", "SIMATIC S7-1200", "plc" },
		{ ATTR_ORDER_CODE, "6ES7 511-1AK02-0AB0", "SIMATIC S7-1500", "plc" },
		{ ATTR_ORDER_CODE, "6ES7 151-8AB01-0AB0", "SIMATIC ET 200 CPU", "plc" },
		{ ATTR_ORDER_CODE, "6ES7 155-6AU00-0BN0", "SIMATIC ET 200", "io-device" },
		{ ATTR_DESCRIPTION, "Siemens, SIMATIC S7, CPU-1200, 6ES7 214-1AG40-0XB0, HW: 7, FW: V.4.2.1", "SIMATIC S7-1200", "plc" },
		{ ATTR_DESCRIPTION, "Siemens, SIMATIC HMI, KTP700 Basic, 6AV2 123-2GB03-0AX0, HW:0", "SIMATIC HMI", "hmi" },
		{ ATTR_PRODUCT, "LOGO! 8.FS4", "LOGO!", "plc" },
		{ ATTR_DESCRIPTION, "Siemens AG SIMATIC S7 MULTIPORT SCALANCE X 200 FAM", "SCALANCE X", "switch" },
		{ ATTR_VENDOR_CLASS, "HiPath 3000", "HiPath", "phone" },
		{ ATTR_PRODUCT, "1756-L61/B LOGIX5561", "Logix", "plc" },
		{ ATTR_PRODUCT, "2080-LC20-20QWB", "Micro800", "plc" },
		{ ATTR_PRODUCT, "PowerFlex 525 1P 110V .50HP", "PowerFlex", "drive" },
		{ ATTR_PRODUCT, "140 CPU 311 10", "Modicon Quantum", "plc" },
		{ ATTR_DESCRIPTION, "HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT", "JetDirect", "printer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device_verdict v = judge(shipped, NULL, cases[i].attribute, "x", cases[i].value);

		if (v.series == NULL || strcmp(v.series, cases[i].series) != 0 || v.device_class == NULL ||
		    strcmp(v.device_class, cases[i].class) != 0)
			fail_msg("%s: %s, %s", cases[i].value, v.series != NULL ? v.series : "no series",
				 v.device_class != NULL ? v.device_class : "no class");
	}
}

static void systems_are_named(void **state)
{
	(void)state;
	assert_string_equal(judge(shipped, NULL, ATTR_OS, "niagara_fox", "QNX 6.3.2").os, "QNX");
	assert_string_equal(judge(shipped, NULL, ATTR_DESCRIPTION, "snmp", "VxWorks SNMPv1/v2c Agent").os, "VxWorks");
	assert_string_equal(judge(shipped, NULL, ATTR_VENDOR_CLASS, "dhcp", "MSFT 5.0").os, "Windows");
	assert_string_equal(judge(shipped, NULL, ATTR_SOFTWARE, "ssh", "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.1").os, "Linux");
}

/* Rules may say only classes of the list, and the list has no word twice. */
static void classes_are_a_closed_list(void **state)
{
	unsigned n = 0;

	(void)state;
	for (; device_class_name(n) != NULL; n++)
		for (unsigned i = 0; i < n; i++)
			assert_string_not_equal(device_class_name(i), device_class_name(n));
	assert_true(n > 20);
	assert_string_equal(device_class_name(0), "plc");
}

static int set_up(void **state)
{
	char error[NOTE];

	(void)state;
	shipped = device_rules_load(SOURCE_DIR "/rules/devices", error, sizeof(error));
	if (shipped == NULL)
		fprintf(stderr, "%s\n", error);
	return shipped == NULL || mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	device_rules_free(shipped);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_have_a_line),
		cmocka_unit_test(folders_without_rules_are_refused),
		cmocka_unit_test(patterns_fit_as_told),
		cmocka_unit_test(conditions_are_met_one_by_one),
		cmocka_unit_test(the_surest_rule_decides),
		cmocka_unit_test(every_vendor_is_recognised),
		cmocka_unit_test(lookalikes_stay_apart),
		cmocka_unit_test(safety_controllers_are_told_apart),
		cmocka_unit_test(classes_have_their_place),
		cmocka_unit_test(products_have_a_cpe_name),
		cmocka_unit_test(wrong_facts_are_refused),
		cmocka_unit_test(families_are_told_apart),
		cmocka_unit_test(systems_are_named),
		cmocka_unit_test(classes_are_a_closed_list),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
