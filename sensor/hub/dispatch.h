/*
 * From approvals to orders: what is approved, in time, allowed, within its budgets and clear to the watch is
 * handed to the prober, one target at a time; what came of it is told. The prober judges all of it again.
 *
 * Once a second the prober hears that the hub lives. A hub that dies between its store and the pipe has
 * noted a run that nobody began: it is tried again, and the prober's ledger knows whether it was one too many.
 * Whatever the prober carries out is told as planned and as ended, once each, also when the run was given up before, the
 * store refused, or a hub died with the prober's word.
 */
#ifndef SENSOR_HUB_DISPATCH_H
#define SENSOR_HUB_DISPATCH_H

#include "sensor/hub/proposal.h"
#include "sensor/hub/watch.h"

#include <uv.h>

/* The watch's part in it. NULL: everything is clear. */
struct dispatch_watch {
	struct watch *watch;
	bool (*may_start)(struct watch *w, const struct watch_target *t, const char *rule, int64_t now_ns, struct watch_verdict *v);
	bool (*started)(struct watch *w, uint64_t order, const struct watch_target *t, const char *rule, int64_t now_ns);
	void (*ended)(struct watch *w, uint64_t order, bool asked, int64_t now_ns);
};

struct dispatch_setup {
	struct proposals *proposals;
	const struct picture *picture;
	const struct dispatch_watch *watch;
	void (*wrong)(void);          /* the prober wrote what no prober writes */
	bool (*loss)(void);           /* true while the sensor loses too much to judge */
};

/* Without the pipes FD_ORDERS and FD_OUTCOMES nothing is dispatched. 0, or -1 after log_error(). */
int dispatch_start(uv_loop_t *loop, const struct dispatch_setup *setup);
void dispatch_end(void);

/* The kill switch, durable until dispatch_resume(). */
void dispatch_stop(void);
void dispatch_resume(void);
/* Ends a run politely. */
void dispatch_abort(uint64_t run);

/* Looks for something to do now, and not at the next second. */
void dispatch_kick(void);

#endif
