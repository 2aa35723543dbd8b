/*
 * One sensor as its Redis tells of it: follows the stream of events and the states of assets, keeps of both what
 * pages ask for again and again, and puts other questions of requests to Redis.
 */
#ifndef SENSOR_CONSOLE_SENSOR_H
#define SENSOR_CONSOLE_SENSOR_H

#include "sensor/common/config.h"
#include "sensor/console/assets.h"
#include "sensor/console/journal.h"
#include "sensor/redis/redis_link.h"

enum { SENSOR_KEY_BYTES = CONFIG_NAME_BYTES + 64, SENSOR_ASKS = 64 };

/* `reply` is NULL when the connection ended before there was an answer. Called once. */
typedef void sensor_answer(void *who, const redisReply *reply);

/* States that are to be fetched, in the order of their changes. */
struct wanted_asset {
	char id[ASSET_KEY_BYTES];
	int64_t sequence;
};

struct sensor {
	char name[CONFIG_NAME_BYTES];
	char client_name[CONFIG_NAME_BYTES + 24];
	struct redis_link link;
	uv_timer_t timer;
	char events_key[SENSOR_KEY_BYTES], changed_key[SENSOR_KEY_BYTES], commands_key[SENSOR_KEY_BYTES], proposals_key[SENSOR_KEY_BYTES];
	/* Something new to tell: an event, a summary, or how it stands with Redis. May be called often. */
	void (*news)(struct sensor *s);

	struct journal journal;
	struct event_id newest, oldest; /* of the stream, as far as it was read */
	bool following;                 /* `newest` is known: what comes after it is asked for */
	bool filled;                    /* what the journal can hold of the past is there */
	bool asked_newer;
	uint64_t looked;                /* entries of the past */

	struct assets assets;
	bool loading;                   /* the first look at all assets is not over */
	bool asked_changed, whole;      /* the question was for all */
	int64_t sequence;               /* highest that was seen */
	uint64_t next_whole_ms;
	struct wanted_asset *wanted;
	size_t wanted_count, wanted_room, wanted_sent, wanted_done;

	bool writable;                  /* our user may append to the stream of commands */
	enum redis_state told;          /* the state at the last news */
	struct {
		sensor_answer *answer;
		void *who;
	} asks[SENSOR_ASKS];
};

/* Connects in the background. The caller has filled `link` but for the callbacks, and `news`. -1 after log_error(). */
int sensor_start(struct sensor *s, const char *name);
/* Whoever waits for an answer gets none. */
void sensor_stop(struct sensor *s);

/* How it stands with Redis; REDIS_STREAMING when all is well. */
enum redis_state sensor_state(const struct sensor *s);

/* False when Redis is away, or too many wait. */
bool sensor_ask(struct sensor *s, sensor_answer *answer, void *who, int argc, const char **argv, const size_t *lens);

#endif
