/*
 * Does a reply begin as its rule says, and where does it end? Nothing more is ever asked of a reply
 * here: what it means is read by the engine.
 */
#ifndef ACTIVE_PROBER_MATCH_H
#define ACTIVE_PROBER_MATCH_H

#include "active/ruleset/script.h"

enum match { MATCH_NO, MATCH_MORE, MATCH_YES };

/* Holds the bytes against the beginning; MATCH_MORE when they fit as far as they go. */
enum match match_begins(const struct rule *rule, const struct template *begins, const struct filling *fillings,
			const uint8_t *bytes, size_t len);

enum reach {
	REACH_MORE,    /* it goes on */
	REACH_WHOLE,   /* it ends at *end */
	REACH_BROKEN,  /* its length can't be, or is more than the rule takes */
	REACH_OPEN,    /* only time or the device's closing tell */
};

/* Where the reply at the start of these bytes ends. */
enum reach match_end(const struct reply *reply, const uint8_t *bytes, size_t len, size_t *end);

/* The number that a reply carries into a hole; false when it is not there. */
bool match_carry(const struct hole *hole, const struct carry *carry, const uint8_t *bytes, size_t len, struct filling *out);

#endif
