/*
 * TCP bytes reach classifiers in order, whatever the mirror did to them. The conversation is an SSH
 * greeting on a port that isn't SSH's, so that only its structure can tell.
 */
#include "tests/unit/engine_fixture.h"

static const char banner[] = "SSH-2.0-Plant_7.4\r\n";

static void assert_server_known(struct fixture *x, const char *protocol)
{
	assert_true(fixture_has(x, FINDING_SERVICE, protocol, ATTR_NONE, NULL));
	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == FINDING_SERVICE) {
			assert_int_equal(x->findings[i].port, 2222);
			assert_int_equal(x->findings[i].subject.ip[3], 2);
			assert_int_equal(x->findings[i].evidence, EVIDENCE_STRUCTURE);
		}
}

static bool banner_read(struct fixture *x)
{
	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == FINDING_ATTRIBUTE && strstr(x->findings[i].value, "Plant_7.4") && x->findings[i].subject.ip[3] == 2)
			return true;
	return false;
}

static void test_in_order(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, banner);
	fixture_tcp(x, false, 100, TCP_ACK, "SSH-2.0-Client_1\r\n");
	assert_server_known(x, "ssh");
	assert_true(banner_read(x));
	fixture_end(x);
}

static void test_byte_by_byte(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	for (uint32_t i = 0; banner[i]; i++) {
		char one[2] = { banner[i], 0 };

		fixture_tcp(x, true, 1000 + i, TCP_ACK, one);
	}
	assert_true(banner_read(x));
	fixture_end(x);
}

static void test_each_twice(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	for (int i = 0; i < 2; i++)
		fixture_tcp(x, true, 1000, TCP_ACK, "SSH-2.0-Pl");
	for (int i = 0; i < 2; i++)
		fixture_tcp(x, true, 1010, TCP_ACK, "ant_7.4\r\n");
	assert_true(banner_read(x));
	fixture_end(x);
}

static void test_out_of_order(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "SSH-");
	fixture_tcp(x, true, 1014, TCP_ACK, "7.4\r\n");
	fixture_tcp(x, true, 1008, TCP_ACK, "Plant_");
	assert_false(banner_read(x));
	fixture_tcp(x, true, 1004, TCP_ACK, "2.0-");
	assert_true(banner_read(x));
	fixture_end(x);
}

static void test_overlapping(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "SSH-2.0");
	fixture_tcp(x, true, 1004, TCP_ACK, "2.0-Plant_7.4\r\n");
	assert_true(banner_read(x));
	fixture_end(x);
}

/* A hole that nothing fills costs at most EARLY_MAX segments of patience, and is counted. */
static void test_hole(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, banner);
	for (uint32_t i = 0; i < EARLY_MAX + 2; i++)
		fixture_tcp(x, true, 2000 + i * 4, TCP_ACK, "abcd");
	assert_true(x->engine.counters.stream_gaps >= 1);
	assert_int_equal(pool_used(&x->engine.details.small), 0);
	fixture_end(x);
}

/* The first segment of all comes last: the SYN tells that it is missing. */
static void test_first_late(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1008, TCP_ACK, "Plant_7.4\r\n");
	fixture_tcp(x, true, 999, TCP_ACK, "?");
	assert_false(banner_read(x));
	fixture_tcp(x, true, 1000, TCP_ACK, "SSH-2.0-");
	assert_true(banner_read(x));
	assert_int_equal(x->engine.counters.stream_gaps, 0);
	fixture_end(x);
}

/* A generator of packets that doesn't count the SYN: the first message is whole all the same. */
static void test_syn_not_counted(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 999, TCP_ACK, banner);
	assert_true(banner_read(x));
	fixture_end(x);
}

/* What waits for a hole is read at the end of the connection when the hole was not filled. */
static void test_hole_until_end(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1100, TCP_ACK, banner);
	assert_false(banner_read(x));
	fixture_tcp(x, false, 100, TCP_RST, "");
	assert_true(banner_read(x));
	assert_int_equal(pool_used(&x->engine.details.small), 0);
	fixture_end(x);
}

static void send_bytes(struct fixture *x, bool from_server, uint32_t sequence, const void *bytes, size_t len)
{
	struct wire w;

	wire_tcp(&w, from_server, 2222, sequence, TCP_ACK, bytes, len);
	fixture_wire(x, &w);
}

/* In mid-stream one enciphered record of the server's proves nothing; the client's then proves both. */
static void test_proven_by_other_end(void **state)
{
	static const uint8_t record[] = { 0x17, 3, 3, 0, 4, 0xd1, 0x5e, 0xa5, 0xed };
	struct fixture *x = fixture_start();

	(void)state;
	send_bytes(x, true, 1000, record, sizeof record);
	assert_false(fixture_has(x, FINDING_SERVICE, "tls", ATTR_NONE, NULL));
	send_bytes(x, false, 100, record, sizeof record);
	assert_server_known(x, "tls");
	assert_true(fixture_has(x, FINDING_SPEAKS, "tls", ATTR_NONE, NULL));
	fixture_end(x);
}

/* The start of a record that never became whole is read when the connection ends: it holds a server's hello. */
static void test_unfinished_at_end(void **state)
{
	static const uint8_t client[] = { 0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, [43] = 0, 0, 2, 0xc0, 0x2f, 1, 0 };
	static const uint8_t server[] = { 0x16, 3, 3, 1, 0, 2, 0, 0, 38, 3, 3, [43] = 0, 0xc0, 0x2f, 0, 11, 0, 0, 200, 0 };
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	send_bytes(x, false, 100, client, sizeof client);
	send_bytes(x, true, 1000, server, sizeof server);
	assert_false(fixture_has(x, FINDING_SERVICE, "tls", ATTR_NONE, NULL));
	fixture_tcp(x, false, 100 + sizeof client, TCP_RST, "");
	assert_server_known(x, "tls");
	assert_int_equal(pool_used(&x->engine.details.small), 0);
	fixture_end(x);
}

/* Data that comes with the SYN stands behind it. RFC 7413, 3. */
static void test_data_with_syn(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_tcp(x, false, 99, TCP_SYN, "");
	fixture_tcp(x, true, 999, TCP_SYN | TCP_ACK, "SSH-2.0-Pl");
	fixture_tcp(x, true, 1010, TCP_ACK, "ant_7.4\r\n");
	assert_true(banner_read(x));
	fixture_end(x);
}

/* A line that one reader waits for the rest of, as these bytes begin a message of MQTT, and then another language. */
static void test_language_changes(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "234 Proceed with negotiation.\r\n");
	assert_true(pool_used(&x->engine.details.small) > 0);
	fixture_tcp(x, false, 100, TCP_ACK, "SSH-2.0-Client_1\r\n");
	fixture_tcp(x, true, 1031, TCP_ACK, banner);
	assert_true(banner_read(x));
	fixture_end(x);
}

/* Sequence numbers wrap in the middle of the greeting. */
static void test_wrap(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_tcp(x, false, 99, TCP_SYN, "");
	fixture_tcp(x, true, 0xfffffffa, TCP_SYN | TCP_ACK, "");
	fixture_tcp(x, true, 0xfffffffb, TCP_ACK, "SSH-2.0-Pl");
	fixture_tcp(x, true, 0x00000005, TCP_ACK, "ant_7.4\r\n");
	assert_true(banner_read(x));
	fixture_end(x);
}

/* What a connection held is given back when it ends, by FIN from both or by RST from one. */
static void test_memory_returns(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "SSH-2.0-Pl");
	fixture_tcp(x, true, 1100, TCP_ACK, "early");
	assert_int_equal(pool_used(&x->engine.details.details), 1);
	assert_int_equal(pool_used(&x->engine.details.small), 2);
	fixture_tcp(x, true, 1010, TCP_FIN | TCP_ACK, "");
	fixture_tcp(x, false, 100, TCP_FIN | TCP_ACK, "");
	assert_int_equal(pool_used(&x->engine.details.details), 0);
	assert_int_equal(pool_used(&x->engine.details.small), 0);
	fixture_end(x);
}

/* Ports are used again: the second connection is read from its own start. */
static void test_port_reused(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "hello\r\n");
	fixture_tcp(x, false, 100, TCP_RST, "");
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, banner);
	assert_true(banner_read(x));
	fixture_end(x);
}

/* A service that nobody knows is a service that was seen: told by port, with no protocol claimed. */
static void test_unknown_service(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "\x9d\x01\x7fwhat is this");
	engine_end_flows(&x->engine, x->frames);
	fixture_collect(x);
	assert_true(fixture_has(x, FINDING_SERVICE, "", ATTR_NONE, NULL));
	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == FINDING_SERVICE)
			assert_int_equal(x->findings[i].evidence, EVIDENCE_PORT);
	fixture_end(x);
}

/* A request that nobody answered makes no service. */
static void test_unanswered(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	fixture_tcp(x, false, 99, TCP_SYN, "");
	fixture_tcp(x, false, 100, TCP_ACK, "SSH-2.0-Client_1\r\n");
	engine_end_flows(&x->engine, x->frames);
	fixture_collect(x);
	for (unsigned i = 0; i < x->count; i++)
		assert_int_not_equal(x->findings[i].kind, FINDING_SERVICE);
	fixture_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),       cmocka_unit_test(test_byte_by_byte),    cmocka_unit_test(test_each_twice),
		cmocka_unit_test(test_out_of_order),   cmocka_unit_test(test_overlapping),     cmocka_unit_test(test_hole),
		cmocka_unit_test(test_wrap),           cmocka_unit_test(test_memory_returns),  cmocka_unit_test(test_port_reused),
		cmocka_unit_test(test_unknown_service), cmocka_unit_test(test_unanswered),   cmocka_unit_test(test_first_late),
		cmocka_unit_test(test_hole_until_end), cmocka_unit_test(test_data_with_syn), cmocka_unit_test(test_language_changes),
		cmocka_unit_test(test_syn_not_counted), cmocka_unit_test(test_proven_by_other_end),
		cmocka_unit_test(test_unfinished_at_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
