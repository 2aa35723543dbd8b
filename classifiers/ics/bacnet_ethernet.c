/*
 * BACnet straight on Ethernet (ASHRAE 135 clause 7), and MS/TP frames in SNAP as adapters of Cimetrics put them there.
 *
 *   LLC 82 82 03 | NPDU
 *   LLC aa aa 03 | 00 10 90 | 00 01 | time (2) | value | MS/TP without its preamble (clause 9.3):
 *       type | destination | source | length (2) | header CRC | data | data CRC (2)
 *
 * A name of its own, because a station found here can be asked on its link alone and by no address of IP.
 */
#include "classifiers/ics/bacnet.h"

enum {
	MSTP_TYPE_DATA = 5, /* expecting a reply; 6 expects none */
	MSTP_TYPE_DATA_NO_REPLY = 6,
	MSTP_TYPE_LAST = 34, /* higher numbers belong to makers */
	MSTP_HEADER_BYTES = 6,
	CRC_GOOD = 0x55,
};

/* Annex G.1; over header and CRC it leaves CRC_GOOD. */
static uint8_t header_crc(struct cursor header)
{
	unsigned crc = 0xff;

	while (cursor_left(&header)) {
		crc ^= cursor_u8(&header);
		crc ^= crc << 1 ^ crc << 2 ^ crc << 3 ^ crc << 4 ^ crc << 5 ^ crc << 6 ^ crc << 7;
		crc = (crc & 0xfe) ^ (crc >> 8 & 1);
	}
	return (uint8_t)crc;
}

static enum verdict read_mstp(struct reader *r, struct cursor c)
{
	struct cursor header = cursor_take(&c, MSTP_HEADER_BYTES), data;
	uint8_t crc = header_crc(header), type = cursor_u8(&header);

	cursor_skip(&header, 2);
	data = cursor_take(&c, cursor_u16be(&header));
	if (!cursor_ok(&header) || crc != CRC_GOOD || type > MSTP_TYPE_LAST || (!cursor_ok(&data) && !r->truncated))
		return NOT_MINE;
	if (type == MSTP_TYPE_DATA || type == MSTP_TYPE_DATA_NO_REPLY)
		return bacnet_read_npdu(r, "bacnet_ethernet", data) ? MINE : NOT_MINE;
	return MINE;
}

static enum verdict read_bacnet_ethernet(struct reader *r)
{
	static const uint8_t bacnet[] = { 0x82, 0x82, 0x03 };
	static const uint8_t cimetrics[] = { 0xaa, 0xaa, 0x03, 0x00, 0x10, 0x90, 0x00, 0x01 };
	struct cursor c = r->bytes;

	r->sender_role = ROLE_PEER;
	if (cursor_starts(&c, bacnet, sizeof bacnet)) {
		cursor_skip(&c, sizeof bacnet);
		return bacnet_read_npdu(r, "bacnet_ethernet", c) ? MINE : NOT_MINE;
	}
	if (cursor_starts(&c, cimetrics, sizeof cimetrics)) {
		cursor_skip(&c, sizeof cimetrics + 3);
		return read_mstp(r, c);
	}
	return NOT_MINE;
}

const struct classifier classifier_bacnet_ethernet = {
	.name = "bacnet_ethernet",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_LLC },
	.read = read_bacnet_ethernet,
};
