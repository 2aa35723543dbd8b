/* Counts frames and losses by the second. */
#include "sensor/hub/loss.h"

#include "sensor/common/config.h"

#include <string.h>

struct pair {
	uint64_t frames, lost;
};

static struct pair last[CONFIG_ENGINES], second[LOSS_SECONDS];
static unsigned at;

/* An engine that was started anew counts from 0. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

void loss_counters(unsigned engine, const struct engine_counters *c)
{
	struct pair now = { c->frames, c->kernel_drops + c->interface_drops + c->ring_drops };

	if (engine >= CONFIG_ENGINES)
		return;
	second[at].frames += grown(now.frames, last[engine].frames);
	second[at].lost += grown(now.lost, last[engine].lost);
	last[engine] = now;
}

void loss_tick(void)
{
	at = (at + 1) % LOSS_SECONDS;
	memset(&second[at], 0, sizeof second[at]);
}

bool loss_is_high(void)
{
	uint64_t frames = 0, lost = 0;

	for (unsigned i = 0; i < LOSS_SECONDS; i++) {
		frames += second[i].frames;
		lost += second[i].lost;
	}
	return lost * 1000 > (frames + lost) * LOSS_PERMILLE;
}
