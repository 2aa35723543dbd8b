/* The JSON writer against a reader that is not ours, and its dates against the C library's. */
#include "sensor/hub/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static struct json j;

static json_t *parse(void)
{
	json_error_t error;
	json_t *parsed = json_loads(j.text, JSON_REJECT_DUPLICATES, &error);

	if (!parsed)
		fail_msg("%s: %s", error.text, j.text);
	return parsed;
}

static void nesting_and_commas(void **state)
{
	(void)state;
	json_clear(&j);
	json_open(&j, NULL, '{');
	json_open(&j, "empty", '[');
	json_close(&j, ']');
	json_open(&j, "list", '[');
	json_number(&j, NULL, 1);
	json_open(&j, NULL, '{');
	json_bool(&j, "yes", true);
	json_close(&j, '}');
	json_text(&j, NULL, "");
	json_close(&j, ']');
	json_text_if(&j, "left out", NULL);
	json_text_if(&j, "left out", "");
	json_hundredths(&j, "share", 7);
	json_close(&j, '}');
	assert_string_equal(j.text, "{\"empty\":[],\"list\":[1,{\"yes\":true},\"\"],\"share\":0.07}");
}

static void every_text_comes_back(void **state)
{
	char text[256];

	(void)state;
	/* Every byte behind so many plain ones, for these are copied eight at a time. */
	for (int c = 1; c < 128 * 20; c++) {
		json_t *parsed;

		if (c % 128 == 0)
			continue;
		snprintf(text, sizeof text, "%.*s%c\"a\\%c%cplain again\u00e9\u4e2d", c / 128, "a plain beginning here", c % 128, c % 128, c % 128);
		json_clear(&j);
		json_open(&j, NULL, '[');
		json_text(&j, NULL, text);
		json_close(&j, ']');
		parsed = parse();
		assert_string_equal(json_string_value(json_array_get(parsed, 0)), text);
		json_decref(parsed);
	}
}

static void every_number_comes_back(void **state)
{
	static const int64_t numbers[] = { 0, 1, -1, 9, 10, 99, 100, INT64_MAX, INT64_MIN, -10, 1234567890123 };

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		json_t *parsed;

		json_clear(&j);
		json_open(&j, NULL, '[');
		json_number(&j, NULL, numbers[i]);
		json_close(&j, ']');
		parsed = parse();
		assert_int_equal(json_integer_value(json_array_get(parsed, 0)), numbers[i]);
		json_decref(parsed);
	}
	for (unsigned n = 0; n <= 250; n++) {
		char want[16];

		json_clear(&j);
		json_hundredths(&j, NULL, n);
		snprintf(want, sizeof want, "%u.%02u", n / 100, n % 100);
		assert_string_equal(j.text, want);
	}
}

static void dates_are_the_librarys(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t ns;
		char want[64], date[32];
		struct tm tm;
		time_t s;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		/* Any time that 64 bits of nanoseconds hold: 1677 to 2262. */
		ns = (int64_t)seed;
		s = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
		gmtime_r(&s, &tm);
		strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(want, sizeof want, "\"%s.%06dZ\"", date, (int)((ns - s * 1000000000) / 1000));
		json_clear(&j);
		json_time(&j, NULL, ns);
		assert_string_equal(j.text, want);
	}
	json_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas),
		cmocka_unit_test(every_text_comes_back),
		cmocka_unit_test(every_number_comes_back),
		cmocka_unit_test(dates_are_the_librarys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
