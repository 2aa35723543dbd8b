/*
 * The plant rules against what other clients sent and real devices answered: the bytes of each question, where its
 * answer begins and ends, what is carried on; errors, other answers, cut ones and impossible lengths.
 */
#include "tests/unit/exchange_fixture.h"

static const struct exchange exchanges[] = {
	/* CJ2M and CP1L controllers; a server that knows no such command; an answer to another question. */
	{ "fins", "controller", { { "service", 0xef, NULL } }, "800002000000006300ef050100",
	  "c00002006300000000ef05010000434a324d2d43505533332020202020202020202030322e3030", MATCH_YES, { { 0 } } },
	{ "fins", "controller", { { "service", 0xef, NULL } }, NULL, "c10002006300000000ef05010402", MATCH_YES, { { 0 } } },
	{ "fins", "controller", { { "service", 0xee, NULL } }, NULL, "c10002006300000000ef05010402", MATCH_NO, { { 0 } } },
	{ "fins-routed", "controller", { { "network", 3, NULL }, { "node", 5, NULL }, { "service", 9, NULL } },
	  "80000703050000630009050100", "c000070063000305000905010000", MATCH_YES, { { 0 } } },
	{ "fins-units", "units", { { "service", 1, NULL } }, "8000020000000063000105020019", "c00002006300000000010502000081", MATCH_YES, { { 0 } } },
	{ "fins-tcp", "node", { { 0 } }, "46494e530000000c000000000000000000000000",
	  "46494e53000000100000000100000000000000fb000000c8", MATCH_YES, { { "client", 0xfb, NULL }, { "server", 0xc8, NULL } } },
	{ "fins-tcp", "node", { { 0 } }, NULL, "46494e530000001000000001000000200000000000000000", MATCH_NO, { { 0 } } },
	{ "fins-tcp", "controller", { { "server", 0xc8, NULL }, { "client", 0xfb, NULL }, { "service", 0xef, NULL } },
	  "46494e53000000150000000200000000800002" "00c80000fb00ef050100",
	  "46494e53000000720000000200000000c0000200fbef00c80005050100004350314c2d454c323044522d440000002020202030312e3030000000000030312e3036000000000000000000000000000000000000000000000000010000000000000000000000000000000000010003000a172a1008000000000000", MATCH_YES, { { 0 } } },
	/* A Q03UD CPU; SLMP as its specification has it, and its error. */
	{ "melsoft", "model", { { 0 } }, "57000000001111070000ffff030000fe03000014001c080a0800000000000000040101010000000001",
	  "d700c80000111107000000e40300ffff03000038009c000c08000000001004000000000101010000005130335544454350552020202020202068020008baba081020210316002002000101e802", MATCH_YES, { { 0 } } },
	{ "melsoft-udp", "code", { { 0 } }, "5a0000ff", "da0000ff294a0000000000000000000000000000000000000000000000", MATCH_YES, { { 0 } } },
	{ "melsec_slmp", "type name", { { 0 } }, "500000ffff03000600100001010000", "d00000ffff03001400000051303355444543505520202020202020" "6802", MATCH_YES, { { 0 } } },
	{ "melsec_slmp", "type name", { { 0 } }, NULL, "d00000ffff03000b0059c000ffff030001010000", MATCH_YES, { { 0 } } },
	{ "melsec_slmp-cpus", "type name", { { "module", 0x3e1, NULL } }, "500000ffe103000600100001010000", "d00000ffe10300020051c0", MATCH_YES, { { 0 } } },
	/* The FieldComm Group's server, a gateway; all sessions taken. */
	{ "hart_ip-tcp", "open", { { "sequence", 1, NULL } }, "010000000001000d0100004e20", "010100000001000d0100004e20", MATCH_YES, { { 0 } } },
	{ "hart_ip-tcp", "open", { { "sequence", 1, NULL } }, NULL, "0101000f00010008", MATCH_NO, { { 0 } } },
	{ "hart_ip-tcp", "identity", { { "sequence", 2, NULL } }, "010003000002000d0280000082",
	  "010103000002002506c000180093fef9fd000702324e0074056d000300010100f900f94190", MATCH_YES,
	  { { "type", 0xf9fd, NULL }, { "device", 0x74056d, NULL } } },
	{ "hart_ip", "identity", { { "sequence", 3, NULL } }, NULL,
	  "010103000003002586264e0000d2001800d0fe264e050704010e0c0000d205020002d00026002684e4", MATCH_NO, { { 0 } } },
	{ "hart_ip", "long tag", { { "sequence", 3, NULL }, { "type", 0x264e, NULL }, { "device", 0xd2, NULL } },
	  "010003000003001182264e0000d214002c", "0101030000030033" "86264e0000d2142200d07769686172746777000000000000000000000000000000000000000000000000db", MATCH_YES, { { 0 } } },
	{ "hart_ip-devices", "sub-device", { { "sequence", 5, NULL }, { "type", 0x264e, NULL }, { "device", 0xd2, NULL }, { "index", 1, NULL } },
	  "010003000005001382264e0000d2540200016f", "010103000005001386264e0000d2540240930d", MATCH_YES, { { 0 } } },
	/* TwinCAT on Windows CE; pyads' server; a router without a route. */
	{ "ads", "discover", { { "id", 0x11223344, NULL } }, "036614714433221101000000000000000101000000000000",
	  "036614714433221101000080050d7560010110270300000005000a0043585f3044373536", MATCH_YES, { { 0 } } },
	{ "ads-tcp", "device info", { { "target", 0, "127.0.0.1.1.1" }, { "source", 0, "127.0.0.1.9.9" }, { "port", 851, NULL }, { "invoke", 1, NULL } },
	  "0000200000007f000001010153037f000001090901800100040000000000" "0000000001000000",
	  "0000330000007f000001090930757f000001010153030100050013000000000000000100000000000000010203005465737453657276657200", MATCH_YES, { { 0 } } },
	{ "ads-tcp", "device info", { { "target", 0, "127.0.0.1.1.1" }, { "port", 10000, NULL } }, NULL,
	  "0000200000007f000001090930757f0000010101102701000500000000000600000001000000", MATCH_YES, { { 0 } } },
	/* A PMU whose stream has another number than the one asked for; pypmu's header; data between. */
	{ "c37_118", "configuration", { { "stream", 1, NULL }, { "time", 0x6b02497d, NULL } }, "aa41001200016b02497d00000000000552ae",
	  "aa31008600f14893344a0019999a00ffffff0001426c756520504d55202020202020202000f1000600040000000056314c504d202020202020202020202056"
	  "414c504d202020202020202020202056424c504d202020202020202020202056434c504d20202020202020202020200000000100000001000000010000000100"
	  "0100590032c1e2", MATCH_YES, { { 0 } } },
	{ "c37_118-header", "header", { { "stream", 1410, NULL } }, NULL,
	  "aa11005705826b02497d000c1643486579212049276d2072616e646f6d504d552120477565737320776861743f2049276d2073656e64696e672072616e646f6d"
	  "206d6561737572656d656e74732076616c75657321ef78", MATCH_YES, { { 0 } } },
	{ "c37_118", "configuration", { { "stream", 1, NULL } }, NULL, "aa01003400f14893344a0019999a00000000", MATCH_NO, { { 0 } } },
	{ "c37_118-udp", "configuration", { { "stream", 1, NULL } }, NULL, "aa01003400f14893344a0019999a00000000", MATCH_NO, { { 0 } } },
	{ "atg", "revision", { { 0 } }, "014939303230300d0a", "010d0a4939303230300d0a534f4654574152452320203334363333302d313030" "0d0a03", MATCH_YES, { { 0 } } },
	{ "atg-tanks", "inventory", { { 0 } }, "014932303130300d0a", "01393939394646314203", MATCH_YES, { { 0 } } },
	/* knxd; no tunnel free; a confirmation of the transport, then the telegram's own. */
	{ "knxnet_ip", "description", { { 0 } }, "06100203000e0801000000000000", "0610020400463601020011010000000000000000e000170c", MATCH_YES, { { 0 } } },
	{ "knxnet_ip-device", "connect", { { 0 } }, "06100205001a0801000000000000080100000000000004040200", "0610020600144d0008017f0000010e5704041164", MATCH_YES, { { "channel", 0x4d, NULL } } },
	{ "knxnet_ip-device", "connect", { { 0 } }, NULL, "0610020600080024", MATCH_NO, { { 0 } } },
	{ "knxnet_ip-device", "descriptor", { { "channel", 0x4d, NULL }, { "device", 0x1105, NULL } }, "061004200015044d00001100b06000001105010300", "06100421000a044d0000", MATCH_YES, { { 0 } } },
	{ "knxnet_ip-device", "descriptor goes out", { { "channel", 0x4d, NULL } }, NULL, "061004200015044d07002e00b06011641105010300", MATCH_YES, { { "theirs", 7, NULL } } },
	{ "knxnet_ip-device", "descriptor is answered", { { "channel", 0x4d, NULL }, { "theirs", 7, NULL } }, "06100421000a044d0700", "061004200017044d08002900b060110511640303400701", MATCH_YES, { { "theirs", 8, NULL } } },
	{ "knxnet_ip-device", "disconnect", { { "channel", 0x4d, NULL } }, "0610020900104d000801000000000000", "0610020a00084d00", MATCH_YES, { { 0 } } },
	/* libiec61850; a long answer's first piece; a refused association. */
	{ "mms", "connect", { { "reference", 0, NULL } }, NULL, "0300001611d00000000100c0010ac2020001c1020000", MATCH_YES, { { 0 } } },
	{ "mms", "identify", { { "invoke", 1, NULL } }, "0300001b02f08001000100610e300c020103a007a0050201018200",
	  "0300003002f0800100010061233021020103a01ca11a020101a21580024d5a8108626173696320696f8205312e342e32", MATCH_YES, { { 0 } } },
	{ "mms", "associate", { { 0 } }, NULL, "0300001002f0800c07050613010016", MATCH_NO, { { 0 } } },
	{ "mms-devices", "devices", { { "invoke", 1, NULL } }, "0300002402f0800100010061173015020103a010a00e020101a109a003800109a1028000",
	  "0300003302f0800100010061263024020103a01fa11d020101a118a0131a1173696d706c65494f47656e65726963494f810100", MATCH_YES, { { 0 } } },
	{ "mms-devices", "rest of the names", { { 0 } }, NULL, "0300000a02f000414243", MATCH_YES, { { 0 } } },
	/* p-net: the first entry, and its end without one; a fault. */
	{ "profinet_cm", "lookup", { { 0 } }, NULL, "0402280010000000000000000000000000000000000000000883afe11f5dc91191a408002b14a0fa", MATCH_YES, { { 0 } } },
	{ "profinet_cm", "lookup", { { 0 } }, NULL, "0403280010000000000000000000000000000000000000000883afe11f5dc91191a408002b14a0fa", MATCH_NO, { { 0 } } },
	{ "bsap", "read", { { "sequence", 1, NULL }, { "signal", 0, "@GV.AS3" } }, "0e00010006000100000000000000" "1b000000" "0c01000000" "0000" "a00004" "03d0010f" "01" "4047562e41533300",
	  "0e0001000500894b0000984b0000350000000c984b00000006020000a042000024770200", MATCH_YES, { { 0 } } },
	{ "bsap", "read", { { 0 } }, NULL, "0e000000010000000000754b0000", MATCH_NO, { { 0 } } },
	{ "c12_22-udp", "identify", { { "called", 0, "1.3.6.1.4.1.33507.1919.29674.30" }, { "calling", 0, "1.3.6.1.4.1.33507" }, { "invocation", 0x13e81421, NULL } }, NULL,
	  "6059a20a06082b06010401828563a611060f2b060104018285638e7f85f1c24e00a806020413e81421be30282e812c802a00", MATCH_YES, { { 0 } } },
	{ "ethercat", "count", { { "index", 7, NULL } }, "0d100707000000000100000000" "0000" "00000000000000000000000000000000000000000000000000000000000000",
	  "0d10070702000000010000000402000000000000000000000000000000000000000000000000000000000000000000", MATCH_YES, { { 0 } } },
	{ "modbus-umas", "id", { { "transaction", 1, NULL } }, "000100000004005a0002", "000100000008005a00fe01020304", MATCH_YES, { { 0 } } },
	{ "modbus-umas", "id", { { "transaction", 1, NULL } }, NULL, "000100000006005a00fd8081", MATCH_NO, { { 0 } } },
	{ "modbus-umas", "id", { { "transaction", 1, NULL } }, NULL, "00010000000300da01", MATCH_MORE, { { 0 } } },
};

static void test_exchanges(void **state)
{
	(void)state;
	look_at_exchanges(exchanges, sizeof exchanges / sizeof *exchanges);
}

/* The name plate of one logical device, with lengths of every depth: as the elements are, counted anew. */
static void test_name_plate(void **state)
{
	const struct rule *rule = ruleset_find(rules, "mms-nameplate");
	struct filling fillings[RULE_HOLES];
	uint8_t bytes[RULE_MESSAGE_BYTES];
	size_t step = step_of(rule, "name plate"), len;

	(void)state;
	for (uint8_t n = 1; n <= 64; n++) {
		struct guard_answer a;

		fill_values(rule, (struct value[VALUES]){ { 0 } }, fillings);
		fillings[hole_of(rule, "ld")].len = n;
		memset(fillings[hole_of(rule, "ld")].bytes, 'L', n);
		assert_true(rule_render(rule, step, fillings, bytes, &len));
		a = judge("mms", TCP, bytes, len);
		assert_true(a.allowed);
		assert_string_equal(a.reading, "read 8 variables of name plates");
	}
	fillings[hole_of(rule, "ld")].len = 65;
	assert_false(rule_render(rule, step, fillings, bytes, &len));
}

/* Texts of numbers with dots: what becomes bytes and what does not. */
static void test_texts(void **state)
{
	static const struct {
		enum text_form form;
		const char *text, *hex;
	} texts[] = {
		{ FORM_NETID, "5.13.117.96.1.1", "050d75600101" }, { FORM_NETID, "5.13.117.96.1", NULL }, { FORM_NETID, "5.13.117.256.1.1", NULL },
		{ FORM_NETID, "5.13.117..1.1", NULL },             { FORM_NETID, "5.13.117.96.1.1.", NULL }, { FORM_NETID, "5.13.117.96.1.1.1", NULL },
		{ FORM_TITLE, "1.3.6.1.4.1.33507", "06082b06010401828563" }, { FORM_TITLE, ".123.1", "80027b01" }, { FORM_TITLE, "2.16.124.113620.1.22.0", "0608607c86f754011600" },
		{ FORM_TITLE, "2.999", "06028837" }, { FORM_TITLE, "1.40", NULL }, { FORM_TITLE, "3.1", NULL }, { FORM_TITLE, "1", NULL },
		{ FORM_TITLE, "1.3.x", NULL },       { FORM_TITLE, "", NULL },     { FORM_TITLE, ".", NULL },   { FORM_TITLE, "1.3.4294967296", NULL },
		{ FORM_PLAIN, "abc", "616263" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		uint8_t got[RULE_TEXT_BYTES], expected[RULE_TEXT_BYTES];
		size_t n = 0;
		bool done = text_encode(texts[i].form, (const uint8_t *)texts[i].text, strlen(texts[i].text), got, &n);

		if (done != (texts[i].hex != NULL))
			fail_msg("'%s'", texts[i].text);
		if (!done)
			continue;
		assert_int_equal(n, from_hex(texts[i].hex, expected));
		assert_memory_equal(got, expected, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges), cmocka_unit_test(test_name_plate), cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, load_rules, free_rules);
}
