/* What an intruder would try, one call each; and what a process needs, so that a wall is not just a grave. */
#ifndef TESTS_SYSTEM_ATTEMPTS_H
#define TESTS_SYSTEM_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which roles an attempt is made in. */
enum {
	ENGINE = 1 << 0,
	CAPTURE = 1 << 1,
	PROBER = 1 << 2,
	HUB = 1 << 3,
	RELAY = 1 << 4,
	SUPERVISOR = 1 << 5,
	PROBER_OFF = 1 << 6, /* while probing is off in the configuration */
	CONSOLE = 1 << 7,
	SEALED = ENGINE | CAPTURE | PROBER_OFF, /* have no business outside */
	NARROW = SEALED | PROBER,
	WALLED = NARROW | HUB | RELAY | CONSOLE,
	ALL = WALLED | SUPERVISOR,
};

/* Descriptors that each attempt finds, as if the process had inherited or kept them. */
enum { PACKET_FD = 40, TCP_FD = 41, UDP_FD = 42, MEMORY_FD = 43, CONNECTED_FD = 44, AUDIT_FD = 45 };

/* First source port of the prober. */
enum { PROBE_PORT = 31700 };

/* The scene that is set for all attempts; walls_try.c sets it. */
struct scene {
	uint16_t port;         /* a listener on 127.0.0.1 */
	uint16_t redis_port;   /* another, which the relay may use */
	char folder[64];       /* of our own; state and rules lie below it */
	char file[80];         /* in it, outside the state folder */
	char state[80];
	char rules[80];
	char audit[96];        /* a file in state, which AUDIT_FD is */
	char mount[80];
	char abstract[32];     /* name of a listening abstract socket */
	int parent;            /* pid outside the walls */
};
extern struct scene scene;

struct attempt {
	const char *name;
	unsigned roles;
	bool (*works)(void);
	bool may_lack; /* a kernel may lack it or forbid it to root: then nothing is learned from it */
	int landlock;  /* the version that refuses it where a process has other business there and nothing else can; else 0 */
};

/* Ended by a NULL name. */
extern const struct attempt wire_attempts[], machine_attempts[]; /* must all be refused */
extern const struct attempt needs[];                             /* must all work */

/* Attempts that are needs elsewhere. */
bool socket_packet(void);
bool socket_tcp(void);
bool socket_unix(void);
bool connect_redis(void);
bool exec_shell(void); /* the shell's exit code is 77 */
bool opens(const char *path, int how);

#endif
