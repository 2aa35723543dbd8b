/*
 * CoAP: GET /.well-known/core, unconfirmed, and the acknowledgement of an answer that asks for one.
 * RFC 7252, 3 and 4; RFC 6690, 4.
 *
 *   | version 2 bits, type 2, token length 4 | code 1 | message id 2 | token 4 | options |
 */
#include "active/guard/allow.h"

enum { UNCONFIRMED_TOKEN_4 = 0x54, ACKNOWLEDGEMENT = 0x60, GET = 0x01, EMPTY = 0x00 };

static const char path[] = "\xbb.well-known\x04" "core"; /* option 11 of 11 bytes, and another of 4 */

static bool judge_coap(struct ask *q)
{
	uint8_t type = cursor_u8(&q->bytes), code = cursor_u8(&q->bytes);

	cursor_skip(&q->bytes, 2);
	if (type == ACKNOWLEDGEMENT && code == EMPTY)
		return ask_reads(q, "acknowledge an answer");
	if (type != UNCONFIRMED_TOKEN_4)
		return ask_refuse(q, "the message is no unconfirmed one with a token of four bytes");
	if (code != GET)
		return ask_refuse(q, "code %u.%02u is not GET (0.01)", code >> 5, code & 0x1fu);
	cursor_skip(&q->bytes, 4);
	if (!ask_takes(q, path, sizeof(path) - 1))
		return ask_refuse(q, "the options are not the path /.well-known/core");
	return ask_reads(q, "GET /.well-known/core");
}

const struct allow allow_coap = {
	.name = "coap",
	.transports = 1 << TRANSPORT_UDP,
	.may = "GET /.well-known/core, the acknowledgement of its answer",
	.judge = judge_coap,
};
