/* The rules and the policy, for the verbs that show or check them. */
#ifndef SENSOR_CTL_RULES_LOAD_H
#define SENSOR_CTL_RULES_LOAD_H

#include "active/ruleset/policy.h"
#include "sensor/ctl/verb.h"

#include <stdbool.h>

struct rules_load {
	const char *verb;       /* for messages */
	char dir[512];          /* where they are; empty: looked for */
	struct ruleset *rules;
	struct policy *policy;
	unsigned int mistakes;
};

/* --rules, for OPTION_GROUP. */
extern const struct verb_option rules_load_options[];

/* Finds the folder. False after a message when there is none. */
bool rules_load_find(struct rules_load *l);

/* Loads rules, and the policy when asked for. False after every mistake was told on stderr. */
bool rules_load_open(struct rules_load *l, bool with_policy);
void rules_load_close(struct rules_load *l);

/* "askance VERB: FILE:LINE: WHAT" on stderr, counted; a ruleset_complain with a struct rules_load as its context. */
ruleset_complain rules_load_complain;

#endif
