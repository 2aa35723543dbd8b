/*
 * The rules of controllers, machines, meters and brokers against what other clients sent and devices or servers
 * answered: the bytes of each question, where its answer begins and ends, what is carried on; errors, other answers,
 * cut ones and impossible lengths. Also the questions that are asked only after a certain answer.
 */
#include "tests/unit/exchange_fixture.h"

static const struct exchange exchanges[] = {
	/* As plc4x and the publication have them; a connect refused; a status that failed. */
	{ "cspv4", "connect", { { 0 } }, "01010000000000000000000000040005000000000000000000000000",
	  "02010000000033200000000000040005000000000000000000000000", MATCH_YES, { { "connection", 0x3320, NULL } } },
	{ "cspv4", "connect", { { 0 } }, NULL,
	  "02010000000000000000000100040005000000000000000000000000", MATCH_NO, { { 0 } } },
	{ "cspv4", "status", { { "connection", 0x3320, NULL }, { "transaction", 1, NULL } }, "01070009000033200000000000000000000000000000000000000000000500000600000103",
	  "02070020000033200000000000000000000000000000000000000000000500004600000100ee317845352f303520202020202020000006"
	  "0034124000", MATCH_YES, { { 0 } } },
	{ "cspv4", "status", { { 0 } }, NULL,
	  "020700080000332000000000000000000000000000000000000000000005000046100001", MATCH_YES, { { 0 } } },
	/* libdoip; its refusals of a version and of an optional question; a vehicle's longer announcement. */
	{ "doip", "identify", { { 0 } }, "02fd000100000000",
	  "02fd000400000020464f4f4241523030303030303030303030002800000000000000000000000000", MATCH_YES, { { 0 } } },
	{ "doip", "identify", { { 0 } }, NULL,
	  "03fc00000000000100", MATCH_YES, { { 0 } } },
	{ "doip", "identify any version", { { 0 } }, "ff00000100000000",
	  "03fc000400000021574155595959303030303030303030303010000211223344550211223344550010", MATCH_YES, { { 0 } } },
	{ "doip-status", "status", { { 0 } }, "02fd400100000000",
	  "02fd00000000000101", MATCH_YES, { { 0 } } },
	{ "doip-status", "status", { { 0 } }, NULL,
	  "02fd4002000000070001000000ffff", MATCH_YES, { { 0 } } },
	/* As pyfanuc prints them; all channels taken. */
	{ "focas", "open", { { 0 } }, "a0a0a0a00001010100020002",
	  "a0a0a0a0000401020018000000000000000000000000000000000000000000000000", MATCH_YES, { { 0 } } },
	{ "focas", "open", { { 0 } }, NULL,
	  "a0a0a0a0000121030002fff1", MATCH_NO, { { 0 } } },
	{ "focas", "information", { { 0 } }, "a0a0a0a000012101001e0001001c0001000100180000000000000000000000000000000000000000",
	  "a0a0a0a0000421020024000100220001000100180000000000000012000000203331204d4733303131322e303035", MATCH_YES, { { 0 } } },
	{ "focas", "close", { { 0 } }, "a0a0a0a0000102010000",
	  "a0a0a0a0000402020000", MATCH_YES, { { 0 } } },
	/* secs4js and secsgem: the session given and refused, the equipment's own introduction, model and software, an abort. */
	{ "hsms", "select", { { "system", 3115293179, NULL } }, NULL,
	  "0000000affff00000002b9af99fb", MATCH_YES, { { 0 } } },
	{ "hsms", "select", { { 0 } }, NULL,
	  "0000000affff00010002b9af99fb", MATCH_NO, { { 0 } } },
	{ "hsms", "introduction", { { 0 } }, NULL,
	  "0000001c0001810d0000e1369b980102410767656d657175704105312e302e30", MATCH_YES, { { 0 } } },
	{ "hsms", "are you there", { { "device", 1, NULL }, { "system", 65538, NULL } }, "0000000a00018101000000010002",
	  "00000020000101020000b9af99fd0102410b4c4142455443482d3330304105342e322e31", MATCH_YES, { { 0 } } },
	{ "hsms", "are you there", { { 0 } }, NULL,
	  "0000000a00010100000000010002", MATCH_YES, { { 0 } } },
	/* pyMbusSlave as libmbus asks it, a hot water meter, an acknowledgement that no data is. */
	{ "mbus_tcp", "read", { { "address", 3, NULL } }, "105b035e16",
	  "68131368080373785634120000e97e23010000560400007716", MATCH_YES, { { 0 } } },
	{ "mbus_tcp", "read", { { "address", 5, NULL } }, "105b056016",
	  "685e5e680805729164000865329906da0000000c13000000000b22864004046d240a611c326c00000c789164000806fd0c0a000100fa01"
	  "0dfd0b05313248465701fd0e004c1300000000426c5f1c0f37fd170000000000000000027a2500027825008216", MATCH_YES, { { 0 } } },
	{ "mbus_tcp", "read", { { "address", 5, NULL } }, NULL,
	  "e5", MATCH_NO, { { 0 } } },
	{ "mbus_tcp-udp", "read", { { "address", 250, NULL } }, "105bfa5516",
	  "68131368080373785634120000e97e23010000560400007716", MATCH_YES, { { 0 } } },
	/* libcoap; not found; an answer that wants to be acknowledged; another's; a reset. */
	{ "coap", "resources", { { "id", 4660, NULL }, { "token", 16909060, NULL } }, "5401123401020304bb2e77656c6c2d6b6e6f776e04636f7265",
	  "5445000101020304c128ff3c2f3e3b7469746c653d2247656e6572616c20496e666f223b63743d30", MATCH_YES, { { "theirs", 1, NULL } } },
	{ "coap", "resources", { { "token", 16909060, NULL } }, NULL,
	  "5484000101020304ff4e6f7420666f756e64", MATCH_YES, { { 0 } } },
	{ "coap", "resources", { { "token", 16909060, NULL } }, NULL,
	  "4445beef01020304c128ff3c2f3e", MATCH_YES, { { "theirs", 0xbeef, NULL } } },
	{ "coap", "resources", { { "token", 16909060, NULL } }, NULL,
	  "5445000101020305c128ff3c2f3e", MATCH_NO, { { 0 } } },
	{ "coap", "resources", { { "token", 16909060, NULL } }, NULL,
	  "70001234", MATCH_MORE, { { 0 } } },
	/* A Niagara 3.8 station; a refusal; a web server at the port. */
	{ "fox", "hello", { { 0 } }, "666f7820612031202d3120666f782068656c6c6f0a7b0a666f782e76657273696f6e3d733a312e300a69643d693a310a7d3b3b0a",
	  "666f7820612030202d3120666f782068656c6c6f0a7b0a666f782e76657273696f6e3d733a312e302e310a69643d693a3131383735320a"
	  "6170702e6e616d653d733a53746174696f6e0a6170702e76657273696f6e3d733a332e382e33382e370a7d3b3b0a", MATCH_YES, { { 0 } } },
	{ "fox", "hello", { { 0 } }, NULL,
	  "666f7820612030202d3120666f782068656c6c6f0a7b0a666174616c3d733a76657273696f6e0a7d3b3b0a", MATCH_YES, { { 0 } } },
	{ "fox", "hello", { { 0 } }, NULL,
	  "485454502f312e3120343030", MATCH_NO, { { 0 } } },
	/* mosquitto and aedes; a broker that wants a user. */
	{ "mqtt", "connect", { { 0 } }, "101800044d5154540402001e000c61736b616e63652d61616161",
	  "20020000", MATCH_YES, { { 0 } } },
	{ "mqtt", "connect", { { 0 } }, NULL,
	  "20020005", MATCH_NO, { { 0 } } },
	{ "mqtt", "version", { { 0 } }, "821800010013245359532f62726f6b65722f76657273696f6e00",
	  "9003000100312d0013245359532f62726f6b65722f76657273696f6e6d6f7371756974746f2076657273696f6e20322e302e3131", MATCH_YES, { { 0 } } },
	/* An ILC 151; a session refused. */
	{ "pcworx", "connect", { { 0 } }, "0101001a0000000078800003000c494245544830314e305f4d00",
	  "81010014000000010000000000020000004c0000", MATCH_YES, { { "session", 0x4c, NULL } } },
	{ "pcworx", "connect", { { 0 } }, NULL,
	  "8102000c0000ffffff0f0000", MATCH_NO, { { 0 } } },
	{ "pcworx", "ask", { { "session", 76, NULL } }, "01050016000100007880004c00000006000402950000",
	  "81050012000100010000000000020000004c", MATCH_YES, { { 0 } } },
	{ "pcworx", "read", { { "session", 76, NULL } }, "0106000e000200000000004c0400",
	  "810600b0000200010000000000020000004c0000000600988295004a0000494c4320313531204554480000000000000000000000000000"
	  "0000000000000000000000342e343100000000000000000030392f32382f31350000000031343a33353a30310030340000000020000000"
	  "00000000002000000000000000000000000000000020000000000000000020000000000000000030310032373030393734004231000000"
	  "2000000000200000000000", MATCH_YES, { { 0 } } },
	/* A runtime 4.2 that answers without the header; an echo is as good as silence. */
	{ "proconos", "description", { { 0 } }, "cc01000b4002000047ee",
	  "cc003030303030303030300050726f436f6e4f532056342e322e30323134204f6374203238203230313100205620332e3935412e362020"
	  "20202020204d6172202039203230313200202020202020517569636b4d697800", MATCH_YES, { { 0 } } },
	/* Either order of bytes may answer; a service of another kind. */
	{ "codesys_v2", "login", { { 0 } }, "bbbb0100000001",
	  "bbbbce000000e8030000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000004e75636c65757320504c55530000000000000000000000000000000000000000", MATCH_YES, { { 0 } } },
	{ "codesys_v2-big", "login", { { 0 } }, "bbbb0000000101",
	  "bbbb000000ce03e80000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "000000000000000000534d580000000000000000000000000000000000000000000000000000000000", MATCH_YES, { { 0 } } },
	{ "codesys_v2", "login", { { 0 } }, NULL,
	  "15030100020246", MATCH_NO, { { 0 } } },
	/* As the open tools read it; another protocol. */
	{ "codesys_v3", "identify", { { "port", 11740, NULL }, { "host", 3221226024, NULL }, { "own_port", 49153, NULL }, { "own_host", 3221225993, NULL } }, NULL,
	  "000117e88a000000c56b40040033c001c00002092ddcc0000228000080c2000434120000040001000600090008000400001000000b1206"
	  "1000040f05000000000800050000000000000000000000000000004c0049004e00450034002d0050004c004300000050004c0043002000"
	  "380032003100350000005700410047004f000000534e303030313233", MATCH_YES, { { 0 } } },
	{ "codesys_v3", "identify", { { 0 } }, NULL,
	  "160301000201", MATCH_NO, { { 0 } } },
	/* A G303; an answer about another item. */
	{ "crimson_v3", "model", { { 0 } }, "0004012a1a00",
	  "0009012a03004733303300", MATCH_YES, { { 0 } } },
	{ "crimson_v3", "model", { { 0 } }, NULL,
	  "0016012b0300526564204c696f6e20436f6e74726f6c7300", MATCH_NO, { { 0 } } },
	{ "crimson_v3-maker", "maker", { { 0 } }, "0004012b1b00",
	  "0016012b0300526564204c696f6e20436f6e74726f6c7300", MATCH_YES, { { 0 } } },
	/* As the papers and clients have it: text behind the header, none for a wrong slot, a refusal. */
	{ "ge_srtp", "connect", { { 0 } }, "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "00",
	  "01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "00", MATCH_YES, { { 0 } } },
	{ "ge_srtp", "slot 1", { { 0 } }, "02000100000000000001000000000000000100000000000000000000000001c000000000100e0000010143000000000000000000000000"
	  "00",
	  "030001002800000000010000000000000001000000000000000000000000019400000000100e00000101000000000000000000030a0000"
	  "004d49584552310000102301004d41494e000000000300282300000000000000000000000000000000", MATCH_YES, { { 0 } } },
	{ "ge_srtp", "slot 2", { { 0 } }, "02000200000000000001000000000000000100000000000000000000000002c000000000200e0000010143000000000000000000000000"
	  "00",
	  "03000200000000000001000000000000000100000000000000000000000002d400000000200e00000101000000000000000000030a0000"
	  "20", MATCH_YES, { { 0 } } },
	{ "ge_srtp", "slot 3", { { 0 } }, "02000300000000000001000000000000000100000000000000000000000003c000000000300e0000010143000000000000000000000000"
	  "00",
	  "03000300000000000001000000000000000100000000000000000000000003d100000000300e0000010105020000000000000000000000"
	  "00", MATCH_YES, { { 0 } } },
	/* DCMTK; a title that it does not know; an abort. */
	{ "dicom", "associate", { { 0 } }, NULL,
	  "0200000000b800010000414e592d53435020202020202020202041534b414e434520202020202020202000000000000000000000000000"
	  "0000000000000000000000000000000000000010000015312e322e3834302e31303030382e332e312e312e312100001901000000400000"
	  "11312e322e3834302e31303030382e312e325000003a51000004000040005200001b312e322e3237362e302e373233303031302e332e30"
	  "2e332e362e375500000f4f464649535f44434d544b5f333637", MATCH_YES, { { 0 } } },
	{ "dicom", "associate", { { 0 } }, NULL,
	  "03000000000400010107", MATCH_NO, { { 0 } } },
	{ "dicom", "release", { { 0 } }, "05000000000400000000",
	  "06000000000400000000", MATCH_YES, { { 0 } } },
	{ "dicom", "release", { { 0 } }, NULL,
	  "07000000000400000200", MATCH_YES, { { 0 } } },
	{ "dicom-echo", "echo", { { 0 } }, "04000000004a0000004601030000000004000000380000000000020012000000312e322e3834302e31303030382e312e31000000000102"
	  "00000030000000100102000000010000000008020000000101",
	  "0400000000540000005001030000000004000000420000000000020012000000312e322e3834302e31303030382e312e31000000000102"
	  "0000003080000020010200000001000000000802000000010100000009020000000000", MATCH_YES, { { 0 } } },
	/* Whatever a service says. */
	{ "null", "banner", { { 0 } }, NULL,
	  "5353482d322e302d64726f70626561720d0a", MATCH_YES, { { 0 } } },
};

static void test_exchanges(void **state)
{
	(void)state;
	look_at_exchanges(exchanges, sizeof exchanges / sizeof *exchanges);
}

/* Steps with a condition, the answer before them, and whether they follow on it. */
static const struct {
	const char *rule, *step, *reply;
	bool follows;
} conditions[] = {
	{ "doip", "identify any version", "03fc00000000000100", true },
	{ "doip", "identify any version", "02fd0004000000204142", false },
	{ "hsms", "are you there", "0000000affff0000000200010001", true },
	{ "hsms", "are you there", "0000001c0001810d0000e1369b980102", false },
	{ "coap", "acknowledge", "4445beef01020304", true },
	{ "coap", "acknowledge", "5445beef01020304", false },
	{ "ge_srtp", "slot 2", "03000200000000000001000000000000000100000000000000000000000002d400000000", true },
	{ "ge_srtp", "slot 2", "030002002800000000010000000000000001000000000000000000000000029400000000", false },
	{ "ge_srtp", "slot 3", "030002002800000000010000000000000001000000000000000000000000029400000000", false },
	{ "dicom-echo", "echo", "0200000000b800010000414e592d53435020202020202020202041534b414e4345202020202020202020000000000000000000000000000000000000000000000000000000000000000010000015312e322e3834302e31303030382e332e312e312e312100001901000000", true },
	{ "dicom-echo", "echo", "0200000000b800010000414e592d53435020202020202020202041534b414e4345202020202020202020000000000000000000000000000000000000000000000000000000000000000010000015312e322e3834302e31303030382e332e312e312e312100001901000300", false },
};

static void test_conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
		const struct rule *rule = ruleset_find(rules, conditions[i].rule);
		const struct step *step = &rule->steps[step_of(rule, conditions[i].step)];
		uint8_t reply[REPLY_BYTES];
		size_t len = from_hex(conditions[i].reply, reply);

		assert_true(step->has_while);
		assert_int_equal(step->rounds, 1);
		assert_true(step->while_offset < len);
		assert_int_equal(reply[step->while_offset] == step->while_byte, conditions[i].follows);
	}
}

/* What opens something also closes it, whatever was answered in between: its last step follows on silence and on any reply. */
static void test_closing(void **state)
{
	static const char *const closing[] = { "focas", "hsms", "mqtt", "pcworx", "dicom", "dicom-echo", "codesys_v2", "codesys_v2-big" };

	(void)state;
	for (size_t i = 0; i < sizeof closing / sizeof *closing; i++) {
		const struct rule *rule = ruleset_find(rules, closing[i]);

		assert_true(rule->session);
		for (size_t n = 1; n + 1 < rule->steps_count; n++)
			assert_int_equal(rule->steps[n].reply.otherwise, OTHERWISE_NEXT);
		assert_false(rule->steps[rule->steps_count - 1].has_while);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges), cmocka_unit_test(test_conditions), cmocka_unit_test(test_closing),
	};

	return cmocka_run_group_tests(tests, load_rules, free_rules);
}
