/*
 * The hub of a live sensor: findings in from the engines' rings, batches into the store, events on
 * to the publisher, all on one libuv loop.
 */
#include "sensor/common/log.h"
#include "sensor/hub/approvals.h"
#include "sensor/hub/batch.h"
#include "sensor/hub/dispatch.h"
#include "sensor/hub/gather.h"
#include "sensor/hub/health.h"
#include "sensor/hub/hub_watch.h"
#include "sensor/hub/intake.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/loss.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/proposal.h"
#include "sensor/hub/proposal_mirror.h"
#include "sensor/hub/publisher.h"
#include "sensor/hub/store_damage.h"
#include "sensor/hub/store_thread.h"
#include "sensor/hub/walls.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

enum {
	BATCH_MS = 10,          /* longest wait of a finding for others */
	BATCH_FINDINGS = 1000,  /* most of one batch */
	RETRY_MS = 500,         /* after the store refused */
	TICK_MS = 1000,
	WATCH_MS = 100,
	REFRESH_A_TICK = 500,   /* nodes whose last-seen times are written in one tick */
	REVIEW_A_TICK = 50,     /* assets whose gaps are looked at again, because time passes */
	REVIEW_AT_START = 2000, /* ... and at the start, because rules may be new */
	END_WAIT_MS = 2000,
	HOLD_MS = 2,            /* between looks at an engine that a report waits for */
	HOLD_MOST_MS = 500,     /* then the report is taken without it */
	WAITING_MOST = 1 << 30, /* bytes of a ring */
};

static struct {
	struct hub_config config;
	uv_loop_t loop;
	uv_timer_t batch_timer, tick_timer, watch_timer, hold_timer;
	uv_idle_t more;          /* runs while a ring is not empty */
	uv_signal_t term, interrupt;
	uv_async_t stored;       /* a commit has ended */
	uv_poll_t polls[CONFIG_ENGINES];
	struct intake intakes[CONFIG_ENGINES];
	struct gather gather;
	uint64_t held_ms;        /* since when a report waits, 0 for not */
	struct store store;
	struct keeper *keeper;
	struct knowledge knowledge;
	struct picture picture;
	struct batch batch;
	struct proposals proposals; /* with probing off only to take what analysts state */
	struct analyst_facts facts;
	unsigned taken;          /* reports since the last flush */
	uint64_t noted[CONFIG_ENGINES]; /* up to where the commit under way takes the rings */
	bool under_way;
	uint32_t reviewed;       /* node up to which assets were reviewed */
	uint32_t review_fast;    /* nodes still to review at the start */
	uint64_t forced;         /* times that rings were released without the store */
	bool ending;
	int exit_code;
} hub;

static void end_loop(void)
{
	uv_stop(&hub.loop);
}

static void give_up(int exit_code)
{
	hub.exit_code = exit_code;
	hub.ending = true;
	uv_stop(&hub.loop);
}

static int note_positions(struct store *s, void *context)
{
	(void)context;
	for (unsigned i = 0; i < hub.config.engines; i++)
		if (intake_note(&hub.intakes[i], s) < 0)
			return -1;
	return hub_watch_store(s);
}

/* A store that refuses must not make the engines wait for ever: the picture in memory has it all. */
static void relieve_rings(void)
{
	for (unsigned i = 0; i < hub.config.engines; i++)
		if (intake_strained(&hub.intakes[i])) {
			if (hub.forced++ == 0)
				log_warning("findings are taken without being stored; a crash now would lose them");
			intake_release(&hub.intakes[i]);
		}
}

static void flush_batch(uv_timer_t *timer);

static void wait_for_store(void)
{
	relieve_rings();
	uv_timer_start(&hub.batch_timer, flush_batch, RETRY_MS, 0);
}

/* What the commit under way brings to the disk may be told and given back then, no sooner. */
static bool end_commit(void)
{
	if (!hub.under_way)
		return true;
	hub.under_way = false;
	if (batch_store_end(&hub.batch) < 0) {
		wait_for_store();
		return false;
	}
	publisher_kick();
	for (unsigned i = 0; i < hub.config.engines; i++)
		intake_release_to(&hub.intakes[i], hub.noted[i]);
	return true;
}

static bool begin_commit(void)
{
	bool watched = hub_watch_unstored();

	if (batch_store_begin(&hub.batch, note_positions, NULL) < 0) {
		wait_for_store();
		return false;
	}
	for (unsigned i = 0; i < hub.config.engines; i++)
		hub.noted[i] = hub.intakes[i].taken;
	hub.under_way = true;
	/* What the watch learns meanwhile could not be told from what it wrote. */
	if (!watched)
		return true;
	if (!end_commit())
		return false;
	hub_watch_stored();
	return true;
}

static void flush_batch(uv_timer_t *timer)
{
	(void)timer;
	hub.taken = 0;
	batch_draft(&hub.batch);
	if (!end_commit())
		return;
	/* What said nothing new needs no transaction: hearing it again after a crash changes nothing either. */
	if (batch_pending(&hub.batch) || hub_watch_unstored()) {
		begin_commit();
		return;
	}
	for (unsigned i = 0; i < hub.config.engines; i++)
		intake_release(&hub.intakes[i]);
}

/* Another one may be under way by now. */
static void on_stored(uv_async_t *async)
{
	(void)async;
	if (!store_is_committing(&hub.store))
		end_commit();
}

static void tell_stored(void *context)
{
	(void)context;
	uv_async_send(&hub.stored);
}

static void note_taken(void)
{
	if (++hub.taken == 1 && !uv_is_active((uv_handle_t *)&hub.batch_timer))
		uv_timer_start(&hub.batch_timer, flush_batch, BATCH_MS, 0);
	if (hub.taken >= BATCH_FINDINGS && !hub.store.failing) {
		uv_timer_stop(&hub.batch_timer);
		flush_batch(NULL);
	}
}

static void take_report(unsigned engine, const struct report *r)
{
	switch (r->type) {
	case REPORT_FINDING:
		picture_hear(&hub.picture, &r->finding, r->sent_from);
		hub_watch_hear(&r->finding);
		break;
	case REPORT_PULSE:
		hub_watch_pulse(&r->pulse);
		break;
	case REPORT_COUNTERS:
		health_counters(engine, &r->counters);
		loss_counters(engine, &r->counters);
		hub_watch_counters(engine, &r->counters);
		break;
	case REPORT_END:
		if (r->progress.why[0])
			log_warning("engine %u: after %llu frames: %s", engine, (unsigned long long)r->progress.frames, r->progress.why);
		else
			log_info("engine %u: its file is read, %llu frames", engine, (unsigned long long)r->progress.frames);
		break;
	default:
		break;
	}
	note_taken();
}

static void drain_held(uv_timer_t *timer);

/* A report waits for an engine that is behind, or dead: it is looked for again soon, but not for ever. */
static void hold(void)
{
	uint64_t now_ms = uv_now(&hub.loop);

	if (!hub.held_ms)
		hub.held_ms = now_ms;
	if (now_ms - hub.held_ms >= HOLD_MOST_MS) {
		gather_give_up(&hub.gather);
		hub.held_ms = 0;
	}
	uv_timer_start(&hub.hold_timer, drain_held, HOLD_MS, 0);
}

/* Takes what the engines sent, one batch at most. True when their rings are empty, or a report is held, and their wakes are awaited. */
static bool drain(void)
{
	const struct report *report;
	unsigned engine;

	for (unsigned n = 0; n < BATCH_FINDINGS; n++) {
		enum gather_result result = gather_next(&hub.gather, &report, &engine);

		if (result == GATHER_REPORT) {
			hub.held_ms = 0;
			take_report(engine, report);
			continue;
		}
		if (result == GATHER_BROKEN) {
			give_up(EXIT_WRONG_REPORT);
			return true;
		}
		if (!gather_sleep(&hub.gather))
			continue;
		if (result == GATHER_WAIT)
			hold();
		return true;
	}
	return false;
}

static void drain_more(uv_idle_t *idle)
{
	if (hub.ending || drain())
		uv_idle_stop(idle);
}

static void drain_on(void)
{
	if (!hub.ending && !drain())
		uv_idle_start(&hub.more, drain_more);
}

static void drain_held(uv_timer_t *timer)
{
	(void)timer;
	drain_on();
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	ring_woken(&hub.intakes[poll - hub.polls].ring);
	drain_on();
}

/* Things heard again: only their times changed. A few at a time, the eldest first. */
static void refresh_touched(void)
{
	struct picture *p = &hub.picture;
	size_t count = p->touched_count < REFRESH_A_TICK ? p->touched_count : REFRESH_A_TICK;

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		struct node *n = p->touched_nodes[i];

		n->dirty = (uint8_t)(n->dirty & ~NODE_TOUCHED);
		picture_change(p, n);
	}
	if (count)
		memmove(p->touched_nodes, p->touched_nodes + count, (p->touched_count - count) * sizeof *p->touched_nodes);
	p->touched_count -= count;
}

/* Walks over all nodes again and again: what is known grows stale while nothing is heard. */
static void review_some(void)
{
	struct picture *p = &hub.picture;
	uint32_t count = hub.review_fast ? REVIEW_AT_START : REVIEW_A_TICK;

	for (uint32_t i = 0; i < count && p->node_count; i++) {
		struct asset *a = p->nodes[hub.reviewed++ % p->node_count]->asset;

		if (a->founder->number == (hub.reviewed - 1) % p->node_count + 1 && !a->dirty)
			batch_review(&hub.batch, a);
		if (hub.review_fast)
			hub.review_fast--;
	}
}

/* The next hub looks at the whole store, and replaces it when it must. */
static void leave_damaged_store(void)
{
	log_error("%s: SQLite met damage in it; the hub starts anew, and looks", sqlite3_db_filename(hub.store.db, "main"));
	store_suspect(sqlite3_db_filename(hub.store.db, "main"), false);
	give_up(EXIT_DAMAGED_STORE);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	if (store_damage_met()) {
		leave_damaged_store();
		return;
	}
	refresh_touched();
	loss_tick();
	review_some();
	if (hub.batch.proposals && proposals_tick(&hub.proposals, now_s()))
		publisher_kick();
	if ((hub.picture.changed_asset_count || batch_pending(&hub.batch) || hub_watch_unstored()) && !uv_is_active((uv_handle_t *)&hub.batch_timer))
		uv_timer_start(&hub.batch_timer, flush_batch, BATCH_MS, 0);
}

static void on_watch(uv_timer_t *timer)
{
	(void)timer;
	ring_beat(&hub.intakes[0].ring);
	hub_watch_tick();
}

static void count_picture(struct health_picture *h)
{
	h->assets = hub.picture.assets;
	h->services = hub.picture.services;
	h->subassets = hub.picture.subassets;
	h->gaps = hub.batch.gaps;
	h->assets_refused = hub.picture.counters.assets_refused;
	h->events_lost = hub.batch.dropped;
	h->reports_rejected = 0;
	for (unsigned i = 0; i < hub.config.engines; i++) {
		uint64_t waiting = ring_counter(&hub.intakes[i].ring, NOTE_WAITING);

		h->waiting_bytes[i] = waiting > WAITING_MOST ? WAITING_MOST : waiting;
	}
}

/* Takes what is still in the rings, stores it, and lets the publisher send what it can in a moment. */
static void on_end(uv_signal_t *handle, int number)
{
	(void)handle;
	(void)number;
	if (hub.ending)
		return;
	hub.ending = true;
	hub.gather.hasty = true;
	while (!drain())
		continue;
	uv_timer_stop(&hub.batch_timer);
	flush_batch(NULL);
	end_commit();
	if (hub.batch.proposals) {
		dispatch_end();
		proposal_mirror_stop();
	}
	approvals_stop();
	health_stop();
	publisher_stop(END_WAIT_MS, end_loop);
}

/* 0, or the exit code. */
static int open_store(void)
{
	char path[CONFIG_PATH_BYTES + 16];

	snprintf(path, sizeof path, "%s/askance.db", hub.config.state_dir);
	if (store_open(&hub.store, path) < 0)
		return EXIT_CONFIGURATION;
	hub.keeper = keep_open(&hub.store);
	picture_start(&hub.picture, hub.config.sensor, hub.config.zone, hub.config.max_assets);
	if (keep_load(&hub.store, &hub.picture) < 0) {
		store_suspect(path, true);
		return EXIT_DAMAGED_STORE;
	}
	hub.picture.telling = true;
	batch_start(&hub.batch, &hub.picture, &hub.store, hub.keeper, &hub.knowledge);
	if (analyst_facts_open(&hub.facts, &hub.store, &hub.picture) < 0 ||
	    proposals_open(&hub.proposals, &hub.store, &hub.knowledge, &hub.picture, (uint8_t)hub.config.probing) < 0)
		return EXIT_CONFIGURATION;
	if (hub.config.probing != PROBING_OFF)
		batch_propose(&hub.batch, &hub.proposals);
	if (hub_watch_open(&hub.config, &hub.store, &hub.picture, &hub.batch, hub.batch.proposals ? dispatch_abort : NULL) < 0)
		return EXIT_CONFIGURATION;
	hub.proposals.watch = hub_watch();
	batch_count_gaps(&hub.batch);
	if (hub.picture.assets)
		log_info("%s: %u assets known", path, hub.picture.assets);
	return 0;
}

static void end_on_prober(void)
{
	give_up(EXIT_WRONG_OUTCOME);
}

/* With probing off no order is ever written, and of commands only facts are taken. */
static int open_probing(void)
{
	static const struct approvals_ears ears = { dispatch_stop, dispatch_resume, dispatch_abort, hub_watch_release };
	static struct dispatch_watch watching = { NULL, watch_may_start, watch_started, watch_ended };
	struct dispatch_setup setup = { &hub.proposals, &hub.picture, &watching, end_on_prober, loss_is_high };

	watching.watch = hub_watch();
	if (approvals_start(&hub.loop, &hub.proposals, &hub.facts, hub.config.sensor, hub.batch.proposals ? &ears : NULL) < 0)
		return -1;
	if (!hub.batch.proposals)
		return 0;
	proposal_mirror_start(&hub.store, hub.config.sensor);
	return dispatch_start(&hub.loop, &setup);
}

static int open_intakes(void)
{
	hub.gather = (struct gather){ .intakes = hub.intakes, .count = hub.config.engines };
	for (unsigned i = 0; i < hub.config.engines; i++) {
		if (intake_open(&hub.intakes[i], i, &hub.store) < 0)
			return -1;
		hub.intakes[i].source = hub.config.source[i];
		if (uv_poll_init(&hub.loop, &hub.polls[i], hub.intakes[i].wake) < 0 ||
		    uv_poll_start(&hub.polls[i], UV_READABLE, on_wake) < 0) {
			log_error("the loop refuses the wake of engine %u", i);
			return -1;
		}
	}
	return 0;
}

static void start_handles(void)
{
	if (store_threads_open(&hub.store, tell_stored, NULL) < 0)
		log_warning("the store is written without threads of its own");
	uv_async_init(&hub.loop, &hub.stored, on_stored);
	uv_timer_init(&hub.loop, &hub.batch_timer);
	uv_timer_init(&hub.loop, &hub.tick_timer);
	uv_timer_start(&hub.tick_timer, on_tick, TICK_MS, TICK_MS);
	uv_timer_init(&hub.loop, &hub.watch_timer);
	uv_timer_start(&hub.watch_timer, on_watch, WATCH_MS, WATCH_MS);
	uv_timer_init(&hub.loop, &hub.hold_timer);
	uv_idle_init(&hub.loop, &hub.more);
	uv_idle_start(&hub.more, drain_more);
	uv_signal_init(&hub.loop, &hub.term);
	uv_signal_start(&hub.term, on_end, SIGTERM);
	uv_signal_init(&hub.loop, &hub.interrupt);
	uv_signal_start(&hub.interrupt, on_end, SIGINT);
	hub.review_fast = hub.picture.node_count;
}

int hub_run(const struct hub_config *config)
{
	int opened;

	hub.config = *config;
	/* A reader of stdout that went away is an error of its write, not the end of the sensor. */
	signal(SIGPIPE, SIG_IGN);
	if (uv_loop_init(&hub.loop) < 0 || knowledge_load(&hub.knowledge, config) < 0)
		return EXIT_CONFIGURATION;
	opened = open_store();
	if (opened)
		return opened;
	if (open_intakes() < 0 || open_probing() < 0 || publisher_start(&hub.loop, &hub.store, config) < 0 ||
	    health_start(&hub.loop, &hub.store, config, count_picture) < 0)
		return EXIT_CONFIGURATION;
	start_handles();
	if (hub_walls(config) < 0)
		return EXIT_CONFIGURATION;
	uv_run(&hub.loop, UV_RUN_DEFAULT);
	hub_watch_close();
	batch_free(&hub.batch);
	picture_end(&hub.picture);
	knowledge_free(&hub.knowledge);
	proposals_close(&hub.proposals);
	analyst_facts_close(&hub.facts);
	keep_close(hub.keeper);
	outbox_close(&hub.store);
	store_close(&hub.store);
	return hub.exit_code;
}
