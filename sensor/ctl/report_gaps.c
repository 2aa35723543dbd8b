/* What is not known, what contradicts itself, and what asking would cost. */
#include "sensor/ctl/report.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/html.h"

#include <string.h>

/* Rows of counts under names, in the order in which the names came. */
static json_t *tally_row(json_t *tally, const char *name)
{
	json_t *row = json_object_get(tally, name);

	if (!row) {
		row = json_object();
		json_object_set_new(tally, name, row);
	}
	return row;
}

static void tally_add(json_t *row, const char *key, json_int_t n)
{
	json_object_set_new(row, key, json_integer(json_integer_value(json_object_get(row, key)) + n));
}

static double number(const json_t *row, const char *key)
{
	return (double)json_integer_value(json_object_get(row, key));
}

static void add_to_class(json_t *classes, const struct report_device *d)
{
	const char *class = words_text(d->asset, "class");
	json_t *row = tally_row(classes, class[0] ? class : "not known"), *lacking;
	const json_t *gap, *item;
	size_t i, k;

	tally_add(row, "devices", 1);
	tally_add(row, "known", (json_int_t)(d->known * 1000));
	lacking = tally_row(row, "lacks");
	json_array_foreach(json_object_get(d->ot, "gaps"), i, gap)
		json_array_foreach(json_object_get(gap, "lacks"), k, item)
			tally_add(lacking, json_string_value(item) ? json_string_value(item) : "", 1);
}

/* "serial 12, firmware 4". */
static void print_lacking(const json_t *lacking, FILE *to)
{
	const char *name;
	json_t *count;
	bool some = false;

	json_object_foreach((json_t *)lacking, name, count) {
		HTML(to, "%% <small>%</small>", some ? ", " : "", name, NUMBER(json_integer_value(count)));
		some = true;
	}
}

static void print_evidence(const struct report *r, FILE *to)
{
	json_t *kinds = json_object();
	const json_t *s;
	size_t k;

	for (size_t i = 0; i < r->count; i++)
		json_array_foreach(json_object_get(r->devices[i].ot, "services"), k, s)
			tally_add(kinds, words_text(s, "evidence"), 1);
	HTML(to, "<p class=\"note\">Of the services, % were read by their structure, % are nDPI's word alone, % are guessed by their port, and % spoke "
		 "without being understood.</p>\n",
	     NUMBER(number(kinds, "structure")), NUMBER(number(kinds, "ndpi")), NUMBER(number(kinds, "port")), NUMBER(number(kinds, "none")));
	json_decref(kinds);
}

void report_coverage(const struct report *r, FILE *to)
{
	json_t *classes = json_object(), *row;
	const char *class;

	for (size_t i = 0; i < r->count; i++)
		add_to_class(classes, &r->devices[i]);
	fputs("<section id=\"coverage\"><h2>Coverage</h2>\n", to);
	print_evidence(r, to);
	fputs("<table><thead><tr><th>Class<th class=\"n\">Devices<th class=\"n\">Known on average<th>Lacking, of how many</tr></thead><tbody>\n", to);
	json_object_foreach(classes, class, row) {
		HTML(to, "<tr><td class=\"a\">%</td><td class=\"n\">%</td><td class=\"n\">%&nbsp;%</td><td>", class, NUMBER(number(row, "devices")),
		     NUMBER(number(row, "known") / number(row, "devices") / 10), "%");
		print_lacking(json_object_get(row, "lacks"), to);
		fputs("</td></tr>\n", to);
	}
	fputs("</tbody></table></section>\n", to);
	json_decref(classes);
}

static int verdict_order(const char *verdict)
{
	return strcmp(verdict, "proposed") == 0 ? 0 : strcmp(verdict, "forbidden") == 0 ? 1 : 2;
}

static void print_gap(const struct report_device *d, const json_t *gap, FILE *to)
{
	const json_t *cost = json_object_get(gap, "cost");
	const char *rule = words_text(gap, "rule"), *risk = words_text(gap, "risk"), *verdict = words_text(gap, "verdict");
	char lacks[REPORT_TEXT_BYTES], price[64] = "";

	words_join(json_object_get(gap, "lacks"), lacks, sizeof lacks);
	if (cost)
		snprintf(price, sizeof price, "%lld packets, %lld bytes", (long long)json_integer_value(json_object_get(cost, "packets")),
			 (long long)json_integer_value(json_object_get(cost, "bytes")));
	HTML(to, "<tr><td class=\"a\">%</td><td>%</td><td>%</td><td>%</td>", d->address, words_text(gap, "subject"), words_text(gap, "kind"), lacks);
	HTML(to, "<td>% ", rule);
	if (risk[0])
		HTML(to, "<span class=\"tag %\">%</span>", risk, risk);
	fputs("</td>", to);
	HTML(to, "<td><small>%</small></td><td><span class=\"tag %\">%</span></td><td>%</td></tr>\n", price, verdict, verdict, words_text(gap, "why"));
}

void report_gaps(const struct report *r, FILE *to)
{
	fputs("<section id=\"gaps\"><h2>Gaps</h2>\n<p class=\"note\">What should be known and is not: first what a question could fill, then what may not "
	      "be asked, then what nothing can fill by asking.</p>\n<table><thead><tr><th>Address<th>About<th>Gap<th>Lacks<th>Rule, risk<th>Cost<th>Verdict<th>Why"
	      "</tr></thead><tbody>\n", to);
	for (int order = 0; order < 3; order++)
		for (size_t i = 0; i < r->count; i++) {
			const json_t *gap;
			size_t k;

			json_array_foreach(json_object_get(r->devices[i].ot, "gaps"), k, gap)
				if (verdict_order(words_text(gap, "verdict")) == order)
					print_gap(&r->devices[i], gap, to);
		}
	fputs("</tbody></table></section>\n", to);
}

static void add_cost(json_t *rules, const json_t *gap)
{
	const json_t *cost = json_object_get(gap, "cost");
	const char *rule = words_text(gap, "rule");
	json_t *row;

	if (!rule[0] || strcmp(words_text(gap, "verdict"), "proposed") != 0)
		return;
	row = tally_row(rules, rule);
	json_object_set_new(row, "risk", json_string(words_text(gap, "risk")));
	tally_add(row, "questions", 1);
	tally_add(row, "packets", json_integer_value(json_object_get(cost, "packets")));
	tally_add(row, "bytes", json_integer_value(json_object_get(cost, "bytes")));
}

void report_costs(const struct report *r, FILE *to)
{
	json_t *rules = json_object(), *row, *sum = json_object();
	const char *rule, *const keys[] = { "questions", "packets", "bytes" };
	const json_t *gap;
	size_t k;

	for (size_t i = 0; i < r->count; i++)
		json_array_foreach(json_object_get(r->devices[i].ot, "gaps"), k, gap)
			add_cost(rules, gap);
	fputs("<section id=\"costs\"><h2>What could be asked</h2>\n<p class=\"note\">At most, if every gap that may be asked for were asked for once. "
	      "Each question waits for the signatures that its risk needs.</p>\n<table><thead><tr><th>Rule<th>Risk<th class=\"n\">Questions"
	      "<th class=\"n\">Packets sent<th class=\"n\">Bytes sent</tr></thead><tbody>\n", to);
	json_object_foreach(rules, rule, row) {
		const char *risk = words_text(row, "risk");

		for (k = 0; k < sizeof keys / sizeof *keys; k++)
			tally_add(sum, keys[k], json_integer_value(json_object_get(row, keys[k])));
		HTML(to, "<tr><td class=\"a\">%</td><td><span class=\"tag %\">%</span></td><td class=\"n\">%</td><td class=\"n\">%</td><td class=\"n\">%</td></tr>\n",
		     rule, risk, risk, NUMBER(number(row, "questions")), NUMBER(number(row, "packets")), NUMBER(number(row, "bytes")));
	}
	HTML(to, "<tr><td class=\"a\">all</td><td></td><td class=\"n\">%</td><td class=\"n\">%</td><td class=\"n\">%</td></tr>\n</tbody></table></section>\n",
	     NUMBER(number(sum, "questions")), NUMBER(number(sum, "packets")), NUMBER(number(sum, "bytes")));
	json_decref(rules);
	json_decref(sum);
}
