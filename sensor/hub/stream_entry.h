/* One entry of the outbox as the command that adds it to the stream, in the protocol's bytes. */
#ifndef SENSOR_HUB_STREAM_ENTRY_H
#define SENSOR_HUB_STREAM_ENTRY_H

#include "sensor/hub/outbox.h"

/*
 * XADD STREAM [NOMKSTREAM] EPOCH-SEQ body BODY type TYPE asset ASSET. With `make` it makes the stream when
 * there is none; without, Redis answers with nothing then. Valid until the next call; NULL without memory.
 */
const char *stream_entry(const char *stream, bool make, uint64_t epoch, const struct outbox_entry *e, size_t *len);

/* Gives the room back. */
void stream_entry_free(void);

#endif
