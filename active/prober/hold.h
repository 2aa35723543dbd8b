/*
 * Connections that are being closed, and those that must outlive us.
 *
 * A process that dies closes its sockets as they are, and the kernel then answers what still comes
 * with RST. So every open socket also lies as a message in a socket pair whose ends the supervisor
 * keeps: should we be killed, it stays open there, and our successor takes it out and closes it in
 * order. A connection is closed by FIN, then read until the device closes too, for a minute at most.
 */
#ifndef ACTIVE_PROBER_HOLD_H
#define ACTIVE_PROBER_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HOLD_SOCKETS = 8,
	HOLD_TCP_MS = 60000, /* a device gets this long to close its side */
	HOLD_UDP_MS = 5000,  /* a late answer is swallowed, where a closed port would answer it by ICMP */
	HOLD_CONNECT_MS = 800,
};

struct held {
	int fd;          /* -1: free */
	bool lingers;    /* nobody but the hold uses it any more */
	bool connecting; /* a predecessor's, whose SYN may be unanswered yet */
	int64_t until_ms;
};

struct hold {
	struct held held[HOLD_SOCKETS];
};

/* Takes over what a predecessor left, and closes it in order as time goes on. */
void hold_open(struct hold *h);

/* A place for one more; without one nothing new may be opened. */
bool hold_has_room(const struct hold *h);

/* Keeps a socket alive beyond our death, from before its first frame on. False when that can't be. */
bool hold_keep(struct hold *h, int fd);

/* Nobody uses it any more: a TCP socket that was shut down for writing, or an UDP socket. It is closed when its time has come. */
void hold_linger(struct hold *h, int fd);

/* Closes it now: it never had a connection, or has none any more. */
void hold_close(struct hold *h, int fd);

/* Reads and throws away what lingering sockets got; closes those that ended. True while any TCP socket lingers. */
bool hold_look(struct hold *h, int64_t now_ms);

#endif
