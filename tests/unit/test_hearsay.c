/* What is said of a device is told apart from what it sends itself: only who sends was heard, and may be asked. */
#include "tests/unit/plant_frames.h"

enum { PORT_FINS = 9600, PORT_MODBUS = 502, PORT_UNKNOWN = 9999, DHCP_SERVER = 67, DHCP_CLIENT = 68, SERVER = 2, CLIENT = 1, OTHER_DEVICE = 7 };

static const uint8_t fins_question[] = { 0x80, 0, 2, 0, 1, 0, 0, 2, 0, 1, 5, 1, 0 };
static const uint8_t modbus_answer[] = { 0, 1, 0, 0, 0, 5, 7, 3, 2, 0, 9 };

/* How many findings of that kind were told of the address that ends so; all of them as sent from `from`. */
static unsigned told_of(const struct fixture *x, enum finding_kind kind, uint8_t last, unsigned from)
{
	unsigned count = 0;

	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == kind && x->findings[i].subject.family == 4 && x->findings[i].subject.ip[3] == last) {
			assert_int_equal(x->sent_from[i], from);
			count++;
		}
	return count;
}

static void test_receiver(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;

	(void)state;
	for (int i = 0; i < 2; i++) {
		wire_udp(&w, false, PORT_FINS, fins_question, sizeof fins_question);
		fixture_wire(x, &w);
	}
	assert_true(fixture_has(x, FINDING_ATTRIBUTE, "fins", ATTR_NETWORK_ADDRESS, NULL));
	assert_int_equal(told_of(x, FINDING_HOST, CLIENT, SENT_FROM_BOTH), 1);
	assert_int_equal(told_of(x, FINDING_SPEAKS, CLIENT, SENT_FROM_BOTH), 1);
	assert_int_equal(told_of(x, FINDING_ATTRIBUTE, CLIENT, SENT_FROM_BOTH), 1);
	assert_int_equal(told_of(x, FINDING_ATTRIBUTE, SERVER, 0), 1);
	assert_int_equal(told_of(x, FINDING_HOST, SERVER, 0), 0);
	fixture_end(x);
}

/* One way alone is mirrored. */
static void test_other_end(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;

	(void)state;
	wire_tcp(&w, true, PORT_MODBUS, 1000, TCP_ACK, modbus_answer, sizeof modbus_answer);
	fixture_wire(x, &w);
	wire_tcp(&w, true, PORT_MODBUS, 1000 + sizeof modbus_answer, TCP_ACK, modbus_answer, sizeof modbus_answer);
	fixture_wire(x, &w);
	assert_int_equal(told_of(x, FINDING_SERVICE, SERVER, SENT_FROM_BOTH), 1);
	assert_int_equal(told_of(x, FINDING_TALKS, CLIENT, 0), 1);
	assert_int_equal(told_of(x, FINDING_HOST, CLIENT, 0), 0);
	fixture_end(x);
}

/* What is concluded at the end of a flow comes long after its last frame. */
static void test_end_of_flow(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;

	(void)state;
	wire_tcp(&w, false, PORT_UNKNOWN, 99, TCP_SYN, "", 0);
	fixture_wire(x, &w);
	wire_tcp(&w, true, PORT_UNKNOWN, 999, TCP_SYN | TCP_ACK, "", 0);
	fixture_wire(x, &w);
	wire_tcp(&w, true, PORT_UNKNOWN, 1000, TCP_ACK, modbus_answer, 4);
	fixture_wire(x, &w);
	assert_int_equal(told_of(x, FINDING_SERVICE, SERVER, 0), 0);
	engine_end_flows(&x->engine, x->frames);
	fixture_collect(x);
	assert_int_equal(told_of(x, FINDING_SERVICE, SERVER, 0), 1);
	assert_int_equal(told_of(x, FINDING_TALKS, CLIENT, 0), 1);
	assert_int_equal(told_of(x, FINDING_HOST, SERVER, SENT_FROM_BOTH), 1);
	fixture_end(x);
}

/* An ARP reply of 10.0.0.`last`, whose MAC ends so too, in a frame from another MAC or its own. */
static void send_arp(struct fixture *x, uint8_t last, uint8_t from)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0 }, target[10] = { 2, [5] = CLIENT, 10, [9] = CLIENT };
	struct wire w = { .len = 0 };

	wire_put(&w, "\x02\0\0\0\0\x01\x02\0\0\0\0", 11);
	wire_u8(&w, from);
	wire_u16(&w, ETHERTYPE_ARP);
	wire_put(&w, head, sizeof head);
	wire_u8(&w, last);
	wire_u32(&w, 0x0a000000u + last);
	wire_put(&w, target, sizeof target);
	fixture_wire(x, &w);
}

/* Who answers is heard, whom it answers isn't. What another said before does not keep it from being told. */
static void test_arp(void **state)
{
	struct fixture *x = fixture_start();

	(void)state;
	/* Many, because only what falls into the same share is remembered together. */
	for (uint8_t last = OTHER_DEVICE; last < OTHER_DEVICE + 100; last++) {
		send_arp(x, last, SERVER);
		assert_int_equal(told_of(x, FINDING_HOST, last, SENT_FROM_IP), 1);
		x->count = 0;
		send_arp(x, last, last);
		assert_int_equal(told_of(x, FINDING_HOST, last, SENT_FROM_BOTH), 1);
		assert_int_equal(told_of(x, FINDING_HOST, CLIENT, 0), 0);
	}
	fixture_end(x);
}

/* A server confirms the address of a client that may be gone by now. */
static void test_dhcp(void **state)
{
	static const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 5, 255 };
	uint8_t ack[236 + sizeof options] = { 2, 1, 6, 0, 1, 2, 3, 4, [16] = 10, 0, 0, OTHER_DEVICE, [28] = 2, 0, 0, 0, 0, OTHER_DEVICE };
	struct fixture *x = fixture_start();
	struct wire w;

	(void)state;
	memcpy(ack + 236, options, sizeof options);
	wire_udp(&w, true, DHCP_SERVER, ack, sizeof ack);
	w.bytes[36] = DHCP_CLIENT >> 8;
	w.bytes[37] = DHCP_CLIENT;
	fixture_wire(x, &w);
	assert_int_equal(told_of(x, FINDING_HOST, OTHER_DEVICE, 0), 1);
	assert_int_equal(told_of(x, FINDING_HOST, SERVER, SENT_FROM_BOTH), 1);
	fixture_end(x);
}

struct senders {
	struct fixture *x;
	unsigned sent, hearsay;
};

/* In a plain IPv4 frame it is plain who sent it. */
static void check_frame(void *context, const struct frame *f)
{
	struct senders *s = context;
	struct fixture *x = s->x;
	bool ipv4 = f->captured > 34 && f->bytes[12] == 8 && f->bytes[13] == 0, tunnel = ipv4 && (f->bytes[23] == 47 || f->bytes[23] == 17);

	x->count = 0;
	fixture_frame(x, f->bytes, f->captured, f->length, LINKTYPE_ETHERNET);
	for (unsigned i = 0; i < x->count && ipv4 && !tunnel; i++) {
		const struct endpoint *who = &x->findings[i].subject;
		bool mac = memcmp(who->mac, f->bytes + 6, sizeof who->mac) == 0, ip = who->family == 4 && memcmp(who->ip, f->bytes + 26, 4) == 0;

		assert_int_equal(x->sent_from[i], (mac ? SENT_FROM_MAC : 0) | (ip ? SENT_FROM_IP : 0));
		s->sent += ip;
		s->hearsay += !ip;
	}
}

static void test_plant(void **state)
{
	struct senders s = { .x = fixture_start() };

	(void)state;
	each_plant_frame(0, check_frame, &s);
	print_message("%u findings by who sends, %u of others\n", s.sent, s.hearsay);
	assert_true(s.sent > 100 && s.hearsay > 10);
	fixture_end(s.x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receiver), cmocka_unit_test(test_other_end), cmocka_unit_test(test_end_of_flow),
		cmocka_unit_test(test_arp),      cmocka_unit_test(test_dhcp),      cmocka_unit_test(test_plant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
