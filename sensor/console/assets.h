/*
 * Summaries of all assets of a sensor, as of the last look at Redis. Each change has a revision, so that a page is
 * told only what changed since its own.
 */
#ifndef SENSOR_CONSOLE_ASSETS_H
#define SENSOR_CONSOLE_ASSETS_H

#include "sensor/console/summary.h"
#include "sensor/fleet/witness.h"

#include <stdint.h>
#include <stdio.h>
#include <uthash.h>

enum { ASSET_KEY_BYTES = 64, ASSETS_GONE = 4096, ASSETS_MOST = 200000 };

struct asset_row {
	char id[ASSET_KEY_BYTES];
	int64_t sequence;  /* of the document, as Redis has it */
	int64_t revision;  /* ours, when the summary last changed */
	uint32_t pass;     /* of looking at all */
	struct summary summary;
	struct witness *witness; /* what it says to a fleet's picture; NULL when that is not possible */
	UT_hash_handle hh;
};

struct assets {
	struct asset_row *rows; /* by id */
	int64_t revision;       /* of the newest change */
	int64_t start;          /* what is older than this is told as a whole */
	int64_t witnessed;      /* goes up when a witness comes, changes or goes */
	uint32_t pass;
	struct {
		char id[ASSET_KEY_BYTES];
		int64_t revision;
	} gone[ASSETS_GONE];    /* the last that went, in a ring */
	size_t gone_count;
};

/* Revisions begin with the time, so that those of an earlier process are known to be old. */
void assets_open(struct assets *a);
void assets_clear(struct assets *a);

/* True for what may stand in a key of Redis and in an address of ours. */
bool asset_id_valid(const char *id);

/* True when a document of that sequence is not the one we have. */
bool assets_wants(const struct assets *a, const char *id, int64_t sequence);
/* The document is as given; a summary that stays the same is no change. What is no asset's document is left out. */
void assets_put(struct assets *a, const char *id, int64_t sequence, const char *body, size_t len);
void assets_remove(struct assets *a, const char *id);

/* Looks at all: start, mark each that is there, and end, which removes all others. */
void assets_pass_start(struct assets *a);
void assets_pass_mark(struct assets *a, const char *id);
void assets_pass_end(struct assets *a);

/* The answers to /api/assets and /api/gaps. `since` 0: all. */
void assets_print(const struct assets *a, int64_t since, bool loading, FILE *to);
void assets_print_gaps(const struct assets *a, FILE *to);

#endif
