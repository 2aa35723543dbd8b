/* One child process: alive, or waiting to be started again, each failure longer than after the last. */
#ifndef SENSOR_SUPERVISOR_CHILD_H
#define SENSOR_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum child_role { CHILD_REDIS, CHILD_RELAY, CHILD_HUB, CHILD_PROBER, CHILD_ENGINE, CHILD_CAPTURE };

struct child {
	enum child_role role;
	unsigned index;      /* of an engine */
	char name[24];
	pid_t pid;           /* 0: does not run */
	bool finished;       /* did its work, is not started again */
	bool wanted_end;     /* was asked to end, to be started anew */
	unsigned starts;
	unsigned failures;   /* in a row, each soon after the start */
	int64_t started_ms;
	int64_t worked_ms;   /* up to when it did: its end, or its last sign of life when it hung */
	int64_t next_ms;     /* when to start it again */
	int64_t kill_ms;     /* when to end it by force, 0 for never */
	bool hung;           /* was ended by force because it gave no sign of life */
	bool beaten;         /* has given one since its start; see watchdog.h */
	unsigned still;
	uint64_t beats;
};

/* What its end means for the sensor. */
enum child_verdict {
	CHILD_AGAIN,   /* it is started again at next_ms */
	CHILD_DONE,    /* it had nothing left to do */
	CHILD_WRONG,   /* its configuration or rights are wrong, trying again is of no use */
	CHILD_HOPELESS /* it could not be kept alive */
};

int64_t child_clock_ms(void);

/* Notes a start that worked. */
void child_started(struct child *c, pid_t pid);

/* Takes note of its end (status of waitpid) and tells about it. */
enum child_verdict child_ended(struct child *c, int status);

/* True for an end by its own fault: a crash, or no sign of life; not for a kill from outside. */
bool child_crashed(const struct child *c, int status);

/* Asks it to end in time to be started anew; by force after `limit_ms`. */
void child_renew(struct child *c, int signal, int64_t limit_ms);

#endif
