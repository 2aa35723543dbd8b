/*
 * A conversation written down as text, for tests of classifiers.
 *
 *	# comment
 *	tcp 49152 502 [midstream] [truncated] [norecut]
 *	udp 49152 47808 [multicast] [truncated]
 *	ethernet 0x8892 02:00:00:00:00:01 01:0e:cf:00:00:00 [truncated]
 *	ip 112 [truncated]
 *	> 00 01 "text\r\n" 20*5    the first port (or MAC) sends: one segment, datagram or frame payload
 *	  0405                     a line that begins with a blank goes on with the one before it
 *	< 00 01                    the other way
 *	gap                        bytes were lost before what comes next, in both directions
 *	also NAME                  another classifier that rightly claims this conversation too
 *
 * Each tcp, udp, ethernet or ip line begins a flow of its own. XX*N repeats a byte N times.
 */
#ifndef TESTS_PROTOCOLS_TRANSCRIPT_H
#define TESTS_PROTOCOLS_TRANSCRIPT_H

#include "classifiers/finding/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRANSCRIPT_ALSO = 8 };

struct segment {
	uint8_t direction; /* 0: '>', 1: '<' */
	bool gap;
	size_t len;
	uint8_t *bytes;
};

struct flow {
	uint8_t transport;    /* enum transport */
	uint16_t port[2];     /* of '>' and of '<' as senders */
	uint16_t ethertype;
	uint8_t mac[2][6];
	bool midstream;       /* no handshake seen, begins with a gap */
	bool truncated;
	bool multicast;       /* what '>' sends */
	bool norecut;         /* the cuts between segments mean something */
	size_t count;
	struct segment *segments;
};

struct transcript {
	size_t count;
	struct flow *flows;
	size_t also_count;
	char also[TRANSCRIPT_ALSO][FINDING_PROTOCOL_BYTES];
};

/* Reads a file; ends the program with file:line when it is wrong or empty. */
struct transcript transcript_read(const char *path);
void transcript_free(struct transcript *t);

#endif
