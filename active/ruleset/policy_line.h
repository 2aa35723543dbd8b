/* Lines of the whitelist and of the exclusions: what they say of a rule and a target. */
#ifndef ACTIVE_RULESET_POLICY_LINE_H
#define ACTIVE_RULESET_POLICY_LINE_H

#include "active/ruleset/policy.h"
#include "active/ruleset/policy_file.h"
#include "active/ruleset/yaml_line.h"

enum line_fit {
	FIT_ALL,
	FIT_NOT_RULE, /* the line is about other rules */
	FIT_NOT_ZONE,
	FIT_NOT_NETWORK,
	FIT_NOT_MAC,
	FIT_NOT_MAKER,
	FIT_NOT_CLASS,
	FIT_NOT_PORT,
};

/* The first condition that does not fit. */
enum line_fit line_fits(const struct line_file *line, const struct rule *rule, const struct policy_target *target);

/* "class", "zone" ...; of FIT_ALL and FIT_NOT_RULE "". */
const char *line_fit_name(enum line_fit fit);

/* An IPv4 address written as ::ffff:a.b.c.d as that IPv4 address, so that no line is passed by under another name. */
struct endpoint plain_endpoint(const struct endpoint *who);

/* Tells every mistake in the i-th line of list `key` of that file. */
void line_check(const struct yaml_file *file, const char *key, size_t i, const struct line_file *line,
		const struct ruleset *set, struct mistakes *m);

#endif
