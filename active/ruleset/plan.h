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
 * seen and order, in the rule's order; swept ones as "unit=1,2,5", bytes as
 * hex, text with %20 for a blank as in a URI. One text for each plan. False when it does not fit.
 */
bool plan_parameters(const struct plan *plan, char *out, size_t room);

/* Reads such a text against the rule: every hole exactly once, in order, in its range. False with a sentence in why. */
bool plan_read(struct plan *plan, const struct rule *rule, const char *parameters, char why[PLAN_WHY_BYTES]);

/* A value heard on the wire, or stated by an analyst, for a hole of that name: decimal, 0x-hex, text, or of bytes their hex. */
struct plan_value {
	const char *hole;
	const char *text;
};

/* What is known of the target when a plan is made. */
struct plan_facts {
	const struct endpoint *who;
	uint16_t port;
	int64_t now_s;                   /* since 1970 */
	size_t values_count;
	const struct plan_value *values; /* those preferred first; of a swept hole all that are to be asked */
};

/*
 * A plan for that target: stated or heard values where there are some, else the rule's own, fresh numbers by
 * chance. A sweep without any takes the rule's bound from its default on. False with a sentence in why,
 * when a value that must have been heard was not, or a value does not fit.
 */
bool plan_make(struct plan *plan, const struct rule *rule, const struct plan_facts *facts, char why[PLAN_WHY_BYTES]);

/* True when all that the plan writes into messages as the target's address and port is that address and port. */
bool plan_names_target(const struct plan *plan, const struct endpoint *who, uint16_t port);

enum {
	PLAN_CHECKSUM = 0xff,                                      /* in `open`: a checksum over something open */
	PLAN_TEXT_BYTES = 2 * RULE_MESSAGE_BYTES + PARTS * 80 + 1, /* of a message with its open holes' names */
};

/* One message that may be sent. */
struct plan_message {
	size_t step;
	uint16_t round;  /* of the step, from 0 */
	bool perhaps;    /* a reply decides whether it is sent */
	size_t len;
	uint8_t bytes[RULE_MESSAGE_BYTES];
	uint8_t open[RULE_MESSAGE_BYTES]; /* 0: the byte is as in `bytes`; else 1 + the index of its hole, or PLAN_CHECKSUM */
};

/* Calls `see` with every message in order; ends early, false, when it says false. False also when one can't be rendered. */
typedef bool plan_see(void *context, const struct plan *plan, const struct plan_message *m);
bool plan_messages(const struct plan *plan, plan_see *see, void *context);

/* "000200000005ff2b0e02{object}": hex, with the names of open holes instead of their bytes, {=checksum} of open checksums. */
void plan_message_text(const struct plan *plan, const struct plan_message *m, char out[PLAN_TEXT_BYTES]);

/*
 * SHA-256 over all that may be sent, in order: the line "askance plan 1 RULE", then for each message the
 * line "STEP.ROUND TEXT", from 1.1, with plan_message_text(). Holes carried from a reply, and counters whose
 * value the number of replies decides, stand there by name.
 */
bool plan_digest(const struct plan *plan, uint8_t out[APPROVAL_HASH_BYTES]);

#endif
