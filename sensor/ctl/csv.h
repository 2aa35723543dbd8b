/*
 * Assets as comma-separated values (RFC 4180, lines end in LF). A cell that a spreadsheet would take for a formula
 * begins with an apostrophe; control characters are blanks.
 */
#ifndef SENSOR_CTL_CSV_H
#define SENSOR_CTL_CSV_H

#include "sensor/ctl/asset_list.h"

#include <stdio.h>

/* One cell, with the quotes it needs. */
void csv_cell(const char *text, FILE *to);

/* A row of cells, ended by NULL. */
void csv_row(const char *const *cells, FILE *to);

/* A row for each asset, below one of names. */
void csv_assets(const struct asset_list *a, FILE *to);

#endif
