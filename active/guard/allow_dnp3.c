/*
 * DNP3: request link status, and READ of group 0 (device attributes). IEEE 1815, clauses 4, 8 to 11.
 *
 *   | 05 64 | length 1 | control 1 | destination 2 | source 2 | crc 2 | blocks of 16 bytes + crc 2 |   little-endian
 */
#include "active/guard/allow.h"
#include "active/guard/crc.h"

enum {
	HEADER_BYTES = 8,
	BLOCK_BYTES = 16,
	MOST_DATA = 250,
	REQUEST_LINK_STATUS = 0xc9, /* from the master, primary, function 9 */
	UNCONFIRMED_DATA = 0xc4,    /* from the master, primary, function 4 */
	READ = 0x01,
	FIRST_RESERVED = 0xfff0,    /* self-address and broadcasts among them */
};

static bool take_checked(struct ask *q, size_t n, uint8_t *to)
{
	struct cursor block = cursor_take(&q->bytes, n);
	const uint8_t *start = block.at;
	uint16_t crc = cursor_u16le(&q->bytes);

	if (!cursor_ok(&q->bytes) || crc != crc_dnp3(start, n))
		return ask_refuse(q, "a block's checksum is wrong");
	memcpy(to, start, n);
	return true;
}

/* READ may name nothing but attributes: reading events would take them from the real master. */
static bool judge_objects(struct ask *q, struct cursor *objects)
{
	unsigned int count = 0;

	while (cursor_left(objects)) {
		uint8_t group = cursor_u8(objects);

		cursor_u8(objects);
		if (group != 0)
			return ask_refuse(q, "object group %u is not 0 (device attributes)", group);
		if (cursor_u8(objects) != 0x00 || cursor_u8(objects) != 0 || cursor_u8(objects) != 0)
			return ask_refuse(q, "attributes are asked by another range than 0 to 0");
		count++;
	}
	if (!cursor_ok(objects) || count == 0)
		return ask_refuse(q, "READ names no object");
	return ask_reads(q, "read %u device attributes (group 0)", count);
}

static bool judge_data(struct ask *q, size_t left)
{
	uint8_t data[MOST_DATA];
	size_t n = 0;
	struct cursor user;
	uint8_t transport, control, function;

	while (left) {
		size_t block = left < BLOCK_BYTES ? left : BLOCK_BYTES;

		if (!take_checked(q, block, data + n))
			return false;
		n += block;
		left -= block;
	}
	user = cursor_over(data, n);
	transport = cursor_u8(&user);
	control = cursor_u8(&user);
	function = cursor_u8(&user);
	if ((transport & 0xc0) != 0xc0 || (control & 0xf0) != 0xc0)
		return ask_refuse(q, "the request is no single fragment without confirmation");
	if (function != READ)
		return ask_refuse(q, "application function 0x%02x is not READ (0x01)", function);
	return judge_objects(q, &user);
}

static bool judge_dnp3(struct ask *q)
{
	uint8_t header[HEADER_BYTES];
	unsigned int length, destination;

	if (!take_checked(q, HEADER_BYTES, header))
		return false;
	length = header[2];
	destination = header[4] | (unsigned int)header[5] << 8;
	if (header[0] != 0x05 || header[1] != 0x64 || length < 5)
		return ask_refuse(q, "the frame has no DNP3 header");
	if (destination >= FIRST_RESERVED || (header[6] | header[7] << 8) >= FIRST_RESERVED)
		return ask_refuse(q, "address 0x%04x is reserved or a broadcast", destination);
	if (header[3] == REQUEST_LINK_STATUS && length == 5)
		return ask_reads(q, "request the link status of address %u", destination);
	if (header[3] == UNCONFIRMED_DATA)
		return judge_data(q, length - 5);
	return ask_refuse(q, "link control 0x%02x is neither request link status nor unconfirmed data", header[3]);
}

const struct allow allow_dnp3 = {
	.name = "dnp3",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "request link status, READ of group 0 (device attributes)",
	.judge = judge_dnp3,
};
