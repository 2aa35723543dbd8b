/*
 * The guard for plant protocols: requests of other clients pass, each function of each protocol is tried, and what
 * writes, starts, stops or takes over is refused for its reason.
 */
#include "active/guard/crc.h"
#include "active/ruleset/policy.h"
#include "tests/unit/guard_fixture.h"

/* Requests as other clients send them, from recordings and manuals; `why` is what the guard reads in them. */
static const struct message allowed[] = {
	{ "fins", UDP, "800002000000006300ef050100", "nmap omron-info", "read model and version of the controller at network 0, node 0" },
	{ "fins", TCP, "46494e530000000c000000000000000000000000", "nmap omron-info, handshake", "be given a node address" },
	{ "fins", TCP, "46494e5300000015000000020000000080000200c8000000ef05050100", "nmap omron-info, frame", "read model and version of the controller at network 0, node 200" },
	{ "fins", UDP, "80000200000000630001 0502 00 19", "units", "read the models of up to 25 units from unit 0" },
	{ "melsec_slmp", TCP, "5000 00 ff ff03 00 0600 1000 0101 0000", "pymcprotocol", "read the type name of network 0, PC 255, module 0x03ff" },
	{ "melsec_slmp", UDP, "5400 3412 0000 00 ff ff03 00 0600 1000 0101 0000", "4E frame", "read the type name of network 0, PC 255, module 0x03ff" },
	{ "melsoft", TCP, "57000000001111070000ffff030000fe03000014001c080a0800000000000000040101010000000001", "melsecq-discover", "read the CPU's model" },
	{ "melsoft", UDP, "5a0000ff", "GX Works", "read the CPU's code" },
	{ "hart_ip", TCP, "010000000001000d0100004e20", "hartip-info, session", "begin a session that ends after 20000 ms of silence" },
	{ "hart_ip", UDP, "010000000002000d0100007530", "own client, session", "begin a session that ends after 30000 ms of silence" },
	{ "hart_ip", TCP, "010003000002000d0280000082", "hartip-info, command 0", "HART command 0" },
	{ "hart_ip", TCP, "010003000003001182264e0000d214002c", "icsnpp traces, command 20", "HART command 20" },
	{ "hart_ip", TCP, "010003000005001382264e0000d2540200016f", "icsnpp traces, command 84", "HART command 84" },
	{ "hart_ip", UDP, "010003000003001182264e0000d2000038", "command 0, long address", "HART command 0" },
	{ "hart_ip", UDP, "0100010000060008", "close", "end the session" },
	{ "ads", UDP, "036614710000000001000000000000000101000000000000", "adstool netid", "discovery" },
	{ "ads", TCP, "0000200000007f000001010153037f0000010909307504000400000000000000000001000000", "pyads, state", "ReadState of AMS port 851" },
	{ "ads", TCP, "0000200000007f000001010110277f0000010909307501000400000000000000000001000000", "AdsLib, device info", "ReadDeviceInfo of AMS port 10000" },
	{ "c37_118", TCP, "aa41001205826b02497d000c1b9200053595", "pypmu, configuration", "send configuration 2 of stream 1410" },
	{ "c37_118", TCP, "aa41001205826b02497d000b51b10003eb26", "pypmu, header", "send the header of stream 1410" },
	{ "c37_118", TCP, "aa41001200016b0252b300041fff00057404", "to a PMU", "send configuration 2 of stream 1" },
	{ "atg", TCP, "01 493930323030 0d0a", "manual", "software revision" },
	{ "atg", TCP, "01 493230313030 0d0a", "recorded", "inventory of the tanks" },
	{ "knxnet_ip", UDP, "06100203000e0801000000000000", "knxd", "describe yourself" },
	{ "knxnet_ip", UDP, "06100201000e0801000000000000", "knxd", "search, to one device" },
	{ "knxnet_ip", TCP, "06100203000e0802000000000000", "xknx", "describe yourself" },
	{ "knxnet_ip", UDP, "0610020b001608010000000000000804010203040508", "xknx", "describe yourself (extended search)" },
	{ "ethercat", ETH, "0d10 0707 0000 0000 0100 0000 00 0000 00000000000000000000000000000000000000000000000000000000000000", "recorded", "read registers with 1 datagrams" },
	{ "ethercat", ETH, "1610 0107 0000 0000 0a00 0000 00000000000000000000 0000 00000000000000000000000000000000000000000000", "recorded", "read registers with 1 datagrams" },
	{ "ethercat", ETH, "0e10 0107 0000 1000 0200 0000 0000 0000 000000000000000000000000000000000000000000000000000000000000", "recorded", "read registers with 1 datagrams" },
	{ "mms", TCP, "0300001611e00000000100c1020000c2020001c0010a", "recorded", "connect to transport selector 00 01" },
	{ "mms", TCP, "0300001611e00000000100c1020001c2020001c0010a", "other clients", "connect to transport selector 00 01" },
	{ "mms", TCP, "0300001b02f08001000100610e300c020103a007a0050201018200", "recorded", "identify" },
	{ "mms", TCP, "0300002402f0800100010061173015020103a010a00e020101a109a003800109a1028000", "recorded", "names of the domains (logical devices)" },
	{ "mms", TCP, "0300001602f0800100010061093007020103a0028b00", "libiec61850", "conclude" },
	{ "profinet_cm", UDP, "0400200010000000000000000000000000000000000000000883afe11f5dc91191a408002b14a0fad7b045045e8e5147a0d07fdeaf644ef1"
	  "0000000003000000000000000200ffffffff4c0000000000000000000100000000000000000000000000000000000000020000000100a0de976cd1"
	  "11827100a02442df7d0100000001000000000000000000000000000000000000000000000001000000", "recorded", "look up the PROFINET IO device at the endpoint mapper" },
	{ "c12_22", TCP, "6030a211060f2b060104018285638e7f85f1c24e00a60a06082b06010401828563a806020413e81421be0728058103800120", "recorded", "identify" },
	{ "modbus", TCP, "0001 0000 0004 00 5a 00 02", "modicon-info", "unit 0: UMAS read id" },
	{ "modbus", TCP, "0001 0000 0005 00 5a 00 06 06", "modicon-info", "unit 0: UMAS read card information" },
};

static void test_allowed(void **state)
{
	uint8_t bytes[MESSAGE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		const struct message *m = &allowed[i];
		size_t len = from_hex(m->hex, bytes);
		struct guard_answer a = judge(m->protocol, m->transport, bytes, len);

		if (!a.allowed)
			fail_msg("%s, %s was refused: %s", m->protocol, m->name, a.why);
		assert_string_equal(a.reading, m->why);
		bytes[len] = 0;
		assert_false(judge(m->protocol, m->transport, bytes, len + 1).allowed);
		while (len--)
			assert_false(judge(m->protocol, m->transport, bytes, len).allowed);
	}
}

static const struct message forbidden[] = {
	{ "fins", UDP, "80000200000000630001 0401 ffff04", "RUN", "command 0x0401 is neither 0x0501 nor 0x0502" },
	{ "fins", UDP, "80000200000000630001 0402 ffff", "STOP", "command 0x0402 is neither 0x0501 nor 0x0502" },
	{ "fins", UDP, "80000200000000630001 0403", "RESET", "command 0x0403 is neither 0x0501 nor 0x0502" },
	{ "fins", UDP, "80000200000000630001 0102 82 000000 0001 0000", "memory area write", "command 0x0102 is neither 0x0501 nor 0x0502" },
	{ "fins", UDP, "800002ff000000630001 0501 00", "network 255", "255.0.0 is not the CPU of one node" },
	{ "fins", UDP, "80000200ff0000630001 0501 00", "broadcast node", "0.255.0 is not the CPU of one node" },
	{ "fins", UDP, "80000200000000630001 0501", "0501 without a kind", "the message ends before its last field" },
	{ "fins", UDP, "81000200000000630001 0501 00", "no reply wanted", "the header is not that of a command with a reply" },
	{ "fins", TCP, "46494e530000000c000000000000000000000063", "claims node 99", "a node address is claimed, not asked for" },
	{ "fins", TCP, "46494e53000000080000000300000000", "frame error", "TCP command 3 is neither 0 (node address) nor 2 (frame)" },
	{ "fins", TCP, "46494e5300000014000000020000000080000200c8000000ef05050100", "wrong length", "the header's length (20) or error is not that of the message" },
	{ "melsec_slmp", TCP, "5000 00 ff ff03 00 0800 1000 0110 0000 0100", "remote RUN", "command 0x1001/0000 is not 0x0101/0000 (read type name)" },
	{ "melsec_slmp", TCP, "5000 00 ff ff03 00 0600 1000 0210 0000", "remote STOP", "command 0x1002/0000 is not 0x0101/0000 (read type name)" },
	{ "melsec_slmp", TCP, "5000 00 ff ff03 00 0600 0000 0101 0000", "waits for ever", "the monitoring timer (0) is not 1 to 40" },
	{ "melsec_slmp", TCP, "5000 00 ff e403 00 0600 1000 0101 0000", "a module", "module 0x03e4 is no CPU" },
	{ "melsec_slmp", TCP, "5000 00 f0 ff03 00 0600 1000 0101 0000", "all stations", "network 0, PC 240, station 0 is not one station" },
	{ "melsec_slmp", TCP, "d000 00 ff ff03 00 0600 1000 0101 0000", "an answer", "subheader 0x00d0 is not that of a binary 3E or 4E request" },
	{ "melsoft", TCP, "5a000011", "another short message", "the message is neither 5a0000ff nor the fixed read of the CPU's model" },
	{ "hart_ip", TCP, "010003000002000d02802a00a8", "device reset", "command 42 is not one of identity" },
	{ "hart_ip", TCP, "010003000002000e0280060105 82", "write polling address", "command 6 is not one of identity" },
	{ "hart_ip", TCP, "010003000002000d0280000083", "wrong check", "the frame's check byte is wrong" },
	{ "hart_ip", TCP, "010003000002000e028000010083", "command 0 with data", "command 0 carries 1 bytes of data" },
	{ "hart_ip", TCP, "010003000002000d0680000086", "an answer", "delimiter 0x06 is not that of a master's frame" },
	{ "hart_ip", TCP, "0100050000010008", "audit log", "message id 5 is neither a session's nor a HART command" },
	{ "hart_ip", TCP, "010000000001000d0100000000", "a session without end", "the session is not that of a primary master with an end after 1 to 60 s" },
	{ "hart_ip", TCP, "020000000001000d0100004e20", "version 2", "the header is not that of a request of 13 bytes" },
	{ "ads", UDP, "036614710000000006000000000000000101000000000000", "add route", "operation 6 is not 1 (discovery)" },
	{ "ads", UDP, "036614710000000001000000000000000101000001000000", "discovery with data", "discovery carries 1 blocks" },
	{ "ads", TCP, "0000 28000000 7f0000010101 5303 7f0000010909 3075 0500 0400 08000000 00000000 01000000 0600000000000000", "WriteControl: stop", "command 5 is neither ReadDeviceInfo (1) nor ReadState (4)" },
	{ "ads", TCP, "0000 20000000 7f0000010101 5303 7f0000010909 3075 0100 0400 01000000 00000000 01000000", "device info with data", "the header is not that of a request without data" },
	{ "c37_118", TCP, "aa410012000700000000000000000001549c", "data off", "command 1 is not 3 to 6 (header, configuration)" },
	{ "c37_118", TCP, "aa41001200070000000000000000000264ff", "data on", "command 2 is not 3 to 6 (header, configuration)" },
	{ "c37_118", TCP, "aa410012000700000000000000000005141d", "wrong checksum", "the frame's checksum is wrong" },
	{ "c37_118", TCP, "aa410012ffff000000000000000000050000", "all streams", "idcode 65535 is not that of one stream" },
	{ "atg", TCP, "01 533630323031 0d0a", "set", "the function is none of I902, I201 and I101 of all tanks" },
	{ "atg", TCP, "01 493030313030 0d0a", "system reset", "the function is none of I902, I201 and I101 of all tanks" },
	{ "atg", TCP, "01 313233343536 493930323030", "with a security code", "the message is not SOH, six characters, CR, LF" },
	{ "knxnet_ip", UDP, "06100205001a 0801000000000000 0801000000000000 04048000", "bus monitor", "the connection asked for is no tunnel to the link layer" },
	{ "knxnet_ip", UDP, "06100205001a 0801000000000000 0801000000000000 02030000", "device management", "the connection asked for is no tunnel to the link layer" },
	{ "knxnet_ip", UDP, "06100203000e 0801 0a000005 0e57", "an answer to somebody else", "the endpoint is not the sender's own (0.0.0.0:0)" },
	{ "knxnet_ip", UDP, "061004200015 04010000 1100b0e00000 0001 01 0081", "group write", "the tunnel does not carry a plain telegram to an individual address" },
	{ "knxnet_ip", UDP, "061004200015 04010000 1100b0600000 1101 01 0081", "a value", "application code 0x0081 is no read of a descriptor or property" },
	{ "knxnet_ip", UDP, "061004200015 04010000 1100b0600000 1101 01 0380", "restart", "application code 0x0380 is no read of a descriptor or property" },
	{ "knxnet_ip", UDP, "06100420001a 04010000 1100b0600000 1101 06 03d7 000b1001 00", "property write", "application code 0x03d7 is no read of a descriptor or property" },
	{ "knxnet_ip", UDP, "061004200019 04010000 1100b0600000 1101 05 03d5 00361001", "another property", "property 54 of object 0 is not one of identity" },
	{ "knxnet_ip", UDP, "06100310001204010000f6000b010b100101", "property write of device management", "service 0x0310 is not on the list" },
	{ "knxnet_ip", UDP, "061005300011 2900bce0 1101 0001 01 0081", "routing indication", "service 0x0530 is not on the list" },
	{ "knxnet_ip", TCP, "06100205001a 0802000000000000 0802000000000000 04040200", "a tunnel over TCP", "service 0x0205 is not asked over TCP" },
	{ "ethercat", ETH, "0e10 0801 0000 2001 0200 0000 0100 0000 000000000000000000000000000000000000000000000000000000000000", "BWR of AL control", "command 8 is not among APRD (1), FPRD (4) and BRD (7)" },
	{ "ethercat", ETH, "0e10 0501 0110 0205 0200 0000 0001 0000 000000000000000000000000000000000000000000000000000000000000", "FPWR of the EEPROM", "command 5 is not among APRD (1), FPRD (4) and BRD (7)" },
	{ "ethercat", ETH, "0e10 0401 0110 0010 0200 0000 0000 0000 000000000000000000000000000000000000000000000000000000000000", "read of a mailbox", "2 bytes of register 0x1000 are not of identity or state" },
	{ "ethercat", ETH, "0d10 0707 0000 0000 0180 0000 00 0000 00000000000000000000000000000000000000000000000000000000000000", "a command that is not there", "command 0 is not among APRD (1), FPRD (4) and BRD (7)" },
	{ "ethercat", ETH, "1a10 0707 0000 0000 0180 0000 00 0000 0207 0000 0000 0100 0000 00 0000 000000000000000000000000000000000000", "a write behind a read", "command 2 is not among APRD (1), FPRD (4) and BRD (7)" },
	{ "ethercat", ETH, "0d40 0707 0000 0000 0100 0000 00 0000 00000000000000000000000000000000000000000000000000000000000000", "network variables", "frame type 4 is not 1 (commands)" },
	{ "ethercat", UDP, "0d10 0707 0000 0000 0100 0000 01 0000", "data in a read", "interrupt, data or working counter are not 0" },
	{ "mms", TCP, "0300001b02f08001000100610e300c020103a007a0050201018500", "service 5", "service 0x85 is none of identify, name list and read" },
	{ "mms", TCP, "0300002402f0800100010061173015020103a010a00e020101a109a003800100a1028000", "names of variables", "the names asked for are not those of the domains" },
	{ "mms", TCP, "0300003c 02f080 01000100 612f 302d 020103 a028 a026 020102 a421 800100 a11c a01a 3018 a016 a114 1a03 4c4430 1a0d 4747494f312453542449 6e6431", "a value of the process", "variable 1 is not one of a name plate" },
	{ "mms", TCP, "0300003a02f08001000100612d302b020103a026a024020102a51fa0183016a014a1121a034c44301a0b4c4c4e3024434624426568a003850101", "write", "service 0xa5 is none of identify, name list and read" },
	{ "mms", TCP, "0300001602f0800100010061093007020103a0028d00", "conclude error", "MMS message 0x8d is neither a request nor conclude" },
	{ "mms", TCP, "0300001611e00000000100c1020100c2020102c0010a", "S7", "the connect request is not class 0 to selector 00 01" },
	{ "mms", TCP, "0300000d02f080190911010301", "abort", "the session unit is not plain data" },
	{ "bsap", UDP, "0e00 0100 0600 01000000 00000000 17000000 0c 01000000 0000 a0 00 84 03d0010f 01 40412e00", "write by name", "application 0xa0, function 0x84 is not read signal by name (a0, 04)" },
	{ "bsap", UDP, "0e00 0100 0600 01000000 00000000 11000000 0c 01000000 0000 a1 01 01 00 00 00", "reset", "application 0xa1, function 0x01 is not read signal by name (a0, 04)" },
	{ "bsap", UDP, "0e00 0000 0000 00000000 754b0000", "acknowledgement", "the message ends before its last field" },
	{ "bsap", UDP, "0e00 0100 0600 01000000 744b0000 17000000 0c 01000000 0000 a0 00 04 03d0010f 01 40412e00", "acknowledges", "the header is not that of one request of 37 bytes" },
	{ "c12_22", TCP, "6030a211060f2b060104018285638e7f85f1c24e00a60a06082b06010401828563a806020413e81421be0728058103800122", "disconnect", "the service is not identification in the clear (80 01 20)" },
	{ "c12_22", TCP, "6033a211060f2b060104018285638e7f85f1c24e00a60a06082b06010401828563a806020413e81421be0a2808810680 0430000001", "read of a table", "the service is not identification in the clear (80 01 20)" },
	{ "modbus", TCP, "0001 0000 0005 00 5a 00 40 ff", "UMAS start", "UMAS function 0x40 is neither 0x02 (read id) nor 0x06 0x06 (card)" },
	{ "modbus", TCP, "0001 0000 0004 00 5a 01 02", "UMAS under a reservation", "UMAS under the key 0x01 of a reservation" },
	{ "profinet_cm", ETH, "00", "on layer 2", "profinet_cm is not asked over ethernet" },
};

static void test_forbidden(void **state)
{
	(void)state;
	refuse_all(forbidden, sizeof forbidden / sizeof *forbidden);
}

/* Every function code of a protocol with the rest of the message as it is in a read: how many pass. */
static unsigned int count_passing(const char *protocol, enum transport transport, const char *hex, size_t at, size_t width)
{
	uint8_t bytes[MESSAGE_BYTES];
	size_t len = from_hex(hex, bytes);
	unsigned int passing = 0;

	for (unsigned int code = 0; code < (width == 1 ? 0x100u : 0x10000u); code++) {
		if (width == 2)
			bytes[at] = (uint8_t)(code >> 8);
		bytes[at + width - 1] = (uint8_t)code;
		passing += judge(protocol, transport, bytes, len).allowed;
	}
	return passing;
}

static void test_every_function(void **state)
{
	(void)state;
	assert_int_equal(count_passing("fins", UDP, "80000200000000630001050100", 10, 2), 1);
	assert_int_equal(count_passing("fins", UDP, "80000200000000630001 0502 0019", 10, 2), 1);
	assert_int_equal(count_passing("melsec_slmp", UDP, "500000ffff0300060010000101 0000", 11, 2), 1);
	assert_int_equal(count_passing("melsec_slmp", UDP, "500000ffff0300060010000101 0000", 13, 2), 1);
	assert_int_equal(count_passing("hart_ip", TCP, "0100010000060008", 2, 1), 2);             /* close, keep alive */
	assert_int_equal(count_passing("ads", UDP, "036614710000000001000000000000000101000000000000", 8, 1), 1);
	assert_int_equal(count_passing("ads", TCP, "0000200000007f000001010110277f0000010909307501000400000000000000000001000000", 22, 1), 2);
	assert_int_equal(count_passing("knxnet_ip", UDP, "06100203000e0801000000000000", 2, 2), 2); /* search, description */
	assert_int_equal(count_passing("knxnet_ip", UDP, "061004200015040100001100b06000001101010300", 19, 2), 1);
	assert_int_equal(count_passing("knxnet_ip", UDP, "061004200019040100001100b0600000110105 03d5 000b1001", 22, 1), 3);
	assert_int_equal(count_passing("ethercat", UDP, "0d10 0107 0000 0000 0100 0000 00 0000", 2, 1), 3);
	assert_int_equal(count_passing("mms", TCP, "0300001b02f08001000100610e300c020103a007a0050201018200", 25, 1), 1);
	assert_int_equal(count_passing("mms", TCP, "0300001602f0800100010061093007020103a0028b00", 20, 1), 1);
	assert_int_equal(count_passing("c12_22", TCP, "6030a211060f2b060104018285638e7f85f1c24e00a60a06082b06010401828563a806020413e81421be0728058103800120", 49, 1), 1);
	assert_int_equal(count_passing("modbus", TCP, "0001 0000 0004 00 5a 00 02", 7, 1), 1);
	assert_int_equal(count_passing("modbus", TCP, "0001 0000 0004 00 5a 00 02", 9, 1), 1);
	assert_int_equal(count_passing("modbus", TCP, "0001 0000 0005 00 5a 00 06 06", 9, 2), 1);
	assert_int_equal(count_passing("modbus", TCP, "0001 0000 0004 00 5a 00 02", 8, 1), 1);
}

/* Codes under a checksum: the frame is made right for each. */
static void test_checked_functions(void **state)
{
	uint8_t hart[] = { 1, 0, 3, 0, 0, 2, 0, 13, 2, 0x80, 0, 0, 0 };
	uint8_t phasor[18] = { 0xaa, 0x41, 0, 18, 0, 7 };

	(void)state;
	for (unsigned int code = 0; code < 256; code++) {
		bool reads = code == 0 || code == 12 || code == 13 || code == 16 || code == 20 || code == 74;

		hart[10] = (uint8_t)code;
		hart[12] = xor8(hart + 8, 4);
		assert_int_equal(judge("hart_ip", TCP, hart, sizeof hart).allowed, reads);
	}
	for (unsigned int code = 0; code < 65536; code++) {
		uint16_t crc;

		phasor[14] = (uint8_t)(code >> 8);
		phasor[15] = (uint8_t)code;
		crc = crc_ccitt(phasor, 16);
		phasor[16] = (uint8_t)(crc >> 8);
		phasor[17] = (uint8_t)crc;
		assert_int_equal(judge("c37_118", TCP, phasor, sizeof phasor).allowed, code >= 3 && code <= 6);
	}
}

/* All texts of a gauge's function, of which three may pass. */
static void test_gauge_functions(void **state)
{
	uint8_t request[] = { 1, 'I', 0, 0, 0, '0', '0', '\r', '\n' };
	unsigned int passing = 0;

	(void)state;
	for (unsigned int letter = 0; letter < 256; letter++)
		for (unsigned int number = 0; number < 1000; number++) {
			request[1] = (uint8_t)letter;
			request[2] = (uint8_t)('0' + number / 100);
			request[3] = (uint8_t)('0' + number / 10 % 10);
			request[4] = (uint8_t)('0' + number % 10);
			passing += guard_allows("atg", TCP, request, sizeof request).allowed;
		}
	assert_int_equal(passing, 3);
}

/* Operations, interfaces and records of PROFINET's context management. */
static void test_records(void **state)
{
	const struct rule *rule = ruleset_find(rules, "profinet_cm-identity");
	struct filling fillings[RULE_HOLES];
	uint8_t bytes[RULE_MESSAGE_BYTES];
	unsigned int passing = 0;
	size_t len;

	(void)state;
	rule_defaults(rule, fillings);
	assert_true(rule_render(rule, 0, fillings, bytes, &len));
	assert_int_equal(len, 164);
	for (unsigned int index = 0; index < 65536; index++) {
		bytes[134] = (uint8_t)(index >> 8);
		bytes[135] = (uint8_t)index;
		if (guard_allows("profinet_cm", UDP, bytes, len).allowed) {
			passing++;
			assert_true(index == 0xaff0 || index == 0xf840 || index == 0xf000 || index == 0xe000);
		}
	}
	assert_int_equal(passing, 4);
	bytes[134] = 0xaf;
	bytes[135] = 0xf0;
	for (unsigned int operation = 0; operation < 256; operation++) {
		bytes[68] = (uint8_t)operation;
		assert_int_equal(judge("profinet_cm", UDP, bytes, len).allowed, operation == 5);
	}
	bytes[68] = 5;
	for (unsigned int interface = 0; interface < 256; interface++) {
		bytes[24] = (uint8_t)interface;
		assert_int_equal(judge("profinet_cm", UDP, bytes, len).allowed, interface == 1);
	}
}

static bool fins_reads(const uint8_t *b, size_t n)
{
	if (b[0] == 'F' && b[11] == 0)
		return n == 20;
	b += b[0] == 'F' ? 16 : 0;
	return b[10] == 5 && ((b[11] == 1 && b[12] == 0) || b[11] == 2);
}

static bool slmp_reads(const uint8_t *b, size_t n)
{
	(void)n;
	return b[0] == 0x50 && b[11] == 1 && b[12] == 1 && b[13] == 0 && b[14] == 0;
}

static bool melsoft_reads(const uint8_t *b, size_t n)
{
	return (n == 4 && b[0] == 0x5a && b[3] == 0xff) || (n == 41 && b[33] == 1 && b[34] == 1);
}

static bool hart_reads(const uint8_t *b, size_t n)
{
	uint8_t command = b[8] == 0x82 ? b[14] : b[10];

	(void)n;
	return b[1] == 0 && (b[2] <= 2 || (b[2] == 3 && (command == 0 || command == 20 || command == 74 || command == 84)));
}

static bool ads_reads(const uint8_t *b, size_t n)
{
	return n == 24 ? b[8] == 1 && b[9] == 0 && b[20] == 0 : n == 38 && (b[22] == 1 || b[22] == 4) && b[23] == 0;
}

static bool phasor_reads(const uint8_t *b, size_t n)
{
	return n == 18 && b[14] == 0 && b[15] >= 3 && b[15] <= 6;
}

static bool atg_reads(const uint8_t *b, size_t n)
{
	return n == 9 && (memcmp(b + 1, "I90200", 6) == 0 || memcmp(b + 1, "I20100", 6) == 0 || memcmp(b + 1, "I10100", 6) == 0);
}

static bool knx_reads(const uint8_t *b, size_t n)
{
	unsigned int service = (unsigned int)(b[2] << 8 | b[3]);

	if (service == 0x0420)
		return b[10] == 0x11 && (b[13] & 0x80) == 0 && ((n == 21 && b[19] == 3 && b[20] == 0) || (n == 25 && b[19] == 3 && b[20] == 0xd5));
	return service == 0x0201 || service == 0x0203 || service == 0x020b || service == 0x0421 || service == 0x0209 ||
	       (service == 0x0205 && b[23] == 4 && b[24] == 2);
}

static bool ethercat_reads(const uint8_t *b, size_t n)
{
	(void)n;
	for (size_t at = 2;; at += 12u + b[at + 6]) {
		if (b[at] != 1 && b[at] != 4 && b[at] != 7)
			return false;
		if (!(b[at + 7] & 0x80))
			return true;
	}
}

static bool mms_reads(const uint8_t *b, size_t n)
{
	if (b[5] == 0xe0 || n == 191)
		return true;
	if (n == 22)
		return b[20] == 0x8b;
	if (b[12] == 0x82) /* the read: only name plates */
		return b[33] == 0xa4 && n > 200;
	return b[25] == 0x82 || (b[25] == 0xa1 && b[31] == 9);
}

static bool cm_reads(const uint8_t *b, size_t n)
{
	return b[1] == 0 && ((n == 156 && b[68] == 2 && b[24] == 8) || (n == 164 && b[68] == 5 && b[24] == 1));
}

static bool bsap_reads(const uint8_t *b, size_t n)
{
	return n > 34 && b[4] == 6 && b[25] == 0xa0 && b[27] == 4;
}

static bool c12_22_reads(const uint8_t *b, size_t n)
{
	return b[n - 1] == 0x20 && b[n - 2] == 1 && b[n - 3] == 0x80;
}

static const struct codes answered[] = {
	{ "fins", fins_reads },         { "melsec_slmp", slmp_reads }, { "melsoft", melsoft_reads },   { "hart_ip", hart_reads },
	{ "ads", ads_reads },           { "c37_118", phasor_reads },   { "atg", atg_reads },           { "knxnet_ip", knx_reads },
	{ "ethercat", ethercat_reads }, { "mms", mms_reads },          { "profinet_cm", cm_reads },    { "bsap", bsap_reads },
	{ "c12_22", c12_22_reads },     { NULL, NULL },
};

static void test_changed_bytes(void **state)
{
	(void)state;
	changed = passed = 0;
	see_messages(change_every_byte, NULL);
	assert_true(changed > 600000);
	assert_true(passed > 0 && passed < changed / 5);
}

static void test_cut_short(void **state)
{
	size_t count = 0;

	(void)state;
	see_messages(cut_short, &count);
	assert_true(count > 100000);
}

static void test_lengthened(void **state)
{
	(void)state;
	see_messages(lengthen, NULL);
}

static struct policy_verdict verdict_of(const struct policy *policy, const struct rule *rule, const char *class)
{
	struct endpoint who = { .mac = { 0, 0x80, 0xf4, 1, 2, 3 }, .family = 4, .ip = { 10, 0, 0, 5 } };
	struct policy_target target = { &who, "hall-3", class, "Schneider Electric", rule->ports_count ? rule->ports[0] : 0 };

	return policy_verdict(policy, rule, &target);
}

/* As shipped: what is high is asked of nobody; nothing of the plants' is automatic; what takes a place has two signers. */
static void test_shipped_whitelist(void **state)
{
	struct policy *policy = policy_load(SOURCE_DIR "/rules", rules, complain, NULL);
	size_t allowed_somewhere = 0;

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < ruleset_count(rules); i++) {
		const struct rule *rule = ruleset_at(rules, i);
		bool anywhere = false;

		for (size_t n = 0; policy_class(n); n++) {
			struct policy_verdict v = verdict_of(policy, rule, policy_class(n));

			anywhere |= v.allowed;
			if (v.allowed && rule->risk >= RISK_HIGH)
				fail_msg("%s is allowed for %s: %s", rule->name, policy_class(n), v.why);
			if (v.automatic)
				fail_msg("%s is automatic for %s: %s", rule->name, policy_class(n), v.why);
			if (v.allowed && codes_of(rule) && rule->transport == TRANSPORT_TCP && v.signatures < 2)
				fail_msg("%s opens a connection to a %s with one signature", rule->name, policy_class(n));
		}
		allowed_somewhere += anywhere && codes_of(rule);
		if (strcmp(rule->protocol, "profinet_cm") == 0 || strcmp(rule->protocol, "ethercat") == 0 ||
		    strcmp(rule->protocol, "bsap") == 0 || strcmp(rule->protocol, "hart_ip") == 0)
			assert_false(anywhere);
	}
	assert_true(allowed_somewhere >= 20);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),         cmocka_unit_test(test_forbidden), cmocka_unit_test(test_every_function),
		cmocka_unit_test(test_checked_functions), cmocka_unit_test(test_gauge_functions), cmocka_unit_test(test_records),
		cmocka_unit_test(test_changed_bytes),   cmocka_unit_test(test_cut_short), cmocka_unit_test(test_lengthened),
		cmocka_unit_test(test_shipped_whitelist),
	};

	codes = answered;
	return cmocka_run_group_tests(tests, load_rules, free_rules);
}
