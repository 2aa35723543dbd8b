/* A flow that lasts for hours: who speaks in it, and what they are, is told again all the while. */
#include "tests/unit/engine_fixture.h"

#include "active/guard/order.h"

enum {
	PORT_MODBUS = 502,
	PORT_UNKNOWN = 9999,
	SECOND = 1000, /* frames of the fixture */
	LASTS_S = 7200,
	HOST_S = 60,
	FACT_S = HOST_S * RETELL_FACTS,
	HOST_LATE_S = HOST_S + (1 << HOST_WINDOW_BITS) + 2, /* when a window began just before it was due */
	FACT_LATE_S = FACT_S + (1 << FACT_WINDOW_BITS) + 2,
	UNIT = 7,
};

/* The longest time, in seconds, in which no finding of that kind was told of that address. */
struct silence {
	enum finding_kind kind;
	uint8_t last_of_address;
	int64_t last_ns;
	int64_t longest_s;
	unsigned told;
};

static void note(struct silence *s, int64_t now_ns)
{
	if ((now_ns - s->last_ns) / 1000000000 > s->longest_s)
		s->longest_s = (now_ns - s->last_ns) / 1000000000;
	s->last_ns = now_ns;
}

static void note_findings(struct fixture *x, struct silence *all, unsigned count)
{
	for (unsigned i = 0; i < x->count; i++)
		for (unsigned k = 0; k < count; k++)
			if (x->findings[i].kind == all[k].kind && x->findings[i].subject.ip[3] == all[k].last_of_address) {
				assert_true(all[k].kind != FINDING_HOST || x->sent_from[i] == SENT_FROM_BOTH);
				note(&all[k], x->findings[i].time_ns);
				all[k].told++;
			}
	x->count = 0;
}

static int64_t now_ns(const struct fixture *x)
{
	return 1000000000000 + (int64_t)x->frames * 1000000;
}

static struct fixture *start(uint16_t port)
{
	struct fixture *x = fixture_start();
	struct wire w;

	x->engine.teller.retell_s = HOST_S;
	wire_tcp(&w, false, port, 99, TCP_SYN, "", 0);
	fixture_wire(x, &w);
	wire_tcp(&w, true, port, 999, TCP_SYN | TCP_ACK, "", 0);
	fixture_wire(x, &w);
	return x;
}

/* A question and its answer, and time until the next. */
static void ask(struct fixture *x, uint16_t port, uint32_t number, uint32_t apart_s, const void *question, size_t asked, const void *answer, size_t answered)
{
	struct wire w;

	wire_tcp(&w, false, port, 100 + number * (uint32_t)asked, TCP_ACK, question, asked);
	fixture_wire(x, &w);
	wire_tcp(&w, true, port, 1000 + number * (uint32_t)answered, TCP_ACK, answer, answered);
	fixture_wire(x, &w);
	x->frames += apart_s * SECOND - 2;
}

static void check(struct silence *all, unsigned count, int64_t end_ns)
{
	for (unsigned k = 0; k < count; k++) {
		bool host = all[k].kind == FINDING_HOST;

		note(&all[k], end_ns);
		assert_in_range(all[k].longest_s, (host ? HOST_S : FACT_S) - 1, host ? HOST_LATE_S : FACT_LATE_S);
		/* And no more often than is promised. */
		assert_in_range(all[k].told, 2, 1 + LASTS_S / (host ? HOST_S : FACT_S));
	}
}

/* Plays LASTS_S seconds, and checks that nobody of `all` was silent for longer than is promised, nor told more often. */
static void play(struct fixture *x, uint16_t port, const void *question, size_t asked, const void *answer, size_t answered, struct silence *all,
		 unsigned count)
{
	for (unsigned k = 0; k < count; k++)
		all[k].last_ns = now_ns(x);
	for (uint32_t second = 0; second < LASTS_S; second++) {
		ask(x, port, second, 1, question, asked, answer, answered);
		note_findings(x, all, count);
	}
	check(all, count, now_ns(x));
}

static void test_read(void **state)
{
	static const uint8_t question[] = { 0, 1, 0, 0, 0, 6, UNIT, 3, 0, 0, 0, 1 }, answer[] = { 0, 1, 0, 0, 0, 5, UNIT, 3, 2, 0, 9 };
	struct fixture *x = start(PORT_MODBUS);
	struct silence all[] = {
		{ .kind = FINDING_HOST, .last_of_address = 1 },   { .kind = FINDING_HOST, .last_of_address = 2 },
		{ .kind = FINDING_SPEAKS, .last_of_address = 1 }, { .kind = FINDING_SERVICE, .last_of_address = 2 },
		{ .kind = FINDING_TALKS, .last_of_address = 1 },  { .kind = FINDING_SUBASSET, .last_of_address = 2 },
	};

	(void)state;
	play(x, PORT_MODBUS, question, sizeof question, answer, sizeof answer, all, sizeof all / sizeof *all);
	/* The short way stays what nearly all messages go. */
	assert_true(x->engine.routine > LASTS_S * 2 * 9 / 10);
	fixture_end(x);
}

/* Of what nobody reads the port and the two ends are all there is to say. */
static void test_unread(void **state)
{
	static const uint8_t bytes[] = { 0xf3, 0x81, 0x00, 0xee, 0x9c, 0x13, 0xd7, 0xfa, 0x42 };
	struct fixture *x = start(PORT_UNKNOWN);
	struct silence all[] = {
		{ .kind = FINDING_HOST, .last_of_address = 1 },    { .kind = FINDING_HOST, .last_of_address = 2 },
		{ .kind = FINDING_SERVICE, .last_of_address = 2 }, { .kind = FINDING_TALKS, .last_of_address = 1 },
	};

	(void)state;
	play(x, PORT_UNKNOWN, bytes, sizeof bytes, bytes, sizeof bytes, all, sizeof all / sizeof *all);
	fixture_end(x);
}

/* Nobody is told to be there by what the other end sends: here the client goes on alone, then the server alone. */
static void test_one_sided(void **state)
{
	static const uint8_t question[] = { 0, 1, 0, 0, 0, 6, UNIT, 3, 0, 0, 0, 1 }, answer[] = { 0, 1, 0, 0, 0, 5, UNIT, 3, 2, 0, 9 };
	static const uint8_t bytes[] = { 0xf3, 0x81, 0x00, 0xee, 0x9c, 0x13, 0xd7, 0xfa, 0x42 };

	(void)state;
	for (int round = 0; round < 4; round++) {
		uint16_t port = round & 1 ? PORT_UNKNOWN : PORT_MODBUS;
		const void *asked = round & 1 ? bytes : question, *answered = round & 1 ? bytes : answer;
		uint32_t asked_len = round & 1 ? sizeof bytes : sizeof question, answered_len = round & 1 ? sizeof bytes : sizeof answer;
		bool server = round & 2;
		struct fixture *x = start(port);
		struct wire w;

		for (uint32_t n = 0; n < 20; n++)
			ask(x, port, n, 1, asked, asked_len, answered, answered_len);
		x->count = 0;
		for (uint32_t n = 20; n < 1000; n++) {
			wire_tcp(&w, server, port, server ? 1000 + n * answered_len : 100 + n * asked_len, TCP_ACK, server ? answered : asked,
				 server ? answered_len : asked_len);
			fixture_wire(x, &w);
			x->frames += SECOND - 1;
		}
		assert_true(x->count > 0);
		for (unsigned i = 0; i < x->count; i++)
			assert_int_equal(x->findings[i].subject.ip[3], server ? 2 : 1);
		fixture_end(x);
	}
}

/* Whoever speaks seldom is still heard often enough to be asked something. */
static void test_seldom(void **state)
{
	static const uint8_t bytes[] = { 0xf3, 0x81, 0x00, 0xee, 0x9c, 0x13, 0xd7, 0xfa, 0x42 };

	(void)state;
	for (uint32_t apart_s = 2; apart_s < ORDER_HEARD_S / 2; apart_s++) {
		struct fixture *x = start(PORT_UNKNOWN);
		struct silence s = { .kind = FINDING_HOST, .last_of_address = 2, .last_ns = now_ns(x) };

		for (uint32_t n = 0; n < LASTS_S / apart_s; n++) {
			ask(x, PORT_UNKNOWN, n, apart_s, bytes, sizeof bytes, bytes, sizeof bytes);
			note_findings(x, &s, 1);
		}
		assert_in_range(s.longest_s, 1, ORDER_HEARD_S - 10);
		fixture_end(x);
	}
}

/* Of many devices ARP is all that a mirrored port shows. */
static void test_arp_alone(void **state)
{
	static const uint8_t request[] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1 };
	struct wire w;

	(void)state;
	wire_ethernet(&w, true, ETHERTYPE_ARP);
	wire_put(&w, request, sizeof request);
	for (uint32_t apart_s = 2; apart_s < ORDER_HEARD_S / 2; apart_s++) {
		struct fixture *x = fixture_start();
		struct silence s = { .kind = FINDING_HOST, .last_of_address = 2, .last_ns = now_ns(x) };

		x->engine.teller.retell_s = HOST_S;
		for (uint32_t n = 0; n < LASTS_S / apart_s; n++) {
			fixture_wire(x, &w);
			for (unsigned i = 0; i < x->count; i++)
				assert_int_equal(x->sent_from[i], x->findings[i].subject.family ? SENT_FROM_BOTH : SENT_FROM_MAC);
			note_findings(x, &s, 1);
			x->frames += apart_s * SECOND - 1;
		}
		assert_in_range(s.longest_s, 1, ORDER_HEARD_S - 10);
		fixture_end(x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_one_sided),
		cmocka_unit_test(test_seldom),
		cmocka_unit_test(test_arp_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
