/*
 * From changes of the picture to events: what one batch of findings changed is judged, drafted and,
 * in one transaction, stored and put into the outbox.
 */
#ifndef SENSOR_HUB_BATCH_H
#define SENSOR_HUB_BATCH_H

#include "sensor/hub/hub.h"
#include "sensor/hub/store.h"

struct changes;
struct draft;
struct keeper;
struct proposals;

struct batch {
	struct picture *picture;
	struct store *store;
	struct keeper *keeper;
	struct desk desk;
	struct proposals *proposals; /* of batch_propose(); NULL: nothing is proposed */
	struct changes *changes; /* which of them were told; NULL: no events of change.h */
	struct draft *drafts;  /* in order, not stored yet */
	size_t draft_count, draft_room;
	size_t draft_bytes;
	size_t handed;         /* drafts whose commit is under way */
	struct node **written; /* the nodes written with them */
	size_t written_count, written_room;
	uint64_t gaps;         /* open ones, of all assets */
	uint64_t events;       /* drafted */
	uint64_t dropped;      /* drafts given up, because the store refused for too long */
	struct json line;
};

/* The pieces stay the caller's. */
void batch_start(struct batch *b, struct picture *p, struct store *s, struct keeper *k, const struct knowledge *knowledge);
void batch_free(struct batch *b);
/* Counts the gaps of a picture that was loaded. */
void batch_count_gaps(struct batch *b);
/*
 * From now on gaps with a probe become proposals, which stay the caller's. Those that were loaded learn from their devices
 * what is not stored of them.
 */
void batch_propose(struct batch *b, struct proposals *p);

/* Judges what changed and drafts its events. The picture is settled afterwards. */
void batch_draft(struct batch *b);

/*
 * Stores the drafts and the changed parts of the picture in one transaction; `more` adds to it and may
 * be NULL. 0 when all is on disk; -1 leaves everything for another try.
 */
int batch_store(struct batch *b, int (*more)(struct store *s, void *context), void *context);

/*
 * The same in two steps, between which the next batch may be heard and drafted: with the store's threads its commit goes on
 * meanwhile. What `more` wrote is the caller's to write again when batch_store_end() says -1. That does nothing, and says 0, with
 * nothing under way; batch_store_begin() calls it first.
 */
int batch_store_begin(struct batch *b, int (*more)(struct store *s, void *context), void *context);
int batch_store_end(struct batch *b);

/* True when there is anything to store. */
bool batch_pending(const struct batch *b);

/* Drafts an event about an asset behind those of the batch so far; `write` fills the document. */
void batch_event(struct batch *b, const char *type, struct asset *a,
		 void (*write)(struct document *d, const struct subject *s, void *context), void *context);

/* Looks whether the asset's gaps or class are other than told, as time and new rules change them; marks it then. */
void batch_review(struct batch *b, struct asset *a);

#endif
