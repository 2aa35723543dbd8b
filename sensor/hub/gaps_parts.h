/* What gaps.c and gaps_rules.c share: the search for one asset's gaps, and the choice between rules. */
#ifndef SENSOR_HUB_GAPS_PARTS_H
#define SENSOR_HUB_GAPS_PARTS_H

#include "sensor/hub/gaps.h"

#include <string.h>

struct search {
	struct gaps *gaps;
	const struct knowledge *k;
	const struct picture *p;
	const struct view *v;
	const struct judgement *j;
	struct {
		const struct rule *rule; /* NULL: none */
		const struct node *node;
		uint16_t port;
		struct policy_verdict verdict;
	} chosen; /* what the policy said of the last choice of gap_choose_rule() */
};

static inline bool is_class(const char *class, const char *word)
{
	return class && strcmp(class, word) == 0;
}

/* How much of what the gap lacks the rule fills. */
unsigned gap_fills(const struct rule *r, const struct gap *g);

/* The policy's word on asking there, as the device is classed. */
struct policy_verdict gap_policy(const struct search *s, const struct rule *r, const struct node *node, uint16_t port);
/* The same for a gap's rule, which was judged already when it was chosen. */
struct policy_verdict gap_policy_chosen(const struct search *s, const struct gap *g);

/* Rules that ask this service, one at a time in the order of their names; *at is 0 for the first, NULL comes at the end. */
const struct rule *gap_next_rule(const struct search *s, const struct service_item *item, bool sub_assets, size_t *at);

/* True when r is to be preferred for what the gap lacks. `than` may be NULL. */
bool gap_better_rule(const struct rule *r, const struct rule *than, const struct gap *g);

/* The best rule for what is open that may ask, and when none may, the best of all, for the reason why not. NULL: none fills any of it. */
const struct rule *gap_choose_rule(struct search *s, const struct view_service *service, const struct gap *open);

#endif
