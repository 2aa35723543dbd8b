/*
 * BSAP over IP: read signals by name, with the value alone. Emerson D301401X012; the form in UDP is not published and
 * follows what OpenBSI and ControlWave say to each other. Little-endian.
 *
 *   | 000e | messages 2 = 1 | 0006 | sequence 4 | ack 4 = 0 | bytes 4 | 0c | sequence 4 | 00 00 | a0 00 04 | 03 d0 01 0f | count | names |
 */
#include "active/guard/allow.h"

enum { HEADER_BYTES = 14, REQUEST = 6, NAMES_MOST = 4, NAME_MOST = 64 };

/* Zero-terminated printable names, exactly as many as stated. */
static bool take_names(struct ask *q, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		size_t n = 0;
		uint8_t c;

		while ((c = cursor_u8(&q->bytes)) != 0 && n <= NAME_MOST) {
			if (c < 0x21 || c > 0x7e)
				return ask_refuse(q, "name %u holds byte 0x%02x", i + 1, c);
			n++;
		}
		if (n == 0 || n > NAME_MOST)
			return ask_refuse(q, "name %u has %zu characters, not 1 to %d", i + 1, n, NAME_MOST);
	}
	return true;
}

static bool judge_bsap(struct ask *q)
{
	uint16_t header = cursor_u16le(&q->bytes), messages = cursor_u16le(&q->bytes), function = cursor_u16le(&q->bytes);
	uint32_t sequence = cursor_u32le(&q->bytes), ack = cursor_u32le(&q->bytes), bytes = cursor_u32le(&q->bytes);
	uint8_t mark, application, node, command, count;

	if (header != HEADER_BYTES || messages != 1 || function != REQUEST || ack != 0 || bytes + HEADER_BYTES != q->len)
		return ask_refuse(q, "the header is not that of one request of %zu bytes", q->len);
	mark = cursor_u8(&q->bytes);
	if (mark != 0x0c || cursor_u32le(&q->bytes) != sequence || cursor_u16le(&q->bytes) != 0)
		return ask_refuse(q, "the request does not repeat the header's sequence number");
	application = cursor_u8(&q->bytes);
	node = cursor_u8(&q->bytes);
	command = cursor_u8(&q->bytes);
	if (application != 0xa0 || node != 0 || command != 0x04)
		return ask_refuse(q, "application 0x%02x, function 0x%02x is not read signal by name (a0, 04)", application, command);
	if (!ask_takes(q, "\x03\xd0\x01\x0f", 4))
		return ask_refuse(q, "the fields asked for are not type and value");
	count = cursor_u8(&q->bytes);
	if (count < 1 || count > NAMES_MOST)
		return ask_refuse(q, "%u signals are asked for, not 1 to %d", count, NAMES_MOST);
	return take_names(q, count) && ask_reads(q, "read %u signals by name", count);
}

const struct allow allow_bsap = {
	.name = "bsap",
	.transports = 1 << TRANSPORT_UDP,
	.may = "read signal by name (RDB function 04)",
	.judge = judge_bsap,
};
