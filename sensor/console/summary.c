/* From an asset's document to the few things that are shown of thousands of them at once. */
#include "sensor/console/summary.h"

#include "classifiers/finding/attribute.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 512 };

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Copies members as they are, those that are there. */
static void copy_members(json_t *to, const json_t *from, const char *const *names)
{
	for (; *names; names++)
		if (json_object_get(from, *names))
			json_object_set(to, *names, json_object_get(from, *names));
}

/* The protocols in a list of objects, each once. */
static json_t *protocols_of(const json_t *list)
{
	json_t *seen = json_object(), *names = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const json_t *name = json_object_get(item, "protocol");

		if (!json_is_string(name) || json_object_get(seen, json_string_value(name)))
			continue;
		json_object_set_new(seen, json_string_value(name), json_true());
		json_array_append(names, (json_t *)(size_t)name);
	}
	json_decref(seen);
	return names;
}

/* The best word of the device itself for one attribute; NULL when there is none. */
static const json_t *best_value(const json_t *attributes, const char *name)
{
	const json_t *item, *best = NULL;
	double confidence = -1;
	size_t i;

	json_array_foreach(attributes, i, item)
		if (strcmp(text_of(item, "name"), name) == 0 && json_number_value(json_object_get(item, "confidence")) > confidence) {
			confidence = json_number_value(json_object_get(item, "confidence"));
			best = json_object_get(item, "value");
		}
	return best;
}

/* A value that differs from another of the same source and protocol, of an attribute that has one value and keeps it. */
static unsigned count_conflicts(json_t *seen, const json_t *attributes)
{
	unsigned count = 0;
	const json_t *item;
	size_t i;

	json_array_foreach(attributes, i, item) {
		enum attribute a = attribute_of_name(text_of(item, "name"));
		const json_t *value = json_object_get(item, "value"), *first;
		char key[KEY_BYTES];

		if (a == ATTR_NONE || attribute_is_multiple(a) || attribute_changes(a))
			continue;
		snprintf(key, sizeof key, "%s\n%s\n%s\n%s", text_of(item, "name"), text_of(item, "protocol"), text_of(item, "source"),
			 text_of(item, "subject"));
		first = json_object_get(seen, key);
		if (!first) {
			json_object_set(seen, key, (json_t *)(size_t)value);
		} else if (!json_is_true(first) && !json_equal(first, value)) {
			json_object_set_new(seen, key, json_true());
			count++;
		}
	}
	return count;
}

static json_int_t conflicts_of(const json_t *ot)
{
	json_t *seen = json_object();
	unsigned count = count_conflicts(seen, json_object_get(ot, "attributes"));
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(ot, "subassets"), i, item)
		count += count_conflicts(seen, json_object_get(item, "attributes"));
	json_decref(seen);
	return count;
}

static json_t *make_asset(const json_t *ot)
{
	static const char *const of_asset[] = { "id", "zone", "ip", "mac", "hostname", "class", "maker", "vendor", "series", "os", "role",
						"firmware", "purdue_level", "completeness", "first_seen", "last_seen", "contested", "forwards", "standing", NULL };
	static const char *const of_document[] = { "talks", "talks_total", NULL };
	const json_t *attributes = json_object_get(ot, "attributes"), *product = best_value(attributes, "product");
	json_t *to = json_object();

	copy_members(to, json_object_get(ot, "asset"), of_asset);
	copy_members(to, ot, of_document);
	if (!product)
		product = best_value(attributes, "order_code");
	if (product)
		json_object_set(to, "product", (json_t *)(size_t)product);
	json_object_set_new(to, "services", protocols_of(json_object_get(ot, "services")));
	json_object_set_new(to, "speaks", protocols_of(json_object_get(ot, "speaks")));
	json_object_set_new(to, "gaps", json_integer((json_int_t)json_array_size(json_object_get(ot, "gaps"))));
	json_object_set_new(to, "conflicts", json_integer(conflicts_of(ot)));
	return to;
}

/* One gap, with what a row of the list says of its asset. False when memory is short. */
static bool print_gap(FILE *to, const json_t *asset, const json_t *gap, bool first)
{
	static const char *const of_asset[] = { "ip", "class", "completeness", NULL };
	static const char *const of_gap[] = { "kind", "subject", "lacks", "protocol", "rule", "risk", "verdict", "why", "since", NULL };
	json_t *row = json_object();
	bool well = row && (first || fputc(',', to) != EOF);

	json_object_set(row, "asset", json_object_get(asset, "id"));
	copy_members(row, asset, of_asset);
	copy_members(row, gap, of_gap);
	well = well && json_dumpf(row, to, JSON_COMPACT) == 0;
	json_decref(row);
	return well;
}

static char *make_gaps(const json_t *ot)
{
	char *text = NULL;
	size_t len, i;
	FILE *to = open_memstream(&text, &len);
	const json_t *gap;
	bool well = to != NULL;

	json_array_foreach(json_object_get(ot, "gaps"), i, gap)
		well = well && print_gap(to, json_object_get(ot, "asset"), gap, i == 0);
	if (to && fclose(to) == 0 && well)
		return text;
	free(text);
	return NULL;
}

bool summary_make(struct summary *s, const json_t *document)
{
	json_t *asset;
	const json_t *ot = json_object_get(document, "ot");

	*s = (struct summary){ NULL, NULL };
	if (json_is_string(json_object_get(json_object_get(ot, "asset"), "id"))) {
		asset = make_asset(ot);
		s->asset = json_dumps(asset, JSON_COMPACT);
		s->gaps = make_gaps(ot);
		json_decref(asset);
	}
	if (s->asset && s->gaps)
		return true;
	summary_free(s);
	return false;
}

void summary_free(struct summary *s)
{
	free(s->asset);
	free(s->gaps);
	*s = (struct summary){ NULL, NULL };
}
