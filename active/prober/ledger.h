/*
 * The ledger: which approval was used how often, and what was sent to whom, so that no restart gives
 * a use or a budget back. STATE/audit/ledger, records of one size, on the disk before the first frame.
 *
 * A run is written when it begins, with the most it may send, and again when it ends, with what it
 * did send. One that never ended counts in full, and as failed.
 */
#ifndef ACTIVE_PROBER_LEDGER_H
#define ACTIVE_PROBER_LEDGER_H

#include "active/guard/approval.h"
#include "active/guard/chain.h"

enum ledger_state { LEDGER_BEGUN = 1, LEDGER_ENDED_WELL, LEDGER_ENDED_BADLY };

/* One run. Its size on disk is LEDGER_RECORD_BYTES; `seal` is over all before it. */
struct ledger_record {
	struct chain_mark mark;        /* the audit when this was written */
	uint64_t run;                  /* counts from 1 */
	int64_t time_s;                /* of its beginning */
	int64_t ended_s;               /* 0 while it runs */
	uint32_t state;                /* enum ledger_state */
	uint32_t packets, bytes;
	uint16_t vlan[2];
	struct endpoint target;
	char approval[APPROVAL_ID_BYTES];
	char rule[APPROVAL_RULE_BYTES];
	char path[FINDING_PATH_BYTES];
	uint8_t zeros[71];
	uint8_t seal[CHAIN_HASH_BYTES];
};
_Static_assert(sizeof(struct ledger_record) == LEDGER_RECORD_BYTES, "a record of the ledger has one size");

struct ledger {
	int fd;
	bool broken;
	struct ledger_record *runs; /* one for each run, as it last stood */
	size_t count, room;
};

/*
 * Opens or makes it and holds it against the audit: a ledger without its audit, or an audit that ends
 * before the ledger's last mark, has lost something. Records older than keep_s are left out. False
 * after log_error(); then nothing may be asked.
 */
bool ledger_open(struct ledger *l, const char *state_dir, const struct chain *audit, int64_t now_s, int64_t keep_s);
void ledger_close(struct ledger *l);

/* Writes that a run begins, durably. NULL when it could not be written: then it may not begin. Valid until the next begin. */
struct ledger_record *ledger_begin(struct ledger *l, const struct approval *a, const struct chain *audit, int64_t now_s,
				   uint32_t packets, uint32_t bytes);
/* Writes how it ended. */
bool ledger_end(struct ledger *l, struct ledger_record *r, const struct chain *audit, int64_t now_s, bool well,
		uint32_t packets, uint32_t bytes);

/* Runs of an approval. */
unsigned ledger_uses(const struct ledger *l, const char *approval);

struct ledger_sum {
	uint64_t packets, bytes, connections;
};
/* What was sent since that time: to one target, or in all when it is NULL. */
struct ledger_sum ledger_since(const struct ledger *l, const struct approval *target, int64_t since_s);

/* When a run against that target last ended or, still going on, began; 0 for never. */
int64_t ledger_last(const struct ledger *l, const struct approval *target);
/* When that rule last began to ask that target and path; 0 for never. */
int64_t ledger_last_asked(const struct ledger *l, const struct approval *a);
/* Runs of that rule, begun after since_s, that failed without one in between that went well. */
unsigned ledger_failures(const struct ledger *l, const char *rule, int64_t since_s);

#endif
