/* What the command says of itself: --help, the man page and the completion of shells, all from the table of verbs. */
#ifndef SENSOR_CTL_HELP_H
#define SENSOR_CTL_HELP_H

#include "sensor/ctl/verb.h"

#include <stdio.h>

/* The verb of that name; NULL after a message that names the nearest. */
const struct verb *help_find(const char *name);

void help_print_all(FILE *to);
void help_print(const struct verb *v, FILE *to);

/* askance(1) in mdoc. */
void help_print_man(FILE *to);

/* `shell` is bash, zsh or fish. */
void help_print_completion(const char *shell, FILE *to);

/* "[OPTION...] ASSET": what follows the verb's name. */
void help_synopsis(const struct verb *v, char *text, size_t room);

#endif
