/* What is told of flows that no classifier reads: which end serves, and that who was never answered may only have asked. */
#include "tests/unit/engine_fixture.h"

enum { UDP_BYTES = 8, DNS = 53, DHCPV6_CLIENT = 546, DHCPV6_SERVER = 547, DRAWN = 51000, DRAWN_TOO = 53000 };

static const char solicit[] = "\x01\x12\x34\x56\x00\x01\x00\x0a\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01\x00\x08\x00\x02\x00\x00";
static const char advertise[] = "\x02\x12\x34\x56\x00\x02\x00\x0a\x00\x03\x00\x01\x02\x00\x00\x00\x00\x02\x00\x07\x00\x01\x00";
static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03plc\x05plant\x00\x00\x01\x00\x01";
static const char answer[] = "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03plc\x05plant\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01"
			     "\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x07";
static const char ping[] = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
static const char pong[] = "d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re";

static struct fixture *start(void)
{
	struct fixture *x = calloc(1, sizeof *x);

	assert_non_null(x);
	for (int fd = 3; fd < FD_FIRST_FREE; fd++)
		dup2(STDERR_FILENO, fd);
	fixture_start_with(x, (struct engine_config){ .flows = 256, .details = 64, .stream_bytes = 1 << 20, .ndpi_flows = 64 });
	return x;
}

static void put_ipv6(struct wire *w, unsigned from, unsigned to, uint16_t payload)
{
	static const uint8_t prefix[15] = { 0xfe, 0x80 };

	wire_u32(w, 0x60000000);
	wire_u16(w, payload);
	wire_u16(w, 17 << 8 | 64);
	wire_put(w, prefix, sizeof prefix);
	wire_u8(w, from);
	wire_put(w, prefix, sizeof prefix);
	wire_u8(w, to);
}

/* From fe80::1, or from fe80::2 when it is `back`. */
static void send(struct fixture *x, bool back, unsigned from, unsigned to, const char *payload, size_t len)
{
	struct wire w;

	wire_ethernet(&w, back, 0x86dd);
	put_ipv6(&w, back ? 2 : 1, back ? 1 : 2, (uint16_t)(UDP_BYTES + len));
	wire_u16(&w, from);
	wire_u16(&w, to);
	wire_u16(&w, (unsigned)(UDP_BYTES + len));
	wire_u16(&w, 0);
	wire_put(&w, payload, len);
	fixture_frame(x, w.bytes, w.len, w.len, LINKTYPE_ETHERNET);
}

#define SEND(x, back, from, to, payload) send(x, back, from, to, payload, sizeof payload - 1)

/* All flows are over: the only service that was told, or none with port 0. */
static void expect_service(struct fixture *x, const char *label, uint8_t host, uint16_t port)
{
	unsigned found = 0;

	engine_end_flows(&x->engine, x->frames);
	fixture_collect(x);
	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == FINDING_SERVICE) {
			assert_string_equal(x->findings[i].protocol, label);
			assert_int_equal(x->findings[i].evidence, EVIDENCE_NDPI);
			assert_int_equal(x->findings[i].subject.ip[15], host);
			assert_int_equal(x->findings[i].port, port);
			found++;
		}
	assert_int_equal(found, port != 0);
	fixture_end(x);
}

static void test_a_clients_port_serves_nobody(void **state)
{
	struct fixture *x = start();

	(void)state;
	SEND(x, false, DHCPV6_CLIENT, DHCPV6_SERVER, solicit);
	expect_service(x, "", 0, 0);
	x = start();
	SEND(x, false, DHCPV6_CLIENT, DHCPV6_SERVER, solicit);
	SEND(x, true, DHCPV6_SERVER, DHCPV6_CLIENT, advertise);
	expect_service(x, "dhcpv6", 2, DHCPV6_SERVER);
}

static void test_answers_alone(void **state)
{
	struct fixture *x = start();

	(void)state;
	SEND(x, true, DNS, DRAWN, answer);
	expect_service(x, "dns", 2, DNS);
	x = start();
	SEND(x, false, DRAWN, DNS, question);
	expect_service(x, "", 0, 0);
}

static void test_a_drawn_port_needs_an_answer(void **state)
{
	struct fixture *x = start();

	(void)state;
	SEND(x, false, DRAWN, DRAWN_TOO, ping);
	expect_service(x, "", 0, 0);
	x = start();
	SEND(x, true, DRAWN_TOO, DRAWN, ping);
	SEND(x, false, DRAWN, DRAWN_TOO, pong);
	expect_service(x, "bittorrent", 1, DRAWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_clients_port_serves_nobody),
		cmocka_unit_test(test_answers_alone),
		cmocka_unit_test(test_a_drawn_port_needs_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
