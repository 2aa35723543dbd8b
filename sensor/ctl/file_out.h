/* A verb's output: stdout, or a file that is there whole or not at all. */
#ifndef SENSOR_CTL_FILE_OUT_H
#define SENSOR_CTL_FILE_OUT_H

#include <limits.h>
#include <stdio.h>

struct file_out {
	const char *verb; /* for messages */
	const char *path; /* NULL: stdout */
	FILE *to;
	char temporary[PATH_MAX];
};

/* Opens it, `path` NULL or "-" for stdout. 0, or -1 after a message. */
int file_out_open(struct file_out *f, const char *verb, const char *path);

/*
 * Makes it what stands at the path, over what stood there. `code`, or EXIT_NOTHING after a message when it could not be
 * written (EXIT_PARTLY of stdout): then what stood there is as it was. A code of EXIT_NOTHING drops it without a word.
 */
int file_out_close(struct file_out *f, int code);

#endif
