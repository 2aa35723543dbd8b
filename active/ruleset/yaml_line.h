/*
 * A YAML file of ours, with the line of everything in it.
 *
 * libcyaml loads by a schema but stops at the first mistake; this reads the same file into libyaml's
 * document, holds it against the same schema, and tells of every mistake with its line.
 */
#ifndef ACTIVE_RULESET_YAML_LINE_H
#define ACTIVE_RULESET_YAML_LINE_H

#include "active/ruleset/ruleset.h"

#include <cyaml/cyaml.h>

struct yaml_file;

/* To whom mistakes are told, and how many there were. */
struct mistakes {
	ruleset_complain *complain;
	void *context;
	unsigned int count;
};

void mistake_at(struct mistakes *m, const char *file, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* NULL, and told, when it can't be read or is no YAML. */
struct yaml_file *yaml_file_open(const char *path, struct mistakes *m);
void yaml_file_close(struct yaml_file *y);
const char *yaml_file_path(const struct yaml_file *y);

/* Loads it by the schema; NULL, and every mistake told, when it does not fit. Freed by yaml_file_unload(). */
void *yaml_file_load(struct yaml_file *y, const cyaml_schema_value_t *schema, struct mistakes *m);
void yaml_file_unload(const cyaml_schema_value_t *schema, void *data);

/*
 * The line, from 1, where the value at a path like "rules[2].steps[0].send" begins; of its nearest
 * parent when it is not there. A block of text begins on the line after its indicator.
 */
uint32_t yaml_file_line(const struct yaml_file *y, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
