/* Holds a YAML document against libcyaml's schema and tells of every difference. */
#ifndef ACTIVE_RULESET_YAML_SCHEMA_H
#define ACTIVE_RULESET_YAML_SCHEMA_H

#include "active/ruleset/yaml_line.h"

#include <yaml.h>

void yaml_file_hold_against(yaml_document_t *document, const char *file, const cyaml_schema_value_t *schema,
		       struct mistakes *m);

#endif
