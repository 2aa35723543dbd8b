/*
 * SNMP: GetRequest and GetNextRequest of identity objects, and version 3's engine discovery.
 * RFC 1157, RFC 3412, RFC 3414, RFC 3416.
 *
 *   v1, v2c | 30 len | 02 01 version | 04 community | a0 len | id | error 0 | index 0 | 30 { 30 { 06 oid | 05 00 } } |
 *   v3      | 30 len | 02 01 03 | 30 { id, size, flags, model } | 04 { security } | 30 { 04 04 a0 {..., no objects } } |
 */
#include "active/guard/allow.h"

enum { GET = 0xa0, GET_NEXT = 0xa1, LONGEST_COMMUNITY = 64, MOST_OBJECTS = 16 };

struct tree {
	uint8_t len;
	const char *oid;
};

/* system, entPhysicalEntry, lldpLocalSystemData, prtGeneralSerialNumber, upsIdent. */
static const struct tree trees[] = {
	{ 6, "\x2b\6\1\2\1\1" },
	{ 10, "\x2b\6\1\2\1\x2f\1\1\1\1" },
	{ 7, "\x28\xc4\x62\1\1\2\1" },
	{ 11, "\x2b\6\1\2\1\x2b\5\1\1\x11\1" },
	{ 8, "\x2b\6\1\2\1\x21\1\1" },
};

/* The content of one element in BER, short or two-byte length; a bad cursor when it is another. */
static struct cursor take_element(struct cursor *c, uint8_t tag)
{
	size_t n;

	if (cursor_u8(c) != tag)
		cursor_fail(c);
	n = cursor_u8(c);
	if (n == 0x81)
		n = cursor_u8(c);
	else if (n >= 0x80)
		cursor_fail(c);
	return cursor_take(c, n);
}

/* A non-negative number of up to 4 bytes. */
static uint32_t take_number(struct cursor *c)
{
	struct cursor number = take_element(c, 0x02);

	if (cursor_left(&number) < 1 || cursor_left(&number) > 4)
		cursor_fail(c);
	return (uint32_t)cursor_be(&number, cursor_left(&number));
}

static bool is_identity(const struct cursor *oid)
{
	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		if (cursor_starts(oid, trees[i].oid, trees[i].len))
			return true;
	return false;
}

/* Id, two zeros, and objects without values. */
static bool judge_pdu(struct ask *q, struct cursor *pdu, bool discovery)
{
	struct cursor list;
	unsigned int count = 0;

	take_number(pdu);
	if (take_number(pdu) != 0 || take_number(pdu) != 0)
		return ask_refuse(q, "error status or index is set in a request");
	list = take_element(pdu, 0x30);
	while (cursor_left(&list)) {
		struct cursor pair = take_element(&list, 0x30);
		struct cursor oid = take_element(&pair, 0x06);

		if (!ask_among(cursor_u16be(&pair), (const uint32_t[]){ 0x0500 }, 1) || cursor_left(&pair))
			return ask_refuse(q, "an object is given a value");
		if (!is_identity(&oid))
			return ask_refuse(q, "an object is not one of identity");
		count++;
	}
	if (!cursor_ok(&list) || !cursor_ok(pdu) || cursor_left(pdu))
		return ask_refuse(q, "the request is not well formed");
	if (discovery ? count != 0 : count < 1 || count > MOST_OBJECTS)
		return ask_refuse(q, "%u objects are not what such a request names", count);
	return ask_reads(q, discovery ? "discover the engine" : "get %u identity objects", count);
}

static bool judge_community(struct ask *q, struct cursor *message)
{
	struct cursor community = take_element(message, 0x04);
	uint8_t type = cursor_left(message) ? message->at[0] : 0;
	struct cursor pdu;

	if (cursor_left(&community) > LONGEST_COMMUNITY)
		return ask_refuse(q, "the community is longer than %d bytes", LONGEST_COMMUNITY);
	if (type != GET && type != GET_NEXT)
		return ask_refuse(q, "PDU 0x%02x is neither GetRequest nor GetNextRequest", type);
	pdu = take_element(message, type);
	if (cursor_left(message))
		return ask_refuse(q, "something stands after the PDU");
	return judge_pdu(q, &pdu, false);
}

/* Version 3 with no user, no key and no object: the engine answers with its id. */
static bool judge_discovery(struct ask *q, struct cursor *message)
{
	static const uint8_t nobody[] = { 0x30, 0x0e, 4, 0, 2, 1, 0, 2, 1, 0, 4, 0, 4, 0, 4, 0 };
	struct cursor global = take_element(message, 0x30);
	struct cursor security = take_element(message, 0x04);
	struct cursor scoped = take_element(message, 0x30);
	struct cursor flags, pdu;

	take_number(&global);
	take_number(&global);
	flags = take_element(&global, 0x04);
	if (cursor_left(&flags) != 1 || cursor_u8(&flags) != 0x04 || take_number(&global) != 3 || cursor_left(&global))
		return ask_refuse(q, "the header is not reportable, without authentication, of the user-based model");
	if (cursor_left(&security) != sizeof(nobody) || !cursor_starts(&security, nobody, sizeof(nobody)))
		return ask_refuse(q, "the security parameters name an engine or a user");
	if (cursor_left(message) || !cursor_starts(&scoped, "\4\0\4\0\xa0", 5))
		return ask_refuse(q, "the scoped PDU is no GetRequest without a context");
	cursor_skip(&scoped, 4);
	pdu = take_element(&scoped, GET);
	return cursor_left(&scoped) ? ask_refuse(q, "something stands after the PDU") : judge_pdu(q, &pdu, true);
}

static bool judge_snmp(struct ask *q)
{
	struct cursor message = take_element(&q->bytes, 0x30);
	uint32_t version = take_number(&message);

	if (!cursor_ok(&message))
		return ask_refuse(q, "the message is not well formed");
	if (version == 0 || version == 1)
		return judge_community(q, &message);
	if (version == 3)
		return judge_discovery(q, &message);
	return ask_refuse(q, "version %u is not known", version);
}

const struct allow allow_snmp = {
	.name = "snmp",
	.transports = 1 << TRANSPORT_UDP,
	.may = "GetRequest and GetNextRequest of identity objects (v1, v2c), engine discovery (v3)",
	.judge = judge_snmp,
};
