/* Windows of the policy: open by the wall clock of their own time zone, on all of its odd days. */
#include "active/ruleset/policy_check.h"
#include "active/ruleset/timezone.h"
#include "tests/unit/policy_fixture.h"

#include <time.h>

static void test_minutes(void **state)
{
	(void)state;
	assert_int_equal(policy_minutes("00:00"), 0);
	assert_int_equal(policy_minutes("01:59"), 119);
	assert_int_equal(policy_minutes("24:00"), 1440);
	assert_int_equal(policy_minutes("24:01"), -1);
	assert_int_equal(policy_minutes("01:60"), -1);
	assert_int_equal(policy_minutes("-1:00"), -1);
	assert_int_equal(policy_minutes("01:-1"), -1);
	assert_int_equal(policy_minutes("1:00"), -1);
	assert_int_equal(policy_minutes(" 1:20"), -1);
	assert_int_equal(policy_minutes("01: 2"), -1);
	assert_int_equal(policy_minutes("+1:20"), -1);
	assert_int_equal(policy_minutes("01:+2"), -1);
	assert_int_equal(policy_minutes("01:000"), -1);
	assert_int_equal(policy_minutes("01:00x"), -1);
	assert_int_equal(policy_minutes("01.00"), -1);
}

static struct policy *windows(const char *text)
{
	static struct told told;
	struct policy *p = load_text(2, text, &told);

	if (!p)
		fail_msg("%s", told.text);
	return p;
}

static bool open_at(const struct policy *p, int64_t at_s)
{
	return policy_window(p, "hall-3/vlan:10", at_s).open;
}

/* Both switches of 2026 in Berlin: 29 March 01:00 UTC and 25 October 01:00 UTC, both Sundays. */
static void test_windows_dst(void **state)
{
	struct policy *p = windows("windows:\n  - {name: night, timezone: Europe/Berlin, days: [sun], from: '02:00', to: '03:00'}\n");
	const int64_t march = 1774746000, october = 1792890000;

	(void)state;
	/* 22 March: from 01:00 UTC to 02:00 UTC. */
	assert_false(open_at(p, march - 7 * 86400 - 1));
	assert_true(open_at(p, march - 7 * 86400));
	assert_true(open_at(p, march - 7 * 86400 + 3599));
	assert_false(open_at(p, march - 7 * 86400 + 3600));
	/* 29 March: from 02:00 the clock leaps to 03:00, and the hour is not there. */
	for (int64_t s = -7200; s < 7200; s += 60)
		assert_false(open_at(p, march + s));
	assert_int_equal(policy_window_changes(p, "hall-3", march - 7200), march + 7 * 86400 - 3600);
	/* 5 April: summer time, from 00:00 UTC. */
	assert_true(open_at(p, march + 7 * 86400 - 3600));
	assert_false(open_at(p, march + 7 * 86400));
	/* 25 October: the hour is there twice, from 00:00 UTC to 02:00 UTC. */
	assert_false(open_at(p, october - 3601));
	for (int64_t s = -3600; s < 3600; s += 60)
		assert_true(open_at(p, october + s));
	assert_false(open_at(p, october + 3600));
	assert_int_equal(policy_window_changes(p, "hall-3", october - 3600), october + 3600);
	policy_free(p);
}

/* Past midnight the named day is that of the beginning; zones are patterns; the first open window is named. */
static void test_windows(void **state)
{
	struct policy *p = windows("windows:\n  - {name: late, timezone: UTC, days: [fri], from: '22:00', to: '06:00', zones: [hall-3*]}\n"
				   "  - name: noon\n    timezone: Asia/Kolkata\n    days: [mon, tue]\n    from: '12:00'\n    to: '24:00'\n"
				   "    zones: [hall-4]\n");
	const int64_t friday = 1795132800; /* 20 November 2026, 00:00 UTC */

	(void)state;
	assert_false(open_at(p, friday));
	assert_false(open_at(p, friday + 22 * 3600 - 1));
	assert_true(open_at(p, friday + 22 * 3600));
	assert_true(open_at(p, friday + 30 * 3600 - 1));
	assert_false(open_at(p, friday + 30 * 3600));
	assert_false(open_at(p, friday + 46 * 3600));
	assert_false(policy_window(p, "hall-4", friday + 22 * 3600).open);
	/* Monday noon in Kolkata is 06:30 UTC; its midnight 18:30. */
	assert_false(policy_window(p, "hall-4", friday + 3 * 86400 + 6 * 3600 + 1799).open);
	assert_true(policy_window(p, "hall-4", friday + 3 * 86400 + 6 * 3600 + 1800).open);
	assert_true(policy_window(p, "hall-4", friday + 3 * 86400 + 18 * 3600 + 1799).open);
	assert_false(policy_window(p, "hall-4", friday + 3 * 86400 + 18 * 3600 + 1800).open);
	assert_string_equal(policy_window(p, "hall-4", friday + 3 * 86400 + 8 * 3600).why, "windows.yaml:3: noon is open");
	assert_int_equal(policy_window_changes(p, "hall-5", friday), 0);
	policy_free(p);
	p = windows("windows:\n  - {name: day, timezone: UTC, days: [fri], from: '00:00', to: '24:00'}\n"
		    "  - {name: late, timezone: UTC, days: [sat], from: '22:00', to: '00:00'}\n");
	assert_false(open_at(p, friday - 1));
	assert_true(open_at(p, friday));
	assert_true(open_at(p, friday + 86399));
	assert_false(open_at(p, friday + 86400));
	assert_true(open_at(p, friday + 2 * 86400 - 1));
	assert_false(open_at(p, friday + 2 * 86400));
	assert_int_equal(policy_window_changes(p, NULL, friday + 59), friday + 86400);
	policy_free(p);
	p = windows("windows: []\n");
	assert_false(policy_window(p, "", friday).open);
	assert_string_equal(policy_window(p, "hall-9", friday).why, "no window of windows.yaml is open for zone hall-9");
	assert_string_equal(policy_window(p, NULL, friday).why, "no window of windows.yaml is open for zone ");
	policy_free(p);
}

/* Our reading of the system's time zones against the C library's, for every zone, round each of its changes too. */
static void test_timezones(void **state)
{
	FILE *f = fopen("/usr/share/zoneinfo/tzdata.zi", "r");
	char line[512], name[128];
	unsigned int zones = 0, random = 1;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		struct timezone_data *z;
		int64_t at = 0;
		int32_t before = 0;

		if (sscanf(line, "Z %127s", name) != 1 && sscanf(line, "L %*s %127s", name) != 1)
			continue;
		z = timezone_load(name);
		if (!z)
			fail_msg("%s can't be read", name);
		zones++;
		setenv("TZ", name, 1);
		tzset();
		for (int i = 0; i < 500; i++) {
			time_t t = (time_t)at;
			struct tm local;

			assert_non_null(localtime_r(&t, &local));
			if (timezone_offset(z, at) != (int32_t)local.tm_gmtoff)
				fail_msg("%s at %lld: %d, not %ld", name, (long long)at, timezone_offset(z, at), local.tm_gmtoff);
			/* Where the offset changed in the last step, the second of the change is looked for next. */
			if (i && timezone_offset(z, at) != before) {
				int64_t low = at - 20 * 86400, high = at;

				while (high - low > 1) {
					int64_t middle = (low + high) / 2;

					*(timezone_offset(z, middle) == timezone_offset(z, at) ? &high : &low) = middle;
				}
				t = (time_t)low;
				assert_int_equal(localtime_r(&t, &local)->tm_gmtoff, timezone_offset(z, low));
				t = (time_t)high;
				assert_int_equal(localtime_r(&t, &local)->tm_gmtoff, timezone_offset(z, high));
			}
			before = timezone_offset(z, at);
			random = random * 1103515245 + 12345;
			at += 10 * 86400 + random % (10 * 86400);
		}
		timezone_free(z);
	}
	fclose(f);
	unsetenv("TZ");
	tzset();
	assert_true(zones > 300);
	assert_null(timezone_load("../../etc/passwd"));
	assert_null(timezone_load("tzdata.zi"));
	assert_null(timezone_load("Europe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minutes),     cmocka_unit_test(test_windows),
		cmocka_unit_test(test_windows_dst), cmocka_unit_test(test_timezones),
	};

	return cmocka_run_group_tests(tests, load_rules, free_rules);
}
