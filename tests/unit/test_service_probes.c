/* The format of service probes: what it means, what is no line of it, and whole files as nmap's packages install them. */
#include "classifiers/probes/service_probes.h"
#include "classifiers/probes/service_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct complaints {
	unsigned count;
	uint32_t line[64];
	char last[256];
};

static void note(void *context, const char *path, uint32_t line, const char *sentence)
{
	struct complaints *c = context;

	(void)path;
	if (c->count < 64)
		c->line[c->count] = line;
	c->count++;
	snprintf(c->last, sizeof c->last, "%s", sentence);
}

static struct service_probes *read_text(const char *text, struct complaints *c)
{
	memset(c, 0, sizeof *c);
	return service_probes_read(text, strlen(text), "test", note, c);
}

static const char whole[] =
	"# a comment\n"
	"\n"
	"Exclude T:9100-9107,U:53\n"
	"Probe TCP NULL q||\n"
	"totalwaitms 6000\n"
	"tcpwrappedms 3000\n"
	"match ssh m|^SSH-([\\d.]+)-OpenSSH_([\\w.]+)\\r?\\n|i p/OpenSSH/ v/$2/ i/protocol $1/ cpe:/a:openbsd:openssh:$2/a\n"
	"softmatch ftp m=^220[ -]=s\n"
	"Probe UDP Knx q%\\x06\\x10\\x02\\x03\\0\\x0e\\\\%  no-payload\n"
	"rarity 9\n"
	"ports 3671, 50000-50002 ,7\n"
	"Probe TCP GetRequest q|GET / HTTP/1.0\\r\\n\\r\\n|\n"
	"sslports 443\n"
	"fallback NULL, GetRequest\n"
	"match ssl/http m@^HTTP@ p|a/b| o=Linux= d%router% h/$1/ cpe:/h:v:p/ cpe:/o:l:k/   \n";

static void test_whole(void **state)
{
	struct complaints c;
	struct service_probes *s = read_text(whole, &c);
	const struct service_probe *null, *knx, *get;

	(void)state;
	assert_non_null(s);
	assert_int_equal(c.count, 0);
	assert_int_equal(s->probe_count, 3);
	assert_int_equal(s->match_count, 3);
	assert_int_equal(s->match_lines, 3);
	assert_int_equal(s->exclude_count, 2);
	assert_int_equal(s->exclude[0].transport, TRANSPORT_TCP);
	assert_int_equal(s->exclude[1].low, 53);
	null = service_probes_find(s, TRANSPORT_TCP, "NULL");
	knx = service_probes_find(s, TRANSPORT_UDP, "Knx");
	get = service_probes_find(s, TRANSPORT_TCP, "GetRequest");
	assert_true(null && knx && get);
	assert_null(service_probes_find(s, TRANSPORT_UDP, "GetRequest"));
	assert_int_equal(null->total_wait_ms, 6000);
	assert_int_equal(null->tcp_wrapped_ms, 3000);
	assert_int_equal(null->payload_len, 0);
	assert_int_equal(null->match_count, 2);
	assert_true(s->matches[0].caseless && !s->matches[0].dot_all && !s->matches[0].soft);
	assert_string_equal(s->matches[0].field[SERVICE_INFO], "protocol $1");
	assert_string_equal(s->matches[0].field[SERVICE_CPE_A], "a:openbsd:openssh:$2");
	assert_true(s->matches[1].soft && s->matches[1].dot_all);
	assert_string_equal(s->matches[1].pattern, "^220[ -]");
	assert_memory_equal(knx->payload, "\x06\x10\x02\x03\0\x0e\\", 7);
	assert_int_equal(knx->payload_len, 7);
	assert_true(knx->no_payload);
	assert_int_equal(knx->rarity, 9);
	assert_int_equal(knx->port_count, 3);
	assert_true(service_ports_hold(knx->ports, knx->port_count, 50001) && !service_ports_hold(knx->ports, knx->port_count, 8));
	assert_int_equal(get->total_wait_ms, SERVICE_WAIT_DEFAULT_MS);
	assert_int_equal(get->ssl_ports[0].high, 443);
	assert_int_equal(get->fallback_count, 2);
	assert_ptr_equal(&s->probes[get->fallback[0]], null);
	assert_ptr_equal(&s->probes[get->fallback[1]], get);
	assert_string_equal(s->matches[2].service, "ssl/http");
	assert_string_equal(s->matches[2].field[SERVICE_PRODUCT], "a/b");
	assert_string_equal(s->matches[2].field[SERVICE_DEVICE], "router");
	assert_null(s->matches[2].field[SERVICE_VERSION]);
	service_probes_free(s);
}

/* Each is wrong at its last line, and only that line is left out. */
static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"Prob TCP X q|x|", " Probe TCP X q|x|", "Probe SCTP X q|x|", "Probe TCP", "Probe TCP -x q|x|", "Probe TCP X q|x",
		"Probe TCP X x|x|", "Probe TCP X q|\\x1|", "Probe TCP X q|\\xg0|", "Probe TCP X q|\\a|", "Probe TCP X q|\\|",
		"Probe UDP X q||", "Probe TCP Get q|x|", "Probe TCP X q|x| payload", "Exclude 1", "ports", "ports 65536", "ports 5-4",
		"ports 1,,2", "ports 1;2", "ports T:1", "ports 1,", "sslports x", "rarity 0", "rarity 10", "rarity", "rarity 1x",
		"totalwaitms 99", "totalwaitms 300001", "totalwaitms 4294967397", "tcpwrappedms 200", "fallback", "match", "match x",
		"match x |a|", "match x m|a", "match x m||", "match x m|a|x", "match x m|a|isis", "match x m|a| p/a", "match x m|a| q/a/",
		"match x m|a| cpe:/x:a:b/", "match x m|a| pp/a/", "match x m|a| p/a/v/b/", "match x m|a| p/$/", "match x m|a| p/$0/",
		"match x m|a| v/$P()/", "match x m|a| v/$P(1,2)/", "match x m|a| v/$SUBST(1,\"a\")/", "match x m|a| v/$SUBST(1,\"\",\"b\")/",
		"match x m|a| v/$I(1,\"=\")/", "match x m|a| v/$X(1)/", "match x m|a| v/$P(10)/", "match x m|a| v/$P(1/", "match x m|a|  /a/",
		"softmatch y m|a| /", "match x m|a| cpe:", "soft match x m|a|", "match x m|a|\r",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[512];
		struct complaints c;
		struct service_probes *s;

		snprintf(text, sizeof text, "Probe TCP Get q|GET|\nmatch a m|b|\n%s", bad[i]);
		s = read_text(text, &c);
		if (!s || c.count != 1 || c.line[0] != 3 || s->match_count != 1 || s->probe_count != 1 || s->left_out != 1)
			fail_msg("%s: %u complaints, line %u", bad[i], c.count, c.line[0]);
		service_probes_free(s);
	}
}

static void test_order_and_lists(void **state)
{
	struct complaints c;
	struct service_probes *s;
	char *text = malloc(20000);

	(void)state;
	/* Lines of a probe that was left out go with it, those of the next one don't. */
	s = read_text("Probe TCP Bad q|x\nmatch a m|b|\nrarity 3\nProbe TCP Good q|x|\nmatch a m|b|\n", &c);
	assert_int_equal(c.count, 3);
	assert_int_equal(s->match_lines, 2);
	assert_int_equal(s->match_count, 1);
	service_probes_free(s);
	s = read_text("match a m|b|\nrarity 3\nProbe TCP Good q|x|\nfallback Nobody,Good\nports 1\nports 2\nfallback Good\nExclude 1\n", &c);
	assert_int_equal(c.count, 6);
	assert_int_equal(s->probes[0].fallback_count, 1);
	assert_int_equal(s->probes[0].ports[0].low, 1);
	service_probes_free(s);
	assert_null(read_text("", &c));
	assert_null(read_text("# nothing\n", &c));
	assert_null(read_text("Probe TCP NULL q||\n", &c));
	assert_int_equal(c.count, 1);
	assert_null(read_text("HTTP/1.0 200 OK\n\n<html>\n", &c));
	assert_true(c.count > 1);
	/* One line too long, and a list of more ports than are taken. */
	strcpy(text, "Probe TCP Good q|x|\nmatch a m|b|\nmatch a m|");
	memset(text + strlen(text) + 1, 0, 1);
	memset(text + strlen(text), 'a', 8200);
	strcpy(text + 43 + 8200, "|\n");
	s = read_text(text, &c);
	assert_int_equal(c.count, 1);
	assert_int_equal(s->match_count, 1);
	service_probes_free(s);
	/* A NUL in a line. */
	memset(&c, 0, sizeof c);
	s = service_probes_read("Probe TCP G q|x|\nmatch a m|b|\nmatch a m|\0b|\n", 43, "test", note, &c);
	assert_int_equal(c.count, 1);
	assert_int_equal(s->match_count, 1);
	service_probes_free(s);
	free(text);
}

static void assert_expands(const char *template, enum service_field field, const char *subject, size_t len, const char *expected)
{
	struct service_groups g = { .subject = (const uint8_t *)subject, .count = 3 };
	char out[SERVICE_VALUE_BYTES];
	int n;

	/* Group 1 is all of it, group 2 took no part. */
	g.at[0][1] = g.at[1][1] = len;
	g.at[2][0] = g.at[2][1] = SIZE_MAX;
	n = service_template_expand(template, field, &g, out);
	if (!expected) {
		assert_int_equal(n, -1);
		return;
	}
	assert_int_equal(n, strlen(expected));
	assert_string_equal(out, expected);
}

static void test_templates(void **state)
{
	char large[400];

	(void)state;
	assert_expands("nginx", SERVICE_PRODUCT, "", 0, "nginx");
	assert_expands("v$1, ", SERVICE_VERSION, "1.2", 3, "v1.2");
	assert_expands("$10", SERVICE_VERSION, "1", 1, "10");
	assert_expands("$2", SERVICE_VERSION, "1", 1, NULL);
	assert_expands("$3", SERVICE_VERSION, "1", 1, NULL);
	assert_expands("$1x", SERVICE_VERSION, "a\0b", 3, "ax");
	assert_expands("$P(1)", SERVICE_HOSTNAME, "W\0I\0N\0\x01", 7, "WIN");
	assert_expands("$SUBST(1,\"_\",\".\")", SERVICE_VERSION, "1_2_3", 5, "1.2.3");
	assert_expands("$SUBST(1, \"\\x41\\\"\" , \"\\\\\")", SERVICE_VERSION, "xA\"y", 4, "x\\y");
	assert_expands("$I(1,\">\")", SERVICE_VERSION, "\x01\x02", 2, "258");
	assert_expands("$I(1,\"<\")", SERVICE_VERSION, "\x01\x02", 2, "513");
	assert_expands("$I(1,\">\")", SERVICE_VERSION, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "18446744073709551615");
	assert_expands("$I(1,\">\")", SERVICE_VERSION, "123456789", 9, NULL);
	assert_expands("$I(1,\">\")", SERVICE_VERSION, "", 0, NULL);
	assert_expands("a:x:y:$1", SERVICE_CPE_A, "My App:2", 8, "a:x:y:my_app%3A2");
	memset(large, 'x', sizeof large);
	assert_expands("$1", SERVICE_OS, large, 32, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_expands("$1", SERVICE_OS, large, 33, NULL);
	assert_expands("$1", SERVICE_INFO, large, 257, NULL);
	assert_expands("$1$1", SERVICE_CPE_A, large, 200, NULL);
}

/* Debian's file, where its package is installed: every line is understood. */
static void test_installed_file(void **state)
{
	static const char path[] = "/usr/share/nmap/nmap-service-probes";
	struct complaints c = { 0 };
	struct service_probes *s;

	(void)state;
	if (access(path, R_OK) < 0)
		skip();
	s = service_probes_load(path, note, &c);
	assert_non_null(s);
	print_message("%s: %u probes, %u of %u match lines, %u lines left out\n", path, s->probe_count, s->match_count, s->match_lines, s->left_out);
	assert_int_equal(c.count, 0);
	assert_true(s->match_lines > 10000);
	assert_int_equal(s->match_count, s->match_lines);
	assert_non_null(service_probes_find(s, TRANSPORT_TCP, "GetRequest"));
	service_probes_free(s);
}

/* Every prefix of a file is a file, and so is one with a byte changed: under a sanitizer nothing is read outside. */
static void test_cut_and_changed(void **state)
{
	static const char text[] = "Exclude T:1-2\nProbe UDP K q|\\x06\\0|\nports 1,2-3\nrarity 2\nfallback K\n"
				   "match a m|^(.)|is p/$1/ v/$SUBST(1,\"a\",\"b\")/ i/$I(1,\">\")/ cpe:/a:b:$P(1)/a\n";

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		for (int change = 0; change < 3; change++) {
			size_t len = change ? sizeof text - 1 : i;
			char *exact = malloc(len + 1);
			struct complaints c = { 0 };

			memcpy(exact, text, len);
			if (change && i < len)
				exact[i] = change == 1 ? 0 : (char)(exact[i] + 1);
			service_probes_free(service_probes_read(exact, len, "test", note, &c));
			free(exact);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),     cmocka_unit_test(test_bad_lines),      cmocka_unit_test(test_order_and_lists),
		cmocka_unit_test(test_templates), cmocka_unit_test(test_installed_file), cmocka_unit_test(test_cut_and_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
