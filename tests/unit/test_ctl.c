/* The command line's parts: options by a table, suggestions, tables, CSV, what differs, the report's map. */
#include "sensor/ctl/csv.h"
#include "sensor/ctl/diff_facts.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/html.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/report_map.h"
#include "sensor/ctl/suggest.h"
#include "sensor/ctl/table.h"
#include "sensor/ctl/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct inner {
	char name[8];
};

struct request {
	bool json;
	int uses;
	const char *pace, *word, *second;
	struct option_words rest;
	struct inner inner;
};

static const struct verb_option inner_options[] = { OPTION_COPY(struct inner, name, 'n', "name", "NAME", "x"), OPTION_END };
static const struct verb_option options[] = {
	OPTION_WORD(struct request, word, "WORD", "x"),
	OPTION_MAYBE_WORD(struct request, second, "SECOND", "x"),
	OPTION_MAYBE_WORDS(struct request, rest, "REST", "x"),
	OPTION_FLAG(struct request, json, 'j', "json", "x"),
	OPTION_NUMBER(struct request, uses, 0, "uses", "N", 1, 10, "x"),
	OPTION_TEXT(struct request, pace, 0, "pace", "fast|slow", "x"),
	OPTION_GROUP(struct request, inner, inner_options),
	OPTION_END,
};

static bool take(struct request *q, const char *line)
{
	static char text[256];
	static char *argv[32];
	int argc = 0;

	memset(q, 0, sizeof *q);
	snprintf(text, sizeof text, "verb %s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_take(options, q, argc, argv);
}

static void test_options(void **state)
{
	struct request q;

	(void)state;
	assert_true(take(&q, "--uses 3 a -j --pace=slow b -n me c d"));
	assert_true(q.json);
	assert_int_equal(q.uses, 3);
	assert_string_equal(q.pace, "slow");
	assert_string_equal(q.word, "a");
	assert_string_equal(q.second, "b");
	assert_string_equal(q.inner.name, "me");
	assert_int_equal(q.rest.count, 2);
	assert_string_equal(q.rest.at[1], "d");
	assert_true(take(&q, "--js a"));
	assert_true(q.json);
	assert_true(take(&q, "-- --json -"));
	assert_string_equal(q.word, "--json");
	assert_string_equal(q.second, "-");
	assert_false(q.json);
}

static void test_wrong_options(void **state)
{
	static const char *const wrong[] = { "", "a --nothing", "a --uses 0", "a --uses 11", "a --uses 1x", "a --uses", "a --pace mid", "a --json=1",
					     "a --name muchtoolong", "a -x", "a -jj", "a --=1" };
	struct request q;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (take(&q, wrong[i]))
			fail_msg("taken: %s", wrong[i]);
}

static const char *nearest(const char *word)
{
	struct suggestion s = suggest_for(word);

	for (const char *const *c = (const char *const[]){ "status", "show", "stop", "report", NULL }; *c; c++)
		suggest_try(&s, *c);
	return s.best ? s.best : "none";
}

static void test_suggestions(void **state)
{
	(void)state;
	assert_string_equal(nearest("stauts"), "status");
	assert_string_equal(nearest("shwo"), "show");
	assert_string_equal(nearest("reprot"), "report");
	assert_string_equal(nearest("quarantine"), "none");
	assert_string_equal(nearest("an-endless-word-that-is-longer-than-any-verb-could-be"), "none");
}

/* What `print` writes to its file; to be freed. */
static char *written(void (*print)(FILE *to, const void *what), const void *what)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	print(to, what);
	fclose(to);
	return text;
}

static void print_cell(FILE *to, const void *what)
{
	csv_cell(what, to);
}

static void test_csv(void **state)
{
	static const char *const cells[][2] = {
		{ "plain", "plain" }, { "a,b", "\"a,b\"" }, { "say \"x\"", "\"say \"\"x\"\"\"" }, { "=1+1", "\"'=1+1\"" }, { "-2", "\"'-2\"" },
		{ "+x", "\"'+x\"" }, { "@x", "\"'@x\"" }, { "\t=1", "\"' =1\"" }, { "a\nb", "\"a b\"" }, { "a\033b", "a b" },
		{ "\uff1d1", "\"'\uff1d1\"" }, { "", "" }, { "a;b", "\"a;b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		char *text = written(print_cell, cells[i][0]);

		assert_string_equal(text, cells[i][1]);
		free(text);
	}
}

static void print_html(FILE *to, const void *what)
{
	HTML(to, "<td title=\"%\">% %</td>", what, NUMBER(12.4), "50%");
}

static void test_html(void **state)
{
	char *text = written(print_html, "<a href='x'>&\"");

	(void)state;
	assert_string_equal(text, "<td title=\"&lt;a href=&#39;x&#39;&gt;&amp;&quot;\">12 50%</td>");
	free(text);
}

static void test_disarm(void **state)
{
	json_t *document = json_pack("{s:s,s:[s]}", "a", "x\033[1m\u202ey", "b", "\xc2\x9bz\n");

	(void)state;
	words_disarm(document);
	assert_string_equal(json_string_value(json_object_get(document, "a")), "x?[1m?y");
	assert_string_equal(json_string_value(json_array_get(json_object_get(document, "b"), 0)), "?z?");
	json_decref(document);
}

static void print_table(FILE *to, const void *what)
{
	table_print(what, to, 30, false);
}

static void test_narrow_table(void **state)
{
	static const char *const headers[] = { "ADDRESS", "ONE", "TWO", "THREE", "FOUR", NULL };
	struct table t;
	char *text;

	(void)state;
	table_start(&t, headers);
	table_row(&t, (const char *const[]){ "10.20.30.40", "much too long", "also too long", "too", "long" });
	text = written(print_table, &t);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(text_columns(line) <= 30);
	assert_non_null(strstr(text, "ADDRESS"));
	free(text);
	table_free(&t);
}

static const char first[] =
	"{\"@timestamp\":\"1\",\"ot\":{\"asset\":{\"id\":\"a-1\",\"zone\":\"h\",\"ip\":[\"10.0.0.1\"],\"mac\":[\"02:00:00:00:00:01\"],\"class\":\"plc\","
	"\"purdue_level\":\"1\",\"completeness\":0.5,\"last_seen\":\"1\"},\"services\":[{\"protocol\":\"modbus\",\"transport\":\"tcp\",\"port\":502,"
	"\"evidence\":\"structure\"}],\"attributes\":[{\"subject\":\"\",\"name\":\"serial\",\"value\":\"7\",\"protocol\":\"modbus\"}],\"subassets\":[],"
	"\"gaps\":[],\"talks\":[]}}";
static const char second[] =
	"{\"ot\":{\"asset\":{\"id\":\"a-2\",\"zone\":\"h\",\"ip\":[\"10.0.0.2\"],\"mac\":[],\"class\":\"hmi\",\"purdue_level\":\"2\",\"completeness\":0.9},"
	"\"services\":[],\"attributes\":[],\"subassets\":[],\"gaps\":[],\"talks\":[{\"peer\":\"10.0.0.1\",\"protocol\":\"modbus\",\"transport\":\"tcp\"},"
	"{\"peer\":\"10.0.0.1\",\"protocol\":\"modbus\",\"transport\":\"udp\"},{\"peer\":\"8.8.8.8\",\"protocol\":\"dns\",\"transport\":\"udp\"}]}}";

/* The documents given, as a list; each may have one text replaced. */
static struct asset_list list_of(const char *a, const char *b, const char *from, const char *to)
{
	struct asset_list list = { .count = 0 };
	char text[2048];

	for (const char *const *d = (const char *const[]){ a, b, NULL }; *d; d++) {
		const char *at = from ? strstr(*d, from) : NULL;

		if (at)
			snprintf(text, sizeof text, "%.*s%s%s", (int)(at - *d), *d, to, at + strlen(from));
		else
			snprintf(text, sizeof text, "%s", *d);
		asset_list_add(&list, text, strlen(text));
	}
	asset_list_sort(&list);
	return list;
}

static void test_facts(void **state)
{
	struct asset_list a = list_of(first, NULL, NULL, NULL), b = list_of(first, NULL, "\"last_seen\":\"1\"", "\"last_seen\":\"2\"");
	struct asset_list c = list_of(first, NULL, "\"value\":\"7\"", "\"value\":\"8\"");
	json_t *x = diff_facts(a.items[0].document), *y = diff_facts(b.items[0].document), *z = diff_facts(c.items[0].document);

	(void)state;
	assert_true(json_equal(x, y));
	assert_false(json_equal(x, z));
	assert_non_null(json_object_get(json_object_get(x, "service tcp/502"), "modbus"));
	assert_non_null(json_object_get(json_object_get(z, "serial"), "8"));
	json_decref(x);
	json_decref(y);
	json_decref(z);
	asset_list_free(&a);
	asset_list_free(&b);
	asset_list_free(&c);
}

static void check_match(struct asset_list b, size_t expected)
{
	struct asset_list a = list_of(first, NULL, NULL, NULL);
	size_t of_a[2], of_b[2];

	diff_match(&a, &b, of_a, of_b);
	assert_int_equal(of_a[0], expected);
	asset_list_free(&a);
	asset_list_free(&b);
}

static void test_match(void **state)
{
	(void)state;
	check_match(list_of(first, NULL, "10.0.0.1", "10.0.0.9"), 0);  /* by id */
	check_match(list_of(first, NULL, "a-1", "a-9"), 0);            /* by MAC */
	check_match(list_of(second, NULL, "10.0.0.2", "10.0.0.1"), 0); /* by IP */
	check_match(list_of(second, NULL, "\"h\",\"ip\":[\"10.0.0.2\"", "\"h/vlan:4\",\"ip\":[\"10.0.0.1\""), DIFF_NONE); /* of another VLAN */
	check_match(list_of(second, NULL, NULL, NULL), DIFF_NONE);
}

static void print_map(FILE *to, const void *what)
{
	report_map(what, to);
}

static void test_map(void **state)
{
	struct asset_list list = list_of(first, second, "\"class\":\"plc\"", "\"class\":\"<b>\"");
	struct report r = { .source = "x", .made = "y" };
	struct map m;
	char *text;

	(void)state;
	report_gather(&r, &list);
	map_make(&m, &r);
	/* The same conversation twice is one line; that to a stranger goes elsewhere. */
	assert_int_equal(m.edge_count, 2);
	assert_int_equal(m.elsewhere, 1);
	assert_int_equal(m.edges[0].from, 1);
	assert_int_equal(m.edges[0].to, 0);
	assert_string_equal(m.colours[0], "modbus");
	/* Supervision stands above control. */
	assert_true(m.places[1].y < m.places[0].y);
	assert_int_equal(m.band_count, 2);
	map_free(&m);
	text = written(print_map, &r);
	assert_null(strstr(text, "<b>"));
	assert_non_null(strstr(text, "&lt;b&gt;"));
	free(text);
	report_free(&r);
	asset_list_free(&list);
}

/* Many devices: every one stands within the map, and none on another. */
static void test_crowd(void **state)
{
	struct asset_list list = { .count = 0 };
	struct report r = { .source = "x", .made = "y" };
	struct map m;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char text[512];

		snprintf(text, sizeof text, "{\"ot\":{\"asset\":{\"id\":\"a-%d\",\"zone\":\"z%d\",\"ip\":[\"10.0.%d.%d\"]},\"talks\":[]}}", i, i % 3, i / 250, i % 250);
		asset_list_add(&list, text, strlen(text));
	}
	report_gather(&r, &list);
	map_make(&m, &r);
	for (size_t i = 0; i < r.count; i++) {
		assert_in_range(m.places[i].x, 100, MAP_WIDTH - m.node_width);
		assert_in_range(m.places[i].y, 0, m.height - m.node_height);
		for (size_t k = 0; k < i; k++)
			assert_false(m.places[i].x == m.places[k].x && m.places[i].y == m.places[k].y);
	}
	map_free(&m);
	report_free(&r);
	asset_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options), cmocka_unit_test(test_wrong_options), cmocka_unit_test(test_suggestions), cmocka_unit_test(test_csv),
		cmocka_unit_test(test_html), cmocka_unit_test(test_disarm), cmocka_unit_test(test_narrow_table), cmocka_unit_test(test_facts),
		cmocka_unit_test(test_match), cmocka_unit_test(test_map), cmocka_unit_test(test_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
