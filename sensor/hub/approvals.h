/*
 * Analysts' commands, from the stream askance:{S}:cmd. Each entry has one field `body`, a JSON object:
 *
 *   {"command": "approve", "id": ID, "analyst": NAME, "not_before": S, "not_after": S, "uses": N, "signature": BASE64}
 *   {"command": "deny" | "revoke", "id": ID, "why": TEXT, "time_ms": MS, "analyst": NAME, "signature": BASE64}
 *   {"command": "resume" | "release", ...}  release: "asset": ID
 *   {"command": "set", "asset": ID, "attribute": NAME, "of": PATH, "value": TEXT, ...}
 *   {"command": "merge" | "split", "asset": ID, "value": ID | ADDRESS, ...}
 *   {"command": "accept" | "ignore", "asset": ID, ...}  {"command": "undo", "fact": NUMBER, ...}
 *   {"command": "stop"}                     alone, or signed like the others
 *
 * Redis is believed nothing: who may, the signature says. A stop alone needs none: it harms nobody,
 * and nobody should look for a key first. How far the stream was read is stored with what it caused.
 */
#ifndef SENSOR_HUB_APPROVALS_H
#define SENSOR_HUB_APPROVALS_H

#include "sensor/hub/proposal.h"

#include <uv.h>

/* What commands do beside changing proposals and facts; all NULL where nothing is ever asked. May be called within a transaction: they only take note. */
struct approvals_ears {
	void (*stop)(void);
	void (*resume)(void);
	void (*abort_run)(uint64_t run);
	/* 0, or -1 with a sentence in why[PROPOSAL_REASON_BYTES]. NULL: there is no watch. */
	int (*release)(const char *asset, const char *analyst, char *why);
};

/* Before publisher_start(). */
int approvals_start(uv_loop_t *loop, struct proposals *p, struct analyst_facts *facts, const char *sensor, const struct approvals_ears *ears);
void approvals_stop(void);

/* For tests: one entry as it came. */
void approvals_take(const char *body, size_t len);

#endif
