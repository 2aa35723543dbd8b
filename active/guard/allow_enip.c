/*
 * EtherNet/IP: list identity and services, a session, and CIP reads of the identity object.
 * The CIP Networks Library, volume 2, chapter 2; volume 1, chapters 3 and 5.
 *
 *   | command 2 | length 2 | session 4 | status 4 = 0 | context 8 | options 4 = 0 | data |   little-endian
 */
#include "active/guard/allow.h"

enum {
	LIST_SERVICES = 0x0004,
	LIST_IDENTITY = 0x0063,
	REGISTER_SESSION = 0x0065,
	UNREGISTER_SESSION = 0x0066,
	SEND_RR_DATA = 0x006f,
	HEADER_BYTES = 24,
	GET_ALL = 0x01,
	GET_SINGLE = 0x0e,
	UNCONNECTED_SEND = 0x52,
	LONGEST_WAIT_MS = 10000,
};

/* The identity object as a whole; single attributes of it, of the address (host name) and of the Ethernet link (MAC). */
static bool judge_identity(struct ask *q)
{
	uint8_t service = cursor_u8(&q->bytes);
	uint8_t words = cursor_u8(&q->bytes);
	uint8_t class_segment = cursor_u8(&q->bytes);
	uint8_t class = cursor_u8(&q->bytes);
	bool instance_one = ask_takes(q, "\x24\1", 2);
	uint8_t attribute;

	if (class_segment != 0x20 || !instance_one)
		return ask_refuse(q, "the CIP path is not class and instance 1");
	if (service == GET_ALL && words == 2 && class == 0x01)
		return ask_reads(q, "CIP get attributes all of the identity object");
	if (service != GET_SINGLE || words != 3)
		return ask_refuse(q, "CIP service 0x%02x on class 0x%02x is no read of an identity", service, class);
	if (cursor_u8(&q->bytes) != 0x30)
		return ask_refuse(q, "the CIP path does not end in an attribute");
	attribute = cursor_u8(&q->bytes);
	if (!((class == 0x01 && attribute >= 1 && attribute <= 7) || (class == 0xf5 && attribute == 6) ||
	      (class == 0xf6 && attribute == 3)))
		return ask_refuse(q, "CIP class 0x%02x attribute %u is not one of identity", class, attribute);
	return ask_reads(q, "CIP get attribute %u of class 0x%02x", attribute, class);
}

/* Through the connection manager to one slot of the backplane: the wrapped request is judged like any other. */
static bool judge_routed(struct ask *q)
{
	uint8_t tick, ticks, slot;
	uint16_t length;
	size_t before;

	if (!ask_takes(q, "\x52\2\x20\6\x24\1", 6))
		return ask_refuse(q, "the unconnected send is not for the connection manager");
	tick = cursor_u8(&q->bytes) & 0x0f;
	ticks = cursor_u8(&q->bytes);
	length = cursor_u16le(&q->bytes);
	if ((unsigned int)ticks << tick > LONGEST_WAIT_MS)
		return ask_refuse(q, "the unconnected send waits %u ms, longer than %d", (unsigned int)ticks << tick,
				  LONGEST_WAIT_MS);
	before = cursor_left(&q->bytes);
	if (!judge_identity(q))
		return false;
	if (before - cursor_left(&q->bytes) != length || length % 2)
		return ask_refuse(q, "the wrapped request is not %u bytes long", length);
	if (!ask_takes(q, "\1\0\1", 3))
		return ask_refuse(q, "the route is not one hop over the backplane");
	slot = cursor_u8(&q->bytes);
	return ask_reads(q, "CIP get identity of the module in slot %u, through the backplane", slot);
}

static bool judge_request(struct ask *q)
{
	uint16_t length;

	cursor_skip(&q->bytes, 6); /* interface handle is judged by the caller, timeout is free */
	if (!ask_takes(q, "\2\0\0\0\0\0\xb2\0", 8))
		return ask_refuse(q, "SendRRData does not hold a null address and one unconnected request");
	length = cursor_u16le(&q->bytes);
	if (length != cursor_left(&q->bytes))
		return ask_refuse(q, "the unconnected request's length (%u) is not that of the message", length);
	if (cursor_left(&q->bytes) && q->bytes.at[0] == UNCONNECTED_SEND)
		return judge_routed(q);
	return judge_identity(q);
}

static bool judge_command(struct ask *q, unsigned int command, unsigned int length, uint32_t session)
{
	if (command == LIST_IDENTITY && length == 0 && session == 0)
		return ask_reads(q, "list identity");
	if (command == LIST_SERVICES && length == 0 && session == 0)
		return ask_reads(q, "list services");
	if (q->transport != TRANSPORT_TCP)
		return ask_refuse(q, "command 0x%04x is not one to send in a datagram", command);
	if (command == REGISTER_SESSION && length == 4 && session == 0) {
		if (!ask_takes(q, "\1\0\0\0", 4))
			return ask_refuse(q, "the session asked for is not of version 1 without options");
		return ask_reads(q, "register a session");
	}
	if (command == UNREGISTER_SESSION && length == 0)
		return ask_reads(q, "unregister the session");
	if (command == SEND_RR_DATA) {
		if (cursor_left(&q->bytes) >= 4 && !cursor_starts(&q->bytes, "\0\0\0\0", 4))
			return ask_refuse(q, "the interface handle is not that of CIP");
		return judge_request(q);
	}
	return ask_refuse(q, "command 0x%04x with %u bytes is not on the list", command, length);
}

static bool judge_enip(struct ask *q)
{
	uint16_t command = cursor_u16le(&q->bytes);
	uint16_t length = cursor_u16le(&q->bytes);
	uint32_t session = cursor_u32le(&q->bytes);
	uint32_t status = cursor_u32le(&q->bytes);
	uint32_t options;

	cursor_skip(&q->bytes, 8);
	options = cursor_u32le(&q->bytes);
	if (status != 0 || options != 0)
		return ask_refuse(q, "the header's status or options are set");
	if (q->len < HEADER_BYTES || length != q->len - HEADER_BYTES)
		return ask_refuse(q, "the header's length (%u) is not that of the message", length);
	return judge_command(q, command, length, session);
}

const struct allow allow_enip = {
	.name = "enip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "list identity, list services, a session, CIP get attribute(s) of the identity object, also by slot",
	.judge = judge_enip,
};
