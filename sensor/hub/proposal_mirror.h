/* Keeps the hash askance:{S}:proposals, id to document, like the table `proposal`. */
#ifndef SENSOR_HUB_PROPOSAL_MIRROR_H
#define SENSOR_HUB_PROPOSAL_MIRROR_H

struct store;

/* Before publisher_start(). */
void proposal_mirror_start(struct store *s, const char *sensor);
void proposal_mirror_stop(void);

#endif
