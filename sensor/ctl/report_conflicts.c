/* Values that disagree about the same thing. Some attributes have many values by nature; those are no contradiction. */
#include "sensor/ctl/report.h"

#include "classifiers/finding/attribute.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/html.h"

#include <string.h>

static bool may_differ(const char *name)
{
	enum attribute attribute = attribute_of_name(name);

	return attribute_is_multiple(attribute) || attribute_changes(attribute);
}

/* The next value after i that disagrees with it: same attribute of the same thing, read by the same protocol. */
static const json_t *disagreeing(const json_t *attributes, size_t i)
{
	const json_t *a = json_array_get(attributes, i), *b;
	size_t k;

	if (may_differ(words_text(a, "name")))
		return NULL;
	json_array_foreach(attributes, k, b)
		if (k > i && strcmp(words_text(a, "name"), words_text(b, "name")) == 0 && strcmp(words_text(a, "protocol"), words_text(b, "protocol")) == 0 &&
		    strcmp(words_text(a, "value"), words_text(b, "value")) != 0)
			return b;
	return NULL;
}

static void print_value(const json_t *a, FILE *to)
{
	char time[24];

	snprintf(time, sizeof time, "%.16s", words_text(a, "last_seen"));
	HTML(to, "<td>% <small>% by %, frame %, last %</small></td>", words_text(a, "value"), words_text(a, "source"), words_text(a, "protocol"),
	     NUMBER(json_integer_value(json_object_get(a, "frame"))), time);
}

/* How many contradictions; printed as rows, unless `to` is NULL. */
static size_t each_conflict(const struct report_device *d, const json_t *attributes, FILE *to)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(attributes); i++) {
		const json_t *a = json_array_get(attributes, i), *other = disagreeing(attributes, i);

		count += other != NULL;
		if (!other || !to)
			continue;
		HTML(to, "<tr><td class=\"a\">%</td><td>%</td><td>%</td>", d->address, words_text(a, "subject"), words_text(a, "name"));
		print_value(a, to);
		print_value(other, to);
		fputs("</tr>\n", to);
	}
	return count;
}

static size_t conflicts_of(const struct report_device *d, FILE *to)
{
	size_t count = each_conflict(d, json_object_get(d->ot, "attributes"), to), i;
	const json_t *sub;

	json_array_foreach(json_object_get(d->ot, "subassets"), i, sub)
		count += each_conflict(d, json_object_get(sub, "attributes"), to);
	if (!json_is_true(json_object_get(d->asset, "contested")))
		return count;
	if (to)
		HTML(to, "<tr><td class=\"a\">%</td><td></td><td>address</td><td colspan=\"2\">Two MACs claim an address of it.</td></tr>\n", d->address);
	return count + 1;
}

size_t report_conflict_count(const struct report *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += conflicts_of(&r->devices[i], NULL);
	return count;
}

void report_conflicts(const struct report *r, FILE *to)
{
	fputs("<section id=\"conflicts\"><h2>Contradictions</h2>\n", to);
	if (report_conflict_count(r) == 0) {
		fputs("<p class=\"note\">Nothing that was heard contradicts itself.</p></section>\n", to);
		return;
	}
	fputs("<p class=\"note\">Values that can't both be right. Neither is dropped: go and look.</p>\n<table><thead><tr><th>Address<th>About<th>What"
	      "<th>One value<th>The other</tr></thead><tbody>\n", to);
	for (size_t i = 0; i < r->count; i++)
		conflicts_of(&r->devices[i], to);
	fputs("</tbody></table></section>\n", to);
}
