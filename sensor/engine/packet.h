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

enum { ETHERTYPE_ARP = 0x0806 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct packet {
	struct flow_key key;
	uint64_t hash;
	const uint8_t *payload;
	const uint8_t *network;  /* the IP header, for nDPI; NULL on Ethernet itself, and where a packet stands for its flow and none is at hand */
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
	uint8_t share;           /* whose the packet is, see sensor/common/spread.h */
	bool multicast;
	bool reassembled;        /* payload lies in the reassembler's memory, good until the next fragment */
	uint64_t frame;
	int64_t time_ns;
};

/* The MACs that begin a frame, as they lie in memory: the sender's in the upper six bytes, the end of the receiver's in the lower two. */
static inline uint64_t packet_macs(const uint8_t ethernet[12])
{
	uint64_t word;

	memcpy(&word, ethernet + 4, sizeof word);
	return word;
}

static inline uint64_t packet_source_mac(const uint8_t ethernet[12])
{
	return packet_macs(ethernet) >> 16;
}

#endif
