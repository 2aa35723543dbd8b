/* What `askance explain` shows of a rule and of an asset. Inside sensor/ctl. */
#ifndef SENSOR_CTL_EXPLAIN_H
#define SENSOR_CTL_EXPLAIN_H

#include "active/ruleset/policy.h"

#include <jansson.h>
#include <stdio.h>

/* Whom the rule would ask: fills the holes that come by target. Both may be empty. */
struct explain_target {
	char host[64]; /* as text; IPv6 in brackets */
	char port[8];
};

/* Every byte that a rule could send, step by step, with its bounds and reasons. policy may be NULL: nothing is said of it. */
void explain_rule(const struct rule *rule, const struct policy *policy, const struct explain_target *target, FILE *to);

/* The steps of a rule alone: bytes, reading, reply. `indent` blanks before each line. */
void explain_steps(const struct rule *rule, const struct explain_target *target, int indent, FILE *to);

/* The gaps of an asset's document, each with the rule, its bytes and cost, or why none may. */
void explain_asset(const json_t *document, const struct ruleset *rules, FILE *to);

/* Text folded at 78 columns, each line after `indent` blanks. */
void explain_fold(const char *text, int indent, FILE *to);

#endif
