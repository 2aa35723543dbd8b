/* One asset in full, as people read it. */
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/inventory.h"

#include <stdio.h>
#include <string.h>

enum { CELL_BYTES = 1024 };

static void heading(FILE *to, const char *text, bool colours)
{
	fprintf(to, "\n%s%s%s\n", colours ? "\033[1m" : "", text, colours ? "\033[0m" : "");
}

static void line(FILE *to, const char *name, const char *value)
{
	if (value[0])
		fprintf(to, "  %-12s %s\n", name, value);
}

static void list_line(FILE *to, const char *name, const json_t *array)
{
	char text[CELL_BYTES];

	words_join(array, text, sizeof text);
	line(to, name, text);
}

static void show_head(const json_t *document, FILE *to, bool colours)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");
	const json_t *share = json_object_get(asset, "completeness");
	char model[CELL_BYTES], text[CELL_BYTES];

	words_address(ot, text, sizeof text);
	fprintf(to, "%s%s%s  %s\n", colours ? "\033[1m" : "", text, colours ? "\033[0m" : "", words_name(ot));
	words_model(document, model, sizeof model);
	line(to, "id", words_text(asset, "id"));
	line(to, "zone", words_text(asset, "zone"));
	list_line(to, "ip", json_object_get(asset, "ip"));
	list_line(to, "mac", json_object_get(asset, "mac"));
	list_line(to, "hostname", json_object_get(asset, "hostname"));
	line(to, "class", words_text(asset, "class"));
	line(to, "standing", words_text(asset, "standing"));
	line(to, "vendor", words_vendor(document));
	line(to, "interface by", words_text(asset, "maker"));
	line(to, "model", model);
	line(to, "series", words_text(asset, "series"));
	line(to, "firmware", words_text(asset, "firmware"));
	line(to, "serial", words_text(json_object_get(document, "device"), "serial_number"));
	line(to, "system", words_text(asset, "os"));
	line(to, "first seen", words_text(asset, "first_seen"));
	line(to, "last seen", words_text(asset, "last_seen"));
	if (json_is_number(share)) {
		snprintf(text, sizeof text, "%.0f %% of what an inventory should hold and a network can tell", json_number_value(share) * 100);
		line(to, "known", text);
	}
	list_line(to, "lacks", json_object_get(asset, "lacks"));
}

static void show_services(const json_t *ot, FILE *to, int width, bool colours)
{
	static const char *const headers[] = { "SERVICE", "PORT", "ADDRESS", "EVIDENCE", "CLIENTS", NULL };
	const json_t *services = json_object_get(ot, "services"), *s;
	struct table t;
	size_t i;

	if (!json_array_size(services))
		return;
	table_start(&t, headers);
	json_array_foreach(services, i, s) {
		char port[64], clients[32];
		json_int_t number = json_integer_value(json_object_get(s, "port"));
		const char *cells[] = { words_text(s, "protocol"), port, words_text(s, "ip"), words_text(s, "evidence"), clients };

		snprintf(port, sizeof port, number ? "%s/%lld" : "%s", words_text(s, "transport"), (long long)number);
		snprintf(clients, sizeof clients, "%lld", (long long)json_integer_value(json_object_get(s, "clients")));
		table_row(&t, cells);
	}
	heading(to, "Services", colours);
	table_print(&t, to, width, colours);
	table_free(&t);
}

static void add_attributes(struct table *t, const json_t *attributes)
{
	const json_t *a;
	size_t i;

	json_array_foreach(attributes, i, a) {
		char frame[32];
		const char *cells[] = { words_text(a, "name"), words_text(a, "value"), words_text(a, "protocol"),
					words_text(a, "source"), frame, words_text(a, "subject") };

		snprintf(frame, sizeof frame, "%lld", (long long)json_integer_value(json_object_get(a, "frame")));
		table_row(t, cells);
	}
}

static void show_attributes(const json_t *ot, FILE *to, int width, bool colours)
{
	static const char *const headers[] = { "ATTRIBUTE", "VALUE", "BY", "SOURCE", "FRAME", "OF", NULL };
	const json_t *sub;
	struct table t;
	size_t i;

	table_start(&t, headers);
	add_attributes(&t, json_object_get(ot, "attributes"));
	json_array_foreach(json_object_get(ot, "subassets"), i, sub) {
		const json_t *attributes = json_object_get(sub, "attributes");
		const char *bare[] = { "", "", "", words_text(sub, "source"), "", words_text(sub, "path") };

		add_attributes(&t, attributes);
		if (json_array_size(attributes) == 0)
			table_row(&t, bare);
	}
	if (t.rows) {
		heading(to, "What is known, and from where", colours);
		table_print(&t, to, width, colours);
	}
	table_free(&t);
}

static void show_talks(const json_t *ot, FILE *to, int width, bool colours)
{
	static const char *const headers[] = { "TALKS TO", "PORT", "PROTOCOL", NULL };
	const json_t *talks = json_object_get(ot, "talks"), *talk;
	struct table t;
	size_t i;

	if (!json_array_size(talks))
		return;
	table_start(&t, headers);
	json_array_foreach(talks, i, talk) {
		char port[64];
		const char *cells[] = { words_text(talk, "peer"), port, words_text(talk, "protocol") };
		json_int_t number = json_integer_value(json_object_get(talk, "port"));

		snprintf(port, sizeof port, number ? "%s/%lld" : "%s", words_text(talk, "transport"), (long long)number);
		table_row(&t, cells);
	}
	heading(to, "Conversations", colours);
	table_print(&t, to, width, colours);
	table_free(&t);
}

static void show_gaps(const json_t *ot, FILE *to, bool colours)
{
	const json_t *gaps = json_object_get(ot, "gaps"), *gap;
	size_t i;

	if (!json_array_size(gaps))
		return;
	heading(to, "Gaps", colours);
	json_array_foreach(gaps, i, gap) {
		char lacks[CELL_BYTES];
		const char *rule = words_text(gap, "rule");

		words_join(json_object_get(gap, "lacks"), lacks, sizeof lacks);
		fprintf(to, "  %s %s%s%s\n", words_text(gap, "subject"), words_text(gap, "kind"), lacks[0] ? ": lacks " : "", lacks);
		if (rule[0])
			fprintf(to, "    probe %s (%s risk): %s\n", rule, words_text(gap, "risk"), words_text(gap, "verdict"));
		fprintf(to, "    %s\n", words_text(gap, "why"));
	}
}

static void show_facts(const json_t *ot, FILE *to, bool colours)
{
	const json_t *facts = json_object_get(ot, "facts"), *fact;
	size_t i;

	if (!json_array_size(facts))
		return;
	heading(to, "Stated by analysts", colours);
	json_array_foreach(facts, i, fact) {
		const char *why = words_text(fact, "why");

		fprintf(to, "  %lld  %s %s %s\n", (long long)json_integer_value(json_object_get(fact, "id")), words_text(fact, "kind"),
			words_text(fact, "name"), words_text(fact, "value"));
		fprintf(to, "    %s, %s%s%s\n", words_text(fact, "analyst"), words_text(fact, "time"), why[0] ? ": " : "", why);
	}
}

void inventory_show(const json_t *document, FILE *to, int width, bool colours)
{
	const json_t *ot = json_object_get(document, "ot");

	show_head(document, to, colours);
	show_services(ot, to, width, colours);
	show_attributes(ot, to, width, colours);
	show_talks(ot, to, width, colours);
	show_facts(ot, to, colours);
	show_gaps(ot, to, colours);
}
