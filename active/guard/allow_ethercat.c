/*
 * EtherCAT: commands that only read (APRD, FPRD, BRD), of registers that say what a slave is and how it is.
 * IEC 61158-4-12; ETG.1000 part 4. Little-endian.
 *
 *   | length 11 bits, type 1 | { cmd | idx | adp 2 | ado 2 | length 2, bit 15: more | irq 2 | data = 0 | wkc 2 = 0 } ...
 */
#include "active/guard/allow.h"

enum {
	APRD = 1, FPRD = 4, BRD = 7,
	TYPE_COMMANDS = 1, LENGTH_BITS = 0x07ff, BEFORE_MORE = 0x8000,
	SHORTEST_PAYLOAD = 46, /* of an Ethernet frame */
	ESC_INFORMATION = 0x0000, ESC_BYTES = 10, STATION_ADDRESS = 0x0010, ADDRESS_BYTES = 4, AL_STATUS = 0x0130, STATUS_BYTES = 6,
};

static const uint32_t reading[] = { APRD, FPRD, BRD };

static bool is_identity(uint16_t ado, unsigned int length)
{
	return (ado == ESC_INFORMATION && length <= ESC_BYTES) || (ado == STATION_ADDRESS && length <= ADDRESS_BYTES) ||
	       (ado == AL_STATUS && length <= STATUS_BYTES);
}

static bool take_zeros(struct ask *q, size_t n)
{
	bool zeros = true;

	while (n-- && cursor_ok(&q->bytes))
		zeros &= cursor_u8(&q->bytes) == 0;
	return zeros;
}

static bool judge_datagram(struct ask *q, bool *more, size_t *bytes)
{
	uint8_t command = cursor_u8(&q->bytes);
	uint16_t adp, ado, field;
	unsigned int length;

	cursor_skip(&q->bytes, 1);
	adp = cursor_u16le(&q->bytes);
	ado = cursor_u16le(&q->bytes);
	field = cursor_u16le(&q->bytes);
	length = field & LENGTH_BITS;
	*more = field & BEFORE_MORE;
	*bytes = 12 + length;
	if (!ASK_AMONG(command, reading))
		return ask_refuse(q, "command %u is not among APRD (1), FPRD (4) and BRD (7)", command);
	if (command == BRD && adp != 0)
		return ask_refuse(q, "BRD counts from %u, not from 0", adp);
	if (length == 0 || (field & ~BEFORE_MORE & ~LENGTH_BITS) || !is_identity(ado, length))
		return ask_refuse(q, "%u bytes of register 0x%04x are not of identity or state", length, ado);
	if (!take_zeros(q, 2 + length + 2))
		return ask_refuse(q, "interrupt, data or working counter are not 0");
	return true;
}

static bool judge_ethercat(struct ask *q)
{
	uint16_t header = cursor_u16le(&q->bytes);
	size_t length = header & LENGTH_BITS, used = 0, bytes;
	unsigned int count = 0;
	bool more = true;

	if (header >> 12 != TYPE_COMMANDS || header & 0x0800)
		return ask_refuse(q, "frame type %u is not 1 (commands)", header >> 12);
	for (; more; used += bytes, count++)
		if (!judge_datagram(q, &more, &bytes))
			return false;
	if (used != length)
		return ask_refuse(q, "the header's length (%zu) is not that of its datagrams", length);
	/* A frame on the wire is padded to 60 bytes; a UDP datagram is not. */
	if (q->transport == TRANSPORT_ETHERNET && q->len == SHORTEST_PAYLOAD && !take_zeros(q, cursor_left(&q->bytes)))
		return ask_refuse(q, "the padding holds something");
	if (q->transport == TRANSPORT_ETHERNET && q->len < SHORTEST_PAYLOAD)
		return ask_refuse(q, "the frame is not padded");
	return ask_reads(q, "read registers with %u datagrams", count);
}

const struct allow allow_ethercat = {
	.name = "ethercat",
	.transports = 1 << TRANSPORT_ETHERNET | 1 << TRANSPORT_UDP,
	.may = "APRD, FPRD and BRD of ESC information, station address and AL status",
	.judge = judge_ethercat,
};
