/*
 * CSPv4 ("AB/Ethernet"): the connect, and PCCC's read of the diagnostic status of the processor itself.
 * Allen-Bradley publication 1770-6.5.16, chapter 7 (diagnostic status: command 06, function 03).
 *
 *   | mode 1 | submode 1 | length 2 | connection 4 | status 4 | context 16 |   big-endian
 *   PCCC | destination | source | 0 0 | command | status | transaction 2 | function |
 *
 * Command 0F holds every access to data, programs and modes; 06 with another function loops, changes
 * the link or resets counters.
 */
#include "active/guard/allow.h"

enum { REQUEST = 1, CONNECT = 1, PCCC = 7, PCCC_BYTES = 9, DIAGNOSTIC = 0x06, READ_STATUS = 0x03, CONTEXT_BYTES = 16 };

static const uint8_t zeros[CONTEXT_BYTES];

static bool judge_connect(struct ask *q, uint16_t length, uint32_t connection)
{
	if (length != 0 || connection != 0 || !ask_takes(q, "\0\4\0\5", 4) || !ask_takes(q, zeros, CONTEXT_BYTES - 4))
		return ask_refuse(q, "the connect is not the bare one of 28 bytes");
	return ask_reads(q, "connect");
}

static bool judge_pccc(struct ask *q, uint16_t length)
{
	uint8_t command, status, function;

	if (length != PCCC_BYTES || !ask_takes(q, zeros, CONTEXT_BYTES))
		return ask_refuse(q, "the PCCC request is not one of %d bytes without context", PCCC_BYTES);
	if (!ask_takes(q, "\0\5\0\0", 4))
		return ask_refuse(q, "the request is not for the processor itself (node 0)");
	command = cursor_u8(&q->bytes);
	status = cursor_u8(&q->bytes);
	cursor_skip(&q->bytes, 2);
	function = cursor_u8(&q->bytes);
	if (command != DIAGNOSTIC || status != 0 || function != READ_STATUS)
		return ask_refuse(q, "PCCC command 0x%02x function 0x%02x is not diagnostic status (0x06/0x03)", command, function);
	return ask_reads(q, "read the diagnostic status");
}

static bool judge_cspv4(struct ask *q)
{
	uint8_t mode = cursor_u8(&q->bytes), submode = cursor_u8(&q->bytes);
	uint16_t length = cursor_u16be(&q->bytes);
	uint32_t connection = cursor_u32be(&q->bytes);

	if (mode != REQUEST || cursor_u32be(&q->bytes) != 0)
		return ask_refuse(q, "the header is not that of a request");
	if (submode == CONNECT)
		return judge_connect(q, length, connection);
	if (submode == PCCC)
		return judge_pccc(q, length);
	return ask_refuse(q, "submode 0x%02x is neither connect nor PCCC", submode);
}

const struct allow allow_cspv4 = {
	.name = "cspv4",
	.transports = 1 << TRANSPORT_TCP,
	.may = "connect, PCCC diagnostic status (command 06, function 03) of the processor itself",
	.judge = judge_cspv4,
};
