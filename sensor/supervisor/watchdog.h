/*
 * Sees children that live and do nothing: an engine in an endless loop, a hub that waits for ever. Each of
 * ours gives signs of life in its ring; who gives none while the watchdog looked many times hangs. Looks are
 * counted and not time, so that a machine that stood still as a whole is nobody's fault.
 */
#ifndef SENSOR_SUPERVISOR_WATCHDOG_H
#define SENSOR_SUPERVISOR_WATCHDOG_H

#include "sensor/supervisor/child.h"
#include "sensor/supervisor/wiring.h"

enum {
	WATCHDOG_LOOK_MS = 2000,
	WATCHDOG_LOOKS = 10,        /* without a sign of life */
	WATCHDOG_LOOKS_HUB = 60,    /* its disk may be slow */
	WATCHDOG_LOOKS_START = 150, /* before the first sign: a large picture, a large file of patterns */
};

/* Notes a start: what its predecessor gave are no signs of its own. */
void watchdog_started(const struct wiring *w, struct child *c);

/* To be called every WATCHDOG_LOOK_MS for a child that lives. True when it hangs, which is told. */
bool watchdog_hangs(const struct wiring *w, struct child *c);

#endif
