/*
 * What is done about a crash, beyond starting again. An engine that died of a frame would die of it again and
 * again: the frame is kept for a report and, the second time, left out; a service that nDPI died of is not
 * shown to it any more. And whoever sent the hub nonsense is somebody else's by now.
 */
#ifndef SENSOR_SUPERVISOR_CRASH_H
#define SENSOR_SUPERVISOR_CRASH_H

#include "sensor/supervisor/child.h"
#include "sensor/supervisor/wiring.h"

/* An engine crashed or hung; child_ended() has counted it. */
void crash_of_engine(struct wiring *w, struct child *c, int status);

/* The hub ended because of an engine's words: all engines end, and what they said is thrown away, which is told. */
void crash_of_trust(struct wiring *w, struct child *children, unsigned count);

#endif
