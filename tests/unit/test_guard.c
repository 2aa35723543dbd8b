/* The guard: what reads passes, everything else is refused, cut short or changed by any byte. */
#include "active/guard/crc.h"
#include "tests/unit/guard_fixture.h"

/* Well-formed messages that write, switch, stop, take over, or reach further than a read. */
static const struct message forbidden[] = {
	{ "modbus", TCP, "0001 0000 0006 01 05 0001 ff00", "write coil", "function 0x05 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0006 01 06 0001 0003", "write register", "function 0x06 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0008 01 0f 0000 0008 01 ff", "write coils", "function 0x0f is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0009 01 10 0000 0001 02 0001", "write registers", "function 0x10 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0006 01 08 0001 0000", "restart communications", "function 0x08 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0006 01 08 0004 0000", "force listen only", "function 0x08 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0008 01 16 0001 0000 0000", "mask write", "function 0x16 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 000d 01 17 0000 0001 0000 0001 02 0001", "read and write", "function 0x17 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0006 01 03 0000 0001", "read registers", "function 0x03 is not among 0x11, 0x2b/0x0e and 0x5a" },
	{ "modbus", TCP, "0001 0000 0005 01 2b 0d 0200", "CANopen", "encapsulated interface 0x0d is not read device identification (0x0e)" },
	{ "modbus", TCP, "0001 0000 0004 01 5a 0010", "UMAS reservation", "UMAS function 0x10 is neither 0x02 (read id) nor 0x06 0x06 (card)" },
	{ "modbus", TCP, "0001 0000 0002 01 11 0001 0000 0006 01 05 0001 ff00", "a write behind a read", "the header's protocol or length (2) is not that of the message" },
	{ "modbus", UDP, "0001 0000 0002 01 11", "over UDP", "modbus is not asked over udp" },
	{ "s7comm", TCP, "03000024 02f080 32010000 0001 000e 0005 0501 120a10020001000183000000 0004000801", "write variable", "job 0x05 is not set up communication (0xf0)" },
	{ "s7comm", TCP, "03000025 02f080 32010000 0001 0014 0000 28000000000000fd000009 505f50524f4752414d", "start the program", "job 0x28 is not set up communication (0xf0)" },
	{ "s7comm", TCP, "03000021 02f080 32010000 0001 0010 0000 290000000000 09505f50524f4752414d", "stop", "job 0x29 is not set up communication (0xf0)" },
	{ "s7comm", TCP, "03000013 02f080 32010000 0001 0002 0000 1a00", "download", "job 0x1a is not set up communication (0xf0)" },
	{ "s7comm", TCP, "03000021 02f080 32070000 0001 0008 0008 000112 04 11 47 02 00 ff090004 0011 0000", "group 7: set the clock", "userdata is not group 4, subfunction 1 (read a list)" },
	{ "s7comm", TCP, "03000021 02f080 32070000 0001 0008 0008 000112 04 11 44 02 00 ff090004 0011 0000", "subfunction 2", "userdata is not group 4, subfunction 1 (read a list)" },
	{ "s7comm", TCP, "03000021 02f080 32070000 0001 0008 0008 000112 04 11 41 0c 00 ff090004 0011 0000", "memory reset", "userdata is not group 4, subfunction 1 (read a list)" },
	{ "s7comm", TCP, "03000021 02f080 32070000 0001 0008 0008 000112 04 11 44 01 00 ff090004 0132 0004", "a list on nobody's list", "list 0x0132 is not one of identity" },
	{ "s7comm", TCP, "03000016 11e0 0000 0001 00 c1020100 c2020402 c0010a", "an unknown kind of connection", "destination TSAP 04.02 is none of PG, OP and basic communication" },
	{ "s7comm", TCP, "03000019 02f080 32010000 0001 0008 0000 f000 0008 0008 01e0", "eight jobs at once", "set up communication is not for one job at a time" },
	{ "enip", TCP, "6f00 1600 01000000 00000000 0000000000000000 00000000 00000000 0500 0200 0000 0000 b200 0600 0502 2001 2401", "reset", "CIP service 0x05 on class 0x01 is no read of an identity" },
	{ "enip", TCP, "6f00 1600 01000000 00000000 0000000000000000 00000000 00000000 0500 0200 0000 0000 b200 0600 0702 2001 2401", "stop", "CIP service 0x07 on class 0x01 is no read of an identity" },
	{ "enip", TCP, "6f00 1600 01000000 00000000 0000000000000000 00000000 00000000 0500 0200 0000 0000 b200 0600 0a02 2002 2401", "many services", "CIP service 0x0a on class 0x02 is no read of an identity" },
	{ "enip", TCP, "6f00 1600 01000000 00000000 0000000000000000 00000000 00000000 0500 0200 0000 0000 b200 0600 0102 2002 2401", "another class", "CIP service 0x01 on class 0x02 is no read of an identity" },
	{ "enip", TCP, "6f00 2400 01000000 00000000 0000000000000000 00000000 00000000 0600 0200 0000 0000 b200 1400 520220062401 059d 0600 0502 2001 2401 0100 0103", "reset of a slot", "CIP service 0x05 on class 0x01 is no read of an identity" },
	{ "enip", TCP, "6f00 2400 01000000 00000000 0000000000000000 00000000 00000000 0600 0200 0000 0000 b200 1400 540220062401 059d 0600 0102 2001 2401 0100 0103", "forward open", "CIP service 0x54 on class 0x06 is no read of an identity" },
	{ "enip", TCP, "6f00 2400 01000000 00000000 0000000000000000 00000000 00000000 0600 0200 0000 0000 b200 1400 520220062401 059d 0600 0102 2001 2401 0100 0203", "out of the backplane", "the route is not one hop over the backplane" },
	{ "enip", TCP, "6f00 2400 01000000 00000000 0000000000000000 00000000 00000000 0600 0200 0000 0000 b200 1400 520220062401 0fff 0600 0102 2001 2401 0100 0103", "waits for hours", "the unconnected send waits 8355840 ms, longer than 10000" },
	{ "enip", TCP, "7000 0000 01000000 00000000 0000000000000000 00000000", "send unit data", "command 0x0070 with 0 bytes is not on the list" },
	{ "enip", UDP, "6500 0400 00000000 00000000 0000000000000000 00000000 01000000", "a session by datagram", "command 0x0065 is not one to send in a datagram" },
	{ "bacnet", UDP, "810a 0018 0104 0005 01 0f 0c00800001 1955 3e 44 3f800000 3f", "write property", "confirmed service 0x0f is neither ReadProperty nor ReadPropertyMultiple" },
	{ "bacnet", UDP, "810a 000c 0104 0005 01 14 0900", "reinitialize device", "confirmed service 0x14 is neither ReadProperty nor ReadPropertyMultiple" },
	{ "bacnet", UDP, "810a 000c 0104 0005 01 11 1901", "device communication control", "confirmed service 0x11 is neither ReadProperty nor ReadPropertyMultiple" },
	{ "bacnet", UDP, "810a 0012 0100 10 06 a4 7c0b1507 b4 0c1e0000", "time synchronisation", "unconfirmed service 0x06 is not Who-Is" },
	{ "bacnet", UDP, "810b 0008 0100 1008", "broadcast Who-Is", "BVLC function 0x0b is not on the list" },
	{ "bacnet", UDP, "8109 0008 0100 1008", "distribute broadcast", "BVLC function 0x09 is not on the list" },
	{ "bacnet", UDP, "8105 0006 003c", "register as foreign device", "BVLC function 0x05 is not on the list" },
	{ "bacnet", UDP, "8101 0004", "write the broadcast table", "BVLC function 0x01 is not on the list" },
	{ "bacnet", UDP, "810a 000c 0120 ffff 00 ff 1008", "Who-Is to all networks", "network 65535 is not one network" },
	{ "bacnet", UDP, "810a 000c 0120 0003 00 ff 1008", "Who-Is without limits to a network behind", "Who-Is without limits is sent to a network behind the router" },
	{ "bacnet", UDP, "810a 0008 0180 06 00", "initialize routing table", "network message 0x06 is neither Who-Is-Router nor What-Is-Network-Number" },
	{ "bacnet", UDP, "810a 0011 0104 0005 01 0c 0c00000001 1955", "a value of the process", "object type 0 is not device (8)" },
	{ "bacnet", UDP, "810a 0011 0104 0005 01 0c 0c023fffff 194c", "the whole object list", "the object list is asked whole, not by index" },
	{ "bacnet", UDP, "810a 0013 0104 0005 01 0e 0c023fffff 1e 0908 1f", "all properties", "property 8 is not on the list" },
	{ "dnp3", TCP, "056408c4 01000300 c8e3 c0c102 1a6f", "bad checksum", "a block's checksum is wrong" },
	{ "iec104", TCP, "680407000000", "STARTDT", "the frame is not TESTFR act (68 04 43 00 00 00)" },
	{ "iec104", TCP, "680413000000", "STOPDT", "the frame is not TESTFR act (68 04 43 00 00 00)" },
	{ "iec104", TCP, "680e0000000064010600ffff00000014", "general interrogation", "the frame is not TESTFR act (68 04 43 00 00 00)" },
	{ "iec104", TCP, "680e000000002d010600010001000001", "single command", "the frame is not TESTFR act (68 04 43 00 00 00)" },
	{ "opcua", TCP, "4d534746 45000000 01000000 01000000 02000000 02000000 0100a102 0000 0000000000000000 01000000 00000000 ffffffff 88130000 000000 ffffffff ffffffff ffffffff", "write", "service 673 is neither FindServers (422) nor GetEndpoints (428)" },
	{ "opcua", TCP, "4d534746 45000000 01000000 01000000 02000000 02000000 0100cd01 0000 0000000000000000 01000000 00000000 ffffffff 88130000 000000 ffffffff ffffffff ffffffff", "create session", "service 461 is neither FindServers (422) nor GetEndpoints (428)" },
	{ "profinet_dcp", ETH, "fefd 0400 00000001 0000 0008 0202 0004 0001 6161 00000000000000000000000000000000000000000000", "set the name", "service 4 under frame id 0xfefd is neither Identify nor Get" },
	{ "profinet_dcp", ETH, "fefd 0400 00000001 0000 0006 0506 0002 0002 000000000000000000000000000000000000000000000000000000", "factory reset", "service 4 under frame id 0xfefd is neither Identify nor Get" },
	{ "profinet_dcp", ETH, "fefd 0300 00000001 0000 0002 0503 0000000000000000000000000000000000000000000000000000000000000000", "get of a control block", "option 5/3 is not one of identity" },
	{ "profinet_dcp", ETH, "fefe 0500 00000001 0001 0004 0202 0000", "identify by name", "Identify does not carry the selector for all" },
	{ "snmp", UDP, "3029 020100 0406707075626c63 a31c 020411223344 020100 020100 300e 300c 06082b06010201010500 0500", "set", "PDU 0xa3 is neither GetRequest nor GetNextRequest" },
	{ "snmp", UDP, "3029 020101 0406707075626c63 a51c 020411223344 020100 02010a 300e 300c 06082b06010201010500 0500", "get bulk", "PDU 0xa5 is neither GetRequest nor GetNextRequest" },
	{ "snmp", UDP, "302a 020101 0406707075626c63 a01d 020411223344 020100 020100 300f 300d 06082b06010201010500 020101", "an object with a value", "an object is given a value" },
	{ "tls", TCP, "16030100020100", "half a hello", "the message ends before its last field" },
	{ "ssh", TCP, "5353482d322e302d6f74686572 0d0a", "another's banner", "the message ends before its last field" },
	{ "nonesuch", TCP, "00", "a protocol without a list", "no list of reading functions is compiled in for protocol 'nonesuch'" },
};

static void test_forbidden(void **state)
{
	(void)state;
	refuse_all(forbidden, sizeof forbidden / sizeof *forbidden);
}

/* DNP3 with right checksums: all functions, groups and link controls, of which one each may pass. */
static bool dnp3_passes(uint8_t control, uint8_t function, uint8_t group)
{
	uint8_t frame[] = { 0x05, 0x64, 0x0d, control, 1, 0, 3, 0, 0, 0, 0xc0, 0xc0, function, group, 0xfe, 0, 0, 0, 0, 0 };
	uint16_t header = crc_dnp3(frame, 8), body = crc_dnp3(frame + 10, 8);

	frame[8] = (uint8_t)header;
	frame[9] = (uint8_t)(header >> 8);
	frame[18] = (uint8_t)body;
	frame[19] = (uint8_t)(body >> 8);
	return judge("dnp3", TCP, frame, sizeof frame).allowed;
}

static void test_dnp3(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		assert_int_equal(dnp3_passes(0xc4, (uint8_t)i, 0), i == 0x01);
		assert_int_equal(dnp3_passes(0xc4, 0x01, (uint8_t)i), i == 0);
		assert_int_equal(dnp3_passes((uint8_t)i, 0x01, 0), i == 0xc4);
	}
}

static const char *const http_forbidden[] = {
	"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
	"PUT / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.1\r\nAuthorization: Basic YTph\r\n\r\n",
	"GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx",
	"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\nHost: a\n\n",
	"GET / HTTP/1.1\r\nHost: a\r\n",
	"GET / HTTP/1.1\r\nHost:\r\n\r\n",
};

static void test_http_forbidden(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof http_forbidden / sizeof *http_forbidden; i++) {
		const char *text = http_forbidden[i];

		if (judge("http", TCP, (const uint8_t *)text, strlen(text)).allowed)
			fail_msg("allowed: %s", text);
	}
}

/* The codes that decide what a message does, read anew here and not by the guard's own reader. */
static bool modbus_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return (b[7] == 0x2b && b[8] == 0x0e) || b[7] == 0x11 || (b[7] == 0x5a && b[8] == 0 && (b[9] == 0x02 || (b[9] == 0x06 && b[10] == 0x06)));
}

static bool s7comm_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return b[5] == 0xe0 || (b[8] == 1 && b[17] == 0xf0) || (b[8] == 7 && b[22] == 0x44 && b[23] == 1);
}

static bool enip_reads(const uint8_t *b, size_t n)
{
	if (b[0] == 0x6f && n == 60)
		return b[40] == 0x52 && (b[50] == 0x01 || b[50] == 0x0e) && b[53] == 0x01;
	if (b[0] == 0x6f)
		return (b[40] == 0x01 || b[40] == 0x0e) && b[43] == 0x01;
	return b[1] == 0 && (b[0] == 0x63 || b[0] == 0x04 || b[0] == 0x65 || b[0] == 0x66);
}

static bool bacnet_reads(const uint8_t *b, size_t n)
{
	size_t apdu = b[5] & 0x20 ? 6 + 2 + 1 + b[8] + 1 : 6;

	if (b[1] == 0x02 || b[1] == 0x06)
		return n == 4;
	if (b[5] & 0x80)
		return b[6] == 0x00 || b[6] == 0x12;
	return b[1] == 0x0a &&
	       ((b[apdu] == 0x00 && (b[apdu + 3] == 0x0c || b[apdu + 3] == 0x0e)) || (b[apdu] == 0x10 && b[apdu + 1] == 0x08));
}

static bool dnp3_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return b[3] == 0xc9 || (b[3] == 0xc4 && b[12] == 0x01);
}

static bool iec104_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return b[2] == 0x43;
}

static bool opcua_reads(const uint8_t *b, size_t n)
{
	unsigned int service = n > 27 ? (unsigned int)(b[26] | b[27] << 8) : 0;

	if (memcmp(b, "MSG", 3) == 0)
		return service == 422 || service == 428;
	return memcmp(b, "HEL", 3) == 0 || memcmp(b, "OPN", 3) == 0 || (memcmp(b, "CLO", 3) == 0 && service == 452);
}

static bool profinet_dcp_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return (b[2] == 5 || b[2] == 3) && b[3] == 0;
}

static bool snmp_reads(const uint8_t *b, size_t n)
{
	size_t version = b[1] == 0x81 ? 5 : 4;
	size_t pdu = b[version] == 3 ? 48 : version + 3 + b[version + 2];

	return pdu < n && (b[pdu] == 0xa0 || (b[pdu] == 0xa1 && b[version] != 3));
}

static bool http_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return memcmp(b, "GET / ", 6) == 0 || memcmp(b, "HEAD / ", 7) == 0;
}

static bool tls_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return b[0] == 0x16 && b[5] == 1;
}

/* SSH is listened to and never spoken, so that there is nothing to read. */
static bool ssh_reads(const uint8_t *b, size_t n)
{
	(void)b;
	(void)n;
	return false;
}

static const struct codes here[] = {
	{ "modbus", modbus_reads }, { "s7comm", s7comm_reads }, { "enip", enip_reads },
	{ "bacnet", bacnet_reads }, { "dnp3", dnp3_reads },     { "iec104", iec104_reads },
	{ "opcua", opcua_reads },   { "profinet_dcp", profinet_dcp_reads }, { "snmp", snmp_reads },
	{ "http", http_reads },     { "tls", tls_reads },       { "ssh", ssh_reads },
	{ NULL, NULL },
};

static void test_changed_bytes(void **state)
{
	(void)state;
	changed = passed = 0;
	see_messages(change_every_byte, NULL);
	assert_true(changed > 300000);
	assert_true(passed > 0 && passed < changed / 2);
}

static void test_cut_short(void **state)
{
	size_t count = 0;

	(void)state;
	see_messages(cut_short, &count);
	assert_true(count > 10000);
}

static void test_lengthened(void **state)
{
	(void)state;
	see_messages(lengthen, NULL);
}

static void test_random_bytes(void **state)
{
	uint8_t bytes[96];
	uint64_t x = 88172645463325252u;
	const char *may, *name;
	uint8_t transports;

	(void)state;
	for (size_t p = 0; (name = guard_protocol(p, &transports, &may)) != NULL; p++) {
		for (int round = 0; round < 20000; round++) {
			size_t len;

			for (size_t i = 0; i < sizeof bytes; i++) {
				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				bytes[i] = (uint8_t)x;
			}
			len = (size_t)(x >> 32) % sizeof bytes;
			for (int t = TRANSPORT_ETHERNET; t < TRANSPORTS; t++)
				assert_false(judge(name, (enum transport)t, bytes, len).allowed);
		}
	}
}

/* Every list is found by its number and its name, over the transports it names and no other; there is none behind the last. */
static void test_protocols(void **state)
{
	size_t count = 0;
	const char *may, *name;
	uint8_t transports;

	(void)state;
	for (; (name = guard_protocol(count, &transports, &may)) != NULL; count++) {
		assert_true(may[0] != '\0' || strcmp(name, "null") == 0);
		for (int t = TRANSPORT_ETHERNET; t < TRANSPORTS; t++)
			assert_int_equal(guard_knows(name, (enum transport)t), (transports >> t) & 1);
	}
	assert_true(count >= 40);
	for (size_t i = count; i < count + 100; i++)
		assert_null(guard_protocol(i, &transports, &may));
	assert_false(guard_knows("nonesuch", TCP));
	assert_true(guard_knows("modbus", TCP) && !guard_knows("modbus", UDP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden),     cmocka_unit_test(test_dnp3),
		cmocka_unit_test(test_http_forbidden), cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_cut_short),     cmocka_unit_test(test_lengthened),
		cmocka_unit_test(test_changed_bytes), cmocka_unit_test(test_random_bytes),
	};

	codes = here;
	return cmocka_run_group_tests(tests, load_rules, free_rules);
}
