/* Writes the few words of `askance setup` into the configuration, and leaves every other byte of it as it is. */
#ifndef SENSOR_CTL_SETUP_FILE_H
#define SENSOR_CTL_SETUP_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum { SETUP_WORD_BYTES = 64, SETUP_FILE_MOST = 1024 * 1024 };

/* What setup knows of. Empty: the file doesn't say, or (to write) it stays as it is. */
struct setup_words {
	char interface[SETUP_WORD_BYTES]; /* of the only source in `capture:` */
	char name[SETUP_WORD_BYTES];
	char zone[SETUP_WORD_BYTES];
	char probing[SETUP_WORD_BYTES];   /* the interface that probes leave by; never written */
};

/*
 * Reads what the file says now; a file that is not there says nothing. False after a message on stderr: it can't be
 * read, is no YAML, or has several sources, among which setup can't choose.
 */
bool setup_file_read(const char *path, struct setup_words *words);

enum setup_written { SETUP_REFUSED, SETUP_UNCHANGED, SETUP_WRITTEN };

/*
 * Puts the words in place, or makes a file that listens only when there is none. What comes out is checked as the
 * sensor checks it before it takes the file's place at once; what was there is kept as PATH.bak. SETUP_REFUSED after
 * a message on stderr, with the file as it was.
 */
enum setup_written setup_file_write(const char *path, const struct setup_words *words);

#endif
