/*
 * What analysts decided of two witnesses: that they are one device, or two, whatever the fleet thinks. It
 * stands in the hash askance:fleet:merges, a field for each pair:
 *
 *   "plant-1/a-0011223344556677 plant-2/a-8899aabbccddeeff" -> {"action": "merge" | "split" | "undo",
 *           "who": "...", "when": "...", "why": "...", "before": [the earlier ones, newest first]}
 *
 * A field is never deleted: "undo" leaves the pair to the fleet and says who wanted that.
 */
#ifndef SENSOR_FLEET_DECISION_H
#define SENSOR_FLEET_DECISION_H

#include <stdbool.h>
#include <stddef.h>

struct redisContext;
struct redisReply;

#define DECISION_KEY "askance:fleet:merges"

enum {
	DECISION_NAME_BYTES = 96,  /* SENSOR/ID */
	DECISION_WHO_BYTES = 128,
	DECISION_WHY_BYTES = 512,
	DECISION_WHEN_BYTES = 32,
	DECISION_BEFORE = 16,      /* earlier decisions that are kept for each pair */
	DECISIONS = 100000,        /* more pairs are not read */
};

enum decision_action { DECISION_MERGE, DECISION_SPLIT, DECISION_UNDO };

struct fleet_decision {
	enum decision_action action;
	char a[DECISION_NAME_BYTES], b[DECISION_NAME_BYTES]; /* a stands before b */
	char when[DECISION_WHEN_BYTES];                      /* RFC 3339, UTC */
	char who[DECISION_WHO_BYTES], why[DECISION_WHY_BYTES];
};

const char *decision_action_name(enum decision_action action);

/* 0 with the pair in its order, or -1 when a name is no SENSOR/ID or both are one. */
int decision_name_pair(struct fleet_decision *d, const char *x, const char *y);

/*
 * Writes one, with the time of now. `redis` has the key askance:fleet:merges. 0, or -1 with a sentence in
 * why[room]: "MOVED ..." as Redis says it when another server has the key.
 */
int decision_write(struct redisContext *redis, struct fleet_decision *d, char *why, size_t room);

/* All of them, to be freed by free(). 0, or -1 with a sentence; a field that is none of ours is passed over. */
int decision_read(struct redisContext *redis, struct fleet_decision **list, size_t *count, char *why, size_t room);

/* The same from the answer to HGETALL, which somebody else asked. -1 when it is no array, or there is no memory. */
int decision_take(const struct redisReply *reply, struct fleet_decision **list, size_t *count);

#endif
