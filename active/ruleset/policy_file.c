/* The schemas of the files in rules/policy, for libcyaml. */
#include "active/ruleset/policy_file.h"

enum { WORD_MOST = 64, WHY_MOST = 200, LIST_MOST = 256, KEY_BYTES = 44 };

static const cyaml_schema_value_t word = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, WORD_MOST) };
static const cyaml_schema_value_t port = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t) };

static const cyaml_strval_t allowances[] = { { "propose", ALLOW_PROPOSE }, { "automatic", ALLOW_AUTOMATIC } };
static const cyaml_strval_t days[] = {
	{ "mon", 1 << 0 }, { "tue", 1 << 1 }, { "wed", 1 << 2 }, { "thu", 1 << 3 },
	{ "fri", 1 << 4 }, { "sat", 1 << 5 }, { "sun", 1 << 6 },
};
static const cyaml_strval_t risks[] = {
	{ "low", RISK_LOW }, { "medium", RISK_MEDIUM }, { "high", RISK_HIGH }, { "custom", RISK_CUSTOM },
};
static const cyaml_schema_value_t risk = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum risk, risks, CYAML_ARRAY_LEN(risks))
};

#define OPTIONAL_LIST (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define LINE_CONDITIONS \
	CYAML_FIELD_SEQUENCE("rules", OPTIONAL_LIST, struct line_file, rules, &word, 1, LIST_MOST), \
	CYAML_FIELD_SEQUENCE("zones", OPTIONAL_LIST, struct line_file, zones, &word, 1, LIST_MOST), \
	CYAML_FIELD_SEQUENCE("networks", OPTIONAL_LIST, struct line_file, networks, &word, 1, LIST_MOST), \
	CYAML_FIELD_SEQUENCE("macs", OPTIONAL_LIST, struct line_file, macs, &word, 1, LIST_MOST), \
	CYAML_FIELD_SEQUENCE("makers", OPTIONAL_LIST, struct line_file, makers, &word, 1, LIST_MOST), \
	CYAML_FIELD_SEQUENCE("classes", OPTIONAL_LIST, struct line_file, classes, &word, 1, LIST_MOST), \
	CYAML_FIELD_SEQUENCE("ports", OPTIONAL_LIST, struct line_file, ports, &port, 1, LIST_MOST), \
	CYAML_FIELD_STRING_PTR("why", CYAML_FLAG_POINTER, struct line_file, why, 1, WHY_MOST)

static const cyaml_schema_field_t allow_fields[] = {
	LINE_CONDITIONS,
	CYAML_FIELD_ENUM("may", CYAML_FLAG_STRICT, struct line_file, may, allowances, CYAML_ARRAY_LEN(allowances)),
	CYAML_FIELD_UINT("signatures", CYAML_FLAG_OPTIONAL, struct line_file, signatures),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t never_fields[] = { LINE_CONDITIONS, CYAML_FIELD_END };
static const cyaml_schema_value_t allow = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct line_file, allow_fields) };
static const cyaml_schema_value_t never = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct line_file, never_fields) };

static const cyaml_schema_field_t whitelist_fields[] = {
	CYAML_FIELD_SEQUENCE("allow", CYAML_FLAG_POINTER, struct whitelist_file, allow, &allow, 0, LIST_MOST),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t whitelist_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct whitelist_file, whitelist_fields)
};

static const cyaml_schema_field_t exclusions_fields[] = {
	CYAML_FIELD_SEQUENCE("never", CYAML_FLAG_POINTER, struct exclusions_file, never, &never, 0, LIST_MOST),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t exclusions_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct exclusions_file, exclusions_fields)
};

static const cyaml_schema_field_t window_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct window_file, name, 1, WORD_MOST),
	CYAML_FIELD_STRING_PTR("timezone", CYAML_FLAG_POINTER, struct window_file, timezone, 1, WORD_MOST),
	CYAML_FIELD_FLAGS("days", CYAML_FLAG_STRICT, struct window_file, days, days, CYAML_ARRAY_LEN(days)),
	CYAML_FIELD_STRING_PTR("from", CYAML_FLAG_POINTER, struct window_file, from, 5, 5),
	CYAML_FIELD_STRING_PTR("to", CYAML_FLAG_POINTER, struct window_file, to, 5, 5),
	CYAML_FIELD_SEQUENCE("zones", OPTIONAL_LIST, struct window_file, zones, &word, 1, LIST_MOST),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t window = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct window_file, window_fields) };
static const cyaml_schema_field_t windows_fields[] = {
	CYAML_FIELD_SEQUENCE("windows", CYAML_FLAG_POINTER, struct windows_file, windows, &window, 0, LIST_MOST),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t windows_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct windows_file, windows_fields) };

static const cyaml_schema_field_t budget_fields[] = {
	CYAML_FIELD_UINT("packets_a_minute", CYAML_FLAG_DEFAULT, struct policy_budget, packets_a_minute),
	CYAML_FIELD_UINT("bytes_a_minute", CYAML_FLAG_DEFAULT, struct policy_budget, bytes_a_minute),
	CYAML_FIELD_UINT("connections_a_minute", CYAML_FLAG_DEFAULT, struct policy_budget, connections_a_minute),
	CYAML_FIELD_UINT("packets_a_day", CYAML_FLAG_DEFAULT, struct policy_budget, packets_a_day),
	CYAML_FIELD_UINT("bytes_a_day", CYAML_FLAG_DEFAULT, struct policy_budget, bytes_a_day),
	CYAML_FIELD_UINT("connections_a_day", CYAML_FLAG_DEFAULT, struct policy_budget, connections_a_day),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t budgets_fields[] = {
	CYAML_FIELD_MAPPING("target", CYAML_FLAG_DEFAULT, struct policy_budgets, target, budget_fields),
	CYAML_FIELD_MAPPING("zone", CYAML_FLAG_DEFAULT, struct policy_budgets, zone, budget_fields),
	CYAML_FIELD_MAPPING("sensor", CYAML_FLAG_DEFAULT, struct policy_budgets, sensor, budget_fields),
	CYAML_FIELD_UINT("cool_down_s", CYAML_FLAG_DEFAULT, struct policy_budgets, cool_down_s),
	CYAML_FIELD_UINT("repeat_days", CYAML_FLAG_DEFAULT, struct policy_budgets, repeat_days),
	CYAML_FIELD_UINT("targets_at_once", CYAML_FLAG_DEFAULT, struct policy_budgets, targets_at_once),
	CYAML_FIELD_UINT("failures_to_stop", CYAML_FLAG_DEFAULT, struct policy_budgets, failures_to_stop),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t budgets_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct policy_budgets, budgets_fields) };

static const cyaml_schema_field_t analyst_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct analyst_file, name, 1, WORD_MOST),
	CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, struct analyst_file, key, KEY_BYTES, KEY_BYTES),
	CYAML_FIELD_SEQUENCE("may", CYAML_FLAG_POINTER, struct analyst_file, may, &risk, 1, RISKS),
	CYAML_FIELD_SEQUENCE("zones", OPTIONAL_LIST, struct analyst_file, zones, &word, 1, LIST_MOST),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t analyst = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct analyst_file, analyst_fields) };
static const cyaml_schema_field_t analysts_fields[] = {
	CYAML_FIELD_SEQUENCE("analysts", CYAML_FLAG_POINTER, struct analysts_file, analysts, &analyst, 0, LIST_MOST),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t analysts_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct analysts_file, analysts_fields) };
