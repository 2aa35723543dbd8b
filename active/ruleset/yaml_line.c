/* Opens a YAML file as text and as libyaml's document, and finds lines in it by path. */
#include "active/ruleset/yaml_line.h"

#include "active/ruleset/yaml_schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 512 * 1024, PATH_BYTES = 160 };

struct yaml_file {
	char *path;
	uint8_t *text;
	size_t len;
	yaml_document_t document;
};

void mistake_at(struct mistakes *m, const char *file, uint32_t line, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	m->count++;
	if (m->complain)
		m->complain(m->context, file, line, what);
}

static bool read_text(struct yaml_file *y, struct mistakes *m)
{
	FILE *f = fopen(y->path, "re");
	uint8_t *shrunk;

	if (!f) {
		mistake_at(m, y->path, 0, "can't be opened: %s", strerror(errno));
		return false;
	}
	y->text = malloc(FILE_BYTES + 1);
	if (y->text)
		y->len = fread(y->text, 1, FILE_BYTES + 1, f);
	if (!y->text || ferror(f))
		mistake_at(m, y->path, 0, "can't be read: %s", strerror(errno));
	else if (y->len > FILE_BYTES)
		mistake_at(m, y->path, 0, "is larger than %d KiB; no file of this kind is", FILE_BYTES / 1024);
	else
		y->text[y->len] = '\0';
	fclose(f);
	if (!y->text || y->len > FILE_BYTES)
		return false;
	/* Kept as long as the rules are: no larger than it must be. */
	shrunk = realloc(y->text, y->len + 1);
	y->text = shrunk ? shrunk : y->text;
	return true;
}

static bool read_document(struct yaml_file *y, struct mistakes *m)
{
	yaml_parser_t parser;
	bool well;

	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, y->text, y->len);
	well = yaml_parser_load(&parser, &y->document);
	if (!well)
		mistake_at(m, y->path, (uint32_t)parser.problem_mark.line + 1, "is no YAML here: %s",
			   parser.problem ? parser.problem : "unreadable");
	yaml_parser_delete(&parser);
	if (well && !yaml_document_get_root_node(&y->document)) {
		mistake_at(m, y->path, 0, "is empty");
		yaml_document_delete(&y->document);
		well = false;
	}
	return well;
}

struct yaml_file *yaml_file_open(const char *path, struct mistakes *m)
{
	struct yaml_file *y = calloc(1, sizeof(*y));

	if (y)
		y->path = strdup(path);
	if (y && y->path && read_text(y, m) && read_document(y, m))
		return y;
	if (y) {
		free(y->text);
		free(y->path);
		free(y);
	}
	return NULL;
}

void yaml_file_close(struct yaml_file *y)
{
	if (!y)
		return;
	yaml_document_delete(&y->document);
	free(y->text);
	free(y->path);
	free(y);
}

const char *yaml_file_path(const struct yaml_file *y)
{
	return y->path;
}

/* libcyaml's last word, for the rare mistake that the schema's walk did not find. */
static void keep_message(cyaml_log_t level, void *context, const char *format, va_list args)
{
	char *kept = context;

	if (level >= CYAML_LOG_ERROR && kept[0] == '\0')
		vsnprintf(kept, PATH_BYTES, format, args);
}

static cyaml_config_t config_with(char *message)
{
	return (cyaml_config_t){
		.log_fn = message ? keep_message : NULL,
		.log_ctx = message,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

void *yaml_file_load(struct yaml_file *y, const cyaml_schema_value_t *schema, struct mistakes *m)
{
	char message[PATH_BYTES] = "";
	cyaml_config_t config = config_with(message);
	unsigned int before = m->count;
	cyaml_err_t err;
	void *data = NULL;

	yaml_file_hold_against(&y->document, y->path, schema, m);
	if (m->count != before)
		return NULL;
	err = cyaml_load_data(y->text, y->len, &config, schema, &data, NULL);
	if (err == CYAML_OK)
		return data;
	message[strcspn(message, "\n")] = '\0';
	mistake_at(m, y->path, 0, "%s%s%s", cyaml_strerror(err), message[0] ? ": " : "", message);
	return NULL;
}

void yaml_file_unload(const cyaml_schema_value_t *schema, void *data)
{
	cyaml_config_t config = config_with(NULL);

	cyaml_free(&config, schema, data, 0);
}

static yaml_node_t *child_by_key(yaml_document_t *d, const yaml_node_t *node, const char *key, size_t len)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(d, p->key);

		if (k->type == YAML_SCALAR_NODE && k->data.scalar.length == len && memcmp(k->data.scalar.value, key, len) == 0)
			return yaml_document_get_node(d, p->value);
	}
	return NULL;
}

static yaml_node_t *child_by_index(yaml_document_t *d, const yaml_node_t *node, unsigned long i)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	if ((size_t)(node->data.sequence.items.top - node->data.sequence.items.start) <= i)
		return NULL;
	return yaml_document_get_node(d, node->data.sequence.items.start[i]);
}

static uint32_t line_of_node(const yaml_node_t *node)
{
	bool block = node->type == YAML_SCALAR_NODE && (node->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
							node->data.scalar.style == YAML_FOLDED_SCALAR_STYLE);

	return (uint32_t)node->start_mark.line + 1 + block;
}

uint32_t yaml_file_line(const struct yaml_file *y, const char *format, ...)
{
	yaml_document_t *d = (yaml_document_t *)&y->document;
	yaml_node_t *node = yaml_document_get_root_node(d), *next;
	char path[PATH_BYTES], *at = path;
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	for (; *at; node = next) {
		if (*at == '[') {
			next = child_by_index(d, node, strtoul(at + 1, &at, 10));
			at += *at == ']';
		} else {
			size_t n = strcspn(at, ".[");

			next = child_by_key(d, node, at, n);
			at += n;
		}
		at += *at == '.';
		if (!next)
			break;
	}
	return line_of_node(node);
}
