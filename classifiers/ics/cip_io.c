/*
 * CIP I/O: scanners and adapters that exchange cyclic data over UDP.
 *
 * CIP Networks Library volume 2 (EtherNet/IP adaptation), section 2-6 (common packet format) and 3-2.2 (I/O
 * transport). There is no identity in it; who exchanges data with whom is in the addresses.
 *
 *	 0       2      4      6               10          14       16     18
 *	+-------+------+------+---------------+-----------+--------+------+---------------
 *	| count | 8002 | 0008 | connection id | sequence  | 00B1   | n    | n bytes of data
 *	+-------+------+------+---------------+-----------+--------+------+---------------
 *
 * Numbers are little-endian.
 */
#include "classifiers/api/classifier.h"

enum {
	CIP_IO_PORT = 2222,
	ITEM_SEQUENCED = 0x8002, ITEM_CONNECTED = 0x00b1,
	SEQUENCED_BYTES = 8,
	ITEMS_MAX = 4,
};

static bool is_exchange(struct cursor c, bool truncated)
{
	uint16_t count = cursor_u16le(&c), type = cursor_u16le(&c), length = cursor_u16le(&c), data_type, data;

	if (count < 2 || count > ITEMS_MAX || type != ITEM_SEQUENCED || length != SEQUENCED_BYTES)
		return false;
	cursor_skip(&c, SEQUENCED_BYTES);
	data_type = cursor_u16le(&c);
	data = cursor_u16le(&c);
	if (!cursor_ok(&c) || data_type != ITEM_CONNECTED)
		return false;
	return truncated ? cursor_left(&c) <= data : count == 2 ? cursor_left(&c) == data : cursor_left(&c) > data;
}

static enum verdict read_cip_io(struct reader *r)
{
	if (!is_exchange(r->bytes, r->truncated))
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	return MINE;
}

/* Process data names nobody: that it still is what it was is all there is to know. */
static bool glance_cip_io(struct glance *g, void *memo)
{
	(void)memo;
	if (!is_exchange(g->bytes, false))
		return false;
	cursor_skip(&g->bytes, cursor_left(&g->bytes));
	return true;
}

const struct classifier classifier_cip_io = {
	.name = "cip_io",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { CIP_IO_PORT },
	.read = read_cip_io,
	.glance = glance_cip_io,
};
