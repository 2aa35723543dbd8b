/* Whom the hub takes for heard, and so for somebody who may be asked. */
#include "make_finding.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define M1 "00:1b:1b:00:00:01"
#define ROUTER "00:00:bc:00:00:99"

static struct picture p;

static int start(void **state)
{
	(void)state;
	hash_start();
	picture_start(&p, "sensor", "hall", 1000);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	picture_end(&p);
	return 0;
}

static void hear_from(struct finding f, unsigned sent_from)
{
	picture_hear(&p, &f, sent_from);
}

static const struct node *node(const char *mac, const char *ip)
{
	static const uint16_t untagged[2];
	struct endpoint e = at(mac, ip, BINDING_NONE);
	const struct node *n = picture_find(&p, untagged, e.family, ip[0] ? e.ip : e.mac);

	assert_non_null(n);
	return n;
}

static uint32_t heard_s(const char *mac, const char *ip)
{
	return node(mac, ip)->heard_s;
}

/* Each address by itself, and none by what others tell of it; a device that others speak of was seen all the same. */
static void only_who_sends_is_heard(void **state)
{
	struct finding f = host(M1, "10.0.0.5", BINDING_FRAME);
	uint32_t first_s, then_s;

	(void)state;
	hear_from(f, 0);
	assert_int_equal(heard_s(M1, ""), 0);
	assert_int_equal(heard_s("", "10.0.0.5"), 0);
	hear_from(f, SENT_FROM_BOTH);
	first_s = (uint32_t)(f.time_ns / SECOND_NS);
	assert_int_equal(heard_s(M1, ""), first_s);
	assert_int_equal(heard_s("", "10.0.0.5"), first_s);
	test_time_ns += 500 * SECOND_NS;
	f = host(M1, "10.0.0.5", BINDING_FRAME);
	then_s = (uint32_t)(f.time_ns / SECOND_NS);
	hear_from(f, 0);
	assert_int_equal(heard_s(M1, ""), first_s);
	assert_int_equal(node("", "10.0.0.5")->last_ns, f.time_ns);
	hear_from(f, SENT_FROM_MAC);
	assert_int_equal(heard_s(M1, ""), then_s);
	assert_int_equal(heard_s("", "10.0.0.5"), first_s);
	hear_from(f, SENT_FROM_IP);
	assert_int_equal(heard_s("", "10.0.0.5"), then_s);
	/* What comes late, after its time, takes nothing back. */
	f.time_ns -= 100 * SECOND_NS;
	hear_from(f, SENT_FROM_BOTH);
	assert_int_equal(heard_s("", "10.0.0.5"), then_s);
}

/* A proxy answers for whole networks, whoever of them is there. */
static void who_a_proxy_answers_for_is_not_heard(void **state)
{
	struct finding f;
	char ip[32];

	(void)state;
	for (int i = 1; i <= 5; i++) {
		snprintf(ip, sizeof ip, "10.0.0.%d", i);
		hear_from(host(ROUTER, ip, BINDING_STATED), SENT_FROM_BOTH);
	}
	assert_true(node(ROUTER, "")->flags & NODE_PROXY);
	f = host(ROUTER, "10.0.0.6", BINDING_STATED);
	hear_from(f, SENT_FROM_BOTH);
	assert_int_equal(heard_s(ROUTER, ""), f.time_ns / SECOND_NS);
	assert_int_equal(heard_s("", "10.0.0.6"), 0);
	f = host(ROUTER, "10.0.0.6", BINDING_NONE);
	hear_from(f, SENT_FROM_BOTH);
	assert_int_equal(heard_s("", "10.0.0.6"), f.time_ns / SECOND_NS);
}

/* What answers us, and is else silent, may be on no port that is mirrored: nobody could watch what asking does to it. */
static void an_answer_to_us_is_not_heard(void **state)
{
	struct finding f = host(M1, "10.0.0.5", BINDING_FRAME);
	uint32_t first_s = (uint32_t)(f.time_ns / SECOND_NS);

	(void)state;
	hear_from(f, SENT_FROM_BOTH);
	test_time_ns += 500 * SECOND_NS;
	f = attribute(at(M1, "10.0.0.5", BINDING_FRAME), "modbus", "", ATTR_VENDOR, "Example");
	f.source = SOURCE_PROBE;
	hear_from(f, SENT_FROM_BOTH);
	assert_int_equal(heard_s(M1, ""), first_s);
	assert_int_equal(heard_s("", "10.0.0.5"), first_s);
	assert_int_equal(node("", "10.0.0.5")->last_ns, f.time_ns);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_who_sends_is_heard),
		TEST(who_a_proxy_answers_for_is_not_heard),
		TEST(an_answer_to_us_is_not_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
