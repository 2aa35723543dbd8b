/*
 * The walls round a process: no new privileges, no capabilities, Landlock, seccomp. Each process
 * states what it needs and nothing else is left; sandbox_enter() is the last step before the first
 * hostile byte.
 */
#ifndef SENSOR_COMMON_SANDBOX_H
#define SENSOR_COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct sandbox_path {
	const char *path;
	bool write; /* read alone, or also create, write, rename and remove below it */
};

struct sandbox {
	const char *process;
	const int *system_calls;   /* allowed, ended by -1; what every process needs is added */
	const struct sandbox_path *paths; /* that may be opened, ended by a NULL path; NULL allows none */
	bool keep_net_raw;         /* capture: CAP_NET_RAW stays until its sockets are open */
	unsigned long address_space; /* RLIMIT_AS in bytes, 0 for none */
};

/*
 * Puts up the walls. With `require` a wall that this kernel lacks is an error (-1, told by
 * log_error); without it, it is a warning. Returns 0 when all stand, 1 when some are missing.
 */
int sandbox_enter(const struct sandbox *s, bool require);

#endif
