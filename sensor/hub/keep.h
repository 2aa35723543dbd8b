/* The picture on disk: writes what changed, reads it all at the start. The tables are described in store.h. */
#ifndef SENSOR_HUB_KEEP_H
#define SENSOR_HUB_KEEP_H

#include "sensor/hub/picture.h"
#include "sensor/hub/store.h"

#include <stddef.h>
#include <stdint.h>

struct keeper;

struct keeper *keep_open(struct store *s);
void keep_close(struct keeper *k);

/* Fills an empty picture with what is stored. 0, or -1 after log_error when the store can't be read or contradicts itself. */
int keep_load(struct store *s, struct picture *p);

/* Writes every changed node and its asset into the open transaction. 0 or -1. */
int keep_save(struct keeper *k, const struct picture *p);
/* Then: what was changed is not any more. */
void keep_saved(struct picture *p);
/* It did not get to the disk: all of these nodes is to be written again. */
void keep_unsaved(struct picture *p, struct node **nodes, size_t count);

/* The document of an asset as it stands (NULL: it is gone), after event `seq`. */
int keep_state(struct keeper *k, const char *asset, const char *body, size_t len, int64_t seq);
/* Takes out an asset that was merged into another. */
int keep_forget(struct keeper *k, uint32_t asset);

#endif
