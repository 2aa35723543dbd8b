/* Whether an approved proposal may be asked now. */
#ifndef SENSOR_HUB_DISPATCH_JUDGE_H
#define SENSOR_HUB_DISPATCH_JUDGE_H

#include "sensor/hub/dispatch.h"

/* Whom the approval is for, as the watch knows targets. */
struct watch_target dispatch_watched(const struct approval *a);

/*
 * False with the reason why it waits: no policy that lets it, not there, another run under way, too early, no budget, or
 * the watch's word. `rule` is that of the proposal, NULL when it has changed.
 */
bool dispatch_may_start(const struct dispatch_setup *setup, bool stopped, const struct proposal *x, const struct rule *rule, int64_t at_ns,
			char why[PROPOSAL_REASON_BYTES]);

#endif
