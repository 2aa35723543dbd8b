/*
 * Many sensors in one Redis or Cluster, as one picture: which sensors there are and how they are, and each
 * device once with all its witnesses.
 *
 *   f = fleet_new(FLEET_WITNESSES);
 *   for (;;) {
 *           fleet_read(f, masters, count, true, why, sizeof why);    what is new since the last time
 *           fleet_match(f);
 *           ... fleet_sensors(), fleet_devices() ...
 *   }
 *
 * Who calls connects: to the one server, or to every master of the Cluster, logged in with the rights of
 * packaging/redis/fleet.acl. Nothing here prints or waits for anything but Redis's answers.
 */
#ifndef SENSOR_FLEET_FLEET_H
#define SENSOR_FLEET_FLEET_H

#include "sensor/fleet/decision.h"
#include "sensor/fleet/identity.h"
#include "sensor/fleet/witness.h"

#include <jansson.h>

struct redisContext;

enum {
	FLEET_WITNESSES = 1000000, /* a bound that 300 MB hold */
	FLEET_SENSORS = 4096,
	FLEET_NAME_BYTES = 64,
	FLEET_STALE_S = 30,        /* without a word for so long a sensor doesn't run, or does not reach Redis */
	FLEET_DOUBTS = 1000,       /* likenesses that are kept for people to decide; more are counted */
};

struct fleet;

/* One sensor, from its health document. Numbers are 0 where it doesn't tell. */
struct fleet_sensor {
	char name[FLEET_NAME_BYTES];
	char zone[FLEET_NAME_BYTES];
	char version[32];
	char redis_state[32];
	char trouble[64];        /* why it can't be read; empty when it can */
	int64_t heard_ms;        /* of its last health event, since 1970 */
	int64_t read_ms;         /* when that was read: reading the assets of many sensors behind it takes its time */
	uint64_t uptime_s, lag_entries, lag_ms;
	uint64_t drops;          /* frames that the kernel, the interface or the engine lost */
	uint64_t lost;           /* findings, assets and events that were lost behind the frames */
	size_t witnesses;        /* assets of it that the fleet holds */
	size_t alone;            /* of these, devices that no other sensor hears */
};

/* Two witnesses that share something. */
struct fleet_pair {
	const struct witness *a, *b;
	struct likeness likeness;
	const struct fleet_decision *decision; /* an analyst's, NULL for none */
};

/* At most so many witnesses are held; NULL when there is no memory. */
struct fleet *fleet_new(size_t most);
void fleet_free(struct fleet *f);

/*
 * Reads what changed since the last call, by the sorted sets askance:{S}:changed. With `find` sensors are
 * looked for first (SCAN over all keys: worth it once a minute); those that are gone are forgotten.
 * 0, or -1 with a sentence in why[room]; what was read until then is kept and the next call goes on.
 */
int fleet_read(struct fleet *f, struct redisContext *const *masters, unsigned count, bool find, char *why, size_t room);

/* The decisions alone, without sensors and assets. */
int fleet_read_decisions(struct fleet *f, struct redisContext *const *masters, unsigned count, char *why, size_t room);

/*
 * For whoever follows Redis by itself: instead of fleet_read() what was read is put in piece by piece, into a fleet without
 * it. The witness is taken over, the decisions are copied. A sensor comes into being when it is first named.
 */
void fleet_add(struct fleet *f, const char *sensor, struct witness *w);
bool fleet_add_health(struct fleet *f, const char *sensor, const char *body, size_t len);
bool fleet_add_decisions(struct fleet *f, const struct fleet_decision *list, size_t count);

/* How many witnesses came, changed or went in the last fleet_read(). */
size_t fleet_changes(const struct fleet *f);
/* Over all calls: bytes of documents read, documents that were none, witnesses refused because the fleet was full. */
uint64_t fleet_bytes(const struct fleet *f);
uint64_t fleet_unreadable(const struct fleet *f);
uint64_t fleet_refused(const struct fleet *f);

/* Older than FLEET_STALE_S when it was read. */
bool fleet_sensor_stale(const struct fleet_sensor *s);

/* Sensors stand in the order of their names. */
size_t fleet_sensors(const struct fleet *f);
const struct fleet_sensor *fleet_sensor(const struct fleet *f, size_t i);
const struct fleet_sensor *fleet_sensor_of(const struct fleet *f, const struct witness *w);

/* Makes devices of witnesses. What the functions below give is valid until the next fleet_read(). 0, or -1 when there is no memory. */
int fleet_match(struct fleet *f);

size_t fleet_devices(const struct fleet *f);
/* The witnesses of one device, those of the first sensor first: for (w = first; w; w = fleet_next(f, w)). */
const struct witness *fleet_device(const struct fleet *f, size_t i);
const struct witness *fleet_next(const struct fleet *f, const struct witness *w);
/* The witness that knows most. */
const struct witness *fleet_best(const struct fleet *f, const struct witness *first);
/* The value of the witness that knows most, else that of any; "" when none knows it. */
const char *fleet_value(const struct fleet *f, const struct witness *first, enum witness_text which);
/* True when one of the device's witnesses came or changed in the last fleet_read(). */
bool fleet_changed(const struct fleet *f, const struct witness *first);

/* What likens two witnesses and does not make them one: for people to decide. */
size_t fleet_doubts(const struct fleet *f);
uint64_t fleet_doubts_not_kept(const struct fleet *f);
const struct fleet_pair *fleet_doubt(const struct fleet *f, size_t i);

size_t fleet_decisions(const struct fleet *f);
const struct fleet_decision *fleet_decision(const struct fleet *f, size_t i);

/* "MAC 00:1b:1b:01:02:03 in one zone": why the pair is one device, or why it is not. */
void fleet_reason(const struct fleet_pair *p, char *text, size_t room);

/* As `askance fleet --json` writes them; new references. */
json_t *fleet_sensor_json(const struct fleet_sensor *s);
json_t *fleet_device_json(const struct fleet *f, const struct witness *first);
json_t *fleet_decision_json(const struct fleet_decision *d);
json_t *fleet_doubt_json(const struct fleet *f, const struct fleet_pair *p);

#endif
