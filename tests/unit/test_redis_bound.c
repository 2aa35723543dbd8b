/* Replies of a Redis that lies about their size: refused before memory is had, and what is honest is read. */
#include "sensor/redis/redis_bound.h"

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 100000 };

static struct redis_bound bound;

/* What is made of these bytes: REDIS_OK with a reply, or an error. */
static int read_one(const char *bytes, size_t len, redisReply **reply)
{
	redisReader *r = redisReaderCreate();
	void *made = NULL;
	int result;

	redis_bound_set(r, &bound, MOST);
	redisReaderFeed(r, bytes, len);
	result = redisReaderGetReply(r, &made);
	*reply = made;
	redisReaderFree(r);
	return result;
}

static void assert_refused(const char *text)
{
	redisReply *reply;

	assert_int_equal(read_one(text, strlen(text), &reply), REDIS_ERR);
	assert_null(reply);
	assert_true(bound.over);
}

static void announced_is_refused(void **state)
{
	(void)state;
	assert_refused("*1000000000\r\n");
	assert_refused("*2\r\n$1\r\nx\r\n*5000\r\n");
	assert_refused("*1000\r\n*1000\r\n");
}

static void honest_is_read(void **state)
{
	redisReply *reply;
	static const char text[] = "*3\r\n$3\r\nfoo\r\n*2\r\n:1\r\n$-1\r\n+ok\r\n";

	(void)state;
	assert_int_equal(read_one(text, sizeof text - 1, &reply), REDIS_OK);
	assert_int_equal(reply->elements, 3);
	assert_string_equal(reply->element[0]->str, "foo");
	assert_int_equal(reply->element[1]->element[0]->integer, 1);
	assert_false(bound.over);
	freeReplyObject(reply);
}

/* Each reply has the whole allowance, however many there are; one text more than that is refused. */
static void each_has_its_own(void **state)
{
	static char text[2 * MOST];
	redisReader *r = redisReaderCreate();
	void *reply;
	int head = sprintf(text, "$%d\r\n", MOST - 1000);

	(void)state;
	memset(text + head, 'x', MOST - 1000);
	memcpy(text + head + MOST - 1000, "\r\n", 2);
	redis_bound_set(r, &bound, MOST);
	for (int i = 0; i < 5; i++) {
		redisReaderFeed(r, text, (size_t)head + MOST - 998);
		assert_int_equal(redisReaderGetReply(r, &reply), REDIS_OK);
		freeReplyObject(reply);
	}
	assert_true(redis_bound_holds(r));
	head = sprintf(text, "$%d\r\n", MOST + 1000);
	memset(text + head, 'x', MOST + 500);
	redisReaderFeed(r, text, (size_t)head + MOST + 500);
	assert_false(redis_bound_holds(r));
	redisReaderFree(r);
}

/* Whatever its kind, and wherever it stands; a text of that length is none, for it says how long it is. */
static void endless_lines_are_refused(void **state)
{
	static const char *const begins[] = { "+", "-ERR ", ":1", "$1", "*1", "*2\r\n:1\r\n+" };
	static char text[MOST - 1000];
	redisReader *r;
	void *reply;

	(void)state;
	memset(text, '1', sizeof text);
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
		r = redisReaderCreate();
		redis_bound_set(r, &bound, MOST);
		redisReaderFeed(r, begins[i], strlen(begins[i]));
		redisReaderFeed(r, text, 30000);
		assert_int_equal(redisReaderGetReply(r, &reply), REDIS_OK);
		assert_true(redis_bound_holds(r));
		redisReaderFeed(r, text, 40000);
		assert_int_equal(redisReaderGetReply(r, &reply), REDIS_OK);
		assert_false(redis_bound_holds(r));
		redisReaderFree(r);
	}
	r = redisReaderCreate();
	redis_bound_set(r, &bound, MOST);
	redisReaderFeed(r, "$99500\r\n", 8);
	redisReaderFeed(r, text, sizeof text);
	assert_int_equal(redisReaderGetReply(r, &reply), REDIS_OK);
	assert_true(redis_bound_holds(r));
	redisReaderFree(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announced_is_refused),
		cmocka_unit_test(honest_is_read),
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(endless_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
