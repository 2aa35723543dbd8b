/* The proposals of a sensor as they stand in its Redis, and what this side makes of them itself. */
#ifndef SENSOR_CTL_PROPOSAL_LIST_H
#define SENSOR_CTL_PROPOSAL_LIST_H

#include "active/guard/approval.h"
#include "active/ruleset/plan.h"
#include "sensor/ctl/rules_load.h"
#include "sensor/ctl/sensor_link.h"

#include <jansson.h>
#include <stdio.h>

struct listed_proposal {
	json_t *document;
	const json_t *proposal; /* its "ot"."proposal" */
	char *body;             /* the line as it stands in Redis */
	const char *id;
};

struct proposal_list {
	struct listed_proposal *items;
	size_t count, room;
};

/* All of them, the oldest first. 0, or -1 after a message. */
int proposal_list_fetch(struct proposal_list *l, struct sensor_link *link);
void proposal_list_free(struct proposal_list *l);

/* The one whose id begins so. NULL after a message when there is none, or more than one. */
const struct listed_proposal *proposal_list_find(const struct proposal_list *l, const char *id, const char *verb);

/* Still waiting for signatures, for its time, or for its answer. */
bool proposal_is_alive(const struct listed_proposal *p);

/* What the text to sign is made of, from the document. False with a sentence in why when a field is missing or wrong. */
bool proposal_read(const struct listed_proposal *p, struct approval *a, char why[POLICY_WHY_BYTES]);

/*
 * Makes the plan anew from our own rules and holds it against what the proposal says and shows: rule, parameters,
 * digest, target, every byte, and the guard. False with a sentence in why: it must not be signed then.
 */
bool proposal_check(const struct listed_proposal *p, const struct approval *a, const struct rules_load *rules, struct plan *plan,
		    char why[POLICY_WHY_BYTES]);

/* Everything of one: target, why, what would be sent. Bytes come from our own rules; `plan` NULL: from the document, marked so. */
void proposal_show(const struct listed_proposal *p, const struct plan *plan, FILE *to);

/* "10.0.0.5:502", with the VLAN when there is one. */
void proposal_target(const struct listed_proposal *p, char *text, size_t room);

/* Analysts who have signed. */
size_t proposal_signatures(const struct listed_proposal *p);

#endif
