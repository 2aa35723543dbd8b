/* The network interfaces of this machine, as somebody who looks for the SPAN port wants to see them. */
#ifndef SENSOR_CTL_INTERFACES_H
#define SENSOR_CTL_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INTERFACES_MOST = 64, INTERFACE_NAME_BYTES = 16, INTERFACE_ADDRESS_BYTES = 64, INTERFACE_LINK_BYTES = 32 };

struct interface_seen {
	char name[INTERFACE_NAME_BYTES];
	char link[INTERFACE_LINK_BYTES];       /* "1000 Mbit/s", "up", "no carrier", "down" */
	char address[INTERFACE_ADDRESS_BYTES]; /* one of its own, an IPv4 one if it has any; empty for none */
	bool has_link;
	bool counted;
	double frames_a_second; /* received, of all that the wire brings; valid when counted */
};

struct interfaces {
	size_t count;
	struct interface_seen one[INTERFACES_MOST]; /* sorted by name; without the loopback one */
};

/* 0, or -1 with errno. */
int interfaces_list(struct interfaces *all);

/*
 * Sets all interfaces with a link to promiscuous for that time, so that they count what the switch mirrors, and reads
 * the kernel's counters. Not one frame is read. Without the right to it only what is meant for this machine counts:
 * then false, with errno.
 */
bool interfaces_count(struct interfaces *all, unsigned milliseconds);

/* NULL when there is none of that name. */
const struct interface_seen *interfaces_find(const struct interfaces *all, const char *name);

#endif
