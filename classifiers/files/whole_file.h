/* Reads a file that a user names, whole, from a descriptor that somebody else opened. */
#ifndef CLASSIFIERS_FILES_WHOLE_FILE_H
#define CLASSIFIERS_FILES_WHOLE_FILE_H

#include <stddef.h>

/*
 * The bytes of the regular file `fd`, from its start wherever the descriptor stands; *len of them, the
 * caller's to free. NULL with a sentence in *why when it is none, has more than `most` bytes or can't be read.
 */
char *whole_file(int fd, size_t most, size_t *len, const char **why);

#endif
