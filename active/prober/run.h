/* One run: what a judged plan says, carried out step by step, with our manners on every path. */
#ifndef ACTIVE_PROBER_RUN_H
#define ACTIVE_PROBER_RUN_H

#include "active/prober/judge.h"

/* Carries it out and tells how it went: refused after all, or planned and ended. Takes the hub's word meanwhile. */
void run_order(struct prober *p, const struct order *o, const struct plan *plan);

#endif
