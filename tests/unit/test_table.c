/* Tables fit the terminal, never cut a character in two, and are whole on a pipe. */
#include "sensor/ctl/table.h"
#include "sensor/ctl/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const headers[] = { "ADDRESS", "NAME", "EMPTY", "WORDS", NULL };

static char *print(const struct table *t, int width, bool colours)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	table_print(t, f, width, colours);
	fclose(f);
	return text;
}

static void fill(struct table *t)
{
	static const char *const rows[][4] = {
		{ "10.0.0.5", "plc", NULL, "a long description that no narrow terminal has room for" },
		{ "10.0.0.255", "höchst seltsame Säge", "", "中文字符中文字符中文字符" },
		{ "10.0.0.7", NULL, NULL, NULL },
	};

	table_start(t, headers);
	for (size_t i = 0; i < 3; i++)
		table_row(t, rows[i]);
}

static void whole_on_a_pipe(void **state)
{
	struct table t;
	char *text;

	(void)state;
	fill(&t);
	text = print(&t, 0, false);
	assert_non_null(strstr(text, "a long description that no narrow terminal has room for\n"));
	assert_non_null(strstr(text, "中文字符中文字符中文字符\n"));
	assert_null(strstr(text, "EMPTY"));
	assert_null(strstr(text, " \n"));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "\n10.0.0.7\n"));
	free(text);
	table_free(&t);
}

static void fits_every_width(void **state)
{
	struct table t;

	(void)state;
	fill(&t);
	for (int width = 40; width < 120; width++) {
		char *text = print(&t, width, false), *line, *rest = text;

		while ((line = strsep(&rest, "\n"))) {
			assert_true(text_columns(line) <= width);
			/* A cut character would show as U+FFFD's column; valid UTF-8 has no lone continuation byte. */
			for (const unsigned char *c = (const unsigned char *)line; *c; c++)
				if (*c >= 0xc0)
					assert_true((c[1] & 0xc0) == 0x80);
		}
		free(text);
	}
	table_free(&t);
}

static void widths_of_texts(void **state)
{
	(void)state;
	assert_int_equal(text_columns("plain"), 5);
	assert_int_equal(text_columns("Säge"), 4);
	assert_int_equal(text_columns("中文"), 4);
	assert_int_equal(text_columns("e\u0301"), 1);
	assert_int_equal(text_fitting("中文", 3), 3);
	assert_int_equal(text_fitting("Säge", 2), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_on_a_pipe),
		cmocka_unit_test(fits_every_width),
		cmocka_unit_test(widths_of_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
