/*
 * The guard of controllers, machines, meters and brokers: golden messages pass; every value of the field
 * that decides what a message does is tried, and only the reading ones pass.
 */
#include "active/guard/crc.h"
#include "tests/unit/guard_fixture.h"

#define ZEROS_8 "0000000000000000"
#define ZEROS_16 ZEROS_8 ZEROS_8
#define ZEROS_56 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_8
#define CSP_STATUS "01070009 00000001 00000000" ZEROS_16 "00050000 06 00 1234 03"
#define FOCAS_CALL "a0a0a0a0 0001 2101 001e 0001 001c 0001 0001 0018" ZEROS_16 "00000000"
#define SRTP_43 "02000100 0000 000000 01 00000000000000 01" ZEROS_8 "00000000 01 c0 00000000 100e0000 0101 43" ZEROS_8 "0000000000"
#define MQTT_CONNECT "1018 0004 4d515454 04 02 001e 000c 61736b616e63652d 71777a61"
#define MQTT_SUBSCRIBE "8218 0001 0013 245359532f62726f6b65722f76657273696f6e 00"
#define CODESYS_V3 "000117e8 24000000 c56b4003 0033 2ddc c0a80105 c001 c0a80109 0000 02c2 0004 78563412"
#define PCWORX_ASK "0105 0016 0001 0000 7880 00 4c 00000006 0004 02950000"
#define ECHO_HEAD "04000000004a 00000046 0103 00000000 04000000 38000000 00000200 12000000 312e322e3834302e31303030382e312e3100"
#define ECHO ECHO_HEAD "00000001 02000000 3000 00001001 02000000 0100 00000008 02000000 0101"
#define ASSOCIATE_HEAD "0100000000d6 00010000 414e592d534350202020202020202020 41534b414e4345202020202020202020" ZEROS_16 ZEROS_16
#define ASSOCIATE_ITEMS \
	"10000015 312e322e3834302e31303030382e332e312e312e31 2000002e01000000" \
	"30000011 312e322e3834302e31303030382e312e31 40000011 312e322e3834302e31303030382e312e32" \
	"50000043 5100000400004000 5200002c 322e32352e313538323137323939313437323738323536303730323636363831323033343736363831363438" \
	"55000007 41534b414e4345"

/* Each as another client of that protocol sends it. */
static const struct message golden[] = {
	{ "cspv4", TCP, "01010000 00000000 00000000 00040005 00000000" ZEROS_8, "connect", "connect" },
	{ "cspv4", TCP, CSP_STATUS, "status", "read the diagnostic status" },
	{ "doip", UDP, "01fe0001 00000000", "2010", "identify the vehicle or entity" },
	{ "doip", UDP, "02fd0001 00000000", "2012", "identify the vehicle or entity" },
	{ "doip", UDP, "03fc0001 00000000", "2019", "identify the vehicle or entity" },
	{ "doip", UDP, "ff000001 00000000", "any", "identify the vehicle or entity" },
	{ "doip", UDP, "02fd4001 00000000", "status", "read the entity's status" },
	{ "focas", TCP, "a0a0a0a0 0001 0101 0002 0002", "open", "open a channel" },
	{ "focas", TCP, FOCAS_CALL, "sysinfo", "read system information" },
	{ "focas", TCP, "a0a0a0a0 0001 0201 0000", "close", "close the channel" },
	{ "hsms", TCP, "0000000a ffff 0000 0001 00000001", "select", "select the session" },
	{ "hsms", TCP, "0000000a ffff 0000 0005 00000002", "linktest", "test the link" },
	{ "hsms", TCP, "0000000a 0000 8101 0000 00000003", "S1F1", "S1F1 (are you there) to device 0" },
	{ "hsms", TCP, "0000000a ffff 0000 0009 00000004", "separate", "separate" },
	{ "mbus_tcp", TCP, "105b056016", "libmbus, 5", "read the data of meter 5" },
	{ "mbus_tcp", UDP, "105b035e16", "libmbus, 3", "read the data of meter 3" },
	{ "mbus_tcp", TCP, "107b037e16", "counted", "read the data of meter 3" },
	{ "coap", UDP, "54011234 01020304 bb2e77656c6c2d6b6e6f776e 04636f7265", "resources", "GET /.well-known/core" },
	{ "coap", UDP, "60001234", "acknowledgement", "acknowledge an answer" },
	{ "fox", TCP, "666f7820612031202d3120666f782068656c6c6f0a7b0a666f782e76657273696f6e3d733a312e300a69643d693a310a7d3b3b0a", "hello", "hello" },
	{ "mqtt", TCP, MQTT_CONNECT, "connect", "connect with a clean session" },
	{ "mqtt", TCP, MQTT_SUBSCRIBE, "subscribe", "subscribe to $SYS/broker/version" },
	{ "mqtt", TCP, "e000", "disconnect", "disconnect" },
	{ "pcworx", TCP, "0101001a 00000000 78800003 000c 494245544830314e305f4d 00", "connect", "connect" },
	{ "pcworx", TCP, PCWORX_ASK, "ask", "ask for the controller's description" },
	{ "pcworx", TCP, "0106 000e 0002 0000 0000 00 4c 0400", "read", "read the controller's description" },
	{ "pcworx", TCP, "0102 000c 0003 ffffff0f 00 4c", "disconnect", "disconnect" },
	{ "proconos", TCP, "cc01000b 4002 0000 47ee", "description", "read the runtime's description" },
	{ "codesys_v2", TCP, "bbbb 01000000 01", "login", "login without a name, answered by the description" },
	{ "codesys_v2", TCP, "bbbb 00000001 02", "logout", "logout" },
	{ "codesys_v3", TCP, CODESYS_V3, "identify", "ask one node for its identification" },
	{ "crimson_v3", TCP, "0004 012b 1b00", "maker", "read the maker" },
	{ "crimson_v3", TCP, "0004 012a 1a00", "model", "read the model" },
	{ "ge_srtp", TCP, ZEROS_56, "connect", "connect" },
	{ "ge_srtp", TCP, SRTP_43, "service 43", "read type and id of the controller in slot 1" },
	{ "dicom", TCP, ASSOCIATE_HEAD ASSOCIATE_ITEMS, "associate", "associate for Verification" },
	{ "dicom", TCP, ECHO, "echo", "C-ECHO" },
	{ "dicom", TCP, "05000000 0004 00000000", "release", "release the association" },
};

static void test_golden(void **state)
{
	uint8_t bytes[MESSAGE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
		const struct message *m = &golden[i];
		struct guard_answer a = judge(m->protocol, m->transport, bytes, from_hex(m->hex, bytes));

		if (!a.allowed)
			fail_msg("%s, %s was refused: %s", m->protocol, m->name, a.why);
		assert_string_equal(a.reading, m->why);
	}
}

/* Messages that write, stop, take over, or reach further than a read. */
static const struct message forbidden[] = {
	{ "cspv4", TCP, "01070009 00000001 00000000" ZEROS_16 "00050000 06 00 1234 07", "reset counters", "PCCC command 0x06 function 0x07 is not diagnostic status (0x06/0x03)" },
	{ "cspv4", TCP, "0107000a 00000001 00000000" ZEROS_16 "00050000 0f 00 1234 8006", "change mode", "the PCCC request is not one of 9 bytes without context" },
	{ "cspv4", TCP, "01070009 00000001 00000000" ZEROS_16 "07050000 06 00 1234 03", "a node behind", "the request is not for the processor itself (node 0)" },
	{ "doip", UDP, "02fd0005 00000007 0e00000000000000", "routing activation", "the message carries something" },
	{ "doip", UDP, "02fd0002 00000000", "without its EID", "type 0x0002 is neither identification (0001) nor entity status (4001)" },
	{ "doip", TCP, "02fd0001 00000000", "over TCP", "doip is not asked over tcp" },
	{ "doip", UDP, "02fe0001 00000000", "wrong complement", "the version's complement is wrong" },
	{ "doip", UDP, "ff004001 00000000", "status of any version", "version 255 is not one of 1 to 4" },
	{ "focas", TCP, "a0a0a0a0 0001 1501 0000", "program transfer", "function 0x15 is none of open, one call and close" },
	{ "focas", TCP, "a0a0a0a0 0001 0101 0002 0001", "data channel", "the open is not that of the control channel" },
	{ "focas", TCP, "a0a0a0a0 0001 2101 001e 0001 001c 0002 0001 0018" ZEROS_16 "00000000", "to the PMC", "the call is not that for system information (1/0018, without arguments)" },
	{ "hsms", TCP, "0000000c 0000 810d 0000 00000003 0100", "S1F13", "the message is not a bare header of SECS-II" },
	{ "hsms", TCP, "0000000a 0000 810f 0000 00000003", "S1F15 offline", "S1F15 for device 0x0000 is not S1F1 with a reply expected" },
	{ "hsms", TCP, "0000000a 0000 8229 0000 00000003", "S2F41 command", "S2F41 for device 0x0000 is not S1F1 with a reply expected" },
	{ "hsms", TCP, "0000000a ffff 0000 0003 00000003", "deselect", "control message 3 is none of select, linktest and separate" },
	{ "mbus_tcp", TCP, "1040054516", "SND_NKE", "control field 0x40 is not REQ_UD2 (5b, 7b)" },
	{ "mbus_tcp", TCP, "680303685305 50a816", "application reset", "the frame is no short one; long frames select, reset and write" },
	{ "mbus_tcp", TCP, "105bfe5916", "to all", "address 254 is not that of one meter (1 to 250)" },
	{ "mbus_tcp", TCP, "105bfd5816", "to the selected one", "address 253 is not that of one meter (1 to 250)" },
	{ "mbus_tcp", TCP, "105b056116", "wrong checksum", "the checksum is wrong" },
	{ "coap", UDP, "54031234 01020304 bb2e77656c6c2d6b6e6f776e 04636f7265", "PUT", "code 0.03 is not GET (0.01)" },
	{ "coap", UDP, "54011234 01020304 60 5b2e77656c6c2d6b6e6f776e 04636f7265", "observe", "the options are not the path /.well-known/core" },
	{ "coap", UDP, "54011234 01020304 bb2e77656c6c2d6b6e6f776e 0465646974", "another path", "the options are not the path /.well-known/core" },
	{ "coap", UDP, "44011234 01020304 bb2e77656c6c2d6b6e6f776e 04636f7265", "confirmable", "the message is no unconfirmed one with a token of four bytes" },
	{ "fox", TCP, "666f7820612031202d3120666f78206c6f67696e0a7b0a666f782e76657273696f6e3d733a312e300a69643d693a310a7d3b3b0a", "login", "the message is not the bare hello" },
	{ "mqtt", TCP, "3005 0001 61 6869", "publish", "packet type 0x30 is none of connect, subscribe and disconnect" },
	{ "mqtt", TCP, "1018 0004 4d515454 04 00 001e 000c 61736b616e63652d 71777a61", "a session that stays", "the connect is not for a clean session of 3.1.1 without user and will" },
	{ "mqtt", TCP, "1018 0004 4d515454 04 06 001e 000c 61736b616e63652d 71777a61", "a will", "the connect is not for a clean session of 3.1.1 without user and will" },
	{ "mqtt", TCP, "1018 0004 4d515454 04 02 001e 000c 706c632d6c696e652d 71777a", "another's client id", "the client id is not askance- and 4 letters" },
	{ "mqtt", TCP, "1018 0004 4d515454 04 02 0e10 000c 61736b616e63652d 71777a61", "kept for an hour", "the connection would be kept longer than 60 s" },
	{ "mqtt", TCP, "8206 0001 0001 23 00", "all topics", "the subscription is not to $SYS/broker/version at QoS 0" },
	{ "pcworx", TCP, "0105 0016 0001 0000 7880 00 4c 00000006 0004 02960000", "another service", "command 0x05 is not in the one form that reads" },
	{ "pcworx", TCP, "0107 000c 0003 ffffff0f 00 4c", "another command", "command 0x07 is none of connect, read and disconnect" },
	{ "proconos", TCP, "cc010001 400e 0000 4c07", "stop", "command 0x01 is not the question for the description (0x0b)" },
	{ "codesys_v2", TCP, "bbbb 01000000 04", "stop", "service 0x04 is neither login nor logout" },
	{ "codesys_v2", TCP, "bbbb 0d000000 01 00000004 00000006 00000000", "login with something", "the service carries something" },
	{ "codesys_v3", TCP, "000117e8 24000000 c56b4040 0033 2ddc c0a80105 c001 c0a80109 0000 c300 0101 00000000", "open a channel", "service 0x40 is not the name service (0x03)" },
	{ "codesys_v3", TCP, "000117e8 24000000 c56b4003 0033 2ddc c0a80105 c001 c0a80109 0000 01c2 0004 78563412", "resolve a name", "question 0xc201 is not that for the identification (c202, version 0400)" },
	{ "crimson_v3", TCP, "0004 012c 1b00", "another item", "item 0x012c in form 0x1b00 is neither maker (012b/1b00) nor model (012a/1a00)" },
	{ "ge_srtp", TCP, "02000100 0000 000000 01 00000000000000 01" ZEROS_8 "00000000 01 c0 00000000 100e0000 0101 23" ZEROS_8 "0000000000", "run or stop", "service 0x23 is not the return of controller type and id (0x43)" },
	{ "ge_srtp", TCP, "02000100 0000 000000 01 00000000000000 01" ZEROS_8 "00000000 01 80 00000000 100e0000 0101 43" ZEROS_8 "0000000000", "with text", "the header is not that of a request without text" },
	{ "ge_srtp", TCP, "02000100 0000 000000 01 00000000000000 01" ZEROS_8 "00000000 01 c0 00000000 400e0000 0101 43" ZEROS_8 "0000000000", "slot 4", "the destination is not the controller in slot 1, 2 or 3" },
	{ "dicom", TCP, "070000000004 00000000", "abort", "PDU 0x07 is none of associate, data and release" },
	{ "dicom", TCP, ECHO_HEAD "00000001 02000000 0100 00001001 02000000 0100 00000008 02000000 0101", "C-STORE", "the command is not the one C-ECHO" },
	{ "null", TCP, "0d0a", "a line", "the NULL probe only listens; it sends nothing" },
	{ "null", TCP, "", "nothing", "the NULL probe only listens; it sends nothing" },
};

static void test_forbidden(void **state)
{
	(void)state;
	refuse_all(forbidden, sizeof forbidden / sizeof *forbidden);
}

/* Checksums that a changed byte would spoil: the guard must see the function, not a slip. */
static void sum_mbus(uint8_t *b, size_t n)
{
	(void)n;
	b[3] = (uint8_t)(b[1] + b[2]);
}

static void sum_kermit(uint8_t *b, size_t n)
{
	unsigned int crc = 0;

	for (size_t i = 0; i < n - 2; i++) {
		crc ^= b[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1;
	}
	b[n - 2] = (uint8_t)crc;
	b[n - 1] = (uint8_t)(crc >> 8);
}

/* DoIP's second byte follows the first. */
static void complement(uint8_t *b, size_t n)
{
	(void)n;
	b[1] = (uint8_t)~b[0];
}

/* All values of one or two bytes of a message, of which `allowed` alone may pass. */
struct sweep {
	const char *protocol;
	enum transport transport;
	const char *hex;
	size_t at, width;
	void (*mend)(uint8_t *b, size_t n);
	size_t count;
	uint32_t allowed[4];
};

static const struct sweep sweeps[] = {
	{ "cspv4", TCP, CSP_STATUS, 32, 1, NULL, 1, { 0x06 } },          /* command */
	{ "cspv4", TCP, CSP_STATUS, 36, 1, NULL, 1, { 0x03 } },          /* function */
	{ "cspv4", TCP, CSP_STATUS, 0, 2, NULL, 1, { 0x0107 } },         /* mode, submode */
	{ "cspv4", TCP, CSP_STATUS, 28, 1, NULL, 1, { 0 } },             /* node */
	{ "doip", UDP, "02fd0001 00000000", 2, 2, NULL, 2, { 0x0001, 0x4001 } },
	{ "doip", UDP, "02fd4001 00000000", 0, 1, complement, 4, { 1, 2, 3, 4 } },
	{ "focas", TCP, FOCAS_CALL, 6, 2, NULL, 1, { 0x2101 } },         /* function, direction */
	{ "focas", TCP, FOCAS_CALL, 14, 2, NULL, 1, { 0x0001 } },        /* device */
	{ "focas", TCP, FOCAS_CALL, 16, 2, NULL, 1, { 0x0001 } },        /* call, upper half */
	{ "focas", TCP, FOCAS_CALL, 18, 2, NULL, 1, { 0x0018 } },        /* call, lower half */
	{ "hsms", TCP, "0000000a ffff 0000 0001 00000001", 9, 1, NULL, 3, { 1, 5, 9 } },
	{ "hsms", TCP, "0000000a 0001 8101 0000 00000001", 6, 2, NULL, 1, { 0x8101 } },
	{ "hsms", TCP, "0000000a 0001 8101 0000 00000001", 8, 1, NULL, 1, { 0 } },
	{ "mbus_tcp", TCP, "105b056016", 1, 1, sum_mbus, 2, { 0x5b, 0x7b } },
	{ "coap", UDP, "54011234 01020304 bb2e77656c6c2d6b6e6f776e 04636f7265", 1, 1, NULL, 1, { 1 } },
	{ "coap", UDP, "54011234 01020304 bb2e77656c6c2d6b6e6f776e 04636f7265", 0, 1, NULL, 1, { 0x54 } },
	{ "mqtt", TCP, MQTT_CONNECT, 0, 1, NULL, 1, { 0x10 } },
	{ "mqtt", TCP, MQTT_CONNECT, 9, 1, NULL, 1, { 0x02 } },          /* flags: user, will, clean */
	{ "mqtt", TCP, MQTT_SUBSCRIBE, 0, 1, NULL, 1, { 0x82 } },
	{ "mqtt", TCP, "e000", 0, 1, NULL, 1, { 0xe0 } },
	{ "pcworx", TCP, PCWORX_ASK, 0, 2, NULL, 1, { 0x0105 } },
	{ "pcworx", TCP, PCWORX_ASK, 18, 2, NULL, 1, { 0x0295 } },
	{ "pcworx", TCP, "0102 000c 0003 ffffff0f 00 4c", 1, 1, NULL, 1, { 2 } },
	{ "proconos", TCP, "cc01000b 4002 0000 47ee", 3, 1, sum_kermit, 1, { 0x0b } },
	{ "codesys_v2", TCP, "bbbb 01000000 01", 6, 1, NULL, 2, { 1, 2 } },
	{ "codesys_v2", TCP, "bbbb 00000001 01", 6, 1, NULL, 2, { 1, 2 } },
	{ "codesys_v3", TCP, CODESYS_V3, 11, 1, NULL, 1, { 3 } },        /* service */
	{ "codesys_v3", TCP, CODESYS_V3, 28, 2, NULL, 1, { 0x02c2 } },   /* question, little-endian */
	{ "crimson_v3", TCP, "0004 012b 1b00", 2, 2, NULL, 1, { 0x012b } },
	{ "crimson_v3", TCP, "0004 012b 1b00", 4, 2, NULL, 1, { 0x1b00 } },
	{ "crimson_v3", TCP, "0004 012a 1a00", 2, 2, NULL, 1, { 0x012a } },
	{ "ge_srtp", TCP, SRTP_43, 42, 1, NULL, 1, { 0x43 } },           /* service */
	{ "ge_srtp", TCP, SRTP_43, 31, 1, NULL, 1, { 0xc0 } },           /* kind of message */
	{ "ge_srtp", TCP, SRTP_43, 36, 1, NULL, 3, { 0x10, 0x20, 0x30 } },
	{ "ge_srtp", TCP, ZEROS_56, 0, 1, NULL, 1, { 0 } },
	{ "dicom", TCP, ECHO, 0, 1, NULL, 1, { 4 } },
	{ "dicom", TCP, ECHO, 58, 2, NULL, 1, { 0x3000 } },           /* command */
	{ "dicom", TCP, "05000000 0004 00000000", 0, 1, NULL, 1, { 5 } },
};

static bool is_listed(const struct sweep *s, uint32_t value)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->allowed[i] == value)
			return true;
	return false;
}

static void test_every_function(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++) {
		const struct sweep *s = &sweeps[i];
		uint8_t bytes[MESSAGE_BYTES];
		size_t n = from_hex(s->hex, bytes);

		for (uint32_t value = 0; value < 1u << (8 * s->width); value++) {
			bytes[s->at] = (uint8_t)(s->width == 2 ? value >> 8 : value);
			if (s->width == 2)
				bytes[s->at + 1] = (uint8_t)value;
			if (s->mend)
				s->mend(bytes, n);
			if (judge(s->protocol, s->transport, bytes, n).allowed != is_listed(s, value))
				fail_msg("%s: 0x%x at byte %zu was judged wrongly", s->protocol, value, s->at);
		}
	}
}

/* The addresses of single meters, and not those that select or that all obey. */
static void test_mbus_addresses(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < 256; a++) {
		uint8_t frame[] = { 0x10, 0x5b, (uint8_t)a, 0, 0x16 };

		frame[3] = sum8(frame + 1, 2);
		assert_int_equal(judge("mbus_tcp", TCP, frame, sizeof frame).allowed, a >= 1 && a <= 250);
	}
}

/* What decides, found anew and not by the guard's own reader. */
static bool cspv4_reads(const uint8_t *b, size_t n)
{
	return b[0] == 1 && ((b[1] == 1 && n == 28) || (b[1] == 7 && n == 37 && b[32] == 6 && b[36] == 3));
}

static bool doip_reads(const uint8_t *b, size_t n)
{
	return n == 8 && ((b[2] == 0 && b[3] == 1) || (b[2] == 0x40 && b[3] == 1));
}

static bool focas_reads(const uint8_t *b, size_t n)
{
	return b[6] == 1 || b[6] == 2 || (b[6] == 0x21 && n == 40 && b[19] == 0x18 && b[17] == 1);
}

static bool hsms_reads(const uint8_t *b, size_t n)
{
	return n == 14 && (b[9] == 0 ? b[6] == 0x81 && b[7] == 1 : b[9] == 1 || b[9] == 5 || b[9] == 9);
}

static bool mbus_reads(const uint8_t *b, size_t n)
{
	return n == 5 && b[0] == 0x10 && (b[1] & 0xdf) == 0x5b && b[2] >= 1 && b[2] <= 250;
}

static bool coap_reads(const uint8_t *b, size_t n)
{
	return (n == 4 && b[0] == 0x60 && b[1] == 0) || (n == 25 && b[1] == 1 && memcmp(b + 9, ".well-known", 11) == 0);
}

static bool fox_reads(const uint8_t *b, size_t n)
{
	return n == 52 && memcmp(b, "fox a 1 -1 fox hello\n", 21) == 0;
}

static bool mqtt_reads(const uint8_t *b, size_t n)
{
	return (b[0] == 0x10 && b[9] == 2 && memcmp(b + 14, "askance-", 8) == 0) ||
	       (b[0] == 0x82 && memcmp(b + 6, "$SYS/broker/version", 19) == 0 && b[25] == 0) || (b[0] == 0xe0 && n == 2);
}

static bool pcworx_reads(const uint8_t *b, size_t n)
{
	return b[0] == 1 && (b[1] == 1 || b[1] == 6 || b[1] == 2 || (b[1] == 5 && n == 22 && b[18] == 2 && b[19] == 0x95));
}

static bool proconos_reads(const uint8_t *b, size_t n)
{
	return n == 10 && b[3] == 0x0b;
}

static bool codesys_v2_reads(const uint8_t *b, size_t n)
{
	return n == 7 && (b[6] == 1 || b[6] == 2);
}

static bool codesys_v3_reads(const uint8_t *b, size_t n)
{
	return n == 36 && b[11] == 3 && b[28] == 0x02 && b[29] == 0xc2;
}

static bool crimson_reads(const uint8_t *b, size_t n)
{
	return n == 6 && b[2] == 1 && (b[3] == 0x2a || b[3] == 0x2b);
}

static bool ge_srtp_reads(const uint8_t *b, size_t n)
{
	return n == 56 && (b[0] == 0 || (b[0] == 2 && b[31] == 0xc0 && b[42] == 0x43));
}

static bool dicom_reads(const uint8_t *b, size_t n)
{
	return (b[0] == 1 && n == 220) || (b[0] == 4 && n == 80 && b[58] == 0x30 && b[59] == 0) || (b[0] == 5 && n == 10);
}

static const struct codes answered[] = {
	{ "cspv4", cspv4_reads },       { "doip", doip_reads },             { "focas", focas_reads },
	{ "hsms", hsms_reads },         { "mbus_tcp", mbus_reads },         { "coap", coap_reads },
	{ "fox", fox_reads },           { "mqtt", mqtt_reads },             { "pcworx", pcworx_reads },
	{ "proconos", proconos_reads }, { "codesys_v2", codesys_v2_reads }, { "codesys_v3", codesys_v3_reads },
	{ "crimson_v3", crimson_reads }, { "ge_srtp", ge_srtp_reads },      { "dicom", dicom_reads },
	{ NULL, NULL },
};

static void test_changed_bytes(void **state)
{
	(void)state;
	codes = answered;
	see_messages(change_every_byte, NULL);
	assert_true(changed > 300000);
	assert_true(passed > 0 && passed < changed / 5);
}

static void test_cut_short(void **state)
{
	size_t count = 0;

	(void)state;
	codes = answered;
	see_messages(cut_short, &count);
	assert_true(count > 10000);
}

static void test_lengthened(void **state)
{
	(void)state;
	codes = answered;
	see_messages(lengthen, NULL);
}

/* What must be there for SNMP and OPC UA: the questions by which their devices are known. */
static void test_shipped_rules(void **state)
{
	static const struct {
		const char *rule, *step;
	} there[] = {
		{ "snmp", "system" },       { "snmp-v1", "system" },     { "snmp-v3", "discover" }, { "opcua", "hello" },
		{ "opcua", "find servers" }, { "opcua", "get endpoints" }, { "tls", "hello" },      { "ssh", "banner" },
		{ "http-head", "head" },    { "null", "banner" },        { "dicom-echo", "echo" },  { "hsms", "separate" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
		const struct rule *rule = ruleset_find(rules, there[i].rule);
		bool found = false;

		assert_non_null(rule);
		for (size_t n = 0; n < rule->steps_count; n++)
			found |= strcmp(rule->steps[n].name, there[i].step) == 0;
		assert_true(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),        cmocka_unit_test(test_forbidden), cmocka_unit_test(test_every_function),
		cmocka_unit_test(test_mbus_addresses), cmocka_unit_test(test_changed_bytes), cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_lengthened),    cmocka_unit_test(test_shipped_rules),
	};

	return cmocka_run_group_tests(tests, load_rules, free_rules);
}
