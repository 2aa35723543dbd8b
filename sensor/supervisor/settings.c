/* Reads YAML by a table; settings.h tells what a table says. */
#include "sensor/supervisor/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SENTENCE_BYTES = 512, DECIMAL = 10 };

static void say(struct settings *s, unsigned line, const char *format, va_list args)
{
	char sentence[SENTENCE_BYTES];

	vsnprintf(sentence, sizeof sentence, format, args);
	s->mistakes++;
	s->tell(s->context, s->path, line, sentence);
}

void settings_mistake(struct settings *s, const yaml_node_t *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(s, node ? (unsigned)node->start_mark.line + 1 : 0, format, args);
	va_end(args);
}

static void mistake_at(struct settings *s, size_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void mistake_at(struct settings *s, size_t line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(s, (unsigned)line, format, args);
	va_end(args);
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static void read_number(struct settings *s, yaml_node_t *node, const struct setting *k, void *field)
{
	const char *text = text_of(node);
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, DECIMAL);
	if (!*text || *end || text[0] == '-' || text[0] == '+')
		settings_mistake(s, node, "%s: '%s' is no whole number", k->key, text);
	else if (errno || n < k->min || n > k->max)
		settings_mistake(s, node, "%s: %s is out of range, it goes from %u to %u", k->key, text, k->min, k->max);
	else
		*(uint32_t *)field = (uint32_t)n;
}

/* Place of the word among words parted by blanks, or -1. */
static int place_of(const char *word, const char *words)
{
	size_t n = strlen(word);

	for (int place = 0; *words; place++) {
		size_t len = strcspn(words, " ");

		if (len == n && memcmp(word, words, n) == 0)
			return place;
		words += len + (words[len] == ' ');
	}
	return -1;
}

static void read_choice(struct settings *s, yaml_node_t *node, const struct setting *k, void *field, const char *words)
{
	int place = place_of(text_of(node), words);

	if (place < 0)
		settings_mistake(s, node, "%s: '%s' is none of: %s", k->key, text_of(node), words);
	else
		*(uint32_t *)field = k->kind == SETTING_TRUTH ? (uint32_t)(place % 2) : (uint32_t)place;
}

static void read_text(struct settings *s, yaml_node_t *node, const struct setting *k, char *field)
{
	const char *text = text_of(node);
	size_t n = node->data.scalar.length;

	if (n == 0 || strlen(text) != n)
		settings_mistake(s, node, "%s: is empty", k->key);
	else if (n >= k->room)
		settings_mistake(s, node, "%s: is longer than %zu bytes", k->key, k->room - 1);
	else if (k->words && strspn(text, k->words) != n)
		settings_mistake(s, node, "%s: '%s' holds the character '%c' that may not stand there", k->key, text,
		                 text[strspn(text, k->words)]);
	else
		memcpy(field, text, n + 1);
}

static void read_path(struct settings *s, yaml_node_t *node, const struct setting *k, char *field)
{
	const char *text = text_of(node);
	char here[PATH_MAX], whole[PATH_MAX * 2];

	if (text[0] == '/' || strcmp(text, "-") == 0 || !getcwd(here, sizeof here)) {
		read_text(s, node, k, field);
		return;
	}
	if ((size_t)snprintf(whole, sizeof whole, "%s/%s", here, text) >= k->room)
		settings_mistake(s, node, "%s: the whole path %s/%s is longer than %zu bytes", k->key, here, text, k->room - 1);
	else if (*text)
		memcpy(field, whole, strlen(whole) + 1);
	else
		settings_mistake(s, node, "%s: is empty", k->key);
}

/* The number of a node that stands in a document is always one of its nodes. NOLINTBEGIN(clang-analyzer-core.NullDereference) */
static void read_scalar(struct settings *s, yaml_node_t *node, const struct setting *k, char *field)
{
	int before = s->mistakes;

	if (node->type != YAML_SCALAR_NODE) {
		settings_mistake(s, node, "%s: wants one value, not a %s", k->key,
		                 node->type == YAML_SEQUENCE_NODE ? "list" : "group of keys");
		return;
	}
	switch (k->kind) {
	case SETTING_NUMBER:
		read_number(s, node, k, field);
		break;
	case SETTING_TRUTH:
		read_choice(s, node, k, field, "false true no yes off on");
		break;
	case SETTING_CHOICE:
		read_choice(s, node, k, field, k->words);
		break;
	case SETTING_TEXT:
		read_text(s, node, k, field);
		break;
	default:
		read_path(s, node, k, field);
	}
	if (k->check && s->mistakes == before)
		k->check(s, node, field);
}

static void read_list(struct settings *s, yaml_node_t *node, const struct setting *k, void *base)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		settings_mistake(s, node, "%s: wants a list", k->key);
		return;
	}
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
		k->item(s, yaml_document_get_node(&s->document, *i), base);
}

static void read_setting(struct settings *s, yaml_node_t *node, const struct setting *k, char *base)
{
	if (k->kind == SETTING_GROUP && node->type != YAML_MAPPING_NODE)
		settings_mistake(s, node, "%s: wants keys with values (`%s: {%s: ...}`)", k->key, k->key, k->keys[0].key);
	else if (k->kind == SETTING_GROUP)
		settings_group(s, node, k->keys, base + k->offset);
	else if (k->kind == SETTING_LIST)
		read_list(s, node, k, base);
	else
		read_scalar(s, node, k, base + k->offset);
}
/* NOLINTEND(clang-analyzer-core.NullDereference) */

static void tell_unknown(struct settings *s, const yaml_node_t *key, const struct setting *keys)
{
	char known[SENTENCE_BYTES / 2] = "";
	size_t n = 0;

	for (; keys->key && n < sizeof known; keys++)
		n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", keys->key);
	settings_mistake(s, key, "unknown key '%s'; known here: %s", key->type == YAML_SCALAR_NODE ? text_of(key) : "?", known);
}

static const struct setting *find_setting(const yaml_node_t *key, const struct setting *keys)
{
	for (; key->type == YAML_SCALAR_NODE && keys->key; keys++)
		if (strcmp(text_of(key), keys->key) == 0)
			return keys;
	return NULL;
}

yaml_node_t *settings_find(struct settings *s, yaml_node_t *mapping, const char *key)
{
	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(&s->document, p->key);

		if (k->type == YAML_SCALAR_NODE && strcmp(text_of(k), key) == 0)
			return yaml_document_get_node(&s->document, p->value);
	}
	return NULL;
}

void settings_group(struct settings *s, yaml_node_t *mapping, const struct setting *keys, void *base)
{
	if (mapping->type != YAML_MAPPING_NODE) {
		settings_mistake(s, mapping, "wants keys with values here (`key: value`)");
		return;
	}
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++) {
		yaml_node_t *key = yaml_document_get_node(&s->document, p->key);
		yaml_node_t *value = yaml_document_get_node(&s->document, p->value);
		const struct setting *k = find_setting(key, keys);

		if (!k)
			tell_unknown(s, key, keys);
		else if (settings_find(s, mapping, k->key) != value)
			settings_mistake(s, key, "%s: stands here a second time", k->key);
		else
			read_setting(s, value, k, base);
	}
}

static void load(struct settings *s, FILE *file)
{
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser)) {
		mistake_at(s, 0, "no memory");
		return;
	}
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &s->document)) {
		mistake_at(s, parser.problem_mark.line + 1, "is no YAML: %s", parser.problem ? parser.problem : "unreadable");
		memset(&s->document, 0, sizeof s->document);
	}
	yaml_parser_delete(&parser);
}

yaml_node_t *settings_begin(struct settings *s, const char *path, configuration_mistake *tell, void *context)
{
	FILE *file = fopen(path, "re");
	yaml_node_t *root = NULL;

	*s = (struct settings){ .path = path, .tell = tell, .context = context };
	if (!file) {
		mistake_at(s, 0, "can't be read: %s", strerror(errno));
		return NULL;
	}
	load(s, file);
	fclose(file);
	if (s->mistakes == 0)
		root = yaml_document_get_root_node(&s->document);
	if (!root && s->mistakes == 0)
		mistake_at(s, 0, "is empty");
	return root;
}

void settings_end(struct settings *s)
{
	yaml_document_delete(&s->document);
}
