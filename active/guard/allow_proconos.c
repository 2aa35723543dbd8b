/*
 * ProConOS: the question for the runtime's description, command 0B without data.
 *
 *   | cc | 01 | 00 | command 1 | sequence 2 = 40 02 | length 2 = 0 | checksum 2 |
 *
 * Command 01 stops the controller, 04 starts it. The checksum (CRC-16/KERMIT, low byte first) covers
 * all before it, so that with a fixed sequence number the whole message is fixed.
 */
#include "active/guard/allow.h"

static bool judge_proconos(struct ask *q)
{
	uint8_t command;

	if (!ask_takes(q, "\xcc\1\0", 3))
		return ask_refuse(q, "the message does not begin with cc 01 00");
	command = cursor_u8(&q->bytes);
	if (command != 0x0b)
		return ask_refuse(q, "command 0x%02x is not the question for the description (0x0b)", command);
	if (!ask_takes(q, "\x40\2\0\0\x47\xee", 6))
		return ask_refuse(q, "sequence, length or checksum are not those of the bare question");
	return ask_reads(q, "read the runtime's description");
}

const struct allow allow_proconos = {
	.name = "proconos",
	.transports = 1 << TRANSPORT_TCP,
	.may = "the question for the runtime's description (command 0b)",
	.judge = judge_proconos,
};
