/*
 * HSMS: select, linktest, separate, and S1F1 (are you there). SEMI E37 and E37.1; SEMI E5, S1F1.
 *
 *   | length 4 = 10 | session 2 | W, stream 1 | function 1 | ptype 1 = 0 | stype 1 | system 4 |   big-endian
 *
 * Every other stream and function is refused, S1F13 among them: it makes the equipment begin to
 * communicate with whoever sent it.
 */
#include "active/guard/allow.h"

enum { DATA = 0, SELECT = 1, LINKTEST = 5, SEPARATE = 9, HEADER_BYTES = 10, CONTROL = 0xffff, WAITS = 0x80 };

static bool judge_control(struct ask *q, uint16_t session, uint8_t stream, uint8_t function, uint8_t stype)
{
	if (session != CONTROL || stream != 0 || function != 0)
		return ask_refuse(q, "the control message is not for the whole entity (session ffff)");
	if (stype == SELECT)
		return ask_reads(q, "select the session");
	if (stype == LINKTEST)
		return ask_reads(q, "test the link");
	if (stype == SEPARATE)
		return ask_reads(q, "separate");
	return ask_refuse(q, "control message %u is none of select, linktest and separate", stype);
}

static bool judge_hsms(struct ask *q)
{
	uint32_t length = cursor_u32be(&q->bytes);
	uint16_t session = cursor_u16be(&q->bytes);
	uint8_t stream = cursor_u8(&q->bytes), function = cursor_u8(&q->bytes);
	uint8_t ptype = cursor_u8(&q->bytes), stype = cursor_u8(&q->bytes);

	cursor_skip(&q->bytes, 4);
	if (length != HEADER_BYTES || ptype != 0)
		return ask_refuse(q, "the message is not a bare header of SECS-II");
	if (stype != DATA)
		return judge_control(q, session, stream, function, stype);
	if (session & 0x8000 || stream != (WAITS | 1) || function != 1)
		return ask_refuse(q, "S%uF%u for device 0x%04x is not S1F1 with a reply expected", stream & 0x7fu, function,
				  session);
	return ask_reads(q, "S1F1 (are you there) to device %u", session);
}

const struct allow allow_hsms = {
	.name = "hsms",
	.transports = 1 << TRANSPORT_TCP,
	.may = "select, linktest, separate, S1F1",
	.judge = judge_hsms,
};
