/* What repeats itself byte for byte is counted and passed by, and nothing that could tell something else is. */
#include "tests/unit/engine_fixture.h"

#include <stdio.h>

enum { PORT_SSDP = 1900, PORT_MODBUS = 502, SECOND = 1000 /* frames of the fixture */, DIFFERENT = 300 };

static void announce(struct fixture *x, struct wire *w, const char *server)
{
	char text[512];
	int len = snprintf(text, sizeof text, "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\nSERVER: %s\r\n\r\n", server);

	wire_udp(w, false, PORT_SSDP, text, (size_t)len);
	fixture_wire(x, w);
}

/* An announcement that was read often enough to be known. */
static struct fixture *start_known(struct wire *w)
{
	struct fixture *x = fixture_start();

	for (int i = 0; i < 3; i++)
		announce(x, w, "Linux/4.9 UPnP/1.0 Lamp/1.0");
	assert_true(fixture_has(x, FINDING_ATTRIBUTE, "ssdp", ATTR_OS, NULL));
	assert_int_equal(x->engine.counters.messages, 3);
	assert_int_equal(x->engine.routine, 1);
	x->count = 0;
	return x;
}

static void test_repeated(void **state)
{
	struct wire w;
	struct fixture *x = start_known(&w);

	(void)state;
	for (int i = 0; i < 20; i++)
		fixture_wire(x, &w);
	assert_int_equal(x->engine.counters.messages, 23);
	assert_int_equal(x->engine.routine, 21);
	assert_int_equal(x->count, 0);
	fixture_end(x);
}

static void test_changed(void **state)
{
	struct wire w;
	struct fixture *x = start_known(&w);

	(void)state;
	announce(x, &w, "Linux/4.9 UPnP/1.0 Lamp/1.1");
	assert_int_equal(x->engine.routine, 1);
	assert_true(x->count > 0);
	x->count = 0;
	/* And back: both are known now. */
	announce(x, &w, "Linux/4.9 UPnP/1.0 Lamp/1.0");
	announce(x, &w, "Linux/4.9 UPnP/1.0 Lamp/1.1");
	assert_int_equal(x->engine.routine, 3);
	assert_int_equal(x->count, 0);
	fixture_end(x);
}

/* Each byte of the payload counts, wherever it stands. */
static void test_each_byte(void **state)
{
	struct wire w;
	struct fixture *x = start_known(&w);
	uint32_t header = 14 + 20 + 8;

	(void)state;
	for (uint32_t i = header; i < w.len; i++) {
		w.bytes[i] ^= 1;
		detail_at(&x->engine.details, 1)->unlike = 0;
		fixture_wire(x, &w);
		assert_int_equal(x->engine.routine, 1);
		w.bytes[i] ^= 1;
	}
	fixture_wire(x, &w);
	assert_int_equal(x->engine.routine, 2);
	fixture_end(x);
}

/* Zeros take nothing away from what stands beside them. */
static void test_among_zeros(void **state)
{
	struct fixture *x = fixture_start();
	struct wire w;
	char text[512];

	(void)state;
	for (unsigned i = 0; i < DIFFERENT; i++) {
		int len = snprintf(text, sizeof text, "NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nSERVER: Lamp/%03u\r\n\r\n", i);

		memset(text + len, 0, 64);
		wire_udp(&w, false, PORT_SSDP, text, (size_t)len + 64);
		if (i)
			detail_at(&x->engine.details, 1)->unlike = 0;
		fixture_wire(x, &w);
	}
	assert_int_equal(x->engine.counters.messages, DIFFERENT);
	assert_int_equal(x->engine.routine, 0);
	fixture_end(x);
}

static void test_other_sender(void **state)
{
	struct wire w;
	struct fixture *x = start_known(&w);

	(void)state;
	w.bytes[11] ^= 1; /* another MAC with the same address */
	fixture_wire(x, &w);
	assert_int_equal(x->engine.routine, 1);
	w.bytes[11] ^= 1;
	w.bytes[22] = 63; /* over a router */
	fixture_wire(x, &w);
	assert_int_equal(x->engine.routine, 1);
	w.bytes[22] = 64;
	w.bytes[29] ^= 1; /* a device that was not heard before */
	fixture_wire(x, &w);
	assert_int_equal(x->engine.routine, 1);
	assert_true(fixture_has(x, FINDING_ATTRIBUTE, "ssdp", ATTR_OS, NULL));
	fixture_end(x);
}

/* With another memory of the flow, the same bytes may mean something else. */
static void test_other_memo(void **state)
{
	struct wire w;
	struct fixture *x = start_known(&w);

	(void)state;
	for (int i = 0; i < MEMO_BYTES; i++) {
		((uint8_t *)detail_at(&x->engine.details, 1)->memo)[i] ^= 1;
		fixture_wire(x, &w);
		assert_int_equal(x->engine.routine, 1);
		((uint8_t *)detail_at(&x->engine.details, 1)->memo)[i] ^= 1;
	}
	fixture_end(x);
}

static void test_told_again(void **state)
{
	struct wire w;
	struct fixture *x = start_known(&w);

	(void)state;
	x->engine.teller.retell_s = 15; /* and facts after 60 */
	x->frames += 50 * SECOND;
	fixture_wire(x, &w);
	assert_false(fixture_has(x, FINDING_ATTRIBUTE, "ssdp", ATTR_OS, NULL));
	x->frames += 11 * SECOND;
	fixture_wire(x, &w);
	assert_true(fixture_has(x, FINDING_ATTRIBUTE, "ssdp", ATTR_OS, NULL));
	fixture_end(x);
}

/* How often something is done matters, and is told each second: UMAS's stop, in Modbus over UDP. */
static void test_activity(void **state)
{
	static const char stop[] = "\0\1\0\0\0\4\1\x5a\0\x41";
	struct fixture *x = fixture_start();
	struct wire w;
	unsigned told = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		wire_udp(&w, false, PORT_MODBUS, stop, sizeof stop - 1);
		fixture_wire(x, &w);
		x->frames += 2 * SECOND;
	}
	for (unsigned i = 0; i < x->count; i++)
		told += x->findings[i].kind == FINDING_ACTIVITY && x->findings[i].activity == ACTIVITY_MODE_STOP;
	assert_int_equal(told, 10);
	assert_int_equal(x->engine.routine, 0);
	fixture_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeated),   cmocka_unit_test(test_changed),      cmocka_unit_test(test_each_byte), cmocka_unit_test(test_among_zeros),
		cmocka_unit_test(test_other_sender), cmocka_unit_test(test_other_memo), cmocka_unit_test(test_told_again), cmocka_unit_test(test_activity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
