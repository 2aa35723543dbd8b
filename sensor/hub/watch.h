/*
 * The watch: what a probe does to its target, seen from the SPAN port.
 *
 * Engines tell the figures of cyclic traffic (struct pulse). The watch learns from them what is usual for
 * each device, says whether one may be asked now, and looks on while it is asked and for some time after.
 * A deviation stops the order, quarantines the device and every other of its (vendor, product, firmware),
 * and is told as an alarm with the figures before and after. Only an analyst lifts a quarantine.
 *
 * All times are nanoseconds since 1970, the clock of live frames. Nothing here blocks.
 */
#ifndef SENSOR_HUB_WATCH_H
#define SENSOR_HUB_WATCH_H

#include "classifiers/finding/finding.h"
#include "sensor/common/message.h"

#include <stdbool.h>
#include <stdint.h>

struct asset;
struct batch;
struct json;
struct picture;
struct store;
struct watch;

/* Whether a device may be asked now. Everything but CLEAR means: not now, ask again later. */
enum watch_word {
	WATCH_CLEAR,
	WATCH_LEARNING,    /* not heard for long enough to know what is usual for it */
	WATCH_UNSTEADY,    /* it is not as it usually is */
	WATCH_ENGINEERING, /* an engineer is at work in its zone, or was a moment ago */
	WATCH_QUARANTINED, /* it, or one of its kind, suffered from a probe; until an analyst releases it */
	WATCH_CANARY_WAIT, /* the first of its kind was asked a moment ago, and must have stayed well first */
	WATCH_BLIND,       /* the sensor does not hear enough to judge */
	WATCH_WORDS
};

/* "clear", "learning" ... */
const char *watch_word_name(enum watch_word w);

enum {
	WATCH_WHY_BYTES = 256,
	WATCH_ORDERS = 64,      /* under way or looked after at once; more are not started (WATCH_BLIND) */
	WATCH_TARGETS = 16384,  /* client-server pairs with figures */
	WATCH_QUARANTINES = 1024,
};

/* Who is to be asked, as the approval names it. */
struct watch_target {
	uint16_t vlan[2];
	struct endpoint address; /* by its IP where it has one, else by its MAC */
	uint8_t transport;
	uint16_t port;           /* 0 for a layer-2 protocol */
};

struct watch_verdict {
	enum watch_word word;
	int64_t again_ns;          /* when the answer may be another; 0: nobody knows */
	char why[WATCH_WHY_BYTES]; /* a sentence for people */
};

/* 0 in any of them means the default, which stands behind it. */
struct watch_times {
	int64_t learn_ns;   /* cyclic traffic must have been steady for so long: 10 min */
	int64_t hold_ns;    /* after engineering was seen in the zone: 15 min */
	int64_t observe_ns; /* after a probe ended: 60 s, and at least ten cycles of the target */
	int64_t canary_ns;  /* the first of a kind must have been well for so long: 10 min */
	uint32_t loss_permille; /* frames lost by capture, of those heard in ten seconds, that make it blind: 10 */
};

/*
 * `abort_order` is called, from within watch_pulse(), watch_hear(), watch_loss() or watch_tick(), when an order under way
 * must stop; `evidence` is valid during the call. The order stays under watch until watch_ended().
 */
struct watch_ears {
	void (*abort_order)(void *context, uint64_t order, const char *evidence);
	void *context;
};

/* Reads the quarantines and canaries that the store holds. NULL after log_error(). The pieces stay the caller's. */
struct watch *watch_open(struct store *s, struct picture *p, struct batch *b, const struct watch_times *times, const struct watch_ears *ears);
void watch_close(struct watch *w);

/* What engines tell. Findings are of interest as activities and as signs of life; give it all of them. */
void watch_pulse(struct watch *w, const struct pulse *p, int64_t now_ns);
void watch_hear(struct watch *w, const struct finding *f, int64_t now_ns);
/* Totals of all engines, since they started. Call with each REPORT_COUNTERS. */
void watch_loss(struct watch *w, uint64_t frames, uint64_t lost, int64_t now_ns);
/* Call it every 100 ms or so: time passes for those who are silent, too. */
void watch_tick(struct watch *w, int64_t now_ns);

/* May this device be asked now? False with *v filled when not; true with WATCH_CLEAR. Changes nothing. */
bool watch_may_start(struct watch *w, const struct watch_target *t, const char *rule, int64_t now_ns, struct watch_verdict *v);

/*
 * An order goes to the prober; from here on the target is looked at. Call it before the order is sent, with an
 * order number that is not under watch. False when it can't be watched: don't send it then.
 */
bool watch_started(struct watch *w, uint64_t order, const struct watch_target *t, const char *rule, int64_t now_ns);
/*
 * The prober told how it ended. `asked` is false when no frame went out (refused): the observation ends at once. Else it
 * goes on for observe_ns, and the order's number must stay known to whoever hears abort_order() until then.
 */
void watch_ended(struct watch *w, uint64_t order, bool asked, int64_t now_ns);
/* True while the order is under way or its target is still looked after. */
bool watch_holds(const struct watch *w, uint64_t order);

/*
 * An analyst's signed command. `asset` is the id of the quarantined device that suffered, `analyst` a name from
 * rules/policy. 0, or -1 with a sentence in why[WATCH_WHY_BYTES]: unknown, or in quarantine because of another.
 */
int watch_release(struct watch *w, const char *asset, const char *analyst, int64_t now_ns, char *why);

/* In the open transaction: writes what changed of quarantines and canaries. 0 or -1; watch_stored() after the commit. */
int watch_store(struct watch *w, struct store *s);
bool watch_unstored(const struct watch *w);
void watch_stored(struct watch *w);

/* True when watch_write() has something to say. `a` may be NULL. */
bool watch_knows(struct watch *w, const struct asset *a);
/* Members of an object: the baseline, the last figures and the quarantine of the asset, as documents show them. */
void watch_write(struct watch *w, const struct asset *a, int64_t now_ns, struct json *j);

#endif
