/* A run under way, for the files that carry it out: run.c begins and ends it, steps.c asks, reply.c waits. */
#ifndef ACTIVE_PROBER_RUN_STATE_H
#define ACTIVE_PROBER_RUN_STATE_H

#include "active/prober/run.h"

enum { RUN_INPUT_BYTES = 65536 + 4096 };

struct run {
	struct prober *p;
	const struct order *o;
	const struct approval *a;
	const struct plan *plan;
	const struct rule *rule;
	struct line line;
	struct filling fillings[RULE_HOLES];
	const struct step *asked; /* whose message was the last */
	bool aborted;
	bool dead;               /* the connection is closed by the device or broken */
	bool expected;           /* something was asked that a reply was expected to */
	uint8_t in[RUN_INPUT_BYTES]; /* what came and was not taken yet */
	size_t have;
	uint8_t last[RUN_INPUT_BYTES]; /* the last reply that was taken */
	size_t last_len;
	uint32_t replies, reply_bytes;
	char why[OUTCOME_WHY_BYTES];
};

enum wait { WAIT_READY, WAIT_LATE, WAIT_ABORTED };

/* run.c: waits for the line to be ready for `events` (0: for nothing but the time). Aborts are obeyed when it may be aborted. */
enum wait run_wait(struct run *r, short events, int64_t until_ms, bool abortable);
/* True when the run must send nothing more; takes the hub's messages first. */
bool run_must_end(struct run *r);

/* neighbour.c: before anything is sent, whether the approved device alone answers for its address. PROBE_COMPLETE, or how the run ends. */
enum probe_end run_find_neighbour(struct run *r);
/* What the kernel has found since; false when that is another device. */
bool run_right_neighbour(struct run *r);

enum answer {
	ANSWER_GOOD,    /* r->last is one with the right beginning */
	ANSWER_OTHER,   /* ... with another one, or none that can be told from what follows */
	ANSWER_SILENCE,
	ANSWER_CLOSED,
	ANSWER_FAILED,  /* reset, unreachable */
	ANSWER_ABORTED,
};

/* reply.c: the answer to a step, within the rule's time. */
enum answer reply_await(struct run *r, const struct step *step);
/* Takes what came into r->in without waiting, into audit and ring. */
enum line_got reply_take(struct run *r);
/* Forgets what came before something was asked. */
void reply_forget(struct run *r);

/* steps.c: all of them. How the run ended. */
enum probe_end steps_run(struct run *r);

#endif
