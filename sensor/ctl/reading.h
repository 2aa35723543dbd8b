/*
 * The processes that read captures: one hub that makes the picture, and one or more engines for each file,
 * one file after the other.
 */
#ifndef SENSOR_CTL_READING_H
#define SENSOR_CTL_READING_H

#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct reading {
	const char *verb;  /* for messages */
	struct hub_config hub_config;
	unsigned engines;  /* that share a file, 1 .. CONFIG_ENGINES; 0 for one */
	struct engine_config engine_config; /* of each file; index and shares are set here */
	int engine_files[ENGINE_FILES]; /* open files by enum engine_file, -1 for none */
	bool progress;     /* draw a bar on stderr */
	struct ring_fds ring[CONFIG_ENGINES];
	struct ring side[CONFIG_ENGINES]; /* the producer's side of each, to say how far the hub may read */
	int orders;        /* closing it tells the hub to print */
	int outcomes;      /* progress and ends of files, from the hub */
	int output;        /* the hub's stdout, or -1 when that is ours */
	pid_t hub;
	int hub_watch;     /* readable when the hub has ended */
	unsigned files;
	unsigned complete, cut_short, unreadable;
	uint64_t frames, bytes;
};

/* `own_output`: the hub's documents come through r->output; otherwise it prints them itself. 0, or -1 after a message. */
int reading_start(struct reading *r, bool own_output);

/* Works off one open file; `name` is for messages. Returns false when it makes no sense to go on. */
bool reading_file(struct reading *r, int fd, const char *name);

/* Asks the hub to print; `each` gets its lines (NULL when it prints itself). Returns false when it did not end well. */
bool reading_finish(struct reading *r, void (*each)(char *line, size_t len, void *context), void *context);

/* True when the user has asked to stop (SIGINT, SIGTERM). */
bool reading_stopped(void);

#endif
