/*
 * One component of type "device" for each asset; in it its firmware and its operating system as components of their
 * own, which scanners for weaknesses look at, and sub-assets as devices. What CycloneDX has no place for is in
 * properties "askance:NAME". Services stand apart, with the address as their end point.
 */
#include "sensor/ctl/cyclonedx.h"

#include "sensor/ctl/document_words.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 512, UUID_BYTES = 16 };

static void set_text(json_t *to, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(to, key, json_string(text));
}

static void add_property(json_t *properties, const char *name, const char *value)
{
	char full[TEXT_BYTES];

	if (!value || !value[0])
		return;
	snprintf(full, sizeof full, "askance:%s", name);
	json_array_append_new(properties, json_pack("{s:s,s:s}", "name", full, "value", value));
}

static void add_each(json_t *properties, const char *name, const json_t *array)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		add_property(properties, name, json_string_value(item));
}

static const char *attribute(const json_t *attributes, const char *name)
{
	const json_t *a;
	size_t i;

	json_array_foreach(attributes, i, a)
		if (strcmp(words_text(a, "name"), name) == 0)
			return words_text(a, "value");
	return "";
}

/* "ref/kind" of a part: references are unique within the document. */
static json_t *part(const char *ref, const char *kind, const char *type, const char *name, const char *version)
{
	char full[TEXT_BYTES];
	json_t *c;

	snprintf(full, sizeof full, "%s/%s", ref, kind);
	c = json_pack("{s:s,s:s,s:s}", "type", type, "bom-ref", full, "name", name);
	set_text(c, "version", version);
	return c;
}

static void set_manufacturer(json_t *component, const char *name)
{
	if (name[0])
		json_object_set_new(component, "manufacturer", json_pack("{s:s}", "name", name));
}

static json_t *subasset_component(const char *ref, const json_t *sub)
{
	const json_t *attributes = json_object_get(sub, "attributes"), *a;
	const char *path = words_text(sub, "path"), *product = attribute(attributes, "product"), *code = attribute(attributes, "order_code");
	json_t *c = part(ref, path, "device", product[0] ? product : code[0] ? code : path, attribute(attributes, "firmware"));
	json_t *properties = json_array();
	size_t i;

	set_manufacturer(c, attribute(attributes, "vendor"));
	add_property(properties, "path", path);
	json_array_foreach(attributes, i, a)
		add_property(properties, words_text(a, "name"), words_text(a, "value"));
	json_object_set_new(c, "properties", properties);
	return c;
}

static json_t *parts_of(const json_t *document, const char *ref, const char *name)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset"), *sub;
	const char *firmware = words_text(asset, "firmware"), *os = words_text(asset, "os");
	char title[TEXT_BYTES];
	json_t *parts = json_array();
	size_t i;

	snprintf(title, sizeof title, "%s firmware", name);
	if (firmware[0])
		json_array_append_new(parts, part(ref, "firmware", "firmware", title, firmware));
	if (os[0])
		json_array_append_new(parts, part(ref, "os", "operating-system", os, NULL));
	json_array_foreach(json_object_get(ot, "subassets"), i, sub)
		json_array_append_new(parts, subasset_component(ref, sub));
	return parts;
}

static json_t *properties_of(const json_t *document)
{
	const json_t *asset = json_object_get(json_object_get(document, "ot"), "asset");
	static const char *const texts[] = { "zone", "class", "purdue_level", "series", "role", "maker", "first_seen", "last_seen" };
	char known[16];
	json_t *properties = json_array();

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		add_property(properties, texts[i], words_text(asset, texts[i]));
	add_each(properties, "ip", json_object_get(asset, "ip"));
	add_each(properties, "mac", json_object_get(asset, "mac"));
	add_each(properties, "hostname", json_object_get(asset, "hostname"));
	add_property(properties, "serial", words_text(json_object_get(document, "device"), "serial_number"));
	snprintf(known, sizeof known, "%.2f", json_number_value(json_object_get(asset, "completeness")));
	add_property(properties, "completeness", known);
	return properties;
}

static json_t *component_of(const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");
	const char *ref = words_text(asset, "id"), *name = words_name(ot);
	char model[TEXT_BYTES], address[TEXT_BYTES];
	json_t *c, *parts;

	words_model(document, model, sizeof model);
	words_address(ot, address, sizeof address);
	c = json_pack("{s:s,s:s,s:s}", "type", "device", "bom-ref", ref, "name", model[0] ? model : name[0] ? name : address);
	set_text(c, "version", words_text(asset, "firmware"));
	set_text(c, "description", name[0] && model[0] ? name : "");
	set_text(c, "cpe", words_text(asset, "cpe_mapped"));
	set_manufacturer(c, words_vendor(document));
	parts = parts_of(document, ref, json_string_value(json_object_get(c, "name")));
	if (json_array_size(parts))
		json_object_set(c, "components", parts);
	json_decref(parts);
	json_object_set_new(c, "properties", properties_of(document));
	return c;
}

static void add_services(json_t *services, const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset"), *s;
	size_t i;

	json_array_foreach(json_object_get(ot, "services"), i, s) {
		const char *ip = words_text(s, "ip"), *id = words_text(asset, "id");
		bool six = strchr(ip, ':') != NULL;
		int port = (int)json_integer_value(json_object_get(s, "port"));
		char ref[TEXT_BYTES], end[TEXT_BYTES];
		json_t *service;

		if (!port || !ip[0])
			continue;
		snprintf(ref, sizeof ref, "%s/%s/%d/%s/%s", id, words_text(s, "transport"), port, words_text(s, "protocol"), ip);
		snprintf(end, sizeof end, "%s://%s%s%s:%d", words_text(s, "transport"), six ? "[" : "", ip, six ? "]" : "", port);
		service = json_pack("{s:s,s:s,s:[s]}", "bom-ref", ref, "name", words_text(s, "protocol"), "endpoints", end);
		json_object_set_new(service, "properties",
				    json_pack("[{s:s,s:s},{s:s,s:s}]", "name", "askance:device", "value", id, "name", "askance:evidence", "value",
					      words_text(s, "evidence")));
		json_array_append_new(services, service);
	}
}

/* A UUID of version 8 (RFC 9562) from a hash of the components. */
static void name_document(json_t *document)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	char *text = json_dumps(json_object_get(document, "components"), JSON_COMPACT | JSON_SORT_KEYS), name[64] = "urn:uuid:";
	unsigned char hash[UUID_BYTES];
	size_t at = 0, n = strlen(name);

	if (!text)
		return;
	crypto_generichash(hash, sizeof hash, (const unsigned char *)text, strlen(text), NULL, 0);
	free(text);
	hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80);
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof shape - 1; i++) {
		if (shape[i] == '-') {
			name[n++] = '-';
			continue;
		}
		name[n++] = "0123456789abcdef"[hash[at / 2] >> (at % 2 ? 0 : 4) & 0xf];
		at++;
	}
	name[n] = 0;
	set_text(document, "serialNumber", name);
}

json_t *cyclonedx_of(const struct asset_list *a, time_t now)
{
	json_t *document, *components = json_array(), *services = json_array();
	char made[32];
	struct tm utc;

	strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	for (size_t i = 0; i < a->count; i++) {
		json_array_append_new(components, component_of(a->items[i].document));
		add_services(services, a->items[i].document);
	}
	document = json_pack("{s:s,s:s,s:i,s:{s:s,s:{s:[{s:s,s:s,s:s}]}},s:o,s:o}", "bomFormat", "CycloneDX", "specVersion", "1.6", "version", 1,
			     "metadata", "timestamp", made, "tools", "components", "type", "application", "name", "askance", "version",
			     ASKANCE_VERSION, "components", components, "services", services);
	if (document)
		name_document(document);
	return document;
}
