/*
 * Tank gauges: reports for people that only print what is known. Veeder-Root 576013-635, sections 6 and 7.
 *
 *   01 | I902 00 or I201 00 or I101 00 | 0d 0a
 */
#include "active/guard/allow.h"

enum { REQUEST_BYTES = 9, SOH = 1 };

static bool judge_atg(struct ask *q)
{
	struct cursor request;
	uint8_t soh = cursor_u8(&q->bytes);
	bool revision, inventory, status;

	request = cursor_take(&q->bytes, 6);
	if (soh != SOH || q->len != REQUEST_BYTES || !ask_takes(q, "\r\n", 2))
		return ask_refuse(q, "the message is not SOH, six characters, CR, LF");
	revision = cursor_starts(&request, "I90200", 6);
	inventory = cursor_starts(&request, "I20100", 6);
	status = cursor_starts(&request, "I10100", 6);
	if (!revision && !inventory && !status)
		return ask_refuse(q, "the function is none of I902, I201 and I101 of all tanks");
	return ask_reads(q, "%s", revision ? "software revision" : inventory ? "inventory of the tanks" : "status of the system");
}

const struct allow allow_atg = {
	.name = "atg",
	.transports = 1 << TRANSPORT_TCP,
	.may = "I90200 (software revision), I20100 (inventory), I10100 (system status)",
	.judge = judge_atg,
};
