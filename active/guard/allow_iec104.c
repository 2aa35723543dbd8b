/*
 * IEC 60870-5-104: the test frame alone. STARTDT turns the data transfer to whoever sent it, and an
 * interrogation uses up buffered events; neither is a mere read. IEC 60870-5-104, clause 5.
 *
 *   | 68 | 04 | 43 00 00 00 |   TESTFR act
 */
#include "active/guard/allow.h"

static bool judge_iec104(struct ask *q)
{
	if (!ask_takes(q, "\x68\4\x43\0\0\0", 6))
		return ask_refuse(q, "the frame is not TESTFR act (68 04 43 00 00 00)");
	return ask_reads(q, "test frame, activation");
}

const struct allow allow_iec104 = {
	.name = "iec104",
	.transports = 1 << TRANSPORT_TCP,
	.may = "TESTFR act",
	.judge = judge_iec104,
};
