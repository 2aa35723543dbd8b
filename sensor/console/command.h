/* The form of an analyst's command. What it means, and whether its signature fits, is for the sensor to say. */
#ifndef SENSOR_CONSOLE_COMMAND_H
#define SENSOR_CONSOLE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* As many as the sensor reads. */
enum { COMMAND_BODY_MOST = 4096, COMMAND_WHY_NOT_BYTES = 160 };

/*
 * True for a command of a known name with the members that belong to it, each of its type. `note` gets a few words
 * for the log; in *why stands what is wrong.
 */
bool command_shape(const char *body, size_t len, char *note, size_t room, char why[COMMAND_WHY_NOT_BYTES]);

#endif
