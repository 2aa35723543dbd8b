/*
 * Omron FINS: controller data read (0501), connection data read (0502), and the node address that a TCP client is
 * given. Omron W342, sections 3, 5-3-19 and 5-3-20; W421, section 7-4.
 *
 *   TCP: | "FINS" | length 4 | command 4 | error 4 = 0 | FINS |   big-endian
 *   | ICF 80 | 00 | gateways | destination 3 | source 3 | SID | command 2 | data |
 */
#include "active/guard/allow.h"

enum {
	CLIENT_NODE = 0, FRAME_SEND = 2,
	TCP_HEADER_BYTES = 8, /* what the length does not count */
	COMMAND = 0x80,       /* a reply is wanted */
	CONTROLLER_READ = 0x0501, CONNECTION_READ = 0x0502,
	MOST_UNITS = 25,
	LAST_NETWORK = 0x7f, LAST_NODE = 0xfe,
};

static bool judge_command(struct ask *q, unsigned int network, unsigned int node)
{
	uint16_t command = cursor_u16be(&q->bytes);
	uint8_t first, count;

	if (command == CONTROLLER_READ) {
		if (cursor_u8(&q->bytes) != 0)
			return ask_refuse(q, "the controller's data is not asked for by 00 (model and version)");
		return ask_reads(q, "read model and version of the controller at network %u, node %u", network, node);
	}
	if (command != CONNECTION_READ)
		return ask_refuse(q, "command 0x%04x is neither 0x0501 nor 0x0502", command);
	first = cursor_u8(&q->bytes);
	count = cursor_u8(&q->bytes);
	if (count < 1 || count > MOST_UNITS)
		return ask_refuse(q, "%u units are asked for, not 1 to %d", count, MOST_UNITS);
	return ask_reads(q, "read the models of up to %u units from unit %u", count, first);
}

static bool judge_frame(struct ask *q)
{
	uint8_t icf = cursor_u8(&q->bytes);
	uint8_t reserved = cursor_u8(&q->bytes);
	uint8_t gateways = cursor_u8(&q->bytes);
	uint8_t network = cursor_u8(&q->bytes);
	uint8_t node = cursor_u8(&q->bytes);
	uint8_t unit = cursor_u8(&q->bytes);

	cursor_skip(&q->bytes, 3 + 1); /* our address, service id */
	if (icf != COMMAND || reserved != 0 || gateways == 0 || gateways > 7)
		return ask_refuse(q, "the header is not that of a command with a reply");
	if (network > LAST_NETWORK || node > LAST_NODE || unit != 0)
		return ask_refuse(q, "%u.%u.%u is not the CPU of one node", network, node, unit);
	return judge_command(q, network, node);
}

static bool judge_fins(struct ask *q)
{
	uint32_t length, command, error;

	if (q->transport == TRANSPORT_UDP)
		return judge_frame(q);
	if (!ask_takes(q, "FINS", 4))
		return ask_refuse(q, "the message does not begin with FINS");
	length = cursor_u32be(&q->bytes);
	command = cursor_u32be(&q->bytes);
	error = cursor_u32be(&q->bytes);
	if (q->len < TCP_HEADER_BYTES || length != q->len - TCP_HEADER_BYTES || error != 0)
		return ask_refuse(q, "the header's length (%u) or error is not that of the message", length);
	if (command == FRAME_SEND)
		return judge_frame(q);
	if (command != CLIENT_NODE)
		return ask_refuse(q, "TCP command %u is neither 0 (node address) nor 2 (frame)", command);
	if (cursor_u32be(&q->bytes) != 0)
		return ask_refuse(q, "a node address is claimed, not asked for");
	return ask_reads(q, "be given a node address");
}

const struct allow allow_fins = {
	.name = "fins",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "0501 (controller data: model and version), 0502 (models of units), a node address over TCP",
	.judge = judge_fins,
};
