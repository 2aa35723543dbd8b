/*
 * Foreign probes as rules: bound by their hash, to their ports, by the guard of what is asked there, by an
 * exact line of the whitelist and two signatures; everything else is refused with file and line.
 */
#include "active/guard/guard.h"
#include "active/ruleset/policy.h"
#include "active/ruleset/script.h"
#include "tests/unit/told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

enum { HASH_TEXT = 65 };

/* A file of our own in the foreign format. */
static const char probes[] =
	"# probes for tests\n"
	"Exclude T:9100-9107\n"
	"Probe TCP NULL q||\n"
	"totalwaitms 6000\n"
	"match ssh m|^SSH-| p/SSH/\n"
	"Probe UDP KNXDescription q|\\x06\\x10\\x02\\x03\\x00\\x0e\\x08\\x01\\x00\\x00\\x00\\x00\\x00\\x00|\n"
	"rarity 8\n"
	"ports 3671\n"
	"match knx m|^\\x06\\x10\\x02\\x04..\\x36\\x01|s p/KNXnet\\/IP/\n"
	"Probe UDP KNXTunnel q|\\x06\\x10\\x02\\x07\\x00\\x10\\x01\\x00\\x08\\x01\\x00\\x00\\x00\\x00\\x00\\x00|\n"
	"Probe TCP OPCUAHello q|HELF\\x37\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xff\\xff\\x00\\x00\\xff\\xff\\x00\\x00"
	"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x17\\x00\\x00\\x00opc.tcp://10.0.0.5:4840|\n"
	"rarity 8\n"
	"ports 4840\n"
	"match opc-ua m|^ACKF| p/OPC UA/\n"
	"Probe TCP ModbusWrite q|\\x00\\x01\\x00\\x00\\x00\\x06\\x01\\x05\\x00\\x01\\xff\\x00|\n"
	"Probe TCP ModbusRead q|\\x00\\x01\\x00\\x00\\x00\\x02\\x01\\x11|\n"
	"Probe TCP Lines q|\\r\\n\\r\\n|\n"
	"Probe UDP Empty q||\n";

static const char knx[] = "\x06\x10\x02\x03\x00\x0e\x08\x01\0\0\0\0\0";                 /* and the literal's zero */
static const char tunnel[] = "\x06\x10\x02\x07\x00\x10\x01\x00\x08\x01\0\0\0\0\0";
static const char hello[] = "HELF\x37\0\0\0\0\0\0\0\xff\xff\0\0\xff\xff\0\0\0\0\0\0\0\0\0\0\x17\0\0\0opc.tcp://10.0.0.5:4840";
static const char modbus_write[] = "\0\1\0\0\0\6\1\5\0\1\xff";
static const char modbus_read[] = "\0\1\0\0\0\2\1\x11";
static const char lines[] = "\r\n\r\n";

struct folder {
	char dir[32];
	struct told told;
};

static void write_file(const struct folder *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The shipped rules and policy, with a custom.yaml of the test's own. */
static void make_folder(struct folder *f, const char *custom)
{
	static const char *const shared[] = { "probes", "policy/exclusions.yaml", "policy/windows.yaml", "policy/budgets.yaml",
					      "policy/analysts.yaml" };
	char from[256], to[128];

	memset(f, 0, sizeof *f);
	strcpy(f->dir, "/tmp/custom-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(to, sizeof to, "%s/policy", f->dir);
	assert_int_equal(mkdir(to, 0700), 0);
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
		snprintf(from, sizeof from, SOURCE_DIR "/rules/%s", shared[i]);
		snprintf(to, sizeof to, "%s/%s", f->dir, shared[i]);
		assert_int_equal(symlink(from, to), 0);
	}
	write_file(f, "foreign-probes", probes);
	if (custom)
		write_file(f, "policy/custom.yaml", custom);
}

static void remove_folder(const struct folder *f)
{
	static const char *const files[] = { "probes", "foreign-probes", "policy/exclusions.yaml", "policy/windows.yaml",
					     "policy/budgets.yaml", "policy/analysts.yaml", "policy/custom.yaml",
					     "policy/whitelist.yaml" };
	char path[128];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/policy", f->dir);
	rmdir(path);
	rmdir(f->dir);
}

static const char *hash_of(const char *bytes, size_t n)
{
	static char text[HASH_TEXT];
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)bytes, n);
	sodium_bin2hex(text, sizeof text, hash, sizeof hash);
	return text;
}

static const char *entry(const char *name, const char *probe, const char *transport, const char *ports, const char *seen,
			 const char *hash)
{
	static char text[1024];

	snprintf(text, sizeof text,
		 "custom:\n  - name: %s\n    file: foreign-probes\n    probe: %s\n    transport: %s\n    ports: [%s]\n"
		 "    must_have_seen: [%s]\n    fills: []\n    sha256: %s\n    why: tried on the bench against two devices\n",
		 name, probe, transport, ports, seen, hash);
	return text;
}

static struct ruleset *load(struct folder *f, const char *custom)
{
	make_folder(f, custom);
	return ruleset_load(f->dir, keep, &f->told);
}

struct good {
	const char *name, *probe, *transport, *ports, *seen;
	const char *bytes;
	size_t len;
	const char *guard; /* whose yes it needs, NULL for nobody's */
	uint16_t port;
};

static const struct good goods[] = {
	{ "custom-knx", "KNXDescription", "udp", "3671", "knxnet_ip", knx, sizeof knx, "knxnet_ip", 3671 },
	{ "custom-opcua", "OPCUAHello", "tcp", "4840, 53530", "opcua", hello, sizeof hello - 1, "opcua", 53530 },
	{ "custom-hello", "OPCUAHello", "tcp", "4840", "'null'", hello, sizeof hello - 1, "opcua", 4840 },
	{ "custom-id", "ModbusRead", "tcp", "502", "'null'", modbus_read, sizeof modbus_read - 1, "modbus", 502 },
	{ "custom-lines", "Lines", "tcp", "7777", "'null'", lines, sizeof lines - 1, NULL, 7777 },
};

static void judge_good(const struct good *g, const struct rule *rule)
{
	struct filling fillings[RULE_HOLES];
	uint8_t bytes[RULE_MESSAGE_BYTES];
	size_t len = 0;

	assert_int_equal(rule->risk, RISK_CUSTOM);
	assert_string_equal(rule->protocol, "custom");
	assert_int_equal(rule->steps_count, 1);
	assert_int_equal(rule->steps[0].reply.ends, rule->transport == TRANSPORT_TCP ? REPLY_IDLE : REPLY_DATAGRAM);
	assert_int_equal(rule->max_packets, rule->transport == TRANSPORT_TCP ? 6 : 1);
	assert_int_equal(strlen(rule_sha256(rule)), 64);
	rule_defaults(rule, fillings);
	assert_true(rule_render(rule, 0, fillings, bytes, &len));
	assert_int_equal(len, g->len);
	assert_memory_equal(bytes, g->bytes, len);
	assert_true(rule_guard(rule, bytes, len).allowed);
	assert_int_equal(rule->guards_count > 0, g->guard != NULL);
	if (g->guard)
		assert_true(guard_allows(g->guard, (enum transport)rule->transport, bytes, len).allowed);
	/* Any other message is refused: cut short, lengthened, or changed in a bit. */
	assert_false(rule_guard(rule, bytes, len - 1).allowed);
	assert_false(rule_guard(rule, bytes, len + 1).allowed);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(rule_guard(rule, bytes, len).allowed);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_good(void **state)
{
	struct folder f;

	(void)state;
	for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
		const struct good *g = &goods[i];
		struct ruleset *set = load(&f, entry(g->name, g->probe, g->transport, g->ports, g->seen, hash_of(g->bytes, g->len)));

		if (!set)
			fail_msg("%s: %s", g->name, f.told.text);
		assert_non_null(ruleset_find(set, g->name));
		judge_good(g, ruleset_find(set, g->name));
		ruleset_free(set);
		remove_folder(&f);
	}
}

/* A probe without bytes only listens. */
static void test_listening(void **state)
{
	struct folder f;
	struct ruleset *set = load(&f, entry("custom-null", "'NULL'", "tcp", "7777", "'null'", hash_of("", 0)));

	(void)state;
	if (!set)
		fail_msg("%s", f.told.text);
	assert_true(ruleset_find(set, "custom-null")->steps[0].listens);
	assert_int_equal(ruleset_find(set, "custom-null")->max_bytes, 0);
	assert_false(rule_guard(ruleset_find(set, "custom-null"), (const uint8_t *)"", 0).allowed);
	ruleset_free(set);
	remove_folder(&f);
}

struct bad {
	const char *name, *probe, *transport, *ports, *seen;
	const char *bytes; /* whose hash is written; NULL: a wrong one */
	size_t len;
	const char *told;
};

static const struct bad bads[] = {
	{ "knx", "KNXDescription", "udp", "3671", "knxnet_ip", knx, sizeof knx, "custom.yaml:2 rule 'knx': its name begins with" },
	{ "custom-KNX", "KNXDescription", "udp", "3671", "knxnet_ip", knx, sizeof knx, "is made of a-z" },
	{ "custom-knx", "KNXDescription", "udp", "3671", "knxnet_ip", NULL, 0, "0610020300" },
	{ "custom-knx", "KNXDescription", "udp", "3671", "knxnet_ip", tunnel, sizeof tunnel, "is other bytes than those that the entry binds" },
	{ "custom-knx", "KNXTunnel", "udp", "3671", "knxnet_ip", tunnel, sizeof tunnel, "the guard of knxnet_ip refuses" },
	{ "custom-knx", "KNXTunnel", "udp", "3671", "'null'", tunnel, sizeof tunnel, "the guard of knxnet_ip refuses" },
	{ "custom-knx", "KNXDescription", "tcp", "3671", "knxnet_ip", knx, sizeof knx, "has no probe of that name over tcp" },
	{ "custom-knx", "Nonesuch", "udp", "3671", "knxnet_ip", knx, sizeof knx, "has no probe of that name" },
	{ "custom-write", "ModbusWrite", "tcp", "502", "modbus", modbus_write, sizeof modbus_write, "function 0x05" },
	{ "custom-write", "ModbusWrite", "tcp", "502", "umas", modbus_write, sizeof modbus_write, "the guard of" },
	{ "custom-write", "ModbusWrite", "tcp", "7777, 502", "'null'", modbus_write, sizeof modbus_write, "the guard of" },
	{ "custom-lines", "Lines", "tcp", "102", "'null'", lines, sizeof lines - 1, "the guard of" },
	{ "custom-print", "Lines", "tcp", "9100", "'null'", lines, sizeof lines - 1, "prints whatever it gets" },
	{ "custom-print", "Lines", "tcp", "7777, 515", "'null'", lines, sizeof lines - 1, "prints whatever it gets" },
	{ "custom-lines", "Lines", "tcp", "0", "'null'", lines, sizeof lines - 1, "0 is no port" },
	{ "custom-empty", "Empty", "udp", "7777", "'null'", "", 0, "has no probe of that name over udp" },
	{ "custom-lines", "Lines", "sctp", "7777", "'null'", lines, sizeof lines - 1, "none of tcp, udp" },
	{ "custom-lines", "Lines", "tcp", "7777", "A-B", lines, sizeof lines - 1, "no protocol's name" },
};

static void test_bad(void **state)
{
	struct folder f;

	(void)state;
	for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
		const struct bad *b = &bads[i];
		const char *hash = b->bytes ? hash_of(b->bytes, b->len) : "0000000000000000000000000000000000000000000000000000000000000000";

		if (load(&f, entry(b->name, b->probe, b->transport, b->ports, b->seen, hash)))
			fail_msg("%s at %s was accepted", b->probe, b->ports);
		if (!strstr(f.told.text, b->told))
			fail_msg("%s at %s should be told as '%s', but:\n%s", b->probe, b->ports, b->told, f.told.text);
		remove_folder(&f);
	}
}

/* The file of probes itself: absent, empty, or with a broken line at the probe that is named. */
static void test_bad_files(void **state)
{
	struct folder f;
	char path[128];

	(void)state;
	make_folder(&f, entry("custom-lines", "Lines", "tcp", "7777", "'null'", hash_of(lines, 4)));
	write_file(&f, "foreign-probes", "Probe TCP Lines q|\\r\\q|\n");
	assert_null(ruleset_load(f.dir, keep, &f.told));
	assert_true(f.told.count >= 1);
	write_file(&f, "foreign-probes", "");
	assert_null(ruleset_load(f.dir, keep, &f.told));
	remove_folder(&f);
	make_folder(&f, entry("custom-lines", "Lines", "tcp", "7777", "'null'", hash_of(lines, 4)));
	snprintf(path, sizeof path, "%s/foreign-probes", f.dir);
	unlink(path);
	assert_null(ruleset_load(f.dir, keep, &f.told));
	assert_non_null(strstr(f.told.text, "custom.yaml"));
	remove_folder(&f);
	assert_null(load(&f, "custom:\n  - {nmae: x}\n"));
	assert_non_null(strstr(f.told.text, "'nmae' is unknown"));
	remove_folder(&f);
	assert_null(load(&f, "- x\n"));
	remove_folder(&f);
}

/* No file, and the shipped one without an entry: no rule. */
static void test_none(void **state)
{
	struct folder f;
	struct ruleset *set = load(&f, NULL), *shipped = ruleset_load(SOURCE_DIR "/rules", keep, &f.told);

	(void)state;
	assert_non_null(set);
	assert_non_null(shipped);
	assert_int_equal(ruleset_count(set), ruleset_count(shipped));
	for (size_t i = 0; i < ruleset_count(shipped); i++)
		assert_int_not_equal(ruleset_at(shipped, i)->risk, RISK_CUSTOM);
	ruleset_free(set);
	ruleset_free(shipped);
	remove_folder(&f);
}

static struct policy_verdict ask_policy(struct folder *f, const struct ruleset *set, const char *whitelist, uint16_t port)
{
	struct endpoint who = { .family = 4, .ip = { 10, 0, 0, 5 } };
	struct policy_target target = { &who, "", "plc", "", port };
	struct policy_verdict v = { .allowed = false };
	struct policy *p;

	f->told.count = 0;
	f->told.text[0] = '\0';
	write_file(f, "policy/whitelist.yaml", whitelist);
	p = policy_load(f->dir, set, keep, &f->told);
	if (p)
		v = policy_verdict(p, ruleset_find(set, "custom-lines"), &target);
	else
		snprintf(v.why, sizeof v.why, "not loaded: %.200s", f->told.text);
	policy_free(p);
	return v;
}

static void test_policy(void **state)
{
	static const struct {
		const char *whitelist;
		uint16_t port;
		bool allowed;
		const char *why;
	} cases[] = {
		{ "allow: []\n", 7777, false, "no line of whitelist.yaml allows" },
		{ "allow:\n  - {rules: [custom-lines], ports: [7777], may: propose, why: tried}\n", 7777, true, "tried" },
		{ "allow:\n  - {rules: [custom-lines], may: propose, why: x}\n", 7777, false, "exactly" },
		{ "allow:\n  - {rules: ['custom-*'], ports: [7777], may: propose, why: x}\n", 7777, false, "exactly" },
		{ "allow:\n  - {rules: ['*'], ports: [7777], may: propose, why: x}\n", 7777, false, "exactly" },
		{ "allow:\n  - {rules: [custom-lines], ports: [7777, 7778], may: propose, why: x}\n", 7778, false, "at no other" },
		{ "allow:\n  - {rules: [custom-lines], ports: [7776], may: propose, why: x}\n", 7777, false, "not for this port" },
		{ "allow:\n  - {rules: [custom-lines], ports: [7777], may: propose, signatures: 1, why: x}\n", 7777, true, "x" },
		{ "allow:\n  - {rules: [custom-lines], ports: [7777], may: automatic, why: x}\n", 7777, false, "automatic, whose risk is custom" },
		{ "allow:\n  - {rules: ['*'], may: propose, why: x}\n  - {rules: [custom-lines], ports: [7777], may: propose, why: second}\n",
		  7777, true, "second" },
	};
	struct folder f;
	struct ruleset *set = load(&f, entry("custom-lines", "Lines", "tcp", "7777", "'null'", hash_of(lines, 4)));

	(void)state;
	assert_non_null(set);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy_verdict v = ask_policy(&f, set, cases[i].whitelist, cases[i].port);

		if (v.allowed != cases[i].allowed || !strstr(v.why, cases[i].why))
			fail_msg("%s gave: %s", cases[i].whitelist, v.why);
		assert_false(v.automatic);
		if (v.allowed)
			assert_int_equal(v.signatures, 2);
	}
	ruleset_free(set);
	remove_folder(&f);
}

/* The bytes belong to what is signed: another probe under the same name is another rule. */
static void test_digest(void **state)
{
	struct folder f;
	struct ruleset *set;
	char first[HASH_TEXT];

	(void)state;
	set = load(&f, entry("custom-a", "Lines", "tcp", "7777", "'null'", hash_of(lines, 4)));
	assert_non_null(set);
	strcpy(first, rule_sha256(ruleset_find(set, "custom-a")));
	ruleset_free(set);
	remove_folder(&f);
	set = load(&f, entry("custom-a", "OPCUAHello", "tcp", "7777", "'null'", hash_of(hello, sizeof hello - 1)));
	assert_non_null(set);
	assert_string_not_equal(rule_sha256(ruleset_find(set, "custom-a")), first);
	ruleset_free(set);
	remove_folder(&f);
}

/* Whom a rule asks: what was read by structure; where it says null, what nobody has read, over TCP alone. */
static void test_asked(void **state)
{
	struct folder f;
	struct ruleset *set = load(&f, entry("custom-lines", "Lines", "tcp", "7777", "'null'", hash_of(lines, 4)));
	const struct rule *modbus, *null, *custom;

	(void)state;
	assert_non_null(set);
	modbus = ruleset_find(set, "modbus");
	null = ruleset_find(set, "null");
	custom = ruleset_find(set, "custom-lines");
	assert_true(rule_asks_service(modbus, TRANSPORT_TCP, "modbus", true));
	assert_false(rule_asks_service(modbus, TRANSPORT_TCP, "modbus", false));
	assert_false(rule_asks_service(modbus, TRANSPORT_UDP, "modbus", true));
	assert_false(rule_asks_service(modbus, TRANSPORT_TCP, "http", true));
	assert_true(rule_asks_service(null, TRANSPORT_TCP, "", false));
	assert_false(rule_asks_service(null, TRANSPORT_TCP, "modbus", true));
	assert_false(rule_asks_service(null, TRANSPORT_TCP, "null", true));
	assert_false(rule_asks_service(null, TRANSPORT_UDP, "", false));
	assert_true(rule_takes_port(modbus, 7777) && rule_takes_port(custom, 7777));
	assert_false(rule_takes_port(custom, 7778));
	ruleset_free(set);
	remove_folder(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_listening), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_files), cmocka_unit_test(test_none), cmocka_unit_test(test_policy),
		cmocka_unit_test(test_digest), cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
