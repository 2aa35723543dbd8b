/* Short texts put together: what they say, and that nothing is written behind their room. */
#include "classifiers/api/compose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM_MOST = 40 };

static void put_all(struct composed *t)
{
	compose_text(t, "enip/");
	compose_number(t, 0);
	compose_text(t, "");
	compose_bytes(t, ":\0-", 3);
	compose_number(t, UINT32_MAX);
	compose_text(t, "/0x");
	compose_hex(t, 0xabcd12ef, 8);
	compose_hex(t, 0xabcd12ef, 1);
	compose_number(t, 10);
}

static void test_says(void **state)
{
	static const char whole[] = "enip/0:\0-4294967295/0xabcd12eff10";
	char text[ROOM_MOST];
	struct composed t = compose_in(text, sizeof text);

	(void)state;
	assert_int_equal(text[0], 0);
	put_all(&t);
	assert_int_equal(t.at - text, sizeof whole - 1);
	assert_memory_equal(text, whole, sizeof whole);
}

/* In every room it is the start of the same text, with a zero behind it and nothing after that. */
static void test_cut_off(void **state)
{
	char whole[ROOM_MOST];
	struct composed all = compose_in(whole, sizeof whole);

	(void)state;
	put_all(&all);
	for (size_t room = 1; room < ROOM_MOST; room++) {
		char text[ROOM_MOST + 1];
		struct composed t;
		size_t fits = (size_t)(all.at - whole) < room ? (size_t)(all.at - whole) : room - 1;

		memset(text, '#', sizeof text);
		t = compose_in(text, room);
		put_all(&t);
		assert_int_equal(t.at - text, fits);
		assert_memory_equal(text, whole, fits);
		assert_int_equal(text[fits], 0);
		for (size_t i = room; i < sizeof text; i++)
			assert_int_equal(text[i], '#');
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_says), cmocka_unit_test(test_cut_off) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
