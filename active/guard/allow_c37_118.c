/*
 * Synchrophasors: command frames that ask for the header or a configuration. IEEE C37.118.2-2011, 6.6.
 *
 *   | AA | 41 | 00 12 | idcode 2 | SOC 4 | FRACSEC 4 | command 2 | CRC 2 |   big-endian
 */
#include "active/guard/allow.h"
#include "active/guard/crc.h"

enum { COMMAND_BYTES = 18, FIRST_COMMAND = 3, LAST_COMMAND = 6, ALL_STREAMS = 0xffff };

static bool judge_synchrophasor(struct ask *q)
{
	const uint8_t *start = q->bytes.at;
	uint8_t sync = cursor_u8(&q->bytes), kind = cursor_u8(&q->bytes);
	uint16_t size = cursor_u16be(&q->bytes), idcode = cursor_u16be(&q->bytes), command, crc;

	cursor_skip(&q->bytes, 4 + 4);
	command = cursor_u16be(&q->bytes);
	crc = cursor_u16be(&q->bytes);
	if (sync != 0xaa || (kind != 0x41 && kind != 0x42) || size != COMMAND_BYTES || q->len != COMMAND_BYTES)
		return ask_refuse(q, "the frame is no command frame of 18 bytes");
	if (command < FIRST_COMMAND || command > LAST_COMMAND)
		return ask_refuse(q, "command %u is not 3 to 6 (header, configuration)", command);
	if (idcode == 0 || idcode == ALL_STREAMS)
		return ask_refuse(q, "idcode %u is not that of one stream", idcode);
	if (crc != crc_ccitt(start, COMMAND_BYTES - 2))
		return ask_refuse(q, "the frame's checksum is wrong");
	if (command == FIRST_COMMAND)
		return ask_reads(q, "send the header of stream %u", idcode);
	return ask_reads(q, "send configuration %u of stream %u", command - FIRST_COMMAND, idcode);
}

const struct allow allow_c37_118 = {
	.name = "c37_118",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "commands 3 to 6: send the header or configuration 1, 2, 3",
	.judge = judge_synchrophasor,
};
