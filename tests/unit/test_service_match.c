/* Matching all patterns at once finds what trying each one finds, and captures what its templates need. */
#include "classifiers/match/required_literal.h"
#include "classifiers/match/literal_table.h"
#include "classifiers/match/marks.h"
#include "classifiers/match/service_match.h"
#include "classifiers/match/service_pattern.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned complaints;

static void note(void *context, const char *path, uint32_t line, const char *sentence)
{
	(void)context;
	print_message("%s:%u: %s\n", path, line, sentence);
	complaints++;
}

static void join(void *context, const uint8_t *literal, size_t len)
{
	char *all = context;

	strncat(all, (const char *)literal, len);
	strcat(all, "~");
}

static void assert_requires(const char *pattern, const char *expected, bool followed, bool caseless)
{
	char all[512] = "";
	bool off;

	if (required_literals(pattern, strlen(pattern), join, all, &off) != followed || (followed && (strcmp(all, expected) != 0 || off != caseless)))
		fail_msg("%s: '%s', case %d", pattern, all, off);
}

static void test_required_literals(void **state)
{
	(void)state;
	assert_requires("^SSH-2\\.0", "SSH-2.0~", true, false);
	assert_requires("abc*def", "ab~def~", true, false);
	assert_requires("abc+def", "abc~def~", true, false);
	assert_requires("abc?+def{0,3}x{2}y", "ab~de~x~y~", true, false);
	assert_requires("ab{,2}c{}", "ab{,2}c{}~", true, false);
	assert_requires("a|b", "", true, false);
	assert_requires("x(a|bc)y", "x~y~", true, false);
	assert_requires("x(abc)y(?:def)?z", "x~abc~y~z~", true, false);
	assert_requires("x(?=look)(?!not)(?<=back)(?<!nor)y", "x~look~back~y~", true, false);
	assert_requires("[]a-z]b[^]]c[[:alpha:]x]d[\\]]e", "b~c~d~e~", true, false);
	assert_requires("\\x41\\x4\\0\\.\\d\\101q", "A\x04~q~", true, false);
	assert_requires("a(?i)b", "a~b~", true, true);
	assert_requires("a(?:b|(?i)c)d", "a~d~", true, true);
	assert_requires("(?<name>ab)(?P<other>cd)(?'q'ef)", "ab~cd~ef~", true, false);
	assert_requires("a.b$", "a~b~", true, false);
	for (const char *const *lost = (const char *const[]){ "(?x)a b", "\\Qa.b\\E", "a(?(1)b)", "a(", "a)", "[a", "(*UTF)a", "\\x{41}", "a\\", "(?x", NULL }; *lost; lost++)
		assert_requires(*lost, "", false, false);
}

static const char small[] =
	"Probe TCP NULL q||\n"
	"match one m|^HELLO ([\\w.]+)\\r\\n| p/Hello/ v/$1/\n"
	"match never m|^HELLO x(?!)|\n"
	"match two m=^(?:a|b|c)\\d=s\n"
	"softmatch three m|^HELL|i\n"
	"match back m|^(..)\\1$|\n"
	"match bad m|(|\n"
	"Probe TCP Get q|GET|\n"
	"match page m|<title>(.*?)</title>|s i/$1/\n";

static struct service_matcher *make(struct service_probes **s, const char *text)
{
	struct service_matcher *m;

	*s = service_probes_read(text, strlen(text), "small", note, NULL);
	assert_non_null(*s);
	m = service_matcher_new(*s, "small", note, NULL);
	assert_non_null(m);
	return m;
}

static const char *service_of(struct service_matcher *m, const uint32_t *lists, unsigned count, const char *subject, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct service_found found;
	const char *service;

	memcpy(exact, subject, len);
	service = service_match_find(m, lists, count, exact, len, &found) ? found.match->service : "";
	free(exact);
	return service;
}

static void test_small(void **state)
{
	static const uint32_t lists[] = { 0, 1 };
	struct service_probes *s;
	struct service_matcher *m = make(&s, small);
	const struct service_matcher_kinds *k = service_matcher_kinds(m);

	(void)state;
	assert_int_equal(k->by_literal + k->by_pattern + k->by_prefilter + k->always, s->match_count);
	assert_true(k->by_literal >= 3 && k->always >= 2);
	assert_string_equal(service_of(m, lists, 2, "HELLO 1.2\r\n", 11), "one");
	assert_string_equal(service_of(m, lists, 2, "hello", 5), "three");
	assert_string_equal(service_of(m, lists, 2, "c7", 2), "two");
	assert_string_equal(service_of(m, lists, 2, "abab", 4), "back");
	assert_string_equal(service_of(m, lists, 2, "abba", 4), "");
	assert_string_equal(service_of(m, lists, 1, "<title>x</title>", 16), "");
	assert_string_equal(service_of(m, lists, 2, "<title>x</title>", 16), "page");
	/* A match of a later list beats a softmatch of an earlier one. */
	assert_string_equal(service_of(m, lists, 2, "HELL<title>x</title>", 20), "page");
	assert_string_equal(service_of(m, lists, 2, "", 0), "");
	service_matcher_free(m);
	service_probes_free(s);
}

/* Many patterns without a text go to Hyperscan as patterns, as prefilters where they must, and match all the same. */
static void test_without_texts(void **state)
{
	static const uint32_t lists[] = { 0 };
	char text[8192] = "Probe TCP NULL q||\n", line[64], subject[4] = "";
	const struct service_matcher_kinds *k;
	struct service_matcher *m;
	struct service_probes *s;

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof line, i % 2 ? "match odd%d m|^[%c][0-9]$|\n" : "match even%d m|^([%c])\\1$|\n", i, i < 26 ? 'A' + i : 'a' + i - 26);
		strcat(text, line);
	}
	m = make(&s, text);
	k = service_matcher_kinds(m);
	assert_true(k->by_pattern >= 20 && k->by_pattern + k->by_prefilter + k->always == 40);
	for (int i = 0; i < 40; i++) {
		subject[0] = (char)(i < 26 ? 'A' + i : 'a' + i - 26);
		subject[1] = i % 2 ? '7' : subject[0];
		snprintf(line, sizeof line, i % 2 ? "odd%d" : "even%d", i);
		assert_string_equal(service_of(m, lists, 1, subject, 2), line);
	}
	service_matcher_free(m);
	service_probes_free(s);
}

/* A pattern that PCRE2 refuses is told once, when it is a candidate, and nothing else is lost. */
static void test_refused(void **state)
{
	static const uint32_t lists[] = { 0 };
	struct service_probes *s;
	struct service_matcher *m = make(&s, "Probe TCP NULL q||\nmatch bad m|^abcd(efgh|\nmatch good m|^abcd|\nmatch worse m|+|\n");

	(void)state;
	complaints = 0;
	assert_string_equal(service_of(m, lists, 1, "abcdefgh", 8), "good");
	assert_int_equal(complaints, 1);
	assert_string_equal(service_of(m, lists, 1, "abcdefgh", 8), "good");
	assert_int_equal(complaints, 1);
	assert_string_equal(service_of(m, lists, 1, "1+1", 3), "");
	assert_int_equal(complaints, 2);
	assert_int_equal(service_matcher_counters(m)->compiled, 1);
	assert_int_equal(service_patterns_check(s, &(struct service_listener){ "small", note, NULL }), 1);
	service_matcher_free(m);
	service_probes_free(s);
}

/* A pattern is tried where all of its texts can stand, not where the one by which it is looked for does. */
static void test_all_texts(void **state)
{
	static const uint32_t lists[] = { 0 };
	struct service_probes *s;
	struct service_matcher *m = make(&s, "Probe TCP NULL q||\nmatch long m|^Server: first .*second (?:third)? end$|si\n");

	(void)state;
	assert_string_equal(service_of(m, lists, 1, "SERVER: FIRST and SECOND  END", 29), "long");
	assert_int_equal(service_matcher_counters(m)->tries, 1);
	assert_string_equal(service_of(m, lists, 1, "Server: first and seconds  end", 30), "");
	assert_string_equal(service_of(m, lists, 1, "Server: other and second  end", 29), "");
	assert_string_equal(service_of(m, lists, 1, "Server: first and second  en", 28), "");
	assert_int_equal(service_matcher_counters(m)->tries, 1);
	service_matcher_free(m);
	service_probes_free(s);
}

enum { TEXTS = 400, ROUNDS = 2000, SUBJECT_MOST = 60 };

static bool stands_in(const struct literal_choice *c, const char *subject, size_t len)
{
	for (size_t at = 0; at + c->len <= len; at++)
		if ((c->caseless ? strncasecmp(subject + at, (const char *)c->bytes, c->len) : memcmp(subject + at, c->bytes, c->len)) == 0)
			return true;
	return false;
}

/* Texts of few letters, of all lengths, many alike, with and without case: the table finds what a search for each finds. */
static void test_table(void **state)
{
	static struct literal_choice choices[TEXTS];
	struct literal_table *t;
	unsigned found = 0;

	(void)state;
	srand(7);
	for (int i = 0; i < TEXTS; i++) {
		choices[i].len = (uint16_t)(rand() % (LITERAL_CHOICE_BYTES + 1));
		choices[i].caseless = rand() & 1;
		for (int k = 0; k < choices[i].len; k++)
			choices[i].bytes[k] = (uint8_t)"abAB@"[rand() % 5];
	}
	t = literal_table_new(choices, TEXTS);
	assert_non_null(t);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t bits[TEXTS / 64 + 1] = { 0 };
		size_t len = (size_t)(rand() % SUBJECT_MOST);
		char *subject = malloc(len + 1);

		for (size_t i = 0; i < len; i++)
			subject[i] = "abAB@`"[rand() % 6];
		subject = realloc(subject, len ? len : 1);
		literal_table_find(t, (const uint8_t *)subject, len, bits);
		for (int i = 0; i < TEXTS; i++) {
			bool there = choices[i].len && stands_in(&choices[i], subject, len);

			assert_int_equal(bits[i / 64] >> i % 64 & 1, there);
			found += there;
		}
		free(subject);
	}
	assert_true(found > ROUNDS);
	literal_table_free(t);
}

/* Patterns that try every way to match cost no more than their limits, and are counted. */
static void test_limits(void **state)
{
	static const uint32_t lists[] = { 0 };
	struct service_probes *s;
	struct service_matcher *m = make(&s, "Probe TCP NULL q||\nmatch slow m|^aaaaa(a+)+\\d$|\nmatch deep m|^aaaaa(?:(?:a)+?)+?\\d$|s\nmatch good m|^aaa|\n");
	char subject[SERVICE_SUBJECT_BYTES];

	(void)state;
	memset(subject, 'a', sizeof subject);
	for (int i = 0; i < 3; i++)
		assert_string_equal(service_of(m, lists, 1, subject, sizeof subject), "good");
	assert_true(service_matcher_counters(m)->limited >= 3);
	service_matcher_free(m);
	service_probes_free(s);
}

struct subject {
	const char *probe;
	const char *bytes;
	size_t len;
};

#define SUBJECT(probe, bytes) { probe, bytes, sizeof(bytes) - 1 }

/* What servers say, as they said it to real clients. */
static const struct subject subjects[] = {
	SUBJECT("NULL", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
	SUBJECT("NULL", "SSH-2.0-dropbear_2022.83\r\n"),
	SUBJECT("NULL", "SSH-1.99-Cisco-1.25\n"),
	SUBJECT("NULL", "220 (vsFTPd 3.0.3)\r\n"),
	SUBJECT("NULL", "220 ProFTPD Server (Debian) [::ffff:10.0.0.1]\r\n"),
	SUBJECT("NULL", "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n"),
	SUBJECT("NULL", "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS] Dovecot (Debian) ready.\r\n"),
	SUBJECT("NULL", "+OK Dovecot (Debian) ready.\r\n"),
	SUBJECT("NULL", "RFB 003.008\n"),
	SUBJECT("NULL", "\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27"),
	SUBJECT("NULL", "J\0\0\0\x0a" "5.5.5-10.11.6-MariaDB-0+deb12u1\0\x1f\0\0\0abcdefgh\0\xfe\xf7\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0mnopqrstuvwx\0mysql_native_password\0"),
	SUBJECT("GetRequest", "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 06:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 615\r\nConnection: close\r\n\r\n<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>"),
	SUBJECT("GetRequest", "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 06:00:00 GMT\r\nServer: Apache/2.4.62 (Debian)\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"),
	SUBJECT("GetRequest", "HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2\r\nDate: Sun, 22 Nov 2026 06:00:00 GMT\r\nContent-type: text/html; charset=utf-8\r\n\r\n"),
	SUBJECT("GetRequest", "HTTP/1.1 401 Unauthorized\r\nServer: mini_httpd/1.30 26Oct2018\r\nWWW-Authenticate: Basic realm=\"level_15_access\"\r\n\r\n"),
	SUBJECT("GetRequest", "HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\nnothing here"),
	SUBJECT("redis-server", "-ERR unknown command\r\n"),
	SUBJECT("NULL", "\0\x01\0\0\0\x06\x01\x03\x04\0\x01\0\x02"),
	SUBJECT("NULL", "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n"),
	SUBJECT("X11Probe", "\1\0\x0b\0\0\0\x23\0\0\0\0\0"),
};

/* The first line that PCRE2 alone finds, in the same order of matches before softmatches. */
static const struct service_match *find_slowly(const struct service_probes *s, const struct service_probe *p, const struct subject *x)
{
	pcre2_match_data *data = pcre2_match_data_create(10, NULL);
	const struct service_match *soft = NULL, *found = NULL;

	for (uint32_t i = p->first_match; i < p->first_match + p->match_count && !found; i++) {
		const struct service_match *line = &s->matches[i];
		PCRE2_SIZE where;
		int error;
		pcre2_code *code;

		if (line->soft && soft)
			continue;
		code = pcre2_compile((PCRE2_SPTR)line->pattern, line->pattern_len,
				     (line->caseless ? PCRE2_CASELESS : 0u) | (line->dot_all ? PCRE2_DOTALL : 0u), &error, &where, NULL);
		assert_non_null(code);
		if (pcre2_match(code, (PCRE2_SPTR)x->bytes, x->len, 0, 0, data, NULL) >= 0) {
			found = line->soft ? NULL : line;
			soft = line->soft ? line : soft;
		}
		pcre2_code_free(code);
	}
	pcre2_match_data_free(data);
	return found ? found : soft;
}

static void test_installed_file(void **state)
{
	static const char path[] = "/usr/share/nmap/nmap-service-probes";
	const struct service_matcher_kinds *k;
	struct service_probes *s;
	struct service_matcher *m;
	unsigned matched = 0;

	(void)state;
	if (access(path, R_OK) < 0)
		skip();
	complaints = 0;
	s = service_probes_load(path, note, NULL);
	assert_non_null(s);
	m = service_matcher_new(s, path, note, NULL);
	assert_non_null(m);
	k = service_matcher_kinds(m);
	print_message("%s: %u of %u match lines: %u by a text, %u as patterns, %u as prefilters, %u always\n", path, s->match_count, s->match_lines,
		      k->by_literal, k->by_pattern, k->by_prefilter, k->always);
	assert_int_equal(complaints, 0);
	assert_int_equal(s->match_count, s->match_lines);
	assert_int_equal(service_patterns_check(s, &(struct service_listener){ path, note, NULL }), s->match_count);
	assert_int_equal(complaints, 0);
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		const struct service_probe *p = service_probes_find(s, TRANSPORT_TCP, subjects[i].probe);
		const struct service_match *slow;
		struct service_found fast;
		uint32_t list;

		assert_non_null(p);
		list = (uint32_t)(p - s->probes);
		slow = find_slowly(s, p, &subjects[i]);
		service_match_find(m, &list, 1, (const uint8_t *)subjects[i].bytes, subjects[i].len, &fast);
		assert_ptr_equal(fast.match, slow);
		matched += slow != NULL;
	}
	/* It must have looked: most of these are known to everyone. */
	assert_true(matched >= 14);
	assert_int_equal(service_matcher_counters(m)->limited, 0);
	/* Few patterns are candidates; the others were not compiled. */
	assert_in_range(service_matcher_counters(m)->compiled, matched, s->match_count / 10);
	service_matcher_free(m);
	service_probes_free(s);
}

/* What stands in a subject is never missed, in whatever case; what doesn't nearly always is. */
static void test_marks(void **state)
{
	static struct marks marks;
	uint8_t subject[SUBJECT_MOST], text[SUBJECT_MOST];
	uint16_t of_text[SUBJECT_MOST];
	unsigned missed = 0, asked = 0;

	(void)state;
	srand(11);
	for (int round = 0; round < ROUNDS; round++) {
		size_t len = (size_t)(rand() % SUBJECT_MOST), from = len ? (size_t)rand() % len : 0, n = len ? (size_t)rand() % (len - from + 1) : 0;
		size_t count;

		for (size_t i = 0; i < len; i++)
			subject[i] = (uint8_t)rand();
		marks_of(&marks, subject, len);
		for (size_t i = 0; i < n; i++)
			text[i] = isalpha(subject[from + i]) ? subject[from + i] ^ 0x20 : subject[from + i];
		count = marks_of_text(text, n, of_text);
		assert_int_equal(count, n < MARK_BYTES ? 0 : (n + MARK_BYTES - 1) / MARK_BYTES);
		assert_true(marks_hold(&marks, of_text, count));
		if (!count)
			continue;
		text[(size_t)rand() % n] ^= 0x0f;
		missed += !marks_hold(&marks, of_text, marks_of_text(text, n, of_text));
		asked++;
	}
	assert_true(asked > ROUNDS / 2 && missed * 100 > asked * 98);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_required_literals), cmocka_unit_test(test_small), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_without_texts), cmocka_unit_test(test_refused), cmocka_unit_test(test_table),
		cmocka_unit_test(test_installed_file), cmocka_unit_test(test_all_texts), cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
