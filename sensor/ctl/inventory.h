/*
 * Documents of assets as people read them: the inventory, one asset in full, the gaps. The documents
 * are the same from `askance read` and from Redis.
 */
#ifndef SENSOR_CTL_INVENTORY_H
#define SENSOR_CTL_INVENTORY_H

#include "sensor/ctl/table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct inventory {
	struct table assets, gaps;
	bool only_proposed; /* other gaps are counted, not listed */
	size_t services, structural, proposed, forbidden, without, gap_count;
};

void inventory_start(struct inventory *i);
void inventory_free(struct inventory *i);

/* Takes in one document (the whole line, with its envelope). */
void inventory_add(struct inventory *i, const json_t *document);

/* Ends with a line that counts. */
void inventory_print_assets(const struct inventory *i, FILE *to, int width, bool colours);
void inventory_print_gaps(const struct inventory *i, FILE *to, int width, bool colours);

/* True when `key` is the asset's id, or one of its addresses or names. */
bool inventory_matches(const json_t *document, const char *key);

/* Everything that is known of one asset. */
void inventory_show(const json_t *document, FILE *to, int width, bool colours);

#endif
