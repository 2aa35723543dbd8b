/*
 * Modbus/TCP: Read Device Identification (43/14) and Report Server ID (17). Modbus Application Protocol V1.1b3,
 * 6.13 and 6.21. Also two functions of UMAS, which travels as function 5A: what the CPU is, and its memory card.
 *
 *   | transaction 2 | protocol 2 = 0 | length 2 | unit 1 | function 1 | data |
 */
#include "active/guard/allow.h"

enum { REPORT_SERVER_ID = 0x11, ENCAPSULATED = 0x2b, READ_DEVICE_ID = 0x0e, UMAS = 0x5a, UMAS_READ_ID = 0x02, UMAS_READ_CARD = 0x06 };

static bool judge_device_id(struct ask *q, unsigned int unit)
{
	uint8_t mei = cursor_u8(&q->bytes);
	uint8_t level, object;

	if (mei != READ_DEVICE_ID)
		return ask_refuse(q, "encapsulated interface 0x%02x is not read device identification (0x0e)", mei);
	level = cursor_u8(&q->bytes);
	object = cursor_u8(&q->bytes);
	if (level < 1 || level > 4)
		return ask_refuse(q, "read code %u is not 1 to 4", level);
	return ask_reads(q, "unit %u: read device identification, code %u, from object %u", unit, level, object);
}

/* A key other than 0 is that of a reservation, which belongs to an engineer. */
static bool judge_umas(struct ask *q, unsigned int unit)
{
	uint8_t key = cursor_u8(&q->bytes), function = cursor_u8(&q->bytes);

	if (key != 0)
		return ask_refuse(q, "UMAS under the key 0x%02x of a reservation", key);
	if (function == UMAS_READ_ID)
		return ask_reads(q, "unit %u: UMAS read id", unit);
	if (function == UMAS_READ_CARD && cursor_u8(&q->bytes) == 0x06)
		return ask_reads(q, "unit %u: UMAS read card information", unit);
	return ask_refuse(q, "UMAS function 0x%02x is neither 0x02 (read id) nor 0x06 0x06 (card)", function);
}

static bool judge_modbus(struct ask *q)
{
	uint16_t protocol, length;
	uint8_t unit, function;

	cursor_u16be(&q->bytes);
	protocol = cursor_u16be(&q->bytes);
	length = cursor_u16be(&q->bytes);
	if (protocol != 0 || length != cursor_left(&q->bytes))
		return ask_refuse(q, "the header's protocol or length (%u) is not that of the message", length);
	unit = cursor_u8(&q->bytes);
	function = cursor_u8(&q->bytes);
	if (function == ENCAPSULATED)
		return judge_device_id(q, unit);
	if (function == REPORT_SERVER_ID)
		return ask_reads(q, "unit %u: report server id", unit);
	if (function == UMAS)
		return judge_umas(q, unit);
	return ask_refuse(q, "function 0x%02x is not among 0x11, 0x2b/0x0e and 0x5a", function);
}

const struct allow allow_modbus = {
	.name = "modbus",
	.transports = 1 << TRANSPORT_TCP,
	.may = "functions 43/14 (read device identification) and 17 (report server id); UMAS 02 and 06 without a reservation",
	.judge = judge_modbus,
};
