/*
 * DoIP: vehicle identification and entity status, as datagrams. ISO 13400-2, 7.1 (messages by UDP).
 *
 *   | version 1 | its complement 1 | type 2 | length 4 = 0 |   big-endian
 *
 * Routing activation (0005) takes a tester's place, and what follows it reaches the control units.
 */
#include "active/guard/allow.h"

enum { ANY_VERSION = 0xff, NEWEST_VERSION = 4, IDENTIFY = 0x0001, ENTITY_STATUS = 0x4001 };

static bool judge_doip(struct ask *q)
{
	uint8_t version = cursor_u8(&q->bytes), complement = cursor_u8(&q->bytes);
	uint16_t type = cursor_u16be(&q->bytes);

	if ((version ^ complement) != 0xff)
		return ask_refuse(q, "the version's complement is wrong");
	if (!(version >= 1 && version <= NEWEST_VERSION) && !(version == ANY_VERSION && type == IDENTIFY))
		return ask_refuse(q, "version %u is not one of 1 to %d", version, NEWEST_VERSION);
	if (cursor_u32be(&q->bytes) != 0)
		return ask_refuse(q, "the message carries something");
	if (type == IDENTIFY)
		return ask_reads(q, "identify the vehicle or entity");
	if (type == ENTITY_STATUS)
		return ask_reads(q, "read the entity's status");
	return ask_refuse(q, "type 0x%04x is neither identification (0001) nor entity status (4001)", type);
}

const struct allow allow_doip = {
	.name = "doip",
	.transports = 1 << TRANSPORT_UDP,
	.may = "vehicle identification request, entity status request",
	.judge = judge_doip,
};
