/*
 * OPC UA: Hello, an unsecured channel, FindServers, GetEndpoints, and the channel's close.
 * OPC 10000-4, 5.4 and 5.5; OPC 10000-6, 6.7 and 7.1.
 *
 *   | type 3 | 'F' | size 4 | Hello: 5 x u32, url |  others: channel 4, ... |   little-endian
 */
#include "active/guard/allow.h"

enum {
	OPEN_CHANNEL = 446,
	CLOSE_CHANNEL = 452,
	FIND_SERVERS = 422,
	GET_ENDPOINTS = 428,
	NULL_LENGTH = 0xffffffff,
	LONGEST_LIFETIME_MS = 600000,
};

static const char no_security[] = "http://opcfoundation.org/UA/SecurityPolicy#None";

static bool take_text(struct ask *q)
{
	uint32_t n = cursor_u32le(&q->bytes);

	if (n != NULL_LENGTH)
		cursor_skip(&q->bytes, n);
	return cursor_ok(&q->bytes);
}

/* An empty list of texts. */
static bool take_no_list(struct ask *q)
{
	uint32_t n = cursor_u32le(&q->bytes);

	return n == NULL_LENGTH || n == 0;
}

/* A four-byte node id of namespace 0, and a request header without a token, audit text or extension. */
static bool take_request(struct ask *q, uint16_t *type)
{
	if (!ask_takes(q, "\1\0", 2))
		return ask_refuse(q, "the request's type is not of namespace 0");
	*type = cursor_u16le(&q->bytes);
	if (!ask_takes(q, "\0\0", 2))
		return ask_refuse(q, "the request header carries a token");
	cursor_skip(&q->bytes, 8 + 4);
	if (cursor_u32le(&q->bytes) != 0 || cursor_u32le(&q->bytes) != NULL_LENGTH)
		return ask_refuse(q, "the request header asks for diagnostics or names an audit entry");
	cursor_skip(&q->bytes, 4);
	if (!ask_takes(q, "\0\0\0", 3))
		return ask_refuse(q, "the request header carries an extension");
	return true;
}

static bool judge_hello(struct ask *q)
{
	cursor_skip(&q->bytes, 20);
	if (!take_text(q))
		return ask_refuse(q, "the endpoint's url is cut short");
	return ask_reads(q, "hello");
}

static bool judge_open(struct ask *q)
{
	uint16_t type = 0;
	uint32_t lifetime_ms;

	if (cursor_u32le(&q->bytes) != 0 || cursor_u32le(&q->bytes) != sizeof(no_security) - 1 ||
	    !ask_takes(q, no_security, sizeof(no_security) - 1) || !ask_takes(q, "\xff\xff\xff\xff\xff\xff\xff\xff", 8))
		return ask_refuse(q, "the channel is no new one without security");
	cursor_skip(&q->bytes, 8);
	if (!take_request(q, &type))
		return false;
	if (type != OPEN_CHANNEL || !ask_takes(q, "\0\0\0\0\0\0\0\0\1\0\0\0\xff\xff\xff\xff", 16))
		return ask_refuse(q, "the channel is not issued with mode None");
	lifetime_ms = cursor_u32le(&q->bytes);
	if (lifetime_ms > LONGEST_LIFETIME_MS)
		return ask_refuse(q, "the channel would live %u ms", lifetime_ms);
	return ask_reads(q, "open a channel without security for %u s", lifetime_ms / 1000);
}

static bool judge_service(struct ask *q, bool close)
{
	uint16_t type = 0;

	cursor_skip(&q->bytes, 16); /* channel, token, sequence, request */
	if (!take_request(q, &type))
		return false;
	if (close)
		return type == CLOSE_CHANNEL ? ask_reads(q, "close the channel")
					     : ask_refuse(q, "service %u closes no channel", type);
	if (type != FIND_SERVERS && type != GET_ENDPOINTS)
		return ask_refuse(q, "service %u is neither FindServers (422) nor GetEndpoints (428)", type);
	if (!take_text(q) || !take_no_list(q) || !take_no_list(q))
		return ask_refuse(q, "the service's lists are not empty");
	return ask_reads(q, type == FIND_SERVERS ? "find servers" : "get endpoints");
}

static bool judge_opcua(struct ask *q)
{
	uint8_t type[4];

	cursor_copy(&q->bytes, type, sizeof(type));
	if (cursor_u32le(&q->bytes) != q->len)
		return ask_refuse(q, "the header's size is not that of the message");
	if (memcmp(type, "HELF", 4) == 0)
		return judge_hello(q);
	if (memcmp(type, "OPNF", 4) == 0)
		return judge_open(q);
	if (memcmp(type, "MSGF", 4) == 0)
		return judge_service(q, false);
	if (memcmp(type, "CLOF", 4) == 0)
		return judge_service(q, true);
	return ask_refuse(q, "the message is none of HEL, OPN, MSG and CLO in one chunk");
}

const struct allow allow_opcua = {
	.name = "opcua",
	.transports = 1 << TRANSPORT_TCP,
	.may = "Hello, OpenSecureChannel without security, FindServers, GetEndpoints, CloseSecureChannel",
	.judge = judge_opcua,
};
