/* Times and senders that no honest engine sends are refused at the hub's door, whatever report carries them. */
#include "sensor/common/time_range.h"
#include "sensor/hub/hub.h"
#include "tests/unit/make_finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t wrong[] = { INT64_MIN, -7521857769026144908, -1, TIME_MOST_NS + 1, 7668058320836127338, INT64_MAX };
static const int64_t right[] = { 0, 1, 1700000000 * SECOND_NS, TIME_MOST_NS };

/* The report passes with every right time at `time_ns`, and with no wrong one. */
static void check_time(struct report *r, int64_t *time_ns)
{
	int64_t kept = *time_ns;

	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		*time_ns = right[i];
		assert_true(report_valid(r));
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		*time_ns = wrong[i];
		assert_false(report_valid(r));
	}
	*time_ns = kept;
}

static void test_findings(void **state)
{
	struct report r = { .type = REPORT_FINDING, .finding = host("00:1b:1b:00:00:01", "10.0.0.1", BINDING_STATED) };

	(void)state;
	check_time(&r, &r.finding.time_ns);
}

/* A sender without an address, an address that is none of the two, or a sender of what is no finding. */
static void test_senders(void **state)
{
	struct report r = { .type = REPORT_FINDING, .sent_from = SENT_FROM_BOTH, .finding = host("00:1b:1b:00:00:01", "10.0.0.1", BINDING_STATED) };

	(void)state;
	assert_true(report_valid(&r));
	r.sent_from = SENT_FROM_BOTH + 1;
	assert_false(report_valid(&r));
	r.sent_from = SENT_FROM_IP;
	r.finding = host("00:1b:1b:00:00:01", "", BINDING_NONE);
	assert_false(report_valid(&r));
	r.sent_from = SENT_FROM_MAC;
	assert_true(report_valid(&r));
	r = (struct report){ .type = REPORT_COUNTERS };
	assert_true(report_valid(&r));
	r.sent_from = SENT_FROM_MAC;
	assert_false(report_valid(&r));
}

static void test_progress(void **state)
{
	(void)state;
	for (uint32_t type = REPORT_PROGRESS; type <= REPORT_END; type++) {
		struct report r = { .type = type };

		check_time(&r, &r.progress.first_ns);
		check_time(&r, &r.progress.last_ns);
	}
}

static void test_pulses(void **state)
{
	struct report r = { .type = REPORT_PULSE, .pulse = { .protocol = "modbus", .transport = TRANSPORT_TCP, .port = 502, .why = PULSE_TICK } };

	(void)state;
	r.pulse.time_ns = TIME_MOST_NS;
	check_time(&r, &r.pulse.since_ns);
	check_time(&r, &r.pulse.heard_ns[0]);
	check_time(&r, &r.pulse.heard_ns[1]);
	r.pulse.since_ns = 0;
	check_time(&r, &r.pulse.time_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_pulses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
