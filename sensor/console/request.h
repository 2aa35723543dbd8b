/* One request of a browser, from its head to its answer. */
#ifndef SENSOR_CONSOLE_REQUEST_H
#define SENSOR_CONSOLE_REQUEST_H

#include "sensor/console/answer.h"
#include "sensor/console/sensor.h"

enum { REQUEST_BODY_MOST = 16 * 1024, REQUEST_WHO_BYTES = 256 };

struct request {
	struct MHD_Connection *connection;
	struct sensor *sensor;
	const char *method;
	const struct route *route;      /* NULL: a file of the page, or nothing */
	char path[64];                  /* as asked, for the log; cut */
	char who[REQUEST_WHO_BYTES];    /* subject of the client's certificate; "" without TLS */
	char note[96];                  /* what it did, for the log */
	bool gzip;                      /* the other side reads it */
	bool begun;                     /* the route's handler was called */
	bool waiting;                   /* for request_answer() */
	bool failed;                    /* there will be no answer */
	bool stays;                     /* an answer without an end */
	char *body;
	size_t body_len;
	bool too_large;
	struct answer answer;
};

/* What is answered to a path; gives the answer at once, or takes care that request_answer() is called later. */
struct route {
	const char *path;
	bool post;
	void (*handle)(struct request *r);
};

/* NULL when the path is none of the interface. */
const struct route *route_find(const char *path);

/* The answer, at once or later. Called once; a response of NULL means that memory is short. */
void request_answer(struct request *r, struct answer a);

/* The value of ?name=, NULL when it is not there. */
const char *request_argument(const struct request *r, const char *name);

/*
 * Asks the request's sensor, and the answer goes to `f`. When that is not possible the request is answered with
 * an error, and false given.
 */
bool request_ask(struct request *r, sensor_answer *f, void *who, int argc, const char **argv, const size_t *lens);

/* The sentence for a Redis that gave no answer, or this error. */
struct answer request_no_redis(const struct request *r, const redisReply *reply);

/* history.c */
void history_handle(struct request *r);
/* live.c */
void live_handle(struct request *r);

#endif
