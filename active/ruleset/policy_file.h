/* The files of rules/policy as libcyaml loads them. Inside active/ only. */
#ifndef ACTIVE_RULESET_POLICY_FILE_H
#define ACTIVE_RULESET_POLICY_FILE_H

#include "active/ruleset/policy.h"

#include <cyaml/cyaml.h>

enum allowance { ALLOW_PROPOSE, ALLOW_AUTOMATIC };

/*
 * One line of whitelist or exclusions. Conditions that are not there fit everything; all that are
 * there must fit. Within one condition any entry fits.
 */
struct line_file {
	char **rules;
	uint32_t rules_count;
	char **zones;
	uint32_t zones_count;
	char **networks;
	uint32_t networks_count;
	char **macs;
	uint32_t macs_count;
	char **makers;
	uint32_t makers_count;
	char **classes;
	uint32_t classes_count;
	uint16_t *ports;
	uint32_t ports_count;
	enum allowance may;
	uint8_t signatures;
	char *why;
};

struct whitelist_file {
	struct line_file *allow;
	uint32_t allow_count;
};

struct exclusions_file {
	struct line_file *never;
	uint32_t never_count;
};

struct window_file {
	char *name;
	char *timezone;
	uint32_t days; /* 1 << day, Monday 0 */
	char *from;
	char *to;
	char **zones;
	uint32_t zones_count;
};

struct windows_file {
	struct window_file *windows;
	uint32_t windows_count;
};

struct analyst_file {
	char *name;
	char *key; /* Ed25519, base64 of 32 bytes */
	enum risk *may;
	uint32_t may_count;
	char **zones;
	uint32_t zones_count;
};

struct analysts_file {
	struct analyst_file *analysts;
	uint32_t analysts_count;
};

extern const cyaml_schema_value_t whitelist_schema, exclusions_schema, windows_schema, budgets_schema, analysts_schema;

#endif
