/* What making a plan and reading one have in common. Inside active/ruleset only. */
#ifndef ACTIVE_RULESET_PLAN_PARTS_H
#define ACTIVE_RULESET_PLAN_PARTS_H

#include "active/ruleset/plan.h"

/* Writes the sentence; always false. */
bool plan_refuse(char why[PLAN_WHY_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True when an order states the values that the rule repeats itself for in that hole. */
bool plan_sweeps(const struct rule *rule, const struct hole *h);
/* One more value to sweep; false when it is out of range, there already, or one too many. */
bool plan_sweep_add(struct plan *plan, const struct hole *h, uint64_t number);

/* Decimal or 0x-hex, wholly. */
bool plan_read_number(const char *text, size_t n, uint64_t *number);
/* A value as parameters write it; false when it is not in the hole's range. */
bool plan_read_value(const struct hole *h, const char *text, size_t n, struct filling *f);
bool plan_fits_text(const struct hole *h, const struct filling *f);

/* True when every message can be rendered. */
bool plan_renders(const struct plan *plan);

#endif
