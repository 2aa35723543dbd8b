/*
 * Proposals: one gap, one rule, one target, the exact bytes, their hash, an expiry; and what became of
 * each. An approval is a proposal with the signatures that it needs.
 *
 *   open --signatures--> approved --order--> running --outcome--> approved (uses left) or spent
 *     |                     |
 *     +---------------------+--> denied, revoked, expired, superseded (the gap closed, or its plan is another now)
 *
 * A gap keeps its proposal for as long as nothing of it changes. Those alive are in memory; all are in the store's
 * table `proposal`, and what was asked of whom is in its table `run`. A change reaches memory only when
 * it is on disk, with the event that tells it.
 */
#ifndef SENSOR_HUB_PROPOSAL_H
#define SENSOR_HUB_PROPOSAL_H

#include "active/guard/approval.h"
#include "active/guard/order.h"
#include "active/ruleset/plan.h"
#include "sensor/hub/analyst_facts.h"
#include "sensor/hub/document.h"
#include "sensor/hub/store.h"

enum proposal_status {
	PROPOSAL_OPEN,
	PROPOSAL_APPROVED,
	PROPOSAL_RUNNING,
	PROPOSAL_SPENT, /* from here on nothing happens to it any more */
	PROPOSAL_DENIED,
	PROPOSAL_REVOKED,
	PROPOSAL_EXPIRED,
	PROPOSAL_SUPERSEDED,
	PROPOSAL_STATUSES
};

enum {
	PROPOSALS_MOST = 4096,         /* alive at once; gaps beyond wait for their turn */
	PROPOSAL_LIFE_S = 7 * 86400,   /* of an open one */
	PROPOSAL_KEEP_S = 7 * 86400,   /* of one that is over */
	PROPOSAL_REFUSED_S = 90 * 86400, /* how long an analyst's no holds for the same gap and rule */
	PROPOSAL_AUTOMATIC_S = 86400,  /* how long one that needs no signature may wait for its window */
	PROPOSAL_REASON_BYTES = 320,
};

/* A rule that asks the same service and was not chosen, and why. */
struct proposal_other {
	char rule[APPROVAL_RULE_BYTES];
	uint8_t risk;
	uint32_t packets, bytes; /* that it would send at most */
	char why[GAP_OTHER_WHY_BYTES];
};

struct proposal {
	struct approval a;     /* not_before, not_after and uses come with the first signature; 0 before */
	uint8_t status;        /* enum proposal_status */
	uint8_t needed;        /* signatures */
	uint8_t used;          /* runs that sent something */
	uint8_t kind;          /* enum gap_kind */
	uint8_t lacks_count, lacks[GAP_LACKS];
	bool automatic;
	bool unsaved;          /* waits with its event for the batch that made it */
	char asset[ASSET_ID_BYTES];
	char subject[GAP_SUBJECT_BYTES];
	char why[GAP_WHY_BYTES];            /* the policy's word when it was made */
	char reason[PROPOSAL_REASON_BYTES]; /* why it is over, or waits */
	/* Made anew whenever the asset is looked at, as it is when the hub starts; not in the store. */
	uint8_t others;
	struct proposal_other other[GAP_OTHERS];
	int64_t made_s, expires_s, changed_s;
	uint64_t order;        /* number of the run that is under way, 0 for none */
};

struct watch;

struct proposals {
	struct store *store;
	const struct knowledge *knowledge;
	const struct picture *picture;
	uint8_t mode;             /* enum probing_mode */
	struct proposal **items;  /* alive, or unsaved; in no order */
	size_t count, room;
	struct document document; /* at work on */
	struct json line;
	struct proposal_sql *sql;
	struct watch *watch;      /* documents show what it knows of the target; NULL: they don't */
	size_t fresh_at;          /* whose document is made anew next, for the watch's sake */
	int64_t fresh_s;          /* when some were */
};

/* Reads those that are alive. 0, or -1 after log_error(). The pieces stay the caller's. */
int proposals_open(struct proposals *p, struct store *s, const struct knowledge *k, const struct picture *picture, uint8_t mode);
void proposals_close(struct proposals *p);

/* One that is alive, by its id; NULL when there is none. */
struct proposal *proposals_find(const struct proposals *p, const char *id);
/* The one whose run has that number; it may be over by now. */
struct proposal *proposals_find_run(const struct proposals *p, uint64_t run);
/*
 * The same for a run that was given up, or whose proposal is no longer kept: from the store, if that has not been told of the
 * run's end. NULL when it knows nothing of it.
 */
struct proposal *proposals_recall(struct proposals *p, uint64_t run);
/* Alive, and its rule is still as it was when the proposal was made; NULL when it isn't. */
const struct rule *proposal_rule(const struct proposals *p, const struct proposal *x);
bool proposal_is_over(const struct proposal *x);

/*
 * Holds the proposals of an asset against its gaps: makes new ones, supersedes those whose gap closed or whose plan is
 * another now. `tell` gets each that changed, with the event in p->document; it is stored by proposals_save(). With
 * tell NULL nothing is changed. True when anything was, or would be.
 */
typedef void proposals_tell(void *context, const struct proposal *x);
bool proposals_review(struct proposals *p, const struct subject *s, int64_t now_s, proposals_tell *tell, void *context);

/* In the batch's transaction: 0 or -1; and after its commit, unless nothing was to be saved. */
bool proposals_unsaved(const struct proposals *p);
int proposals_save(struct proposals *p);
void proposals_saved(struct proposals *p);

/* What happened, as events name it. */
enum proposal_event {
	TOLD_PROPOSED, TOLD_EXPIRED, TOLD_SUPERSEDED, TOLD_SIGNED, TOLD_DENIED, TOLD_REVOKED, TOLD_REFUSED, TOLD_STOPPED, TOLD_RESUMED,
	TOLD_RELEASED, TOLD_STATED, TOLD_PLANNED, TOLD_PROBE_REFUSED, TOLD_ENDED, TOLD_STATE, TOLD_KINDS
};

/* What an event says beside the proposal; zero for nothing. Texts must be clean. */
struct proposal_note {
	const char *analyst, *command, *reason;
	const char *named;               /* what a refused command named */
	const struct fact_step *fact;    /* TOLD_STATED */
	uint64_t count;                  /* of refused commands that this event stands for */
	const struct outcome *outcome;
};

/*
 * In a transaction of its own: the proposal becomes `to` (both may be NULL), and the event is appended. `more` adds to the
 * transaction and may be NULL. 0 when all is on disk, and *x is as *to then; -1 leaves everything as it was.
 */
int proposals_change(struct proposals *p, struct proposal *x, const struct proposal *to, enum proposal_event event,
		     const struct proposal_note *note, int (*more)(struct store *s, void *context), void *context);

/*
 * Once a second: expires, supersedes where rules changed, forgets what was over long ago, and shows in some documents how
 * their targets are now. True when something was told.
 */
bool proposals_tick(struct proposals *p, int64_t now_s);

const char *proposal_status_name(enum proposal_status s);

/* For the parts of this module. */
void proposal_document(struct proposals *p, const struct proposal *x, enum proposal_event event, const struct proposal_note *note,
		       int64_t now_ns);
size_t proposal_heard(const struct subject *s, const struct gap *g, struct plan_value *values, size_t room);
void proposal_heard_free(struct plan_value *values, size_t count);

/* The store's side. */
struct proposal_sql *proposal_sql_open(struct store *s);
void proposal_sql_close(struct proposal_sql *q);
int proposal_sql_load(struct proposal_sql *q, struct proposals *p);
int proposal_sql_put(struct proposal_sql *q, const struct proposal *x, const char *body, size_t len);
int proposal_sql_forget(struct proposal_sql *q, int64_t before_s);
/* True when an analyst has denied or revoked the like since. */
bool proposal_sql_refused(struct proposal_sql *q, const struct proposal *x, int64_t since_s);

/* Runs: what was, or may have been, sent. */
struct run_sum {
	int64_t packets, bytes, connections;
};
enum run_scope { RUNS_TARGET, RUNS_ZONE, RUNS_SENSOR };
/* The number of the next run; 0 when the store fails. */
uint64_t runs_next(struct proposal_sql *q);
int runs_begin(struct proposal_sql *q, uint64_t number, const struct proposal *x, const struct rule *rule, int64_t now_s);
/* The prober is about to send; true from then on. */
int runs_plan(struct proposal_sql *q, uint64_t number);
bool runs_planned(struct proposal_sql *q, uint64_t number);
/* What became of it; `sent` false takes it out of the budgets. */
int runs_end(struct proposal_sql *q, uint64_t number, bool sent, uint32_t packets, uint32_t bytes, int64_t now_s);
struct run_sum runs_since(struct proposal_sql *q, const struct proposal *x, enum run_scope scope, int64_t since_s);
/* When this rule last asked this target (and path), or when anything last did with rule NULL; 0 for never. */
int64_t runs_last(struct proposal_sql *q, const struct approval *a, const char *rule);

/* Who the run was against, as the table names it: VLANs, MAC, address. */
enum { RUN_TARGET_BYTES = 96 };
void run_target(const struct approval *a, char text[RUN_TARGET_BYTES]);

int64_t now_s(void);

#endif
