/*
 * BACnet/IP: Who-Is, ReadProperty and ReadPropertyMultiple of a device object, and the reads of a
 * router's and a BBMD's tables. ASHRAE 135 clauses 5, 6, 15.5, 15.7, 16.10, annex J.
 *
 *   BVLC | 81 | function 1 | length 2 |  NPDU | 01 | control 1 | [DNET 2 | DLEN 1 | DADR] [hops 1] |  APDU
 */
#include "active/guard/allow.h"

enum {
	READ_BDT = 0x02,
	READ_FDT = 0x06,
	UNICAST = 0x0a,
	CONTROL_NETWORK_MESSAGE = 0x80,
	CONTROL_DESTINATION = 0x20,
	CONTROL_REPLY = 0x04,
	EVERYWHERE = 0xffff,
	DEVICE = 8,
	READ_PROPERTY = 0x0c,
	READ_PROPERTY_MULTIPLE = 0x0e,
};

/*
 * Identity and limits of a device. object-list (76) is allowed by index alone: whole, it is the one
 * property that can be too long for any reply. The selectors all, optional and required are not on it.
 */
static const uint32_t properties[] = { 11, 12, 28, 44, 58, 62, 70, 75, 76, 77, 98, 107, 112, 120, 121, 139, 155, 372 };

struct hop {
	bool routed;
	bool broadcast;
	uint16_t network;
};

static bool judge_object(struct ask *q, uint32_t *instance)
{
	uint32_t object;

	if (cursor_u8(&q->bytes) != 0x0c)
		return ask_refuse(q, "an object identifier is missing");
	object = cursor_u32be(&q->bytes);
	*instance = object & 0x3fffff;
	if (object >> 22 != DEVICE)
		return ask_refuse(q, "object type %u is not device (8)", object >> 22);
	return true;
}

/* A property, context tag `tag` of 1 or 2 bytes, and its array index under the next tag. */
static bool judge_property(struct ask *q, unsigned int tag, uint32_t *property)
{
	uint8_t head = cursor_u8(&q->bytes);
	bool indexed;
	uint8_t next;

	if (head != (tag << 4 | 9) && head != (tag << 4 | 10))
		return ask_refuse(q, "a property identifier is missing");
	*property = (uint32_t)cursor_be(&q->bytes, head & 3);
	if (!ASK_AMONG(*property, properties))
		return ask_refuse(q, "property %u is not on the list", *property);
	next = cursor_left(&q->bytes) ? q->bytes.at[0] : 0;
	indexed = next == ((tag + 1) << 4 | 9) || next == ((tag + 1) << 4 | 10);
	if (indexed)
		cursor_be(&q->bytes, (cursor_u8(&q->bytes) & 3));
	if (*property == 76 && !indexed)
		return ask_refuse(q, "the object list is asked whole, not by index");
	return true;
}

static bool judge_many(struct ask *q)
{
	uint32_t instance = 0, property;
	unsigned int count = 0;

	if (!judge_object(q, &instance))
		return false;
	if (cursor_u8(&q->bytes) != 0x1e)
		return ask_refuse(q, "the list of properties is not opened");
	while (cursor_left(&q->bytes) && q->bytes.at[0] != 0x1f) {
		if (!judge_property(q, 0, &property))
			return false;
		count++;
	}
	if (cursor_u8(&q->bytes) != 0x1f || count == 0)
		return ask_refuse(q, "the list of properties is empty or not closed");
	return ask_reads(q, "read %u properties of device %u%s", count, instance,
			 instance == 0x3fffff ? " (whichever is there)" : "");
}

static bool judge_confirmed(struct ask *q, const struct hop *hop)
{
	uint32_t instance = 0, property;
	uint8_t service;

	if (hop->broadcast)
		return ask_refuse(q, "a confirmed request is sent to a whole network");
	cursor_u8(&q->bytes); /* segments and size that we accept */
	cursor_u8(&q->bytes); /* invoke id */
	service = cursor_u8(&q->bytes);
	if (service == READ_PROPERTY_MULTIPLE)
		return judge_many(q);
	if (service != READ_PROPERTY)
		return ask_refuse(q, "confirmed service 0x%02x is neither ReadProperty nor ReadPropertyMultiple", service);
	if (!judge_object(q, &instance) || !judge_property(q, 1, &property))
		return false;
	return ask_reads(q, "read property %u of device %u%s", property, instance,
			 instance == 0x3fffff ? " (whichever is there)" : "");
}

/* One context-tagged unsigned of 1 to 3 bytes. */
static bool take_limit(struct ask *q, unsigned int tag, uint32_t *value)
{
	uint8_t head = cursor_u8(&q->bytes);

	*value = 0;
	if (head >> 4 != tag || (head & 8) == 0 || (head & 7) < 1 || (head & 7) > 3)
		return ask_refuse(q, "a limit of Who-Is is no number of 1 to 3 bytes");
	*value = (uint32_t)cursor_be(&q->bytes, head & 7);
	return true;
}

static bool judge_who_is(struct ask *q, const struct hop *hop)
{
	uint32_t low = 0, high = 0x3fffff;
	uint8_t service = cursor_u8(&q->bytes);

	if (service != 0x08)
		return ask_refuse(q, "unconfirmed service 0x%02x is not Who-Is", service);
	if (cursor_left(&q->bytes)) {
		if (!take_limit(q, 0, &low) || !take_limit(q, 1, &high))
			return false;
		if (low > high || high > 0x3fffff)
			return ask_refuse(q, "the limits %u to %u of Who-Is are out of order or range", low, high);
	} else if (hop->routed) {
		return ask_refuse(q, "Who-Is without limits is sent to a network behind the router");
	}
	return ask_reads(q, "who is there, instances %u to %u", low, high);
}

static bool take_destination(struct ask *q, struct hop *hop)
{
	uint8_t address_bytes;

	hop->routed = true;
	hop->network = cursor_u16be(&q->bytes);
	address_bytes = cursor_u8(&q->bytes);
	hop->broadcast = address_bytes == 0;
	cursor_skip(&q->bytes, address_bytes);
	if (hop->network == 0 || hop->network == EVERYWHERE)
		return ask_refuse(q, "network %u is not one network", hop->network);
	if (address_bytes > 7)
		return ask_refuse(q, "an address of %u bytes is longer than any", address_bytes);
	cursor_u8(&q->bytes); /* hop count */
	return true;
}

static bool judge_network_message(struct ask *q, const struct hop *hop)
{
	uint8_t message = cursor_u8(&q->bytes);

	if (hop->routed)
		return ask_refuse(q, "a network message is sent further than the router");
	if (message == 0x00) {
		if (cursor_left(&q->bytes))
			cursor_u16be(&q->bytes);
		return ask_reads(q, "who is router to which networks");
	}
	if (message == 0x12)
		return ask_reads(q, "what is the network's number");
	return ask_refuse(q, "network message 0x%02x is neither Who-Is-Router nor What-Is-Network-Number", message);
}

static bool judge_npdu(struct ask *q)
{
	uint8_t version = cursor_u8(&q->bytes);
	uint8_t control = cursor_u8(&q->bytes);
	struct hop hop = { .routed = false };
	uint8_t type;

	if (version != 1 || (control & ~(CONTROL_NETWORK_MESSAGE | CONTROL_DESTINATION | CONTROL_REPLY)))
		return ask_refuse(q, "NPDU control 0x%02x has bits that a reader does not set", control);
	if ((control & CONTROL_DESTINATION) && !take_destination(q, &hop))
		return false;
	if (control & CONTROL_NETWORK_MESSAGE)
		return judge_network_message(q, &hop);
	type = cursor_u8(&q->bytes);
	if (type == 0x00)
		return judge_confirmed(q, &hop);
	if (type == 0x10)
		return judge_who_is(q, &hop);
	return ask_refuse(q, "APDU type 0x%02x is no unsegmented request", type);
}

static bool judge_bacnet(struct ask *q)
{
	uint8_t type = cursor_u8(&q->bytes);
	uint8_t function = cursor_u8(&q->bytes);

	if (type != 0x81 || cursor_u16be(&q->bytes) != q->len)
		return ask_refuse(q, "the BVLC header's length is not that of the message");
	if (function == READ_BDT)
		return ask_reads(q, "read the broadcast distribution table");
	if (function == READ_FDT)
		return ask_reads(q, "read the foreign device table");
	if (function == UNICAST)
		return judge_npdu(q);
	return ask_refuse(q, "BVLC function 0x%02x is not on the list", function);
}

const struct allow allow_bacnet = {
	.name = "bacnet",
	.transports = 1 << TRANSPORT_UDP,
	.may = "Who-Is, ReadProperty and ReadPropertyMultiple of a device object, Who-Is-Router, "
	       "What-Is-Network-Number, Read-BDT, Read-FDT, all as unicast",
	.judge = judge_bacnet,
};
