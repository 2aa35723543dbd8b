/*
 * Frames round bytes that were sent and received over a socket, as they would have stood on the wire:
 * for the engine, which reads frames, and for whoever exports an audit to a capture file.
 */
#ifndef SENSOR_COMMON_REBUILD_H
#define SENSOR_COMMON_REBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REBUILD_FRAME_BYTES = 65535 + 64, REBUILD_SEGMENT_BYTES = 1400 };

/* Between us, end 0, and a target, end 1. Filled by the caller down to `context`. */
struct conversation {
	uint8_t transport;   /* enum transport: TCP, UDP or ETHERNET */
	uint8_t family;      /* 4 or 6 */
	uint8_t mac[2][6];
	uint8_t ip[2][16];
	uint16_t port[2];
	uint16_t vlan[2];    /* outer, inner; 0 for none */
	uint16_t ethertype;  /* ETHERNET */
	bool to_group;       /* what we send goes to `group` and not to mac[1] */
	uint8_t group[6];
	/* Gets each frame, in order. */
	void (*see)(void *context, const uint8_t *frame, size_t len, int64_t time_ns);
	void *context;
	uint32_t sequence[2]; /* TCP: of the next byte */
	uint16_t number[2];   /* IPv4 identification */
};

/* TCP: SYN, SYN+ACK, ACK, from sequence number 0 on. */
void rebuild_start(struct conversation *c, int64_t time_ns);
/* Bytes from that end: of TCP in as many segments as they need, else one datagram or frame. */
void rebuild_bytes(struct conversation *c, unsigned from, const uint8_t *bytes, size_t len, int64_t time_ns);
/* TCP: FIN both ways. */
void rebuild_end(struct conversation *c, int64_t time_ns);

#endif
