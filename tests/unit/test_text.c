/* Strangers' text made fit to keep, against the tables of Unicode 15: well-formed UTF-8, surrogates, characters that steer. */
#include "classifiers/finding/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 64 };

#define BYTES(text) text, sizeof(text) - 1

struct sample {
	const char *from;
	size_t len;
	const char *want;
};

/* From and into blocks of the exact size, so that a sanitizer sees one byte too far. */
static void expect(size_t (*clean)(char *, size_t, const void *, size_t), const char *from, size_t len, size_t room, const char *want)
{
	char *given = malloc(len ? len : 1), *got = malloc(room);

	memcpy(given, from, len);
	assert_int_equal(clean(got, room, given, len), strlen(want));
	assert_string_equal(got, want);
	assert_true(text_is_clean(got, room));
	free(given);
	free(got);
}

static void test_utf8(void **state)
{
	static const struct sample samples[] = {
		{ BYTES(""), "" },
		{ BYTES(" \t\r\nPump 4\v\f "), "Pump 4" },
		{ BYTES("one\0two"), "one" },
		{ BYTES("caf\xc3\xa9"), "caf\xc3\xa9" },
		{ BYTES("\xe0\xa0\x80 \xe2\x82\xac \xed\x9f\xbf \xee\x80\x80"), "\xe0\xa0\x80 \xe2\x82\xac \xed\x9f\xbf \xee\x80\x80" },
		{ BYTES("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"), "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf" },
		/* Table 3-7 leaves out longer forms than needed, surrogates and what lies above U+10FFFF; they are read as Latin-1. */
		{ BYTES("\xc1\xbf"), "\xc3\x81\xc2\xbf" },
		{ BYTES("\xe0\x9f\xbf"), "\xc3\xa0\\x9f\xc2\xbf" },
		{ BYTES("\xed\xa0\x80"), "\xc3\xad\xc2\xa0\\x80" },
		{ BYTES("\xf0\x8f\xbf\xbf"), "\xc3\xb0\\x8f\xc2\xbf\xc2\xbf" },
		{ BYTES("\xf4\x90\x80\x80"), "\xc3\xb4\\x90\\x80\\x80" },
		{ BYTES("\xf5\xa1"), "\xc3\xb5\xc2\xa1" },
		{ BYTES("\xc3"), "\xc3\x83" },
		{ BYTES("\xe2\x82"), "\xc3\xa2\\x82" },
		{ BYTES("M\xfcller"), "M\xc3\xbcller" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		expect(text_clean, samples[i].from, samples[i].len, ROOM, samples[i].want);
}

static void test_steering(void **state)
{
	static const struct sample samples[] = {
		{ BYTES("a\x1b[2Jb"), "a\\x1b[2Jb" },
		{ BYTES("a\x7f"), "a\\x7f" },
		{ BYTES("\xc2\x9b" "2J"), "\\xc2\\x9b2J" },
		{ BYTES("\xd8\x9c"), "\\xd8\\x9c" },
		{ BYTES("\xe2\x80\x8e\xe2\x80\x8f"), "\\xe2\\x80\\x8e\\xe2\\x80\\x8f" },
		{ BYTES("\xe2\x80\xa8\xe2\x80\xae"), "\\xe2\\x80\\xa8\\xe2\\x80\\xae" },
		{ BYTES("\xe2\x81\xa6\xe2\x81\xa9"), "\\xe2\\x81\\xa6\\xe2\\x81\\xa9" },
		/* Their neighbours are ordinary. */
		{ BYTES("\xc2\xa0\xd8\x9b\xd8\x9d"), "\xc2\xa0\xd8\x9b\xd8\x9d" },
		{ BYTES("\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf"), "\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf" },
		{ BYTES("\xe2\x81\xa5\xe2\x81\xaa\xe2\x82\xa6"), "\xe2\x81\xa5\xe2\x81\xaa\xe2\x82\xa6" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		expect(text_clean, samples[i].from, samples[i].len, ROOM, samples[i].want);
		assert_int_equal(text_is_clean(samples[i].from, samples[i].len + 1), strcmp(samples[i].from, samples[i].want) == 0);
	}
	assert_false(text_is_clean("\xff", 2));
	assert_false(text_is_clean("no end", 6));
	assert_true(text_is_clean("no end", 7));
}

/* What does not fit is left out as a whole character. */
static void test_room(void **state)
{
	(void)state;
	expect(text_clean, BYTES("abcdefgh"), 5, "abcd");
	expect(text_clean, BYTES("abcdefgh"), 9, "abcdefgh");
	expect(text_clean, BYTES("abc\xe2\x82\xac"), 6, "abc");
	expect(text_clean, BYTES("abc\xe2\x82\xac"), 7, "abc\xe2\x82\xac");
	expect(text_clean, BYTES("abc\xe9"), 5, "abc");
	expect(text_clean, BYTES("abc\xe9"), 6, "abc\xc3\xa9");
	expect(text_clean, BYTES("abc\x01"), 7, "abc");
	expect(text_clean, BYTES("abc\x01"), 8, "abc\\x01");
}

static void test_utf16(void **state)
{
	static const struct sample samples[] = {
		{ BYTES("P\0L\0C\0"), "PLC" },
		{ BYTES("P\0\0\0C\0"), "P" },
		{ BYTES("\xfc\0\xff\x07"), "\xc3\xbc\xdf\xbf" },
		{ BYTES("\xac\x20\xff\xff"), "\xe2\x82\xac\xef\xbf\xbf" },
		/* U+1F600, U+10000 and U+10FFFF are pairs. */
		{ BYTES("\x3d\xd8\x00\xde"), "\xf0\x9f\x98\x80" },
		{ BYTES("\x00\xd8\x00\xdc\xff\xdb\xff\xdf"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		/* Half a pair is U+FFFD, and what stands where the second half belongs remains. */
		{ BYTES("\x3d\xd8" "A\0B\0"), "\xef\xbf\xbd" "AB" },
		{ BYTES("\x3d\xd8\x3d\xd8\x00\xde"), "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ BYTES("\x3d\xd8\x00\xe0" "B\0"), "\xef\xbf\xbd\xee\x80\x80" "B" },
		{ BYTES("\x00\xde" "B\0"), "\xef\xbf\xbd" "B" },
		{ BYTES("A\0\x3d\xd8"), "A\xef\xbf\xbd" },
		{ BYTES("A\0\x3d\xd8\x00"), "A\xef\xbf\xbd" },
		{ BYTES("A\0\x1b\0\x2e\x20"), "A\\x1b\\xe2\\x80\\xae" },
	};
	char wide[1200], got[2048];

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		expect(text_clean_utf16le, samples[i].from, samples[i].len, ROOM, samples[i].want);
	/* More than any field holds is cut: 340 characters of three bytes are 1020. */
	for (size_t i = 0; i + 1 < sizeof wide; i += 2)
		memcpy(wide + i, "\xac\x20", 2);
	assert_int_equal(text_clean_utf16le(got, sizeof got, wide, sizeof wide), 1020);
	assert_true(text_is_clean(got, sizeof got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_steering),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_utf16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
