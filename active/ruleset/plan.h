/*
 * A plan: a rule with every hole filled that is filled before it runs. It says, byte for byte, what may
 * be sent; only holes carried from a reply stay open, and are shown by their names.
 */
#ifndef ACTIVE_RULESET_PLAN_H
#define ACTIVE_RULESET_PLAN_H

#include "active/guard/approval.h"
#include "active/ruleset/script.h"

enum { PLAN_WHY_BYTES = 200 };

struct plan {
	const struct rule *rule;
	struct filling fillings[RULE_HOLES]; /* of counters the first value; of swept holes the first of `swept` */
	uint8_t swept_count;                 /* values that the rule's `address` is repeated for; 0: it sweeps nothing */
	uint64_t swept[HOLE_VALUES];         /* each once, in the order they are asked */
};

/*
 * The parameters as text, "unit=3 transaction=17": each hole of source fresh, counter, clock, target,
 * seen and order, in the rule's order; swept ones as "unit=1,2,5". False when it does not fit.
 */
bool plan_parameters(const struct plan *plan, char *out, size_t room);

/* Reads such a text against the rule: every hole exactly once, in order, in its range. False with a sentence in why. */
bool plan_read(struct plan *plan, const struct rule *rule, const char *parameters, char why[PLAN_WHY_BYTES]);

/*
 * SHA-256 over all that may be sent, in order: each message of each step and round, with carried holes
 * and counters of rounds whose number the replies decide marked by name instead of a value.
 */
void plan_digest(const struct plan *plan, uint8_t out[APPROVAL_HASH_BYTES]);

#endif
