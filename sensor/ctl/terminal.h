/* What is known of the terminal a person looks at. */
#ifndef SENSOR_CTL_TERMINAL_H
#define SENSOR_CTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns of the terminal at this descriptor; COLUMNS when it says so; 0 when it is no terminal. */
int terminal_width(int fd);

/* True when colours are wanted there: a terminal that has them, and NO_COLOR is not set. */
bool terminal_colours(int fd);

/* Columns that this UTF-8 text takes. */
int text_columns(const char *text);

/* Bytes of the text's beginning that fit in so many columns; never cuts a character. */
size_t text_fitting(const char *text, int columns);

#endif
