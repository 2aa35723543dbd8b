/* The prober's parts without a network: reply beginnings and ends, whom nobody may ask, audit and ledger over restarts. */
#include "active/prober/judge.h"
#include "active/prober/match.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	print_error("%s:%u: %s\n", file, line, what);
}

/* In a block of its own size, so that a byte too far is seen. */
static uint8_t *exact(const void *bytes, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	memcpy(p, bytes, len);
	return p;
}

static enum reach end_of(const struct reply *r, const void *bytes, size_t len, size_t *end)
{
	uint8_t *copy = exact(bytes, len);
	enum reach reach = match_end(r, copy, len, end);

	free(copy);
	return reach;
}

static void ends_by_length(void **state)
{
	const struct reply r = { .ends = REPLY_LENGTH, .width = 2, .offset = 4, .add = 6, .at_most = 100 };
	const uint8_t bytes[] = { 0, 1, 0, 0, 0, 4, 1, 2, 3, 4, 99 };
	const uint8_t huge[] = { 0, 1, 0, 0, 0xff, 0xff, 1 };
	const struct reply back = { .ends = REPLY_LENGTH, .width = 1, .offset = 0, .add = -5, .at_most = 100 };
	size_t end;

	(void)state;
	for (size_t n = 0; n < 10; n++)
		assert_int_equal(end_of(&r, bytes, n, &end), REACH_MORE);
	assert_int_equal(end_of(&r, bytes, sizeof bytes, &end), REACH_WHOLE);
	assert_int_equal(end, 10);
	assert_int_equal(end_of(&r, huge, sizeof huge, &end), REACH_BROKEN);
	assert_int_equal(end_of(&back, bytes, 3, &end), REACH_BROKEN);
}

static void ends_by_delimiter(void **state)
{
	const struct reply r = { .ends = REPLY_DELIMITER, .delimiter = "\r\n", .delimiter_bytes = 2, .at_most = 8 };
	size_t end;

	(void)state;
	assert_int_equal(end_of(&r, "SSH\r", 4, &end), REACH_MORE);
	assert_int_equal(end_of(&r, "SSH\r\nxx", 7, &end), REACH_WHOLE);
	assert_int_equal(end, 5);
	assert_int_equal(end_of(&r, "endlessly", 9, &end), REACH_BROKEN);
}

/* Two link frames, the second of which ends the fragment. */
static void ends_of_dnp3(void **state)
{
	const struct reply r = { .ends = REPLY_DNP3, .at_most = 292 };
	uint8_t bytes[] = { 5, 0x64, 8, 0x44, 1, 0, 2, 0, 0, 0, 0x40, 1, 2, 0, 0, 5, 0x64, 7, 0x44, 1, 0, 2, 0, 0, 0, 0x81, 9, 0, 0, 77 };
	size_t end;

	(void)state;
	for (size_t n = 0; n < 29; n++)
		assert_int_equal(end_of(&r, bytes, n, &end), REACH_MORE);
	assert_int_equal(end_of(&r, bytes, sizeof bytes, &end), REACH_WHOLE);
	assert_int_equal(end, 29);
	bytes[15] = 6;
	assert_int_equal(end_of(&r, bytes, sizeof bytes, &end), REACH_BROKEN);
	bytes[2] = 4;
	assert_int_equal(end_of(&r, bytes, sizeof bytes, &end), REACH_BROKEN);
}

static void begins(void **state)
{
	struct ruleset *set = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	const struct rule *rule = set ? ruleset_find(set, "modbus") : NULL;
	uint8_t bytes[] = { 0, 7, 0, 0, 0, 9, 3, 0x2b, 0x0e, 2 };
	struct filling fillings[RULE_HOLES];
	const struct template *t;

	(void)state;
	assert_non_null(rule);
	t = &rule->steps[0].reply.begins;
	rule_defaults(rule, fillings);
	fillings[0].number = 7;
	fillings[1].number = 3;
	for (size_t n = 0; n < 9; n++) {
		uint8_t *copy = exact(bytes, n);

		assert_int_equal(match_begins(rule, t, fillings, copy, n), MATCH_MORE);
		free(copy);
	}
	assert_int_equal(match_begins(rule, t, fillings, bytes, sizeof bytes), MATCH_YES);
	for (size_t at = 0; at < 9; at++) {
		bytes[at] ^= 1;
		assert_int_equal(match_begins(rule, t, fillings, bytes, sizeof bytes), at == 4 || at == 5 ? MATCH_YES : MATCH_NO);
		bytes[at] ^= 1;
	}
	ruleset_free(set);
}

static struct endpoint address(const char *text)
{
	struct endpoint e = { .family = strchr(text, ':') ? 6 : 4 };

	assert_int_equal(inet_pton(e.family == 6 ? AF_INET6 : AF_INET, text, e.ip), 1);
	return e;
}

static void addresses(void **state)
{
	static const struct {
		const char *who, *own;
		bool allowed;
	} cases[] = {
		{ "10.0.0.2", "10.0.0.1", true }, { "10.0.0.1", "10.0.0.1", false }, { "0.0.0.0", "10.0.0.1", false },
		{ "0.1.2.3", "10.0.0.1", false }, { "127.0.0.1", "10.0.0.1", false }, { "127.9.9.9", "10.0.0.1", false },
		{ "224.0.0.1", "10.0.0.1", false }, { "239.255.255.255", "10.0.0.1", false }, { "255.255.255.255", "10.0.0.1", false },
		{ "240.0.0.1", "10.0.0.1", false }, { "::ffff:10.0.0.2", "fd00::1", false }, { "::10.0.0.2", "fd00::1", false },
		{ "::", "fd00::1", false }, { "::1", "fd00::1", false }, { "ff02::1", "fd00::1", false }, { "fd00::2", "fd00::1", true },
		{ "fd00::1", "fd00::1", false }, { "fd00::2", "10.0.0.1", false }, { "10.0.0.2", "fd00::1", false }, { "fe80::2", "fe80::1", true },
	};
	char why[OUTCOME_WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct endpoint who = address(cases[i].who), own = address(cases[i].own);

		if (judge_address(&who, &own, false, why) != cases[i].allowed)
			fail_msg("%s from %s", cases[i].who, cases[i].own);
	}
	struct endpoint stale = address("10.0.0.2"), own = address("10.0.0.1");
	stale.ip[9] = 1;
	assert_false(judge_address(&stale, &own, false, why));
	struct endpoint lo = address("127.0.0.1");
	assert_true(judge_address(&lo, &lo, true, why));
}

static char folder[64], path[96];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/prober.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

static const char *file(const char *name)
{
	snprintf(path, sizeof path, "%s/audit/%s", folder, name);
	return path;
}

static uint64_t write_record(struct audit *a, int64_t time_ns)
{
	audit_begin(a, "sending", time_ns);
	audit_text(a, "step", "a \"step\"\nwith\ttwo \\ lines");
	audit_hex(a, "bytes", "\0\1\377", 3);
	return audit_end(a, true);
}

static void audit_goes_on(void **state)
{
	struct audit a;
	int fd;

	(void)state;
	assert_true(audit_open(&a, folder));
	assert_int_equal(write_record(&a, 100), 1);
	assert_int_equal(write_record(&a, 90), 2);
	assert_int_equal(a.chain.time_ns, 100);
	audit_close(&a);
	/* As a killed writer leaves it. */
	fd = open(file("0001.log"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "{\"number\":3,\"ti", 15), 15);
	close(fd);
	assert_true(audit_open(&a, folder));
	assert_int_equal(a.chain.number, 3); /* the line that tells of it */
	assert_int_equal(write_record(&a, 200), 4);
	audit_close(&a);
	assert_true(audit_open(&a, folder));
	assert_int_equal(a.chain.number, 4);
	audit_close(&a);
}

/* Any byte of the file changed, but for one that ends the file. */
static void audit_shows_changes(void **state)
{
	struct audit a;
	struct stat st;
	int fd;

	(void)state;
	assert_true(audit_open(&a, folder));
	for (int i = 0; i < 3; i++)
		assert_int_not_equal(write_record(&a, 100), 0);
	audit_close(&a);
	fd = open(file("0001.log"), O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	/* The last line is sealed by nothing yet; the ledger's mark is for that. */
	for (off_t at = 0; at < st.st_size * 2 / 3 - 1; at++) {
		struct chain c = { .number = 0 };
		uint8_t was, is;
		size_t tail;

		assert_int_equal(pread(fd, &was, 1, at), 1);
		is = was ^ 1;
		assert_int_equal(pwrite(fd, &is, 1, at), 1);
		lseek(fd, 0, SEEK_SET);
		assert_false(chain_read(&c, fd, NULL, NULL, &tail) && c.number == 3);
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
	}
	close(fd);
}

static void audit_needs_its_folder(void **state)
{
	struct audit a;
	char where[80];

	(void)state;
	snprintf(where, sizeof where, "%s/no/such/place", folder);
	assert_false(audit_open(&a, where));
	assert_int_equal(write_record(&a, 1), 0);
	audit_close(&a);
}

static struct approval an_approval(const char *id, uint8_t last)
{
	struct approval a = { .uses = 1 };

	snprintf(a.id, sizeof a.id, "%s", id);
	snprintf(a.rule, sizeof a.rule, "modbus");
	a.target = (struct endpoint){ .family = 4, .ip = { 10, 0, 0, last }, .mac = { 2, 0, 0, 0, 0, last } };
	return a;
}

static void ledger_remembers(void **state)
{
	struct approval a = an_approval("aa", 2), b = an_approval("bb", 3);
	struct ledger_record *r;
	struct audit audit;
	struct ledger l;

	(void)state;
	assert_true(audit_open(&audit, folder));
	assert_true(ledger_open(&l, folder, &audit.chain, 1000, 10000));
	assert_int_not_equal(write_record(&audit, 1), 0);
	r = ledger_begin(&l, &a, &audit.chain, 1000, 20, 88);
	assert_non_null(r);
	assert_int_equal(ledger_since(&l, &a, 940).packets, 20);
	assert_true(ledger_end(&l, r, &audit.chain, 1003, true, 5, 11));
	assert_non_null(ledger_begin(&l, &b, &audit.chain, 1010, 20, 88)); /* and is killed */
	ledger_close(&l);
	assert_true(ledger_open(&l, folder, &audit.chain, 1020, 10000));
	assert_int_equal(ledger_uses(&l, "aa"), 1);
	assert_int_equal(ledger_uses(&l, "bb"), 1);
	assert_int_equal(ledger_since(&l, &a, 940).packets, 5);
	assert_int_equal(ledger_since(&l, &a, 940).bytes, 11);
	assert_int_equal(ledger_since(&l, &b, 940).packets, 20);
	assert_int_equal(ledger_since(&l, NULL, 940).connections, 2);
	assert_int_equal(ledger_since(&l, &a, 1003).connections, 0);
	assert_int_equal(ledger_last(&l, &a), 1003);
	assert_int_equal(ledger_last_asked(&l, &a), 1000);
	assert_int_equal(ledger_failures(&l, "modbus", 0), 1);
	assert_int_equal(ledger_failures(&l, "modbus", 1010), 0);
	assert_int_equal(ledger_failures(&l, "s7comm", 0), 0);
	ledger_close(&l);
	/* Long after, they are forgotten; what is left is whole. */
	assert_true(ledger_open(&l, folder, &audit.chain, 20000, 10000));
	assert_int_equal(ledger_uses(&l, "aa"), 0);
	assert_non_null(ledger_begin(&l, &a, &audit.chain, 20000, 1, 1));
	ledger_close(&l);
	assert_true(ledger_open(&l, folder, &audit.chain, 20001, 10000));
	assert_int_equal(ledger_uses(&l, "aa"), 1);
	ledger_close(&l);
	audit_close(&audit);
}

static void ledger_shows_loss(void **state)
{
	struct approval a = an_approval("aa", 2);
	struct chain shorter;
	struct audit audit;
	struct ledger l;
	int fd;

	(void)state;
	assert_true(audit_open(&audit, folder));
	assert_true(ledger_open(&l, folder, &audit.chain, 1000, 10000));
	assert_int_not_equal(write_record(&audit, 1), 0);
	shorter = audit.chain;
	assert_int_not_equal(write_record(&audit, 1), 0);
	assert_non_null(ledger_begin(&l, &a, &audit.chain, 1000, 20, 88));
	ledger_close(&l);
	assert_false(ledger_open(&l, folder, &shorter, 1000, 10000)); /* the audit was cut */
	ledger_close(&l);
	/* Half a record is no record; a changed one is a fault. */
	fd = open(file("ledger"), O_RDWR | O_APPEND);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_true(ledger_open(&l, folder, &audit.chain, 1000, 10000));
	assert_int_equal(ledger_uses(&l, "aa"), 1);
	ledger_close(&l);
	fd = open(file("ledger"), O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, 200), 1);
	close(fd);
	assert_false(ledger_open(&l, folder, &audit.chain, 1000, 10000));
	ledger_close(&l);
	unlink(file("ledger"));
	assert_false(ledger_open(&l, folder, &audit.chain, 1000, 10000)); /* gone, while the audit is there */
	ledger_close(&l);
	audit_close(&audit);
}

static void orders(void **state)
{
	struct order o = { .type = ORDER_ALIVE };

	(void)state;
	assert_true(order_valid(&o));
	o.loss = 1;
	assert_true(order_valid(&o));
	o.loss = 2;
	assert_false(order_valid(&o));
	o = (struct order){ .type = ORDER_STOP, .loss = 1 };
	assert_false(order_valid(&o));
	o = (struct order){ .type = ORDER_ABORT };
	assert_false(order_valid(&o));
	o.id = 5;
	assert_true(order_valid(&o));
	o.approval.port = 1;
	assert_false(order_valid(&o));
	o = (struct order){ .type = ORDER_TYPES, .id = 1 };
	assert_false(order_valid(&o));
	o = (struct order){ .type = ORDER_PROBE, .id = 1 };
	assert_false(order_valid(&o)); /* an empty approval is none */
	o = (struct order){ .type = ORDER_ALIVE, .zeros = { 0, 0, 0, 0, 1 } };
	assert_false(order_valid(&o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_by_length), cmocka_unit_test(ends_by_delimiter), cmocka_unit_test(ends_of_dnp3),
		cmocka_unit_test(begins), cmocka_unit_test(addresses), cmocka_unit_test(orders),
		cmocka_unit_test_setup_teardown(audit_goes_on, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(audit_shows_changes, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(audit_needs_its_folder, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(ledger_remembers, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(ledger_shows_loss, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
