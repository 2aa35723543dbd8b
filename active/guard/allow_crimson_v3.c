/*
 * Red Lion Crimson 3: the questions for maker and model. Everything else on this port reads or writes
 * the device's database or restarts it.
 *
 *   | length 2 = 4 | item 2 | form 2 |   big-endian
 */
#include "active/guard/allow.h"

static bool judge_crimson(struct ask *q)
{
	uint16_t length = cursor_u16be(&q->bytes), item = cursor_u16be(&q->bytes), form = cursor_u16be(&q->bytes);

	if (length == 4 && item == 0x012b && form == 0x1b00)
		return ask_reads(q, "read the maker");
	if (length == 4 && item == 0x012a && form == 0x1a00)
		return ask_reads(q, "read the model");
	return ask_refuse(q, "item 0x%04x in form 0x%04x is neither maker (012b/1b00) nor model (012a/1a00)", item, form);
}

const struct allow allow_crimson_v3 = {
	.name = "crimson_v3",
	.transports = 1 << TRANSPORT_TCP,
	.may = "the questions for maker and model",
	.judge = judge_crimson,
};
