/*
 * Beckhoff ADS: discovery by datagram, ReadDeviceInfo and ReadState over TCP. Beckhoff Information System, TE1000, AMS/TCP
 * packet and ADS commands; the datagrams are those of Beckhoff's open library.
 *
 *   UDP: | 03 66 14 71 | id 4 | op 4 | NetID 6 | port 2 | blocks 4 |   little-endian
 *   TCP: | 00 00 | length 4 | target 6+2 | source 6+2 | command 2 | flags 2 | bytes 4 | error 4 | id 4 |
 */
#include "active/guard/allow.h"

enum {
	DISCOVER = 1,
	READ_DEVICE_INFO = 1, READ_STATE = 4,
	REQUEST = 0x0004,
	AMS_BYTES = 32,
};

static bool judge_discovery(struct ask *q)
{
	uint32_t op, blocks;

	if (!ask_takes(q, "\x03\x66\x14\x71", 4))
		return ask_refuse(q, "the datagram does not begin with 03661471");
	cursor_skip(&q->bytes, 4);
	op = cursor_u32le(&q->bytes);
	cursor_skip(&q->bytes, 6 + 2);
	blocks = cursor_u32le(&q->bytes);
	if (op != DISCOVER)
		return ask_refuse(q, "operation %u is not 1 (discovery)", op);
	if (blocks != 0)
		return ask_refuse(q, "discovery carries %u blocks", blocks);
	return ask_reads(q, "discovery");
}

static bool judge_ams(struct ask *q)
{
	uint16_t reserved = cursor_u16le(&q->bytes), port, command, flags;
	uint32_t length = cursor_u32le(&q->bytes), data, error;

	cursor_skip(&q->bytes, 6);
	port = cursor_u16le(&q->bytes);
	cursor_skip(&q->bytes, 6 + 2);
	command = cursor_u16le(&q->bytes);
	flags = cursor_u16le(&q->bytes);
	data = cursor_u32le(&q->bytes);
	error = cursor_u32le(&q->bytes);
	cursor_skip(&q->bytes, 4);
	if (command != READ_DEVICE_INFO && command != READ_STATE)
		return ask_refuse(q, "command %u is neither ReadDeviceInfo (1) nor ReadState (4)", command);
	if (reserved != 0 || length != AMS_BYTES || data != 0 || error != 0 || flags != REQUEST)
		return ask_refuse(q, "the header is not that of a request without data");
	return ask_reads(q, "%s of AMS port %u", command == READ_STATE ? "ReadState" : "ReadDeviceInfo", port);
}

static bool judge_ads(struct ask *q)
{
	return q->transport == TRANSPORT_UDP ? judge_discovery(q) : judge_ams(q);
}

const struct allow allow_ads = {
	.name = "ads",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "discovery over UDP; ReadDeviceInfo and ReadState over TCP",
	.judge = judge_ads,
};
