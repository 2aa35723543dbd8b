/* What the prober holds. Everything here was opened before its walls stood. */
#ifndef ACTIVE_PROBER_STATE_H
#define ACTIVE_PROBER_STATE_H

#include "active/prober/audit.h"
#include "active/prober/hold.h"
#include "active/prober/ledger.h"
#include "active/prober/line.h"
#include "active/prober/route.h"
#include "active/prober/tell.h"
#include "active/prober/word.h"
#include "active/ruleset/policy.h"
#include "sensor/common/config.h"

struct prober {
	struct prober_config config;
	struct endpoint own;        /* where probes come from */
	struct word word;
	struct ruleset *rules;
	struct policy *policy;
	struct audit audit;
	struct ledger ledger;
	struct hold hold;
	struct route route;
	struct ethernet ethernet;
	struct tell tell;
	uint16_t next_port;
	enum refusal broken;        /* why nothing can be asked at all; REFUSED_NOT when it can */
	char why_broken[OUTCOME_WHY_BYTES];
	int64_t refusals_since_ms;  /* and how many were written to the audit in that minute */
	unsigned refusals, refusals_unwritten;
	bool outcome_failed;        /* the hub's pipe takes no more */
};

/* Tells the hub and the audit that an order is not carried out. */
void prober_refuse(struct prober *p, const struct order *o, enum refusal refusal, const char *why);
void prober_tell(struct prober *p, const struct outcome *out);

#endif
