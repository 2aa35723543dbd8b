/*
 * Kerberos: which realm a directory serves, and the names of the machines that log in. RFC 4120, section 5; MS-KILE.
 *
 *  AS-REQ, TGS-REQ  APPLICATION 10, 12 { [1] version 5, [2] type, [3] .., [4] { [0] options, [1] client, [2] realm, [3] server, .. [9] addresses } }
 *  AS-REP, TGS-REP  APPLICATION 11, 13 { [0] version 5, [1] type, [2] .., [3] realm, [4] client, .. }
 *  ERROR            APPLICATION 30     { [0] version 5, [1] type, .. [9] realm, [10] server, .. }
 *  a name is { [0] kind, [1] { GeneralString ... } }, an address { [0] kind, [1] OCTETS }; over TCP behind a length u32
 *
 * Users are not looked at. A client that is a machine ("GATE-1$", "host/gate-1.works") names itself.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/der.h"

#include <ctype.h>

enum { PORT_KERBEROS = 88, MESSAGE_BYTES = 16384, VERSION = 5, GENERAL_STRING = 0x1b, ADDRESS_NETBIOS = 20 };
enum { AS_REQ = 10, AS_REP = 11, TGS_REQ = 12, TGS_REP = 13, KRB_ERROR = 30 };
enum { APPLICATION = 0x60, CONTEXT = 0xa0 };

/* The next field if it is the one of that number; a bad cursor, and c unmoved, if it isn't. */
static struct cursor take_field(struct cursor *c, uint8_t number)
{
	struct cursor contents;

	if (!der_maybe(c, (uint8_t)(CONTEXT | number), &contents))
		return (struct cursor){ c->at, c->at, true };
	return contents;
}

/* Moves to the field of that number over those before it. */
static struct cursor find_field(struct cursor *c, uint8_t number)
{
	uint8_t tag;

	while (cursor_ok(c) && cursor_left(c) && (cursor_peek(c, 0) & 0x1f) < number)
		der_any(c, &tag);
	return take_field(c, number);
}

static int take_number(struct cursor field)
{
	struct cursor number = der_take(&field, DER_INTEGER);

	return cursor_ok(&number) && cursor_left(&number) == 1 ? cursor_u8(&number) : -1;
}

static bool is_text(struct cursor c)
{
	for (; cursor_left(&c); c.at++)
		if (!isprint(*c.at))
			return false;
	return true;
}

/* "GATE-1$" is a machine's account; "host/gate-1.works" the same with its full name. */
static void tell_machine(struct reader *r, enum side side, struct cursor field)
{
	struct cursor name = der_take(&field, DER_SEQUENCE), parts, list, first, second;

	find_field(&name, 0);
	parts = find_field(&name, 1);
	list = der_take(&parts, DER_SEQUENCE);
	first = der_take(&list, GENERAL_STRING);
	if (!cursor_ok(&first) || !is_text(first))
		return;
	if (cursor_left(&first) > 1 && first.end[-1] == '$') {
		first.end--;
		tell(r, side, NULL, ATTR_HOSTNAME, first);
	} else if (cursor_left(&first) == 4 && cursor_starts(&first, "host", 4)) {
		second = der_take(&list, GENERAL_STRING);
		if (cursor_ok(&second) && is_text(second))
			tell(r, side, NULL, ATTR_HOSTNAME, second);
	}
}

/* Windows puts its NetBIOS name here, filled up with blanks. */
static void tell_addresses(struct reader *r, struct cursor field)
{
	struct cursor list = der_take(&field, DER_SEQUENCE);

	while (cursor_left(&list)) {
		struct cursor address = der_take(&list, DER_SEQUENCE), kind = find_field(&address, 0), value = find_field(&address, 1), text;

		text = der_take(&value, DER_OCTETS);
		if (take_number(kind) == ADDRESS_NETBIOS && cursor_ok(&text) && is_text(text))
			tell(r, SENDER, NULL, ATTR_HOSTNAME, text);
	}
}

static bool read_realm(struct reader *r, enum side side, struct cursor field)
{
	struct cursor realm = der_take(&field, GENERAL_STRING);

	if (!cursor_ok(&realm) || cursor_left(&realm) == 0 || !is_text(realm))
		return false;
	if (side == SENDER) {
		tell(r, side, NULL, ATTR_REALM, realm);
		tell_text(r, side, NULL, ATTR_ROLE, "kerberos-server");
	}
	return true;
}

/* What a client asks for says nothing yet of who gets it: only the answer tells whose realm it is. */
static bool read_request(struct reader *r, struct cursor c)
{
	struct cursor field = find_field(&c, 4), body = der_open(&field, DER_SEQUENCE), client, addresses;
	struct cursor options = find_field(&body, 0);

	if (!cursor_ok(&options))
		return false;
	client = take_field(&body, 1);
	if (!read_realm(r, RECEIVER, find_field(&body, 2)))
		return false;
	if (cursor_ok(&client))
		tell_machine(r, SENDER, client);
	addresses = find_field(&body, 9);
	if (cursor_ok(&addresses))
		tell_addresses(r, addresses);
	r->sender_role = ROLE_CLIENT;
	return true;
}

static bool read_answer(struct reader *r, struct cursor c)
{
	struct cursor client;

	if (!read_realm(r, SENDER, find_field(&c, 3)))
		return false;
	client = find_field(&c, 4);
	if (cursor_ok(&client))
		tell_machine(r, RECEIVER, client);
	r->sender_role = ROLE_SERVER;
	return true;
}

static bool read_error(struct reader *r, struct cursor c)
{
	r->sender_role = ROLE_SERVER;
	return read_realm(r, SENDER, find_field(&c, 9));
}

static bool is_type(uint8_t type)
{
	return (type >= AS_REQ && type <= TGS_REP) || type == KRB_ERROR;
}

static bool read_message(struct reader *r, struct cursor c)
{
	uint8_t tag = cursor_left(&c) ? *c.at : 0, type = tag & 0x1f;
	bool request = type == AS_REQ || type == TGS_REQ;
	struct cursor message, body;

	if ((tag & 0xe0) != APPLICATION || !is_type(type))
		return false;
	message = der_open(&c, tag);
	body = der_open(&message, DER_SEQUENCE);
	if (take_number(take_field(&body, request)) != VERSION || take_number(take_field(&body, (uint8_t)(request + 1))) != type)
		return false;
	if (request)
		return read_request(r, body);
	return type == KRB_ERROR ? read_error(r, body) : read_answer(r, body);
}

/* {length u32}, then {tag}: worth to wait for the rest of it. */
static enum verdict read_stream(struct reader *r)
{
	struct cursor c = r->bytes, message;
	uint32_t len;
	uint8_t tag;

	if (cursor_left(&c) < 5)
		return cursor_left(&c) && *c.at ? NOT_MINE : NEED_MORE;
	len = cursor_u32be(&c);
	tag = cursor_peek(&c, 0);
	if (len > MESSAGE_BYTES - 4 || len < 16 || (tag & 0xe0) != APPLICATION || !is_type(tag & 0x1f))
		return NOT_MINE;
	if (cursor_left(&c) < len && !r->truncated)
		return NEED_MORE;
	message = cursor_take(&c, cursor_left(&c) < len ? cursor_left(&c) : len);
	if (!read_message(r, message))
		return NOT_MINE;
	r->bytes = c;
	return MINE;
}

static enum verdict read_kerberos(struct reader *r)
{
	if (r->transport == TRANSPORT_TCP)
		return read_stream(r);
	return read_message(r, r->bytes) ? MINE : NOT_MINE;
}

const struct classifier classifier_kerberos = {
	.name = "kerberos",
	.transports = 1 << TRANSPORT_UDP | 1 << TRANSPORT_TCP,
	.ports = { PORT_KERBEROS },
	.max_message = MESSAGE_BYTES,
	.read = read_kerberos,
};
