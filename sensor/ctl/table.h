/* A table for people: columns as wide as they must be, and no wider than the terminal. */
#ifndef SENSOR_CTL_TABLE_H
#define SENSOR_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS = 10 };

struct table {
	const char *headers[TABLE_COLUMNS];
	size_t columns;
	char **cells; /* rows * columns, owned */
	size_t rows, room;
};

/* `headers` ends with NULL and is kept, not copied. */
void table_start(struct table *t, const char *const *headers);
void table_free(struct table *t);

/* Cells are copied; NULL is empty. */
void table_row(struct table *t, const char *const *cells);

/* width 0: nothing is cut, as for a pipe. Blanks at line ends are never printed. */
void table_print(const struct table *t, FILE *to, int width, bool colours);

#endif
