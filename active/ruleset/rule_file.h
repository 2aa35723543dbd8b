/* A file of rules/probes as libcyaml loads it: the words of the file, not yet believed. */
#ifndef ACTIVE_RULESET_RULE_FILE_H
#define ACTIVE_RULESET_RULE_FILE_H

#include "active/ruleset/script.h"

#include <cyaml/cyaml.h>

struct hole_file {
	char *name;
	enum hole_source by;
	char *meaning;
	uint64_t *from;
	uint64_t *to;
	uint64_t *value;
	char *text;
	uint64_t *values;
	uint32_t values_count;
};

struct while_file {
	uint16_t offset;
	uint8_t is;
};

struct repeat_file {
	struct while_file *when;
	char *over;
	uint16_t at_most;
	uint32_t pause_ms;
	uint8_t stop_after_silent;
};

struct carry_file {
	char *hole;
	uint16_t offset;
};

enum byte_order { ORDER_NONE, ORDER_BIG, ORDER_LITTLE };

struct reply_file {
	char *begins;
	enum reply_end ends;
	uint16_t *offset;
	uint8_t width;
	enum byte_order order;
	int32_t add;
	char *bytes;
	uint32_t idle_ms;
	uint32_t at_most;
	enum otherwise otherwise;
};

struct step_file {
	char *name;
	char *says;
	char *send;
	bool listen;
	struct repeat_file *repeat;
	struct carry_file *carry;
	uint32_t carry_count;
	struct reply_file *reply;
};

struct rule_file {
	char *name;
	enum transport transport;
	uint16_t *ports;
	uint32_t ports_count;
	uint16_t ethertype;
	char *destination;
	enum risk risk;
	enum reply_port reply_port;
	char *why;
	char *notes;
	char **must_have_seen;
	uint32_t must_have_seen_count;
	char **fills;
	uint32_t fills_count;
	bool sub_assets;
	bool session;
	uint32_t max_packets;
	uint32_t max_bytes;
	uint32_t timeout_ms;
	struct hole_file *holes;
	uint32_t holes_count;
	struct step_file *steps;
	uint32_t steps_count;
};

struct probe_file {
	char *protocol;
	char *sources;
	struct rule_file *rules;
	uint32_t rules_count;
};

extern const cyaml_schema_value_t probe_file_schema;

#endif
