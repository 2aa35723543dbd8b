/* The schema of rules/policy/custom.yaml, for libcyaml. */
#include "active/ruleset/custom.h"

#include "classifiers/finding/attribute.h"

enum { NAME_MOST = 40, PATH_MOST = 400, PROBE_MOST = 63, HASH_DIGITS = 64, WHY_LEAST = 20, WHY_MOST = 2000 };

static const cyaml_schema_value_t word = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, NAME_MOST) };
static const cyaml_schema_value_t port = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t) };
static const cyaml_strval_t transports[] = { { "tcp", TRANSPORT_TCP }, { "udp", TRANSPORT_UDP } };

static const cyaml_schema_field_t entry_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct custom_entry, name, 1, NAME_MOST),
	CYAML_FIELD_STRING_PTR("file", CYAML_FLAG_POINTER, struct custom_entry, file, 1, PATH_MOST),
	CYAML_FIELD_STRING_PTR("probe", CYAML_FLAG_POINTER, struct custom_entry, probe, 1, PROBE_MOST),
	CYAML_FIELD_ENUM("transport", CYAML_FLAG_STRICT, struct custom_entry, transport, transports,
			 CYAML_ARRAY_LEN(transports)),
	CYAML_FIELD_SEQUENCE("ports", CYAML_FLAG_POINTER, struct custom_entry, ports, &port, 1, RULE_PORTS),
	CYAML_FIELD_SEQUENCE("must_have_seen", CYAML_FLAG_POINTER, struct custom_entry, must_have_seen, &word, 1, RULE_SEEN),
	CYAML_FIELD_SEQUENCE("fills", CYAML_FLAG_POINTER, struct custom_entry, fills, &word, 0, ATTRIBUTES),
	CYAML_FIELD_STRING_PTR("sha256", CYAML_FLAG_POINTER, struct custom_entry, sha256, 1, HASH_DIGITS),
	CYAML_FIELD_STRING_PTR("why", CYAML_FLAG_POINTER, struct custom_entry, why, WHY_LEAST, WHY_MOST),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t entry = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct custom_entry, entry_fields) };

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_SEQUENCE("custom", CYAML_FLAG_POINTER, struct custom_file, custom, &entry, 0, CUSTOM_RULES),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t custom_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct custom_file, file_fields) };
