/*
 * What analysts state of devices: a value, that two are one, that an address stands alone, that a device
 * belongs here or is nobody's business. A fact stands beside what is heard and before it, is never
 * overwritten by it, and holds until an analyst takes it back.
 *
 * Facts hang on nodes (struct fact_item) and are kept in the store's table `fact`, those that hold no longer too.
 */
#ifndef SENSOR_HUB_ANALYST_FACTS_H
#define SENSOR_HUB_ANALYST_FACTS_H

#include "active/guard/command.h"
#include "sensor/hub/picture.h"
#include "sensor/hub/store.h"

enum { FACTS_MOST = 10000 }; /* that hold at once */

struct analyst_facts {
	struct store *store;
	struct picture *picture;
	sqlite3_stmt *put, *end;
	int64_t next;   /* number of the next */
	uint32_t count; /* that hold */
};

/* What a command comes to: checked, and not done yet. */
struct fact_step {
	const struct command *command;
	struct node *node;   /* that the fact is said of, or the one of the fact that ends */
	struct node *other;
	int64_t number;      /* of the new fact; 0 when it only ends one */
	int64_t ends;        /* number of the fact that it replaces or takes back; 0 for none */
	const char *previous; /* what was the best value before; NULL for none */
	char asset[ASSET_ID_BYTES];
};

/* Reads all facts and puts them into a picture that was loaded. 0, or -1 after log_error(). Pieces stay the caller's. */
int analyst_facts_open(struct analyst_facts *f, struct store *s, struct picture *p);
void analyst_facts_close(struct analyst_facts *f);

/* False with a sentence in `why`. `c` must stay until the step is done. */
bool analyst_facts_check(struct analyst_facts *f, const struct command *c, struct fact_step *step, char *why, size_t room);
/* In an open transaction: 0 or -1. */
int analyst_facts_store(struct analyst_facts *f, const struct fact_step *step);
/* After its commit. */
void analyst_facts_apply(struct analyst_facts *f, const struct fact_step *step);

/* An analyst may state it: what a device is, and not where it is or how it is reached. */
bool analyst_may_set(enum attribute a);

#endif
