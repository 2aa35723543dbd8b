/*
 * CODESYS V3: the name service's question to one node for its identification, over TCP.
 *
 *   TCP block | 00 01 17 e8 | length 4 | little-endian
 *   datagram  | c5 | hops 13, header of 3 words | 40 | service 03 | message 0 | address lengths 33 |
 *             | receiver: port 2, IPv4 4 | sender: port 2, IPv4 4 | pad 2 |
 *   question  | c202 | version 0400 | id 4 | little-endian
 *
 * Service 40 (channels) carries login, download, start and stop, files and the shell; c201 and a
 * receiver of nobody are for searching a whole network.
 */
#include "active/guard/allow.h"

enum { NAME_SERVICE = 3, IDENTIFY = 0xc202, VERSION = 0x0400 };

static bool judge_codesys_v3(struct ask *q)
{
	uint8_t service;
	uint16_t type;

	if (!ask_takes(q, "\0\1\x17\xe8", 4) || cursor_u32le(&q->bytes) != q->len)
		return ask_refuse(q, "the block's length is not that of the message");
	if (!ask_takes(q, "\xc5\x6b\x40", 3))
		return ask_refuse(q, "the datagram is not of the plain form");
	service = cursor_u8(&q->bytes);
	if (service != NAME_SERVICE)
		return ask_refuse(q, "service 0x%02x is not the name service (0x03)", service);
	if (!ask_takes(q, "\0\x33", 2))
		return ask_refuse(q, "the addresses are not those of two ends of a TCP connection");
	cursor_skip(&q->bytes, 12);
	if (cursor_u16be(&q->bytes) != 0)
		return ask_refuse(q, "the padding holds something");
	type = cursor_u16le(&q->bytes);
	if (type != IDENTIFY || cursor_u16le(&q->bytes) != VERSION)
		return ask_refuse(q, "question 0x%04x is not that for the identification (c202, version 0400)", type);
	cursor_skip(&q->bytes, 4);
	return ask_reads(q, "ask one node for its identification");
}

const struct allow allow_codesys_v3 = {
	.name = "codesys_v3",
	.transports = 1 << TRANSPORT_TCP,
	.may = "the name service's question to one node (c202)",
	.judge = judge_codesys_v3,
};
