/*
 * PROFINET DCP: Identify with the selector "all", and Get of standard identity blocks.
 * IEC 61158-6-10, 4.3.
 *
 *   | frame id 2 | service 1 | type 1 | transaction 4 | delay 2 | data length 2 | blocks | zeros to 46 bytes |
 */
#include "active/guard/allow.h"

enum {
	FRAME_GET_SET = 0xfefd,
	FRAME_IDENTIFY = 0xfefe,
	SERVICE_GET = 3,
	SERVICE_IDENTIFY = 5,
	SHORTEST_PAYLOAD = 46,
};

/* option << 8 | suboption: MAC, IP, type, name, ids, role, options, alias, OEM ids. */
static const uint32_t readable[] = { 0x0101, 0x0102, 0x0201, 0x0202, 0x0203, 0x0204, 0x0205, 0x0206, 0x0208 };

static bool take_padding(struct ask *q)
{
	while (cursor_left(&q->bytes))
		if (cursor_u8(&q->bytes) != 0)
			return ask_refuse(q, "the padding holds something");
	return q->len <= SHORTEST_PAYLOAD || ask_refuse(q, "the frame is longer than a padded one");
}

static bool judge_get(struct ask *q, unsigned int length)
{
	if (length == 0 || length % 2)
		return ask_refuse(q, "Get names no options");
	for (unsigned int n = 0; n < length; n += 2) {
		uint16_t option = cursor_u16be(&q->bytes);

		if (!ASK_AMONG(option, readable))
			return ask_refuse(q, "option %u/%u is not one of identity", option >> 8, option & 0xff);
	}
	return take_padding(q) && ask_reads(q, "get %u identity blocks", length / 2);
}

static bool judge_identify(struct ask *q, unsigned int length)
{
	if (length != 4 || !ask_takes(q, "\xff\xff\0\0", 4))
		return ask_refuse(q, "Identify does not carry the selector for all");
	return take_padding(q) && ask_reads(q, "identify");
}

static bool judge_dcp(struct ask *q)
{
	uint16_t frame = cursor_u16be(&q->bytes);
	uint8_t service = cursor_u8(&q->bytes);
	uint8_t type = cursor_u8(&q->bytes);
	uint16_t length;

	cursor_skip(&q->bytes, 4 + 2);
	length = cursor_u16be(&q->bytes);
	if (type != 0 || length > cursor_left(&q->bytes))
		return ask_refuse(q, "the frame is no request of the stated length");
	if (frame == FRAME_IDENTIFY && service == SERVICE_IDENTIFY)
		return judge_identify(q, length);
	if (frame == FRAME_GET_SET && service == SERVICE_GET)
		return judge_get(q, length);
	return ask_refuse(q, "service %u under frame id 0x%04x is neither Identify nor Get", service, frame);
}

const struct allow allow_profinet_dcp = {
	.name = "profinet_dcp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.may = "Identify with the selector all, Get of identity blocks",
	.judge = judge_dcp,
};
