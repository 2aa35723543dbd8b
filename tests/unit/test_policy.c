/* The policy: what it allows and forbids, by which line, and every mistake in it told at its line. */
#include "active/guard/approval.h"
#include "active/guard/guard.h"
#include "active/ruleset/policy_line.h"
#include "classifiers/host/device_class.h"
#include "tests/unit/policy_fixture.h"

#include <sodium.h>

static struct policy_verdict ask(const struct policy *p, const char *rule, const char *class, uint8_t last, const char *maker)
{
	struct endpoint who = { .mac = { 0x00, 0x80, 0x2f, 1, 2, 3 }, .family = 4, .ip = { 10, 0, 0, last } };
	const struct rule *r = ruleset_find(rules, rule);
	struct policy_target target = { &who, "hall-3", class, maker, r->ports_count ? r->ports[0] : 0 };

	return policy_verdict(p, r, &target);
}

/* The shipped policy: something may be proposed, nothing runs by itself, what is risky or fragile is shut. */
static void test_shipped(void **state)
{
	static struct told told;
	struct policy *p = policy_load(SOURCE_DIR "/rules", rules, keep, &told);
	static const char *const shut[] = { "modbus-units", "bacnet-routed", "dnp3-addresses", "profinet_dcp-all", "http" };

	(void)state;
	if (!p)
		fail_msg("%s", told.text);
	assert_true(ask(p, "modbus", "plc", 5, "").allowed);
	assert_true(ask(p, "modbus", NULL, 5, NULL).allowed);
	assert_int_equal(ask(p, "modbus", "plc", 5, "").signatures, 1);
	assert_int_equal(ask(p, "s7comm", "plc", 5, "").signatures, 2);
	for (size_t i = 0; i < ruleset_count(rules); i++) {
		static const char *const classes[] = { "io-device", "safety", "printer", "phone" };
		const char *rule = ruleset_at(rules, i)->name;

		assert_false(ask(p, rule, "plc", 5, "").automatic);
		assert_false(ask(p, rule, "plc", 5, "HIMA Paul Hildebrandt GmbH").allowed);
		for (size_t n = 0; n < sizeof classes / sizeof *classes; n++)
			assert_false(ask(p, rule, classes[n], 5, "").allowed);
	}
	for (size_t i = 0; i < sizeof shut / sizeof *shut; i++)
		for (size_t n = 0; policy_class(n); n++)
			assert_false(ask(p, shut[i], policy_class(n), 5, "").allowed);
	assert_non_null(strstr(ask(p, "http-head", "plc", 5, "").why, "not for class 'plc'"));
	assert_non_null(strstr(ask(p, "http", "plc", 5, "").why, "no line of whitelist.yaml allows http"));
	policy_free(p);
}

static const char lines[] = "allow:\n"
			    "  - {rules: [modbus*], networks: [10.0.0.0/30], may: propose, signatures: 2, why: first}\n"
			    "  - {rules: [enip-udp], zones: [hall-*], may: automatic, why: second}\n"
			    "  - {rules: ['*'], macs: ['00:80:2f'], classes: [hmi], may: propose, why: third}\n"
			    "  - {rules: [ssh], ports: [2222], may: propose, why: fourth}\n";

static void test_lines(void **state)
{
	static struct told told;
	struct policy *p = load_text(0, lines, &told);
	struct policy_verdict v;

	(void)state;
	if (!p)
		fail_msg("%s", told.text);
	v = ask(p, "modbus-units", "plc", 3, "");
	assert_true(v.allowed && v.signatures == 2 && !v.automatic);
	assert_string_equal(v.why, "whitelist.yaml:2: first");
	v = ask(p, "modbus", "plc", 4, "");
	assert_false(v.allowed);
	assert_string_equal(v.why, "whitelist.yaml:2 allows modbus, but not for this network");
	v = ask(p, "enip-udp", "plc", 9, "");
	assert_true(v.allowed && v.automatic);
	assert_true(ask(p, "modbus-units", "hmi", 9, "").allowed);
	assert_int_equal(ask(p, "modbus-units", "hmi", 9, "").signatures, 2);
	assert_int_equal(ask(p, "modbus-basic", "hmi", 9, "").signatures, 1);
	assert_true(ask(p, "profinet_dcp", "hmi", 9, "").allowed);
	v = ask(p, "ssh", "plc", 9, "");
	assert_false(v.allowed);
	policy_free(p);
}

/* What fits a line, condition by condition; of what does not, the condition is named. */
static void test_conditions(void **state)
{
	static const struct {
		const char *condition;
		const struct endpoint who;
		const char *misses; /* NULL when it fits */
	} cases[] = {
#define V4 { .mac = { 0x00, 0x80, 0x2f, 1, 2, 3 }, .family = 4, .ip = { 10, 0, 0, 5 } }
#define V6 { .mac = { 0x00, 0x80, 0x2f, 1, 2, 3 }, .family = 6, .ip = { 0xfd, [15] = 5 } }
		{ "networks: [10.0.0.5]", V4, NULL },         { "networks: [10.0.0.4]", V4, "network" },
		{ "networks: [10.0.0.4/31]", V4, NULL },      { "networks: [10.0.0.6/31]", V4, "network" },
		{ "networks: [10.0.0.0/9]", V4, NULL },       { "networks: [11.0.0.0/8]", V4, "network" },
		{ "networks: [0.0.0.0/0]", V4, NULL },        { "networks: [0.0.0.0/0]", V6, "network" },
		{ "networks: ['::/0']", V6, NULL },           { "networks: ['::/0']", V4, "network" },
		{ "networks: ['fd00::/8']", V6, NULL },       { "networks: ['fe00::/8']", V6, "network" },
		{ "networks: ['fd00::5/128']", V6, NULL },    { "networks: ['fd00::4/128']", V6, "network" },
		{ "networks: [10.9.0.0/16, 10.0.0.0/16]", V4, NULL },
		{ "macs: ['00:80:2F:01:02:03']", V4, NULL },  { "macs: ['00:80:2f:01:02:04']", V4, "MAC" },
		{ "macs: ['00:80:2f:01']", V4, NULL },        { "macs: ['00:80:2f:01:03']", V4, "MAC" },
		{ "zones: [HALL-*]", V4, NULL },              { "zones: [yard]", V4, "zone" },
		{ "makers: [acme*]", V4, NULL },              { "makers: [other]", V4, "maker" },
		{ "ports: [503, 502]", V4, NULL },            { "ports: [503]", V4, "port" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static struct told told;
		char text[256], why[POLICY_WHY_BYTES];
		struct policy_target target = { &cases[i].who, "hall-3", "plc", "Acme GmbH", 502 };
		struct policy_verdict v;
		struct policy *p;

		snprintf(text, sizeof text, "allow:\n  - {rules: [modbus], %s, may: propose, why: x}\n", cases[i].condition);
		p = load_text(0, text, &told);
		if (!p)
			fail_msg("%s: %s", cases[i].condition, told.text);
		v = policy_verdict(p, ruleset_find(rules, "modbus"), &target);
		snprintf(why, sizeof why, cases[i].misses ? "whitelist.yaml:2 allows modbus, but not for this %s" : "whitelist.yaml:2: x",
			 cases[i].misses);
		assert_string_equal(v.why, why);
		assert_int_equal(v.allowed, !cases[i].misses);
		policy_free(p);
	}
}

/* A line that misses the class alone tells it, as unknown where none is. */
static void test_no_class(void **state)
{
	static struct told told;
	struct policy *p = load_text(0, "allow:\n  - {rules: [modbus], classes: [hmi], may: propose, why: x}\n", &told);

	(void)state;
	assert_non_null(p);
	assert_string_equal(ask(p, "modbus", "plc", 5, "").why, "whitelist.yaml:2 allows modbus, but not for class 'plc'");
	assert_string_equal(ask(p, "modbus", "", 5, "").why, "whitelist.yaml:2 allows modbus, but not for class 'unknown'");
	assert_string_equal(ask(p, "modbus", NULL, 5, "").why, "whitelist.yaml:2 allows modbus, but not for class 'unknown'");
	policy_free(p);
}

static void test_exclusions(void **state)
{
	static struct told told;
	struct policy *p = load_text(1, "never:\n  - {networks: [10.0.0.8/29], why: cell four}\n"
					"  - {rules: [modbus], classes: [plc, unknown], why: not these}\n", &told);

	(void)state;
	assert_non_null(p);
	assert_string_equal(ask(p, "enip-udp", "plc", 9, "").why, "exclusions.yaml:2: cell four");
	assert_string_equal(ask(p, "modbus", "", 1, "").why, "exclusions.yaml:3: not these");
	assert_string_equal(ask(p, "modbus", "hmi", 1, "").why, "no line of whitelist.yaml allows modbus");
	policy_free(p);
}

/* Addresses that are nobody's or many's, printers' ports, an IPv4 address in IPv6's clothes. */
static void test_addresses(void **state)
{
	static struct told told;
	struct policy *p = load_text(0, "allow:\n  - {rules: ['*'], may: propose, why: all}\n", &told), *q;
	const struct rule *modbus = ruleset_find(rules, "modbus"), *dcp = ruleset_find(rules, "profinet_dcp");
	const struct rule *all = ruleset_find(rules, "profinet_dcp-all"); /* asks a group, not the target */
	struct endpoint who = { .family = 4, .ip = { 10, 0, 0, 1 } };
	struct policy_target t = { &who, "", "", "", 502 };

	(void)state;
	assert_non_null(p);
	assert_true(policy_verdict(p, modbus, &t).allowed);
	assert_false(policy_verdict(p, dcp, &t).allowed);
	assert_true(all->multicast && policy_verdict(p, all, &t).allowed);
	who.mac[0] = 0x01;
	assert_false(policy_verdict(p, dcp, &t).allowed);
	who.mac[0] = 0x02;
	assert_true(policy_verdict(p, dcp, &t).allowed);
	/* A printing port is beyond every whitelist, for the probe that sends nothing too. */
	for (unsigned int port = 1; port <= UINT16_MAX; port++) {
		bool prints = port == 515 || (port >= 9100 && port <= 9107);

		t.port = (uint16_t)port;
		assert_int_equal(policy_verdict(p, modbus, &t).allowed, !prints);
		assert_int_equal(policy_verdict(p, ruleset_find(rules, "null"), &t).allowed, !prints);
		assert_int_equal(guard_port_prints((uint16_t)port), prints);
	}
	t.port = 502;
	for (unsigned int first = 224; first < 256; first++) {
		who.ip[0] = (uint8_t)first;
		assert_false(policy_verdict(p, modbus, &t).allowed);
	}
	memset(who.ip, 0, sizeof who.ip);
	assert_false(policy_verdict(p, modbus, &t).allowed);
	who.ip[0] = 223;
	assert_true(policy_verdict(p, modbus, &t).allowed);
	who = (struct endpoint){ .family = 6 };
	assert_false(policy_verdict(p, modbus, &t).allowed);
	who.ip[0] = 0xfe;
	assert_true(policy_verdict(p, modbus, &t).allowed);
	who = (struct endpoint){ .family = 6, .ip = { 0xff, 2 } };
	assert_false(policy_verdict(p, modbus, &t).allowed);
	who = (struct endpoint){ .family = 6, .ip = { [10] = 0xff, [11] = 0xff, [12] = 224, [15] = 1 } };
	assert_false(policy_verdict(p, modbus, &t).allowed);
	who = (struct endpoint){ .family = 6, .ip = { [10] = 0xff, [11] = 0xff } };
	assert_false(policy_verdict(p, modbus, &t).allowed);
	who.family = 4; /* what stands behind an IPv4 address is none of it */
	who.ip[12] = 10;
	assert_int_equal(plain_endpoint(&who).ip[0], 0);
	who.family = 0;
	assert_false(policy_verdict(p, modbus, &t).allowed);
	policy_free(p);
	q = load_text(1, "never:\n  - {networks: [10.0.0.0/8], why: x}\n", &told);
	who = (struct endpoint){ .family = 6, .ip = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } };
	assert_string_equal(policy_verdict(q, modbus, &t).why, "exclusions.yaml:2: x");
	policy_free(q);
}

struct mistake {
	size_t file;
	const char *text;
	const char *told;
};

static const struct mistake mistakes[] = {
	{ 0, NULL, "whitelist.yaml:0 can't be opened" },
	{ 3, NULL, "budgets.yaml:0 can't be opened" },
	{ 0, "allow:\n  - {rules: [modbuss], may: propose, why: x}\n", "whitelist.yaml:2 no rule is named 'modbuss'" },
	{ 0, "allow:\n  - {may: propose, why: x}\n", "whitelist.yaml:2 names no rules" },
	{ 0, "allow:\n  - {rules: [s7comm], may: automatic, why: x}\n", "whitelist.yaml:2 makes 's7comm' automatic" },
	{ 0, "allow:\n  - {rules: ['*'], may: automatic, why: x}\n", "automatic, whose risk is" },
	{ 0, "allow:\n  - {rules: [modbus], may: propose, signatures: 3, why: x}\n", "whitelist.yaml:2 asks for 3 signatures" },
	{ 0, "allow:\n  - {rules: [modbus], may: automatic, signatures: 2, why: x}\n", "automatic and asks for signatures" },
	{ 0, "allow:\n  - rules: [modbus]\n    classes: [plc, plcs]\n    may: propose\n    why: x\n",
	  "whitelist.yaml:3 'plcs' is no class" },
	{ 0, "allow:\n  - {rules: [modbus], networks: [10.0.0.1/8], may: propose, why: x}\n", "'10.0.0.1/8' is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: [010.0.0.0/8], may: propose, why: x}\n", "'010.0.0.0/8' is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: [10.0.0.0/33], may: propose, why: x}\n", "is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: [10.0.0.0/], may: propose, why: x}\n", "is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: [10.0.0.0/8x], may: propose, why: x}\n", "is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: [10.0.0.0/+8], may: propose, why: x}\n", "is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: ['"
	     "fd00:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000'], may: propose, why: x}\n", "is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: ['fd00::/129'], may: propose, why: x}\n", "is no network" },
	{ 0, "allow:\n  - {rules: [modbus], networks: ['fd00::1/64'], may: propose, why: x}\n", "is no network" },
	{ 0, "allow:\n  - {rules: [modbus], macs: ['00:80:2g'], may: propose, why: x}\n", "is no MAC" },
	{ 0, "allow:\n  - {rules: [modbus], macs: ['00-80-2f'], may: propose, why: x}\n", "is no MAC" },
	{ 0, "allow:\n  - {rules: [modbus], macs: ['00:80:2f:0'], may: propose, why: x}\n", "is no MAC" },
	{ 0, "allow:\n  - {rules: [modbus], macs: ['00:80:2f:01:02:03:04'], may: propose, why: x}\n", "is no MAC" },
	{ 0, "allow:\n  - {rules: [modbus], macs: ['00:80'], may: propose, why: x}\n", "is no MAC" },
	{ 0, "allow:\n  - {rules: [modbus], ports: [0], may: propose, why: x}\n", "0 is no port" },
	{ 0, "allow:\n  - {rules: [modbus], ports: [502, 9100], may: propose, why: x}\n", "whitelist.yaml:2 port 9100 prints" },
	{ 0, "allow:\n  - {rules: ['*'], ports: [9107], may: propose, why: x}\n", "port 9107 prints whatever it gets" },
	{ 0, "allow:\n  - {rules: ['null'], ports: [515], may: propose, why: x}\n", "port 515 prints whatever it gets" },
	{ 0, "allow:\n  - {rules: [modbus], may: always, why: x}\n", "none of propose, automatic" },
	{ 1, "never:\n  - {clases: [plc], why: x}\n", "exclusions.yaml:2 key 'clases' is unknown" },
	{ 1, "never:\n  - {classes: [plc]}\n", "key 'why' is missing" },
	{ 1, "never:\n  - {classes: [safty], why: x}\n", "'safty' is no class" },
	{ 2, "windows:\n  - {name: a, timezone: Europe/Atlantis, days: [mon], from: '01:00', to: '02:00'}\n",
	  "windows.yaml:2 'Europe/Atlantis' is no time zone" },
	{ 2, "windows:\n  - {name: a, timezone: ../../etc/passwd, days: [mon], from: '01:00', to: '02:00'}\n", "is no time zone" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [mon], from: '25:00', to: '02:00'}\n", "'25:00' is no time" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [mon], from: '01:60', to: '02:00'}\n", "'01:60' is no time" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [mon], from: '01:00', to: '01:00'}\n", "ends when it begins" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [mon], from: '24:00', to: '02:00'}\n", "'24:00' is no time" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [mon], from: '01:00', to: '24:01'}\n", "'24:01' is no time" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [mon], from: ' 1:20', to: '02:00'}\n", "windows.yaml:2 ' 1:20' is no time" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [], from: '01:00', to: '02:00'}\n", "no day is named" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [mon], from: '01:00', to: '02:00'}\n"
	     "  - {name: a, timezone: UTC, days: [tue], from: '01:00', to: '02:00'}\n",
	  "windows.yaml:3 two windows are named 'a'" },
	{ 2, "windows:\n  - {name: a, timezone: UTC, days: [someday], from: '01:00', to: '02:00'}\n", "none of mon, tue" },
	{ 4, "analysts:\n  - {name: a, key: MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI, may: [low]}\n", "it may have 44 to 44" },
	{ 4, "analysts:\n  - {name: a, key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=, may: [low]}\n", "no Ed25519 public key" },
	{ 4, "analysts:\n  - {name: a, key: '////////////////////////////////////////////', may: [low]}\n", "no Ed25519 public key" },
	/* 31 bytes, which a zero behind them would make a key. */
	{ 4, "analysts:\n  - {name: a, key: 'uO88zGD/+wMidjU00qczJ4f5I2CMpDW/bhUXbcoYow==', may: [low]}\n", "no Ed25519 public key" },
	{ 4, "analysts:\n  - {name: a, key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=, may: [low]}\n"
	     "  - {name: b, key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=, may: [low]}\n",
	  "analysts.yaml:3 'b' shares name or key with 'a'" },
	{ 4, "analysts:\n  - {name: a, key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=, may: [low]}\n"
	     "  - {name: a, key: PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=, may: [low]}\n",
	  "analysts.yaml:3 'a' shares name or key with 'a'" },
};

static void test_mistakes(void **state)
{
	static struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		const struct mistake *m = &mistakes[i];

		if (load_text(m->file, m->text, &told))
			fail_msg("accepted: %s", m->text);
		if (!strstr(told.text, m->told))
			fail_msg("%s should be told as '%s', but:\n%s", m->text, m->told, told.text);
	}
}

static void test_budgets(void **state)
{
	static struct told told;
	char text[sizeof budgets + 16];
	char *at;

	(void)state;
	snprintf(text, sizeof text, "%s", budgets);
	at = strstr(text, "zone: {packets_a_minute: 1");
	at[strlen("zone: {packets_a_minute: ")] = '3';
	assert_null(load_text(3, text, &told));
	assert_non_null(strstr(told.text, "budgets.yaml:2 zone: a minute's limit is above the day's"));
	assert_non_null(strstr(told.text, "budgets.yaml:2 zone.packets_a_minute (3) is more than sensor.packets_a_minute (1)"));
	snprintf(text, sizeof text, "%s", budgets);
	*(strstr(text, "targets_at_once: ") + strlen("targets_at_once: ")) = '0';
	assert_null(load_text(3, text, &told));
	assert_non_null(strstr(told.text, "budgets.yaml:6 0 targets at once"));
	snprintf(text, sizeof text, "%s", budgets);
	*(strstr(text, "failures_to_stop: ") + strlen("failures_to_stop: ")) = '0';
	assert_null(load_text(3, text, &told));
	assert_non_null(strstr(told.text, "budgets.yaml:7 0 failures"));
}

/* Without the rules at hand names are not checked, and all else is. */
static void test_without_rules(void **state)
{
	static struct told told;
	struct ruleset *kept = rules;
	struct policy *p, *q;

	(void)state;
	rules = NULL;
	p = load_text(0, "allow:\n  - {rules: [nonesuch], may: automatic, why: x}\n", &told);
	q = load_text(0, "allow:\n  - {rules: [nonesuch], ports: [0], may: automatic, why: x}\n", &told);
	rules = kept;
	assert_non_null(p);
	assert_null(q);
	policy_free(p);
}

/* What was not checked when it was read: a line makes nothing automatic whose risk is not low. */
static void test_automatic(void **state)
{
	static struct told told;
	struct ruleset *kept = rules;
	struct policy *p;

	(void)state;
	rules = NULL;
	p = load_text(0, "allow:\n  - {rules: ['*'], may: automatic, why: x}\n", &told);
	rules = kept;
	assert_non_null(p);
	for (size_t i = 0; i < ruleset_count(rules); i++) {
		const struct rule *rule = ruleset_at(rules, i);
		struct policy_verdict v = ask(p, rule->name, "plc", 5, "");

		assert_true(v.allowed);
		assert_int_equal(v.automatic, rule->risk == RISK_LOW);
	}
	policy_free(p);
}

#ifndef __SANITIZE_ADDRESS__ /* which has a calloc() of its own */
extern void *__libc_calloc(size_t count, size_t size);

static unsigned int callocs_left; /* until one finds no memory; 0 when none is to */

void *calloc(size_t count, size_t size)
{
	return callocs_left && --callocs_left == 0 ? NULL : __libc_calloc(count, size);
}
#endif

/* Where memory ends there is no policy, rather than half of one. */
static void test_no_memory(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	(void)state;
	skip();
#else
	static const char text[] = "windows:\n  - {name: a, timezone: Europe/Berlin, days: [mon], from: '01:00', to: '02:00'}\n";
	static struct told told;
	unsigned int tried = 0;
	struct policy *p;
	bool failed;

	(void)state;
	do {
		callocs_left = ++tried;
		p = load_text(2, text, &told);
		failed = callocs_left == 0;
		callocs_left = 0;
		assert_int_equal(p == NULL, failed);
		policy_free(p);
	} while (failed);
	/* The policy, its files, and twice a time zone: checked, and kept. */
	assert_true(tried > 1 + FILES + 2 * 4);
#endif
}

/* The plain budgets with one limit changed. */
static bool budgets_load(const char *whose, const char *limit, char value)
{
	static struct told told;
	char text[sizeof budgets];
	struct policy *p;

	memcpy(text, budgets, sizeof text);
	*(strstr(strstr(text, whose), limit) + strlen(limit) + strlen(": ")) = value;
	p = load_text(3, text, &told);
	policy_free(p);
	return p != NULL;
}

/* Each limit for itself: a part is at most the whole, a minute at most the day. */
static void test_each_budget(void **state)
{
	static const char *const limits[] = { "packets_a_minute",  "bytes_a_minute", "connections_a_minute", "packets_a_day",
					      "bytes_a_day", "connections_a_day" };

	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		bool minute = strstr(limits[i], "minute") != NULL;

		assert_false(budgets_load("target: ", limits[i], minute ? '2' : '3'));
		assert_false(budgets_load("zone: ", limits[i], minute ? '2' : '3'));
		assert_true(budgets_load("sensor: ", limits[i], '2'));
		assert_int_equal(budgets_load("sensor: ", limits[i], '3'), !minute);
	}
}

/* An analyst with a true key loads. */
static void test_analyst(void **state)
{
	static struct told told;
	struct policy *p = load_text(4, "analysts:\n  - {name: a, key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=, may: [low, high]}\n",
				     &told);

	(void)state;
	if (!p)
		fail_msg("%s", told.text);
	policy_free(p);
}

static void sign(struct approval *a, size_t i, const char *name, const uint8_t secret[64])
{
	char text[APPROVAL_TEXT_BYTES];
	size_t len;

	a->signatures = 0;
	memset(a->signature + i, 0, (APPROVAL_SIGNATURES - i) * sizeof a->signature[0]);
	a->signatures = (uint8_t)i;
	len = approval_text(a, text);
	assert_true(len > 0);
	snprintf(a->signature[i].analyst, sizeof a->signature[i].analyst, "%s", name);
	crypto_sign_detached(a->signature[i].bytes, NULL, (const unsigned char *)text, len, secret);
	a->signatures++;
}

/* Who may sign for what: name, key, risk, zone; two names with one signature are one signature. */
/* A policy of two analysts, and a third whom it does not know. */
static struct policy *load_signers(uint8_t keys[3][32], uint8_t secrets[3][64], struct told *told)
{
	char text[512], encoded[3][45];
	struct policy *p;

	for (int i = 0; i < 3; i++) {
		uint8_t seed[32] = { (uint8_t)(i + 1) };

		crypto_sign_seed_keypair(keys[i], secrets[i], seed);
		sodium_bin2base64(encoded[i], sizeof encoded[i], keys[i], 32, sodium_base64_VARIANT_ORIGINAL);
	}
	snprintf(text, sizeof text, "analysts:\n  - {name: a, key: %s, may: [low, high]}\n  - {name: b, key: %s, may: [high], zones: [hall-*]}\n",
		 encoded[0], encoded[1]);
	p = load_text(4, text, told);
	if (!p)
		fail_msg("%s", told->text);
	return p;
}

static void test_signed(void **state)
{
	static struct told told;
	uint8_t keys[3][32], secrets[3][64], key[POLICY_KEY_BYTES];
	char why[POLICY_WHY_BYTES];
	const struct rule *low = ruleset_find(rules, "modbus"), *high = ruleset_find(rules, "modbus-units");
	struct approval a = { .id = "00112233445566778899aabbccddeeff", .transport = TRANSPORT_TCP, .uses = 1, .port = 502, .sensor = "s",
			      .zone = "hall-3", .target = { .family = 4, .ip = { 10, 0, 0, 5 } }, .rule = "modbus", .not_before_s = 1,
			      .not_after_s = 2 };
	struct policy *p;

	(void)state;
	p = load_signers(keys, secrets, &told);
	assert_true(policy_analyst(p, "b", key));
	assert_memory_equal(key, keys[1], 32);
	assert_false(policy_analyst(p, "c", key));
	assert_string_equal(policy_analyst_of_key(p, keys[0]), "a");
	assert_null(policy_analyst_of_key(p, keys[2]));
	assert_false(policy_analyst_may(p, "c", RISK_LOW, "hall-3"));
	assert_false(policy_signed(p, low, &a, 1, why));
	assert_string_equal(why, "it needs 1 signature and has 0");
	assert_true(policy_signed(p, low, &a, 0, why));
	a.uses = 0; /* what is no approval needs no signature to be refused */
	assert_false(policy_signed(p, low, &a, 0, why));
	assert_string_equal(why, "a field of the approval is out of its range");
	a.uses = 1;
	sign(&a, 0, "a", secrets[0]);
	assert_true(policy_signed(p, low, &a, 1, why));
	assert_false(policy_signed(p, high, &a, 2, why));
	assert_string_equal(why, "it needs 2 signatures and has 1");
	sign(&a, 1, "b", secrets[1]);
	assert_true(policy_signed(p, high, &a, 2, why));
	/* b may not sign for low risk, and one signature out of place spoils the approval. */
	assert_false(policy_signed(p, low, &a, 1, why));
	assert_non_null(strstr(why, "'b' may not"));
	sign(&a, 1, "b", secrets[0]);
	assert_false(policy_signed(p, high, &a, 2, why));
	sign(&a, 1, "c", secrets[2]);
	assert_false(policy_signed(p, high, &a, 2, why));
	assert_non_null(strstr(why, "knows no 'c'"));
	sign(&a, 1, "b", secrets[1]);
	memset(a.zone, 0, sizeof a.zone);
	snprintf(a.zone, sizeof a.zone, "yard");
	sign(&a, 0, "a", secrets[0]);
	sign(&a, 1, "b", secrets[1]);
	assert_false(policy_signed(p, high, &a, 2, why));
	/* One signer under his own name twice. */
	memset(a.zone, 0, sizeof a.zone);
	snprintf(a.zone, sizeof a.zone, "hall-3");
	sign(&a, 0, "a", secrets[0]);
	sign(&a, 1, "a", secrets[0]);
	assert_false(policy_signed(p, high, &a, 2, why));
	policy_free(p);
}

/* The words for classes are those that device rules use, with safety and unknown. */
static void test_classes(void **state)
{
	size_t ours = 0, theirs = 0;

	(void)state;
	for (; device_class_name((unsigned int)theirs); theirs++) {
		const char *name = device_class_name((unsigned int)theirs);
		bool found = strcmp(name, "none") == 0;

		for (size_t i = 0; policy_class(i); i++)
			found |= strcmp(policy_class(i), name) == 0;
		if (!found)
			fail_msg("class '%s' can't be named by a policy", name);
	}
	while (policy_class(ours))
		ours++;
	assert_true(theirs > 20 && ours >= theirs);
	assert_null(policy_class(ours + 1)); /* behind the one that ends the list */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),   cmocka_unit_test(test_lines),    cmocka_unit_test(test_exclusions),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_budgets),
		cmocka_unit_test(test_analyst),   cmocka_unit_test(test_classes),
		cmocka_unit_test(test_signed),    cmocka_unit_test(test_each_budget),
		cmocka_unit_test(test_conditions), cmocka_unit_test(test_without_rules),
		cmocka_unit_test(test_no_class),  cmocka_unit_test(test_automatic), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, load_rules, free_rules);
}
