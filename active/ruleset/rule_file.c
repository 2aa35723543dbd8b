/* The schema of a file in rules/probes, for libcyaml. */
#include "active/ruleset/rule_file.h"

enum { NAME_MOST = 40, SENTENCES_MOST = 2000, TEMPLATE_MOST = 4000, FILE_RULES = 32 };

static const cyaml_schema_value_t word = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, NAME_MOST) };
static const cyaml_schema_value_t port = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t) };
static const cyaml_schema_value_t number = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint64_t) };

static const cyaml_strval_t transports[] = {
	{ "tcp", TRANSPORT_TCP }, { "udp", TRANSPORT_UDP }, { "ethernet", TRANSPORT_ETHERNET },
};
static const cyaml_strval_t risks[] = { { "low", RISK_LOW }, { "medium", RISK_MEDIUM }, { "high", RISK_HIGH } };
static const cyaml_strval_t reply_ports[] = {
	{ "service", REPLY_PORT_SERVICE }, { "any", REPLY_PORT_ANY }, { "follow", REPLY_PORT_FOLLOW },
};
static const cyaml_strval_t sources[] = {
	{ "fresh", HOLE_FRESH }, { "counter", HOLE_COUNTER }, { "clock", HOLE_CLOCK }, { "target", HOLE_TARGET },
	{ "seen", HOLE_SEEN },   { "order", HOLE_ORDER },     { "list", HOLE_LIST },   { "reply", HOLE_REPLY },
	{ "own", HOLE_OWN },
};
static const cyaml_strval_t ends[] = {
	{ "datagram", REPLY_DATAGRAM }, { "length", REPLY_LENGTH }, { "delimiter", REPLY_DELIMITER },
	{ "dnp3", REPLY_DNP3 },         { "idle", REPLY_IDLE },     { "close", REPLY_CLOSE },
};
static const cyaml_strval_t orders[] = { { "big", ORDER_BIG }, { "little", ORDER_LITTLE } };
static const cyaml_strval_t otherwises[] = {
	{ "stop", OTHERWISE_STOP }, { "next", OTHERWISE_NEXT }, { "wait", OTHERWISE_WAIT },
};

static const cyaml_schema_field_t hole_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct hole_file, name, 1, NAME_MOST),
	CYAML_FIELD_ENUM("by", CYAML_FLAG_STRICT, struct hole_file, by, sources, CYAML_ARRAY_LEN(sources)),
	CYAML_FIELD_STRING_PTR("meaning", CYAML_FLAG_POINTER, struct hole_file, meaning, 1, SENTENCES_MOST),
	CYAML_FIELD_UINT_PTR("from", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct hole_file, from),
	CYAML_FIELD_UINT_PTR("to", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct hole_file, to),
	CYAML_FIELD_UINT_PTR("value", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct hole_file, value),
	CYAML_FIELD_STRING_PTR("text", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct hole_file, text, 0, RULE_TEXT_BYTES),
	CYAML_FIELD_SEQUENCE("values", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct hole_file, values, &number, 1,
			     HOLE_VALUES),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t while_fields[] = {
	CYAML_FIELD_UINT("offset", CYAML_FLAG_DEFAULT, struct while_file, offset),
	CYAML_FIELD_UINT("is", CYAML_FLAG_DEFAULT, struct while_file, is),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t repeat_fields[] = {
	CYAML_FIELD_MAPPING_PTR("while", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct repeat_file, when, while_fields),
	CYAML_FIELD_STRING_PTR("over", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct repeat_file, over, 1, NAME_MOST),
	CYAML_FIELD_UINT("at_most", CYAML_FLAG_DEFAULT, struct repeat_file, at_most),
	CYAML_FIELD_UINT("pause_ms", CYAML_FLAG_OPTIONAL, struct repeat_file, pause_ms),
	CYAML_FIELD_UINT("stop_after_silent", CYAML_FLAG_OPTIONAL, struct repeat_file, stop_after_silent),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t carry_fields[] = {
	CYAML_FIELD_STRING_PTR("hole", CYAML_FLAG_POINTER, struct carry_file, hole, 1, NAME_MOST),
	CYAML_FIELD_UINT("offset", CYAML_FLAG_DEFAULT, struct carry_file, offset),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t carry = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct carry_file, carry_fields) };

static const cyaml_schema_field_t reply_fields[] = {
	CYAML_FIELD_STRING_PTR("begins", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct reply_file, begins, 1, TEMPLATE_MOST),
	CYAML_FIELD_ENUM("ends", CYAML_FLAG_STRICT, struct reply_file, ends, ends, CYAML_ARRAY_LEN(ends)),
	CYAML_FIELD_UINT_PTR("offset", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct reply_file, offset),
	CYAML_FIELD_UINT("width", CYAML_FLAG_OPTIONAL, struct reply_file, width),
	CYAML_FIELD_ENUM("order", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct reply_file, order, orders,
			 CYAML_ARRAY_LEN(orders)),
	CYAML_FIELD_INT("add", CYAML_FLAG_OPTIONAL, struct reply_file, add),
	CYAML_FIELD_STRING_PTR("bytes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct reply_file, bytes, 1, NAME_MOST),
	CYAML_FIELD_UINT("idle_ms", CYAML_FLAG_OPTIONAL, struct reply_file, idle_ms),
	CYAML_FIELD_UINT("at_most", CYAML_FLAG_DEFAULT, struct reply_file, at_most),
	CYAML_FIELD_ENUM("otherwise", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct reply_file, otherwise, otherwises,
			 CYAML_ARRAY_LEN(otherwises)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t step_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct step_file, name, 1, NAME_MOST),
	CYAML_FIELD_STRING_PTR("says", CYAML_FLAG_POINTER, struct step_file, says, 1, SENTENCES_MOST),
	CYAML_FIELD_STRING_PTR("send", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct step_file, send, 1, TEMPLATE_MOST),
	CYAML_FIELD_BOOL("listen", CYAML_FLAG_OPTIONAL, struct step_file, listen),
	CYAML_FIELD_MAPPING_PTR("repeat", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct step_file, repeat, repeat_fields),
	CYAML_FIELD_SEQUENCE("carry", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct step_file, carry, &carry, 1,
			     STEP_CARRIES),
	CYAML_FIELD_MAPPING_PTR("reply", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct step_file, reply, reply_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t hole = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct hole_file, hole_fields) };
static const cyaml_schema_value_t step = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct step_file, step_fields) };

static const cyaml_schema_field_t rule_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct rule_file, name, 1, NAME_MOST),
	CYAML_FIELD_ENUM("transport", CYAML_FLAG_STRICT, struct rule_file, transport, transports, CYAML_ARRAY_LEN(transports)),
	CYAML_FIELD_SEQUENCE("ports", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct rule_file, ports, &port, 1, RULE_PORTS),
	CYAML_FIELD_UINT("ethertype", CYAML_FLAG_OPTIONAL, struct rule_file, ethertype),
	CYAML_FIELD_STRING_PTR("destination", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct rule_file, destination, 17, 17),
	CYAML_FIELD_ENUM("risk", CYAML_FLAG_STRICT, struct rule_file, risk, risks, CYAML_ARRAY_LEN(risks)),
	CYAML_FIELD_ENUM("reply_port", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct rule_file, reply_port, reply_ports,
			 CYAML_ARRAY_LEN(reply_ports)),
	CYAML_FIELD_STRING_PTR("why", CYAML_FLAG_POINTER, struct rule_file, why, 20, SENTENCES_MOST),
	CYAML_FIELD_STRING_PTR("notes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct rule_file, notes, 1, SENTENCES_MOST),
	CYAML_FIELD_SEQUENCE("must_have_seen", CYAML_FLAG_POINTER, struct rule_file, must_have_seen, &word, 1, RULE_SEEN),
	CYAML_FIELD_SEQUENCE("fills", CYAML_FLAG_POINTER, struct rule_file, fills, &word, 0, ATTRIBUTES),
	CYAML_FIELD_BOOL("sub_assets", CYAML_FLAG_OPTIONAL, struct rule_file, sub_assets),
	CYAML_FIELD_BOOL("session", CYAML_FLAG_OPTIONAL, struct rule_file, session),
	CYAML_FIELD_UINT("max_packets", CYAML_FLAG_DEFAULT, struct rule_file, max_packets),
	CYAML_FIELD_UINT("max_bytes", CYAML_FLAG_DEFAULT, struct rule_file, max_bytes),
	CYAML_FIELD_UINT("timeout_ms", CYAML_FLAG_DEFAULT, struct rule_file, timeout_ms),
	CYAML_FIELD_SEQUENCE("holes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct rule_file, holes, &hole, 1, RULE_HOLES),
	CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER, struct rule_file, steps, &step, 1, RULE_STEPS),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t rule = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file, rule_fields) };

static const cyaml_schema_field_t probe_fields[] = {
	CYAML_FIELD_STRING_PTR("protocol", CYAML_FLAG_POINTER, struct probe_file, protocol, 1, FINDING_PROTOCOL_BYTES - 1),
	CYAML_FIELD_STRING_PTR("sources", CYAML_FLAG_POINTER, struct probe_file, sources, 1, SENTENCES_MOST),
	CYAML_FIELD_SEQUENCE("rules", CYAML_FLAG_POINTER, struct probe_file, rules, &rule, 1, FILE_RULES),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t probe_file_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct probe_file, probe_fields) };
