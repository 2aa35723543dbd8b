/* The audit as the command line reads it: record by record, each held against the one before. */
#ifndef SENSOR_CTL_AUDIT_H
#define SENSOR_CTL_AUDIT_H

#include "active/guard/chain.h"
#include "sensor/common/config.h"

#include <stdbool.h>
#include <stdio.h>

struct json_t;

struct audit_reading {
	char state[CONFIG_PATH_BYTES]; /* folder of the state */
	struct chain chain;
	unsigned files;
	uint64_t torn;                 /* lines that a killed prober left unfinished */
	bool open_end;                 /* the very last is one that nobody accounted for yet: the prober did not start since */
	uint64_t marks;                /* of the ledger, all found in the chain */
	char why[CHAIN_WHY_BYTES + CONFIG_PATH_BYTES + 64]; /* of the first fault */
	/* Gets each record as its line and as a document; may be NULL. */
	void (*see)(void *context, const char *line, const struct json_t *record);
	void *context;
};

/* Reads all of STATE/audit and holds it against itself and the ledger. False at the first fault, which stands in why. */
bool audit_read(struct audit_reading *r);

/* Text and number of a record's field; "" and 0 when it has none. */
const char *audit_field(const struct json_t *record, const char *key);
long long audit_value(const struct json_t *record, const char *key);

/* audit_export.c: the runs of an approval (NULL: all) as a pcapng file. False with a sentence in why. */
bool audit_export(const char *state, const char *approval_id, FILE *to, unsigned *runs, char why[CONFIG_PATH_BYTES * 2]);

#endif
