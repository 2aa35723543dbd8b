/* The capture process: frames of all interfaces into one ring, unread. */
#ifndef SENSOR_CAPTURE_CAPTURE_H
#define SENSOR_CAPTURE_CAPTURE_H

/* How the process ends; the supervisor decides by it whether to try again. */
enum capture_exit {
	CAPTURE_ENDED = 0,     /* was told to */
	CAPTURE_FAILED = 1,    /* an interface is down, broken or gone: worth another try */
	CAPTURE_WRONG = 2,     /* wrong configuration, or a wall is missing */
	CAPTURE_MISSING = 3,   /* no interface was there to begin with */
	CAPTURE_FORBIDDEN = 4, /* no right to listen */
};

/* Reads its configuration and runs until SIGTERM. Returns the exit code. */
int capture_run(void);

#endif
