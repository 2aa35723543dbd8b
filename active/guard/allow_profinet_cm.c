/*
 * PROFINET context management over connectionless DCE/RPC: lookup at the endpoint mapper, and implicit reads of
 * identification records. IEC 61158-6-10; C706, chapter 12 and appendix O.
 *
 *   | 04 | type 0 | flags | drep 10 | object 16 | interface 16 | activity 16 | boot 4 | version 4 | sequence 4 | operation 2 |
 *   | hints 4 | length 2 | fragment 2 | auth, serial 2 | body |   little-endian, as drep says; blocks big-endian
 */
#include "active/guard/allow.h"

enum {
	RPC_BYTES = 80, IDEMPOTENT = 0x20,
	LOOKUP = 2, READ_IMPLICIT = 5,
	LOOKUP_BYTES = 76, READ_BYTES = 84,
	BLOCK_READ = 0x0009, BLOCK_BODY = 60, VERSION_1 = 0x0100,
	MOST_RECORD = 32832,
};

static const uint8_t mapper[16] = { 0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa };
static const uint8_t io_device[16] = { 0x01, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d };
/* Object of a device: these bytes, then instance, device id and vendor id. */
static const uint8_t object[10] = { 0x00, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71 };
static const uint8_t zeros[24];

/* I&M0, I&M0 filter data, real identification of an API and of a device. */
static const uint32_t records[] = { 0xaff0, 0xf840, 0xf000, 0xe000 };

/* By interface (2), all objects, the PROFINET IO device, any version, one entry; from the start. */
static bool judge_lookup(struct ask *q)
{
	uint32_t inquiry = cursor_u32le(&q->bytes), referent = cursor_u32le(&q->bytes), version;

	if (!ask_takes(q, zeros, 16))
		return ask_refuse(q, "the lookup is for one object");
	if (inquiry > 1 || referent == 0 || cursor_u32le(&q->bytes) == 0 || !ask_takes(q, io_device, sizeof(io_device)))
		return ask_refuse(q, "the lookup is not for the interface of PROFINET IO devices");
	cursor_skip(&q->bytes, 4); /* version of the interface */
	version = cursor_u32le(&q->bytes);
	if (version != 1 || !ask_takes(q, zeros, 20))
		return ask_refuse(q, "the lookup does not begin at the first entry");
	if (cursor_u32le(&q->bytes) != 1)
		return ask_refuse(q, "the lookup asks for more than one entry");
	return ask_reads(q, "look up the PROFINET IO device at the endpoint mapper");
}

static bool judge_read(struct ask *q)
{
	uint32_t most = cursor_u32le(&q->bytes), bytes = cursor_u32le(&q->bytes), api, length;
	uint16_t slot, subslot, index;

	if (bytes != 64 || cursor_u32le(&q->bytes) != most || cursor_u32le(&q->bytes) != 0 || cursor_u32le(&q->bytes) != bytes)
		return ask_refuse(q, "the arguments are not those of one block of 64 bytes");
	if (cursor_u16be(&q->bytes) != BLOCK_READ || cursor_u16be(&q->bytes) != BLOCK_BODY || cursor_u16be(&q->bytes) != VERSION_1)
		return ask_refuse(q, "the block is not a read request (0009)");
	cursor_skip(&q->bytes, 2); /* sequence number */
	if (!ask_takes(q, zeros, 16))
		return ask_refuse(q, "the read is not an implicit one: it names a relation");
	api = cursor_u32be(&q->bytes);
	slot = cursor_u16be(&q->bytes);
	subslot = cursor_u16be(&q->bytes);
	cursor_skip(&q->bytes, 2);
	index = cursor_u16be(&q->bytes);
	length = cursor_u32be(&q->bytes);
	if (!ASK_AMONG(index, records))
		return ask_refuse(q, "record 0x%04x is not one of identification", index);
	if (length > MOST_RECORD || !ask_takes(q, zeros, 24))
		return ask_refuse(q, "the record's length or the end of the block is wrong");
	return ask_reads(q, "read record 0x%04x of API %u, slot %u, subslot 0x%04x", index, api, slot, subslot);
}

static bool judge_operation(struct ask *q, bool lookup)
{
	uint32_t boot = cursor_u32le(&q->bytes), version = cursor_u32le(&q->bytes), sequence = cursor_u32le(&q->bytes);
	uint16_t operation = cursor_u16le(&q->bytes), length;

	if (boot != 0 || version != (lookup ? 3 : 1) || sequence != 0)
		return ask_refuse(q, "the call is not the first of its activity");
	if (operation != (lookup ? LOOKUP : READ_IMPLICIT))
		return ask_refuse(q, "operation %u is neither lookup (2) nor read implicit (5)", operation);
	if (!ask_takes(q, "\xff\xff\xff\xff", 4))
		return ask_refuse(q, "the call carries hints");
	length = cursor_u16le(&q->bytes);
	if (length != (lookup ? LOOKUP_BYTES : READ_BYTES) || q->len != RPC_BYTES + (size_t)length || !ask_takes(q, zeros, 4))
		return ask_refuse(q, "the call is not one whole datagram of its length");
	return lookup ? judge_lookup(q) : judge_read(q);
}

static bool judge_rpc(struct ask *q)
{
	struct cursor named, interface;
	bool lookup;

	if (!ask_takes(q, "\4\0", 2) || cursor_u8(&q->bytes) != IDEMPOTENT || !ask_takes(q, "\0\x10\0\0\0", 5))
		return ask_refuse(q, "the header is not that of an idempotent request");
	named = cursor_take(&q->bytes, 16);
	interface = cursor_take(&q->bytes, 16);
	cursor_skip(&q->bytes, 16);
	lookup = cursor_starts(&interface, mapper, sizeof(mapper));
	if (!lookup && !cursor_starts(&interface, io_device, sizeof(io_device)))
		return ask_refuse(q, "the interface is neither the endpoint mapper's nor that of PROFINET IO devices");
	if (lookup ? !cursor_starts(&named, zeros, 16) : !cursor_starts(&named, object, sizeof(object)))
		return ask_refuse(q, "the object is not the one that the interface needs");
	return judge_operation(q, lookup);
}

const struct allow allow_profinet_cm = {
	.name = "profinet_cm",
	.transports = 1 << TRANSPORT_UDP,
	.may = "lookup at the endpoint mapper; read implicit of records AFF0, F840, F000, E000",
	.judge = judge_rpc,
};
