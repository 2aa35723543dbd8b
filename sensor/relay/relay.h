/*
 * The relay: the one way from the hub to a Redis that has no UNIX socket here. The hub asks for it with
 * a command of Redis's own form, RELAY host port. The relay connects, over TLS when the configuration says
 * so, and makes sure that a Redis is there: it sends PING and looks at the answer before a byte of the
 * hub passes. Then it answers +OK, or -ERR with the cause, and carries bytes until either side ends.
 *
 * A hub that was taken over can so reach nothing but Redis servers on the configured ports; with TLS,
 * nothing without a certificate of the configured authority.
 */
#ifndef SENSOR_RELAY_RELAY_H
#define SENSOR_RELAY_RELAY_H

/* Reads its configuration and serves until SIGTERM, or until its only client ends. The exit code: 0, or 2 for a wrong configuration. */
int relay_run(void);

#endif
