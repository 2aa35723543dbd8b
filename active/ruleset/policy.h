/*
 * The plant's own word on probing: what may be proposed, where never, when, and how much.
 *
 * Read from DIR/policy/{whitelist,exclusions,windows,budgets,analysts}.yaml and checked wholly.
 */
#ifndef ACTIVE_RULESET_POLICY_H
#define ACTIVE_RULESET_POLICY_H

#include "active/ruleset/ruleset.h"

enum { POLICY_WHY_BYTES = 320 };

struct policy;

/* Whom a rule would ask. Unknown texts are NULL or "". */
struct policy_target {
	const struct endpoint *who;
	const char *zone;
	const char *device_class; /* "plc", "io", "safety" ...; as rules/devices names it */
	const char *maker;        /* of the MAC, as the registry writes it */
	uint16_t port;            /* 0 for a layer-2 protocol */
};

struct policy_verdict {
	bool allowed;       /* may be proposed */
	bool automatic;     /* ... and asked without a signature */
	uint8_t signatures; /* needed otherwise, 1 or 2 */
	char why[POLICY_WHY_BYTES]; /* a sentence, with the file and line that decides */
};

/* Like ruleset_load(): NULL after any mistake, each told. Rules named by the whitelist must be in `set`. */
struct policy *policy_load(const char *dir, const struct ruleset *set, ruleset_complain *complain, void *context);
void policy_free(struct policy *policy);

/* Exclusions first, then the whitelist; without a line that allows it, it is forbidden. Looks at no clock. */
struct policy_verdict policy_verdict(const struct policy *policy, const struct rule *rule,
				     const struct policy_target *target);

/* The classes of devices that a line can name: those of rules/devices, `safety` and `unknown`; NULL past the end. */
const char *policy_class(size_t i);

#endif
