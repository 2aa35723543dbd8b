/* The audit's chain: which lines follow, which are none, and what each fault is called; lines end where their bytes do. */
#include "active/guard/chain.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

enum { LINE_BYTES = 512, FEW = 3, MANY = 700, READ_BYTES = 65536 };

#define DOES_NOT_FOLLOW "the next line does not follow: one was changed, removed or put in"

/* The line that follows, with these texts for its numbers. */
static const char *line_of(const struct chain *c, const char *number, const char *time, const char *rest)
{
	static char line[LINE_BYTES];
	char hex[2 * CHAIN_HASH_BYTES + 1];

	sodium_bin2hex(hex, sizeof hex, c->hash, sizeof c->hash);
	snprintf(line, sizeof line, "{\"number\":%s,\"time_ns\":%s,\"previous\":\"%s\",\"type\":\"%s", number, time, hex, rest);
	return line;
}

static const char *next_line(const struct chain *c, const char *rest)
{
	char number[32];

	snprintf(number, sizeof number, "%" PRIu64, c->number + 1);
	return line_of(c, number, "10", rest);
}

static char *page_end; /* what stands behind can't be read */

/* At the end of what can be read, so that a byte too far ends the test, in a library too. */
static bool take(struct chain *c, const char *line, size_t len)
{
	return chain_take(c, memcpy(page_end - len, line, len), len);
}

/* A chain of one line, whose last number is then said to be this. */
static struct chain begun(uint64_t number)
{
	struct chain c = { .number = 0 };
	const char *line = next_line(&c, "begun\"}");

	assert_true(take(&c, line, strlen(line)));
	assert_int_equal(c.number, 1);
	assert_false(c.torn);
	c.number = number;
	return c;
}

static void test_numbers(void **state)
{
	static const struct {
		uint64_t before;
		const char *number, *time;
		bool is_line;
	} cases[] = {
		{ 8, "9", "10", true },
		{ 9, "10", "9", true },
		{ 1234567890123456788, "1234567890123456789", "10", true },
		{ 9999999999999999998U, "9999999999999999999", "10", true },
		{ 9999999999999999999U, "10000000000000000000", "10", false }, /* 20 digits */
		{ 19, "1:", "10", false },
		{ 8, "1/", "10", false },
		{ UINT64_MAX, "", "10", false },
		{ 1, "2", "", false },
		{ 1, "2", "1:", false },
		{ 1, "2", "12345678901234567890", false },
		{ 1, " 2", "10", false },
		{ 1, "2 ", "10", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct chain c = begun(cases[i].before);
		const char *line = line_of(&c, cases[i].number, cases[i].time, "x\"}");

		assert_true(take(&c, line, strlen(line)));
		if (c.torn == cases[i].is_line)
			fail_msg("%s was taken %s", line, c.torn ? "for no line" : "for a line");
		assert_int_equal(c.number, cases[i].before + cases[i].is_line);
	}
}

static void test_times(void **state)
{
	struct chain c = begun(1);
	const char *line;

	(void)state;
	assert_int_equal(c.time_ns, 10);
	line = line_of(&c, "2", "30", "x\"}");
	assert_true(take(&c, line, strlen(line)));
	assert_int_equal(c.time_ns, 30);
	line = line_of(&c, "3", "20", "x\"}");
	assert_true(take(&c, line, strlen(line)));
	assert_int_equal(c.time_ns, 30);
}

/* No beginning of a line is a line, nor is one with another byte where the form has its own. */
static void test_parts(void **state)
{
	struct chain before = begun(1);
	char line[LINE_BYTES];
	size_t len;

	(void)state;
	snprintf(line, sizeof line, "%s", next_line(&before, "sent\",\"step\":\"a\"}"));
	len = strlen(line);
	for (size_t n = 0; n < len; n++) {
		struct chain c = before;
		uint8_t hash[CHAIN_HASH_BYTES];

		assert_true(take(&c, line, n));
		assert_true(c.torn);
		assert_int_equal(c.number, 1);
		chain_hash(line, n, hash);
		assert_memory_equal(c.torn_hash, hash, sizeof hash);
		assert_memory_equal(c.hash, before.hash, sizeof hash);
		assert_false(take(&c, line, n));
		assert_string_equal(c.why, "after line 1: two lines that are none");
	}
	for (const char *at = line; at < strstr(line, "sent"); at++) {
		struct chain c = before;
		size_t i = (size_t)(at - line);

		line[i] ^= 0x10; /* a digit is none any more, nor is one of hex */
		if (take(&c, line, len) && !c.torn)
			fail_msg("taken for a line: %s", line);
		line[i] ^= 0x10;
	}
	line[len - 1] = ']';
	assert_true(take(&before, line, len));
	assert_true(before.torn);
}

static void test_faults(void **state)
{
	struct chain c = begun(1), other = c;
	const char *line;

	(void)state;
	other.hash[CHAIN_HASH_BYTES - 1] ^= 1;
	line = next_line(&other, "x\"}");
	assert_false(take(&c, line, strlen(line)));
	assert_string_equal(c.why, "after line 1: " DOES_NOT_FOLLOW);
	c = begun(1);
	other = begun(2);
	line = next_line(&other, "x\"}");
	assert_false(take(&c, line, strlen(line)));
	assert_string_equal(c.why, "after line 1: the next line has another number");
	assert_int_equal(c.number, 1);
}

/* What follows an unfinished line must say so, with its hash. */
static void test_torn(void **state)
{
	static const char *const wrong[] = { "sent\",\"torn_sha256\":\"%s\"}", "torn\",\"torn_sha256\":\"%.63s\"}", "torn\",\"torn_sha256\":\"\"}",
					     "torn\",\"torn_sha256\":\"x%s\"}", "torn\"}" };
	struct chain torn = begun(1), c;
	char hex[2 * CHAIN_HASH_BYTES + 1], rest[128];
	const char *line;

	(void)state;
	assert_true(take(&torn, "{\"num", 5));
	sodium_bin2hex(hex, sizeof hex, torn.torn_hash, sizeof torn.torn_hash);
	for (size_t i = 0; i <= sizeof wrong / sizeof *wrong; i++) {
		bool last = i == sizeof wrong / sizeof *wrong;

		if (last)
			hex[0] = hex[0] == '0' ? '1' : '0';
		snprintf(rest, sizeof rest, last ? "torn\",\"torn_sha256\":\"%s\"}" : wrong[i], hex);
		c = torn;
		line = next_line(&c, rest);
		assert_false(take(&c, line, strlen(line)));
		assert_string_equal(c.why, "after line 1: an unfinished line that nobody accounts for");
	}
	sodium_bin2hex(hex, sizeof hex, torn.torn_hash, sizeof torn.torn_hash);
	snprintf(rest, sizeof rest, "torn\",\"torn_sha256\":\"%s\"}", hex);
	line = next_line(&torn, rest);
	assert_true(take(&torn, line, strlen(line)));
	assert_int_equal(torn.number, 2);
	assert_false(torn.torn);
	line = next_line(&torn, "sent\"}");
	assert_true(take(&torn, line, strlen(line)));
	assert_int_equal(torn.number, 3);
}

struct file {
	FILE *f;
	struct chain c; /* after what was written */
};

static struct file new_file(void)
{
	struct file f = { .f = tmpfile() };

	assert_non_null(f.f);
	return f;
}

static void write_lines(struct file *f, unsigned int n)
{
	while (n--) {
		const char *line = next_line(&f->c, "sent\"}");

		fprintf(f->f, "%s\n", line);
		assert_true(chain_take(&f->c, line, strlen(line)));
	}
}

/* A line with so many bytes before its end, of which the last is this. */
static void write_long(FILE *f, const char *line, size_t len, char last)
{
	size_t n = strlen(line);

	fwrite(line, 1, n, f);
	while (++n < len)
		putc(' ', f);
	putc(last, f);
}

struct seen {
	uint64_t last;
	unsigned int count;
};

static void see(void *context, const struct chain *c, const char *line, size_t len)
{
	struct seen *s = context;

	assert_int_equal(strlen(line), len);
	assert_false(c->torn);
	s->last = c->number;
	s->count++;
}

static bool read_file(struct file *f, struct chain *c, struct seen *s, size_t *tail)
{
	bool good;

	memset(c, 0, sizeof *c);
	memset(s, 0, sizeof *s);
	fflush(f->f);
	rewind(f->f);
	good = chain_read(c, fileno(f->f), see, s, tail);
	fclose(f->f);
	return good;
}

static void test_file(void **state)
{
	struct file f = new_file();
	struct chain c;
	struct seen s;
	size_t tail;

	(void)state;
	assert_true(read_file(&f, &c, &s, &tail));
	assert_true(c.number == 0 && s.count == 0 && tail == 0 && !c.torn && c.why[0] == '\0');
	f = new_file();
	write_lines(&f, MANY); /* more than is read at once */
	assert_true(ftell(f.f) > READ_BYTES);
	assert_true(read_file(&f, &c, &s, &tail));
	assert_true(s.count == MANY && s.last == MANY && tail == 0 && !c.torn && c.why[0] == '\0');
	assert_memory_equal(c.hash, f.c.hash, sizeof c.hash);
	f = new_file();
	write_lines(&f, FEW);
	fputs("{\"num", f.f);
	assert_true(read_file(&f, &c, &s, &tail));
	assert_true(s.count == FEW && c.number == FEW && tail == 5 && c.torn);
	f = new_file();
	write_lines(&f, FEW);
	fputs("{\"num\n", f.f); /* is told of by nobody yet, and isn't shown */
	assert_true(read_file(&f, &c, &s, &tail));
	assert_true(s.count == FEW && c.number == FEW && tail == 0 && c.torn);
	f = new_file();
	fputs("{\"num\n{\"num", f.f);
	assert_false(read_file(&f, &c, &s, &tail));
	assert_string_equal(c.why, "after line 0: two lines that are none");
}

/* The first fault ends it, whatever stands behind. */
static void test_file_faults(void **state)
{
	struct file f = new_file();
	struct chain c, before;
	struct seen s;
	size_t tail;

	(void)state;
	write_lines(&f, 1);
	before = f.c;
	f.c.number++;
	write_lines(&f, MANY);
	assert_false(read_file(&f, &c, &s, &tail));
	assert_string_equal(c.why, "after line 1: the next line has another number");
	assert_true(s.count == 1 && c.number == 1 && !c.torn);
	assert_memory_equal(c.hash, before.hash, sizeof c.hash);
	f = new_file();
	f.c.number++;
	write_long(f.f, next_line(&f.c, "sent\","), CHAIN_LINE_BYTES + 1, '}');
	putc('\n', f.f);
	assert_false(read_file(&f, &c, &s, &tail));
	assert_string_equal(c.why, "after line 0: the next line has another number");
	assert_false(c.torn);
}

static void test_long_lines(void **state)
{
	struct file f = new_file();
	struct chain c;
	struct seen s;
	size_t tail;

	(void)state;
	write_long(f.f, next_line(&f.c, "sent\","), CHAIN_LINE_BYTES, '}');
	putc('\n', f.f);
	assert_true(read_file(&f, &c, &s, &tail));
	assert_true(s.count == 1 && tail == 0);
	f = new_file();
	write_long(f.f, next_line(&f.c, "sent\","), CHAIN_LINE_BYTES, ' ');
	assert_true(read_file(&f, &c, &s, &tail));
	assert_true(s.count == 0 && tail == CHAIN_LINE_BYTES && c.torn);
	f = new_file();
	write_long(f.f, next_line(&f.c, "sent\","), CHAIN_LINE_BYTES + 1, ' ');
	assert_false(read_file(&f, &c, &s, &tail));
	assert_string_equal(c.why, "after line 0: a line without an end");
	assert_false(c.torn);
}

static void test_unreadable(void **state)
{
	struct chain c = { .number = 7 };
	size_t tail = 1;

	(void)state;
	assert_false(chain_read(&c, -1, NULL, NULL, &tail));
	assert_string_equal(c.why, "after line 7: the file can't be read");
	assert_int_equal(tail, 0);
}

/* Before a test that leaves memory behind to use again. */
static void test_no_memory(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	(void)state;
	skip(); /* the sanitizer's allocator ends the program */
#else
	struct chain c = { .number = 7 };
	struct rlimit was, none;
	size_t tail = 1;
	bool good;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	good = chain_read(&c, -1, NULL, NULL, &tail);
	assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
	assert_false(good);
	assert_string_equal(c.why, "after line 7: no memory");
	assert_int_equal(tail, 0);
#endif
}

static void test_names(void **state)
{
	char name[16];

	(void)state;
	chain_file(1, name);
	assert_string_equal(name, "0001.log");
	chain_file(999999, name);
	assert_string_equal(name, "999999.log");
}

static int map_pages(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0)
		return -1;
	page_end = pages + page;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_numbers),     cmocka_unit_test(test_times),
		cmocka_unit_test(test_parts),     cmocka_unit_test(test_faults),      cmocka_unit_test(test_torn),
		cmocka_unit_test(test_file),      cmocka_unit_test(test_file_faults), cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_unreadable), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, map_pages, NULL);
}
