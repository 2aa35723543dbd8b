/*
 * The files of a folder of rules, which may stand on another one:
 *
 *   DIR/probes/NAME.yaml, DIR/devices/NAME.yaml   the plant's own
 *   DIR/base                                      a link to a folder of the same kind: what came with the program
 *
 * A file of DIR takes the place of the base's file of the same name. The base gives no more than these files: no
 * policy, and no base of its own.
 */
#ifndef CLASSIFIERS_FILES_RULE_FOLDER_H
#define CLASSIFIERS_FILES_RULE_FOLDER_H

#include <stddef.h>

struct rule_folder {
	size_t count;
	char **path; /* sorted by the name of the file */
};

/*
 * Lists the *.yaml of `folder` ("DIR/probes", "DIR/devices") and of its place in DIR/base, none with a leading dot.
 * 0, or -1 with errno when neither is there, one can't be read, or memory is out. rule_folder_free() after success.
 */
int rule_folder_list(struct rule_folder *f, const char *folder);
void rule_folder_free(struct rule_folder *f);

/* The name of the file, without its folders. */
const char *rule_folder_name(const char *path);

#endif
