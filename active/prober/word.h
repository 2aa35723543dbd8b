/*
 * The hub's word, as it comes over the pipe: orders checked to the byte, whether the hub lives, and
 * whether probing is stopped by it, by the file STATE/stop-probing or by a signal.
 */
#ifndef ACTIVE_PROBER_WORD_H
#define ACTIVE_PROBER_WORD_H

#include "active/guard/order.h"

#include <stdbool.h>

enum { WORD_LOOK_MS = 20 }; /* while something is asked, no longer than this between two looks for a stop */

/* False for what no honest hub writes. */
bool order_valid(const struct order *o);

struct word {
	char stop_file[300];  /* made by a person: stops while it is there */
	int stopped_fd;         /* STATE/audit/stopped, '1' in it: a stop by the hub outlives us; -1: it can't be kept */
	int64_t alive_ms;     /* when the hub last said so, by the clock that does not jump; 0: never */
	bool loss;            /* and whether it hears enough */
	bool stopped;         /* by the hub, until it says otherwise */
	bool ended;           /* the pipe came to its end */
	bool wrong;           /* something came that no honest hub writes */
	uint64_t abort;       /* run that is to end, 0 for none */
	bool has_order;       /* an order waits in `order` */
	struct order order;
};

/* Opens its files; the audit's folder is there. A stop from before our time still holds. */
void word_open(struct word *w, const char *state_dir);

/* Throws away what was written for a predecessor: `refuse` gets each order among it. Stops are obeyed. */
void word_skip(struct word *w, void (*refuse)(void *context, const struct order *o), void *context);

/*
 * Takes one message from FD_ORDERS if there is one. True when one was taken; an order to carry out is
 * left in w->order with has_order set, and must be taken from there before the next call.
 */
bool word_take(struct word *w);

/* Why nothing may be sent now; REFUSED_NOT when it may. Looks at the file. */
enum refusal word_forbids(const struct word *w);

int64_t clock_ms(void);  /* monotonic */
int64_t clock_ns(void);  /* since 1970 */

/* Signals that ended us or stopped us; set by prober.c. */
bool word_ending(void);
void word_watch_signals(void);

#endif
