/* Looks things up in the documents of assets. */
#include "sensor/ctl/document_words.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Bytes of the control character at p; 0 when it is none. jansson's texts are whole UTF-8. */
static size_t control_bytes(const unsigned char *p)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 1;
	if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) /* C1 */
		return 2;
	if (p[0] == 0xe2 && p[1] == 0x80 && ((p[2] >= 0x8e && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae))) /* marks, separators, embeddings */
		return 3;
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) /* isolates */
		return 3;
	return p[0] == 0xd8 && p[1] == 0x9c ? 2 : 0; /* Arabic letter mark */
}

size_t words_plain(char *to, const char *from, size_t len)
{
	const unsigned char *at = (const unsigned char *)from;
	size_t n = 0;

	for (const unsigned char *end = at + len; at < end;) {
		size_t bytes = control_bytes(at);

		to[n++] = bytes ? '?' : (char)*at;
		at += bytes ? bytes : 1;
	}
	to[n] = 0;
	return n;
}

static void disarm_text(json_t *text)
{
	size_t n, len = json_string_length(text);
	char *clean = malloc(len + 1);

	if (!clean)
		abort();
	n = words_plain(clean, json_string_value(text), len);
	if (n != len || memcmp(clean, json_string_value(text), len) != 0)
		json_string_setn(text, clean, n);
	free(clean);
}

void words_disarm(json_t *document)
{
	json_t *item;
	const char *key;
	size_t i;

	if (json_is_string(document))
		disarm_text(document);
	json_array_foreach(document, i, item)
		words_disarm(item);
	if (json_is_object(document))
		json_object_foreach(document, key, item)
			words_disarm(item);
}

char *words_line(const char *body, size_t len, const json_t *document)
{
	char *plain = malloc(len + 1), *line = plain;

	if (!plain)
		abort();
	if (words_plain(plain, body, len) != len || memcmp(plain, body, len) != 0) {
		line = json_dumps(document, JSON_COMPACT);
		free(plain);
	}
	if (!line)
		abort();
	return line;
}
