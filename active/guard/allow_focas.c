/*
 * FANUC FOCAS: open, system information, close; these three frames and no other.
 *
 *   | a0 a0 a0 a0 | version 2 | function 1 | direction 1 | length 2 | body |   big-endian
 *
 * The body of function 21 holds calls by number; most of them write, move or start something.
 */
#include "active/guard/allow.h"

/* Control channel; the data channel (1) is for program transfer. */
static const uint8_t channel_open[] = { 0x01, 0x01, 0x00, 0x02, 0x00, 0x02 };
static const uint8_t channel_close[] = { 0x02, 0x01, 0x00, 0x00 };
/* One call of 28 bytes, to the CNC, number 1/0018, five arguments of zero. */
static const uint8_t system_information[] = { 0x21, 0x01, 0x00, 0x1e, 0x00, 0x01, 0x00, 0x1c, 0x00, 0x01,
					      0x00, 0x01, 0x00, 0x18, 0,    0,    0,    0,    0,    0,
					      0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
					      0,    0,    0,    0 };

static bool judge_focas(struct ask *q)
{
	uint8_t function;

	if (!ask_takes(q, "\xa0\xa0\xa0\xa0\0\1", 6))
		return ask_refuse(q, "the frame does not begin with a0 a0 a0 a0 and version 1");
	function = cursor_left(&q->bytes) ? q->bytes.at[0] : 0;
	if (function == channel_open[0])
		return ask_takes(q, channel_open, sizeof(channel_open)) ? ask_reads(q, "open a channel")
							: ask_refuse(q, "the open is not that of the control channel");
	if (function == channel_close[0])
		return ask_takes(q, channel_close, sizeof(channel_close)) ? ask_reads(q, "close the channel")
							  : ask_refuse(q, "the close carries something");
	if (function != system_information[0])
		return ask_refuse(q, "function 0x%02x is none of open, one call and close", function);
	if (!ask_takes(q, system_information, sizeof(system_information)))
		return ask_refuse(q, "the call is not that for system information (1/0018, without arguments)");
	return ask_reads(q, "read system information");
}

const struct allow allow_focas = {
	.name = "focas",
	.transports = 1 << TRANSPORT_TCP,
	.may = "open the control channel, read system information, close",
	.judge = judge_focas,
};
