/*
 * The plant's own word on probing: what may be proposed, where never, when, and how much.
 *
 * Read from DIR/policy/{whitelist,exclusions,windows,budgets,analysts}.yaml and checked wholly.
 */
#ifndef ACTIVE_RULESET_POLICY_H
#define ACTIVE_RULESET_POLICY_H

#include "active/ruleset/ruleset.h"

enum { POLICY_WHY_BYTES = 320, POLICY_KEY_BYTES = 32 };

struct policy;
struct approval; /* active/guard/approval.h */

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

/* Whether probes may run in a zone at that moment. */
struct policy_window {
	bool open;
	char why[POLICY_WHY_BYTES]; /* a sentence with the window's line */
};
struct policy_window policy_window(const struct policy *policy, const char *zone, int64_t at_s);
/* When that changes, since 1970, to the minute; 0 when not within 15 days. Slower: looks at every minute until then. */
int64_t policy_window_changes(const struct policy *policy, const char *zone, int64_t at_s);

/* What may be sent at most, everything towards targets counted. */
struct policy_budget {
	uint32_t packets_a_minute, bytes_a_minute, connections_a_minute;
	uint32_t packets_a_day, bytes_a_day, connections_a_day;
};

struct policy_budgets {
	struct policy_budget target, zone, sensor;
	uint32_t cool_down_s;      /* between two runs against one target */
	uint32_t repeat_days;      /* before the same rule may ask the same target again */
	uint32_t targets_at_once;  /* in one zone; the prober asks one at a time all the same */
	uint32_t failures_to_stop; /* failed runs of a rule before it rests */
};
const struct policy_budgets *policy_budgets(const struct policy *policy);

/* The analyst's public key; false when there is none of that name. */
bool policy_analyst(const struct policy *policy, const char *name, uint8_t key[POLICY_KEY_BYTES]);
/* NULL when it is nobody's. The name lives as long as the policy. */
const char *policy_analyst_of_key(const struct policy *policy, const uint8_t key[POLICY_KEY_BYTES]);
bool policy_analyst_may(const struct policy *policy, const char *name, enum risk risk, const char *zone);

/*
 * True when the approval is valid, every signature in it fits and is of an analyst who may approve that
 * rule's risk in its zone, no two are of one signer, and there are at least `needed`. Else a sentence in why.
 * Says nothing of time, target, bytes or uses.
 */
bool policy_signed(const struct policy *policy, const struct rule *rule, const struct approval *a, uint8_t needed,
		   char why[POLICY_WHY_BYTES]);

/* The classes of devices that a line can name: those of rules/devices, `safety` and `unknown`; NULL past the end. */
const char *policy_class(size_t i);

#endif
