/*
 * HART-IP: a session, and commands 0, 12, 13, 16, 20, 74 and 84, which read. HCF_SPEC-085, -081, -127 and -151.
 *
 *   | version 1 | type 0 | id 1 | status 0 | sequence 2 | bytes 2 |   big-endian
 *   id 3: | delimiter 1 | address 1 or 5 | command 1 | count 1 | data | xor 1 |
 */
#include "active/guard/allow.h"
#include "active/guard/crc.h"

enum {
	VERSION = 1, REQUEST = 0,
	INITIATE = 0, CLOSE = 1, KEEP_ALIVE = 2, TOKEN_PASSING = 3,
	PRIMARY_MASTER = 1, LONGEST_IDLE_MS = 60000, SHORTEST_IDLE_MS = 1000,
	FROM_MASTER_SHORT = 0x02, FROM_MASTER_LONG = 0x82,
	SUB_DEVICE = 84,
};

static const uint32_t commands[] = { 0, 12, 13, 16, 20, 74, SUB_DEVICE };

static bool judge_command(struct ask *q)
{
	const uint8_t *start = q->bytes.at;
	size_t length = cursor_left(&q->bytes);
	uint8_t delimiter = cursor_u8(&q->bytes), command, count;

	if (delimiter != FROM_MASTER_SHORT && delimiter != FROM_MASTER_LONG)
		return ask_refuse(q, "delimiter 0x%02x is not that of a master's frame", delimiter);
	cursor_skip(&q->bytes, delimiter == FROM_MASTER_LONG ? 5 : 1);
	command = cursor_u8(&q->bytes);
	count = cursor_u8(&q->bytes);
	if (!ASK_AMONG(command, commands))
		return ask_refuse(q, "command %u is not one of identity", command);
	if (count != (command == SUB_DEVICE ? 2 : 0))
		return ask_refuse(q, "command %u carries %u bytes of data", command, count);
	cursor_skip(&q->bytes, count);
	if (cursor_u8(&q->bytes) != xor8(start, length - 1))
		return ask_refuse(q, "the frame's check byte is wrong");
	return ask_reads(q, "HART command %u", command);
}

static bool judge_session(struct ask *q)
{
	uint8_t master = cursor_u8(&q->bytes);
	uint32_t idle_ms = cursor_u32be(&q->bytes);

	if (master != PRIMARY_MASTER || idle_ms < SHORTEST_IDLE_MS || idle_ms > LONGEST_IDLE_MS)
		return ask_refuse(q, "the session is not that of a primary master with an end after 1 to 60 s");
	return ask_reads(q, "begin a session that ends after %u ms of silence", idle_ms);
}

static bool judge_hart(struct ask *q)
{
	uint8_t version = cursor_u8(&q->bytes);
	uint8_t type = cursor_u8(&q->bytes);
	uint8_t id = cursor_u8(&q->bytes);
	uint8_t status = cursor_u8(&q->bytes);
	uint16_t length;

	cursor_skip(&q->bytes, 2);
	length = cursor_u16be(&q->bytes);
	if (version != VERSION || type != REQUEST || status != 0 || length != q->len)
		return ask_refuse(q, "the header is not that of a request of %zu bytes", q->len);
	switch (id) {
	case INITIATE:
		return judge_session(q);
	case CLOSE:
		return ask_reads(q, "end the session");
	case KEEP_ALIVE:
		return ask_reads(q, "keep the session");
	case TOKEN_PASSING:
		return judge_command(q);
	default:
		return ask_refuse(q, "message id %u is neither a session's nor a HART command", id);
	}
}

const struct allow allow_hart_ip = {
	.name = "hart_ip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "a session, and commands 0, 12, 13, 16, 20, 74, 84",
	.judge = judge_hart,
};
