/*
 * TLS: one ClientHello. RFC 5246, 7.4.1.2.
 *
 *   | 16 | 03 01..03 | length 2 | 01 | length 3 | version 2 | random 32 | session | suites | compression | extensions |
 */
#include "active/guard/allow.h"

/* Server name, status-free and state-free ones only: no tickets, early data, heartbeat or renegotiation of an old session. */
static const uint32_t harmless[] = { 0, 10, 11, 13, 22, 23, 43, 51, 0xff01 };

static bool judge_extensions(struct ask *q)
{
	uint16_t length = cursor_u16be(&q->bytes);

	if (length != cursor_left(&q->bytes))
		return ask_refuse(q, "the extensions' length (%u) is not that of the message", length);
	while (cursor_left(&q->bytes)) {
		uint16_t type = cursor_u16be(&q->bytes);

		cursor_skip(&q->bytes, cursor_u16be(&q->bytes));
		if (!ASK_AMONG(type, harmless))
			return ask_refuse(q, "extension %u is not on the list", type);
	}
	return true;
}

static bool judge_tls(struct ask *q)
{
	uint16_t version, length, suites;

	if (cursor_u8(&q->bytes) != 0x16)
		return ask_refuse(q, "the record holds no handshake");
	version = cursor_u16be(&q->bytes);
	length = cursor_u16be(&q->bytes);
	if (version < 0x0301 || version > 0x0303 || length != cursor_left(&q->bytes))
		return ask_refuse(q, "the record's version or length (%u) is not that of the message", length);
	if (cursor_u8(&q->bytes) != 1 || cursor_u24be(&q->bytes) != cursor_left(&q->bytes))
		return ask_refuse(q, "the handshake is no whole ClientHello");
	version = cursor_u16be(&q->bytes);
	if (version < 0x0301 || version > 0x0303)
		return ask_refuse(q, "version 0x%04x is not offered by a ClientHello", version);
	cursor_skip(&q->bytes, 32);
	if (cursor_u8(&q->bytes) != 0)
		return ask_refuse(q, "an old session is named");
	suites = cursor_u16be(&q->bytes);
	cursor_skip(&q->bytes, suites);
	if (suites < 2 || suites % 2 || !ask_takes(q, "\1\0", 2))
		return ask_refuse(q, "the cipher suites or compression methods are not well formed");
	if (!judge_extensions(q))
		return false;
	return ask_reads(q, "ClientHello with %u cipher suites", suites / 2);
}

const struct allow allow_tls = {
	.name = "tls",
	.transports = 1 << TRANSPORT_TCP,
	.may = "one ClientHello without a session, ticket or early data",
	.judge = judge_tls,
};
