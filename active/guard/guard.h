/*
 * The compiled list of what may ever be sent: for each protocol the function codes that only read.
 *
 * A rules file can narrow this list, never widen it. The guard reads a whole message as it would go
 * on the wire and has no notion of rules, targets or holes: what it cannot read to its last byte,
 * or does not know, is refused.
 */
#ifndef ACTIVE_GUARD_GUARD_H
#define ACTIVE_GUARD_GUARD_H

#include "classifiers/finding/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUARD_WHY_BYTES = 160, GUARD_READING_BYTES = 200 };

/* What the guard found in a message. */
struct guard_answer {
	bool allowed;
	char why[GUARD_WHY_BYTES];         /* refused: the reason, "function 0x10 (write multiple registers) ..." */
	char reading[GUARD_READING_BYTES]; /* allowed: what the message asks, "read device identification, basic, from object 0" */
};

/*
 * Judges one message: a UDP datagram's or an Ethernet frame's payload (after the ethertype), or
 * exactly one message of a TCP stream.
 */
struct guard_answer guard_allows(const char *protocol, enum transport transport, const void *bytes, size_t len);

/* The same judgement without its words, for those who ask thousands of times. */
bool guard_permits(const char *protocol, enum transport transport, const void *bytes, size_t len);

/*
 * True for ports of printers, JetDirect's 9100 to 9107 and LPD's 515: they print whatever they get, so that
 * no rule, whitelist or approval can reach them.
 */
bool guard_port_prints(uint16_t port);

/* True when there is a list for that protocol on that transport. */
bool guard_knows(const char *protocol, enum transport transport);

/* The i-th protocol with its transports (1 << enum transport, or-ed) and a line on what it may send; NULL past the end. */
const char *guard_protocol(size_t i, uint8_t *transports, const char **may);

#endif
