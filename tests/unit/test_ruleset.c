/* The probe rules: the shipped ones load and render known bytes; every mistake in one is told with its line. */
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

enum { TEXT_BYTES = 16384 };

static struct ruleset *shipped;

static int load_shipped(void **state)
{
	static struct told told;

	(void)state;
	shipped = ruleset_load(SOURCE_DIR "/rules", keep, &told);
	if (!shipped)
		print_error("%s", told.text);
	return shipped ? 0 : -1;
}

static int free_shipped(void **state)
{
	(void)state;
	ruleset_free(shipped);
	return 0;
}

/* Each rule as others rely on it. */
static void test_shipped(void **state)
{
	(void)state;
	assert_true(ruleset_count(shipped) >= 31);
	for (size_t i = 0; i < ruleset_count(shipped); i++) {
		const struct rule *r = ruleset_at(shipped, i);

		assert_ptr_equal(ruleset_find(shipped, r->name), r);
		assert_int_equal(strncmp(r->name, r->protocol, strlen(r->protocol)), 0);
		assert_int_equal(strlen(rule_sha256(r)), 64);
		assert_true(r->seen_count >= 1);
		assert_true(r->max_packets >= 1 && r->max_packets <= 100);
		assert_true(r->max_bytes <= 4096);
		assert_true(i == 0 || strcmp(ruleset_at(shipped, i - 1)->name, r->name) < 0);
		for (size_t n = 0; n < i; n++)
			assert_string_not_equal(rule_sha256(ruleset_at(shipped, n)), rule_sha256(r));
	}
	assert_null(ruleset_find(shipped, "no-such-rule"));
}

/* Every protocol that the main job reads and that can be asked at all has a rule. */
static void test_protocols(void **state)
{
	static const char *const protocols[] = { "modbus", "s7comm", "enip", "bacnet", "dnp3", "iec104", "opcua",
						 "profinet_dcp", "http", "tls", "ssh", "snmp" };

	(void)state;
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		const struct rule *r = ruleset_next(shipped, protocols[i], TRANSPORT_NONE, NULL), *before = NULL;
		size_t count = 0;

		assert_non_null(r);
		for (; r; before = r, r = ruleset_next(shipped, protocols[i], TRANSPORT_NONE, r)) {
			assert_string_equal(r->protocol, protocols[i]);
			assert_true(!before || before->risk <= r->risk);
			assert_true(++count < 20);
		}
	}
	assert_string_equal(ruleset_next(shipped, "enip", TRANSPORT_UDP, NULL)->name, "enip-udp");
	assert_null(ruleset_next(shipped, "enip", TRANSPORT_ETHERNET, NULL));
}

static void fill(const struct rule *r, struct filling *f, const char *hole, uint64_t number)
{
	for (size_t i = 0; i < r->holes_count; i++)
		if (strcmp(r->holes[i].name, hole) == 0) {
			f[i].number = number;
			return;
		}
	fail_msg("%s has no hole %s", r->name, hole);
}

static void fill_text(const struct rule *r, struct filling *f, const char *hole, const char *text)
{
	for (size_t i = 0; i < r->holes_count; i++)
		if (strcmp(r->holes[i].name, hole) == 0) {
			f[i].len = (uint8_t)strlen(text);
			memcpy(f[i].bytes, text, strlen(text));
			return;
		}
	fail_msg("%s has no hole %s", r->name, hole);
}

static void assert_renders(const struct rule *r, size_t step, const struct filling *f, const char *hex)
{
	uint8_t bytes[RULE_MESSAGE_BYTES];
	char text[2 * RULE_MESSAGE_BYTES + 1] = "";
	size_t len = 0;

	assert_true(rule_render(r, step, f, bytes, &len));
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(text, hex);
}

/* Bytes that stand in recorded sessions, in published scripts or in the specifications' examples. */
static void test_known_bytes(void **state)
{
	struct filling f[RULE_HOLES];
	const struct rule *r;

	(void)state;
	r = ruleset_find(shipped, "modbus");
	rule_defaults(r, f);
	fill(r, f, "transaction", 0x1234);
	assert_renders(r, 0, f, "123400000005ff2b0e0200");
	r = ruleset_find(shipped, "dnp3");
	rule_defaults(r, f);
	fill(r, f, "outstation", 1);
	fill(r, f, "master", 3);
	assert_renders(r, 0, f, "056421c401000300ce78c1c10100fc00000000fa00000000f2008585000000f300000000f80000002b5b");
	r = ruleset_find(shipped, "dnp3-link");
	rule_defaults(r, f);
	fill(r, f, "outstation", 1);
	fill(r, f, "master", 3);
	assert_renders(r, 0, f, "056405c901000300753e");
	r = ruleset_find(shipped, "iec104");
	assert_renders(r, 0, f, "680443000000");
	r = ruleset_find(shipped, "bacnet-properties");
	rule_defaults(r, f);
	fill(r, f, "property", 121);
	assert_renders(r, 0, f, "810a001101040005010c0c023fffff1979");
	r = ruleset_find(shipped, "snmp-v3");
	rule_defaults(r, f);
	fill(r, f, "id", 0x2a3b4c5d);
	assert_renders(r, 0, f,
		       "303e020103301102042a3b4c5d020300ffe30401040201030410300e0400020100020100040004000400301404000400"
		       "a00e02042a3b4c5d0201000201003000");
}

static void test_known_sessions(void **state)
{
	struct filling f[RULE_HOLES];
	const struct rule *r;

	(void)state;
	r = ruleset_find(shipped, "s7comm");
	rule_defaults(r, f);
	assert_renders(r, 0, f, "0300001611e00000000100c1020100c2020102c0010a");
	assert_renders(r, 1, f, "0300001902f08032010000000100080000f0000001000101e0");
	assert_renders(r, 2, f, "0300002102f080320700000001000800080001120411440100ff09000400110000");
	r = ruleset_find(shipped, "enip-slots");
	rule_defaults(r, f);
	fill(r, f, "session", 0x11223344);
	fill(r, f, "slot", 3);
	assert_renders(r, 1, f,
		       "6f0024004433221100000000000000000000000000000000000000000600020000000000b2001400"
		       "520220062401059d0600010220012401" "01000103");
	r = ruleset_find(shipped, "snmp");
	rule_defaults(r, f);
	fill(r, f, "id", 0x11223344);
	fill_text(r, f, "community", "public");
	assert_renders(r, 0, f,
		       "305302010104067075626c6963a0460204112233440201000201003038300c06082b060102010101000500300c06082b06"
		       "0102010102000500300c06082b060102010105000500300c06082b060102010106000500");
	r = ruleset_find(shipped, "opcua");
	rule_defaults(r, f);
	fill_text(r, f, "host", "10.0.0.5");
	fill_text(r, f, "port", "4840");
	assert_renders(r, 0, f,
		       "48454c463700000000000000ffff0000ffff00000000000000000000170000006f70632e7463703a2f2f31302e302e302e353a34383430");
}

/* A value outside its range is never rendered. */
static void test_ranges(void **state)
{
	const struct rule *r = ruleset_find(shipped, "modbus-units"), *text = ruleset_find(shipped, "snmp");
	struct filling f[RULE_HOLES];
	uint8_t bytes[RULE_MESSAGE_BYTES];
	size_t len;

	(void)state;
	rule_defaults(r, f);
	assert_true(rule_render(r, 0, f, bytes, &len));
	fill(r, f, "unit", 247);
	assert_true(rule_render(r, 0, f, bytes, &len));
	fill(r, f, "unit", 0);
	assert_false(rule_render(r, 0, f, bytes, &len));
	fill(r, f, "unit", 248);
	assert_false(rule_render(r, 0, f, bytes, &len));
	fill(r, f, "unit", 0x101);
	assert_false(rule_render(r, 0, f, bytes, &len));
	rule_defaults(text, f);
	fill_text(text, f, "community", "");
	assert_false(rule_render(text, 0, f, bytes, &len));
	fill_text(text, f, "community", "123456789012345678901234567890123");
	assert_false(rule_render(text, 0, f, bytes, &len));
	fill_text(text, f, "community", "a\r\nb");
	assert_false(rule_render(text, 0, f, bytes, &len));
}

/* A rule to break: line numbers are those of this text. */
static const char whole[] = "protocol: modbus\n"                                                          /* 1 */
			    "sources: none\n"                                                             /* 2 */
			    "rules:\n"                                                                    /* 3 */
			    "  - name: modbus\n"                                                          /* 4 */
			    "    transport: tcp\n"                                                        /* 5 */
			    "    ports: [502]\n"                                                          /* 6 */
			    "    risk: low\n"                                                             /* 7 */
			    "    why: asks for the identification of a unit\n"                            /* 8 */
			    "    must_have_seen: [modbus]\n"                                              /* 9 */
			    "    fills: [vendor, firmware]\n"                                             /* 10 */
			    "    max_packets: 20\n"                                                       /* 11 */
			    "    max_bytes: 88\n"                                                         /* 12 */
			    "    timeout_ms: 3000\n"                                                      /* 13 */
			    "    holes:\n"                                                                /* 14 */
			    "      - {name: id, by: counter, from: 1, to: 65535, meaning: number}\n"      /* 15 */
			    "      - {name: unit, by: order, from: 0, to: 255, value: 255, meaning: whom}\n" /* 16 */
			    "      - {name: object, by: reply, from: 1, to: 255, meaning: next}\n"        /* 17 */
			    "    steps:\n"                                                                /* 18 */
			    "      - name: identify\n"                                                    /* 19 */
			    "        says: who are you\n"                                                 /* 20 */
			    "        send: |\n"                                                           /* 21 */
			    "          {id:u16be} 00 00  # head\n"                                        /* 22 */
			    "          {=length-6:u16be} {unit:u8}\n"                                     /* 23 */
			    "          2b 0e 02 00\n"                                                     /* 24 */
			    "        reply: {begins: '{id:u16be} 00 00', ends: length, offset: 4, width: 2, order: big, add: 6, at_most: 512}\n"
			    "        carry: [{hole: object, offset: 12}]\n"                               /* 26 */
			    "      - name: more\n"                                                        /* 27 */
			    "        says: go on\n"                                                       /* 28 */
			    "        repeat: {while: {offset: 11, is: 255}, at_most: 7}\n"                /* 29 */
			    "        send: '{id:u16be} 00 00 {=length-6:u16be} {unit:u8} 2b 0e 02 {object:u8}'\n" /* 30 */
			    "        reply: {ends: length, offset: 4, width: 2, order: big, add: 6, at_most: 512}\n"; /* 31 */

struct mistake {
	const char *from, *to;
	uint32_t line;
	const char *what;
};

static const struct mistake mistakes[] = {
	/* form */
	{ "    risk: low\n", "    risc: low\n", 7, "key 'risc' is unknown" },
	{ "    risk: low\n", "    risc: low\n", 4, "key 'risk' is missing" },
	{ "    risk: low\n", "    risk: harmless\n", 7, "none of low, medium, high" },
	{ "    risk: low\n", "    risk: low\n    risk: high\n", 8, "stands twice" },
	{ "max_packets: 20", "max_packets: many", 11, "is no number" },
	{ "max_packets: 20", "max_packets: -1", 11, "out of range" },
	{ "max_packets: 20", "max_packets: 4294967296", 11, "out of range" },
	{ "max_packets: 20", "max_packets: [20]", 11, "must be a single value" },
	{ "ports: [502]", "ports: 502", 6, "must be a list" },
	{ "ports: [502]", "ports: [1,2,3,4,5,6,7,8,9]", 6, "it may have 1 to 8" },
	{ "    fills:", "    sub_assets: yes\n    fills:", 10, "must be true or false" },
	{ "    timeout_ms: 3000\n", "    timeout_ms: 3000\n  bad indent: [\n", 14, "no YAML" },
	/* head */
	{ "protocol: modbus", "protocol: s7comm", 1, "bears its protocol's name" },
	{ "protocol: modbus", "protocol: nonesuch", 1, "no list of reading functions" },
	{ "name: modbus\n", "name: mod bus\n", 4, "made of a-z" },
	{ "name: modbus\n", "name: modbusx\n", 4, "begins with 'modbus-'" },
	{ "transport: tcp", "transport: udp", 5, "no list for modbus over udp" },
	{ "    ports: [502]\n", "", 4, "no ports" },
	{ "ports: [502]", "ports: [0]", 6, "0 is no port" },
	{ "ports: [502]", "ports: [502, 9100]", 6, "prints whatever" },
	{ "ports: [502]", "ports: [9107]", 6, "prints whatever" },
	{ "ports: [502]", "ports: [502, 515]", 6, "prints whatever" },
	{ "ports: [502]", "ports: [502]\n    ethertype: 0x8892", 7, "neither an ethertype" },
	{ "fills: [vendor, firmware]", "fills: [vendor, colour]", 10, "'colour' is no attribute" },
	{ "fills: [vendor, firmware]", "fills: [vendor, vendor]", 10, "stands twice" },
	{ "must_have_seen: [modbus]", "must_have_seen: [modbuss]", 9, "no protocol that can be asked" },
	{ "timeout_ms: 3000", "timeout_ms: 30001", 13, "timeout_ms is" },
	{ "max_packets: 20", "max_packets: 19", 11, "can take 20 packets" },
	{ "max_packets: 20", "max_packets: 2000", 11, "max_packets is" },
	{ "max_bytes: 88", "max_bytes: 87", 12, "can send 88 bytes" },
	{ "    max_packets", "    session: true\n    max_packets", 7, "medium at least" },
	/* holes */
	{ "name: unit, by: order", "name: object, by: order", 17, "declared twice" },
	{ "from: 0, to: 255, value: 255", "from: 0, to: 256, value: 255", 16, "beyond 255" },
	{ "from: 0, to: 255, value: 255", "from: 9, to: 8, value: 9", 16, "upside down" },
	{ "from: 0, to: 255, value: 255", "from: 0, to: 9, value: 255", 16, "outside its range" },
	{ "from: 0, to: 255, value: 255", "value: 255", 16, "no range" },
	{ "from: 0, to: 255, value: 255", "from: 0, to: 255", 16, "give the value" },
	{ "by: counter, from: 1", "by: counter, value: 3, from: 1", 15, "not given beforehand" },
	{ "        carry: [{hole: object, offset: 12}]\n", "", 17, "no step carries it" },
	{ "{hole: object, offset: 12}", "{hole: unit, offset: 12}", 26, "not declared with by: reply" },
	{ "{hole: object, offset: 12}", "{hole: object, offset: 512}", 19, "beyond the reply's at_most" },
	{ "      - {name: object", "      - {name: idle, by: fresh, from: 1, to: 2, meaning: x}\n      - {name: object", 17,
	  "used by no step" },
	{ "name: unit, by: order, from: 0, to: 255, value: 255", "name: unit, by: list, values: [1, 2]", 19, "has many values" },
	{ "from: 0, to: 255, value: 255", "text: 1.2.3.4.5.6, from: 11, to: 24", 16, "text and values have no sense" },
	/* texts that become bytes */
	{ "      - {name: object", "      - {name: net, by: order, text: 1.2.3.4.5.6, from: 11, to: 24, meaning: x}\n      - {name: object", 17,
	  "used by no step" },
	{ "2b 0e 02 00\n", "2b 0e 02 {unit:netid}\n", 24, "another type before" },
	{ "{unit:u8}\n          2b 0e 02 00\n", "{unit:netid}\n", 16, "give its default as text" },
	{ "{unit:u8}\n          2b 0e 02 00\n", "{unit:netid}\n", 16, "a netid has 11 to 23" },
	{ "{unit:u8}\n          2b 0e 02 00\n", "{unit:title}\n", 16, "a title has 3 to 60" },
	{ "name: unit, by: order, from: 0, to: 255, value: 255, meaning: whom}\n      - {name: object, by: reply, from: 1, to: 255, meaning: next}\n"
	  "    steps:\n      - name: identify\n        says: who are you\n        send: |\n          {id:u16be} 00 00  # head\n          {=length-6:u16be} {unit:u8}\n",
	  "name: unit, by: order, text: 1.2.3, from: 11, to: 23, meaning: whom}\n      - {name: object, by: reply, from: 1, to: 255, meaning: next}\n"
	  "    steps:\n      - name: identify\n        says: who are you\n        send: |\n          {id:u16be} 00 00  # head\n          {=length-6:u16be} {unit:netid}\n",
	  16, "numbers with dots in the form" },
	{ "by: counter, from: 1, to: 65535", "by: clock", 15, "the clock is u64le or u32be" },
	{ "ports: [502]\n", "ports: [502]\n    reply_port: any\n", 7, "over udp alone" },
	{ "ports: [502]\n", "ports: [502]\n    reply_port: all\n", 7, "none of service, any, follow" },
	{ "2b 0e 02 00\n", "2b 0e 02 {=crc-ccitt}\n", 24, "is unknown" },
	{ "2b 0e 02 00\n", "2b 0e 02 {=length(unit)+2:u8}\n", 24, "is no text hole" },
	/* bytes */
	{ "2b 0e 02 00\n", "2b 0e 02 0\n", 24, "stands alone" },
	{ "2b 0e 02 00\n", "2b 0e zz 00\n", 24, "no hex digit" },
	{ "2b 0e 02 00\n", "2b 0e {none:u8} 00\n", 24, "not declared" },
	{ "2b 0e 02 00\n", "2b 0e {unit} 00\n", 24, "has no type" },
	{ "2b 0e 02 00\n", "2b 0e {unit:u9} 00\n", 24, "no type of a hole" },
	{ "2b 0e 02 00\n", "2b 0e {unit:u16be} 00\n", 24, "another type before" },
	{ "2b 0e 02 00\n", "2b 0e {=size:u8} 00\n", 24, "is unknown" },
	{ "2b 0e 02 00\n", "2b 0e .. 00\n", 24, "reply's beginning only" },
	{ "2b 0e 02 00\n", "\"text\n", 24, "no closing quote" },
	{ "2b 0e 02 00\n", "00*9999\n", 24, "repeated" },
	/* steps */
	{ "name: more", "name: identify", 27, "two steps are named" },
	{ "says: go on\n", "says: go on\n        listen: true\n", 27, "either has bytes" },
	{ "at_most: 7}", "at_most: 0}", 29, "at_most is 1 to" },
	{ "at_most: 7}", "at_most: 257}", 29, "at_most is 1 to" },
	{ "while: {offset: 11, is: 255}, at", "over: unit, at", 29, "stop_after_silent" },
	{ "while: {offset: 11, is: 255}, at", "over: unit, stop_after_silent: 1, at", 19, "sub_assets: true" },
	{ "while: {offset: 11, is: 255}, at", "over: none, at", 29, "not declared" },
	{ "while: {offset: 11, is: 255}, at", "over: id, at", 29, "only a hole by list" },
	{ "offset: 4, width: 2, order: big, add: 6, at_most: 512}\n        carry", "at_most: 512}\n        carry", 25,
	  "needs offset, width" },
	{ "ends: length, offset: 4, width: 2, order: big, add: 6, at_most: 512}\n        carry",
	  "ends: datagram, at_most: 512}\n        carry", 25, "over tcp a reply ends" },
	{ "order: big, add: 6, at_most: 512}\n        carry", "order: big, add: 6, at_most: 0}\n        carry", 25,
	  "at_most is 1 to" },
	{ "'{id:u16be} 00 00', ends", "'{id:u16be} {=length:u8}', ends", 25, "computed for what is sent" },
	/* the guard */
	{ "2b 0e 02 00\n", "2b 0d 02 00\n", 22, "the guard refuses: encapsulated interface 0x0d" },
	{ "2b 0e 02 00\n", "06 00 01 00 03\n", 22, "the guard refuses: function 0x06" },
	{ "2b 0e 02 00\n", "2b 0e 00 00\n", 22, "the guard refuses: read code 0" },
	{ "2b 0e 02 {object:u8}'", "{object:u8} 0e 02 00'", 30, "the guard refuses" },
	{ "{=length-6:u16be} {unit:u8}\n", "{=length-5:u16be} {unit:u8}\n", 22, "the guard refuses: the header's" },
};

static char *replaced(const char *from, const char *to)
{
	static char text[TEXT_BYTES];
	const char *at = strstr(whole, from);

	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
	return text;
}

/* Loads the text as probes/modbus.yaml of a folder of its own. */
static struct ruleset *load_text(const char *text, struct told *told)
{
	char dir[] = "/tmp/ruleset-XXXXXX", path[128];
	struct ruleset *set;
	FILE *f;

	memset(told, 0, sizeof *told);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/probes", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/probes/modbus.yaml", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	set = ruleset_load(dir, keep, told);
	unlink(path);
	snprintf(path, sizeof path, "%s/probes", dir);
	rmdir(path);
	rmdir(dir);
	return set;
}

static void test_mistakes(void **state)
{
	static struct told told;
	char line[16];

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		const struct mistake *m = &mistakes[i];
		struct ruleset *set = load_text(replaced(m->from, m->to), &told);
		bool found = false;

		if (set)
			fail_msg("'%s' for '%s' was accepted", m->to, m->from);
		snprintf(line, sizeof line, ":%u ", m->line);
		for (char *at = told.text, *rest = told.text; at && *at; at = rest) {
			at = strsep(&rest, "\n");
			found |= strstr(at, line) && strstr(at, m->what);
		}
		if (!found) {
			load_text(replaced(m->from, m->to), &told);
			fail_msg("'%s' for '%s' should be told as %u ... %s, but:\n%s", m->to, m->from, m->line, m->what, told.text);
		}
	}
}

/* Mistakes in two places of a file are both told at once. */
static void test_all_mistakes(void **state)
{
	static struct told told;
	char text[TEXT_BYTES];

	(void)state;
	snprintf(text, sizeof text, "%s", replaced("ports: [502]", "ports: [0]"));
	memcpy(strstr(text, "vendor, firm"), "vendor, form", 12);
	memcpy(strstr(text, "2b 0e 02 00"), "2b 0e zz 00", 11);
	assert_null(load_text(text, &told));
	assert_int_equal(told.count, 3);
	assert_non_null(strstr(told.text, ":6 rule 'modbus': 0 is no port"));
	assert_non_null(strstr(told.text, ":10 rule 'modbus': 'formware' is no attribute"));
	assert_non_null(strstr(told.text, ":24 rule 'modbus': step 'identify'"));
}

static void test_two_of_one_name(void **state)
{
	static struct told told;
	char text[TEXT_BYTES];

	(void)state;
	snprintf(text, sizeof text, "%s%s", whole, strstr(whole, "  - name: modbus"));
	assert_null(load_text(text, &told));
	assert_non_null(strstr(told.text, ":32 rule 'modbus': the name is taken"));
}

static void hash_of(const char *text, char hash[65])
{
	static struct told told;
	struct ruleset *set = load_text(text, &told);

	if (!set)
		fail_msg("%s", told.text);
	memcpy(hash, rule_sha256(ruleset_at(set, 0)), 65);
	ruleset_free(set);
}

/* Words for people don't change a rule; anything that changes what is sent or taken does. */
static void test_hash(void **state)
{
	static const char *const same[][2] = {
		{ "# head", "# another remark" },
		{ "why: asks for the", "why: reads out the" },
		{ "2b 0e 02 00\n", "2b   0e 02    00\n" },
		{ "meaning: whom", "meaning: somebody" },
		{ "is: 255", "is: 0xff" },
	};
	static const char *const other[][2] = {
		{ "2b 0e 02 00\n", "2b 0e 01 00\n" }, { "risk: low", "risk: high" },
		{ "to: 255, value: 255", "to: 255, value: 254" }, { "from: 0, to: 255", "from: 1, to: 255" },
		{ "at_most: 7}", "at_most: 6}" }, { "is: 255", "is: 254" },
		{ "offset: 11", "offset: 12" }, { "timeout_ms: 3000", "timeout_ms: 3001" },
		{ "max_packets: 20", "max_packets: 21" }, { "max_bytes: 88", "max_bytes: 89" },
		{ "ports: [502]", "ports: [503]" }, { "name: modbus\n", "name: modbus-x\n" },
		{ "by: counter", "by: fresh" }, { "'{id:u16be} 00 00'", "'{id:u16be} 00 ..'" },
		{ "add: 6", "add: 7" }, { "hole: object, offset: 12", "hole: object, offset: 13" },
		{ "fills: [vendor, firmware]", "fills: [vendor]" }, { "at_most: 512}", "at_most: 511}" },
	};
	char first[65], hash[65];

	(void)state;
	hash_of(whole, first);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		hash_of(replaced(same[i][0], same[i][1]), hash);
		assert_string_equal(hash, first);
	}
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		hash_of(replaced(other[i][0], other[i][1]), hash);
		assert_string_not_equal(hash, first);
	}
}

/* Any byte of the file changed: it loads or is refused with a word, and nothing breaks. */
static void test_changed_files(void **state)
{
	static struct told told;
	static char text[sizeof whole];
	size_t loaded = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof whole - 1; i += 3) {
		static const char letters[] = "{}[]:'\"#\n\t\x01\xff" "0z-";
		struct ruleset *set;

		memcpy(text, whole, sizeof whole);
		text[i] = letters[i % (sizeof letters - 1)];
		set = load_text(text, &told);
		assert_true(set ? told.count == 0 : told.count > 0);
		loaded += set != NULL;
		refused += set == NULL;
		ruleset_free(set);
	}
	assert_true(loaded > 10 && refused > 100);
}

static void test_no_folder(void **state)
{
	static struct told told;

	(void)state;
	assert_null(ruleset_load("/nonexistent", keep, &told));
	assert_int_equal(told.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),       cmocka_unit_test(test_protocols),    cmocka_unit_test(test_known_bytes),
		cmocka_unit_test(test_known_sessions), cmocka_unit_test(test_ranges),      cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_all_mistakes),  cmocka_unit_test(test_two_of_one_name), cmocka_unit_test(test_hash),
		cmocka_unit_test(test_changed_files), cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, load_shipped, free_shipped);
}
