/*
 * What the engine has in hand, written where the supervisor still finds it when the engine is dead: a
 * successor leaves out what killed its predecessor. See enum engine_note.
 */
#ifndef SENSOR_ENGINE_NOTE_H
#define SENSOR_ENGINE_NOTE_H

#include "sensor/engine/engine.h"

/* Frames that may be taken at once: one, as long as the frame that killed a predecessor may be among them. */
static inline unsigned note_batch_most(const struct engine *e, uint64_t taken)
{
	return taken < e->config.careful ? 1 : ENGINE_BATCH;
}

/* Frames at hand, with NOTE_PROBES for those of the prober's ring; 0 when they are done with. */
static inline void note_batch(struct engine *e, uint64_t frames)
{
	ring_count(&e->teller.ring, NOTE_BATCH, frames);
}

/* Everything told up to this moment was shown to the hub; UINT64_MAX when nothing more will come. */
static inline void note_order(struct engine *e, uint64_t moment)
{
	ring_count(&e->teller.ring, NOTE_ORDER, moment == UINT64_MAX ? moment : report_order(moment, SHARES - 1));
}

/* nDPI is about to look at this flow. False when it is not to, because it died of that service; that is counted. */
bool note_ndpi(struct engine *e, const struct flow *f);

/* It came back. */
static inline void note_nothing(struct engine *e)
{
	ring_count(&e->teller.ring, NOTE_NDPI, 0);
}

#endif
