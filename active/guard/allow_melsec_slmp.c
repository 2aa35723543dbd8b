/*
 * SLMP and the MC protocol, binary 3E and 4E frames: read type name (0101). SLMP specification BAP-C2001, 5.2 and 5.3.
 *
 *   | 50 00 or 54 00 serial 2 00 00 | network 1 | PC 1 | module 2 | station 1 | length 2 | timer 2 | 01 01 00 00 |   little-endian
 */
#include "active/guard/allow.h"

enum {
	FRAME_3E = 0x0050, FRAME_4E = 0x0054,
	OWN_STATION = 0x03ff, FIRST_CPU = 0x03e0, LAST_CPU = 0x03e3,
	READ_TYPE_NAME = 0x0101,
	LAST_NETWORK = 239, ALL_STATIONS = 0xf0,
	LONGEST_WAIT = 40, /* 250 ms each */
};

static bool judge_slmp(struct ask *q)
{
	uint16_t frame = cursor_u16le(&q->bytes);
	uint8_t network, pc, station;
	uint16_t module, length, timer, command, subcommand;

	if (frame == FRAME_4E) {
		cursor_skip(&q->bytes, 2);
		if (cursor_u16le(&q->bytes) != 0)
			return ask_refuse(q, "the 4E frame's serial number is not followed by zeros");
	} else if (frame != FRAME_3E) {
		return ask_refuse(q, "subheader 0x%04x is not that of a binary 3E or 4E request", frame);
	}
	network = cursor_u8(&q->bytes);
	pc = cursor_u8(&q->bytes);
	module = cursor_u16le(&q->bytes);
	station = cursor_u8(&q->bytes);
	length = cursor_u16le(&q->bytes);
	if (length != cursor_left(&q->bytes))
		return ask_refuse(q, "the header's length (%u) is not that of the message", length);
	timer = cursor_u16le(&q->bytes);
	command = cursor_u16le(&q->bytes);
	subcommand = cursor_u16le(&q->bytes);
	if (command != READ_TYPE_NAME || subcommand != 0)
		return ask_refuse(q, "command 0x%04x/%04x is not 0x0101/0000 (read type name)", command, subcommand);
	if (timer == 0 || timer > LONGEST_WAIT)
		return ask_refuse(q, "the monitoring timer (%u) is not 1 to %d", timer, LONGEST_WAIT);
	if (module != OWN_STATION && (module < FIRST_CPU || module > LAST_CPU))
		return ask_refuse(q, "module 0x%04x is no CPU", module);
	if (network > LAST_NETWORK || (pc >= ALL_STATIONS && pc != 0xff) || station != 0)
		return ask_refuse(q, "network %u, PC %u, station %u is not one station", network, pc, station);
	return ask_reads(q, "read the type name of network %u, PC %u, module 0x%04x", network, pc, module);
}

const struct allow allow_melsec_slmp = {
	.name = "melsec_slmp",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "0101 (read type name) of a CPU",
	.judge = judge_slmp,
};
