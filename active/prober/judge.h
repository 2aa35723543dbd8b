/* May this order be carried out? Everything is verified here once more, whatever the hub may have verified. */
#ifndef ACTIVE_PROBER_JUDGE_H
#define ACTIVE_PROBER_JUDGE_H

#include "active/prober/state.h"
#include "active/ruleset/plan.h"

/* REFUSED_NOT and the plan to carry out; else the reason, and a sentence in why. Sends nothing. */
enum refusal judge_order(struct prober *p, const struct order *o, int64_t now_ns, struct plan *plan, char why[OUTCOME_WHY_BYTES]);

/* The part of it that looks at an address alone: false with a sentence for whom nobody may ask. */
bool judge_address(const struct endpoint *who, const struct endpoint *own, bool loopback, char why[OUTCOME_WHY_BYTES]);

#endif
