/* Counts looks at which nothing had moved. */
#include "sensor/supervisor/watchdog.h"

#include "sensor/common/log.h"

/*
 * Redis, the relay and the prober are not watched: who waits for the first two tells when they don't answer, and
 * a prober that hangs sends nothing.
 */
static bool read_beats(const struct wiring *w, const struct child *c, uint64_t *beats)
{
	switch (c->role) {
	case CHILD_ENGINE:
		*beats = ring_beats(&w->engine[c->index].watch, RING_PRODUCER);
		return true;
	case CHILD_HUB:
		*beats = ring_beats(&w->engine[0].watch, RING_CONSUMER);
		return true;
	case CHILD_CAPTURE:
		*beats = ring_beats(&w->engine[0].frames_watch, RING_PRODUCER);
		return true;
	default:
		return false;
	}
}

static unsigned patience(const struct child *c)
{
	if (!c->beaten)
		return WATCHDOG_LOOKS_START;
	return c->role == CHILD_HUB ? WATCHDOG_LOOKS_HUB : WATCHDOG_LOOKS;
}

void watchdog_started(const struct wiring *w, struct child *c)
{
	read_beats(w, c, &c->beats);
	c->beaten = false;
	c->still = 0;
}

bool watchdog_hangs(const struct wiring *w, struct child *c)
{
	uint64_t beats;

	if (!read_beats(w, c, &beats))
		return false;
	if (beats != c->beats) {
		c->beaten = true;
		c->beats = beats;
		c->still = 0;
		c->worked_ms = child_clock_ms();
		return false;
	}
	if (++c->still < patience(c))
		return false;
	log_error("%s hangs: no sign of life for %u s; it is ended by force", c->name, c->still * WATCHDOG_LOOK_MS / 1000);
	c->still = 0;
	return true;
}
