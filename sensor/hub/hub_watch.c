/* Gives the watch its clock, its times and the totals of all engines. */
#include "sensor/hub/hub_watch.h"

#include "sensor/hub/change.h"

#include <string.h>
#include <time.h>

struct total {
	uint64_t frames, lost;
};

static struct watch *watch;
static struct changes *changes;
static struct batch *batch;
static void (*abort_run)(uint64_t run);
static struct total all, last[CONFIG_ENGINES];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void on_abort(void *context, uint64_t order, const char *evidence)
{
	(void)context;
	(void)evidence;
	if (abort_run)
		abort_run(order);
}

int hub_watch_open(const struct hub_config *config, struct store *s, struct picture *p, struct batch *b, void (*stop)(uint64_t run))
{
	const int64_t second_ns = 1000000000;
	struct watch_times times = {
		.learn_ns = config->watch_learn_s * second_ns, .hold_ns = config->watch_hold_s * second_ns,
		.observe_ns = config->watch_observe_s * second_ns, .canary_ns = config->watch_canary_s * second_ns,
	};
	struct watch_ears ears = { on_abort, NULL };

	abort_run = stop;
	watch = watch_open(s, p, b, &times, &ears);
	changes = changes_open(s);
	b->changes = changes;
	batch = b;
	return watch && changes ? 0 : -1;
}

void hub_watch_close(void)
{
	watch_close(watch);
	changes_close(changes);
	watch = NULL;
	changes = NULL;
}

void hub_watch_pulse(const struct pulse *p)
{
	if (watch)
		watch_pulse(watch, p, now_ns());
}

void hub_watch_hear(const struct finding *f)
{
	if (f->kind != FINDING_ACTIVITY)
		return;
	if (watch)
		watch_hear(watch, f, now_ns());
	if (changes)
		changes_hear(changes, batch, f);
}

/* An engine that was started anew counts from 0. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

void hub_watch_counters(unsigned engine, const struct engine_counters *c)
{
	struct total now = { c->frames, c->kernel_drops + c->interface_drops + c->ring_drops };

	if (!watch || engine >= CONFIG_ENGINES)
		return;
	all.frames += grown(now.frames, last[engine].frames);
	all.lost += grown(now.lost, last[engine].lost);
	last[engine] = now;
	watch_loss(watch, all.frames, all.lost, now_ns());
}

void hub_watch_tick(void)
{
	if (watch)
		watch_tick(watch, now_ns());
}

int hub_watch_store(struct store *s)
{
	if (changes && changes_store(changes, s) < 0)
		return -1;
	return watch ? watch_store(watch, s) : 0;
}

void hub_watch_stored(void)
{
	if (watch)
		watch_stored(watch);
	if (changes)
		changes_stored(changes);
}

bool hub_watch_unstored(void)
{
	return (watch && watch_unstored(watch)) || (changes && changes_unstored(changes));
}

struct watch *hub_watch(void)
{
	return watch;
}

int hub_watch_release(const char *asset, const char *analyst, char *why)
{
	return watch_release(watch, asset, analyst, now_ns(), why);
}
