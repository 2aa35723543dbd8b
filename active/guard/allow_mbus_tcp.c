/*
 * M-Bus over TCP or UDP: REQ_UD2 to one primary address. EN 13757-2, 5.4 and 5.5.
 *
 *   | 10 | C 1 | A 1 | checksum 1 | 16 |   the short frame
 *
 * C is 5B or 7B (the frame count bit apart the same). Every long frame is refused: SND_UD resets,
 * selects, writes and changes the baud rate. Addresses 251 to 255 are for selections and for all.
 */
#include "active/guard/allow.h"
#include "active/guard/crc.h"

enum { SHORT = 0x10, STOP = 0x16, REQ_UD2 = 0x5b, COUNTED_REQ_UD2 = 0x7b, FIRST = 1, LAST = 250 };

static bool judge_mbus(struct ask *q)
{
	uint8_t start = cursor_u8(&q->bytes);
	uint8_t covered[2] = { 0 }, sum, stop;

	cursor_copy(&q->bytes, covered, sizeof(covered));
	sum = cursor_u8(&q->bytes);
	stop = cursor_u8(&q->bytes);
	if (start != SHORT || stop != STOP)
		return ask_refuse(q, "the frame is no short one; long frames select, reset and write");
	if (covered[0] != REQ_UD2 && covered[0] != COUNTED_REQ_UD2)
		return ask_refuse(q, "control field 0x%02x is not REQ_UD2 (5b, 7b)", covered[0]);
	if (covered[1] < FIRST || covered[1] > LAST)
		return ask_refuse(q, "address %u is not that of one meter (%d to %d)", covered[1], FIRST, LAST);
	if (sum != sum8(covered, sizeof(covered)))
		return ask_refuse(q, "the checksum is wrong");
	return ask_reads(q, "read the data of meter %u", covered[1]);
}

const struct allow allow_mbus_tcp = {
	.name = "mbus_tcp",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "REQ_UD2 to one primary address",
	.judge = judge_mbus,
};
