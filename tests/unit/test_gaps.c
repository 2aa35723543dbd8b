/* What is found wanting, and above all what is never proposed; with the rules of the tree. */
#include "make_finding.h"
#include "sensor/hub/gaps.h"
#include "sensor/hub/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define PLC "00:1b:1b:00:00:01"

static struct picture p;
static struct knowledge k;
static struct view v;
static struct judgement j;
static struct gaps g;

static int load(void **state)
{
	struct hub_config c = { .rules_dir = SOURCE_DIR "/rules" };

	(void)state;
	hash_start();
	return knowledge_load(&k, &c);
}

static int unload(void **state)
{
	(void)state;
	knowledge_free(&k);
	view_free(&v);
	return 0;
}

static int start(void **state)
{
	(void)state;
	picture_start(&p, "sensor", "hall", 1000);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	picture_end(&p);
	return 0;
}

static void hear(struct finding f)
{
	picture_hear(&p, &f, SENT_FROM_BOTH);
}

static void find(const char *ip)
{
	static const uint16_t untagged[2];
	struct endpoint e = at("", ip, BINDING_NONE);
	struct node *n = picture_find(&p, untagged, e.family, e.ip);

	assert_non_null(n);
	view_fill(&v, &p, n->asset);
	knowledge_judge(&k, &v, &j);
	gaps_find(&g, &k, &p, &v, &j);
}

static const struct gap *gap(enum gap_kind kind, const char *subject)
{
	for (size_t i = 0; i < g.count; i++)
		if (g.items[i].kind == kind && strcmp(g.items[i].subject, subject) == 0)
			return &g.items[i];
	return NULL;
}

static bool lacks(const struct gap *found, enum attribute a)
{
	return memchr(found->lacks, (int)a, found->lacks_count) != NULL;
}

/* Nothing is ever proposed without a rule, a target and a reason. */
static void check_all(void)
{
	for (size_t i = 0; i < g.count; i++) {
		const struct gap *one = &g.items[i];

		assert_true(one->why[0]);
		assert_true(one->subject[0]);
		if (one->verdict != VERDICT_PROPOSED)
			continue;
		assert_non_null(one->rule);
		assert_non_null(one->target);
		assert_true(one->rule->max_packets > 0 && one->rule->max_bytes > 0);
		for (unsigned n = 0; one->kind == GAP_IDENTITY && n < one->lacks_count; n++)
			assert_null(view_best(&v, (enum attribute)one->lacks[n]));
	}
}

static bool any_proposed(void)
{
	for (size_t i = 0; i < g.count; i++)
		if (g.items[i].verdict == VERDICT_PROPOSED)
			return true;
	return false;
}

static void known_service_lacks_what_its_rule_fills(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.5", BINDING_FRAME);
	const struct gap *found;

	(void)state;
	hear(service(plc, "s7comm", TRANSPORT_TCP, 102, EVIDENCE_STRUCTURE));
	hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V3.2.6"));
	find("10.0.0.5");
	check_all();
	found = gap(GAP_IDENTITY, "tcp/102");
	assert_non_null(found);
	assert_string_equal(found->rule->protocol, "s7comm");
	assert_true(lacks(found, ATTR_SERIAL));
	assert_true(lacks(found, ATTR_ORDER_CODE));
	assert_false(lacks(found, ATTR_FIRMWARE));
	assert_int_equal(found->verdict, VERDICT_PROPOSED);
}

static void full_identity_leaves_no_gap(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.5", BINDING_FRAME);

	(void)state;
	hear(service(plc, "s7comm", TRANSPORT_TCP, 102, EVIDENCE_STRUCTURE));
	for (int a = ATTR_NONE + 1; a < ATTRIBUTES; a++)
		hear(attribute(plc, "s7comm", "", (enum attribute)a, "x"));
	find("10.0.0.5");
	assert_null(gap(GAP_IDENTITY, "tcp/102"));
	assert_false(any_proposed());
	/* A month later the same is stale. */
	p.now_ns += 31LL * 24 * 3600 * SECOND_NS;
	find("10.0.0.5");
	check_all();
	assert_non_null(gap(GAP_STALE, "tcp/102"));
	assert_true(lacks(gap(GAP_STALE, "tcp/102"), ATTR_FIRMWARE));
}

static void sole_unit_speaks_for_the_device(void **state)
{
	struct endpoint dev = at(PLC, "10.0.0.5", BINDING_FRAME);

	(void)state;
	hear(service(dev, "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE));
	hear(attribute(dev, "modbus", "modbus/502/unit:1", ATTR_VENDOR, "Acme"));
	find("10.0.0.5");
	assert_non_null(gap(GAP_IDENTITY, "tcp/502"));
	assert_false(lacks(gap(GAP_IDENTITY, "tcp/502"), ATTR_VENDOR));
	assert_null(gap(GAP_SUBASSETS, "tcp/502"));
	hear(attribute(dev, "modbus", "modbus/502/unit:2", ATTR_VENDOR, "Acme"));
	find("10.0.0.5");
	check_all();
	assert_true(lacks(gap(GAP_IDENTITY, "tcp/502"), ATTR_VENDOR));
	/* Two units make it a gateway, whose units are to be counted. */
	assert_non_null(gap(GAP_SUBASSETS, "tcp/502"));
	assert_true(gap(GAP_SUBASSETS, "tcp/502")->rule->sub_assets);
}

/* On each of these alone no probe may ever be proposed. */
static void guesses_are_never_probed(void **state)
{
	struct endpoint dev = at(PLC, "10.0.0.5", BINDING_FRAME);

	(void)state;
	hear(service(dev, "s7comm", TRANSPORT_TCP, 102, EVIDENCE_PORT));
	hear(service(dev, "modbus", TRANSPORT_TCP, 502, EVIDENCE_NDPI));
	hear(service(dev, "", TRANSPORT_TCP, 4840, EVIDENCE_NONE));
	find("10.0.0.5");
	check_all();
	assert_false(any_proposed());
	assert_int_equal(gap(GAP_UNIDENTIFIED, "tcp/102")->verdict, VERDICT_FORBIDDEN);
	assert_int_equal(gap(GAP_UNIDENTIFIED, "tcp/502")->verdict, VERDICT_FORBIDDEN);
	assert_int_equal(gap(GAP_UNIDENTIFIED, "tcp/4840")->verdict, VERDICT_FORBIDDEN);
}

/* Of a TCP service of which nothing is known a listening may be proposed, where the whitelist lets it; nothing is sent. */
static void unknown_services_may_be_listened_to(void **state)
{
	struct endpoint dev = at(PLC, "10.0.0.5", BINDING_FRAME);
	const struct gap *heard;

	(void)state;
	hear(service(dev, "", TRANSPORT_TCP, 7777, EVIDENCE_NONE));
	hear(service(dev, "", TRANSPORT_UDP, 7777, EVIDENCE_NONE));
	hear(service(dev, "", TRANSPORT_TCP, 515, EVIDENCE_PORT));
	hear(service(dev, "", TRANSPORT_TCP, 7778, EVIDENCE_PORT));
	hear(service(dev, "amqp", TRANSPORT_TCP, 7779, EVIDENCE_NDPI));
	find("10.0.0.5");
	heard = gap(GAP_UNIDENTIFIED, "tcp/7777");
	assert_non_null(heard->rule);
	assert_string_equal(heard->rule->name, "null");
	assert_int_equal(heard->rule->max_bytes, 0);
	assert_int_equal(heard->verdict, VERDICT_FORBIDDEN);
	assert_non_null(strstr(heard->why, "whitelist.yaml"));
	assert_non_null(gap(GAP_UNIDENTIFIED, "tcp/7778")->rule);
	assert_null(gap(GAP_UNIDENTIFIED, "tcp/7779")->rule);
	assert_null(gap(GAP_UNIDENTIFIED, "udp/7777")->rule);
	assert_int_equal(gap(GAP_UNIDENTIFIED, "tcp/515")->verdict, VERDICT_FORBIDDEN);
}

/* A file in a folder of the test's own, or a link to the shipped one when there is no text. */
static void lay(const char *dir, const char *name, const char *text)
{
	char from[256], to[256];
	FILE *f;

	snprintf(from, sizeof from, SOURCE_DIR "/rules/%s", name);
	snprintf(to, sizeof to, "%s/%s", dir, name);
	if (!text) {
		assert_int_equal(symlink(from, to), 0);
		return;
	}
	f = fopen(to, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void tell_mistake(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	print_error("%s:%u: %s\n", file, line, what);
}

/* A foreign probe becomes a proposal where the whitelist names it and its port, with two signatures; nowhere else. */
static void foreign_probes_need_their_line(void **state)
{
	static const char *const names[] = { "probes", "policy/exclusions.yaml", "policy/windows.yaml", "policy/budgets.yaml",
					     "policy/analysts.yaml" };
	char dir[] = "/tmp/gaps-XXXXXX", path[256];
	struct ruleset *rules = k.rules;
	struct policy *policy = k.policy;
	struct endpoint dev = at(PLC, "10.0.0.5", BINDING_FRAME);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/policy", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		lay(dir, names[i], NULL);
	lay(dir, "foreign", "Probe TCP Lines q|\\r\\n\\r\\n|\n");
	lay(dir, "policy/custom.yaml", "custom:\n  - name: custom-lines\n    file: foreign\n    probe: Lines\n    transport: tcp\n"
	    "    ports: [7777]\n    must_have_seen: ['null']\n    fills: []\n    why: tried on the bench against two devices\n"
	    "    sha256: dba5166ad9db9ba648c1032ebbd34dcd0d085b50023b839ef5c68ca1db93a563\n");
	lay(dir, "policy/whitelist.yaml", "allow:\n  - {rules: [custom-lines], ports: [7777], may: propose, why: tried}\n");
	k.rules = ruleset_load(dir, tell_mistake, NULL);
	assert_non_null(k.rules);
	k.policy = policy_load(dir, k.rules, tell_mistake, NULL);
	assert_non_null(k.policy);
	hear(service(dev, "", TRANSPORT_TCP, 7777, EVIDENCE_PORT));
	hear(service(dev, "", TRANSPORT_TCP, 7778, EVIDENCE_PORT));
	hear(service(dev, "amqp", TRANSPORT_TCP, 7779, EVIDENCE_NDPI));
	find("10.0.0.5");
	assert_int_equal(gap(GAP_UNIDENTIFIED, "tcp/7777")->verdict, VERDICT_PROPOSED);
	assert_string_equal(gap(GAP_UNIDENTIFIED, "tcp/7777")->rule->name, "custom-lines");
	assert_int_equal(gap(GAP_UNIDENTIFIED, "tcp/7777")->signatures, 2);
	assert_false(gap(GAP_UNIDENTIFIED, "tcp/7777")->automatic);
	assert_int_equal(gap(GAP_UNIDENTIFIED, "tcp/7778")->verdict, VERDICT_FORBIDDEN);
	assert_string_equal(gap(GAP_UNIDENTIFIED, "tcp/7778")->rule->name, "null");
	assert_null(gap(GAP_UNIDENTIFIED, "tcp/7779")->rule);
	policy_free(k.policy);
	ruleset_free(k.rules);
	k.policy = policy;
	k.rules = rules;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "rm -r '%s'", dir);
	assert_int_equal(system(path), 0);
}

static void public_addresses_are_never_probed(void **state)
{
	struct endpoint dev = at("", "93.184.216.34", BINDING_NONE), six = at("", "2606:2800:220:1::1", BINDING_NONE);

	(void)state;
	hear(service(dev, "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE));
	hear(service(dev, "snmp", TRANSPORT_UDP, 161, EVIDENCE_STRUCTURE));
	find("93.184.216.34");
	assert_false(any_proposed());
	assert_int_equal(gap(GAP_IDENTITY, "tcp/502")->verdict, VERDICT_FORBIDDEN);
	hear(service(six, "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE));
	find("2606:2800:220:1::1");
	assert_false(any_proposed());
}

static void printers_are_never_probed(void **state)
{
	struct endpoint dev = at(PLC, "10.0.0.5", BINDING_FRAME);

	(void)state;
	hear(service(dev, "snmp", TRANSPORT_UDP, 161, EVIDENCE_STRUCTURE));
	hear(service(dev, "http", TRANSPORT_TCP, 80, EVIDENCE_STRUCTURE));
	hear(service(dev, "jetdirect", TRANSPORT_TCP, 9100, EVIDENCE_PORT));
	find("10.0.0.5");
	check_all();
	assert_false(any_proposed());
}

static void without_policy_nothing_is_proposed(void **state)
{
	struct policy *policy = k.policy;

	(void)state;
	k.policy = NULL;
	hear(service(at(PLC, "10.0.0.5", BINDING_FRAME), "s7comm", TRANSPORT_TCP, 102, EVIDENCE_STRUCTURE));
	find("10.0.0.5");
	k.policy = policy;
	assert_int_equal(gap(GAP_IDENTITY, "tcp/102")->verdict, VERDICT_FORBIDDEN);
}

static void unknown_protocol_has_no_rule(void **state)
{
	(void)state;
	hear(service(at(PLC, "10.0.0.5", BINDING_FRAME), "nosuch", TRANSPORT_TCP, 4711, EVIDENCE_STRUCTURE));
	hear(service(at(PLC, "10.0.0.5", BINDING_FRAME), "dns", TRANSPORT_UDP, 53, EVIDENCE_STRUCTURE));
	find("10.0.0.5");
	check_all();
	assert_int_equal(gap(GAP_IDENTITY, "tcp/4711")->verdict, VERDICT_NONE);
	assert_null(gap(GAP_IDENTITY, "tcp/4711")->rule);
	assert_null(gap(GAP_IDENTITY, "udp/53"));
}

/* A service that such a device has and that was never heard: a gap, and no reason to knock. */
static void expected_service_is_not_knocked_at(void **state)
{
	struct endpoint dev = at(PLC, "10.0.0.5", BINDING_FRAME);
	bool any = false;

	(void)state;
	hear(attribute(dev, "lldp", "", ATTR_VENDOR, "Siemens"));
	hear(attribute(dev, "lldp", "", ATTR_PRODUCT, "SIMATIC S7-1500"));
	hear(attribute(dev, "lldp", "", ATTR_ORDER_CODE, "6ES7 515-2AM01-0AB0"));
	find("10.0.0.5");
	check_all();
	for (size_t i = 0; i < g.count; i++) {
		if (g.items[i].kind != GAP_EXPECTED)
			continue;
		any = true;
		assert_true(g.items[i].verdict != VERDICT_PROPOSED);
		assert_null(g.items[i].rule);
	}
	assert_int_equal(any, j.verdict.expect_count > 0);
	assert_true(any);
}

static void answered_probe_is_not_asked_again(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.5", BINDING_FRAME);
	struct finding answer = attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V3.2.6");

	(void)state;
	answer.source = SOURCE_PROBE;
	hear(service(plc, "s7comm", TRANSPORT_TCP, 102, EVIDENCE_STRUCTURE));
	hear(answer);
	find("10.0.0.5");
	assert_int_equal(gap(GAP_IDENTITY, "tcp/102")->verdict, VERDICT_NONE);
}

/* One reply that told all of these. */
static void hear_reply(struct endpoint who, const char *protocol, const enum attribute *told, size_t count)
{
	int64_t time_ns = test_time_ns += SECOND_NS;

	for (size_t i = 0; i < count; i++) {
		struct finding answer = attribute(who, protocol, "", told[i], "x");

		answer.source = SOURCE_PROBE;
		answer.time_ns = time_ns;
		hear(answer);
	}
}

/* An agent whose uptime alone is polled: the one datagram that tells most for its bytes, then the next, then no more. */
static void next_rule_comes_after_the_first_was_answered(void **state)
{
	/* The software follows from the object id, and is no answer of the rule that asks for it. */
	static const enum attribute system_group[] = { ATTR_DESCRIPTION, ATTR_ORDER_CODE, ATTR_NAME, ATTR_SOFTWARE };
	static const enum attribute entity[] = { ATTR_SERIAL, ATTR_HARDWARE };
	struct endpoint agent = at(PLC, "10.0.0.5", BINDING_FRAME);
	const struct gap *found;

	(void)state;
	hear(service(agent, "snmp", TRANSPORT_UDP, 161, EVIDENCE_STRUCTURE));
	find("10.0.0.5");
	check_all();
	assert_string_equal(gap(GAP_IDENTITY, "udp/161")->rule->name, "snmp");
	assert_int_equal(gap(GAP_IDENTITY, "udp/161")->verdict, VERDICT_PROPOSED);

	hear_reply(agent, "snmp", system_group, sizeof system_group / sizeof *system_group);
	find("10.0.0.5");
	check_all();
	found = gap(GAP_IDENTITY, "udp/161");
	assert_non_null(found->rule);
	assert_string_equal(found->rule->name, "snmp-entity");
	assert_true(lacks(found, ATTR_SERIAL));
	assert_true(lacks(found, ATTR_LOCATION));

	hear_reply(agent, "snmp", entity, sizeof entity / sizeof *entity);
	find("10.0.0.5");
	found = gap(GAP_IDENTITY, "udp/161");
	assert_null(found->rule);
	assert_int_equal(found->verdict, VERDICT_NONE);
	assert_true(lacks(found, ATTR_FIRMWARE));
}

/* Under TLS 1.3 the certificate can't be overheard. */
static void hidden_certificate_is_lacking(void **state)
{
	struct endpoint portal = at(PLC, "10.0.0.5", BINDING_FRAME);
	const struct gap *found;

	(void)state;
	hear(service(portal, "tls", TRANSPORT_TCP, 443, EVIDENCE_STRUCTURE));
	find("10.0.0.5");
	found = gap(GAP_IDENTITY, "tcp/443");
	assert_non_null(found);
	assert_string_equal(found->rule->name, "tls");
	assert_true(lacks(found, ATTR_CERTIFICATE));
	hear(attribute(portal, "tls", "", ATTR_CERTIFICATE, "CN=portal"));
	find("10.0.0.5");
	assert_null(gap(GAP_IDENTITY, "tcp/443"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_service_lacks_what_its_rule_fills),
		TEST(full_identity_leaves_no_gap),
		TEST(sole_unit_speaks_for_the_device),
		TEST(guesses_are_never_probed),
		TEST(unknown_services_may_be_listened_to),
		TEST(foreign_probes_need_their_line),
		TEST(public_addresses_are_never_probed),
		TEST(printers_are_never_probed),
		TEST(without_policy_nothing_is_proposed),
		TEST(unknown_protocol_has_no_rule),
		TEST(expected_service_is_not_knocked_at),
		TEST(answered_probe_is_not_asked_again),
		TEST(next_rule_comes_after_the_first_was_answered),
		TEST(hidden_certificate_is_lacking),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
