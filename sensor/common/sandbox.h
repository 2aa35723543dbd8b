/*
 * The walls round a process: no new privileges, no capabilities, Landlock, seccomp, limits. Each
 * process states what it needs and nothing else is left; sandbox_enter() is the last step before the
 * first hostile byte.
 */
#ifndef SENSOR_COMMON_SANDBOX_H
#define SENSOR_COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_path {
	const char *path; /* a folder with all below it, or one file; one that does not exist allows nothing */
	bool write;       /* read alone, or also create, write, rename and remove below it */
	bool execute;
};

/*
 * A system call that is allowed when all its tests hold: (argument & mask) == value. A mask of 0 is
 * no test. Rows with the same call are alternatives. A list ends with a call of -1.
 */
enum { SANDBOX_TESTS = 3 };

struct sandbox_call {
	int call;
	struct {
		uint64_t mask;
		uint64_t value;
		unsigned argument; /* 0 .. 5 */
	} test[SANDBOX_TESTS];
};

#define SANDBOX_ANY (~(uint64_t)0)
/* `call` on descriptor `fd` alone, as its first argument. */
#define SANDBOX_ON(call, fd) { (call), { { SANDBOX_ANY, (uint64_t)(fd), 0 } } }

struct sandbox {
	const char *process;
	/*
	 * Allowed, ended by -1; what every process needs is added (memory that is not executable, read,
	 * time, futex, exit, write to stderr). NULL: all but those that nobody here has a use for, for a
	 * process whose children inherit its walls.
	 */
	const int *system_calls;
	const struct sandbox_call *tested_calls; /* may be NULL */
	const struct sandbox_path *paths; /* that may be opened, ended by a NULL path; NULL allows none */
	const uint16_t *tcp_port;    /* TCP ports that may be connected to */
	unsigned tcp_ports;          /* how many, 0 for none */
	uint16_t tcp_bind_first;     /* TCP may be connected to any port, from these alone; 0 for no such thing */
	uint16_t tcp_bind_last;
	bool tcp_free;               /* TCP is not walled by Landlock (for its children's sake) */
	bool threads;                /* may start threads of its own */
	bool keep_net_raw;           /* CAP_NET_RAW stays, all others go */
	unsigned long address_space; /* RLIMIT_AS in bytes, 0 for none */
	unsigned long files;         /* RLIMIT_NOFILE, 0 leaves it; poll() takes no more descriptors than this */
};

/* Walls that a kernel may lack, or-ed. */
enum sandbox_lack {
	SANDBOX_NO_NEW_PRIVS = 1 << 0,
	SANDBOX_LANDLOCK = 1 << 1,
	SANDBOX_SECCOMP = 1 << 2,
	SANDBOX_LACKS = 1 << 3,
};

/*
 * Puts up the walls and tries to take the rights back. With `require` a wall that this kernel lacks
 * is an error (-1, told by log_error); without it, it is a warning. A right that could be taken back
 * in spite of its wall is an error in either case. Returns what lacks (enum sandbox_lack), 0 when all stand.
 *
 * A forbidden system call fails with EPERM; a few that only an intruder makes (exec, ptrace, bpf,
 * mount, ...) end the process with SIGSYS.
 */
int sandbox_enter(const struct sandbox *s, bool require);

#endif
