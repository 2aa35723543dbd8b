/* Reads a verb's command line by its table of options (verb.h). */
#ifndef SENSOR_CTL_OPTIONS_H
#define SENSOR_CTL_OPTIONS_H

#include "sensor/ctl/verb.h"

/*
 * Fills the struct at `base`, which holds the defaults. "--name VALUE", "--name=VALUE", "-c VALUE", and as much of
 * a name as is one option's alone; "--" ends the options; "-" is a word. Later words win. Nothing is copied but KIND_COPY. False after a message on stderr, which
 * names what was meant where that can be guessed.
 */
bool options_take(const struct verb_option *table, void *base, int argc, char **argv);

/*
 * Calls `see` for each row, those of groups too, with the offset of its struct; ends when that gives false. Returns
 * whether all were seen.
 */
typedef bool option_see(void *context, const struct verb_option *row, size_t base);
bool options_each(const struct verb_option *table, option_see *see, void *context);

/* True when the value is one of a few words, as "fast|slow" is. */
bool option_is_choice(const struct verb_option *row);

#endif
