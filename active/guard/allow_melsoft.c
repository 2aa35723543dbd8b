/*
 * MELSOFT, the engineering tools' own protocol: two fixed messages that read what the CPU is. It is not published, so
 * that nothing but these bytes is let through.
 */
#include "active/guard/allow.h"

enum { SHORT_BYTES = 4, MODEL_BYTES = 41 };

/* CPU code of iQ-F and iQ-R, as GX Works asks before it does anything else. */
static const uint8_t cpu_code[SHORT_BYTES] = { 0x5a, 0x00, 0x00, 0xff };

/* CPU model of the Q series: command 0101 in a frame to the station itself. */
static const uint8_t cpu_model[MODEL_BYTES] = {
	0x57, 0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x07, 0x00, 0x00, 0xff, 0xff, 0x03, 0x00, 0x00, 0xfe, 0x03, 0x00, 0x00, 0x14, 0x00,
	0x1c, 0x08, 0x0a, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01,
};

static bool judge_melsoft(struct ask *q)
{
	if (q->len == SHORT_BYTES && ask_takes(q, cpu_code, SHORT_BYTES))
		return ask_reads(q, "read the CPU's code");
	if (q->len == MODEL_BYTES && ask_takes(q, cpu_model, MODEL_BYTES))
		return ask_reads(q, "read the CPU's model");
	return ask_refuse(q, "the message is neither 5a0000ff nor the fixed read of the CPU's model");
}

const struct allow allow_melsoft = {
	.name = "melsoft",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "5a0000ff (code of the CPU) and one fixed frame that reads the CPU's model",
	.judge = judge_melsoft,
};
