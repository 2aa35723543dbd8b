/* What the decoder makes of a frame: whose it is, which flow, where its payload lies. */
#ifndef SENSOR_ENGINE_PACKET_H
#define SENSOR_ENGINE_PACKET_H

#include "classifiers/finding/finding.h"
#include "sensor/engine/flow_key.h"
#include "sensor/engine/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum packet_kind {
	PACKET_NOTHING,  /* nothing more to do: counted by the decoder */
	PACKET_ETHERNET, /* a protocol straight on Ethernet or LLC */
	PACKET_IP,       /* IP without ports: other protocols, later fragments */
	PACKET_UDP,
	PACKET_TCP,
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct packet {
	struct flow_key key;
	uint64_t hash;
	const uint8_t *payload;
	const uint8_t *network;  /* the IP header, for nDPI */
	const uint8_t *ethernet; /* destination and source MAC, 12 bytes; NULL when the link has none */
	uint32_t payload_len;    /* bytes that are there */
	uint32_t payload_lost;   /* bytes more that the sender sent and the capture cut off */
	uint32_t network_len;
	uint32_t sequence;       /* TCP */
	uint32_t acknowledgment;
	uint16_t ip_id;          /* IPv4's identification, 0 for none */
	uint8_t kind;            /* enum packet_kind */
	uint8_t direction;       /* 0: sent by key.low */
	uint8_t tcp_flags;
	uint8_t hop_limit;
	uint16_t ethertype;      /* PACKET_ETHERNET */
	uint16_t zone;
	bool multicast;
	bool reassembled;        /* payload lies in the reassembler's memory, good until the next fragment */
	uint64_t frame;
	int64_t time_ns;
};

#endif
