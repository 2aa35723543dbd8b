/* Facts of a document, and which asset of one picture is which of the other. */
#include "sensor/ctl/diff_facts.h"

#include "sensor/ctl/asset_list.h"
#include "sensor/ctl/document_words.h"

#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 256, CELL_BYTES = 512 };

static void add(json_t *facts, const char *key, const char *value)
{
	json_t *values = json_object_get(facts, key);

	if (!value || !value[0])
		return;
	if (!values) {
		values = json_object();
		json_object_set_new(facts, key, values);
	}
	json_object_set_new(values, value, json_true());
}

static void add_each(json_t *facts, const char *key, const json_t *array)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		add(facts, key, json_string_value(item));
}

/* A service that only nDPI or its port names carries a question mark: to be sure of it is a difference. */
static void add_services(json_t *facts, const json_t *services)
{
	const json_t *s;
	size_t i;

	json_array_foreach(services, i, s) {
		bool sure = strcmp(words_text(s, "evidence"), "structure") == 0;
		char key[KEY_BYTES], value[KEY_BYTES];

		if (json_object_get(s, "port"))
			snprintf(key, sizeof key, "service %s/%d", words_text(s, "transport"), (int)json_integer_value(json_object_get(s, "port")));
		else
			snprintf(key, sizeof key, "service %s/%s", words_text(s, "transport"), words_text(s, "protocol"));
		snprintf(value, sizeof value, "%s%s", words_text(s, "protocol"), sure ? "" : "?");
		add(facts, key, value);
	}
}

static void add_attributes(json_t *facts, const json_t *attributes)
{
	const json_t *a;
	size_t i;

	json_array_foreach(attributes, i, a) {
		const char *subject = words_text(a, "subject");
		char key[KEY_BYTES];

		snprintf(key, sizeof key, "%s%s%s%s", words_text(a, "name"), subject[0] ? " (" : "", subject, subject[0] ? ")" : "");
		add(facts, key, words_text(a, "value"));
	}
}

json_t *diff_facts(const json_t *document)
{
	static const char *const texts[] = { "class", "vendor", "series", "os", "firmware", "role", "maker", "cpe_mapped" };
	static const char *const flags[] = { "forwards", "contested" };
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset"), *sub;
	json_t *facts = json_object();
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		add(facts, texts[i], words_text(asset, texts[i]));
	for (i = 0; i < sizeof flags / sizeof *flags; i++)
		add(facts, flags[i], json_is_true(json_object_get(asset, flags[i])) ? "yes" : "");
	add_each(facts, "ip", json_object_get(asset, "ip"));
	add_each(facts, "mac", json_object_get(asset, "mac"));
	add_each(facts, "hostname", json_object_get(asset, "hostname"));
	add_services(facts, json_object_get(ot, "services"));
	add_attributes(facts, json_object_get(ot, "attributes"));
	json_array_foreach(json_object_get(ot, "subassets"), i, sub) {
		add(facts, "sub-asset", words_text(sub, "path"));
		add_attributes(facts, json_object_get(sub, "attributes"));
	}
	return facts;
}

static const json_t *asset_of(const struct asset_list *list, size_t i)
{
	return json_object_get(json_object_get(list->items[i].document, "ot"), "asset");
}

/* The key under which others may know it: an address, with the VLANs that an IP is seen under. */
static void address_key(const json_t *asset, const char *kind, const char *address, char key[CELL_BYTES])
{
	const char *vlan = strcmp(kind, "ip") == 0 ? strstr(words_text(asset, "zone"), "/vlan:") : NULL;

	snprintf(key, CELL_BYTES, "%s%s", address, vlan ? vlan : "");
}

/* Where each address of the unmatched stands; one that two of them have says nothing. */
static json_t *index_of(const struct asset_list *list, const size_t *matched, const char *kind)
{
	json_t *index = json_object();

	for (size_t i = 0; i < list->count; i++) {
		const json_t *asset = asset_of(list, i), *item;
		size_t k;

		if (matched[i] != DIFF_NONE)
			continue;
		json_array_foreach(json_object_get(asset, kind), k, item) {
			char key[CELL_BYTES];

			address_key(asset, kind, json_string_value(item) ? json_string_value(item) : "", key);
			json_object_set_new(index, key, json_integer(json_object_get(index, key) ? -1 : (json_int_t)i));
		}
	}
	return index;
}

static void match_by(const struct asset_list *a, const struct asset_list *b, const char *kind, size_t *of_a, size_t *of_b)
{
	json_t *mine = index_of(a, of_a, kind), *theirs = index_of(b, of_b, kind), *value;
	const char *key;

	json_object_foreach(mine, key, value) {
		json_int_t i = json_integer_value(value), j = json_object_get(theirs, key) ? json_integer_value(json_object_get(theirs, key)) : -1;

		if (i < 0 || j < 0 || of_a[i] != DIFF_NONE || of_b[j] != DIFF_NONE)
			continue;
		of_a[i] = (size_t)j;
		of_b[j] = (size_t)i;
	}
	json_decref(mine);
	json_decref(theirs);
}

static void match_by_id(const struct asset_list *a, const struct asset_list *b, size_t *of_a, size_t *of_b)
{
	json_t *ids = json_object();

	for (size_t j = 0; j < b->count; j++)
		json_object_set_new(ids, words_text(asset_of(b, j), "id"), json_integer((json_int_t)j));
	for (size_t i = 0; i < a->count; i++) {
		const json_t *at = json_object_get(ids, words_text(asset_of(a, i), "id"));
		size_t j = (size_t)json_integer_value(at);

		if (!at || of_b[j] != DIFF_NONE)
			continue;
		of_a[i] = j;
		of_b[j] = i;
	}
	json_decref(ids);
}

void diff_match(const struct asset_list *a, const struct asset_list *b, size_t *of_a, size_t *of_b)
{
	for (size_t i = 0; i < a->count; i++)
		of_a[i] = DIFF_NONE;
	for (size_t j = 0; j < b->count; j++)
		of_b[j] = DIFF_NONE;
	match_by_id(a, b, of_a, of_b);
	match_by(a, b, "mac", of_a, of_b);
	match_by(a, b, "ip", of_a, of_b);
}
