/* The prober: the one process that may ask a device. As yet it refuses every order. */
#ifndef ACTIVE_PROBER_PROBER_H
#define ACTIVE_PROBER_PROBER_H

/* Reads its configuration, then orders until its descriptor ends or SIGTERM. Returns the exit code: 0, or 2 for a wrong message. */
int prober_run(void);

#endif
