/*
 * KNXnet/IP: description and search of one device; a tunnel, and through it reads of one bus device's descriptor and
 * identity properties. KNX Standard 03_08_02 (7.6), 03_08_04 (tunnelling), 03_06_03 (cEMI), 03_03_07 (application layer).
 *
 *   | 06 10 | service 2 | length 2 | HPAI 08 protocol ip 4 port 2 | ...   big-endian
 */
#include "active/guard/allow.h"

enum service {
	SEARCH = 0x0201, DESCRIPTION = 0x0203, CONNECT = 0x0205, DISCONNECT = 0x0209, SEARCH_EXTENDED = 0x020b,
	TUNNELLING = 0x0420, TUNNELLING_ACK = 0x0421,
};

enum { SRP_REQUEST_BLOCKS = 0x04, LAST_BLOCK = 0x08, READ_DESCRIPTOR = 0x0300, READ_PROPERTY = 0x03d5 };

/* Serial number, maker, order information of the device object. */
static const uint32_t properties[] = { 11, 12, 15 };

/* Ours is always 0.0.0.0:0: answer where the question came from. A reply can't be sent to somebody else. */
static bool take_endpoint(struct ask *q)
{
	uint8_t length = cursor_u8(&q->bytes), protocol = cursor_u8(&q->bytes);

	if (length != 8 || protocol != (q->transport == TRANSPORT_UDP ? 0x01 : 0x02) || !ask_takes(q, "\0\0\0\0\0\0", 6))
		return ask_refuse(q, "the endpoint is not the sender's own (0.0.0.0:0)");
	return true;
}

static bool judge_search_extended(struct ask *q)
{
	uint8_t length, type;

	if (!take_endpoint(q))
		return false;
	length = cursor_u8(&q->bytes);
	type = cursor_u8(&q->bytes);
	if (type != SRP_REQUEST_BLOCKS || length != cursor_left(&q->bytes) + 2 || length < 3)
		return ask_refuse(q, "the search does not carry one list of description blocks");
	while (cursor_left(&q->bytes)) {
		uint8_t block = cursor_u8(&q->bytes);

		if (block < 1 || block > LAST_BLOCK)
			return ask_refuse(q, "description block 0x%02x is unknown", block);
	}
	return ask_reads(q, "describe yourself (extended search)");
}

/* A tunnel to the link layer: telegrams as they are, neither raw nor a bus monitor. */
static bool judge_connect(struct ask *q)
{
	if (!take_endpoint(q) || !take_endpoint(q))
		return false;
	if (!ask_takes(q, "\x04\x04\x02\x00", 4))
		return ask_refuse(q, "the connection asked for is no tunnel to the link layer");
	return ask_reads(q, "open a tunnel");
}

/* A telegram to one device: priority and hops as usual, an individual address, and a read. */
static bool judge_telegram(struct ask *q)
{
	uint16_t target, code;
	uint8_t length, object, property;

	if (!ask_takes(q, "\x11\x00\xb0\x60\x00\x00", 6))
		return ask_refuse(q, "the tunnel does not carry a plain telegram to an individual address");
	target = cursor_u16be(&q->bytes);
	length = cursor_u8(&q->bytes);
	code = cursor_u16be(&q->bytes);
	if (target == 0)
		return ask_refuse(q, "address 0.0.0 is nobody's");
	if (code == READ_DESCRIPTOR && length == 1)
		return ask_reads(q, "read the descriptor of device %u.%u.%u", target >> 12, target >> 8 & 15, target & 0xff);
	if (code != READ_PROPERTY || length != 5)
		return ask_refuse(q, "application code 0x%04x is no read of a descriptor or property", code);
	object = cursor_u8(&q->bytes);
	property = cursor_u8(&q->bytes);
	if (object != 0 || !ASK_AMONG(property, properties) || cursor_u16be(&q->bytes) != 0x1001)
		return ask_refuse(q, "property %u of object %u is not one of identity", property, object);
	return ask_reads(q, "read property %u of device %u.%u.%u", property, target >> 12, target >> 8 & 15, target & 0xff);
}

static bool judge_tunnel(struct ask *q, uint16_t service)
{
	uint8_t length = cursor_u8(&q->bytes), last;

	cursor_skip(&q->bytes, 2); /* channel, sequence */
	last = cursor_u8(&q->bytes);
	if (length != 4 || last != 0)
		return ask_refuse(q, "the tunnel's header is not that of a message in order");
	return service == TUNNELLING ? judge_telegram(q) : ask_reads(q, "confirm a telegram");
}

static bool judge_service(struct ask *q, uint16_t service)
{
	switch (service) {
	case SEARCH:
		return take_endpoint(q) && ask_reads(q, "search, to one device");
	case DESCRIPTION:
		return take_endpoint(q) && ask_reads(q, "describe yourself");
	case SEARCH_EXTENDED:
		return judge_search_extended(q);
	case CONNECT:
		return judge_connect(q);
	case DISCONNECT:
		cursor_skip(&q->bytes, 1);
		if (cursor_u8(&q->bytes) != 0)
			return ask_refuse(q, "the reserved byte is set");
		return take_endpoint(q) && ask_reads(q, "close the tunnel");
	case TUNNELLING:
	case TUNNELLING_ACK:
		return judge_tunnel(q, service);
	default:
		return ask_refuse(q, "service 0x%04x is not on the list", service);
	}
}

static bool judge_knx(struct ask *q)
{
	uint16_t version = cursor_u16be(&q->bytes), service = cursor_u16be(&q->bytes), length = cursor_u16be(&q->bytes);

	if (version != 0x0610 || length != q->len)
		return ask_refuse(q, "the header's version or length (%u) is not that of the message", length);
	if (q->transport == TRANSPORT_TCP && service != DESCRIPTION)
		return ask_refuse(q, "service 0x%04x is not asked over TCP", service);
	return judge_service(q, service);
}

const struct allow allow_knxnet_ip = {
	.name = "knxnet_ip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "description, search, extended search; a tunnel that reads one device's descriptor and identity properties",
	.judge = judge_knx,
};
