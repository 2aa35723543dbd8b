/*
 * Holds a YAML document against libcyaml's schema: unknown and repeated keys, missing ones, wrong
 * types, words that are none of a list, numbers out of their width. All of them, each with its line.
 */
#include "active/ruleset/yaml_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORDS_BYTES = 300 };

struct holding {
	yaml_document_t *document;
	const char *file;
	struct mistakes *m;
};

static void hold_value(struct holding *h, const yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key);

static uint32_t line_of(const yaml_node_t *node)
{
	return (uint32_t)node->start_mark.line + 1;
}

static void complain_type(struct holding *h, const yaml_node_t *node, const char *key, const char *wanted)
{
	static const char *const is[] = { "nothing", "a single value", "a list", "a mapping" };

	mistake_at(h->m, h->file, line_of(node), "'%s' is %s; it must be %s", key, is[node->type & 3], wanted);
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_field_t *fields, const char *key)
{
	for (; fields->key; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

static void list_keys(const cyaml_schema_field_t *fields, char *to, size_t room)
{
	size_t n = 0;

	to[0] = '\0';
	for (; fields->key && n < room; fields++)
		n += (size_t)snprintf(to + n, room - n, "%s%s", n ? ", " : "", fields->key);
}

static bool has_key(struct holding *h, const yaml_node_t *node, const char *key, const yaml_node_pair_t *before)
{
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < before; p++) {
		yaml_node_t *k = yaml_document_get_node(h->document, p->key);

		if (k->type == YAML_SCALAR_NODE && strcmp(text_of(k), key) == 0)
			return true;
	}
	return false;
}

static void hold_pair(struct holding *h, const yaml_node_t *node, const yaml_node_pair_t *pair,
		      const cyaml_schema_field_t *fields)
{
	const yaml_node_t *key = yaml_document_get_node(h->document, pair->key);
	const cyaml_schema_field_t *field;
	char known[WORDS_BYTES];

	if (key->type != YAML_SCALAR_NODE) {
		complain_type(h, key, "a key", "a word");
		return;
	}
	field = field_of(fields, text_of(key));
	if (!field) {
		list_keys(fields, known, sizeof(known));
		mistake_at(h->m, h->file, line_of(key), "key '%s' is unknown; known here are %s", text_of(key), known);
		return;
	}
	if (has_key(h, node, text_of(key), pair))
		mistake_at(h->m, h->file, line_of(key), "key '%s' stands twice; keep one", text_of(key));
	hold_value(h, yaml_document_get_node(h->document, pair->value), &field->value, field->key);
}

static void hold_mapping(struct holding *h, const yaml_node_t *node, const cyaml_schema_field_t *fields, const char *key)
{
	if (node->type != YAML_MAPPING_NODE) {
		complain_type(h, node, key, "a mapping (key: value)");
		return;
	}
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++)
		hold_pair(h, node, p, fields);
	for (; fields->key; fields++)
		if (!(fields->value.flags & CYAML_FLAG_OPTIONAL) &&
		    !has_key(h, node, fields->key, node->data.mapping.pairs.top))
			mistake_at(h->m, h->file, line_of(node), "key '%s' is missing in %s; add it", fields->key, key);
}

static void hold_sequence(struct holding *h, const yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key)
{
	size_t n;

	if (node->type != YAML_SEQUENCE_NODE) {
		complain_type(h, node, key, "a list");
		return;
	}
	n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (n < schema->sequence.min || n > schema->sequence.max)
		mistake_at(h->m, h->file, line_of(node), "'%s' has %zu entries; it may have %u to %u", key, n,
			   schema->sequence.min, schema->sequence.max);
	for (size_t i = 0; i < n; i++)
		hold_value(h, yaml_document_get_node(h->document, node->data.sequence.items.start[i]),
			   schema->sequence.entry, key);
}

static void hold_number(struct holding *h, const yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key)
{
	unsigned int bits = schema->data_size >= 8 ? 64 : schema->data_size * 8;
	bool is_signed = schema->type == CYAML_INT;
	const char *text = text_of(node);
	uint64_t most = (is_signed ? (uint64_t)INT64_MAX : UINT64_MAX) >> (64 - bits);
	char *end;
	bool negative = text[0] == '-';
	unsigned long long n;

	errno = 0;
	n = strtoull(negative ? text + 1 : text, &end, 0);
	if (end == text || *end != '\0' || (text[0] < '0' && !negative) || text[0] > '9')
		mistake_at(h->m, h->file, line_of(node), "'%s: %s' is no number", key, text);
	else if (errno || n > most || (negative && !is_signed))
		mistake_at(h->m, h->file, line_of(node), "'%s: %s' is out of range; it is %s to %llu", key, text,
			   is_signed ? "a number up" : "0", (unsigned long long)most);
}

static void hold_bool(struct holding *h, const yaml_node_t *node, const char *key)
{
	if (strcmp(text_of(node), "true") != 0 && strcmp(text_of(node), "false") != 0)
		mistake_at(h->m, h->file, line_of(node), "'%s: %s' must be true or false", key, text_of(node));
}

static void hold_word(struct holding *h, const yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key)
{
	char known[WORDS_BYTES] = "";
	size_t n = 0;

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		if (strcmp(schema->enumeration.strings[i].str, text_of(node)) == 0)
			return;
		if (n < sizeof(known))
			n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "",
					      schema->enumeration.strings[i].str);
	}
	mistake_at(h->m, h->file, line_of(node), "'%s: %s' is none of %s", key, text_of(node), known);
}

static void hold_text(struct holding *h, const yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key)
{
	size_t n = node->data.scalar.length;

	if (n < schema->string.min || n > schema->string.max)
		mistake_at(h->m, h->file, line_of(node), "the text of '%s' has %zu bytes; it may have %u to %u", key, n,
			   schema->string.min, schema->string.max);
	else if (strlen(text_of(node)) != n)
		mistake_at(h->m, h->file, line_of(node), "the text of '%s' holds a zero byte", key);
}

static void hold_flags(struct holding *h, const yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		complain_type(h, node, key, "a list of words");
		return;
	}
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		const yaml_node_t *entry = yaml_document_get_node(h->document, *i);

		if (entry->type == YAML_SCALAR_NODE)
			hold_word(h, entry, schema, key);
		else
			complain_type(h, entry, key, "a word");
	}
}

static void hold_value(struct holding *h, const yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key)
{
	if (schema->type == CYAML_MAPPING) {
		hold_mapping(h, node, schema->mapping.fields, key);
	} else if (schema->type == CYAML_SEQUENCE) {
		hold_sequence(h, node, schema, key);
	} else if (schema->type == CYAML_FLAGS) {
		hold_flags(h, node, schema, key);
	} else if (node->type != YAML_SCALAR_NODE) {
		complain_type(h, node, key, "a single value");
	} else if (schema->type == CYAML_INT || schema->type == CYAML_UINT) {
		hold_number(h, node, schema, key);
	} else if (schema->type == CYAML_BOOL) {
		hold_bool(h, node, key);
	} else if (schema->type == CYAML_ENUM) {
		hold_word(h, node, schema, key);
	} else if (schema->type == CYAML_STRING) {
		hold_text(h, node, schema, key);
	}
}

void yaml_file_hold_against(yaml_document_t *document, const char *file, const cyaml_schema_value_t *schema,
		       struct mistakes *m)
{
	struct holding h = { document, file, m };

	hold_value(&h, yaml_document_get_root_node(document), schema, "the file");
}
