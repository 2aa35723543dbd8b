/*
 * S7comm: connect, set up communication, read an identity list (SZL) and its further parts.
 *
 *   TPKT | 03 00 length 2 |  COTP | li 1 | type 1 ... |
 *   S7   | 32 | kind 1 | 0 0 | reference 2 | parameter length 2 | data length 2 | parameter | data |
 */
#include "active/guard/allow.h"

enum { CONNECT = 0xe0, DATA = 0xf0, JOB = 1, USERDATA = 7 };

/* Module and component identification, memory card, ranks of modules, Ethernet, operating state. */
static const uint32_t lists[] = { 0x0000, 0x0011, 0x0111, 0x001c, 0x011c, 0x0037, 0x0d91, 0x0a91, 0x0e91, 0x0f91,
				  0x0424 };

static bool judge_connect(struct ask *q)
{
	static const uint8_t source[] = { 0x00, 0xc1, 0x02, 0x01, 0x00, 0xc2, 0x02 };
	uint16_t destination = cursor_u16be(&q->bytes);
	uint8_t link, place;

	cursor_u16be(&q->bytes);
	if (destination != 0 || !ask_takes(q, source, sizeof(source)))
		return ask_refuse(q, "the connect request is not class 0 from TSAP 01.00");
	link = cursor_u8(&q->bytes);
	place = cursor_u8(&q->bytes);
	if (link < 1 || link > 3)
		return ask_refuse(q, "destination TSAP %02x.%02x is none of PG, OP and basic communication", link, place);
	if (!ask_takes(q, "\xc0\x01\x0a", 3))
		return ask_refuse(q, "the connect request does not end in a TPDU size of 1024");
	return ask_reads(q, "connect to TSAP %02x.%02x: rack %u, slot %u", link, place, place >> 5, place & 0x1f);
}

static bool judge_setup(struct ask *q, unsigned int parameters, unsigned int data)
{
	uint8_t function = cursor_u8(&q->bytes);

	if (function != 0xf0)
		return ask_refuse(q, "job 0x%02x is not set up communication (0xf0)", function);
	if (parameters != 8 || data != 0 || !ask_takes(q, "\0\0\1\0\1", 5))
		return ask_refuse(q, "set up communication is not for one job at a time");
	return ask_reads(q, "set up communication, PDU of %u bytes", cursor_u16be(&q->bytes));
}

static bool judge_more(struct ask *q)
{
	uint8_t sequence = cursor_u8(&q->bytes);

	if (!ask_takes(q, "\0\0\0\0\x0a\0\0\0", 8))
		return ask_refuse(q, "the request for the next part carries data");
	return ask_reads(q, "read the next part of the list, sequence %u", sequence);
}

static bool judge_list(struct ask *q)
{
	uint16_t id, index;

	if (!ask_takes(q, "\0\xff\x09\0\4", 5))
		return ask_refuse(q, "the list's request has another form than id and index");
	id = cursor_u16be(&q->bytes);
	index = cursor_u16be(&q->bytes);
	if (!ASK_AMONG(id, lists))
		return ask_refuse(q, "list 0x%04x is not one of identity", id);
	return ask_reads(q, "read list 0x%04x, index 0x%04x", id, index);
}

/* Group 4 (CPU functions), subfunction 1 (read SZL) and nothing else of the userdata groups. */
static bool judge_userdata(struct ask *q, unsigned int parameters, unsigned int data)
{
	if (parameters == 8 && data == 8 && ask_takes(q, "\0\1\x12\4\x11\x44\1", 7))
		return judge_list(q);
	if (parameters == 12 && data == 4 && ask_takes(q, "\0\1\x12\x08\x12\x44\1", 7))
		return judge_more(q);
	return ask_refuse(q, "userdata is not group 4, subfunction 1 (read a list)");
}

static bool judge_data(struct ask *q)
{
	uint8_t kind;
	uint16_t parameters, data;

	if (!ask_takes(q, "\x80\x32", 2))
		return ask_refuse(q, "the data is no whole S7 message");
	kind = cursor_u8(&q->bytes);
	if (cursor_u16be(&q->bytes) != 0)
		return ask_refuse(q, "the S7 header's reserved bytes are set");
	cursor_u16be(&q->bytes);
	parameters = cursor_u16be(&q->bytes);
	data = cursor_u16be(&q->bytes);
	if ((size_t)parameters + data != cursor_left(&q->bytes))
		return ask_refuse(q, "the S7 lengths (%u + %u) are not those of the message", parameters, data);
	if (kind == JOB)
		return judge_setup(q, parameters, data);
	if (kind == USERDATA)
		return judge_userdata(q, parameters, data);
	return ask_refuse(q, "S7 message kind %u is neither job nor userdata", kind);
}

static bool judge_s7comm(struct ask *q)
{
	uint8_t indicator, type;

	if (!ask_takes(q, "\3\0", 2) || cursor_u16be(&q->bytes) != q->len)
		return ask_refuse(q, "the TPKT header's length is not that of the message");
	indicator = cursor_u8(&q->bytes);
	type = cursor_u8(&q->bytes);
	if (type == CONNECT && indicator == cursor_left(&q->bytes) + 1)
		return judge_connect(q);
	if (type == DATA && indicator == 2)
		return judge_data(q);
	return ask_refuse(q, "COTP type 0x%02x is neither connect nor data", type);
}

const struct allow allow_s7comm = {
	.name = "s7comm",
	.transports = 1 << TRANSPORT_TCP,
	.may = "connect, set up communication, read the SZL of identity (userdata group 4, subfunction 1)",
	.judge = judge_s7comm,
};
