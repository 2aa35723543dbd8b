/*
 * What the hub says to the prober and what it hears of it, over two pipes. Each message is smaller than
 * PIPE_BUF and so arrives whole or not at all; one of another size or with a field out of range
 * ends its receiver.
 */
#ifndef ACTIVE_GUARD_ORDER_H
#define ACTIVE_GUARD_ORDER_H

#include "active/guard/approval.h"

enum order_type {
	ORDER_ALIVE = 1, /* the hub lives and hears; without one for ORDER_SILENCE_MS the prober finishes politely and stops */
	ORDER_PROBE,     /* carry out the approval */
	ORDER_ABORT,     /* finish the run of this id politely, now */
	ORDER_STOP,      /* the kill switch: end all, refuse all until ORDER_RESUME */
	ORDER_RESUME,
	ORDER_TYPES
};

enum {
	ORDER_SILENCE_MS = 3000,
	ORDER_HEARD_S = 300, /* the target must have been heard passively within this time */
	OUTCOME_WHY_BYTES = 200,
};

struct order {
	uint64_t id;          /* of the run, never used twice; 0 in ORDER_ALIVE, ORDER_STOP and ORDER_RESUME */
	uint32_t type;        /* enum order_type */
	uint32_t reserved;
	int64_t heard_s;      /* ORDER_PROBE: when the target had last sent from its MAC and from its address in this VLAN, whatever others say of it */
	uint8_t conflict;     /* ... 1: another MAC claims its address */
	uint8_t seen;         /* ... 1: a protocol that the rule asks for was heard there by structure, as a server */
	uint8_t loss;         /* ORDER_ALIVE: 1 while the sensor loses more frames than it may, so that the watch is blind */
	uint8_t zeros[5];
	struct approval approval; /* ORDER_PROBE; else zeros */
};

enum outcome_type {
	OUTCOME_REFUSED = 1, /* nothing was sent */
	OUTCOME_PLANNED,     /* audited durably; the first frame follows */
	OUTCOME_ENDED,       /* the run is over, as `end` says */
	OUTCOME_STATE,       /* the prober stopped or may go on; order 0 */
	OUTCOME_TYPES
};

enum refusal {
	REFUSED_NOT, REFUSED_PROBING_OFF, REFUSED_STOPPED, REFUSED_HUB_SILENT, REFUSED_NO_RULE, REFUSED_RULE_CHANGED,
	REFUSED_PARAMETERS, REFUSED_BYTES, REFUSED_GUARD, REFUSED_SIGNATURE, REFUSED_SIGNERS, REFUSED_USED, REFUSED_TIME,
	REFUSED_WINDOW, REFUSED_POLICY, REFUSED_TARGET, REFUSED_NOT_HEARD, REFUSED_CONFLICT, REFUSED_NOT_SEEN, REFUSED_BUDGET,
	REFUSED_COOL_DOWN, REFUSED_BUSY, REFUSED_FAILURES, REFUSED_AUDIT, REFUSED_CLOCK, REFUSED_SOCKET, REFUSED_LOSS, REFUSALS
};

enum probe_end {
	PROBE_COMPLETE,    /* every step was answered, or its silence was allowed for */
	PROBE_SILENT,      /* no reply in time */
	PROBE_NO_CONNECTION,
	PROBE_UNEXPECTED,  /* a reply with another beginning */
	PROBE_CLOSED,      /* the device closed first */
	PROBE_ABORTED,     /* by the watch, the kill switch or the silence of the hub */
	PROBE_ENDS
};

struct outcome {
	uint64_t order;
	uint32_t type;        /* enum outcome_type */
	uint32_t refusal;     /* enum refusal, of OUTCOME_REFUSED */
	uint32_t end;         /* enum probe_end, of OUTCOME_ENDED */
	uint32_t stopped;     /* OUTCOME_STATE: 1 while the prober sends nothing */
	uint32_t packets, bytes;         /* towards the target, of OUTCOME_ENDED: all frames of it, payload bytes */
	uint32_t replies, reply_bytes;
	int64_t started_ns, ended_ns;    /* since 1970 */
	uint64_t audit;                  /* number of the audit record that covers it */
	char why[OUTCOME_WHY_BYTES];     /* clean text */
};

/* The words of the audit and of events: "budget", "no-connection"; "unknown" for what is out of range. */
const char *refusal_name(enum refusal r);
const char *probe_end_name(enum probe_end e);

#endif
