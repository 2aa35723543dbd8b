/*
 * What the picture should know of an asset and doesn't, each with the probe that would fill it at the
 * least risk, or the reason why none may.
 */
#ifndef SENSOR_HUB_GAPS_H
#define SENSOR_HUB_GAPS_H

#include "sensor/hub/knowledge.h"

enum gap_kind {
	GAP_IDENTITY,     /* a service known by structure, without what its protocol can tell */
	GAP_UNIDENTIFIED, /* a service seen but not identified */
	GAP_EXPECTED,     /* a device of this class has it, and it was never seen */
	GAP_SUBASSETS,    /* what stands behind the gateway was not counted */
	GAP_STALE,        /* what is known was last heard too long ago */
	GAP_KINDS
};

enum gap_verdict { VERDICT_NONE, VERDICT_FORBIDDEN, VERDICT_PROPOSED };

enum { GAP_SUBJECT_BYTES = 64, GAP_LACKS = 16, GAP_WHY_BYTES = 448, GAPS_OF_ASSET = 64, GAP_OTHERS = 6, GAP_OTHER_WHY_BYTES = 224 };

struct gap {
	uint8_t kind;
	uint8_t verdict;
	uint8_t lacks_count;
	uint8_t lacks[GAP_LACKS];         /* enum attribute, in order */
	uint8_t open_count;
	uint8_t open[GAP_LACKS];          /* of these, what the device did not leave unanswered before: the rule was chosen for them */
	char subject[GAP_SUBJECT_BYTES];  /* "tcp/102", "ethernet/profinet_dcp", "modbus" */
	const char *protocol;
	const struct rule *rule;          /* NULL when none can fill it */
	const struct node *target;        /* whom the rule would ask */
	uint16_t port;
	uint8_t transport;
	uint8_t signatures;               /* that a proposal needs */
	bool automatic;
	int64_t since_ns;
	char why[GAP_WHY_BYTES];
};

struct gaps {
	struct gap items[GAPS_OF_ASSET];
	size_t count;
	uint32_t lost;
};

/* An asset's gaps as they were last told: what asset->gaps points to. */
struct gap_told {
	uint8_t kind, verdict;
	char subject[GAP_SUBJECT_BYTES];
	uint64_t print; /* changes when what is told of it does */
	int64_t since_ns;
};

struct gap_list {
	size_t count;
	struct gap_told items[];
};

/* Finds all gaps of an asset, in a fixed order. `j` is knowledge_judge()'s. */
void gaps_find(struct gaps *g, const struct knowledge *k, const struct picture *p, const struct view *v,
	       const struct judgement *j);

/* A rule that asks the same service and was not chosen, and why: a sentence. */
struct gap_other {
	const struct rule *rule;
	char why[GAP_OTHER_WHY_BYTES];
};

/* Those of a gap that has a rule, in the order of the rules. How many. */
size_t gaps_others(const struct gap *g, const struct knowledge *k, const struct picture *p, const struct view *v, const struct judgement *j,
		   struct gap_other others[GAP_OTHERS]);

uint64_t gap_print(const struct gap *g);
const struct gap_told *gaps_told(const struct gap_list *list, enum gap_kind kind, const char *subject);
/* Keeps since_ns of those that stay and makes the list the asset's. Returns the list it had, for the caller to free. */
struct gap_list *gaps_remember(struct asset *a, struct gaps *g, int64_t now);
/* For keep.c: adds one to the asset's list. False when memory is short. */
bool gaps_restore(struct asset *a, const struct gap_told *told);
void gaps_free(struct gap_list *list);

const char *gap_kind_name(enum gap_kind k);
const char *gap_verdict_name(enum gap_verdict v);

#endif
