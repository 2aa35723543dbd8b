/* The prober: the one process that may ask a device. */
#ifndef ACTIVE_PROBER_PROBER_H
#define ACTIVE_PROBER_PROBER_H

/* Reads its configuration, then orders until its descriptor ends, SIGTERM or SIGUSR1. Returns the exit code: 0, or 2 for a wrong message. */
int prober_run(void);

#endif
