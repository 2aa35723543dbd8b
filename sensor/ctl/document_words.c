/* Looks things up in the documents of assets. */
#include "sensor/ctl/document_words.h"

#include <stdio.h>
#include <string.h>

const char *words_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

void words_join(const json_t *array, char *text, size_t room)
{
	const json_t *item;
	size_t i, n = 0;

	text[0] = 0;
	json_array_foreach(array, i, item) {
		const char *word = json_string_value(item);

		if (!word || n + strlen(word) + 3 > room)
			break;
		n += (size_t)snprintf(text + n, room - n, "%s%s", n ? ", " : "", word);
	}
}

bool words_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ' ') && (at[len] == 0 || at[len] == ','))
			return true;
	return false;
}

void words_address(const json_t *ot, char *text, size_t room)
{
	const json_t *asset = json_object_get(ot, "asset");
	const char *ip = json_string_value(json_array_get(json_object_get(asset, "ip"), 0));
	const char *mac = json_string_value(json_array_get(json_object_get(asset, "mac"), 0));
	const char *vlan = strstr(words_text(asset, "zone"), "/vlan:");

	snprintf(text, room, "%s%s%s", ip ? ip : mac ? mac : "?", vlan ? " " : "", vlan ? vlan + 1 : "");
}

static const char *attribute_value(const json_t *ot, const char *name)
{
	const json_t *a;
	size_t i;

	json_array_foreach(json_object_get(ot, "attributes"), i, a)
		if (strcmp(words_text(a, "name"), name) == 0)
			return words_text(a, "value");
	return "";
}

const char *words_name(const json_t *ot)
{
	const char *host = json_string_value(json_array_get(json_object_get(json_object_get(ot, "asset"), "hostname"), 0));
	const char *name = attribute_value(ot, "name");

	return name[0] ? name : host ? host : "";
}

const char *words_vendor(const json_t *document)
{
	const json_t *asset = json_object_get(json_object_get(document, "ot"), "asset");
	const char *vendor = words_text(asset, "vendor");

	if (!vendor[0])
		vendor = words_text(json_object_get(document, "device"), "manufacturer");
	return vendor[0] ? vendor : words_text(asset, "maker");
}

void words_model(const json_t *document, char *text, size_t room)
{
	const json_t *model = json_object_get(json_object_get(document, "device"), "model");
	const char *name = words_text(model, "name"), *code = words_text(model, "identifier");
	bool both = name[0] && code[0] && !strstr(name, code);

	snprintf(text, room, "%s%s%s%s", name, both ? " (" : "", both ? code : name[0] ? "" : code, both ? ")" : "");
}
