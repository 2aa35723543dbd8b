/* The picture that capture files give, as documents of its assets: for every verb that takes a capture. */
#ifndef SENSOR_CTL_CAPTURE_READ_H
#define SENSOR_CTL_CAPTURE_READ_H

#include "sensor/common/config.h"
#include "sensor/ctl/verb.h"

struct capture_options {
	const char *zone; /* NULL: "default" */
	char rules[CONFIG_PATH_BYTES]; /* empty: looked for */
	const char *country, *asn, *oui;
	const char *engine_files[ENGINE_FILES];
	bool no_ndpi;
	int engines; /* that share the work; 0 for one */
};

/* For OPTION_GROUP. */
extern const struct verb_option capture_options[];

/* Gets the documents, a line each, in the order of `askance read`. */
typedef void capture_line(char *line, size_t len, void *context);

/*
 * Reads the files into one picture; "-" is stdin. `each` NULL: the documents go to stdout. Messages, and on a terminal
 * a bar, go to stderr. EXIT_WELL when all were read to their ends, EXIT_PARTLY when something is missing,
 * EXIT_NOTHING when nothing could be read.
 */
int capture_read(const struct capture_options *o, const char *verb, const struct option_words *files, capture_line *each, void *context);

#endif
