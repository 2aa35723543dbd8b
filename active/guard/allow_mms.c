/*
 * MMS: an association with fixed parameters, identify, names of domains, reads of name plates, conclude.
 * ISO 9506-2, IEC 61850-8-1 over ISO 8327 (session), ISO 8823 (presentation), RFC 1006.
 *
 *   | 03 00 | length 2 | 02 f0 80 | 01 00 01 00 | 61 { 30 { 02 01 03, a0 { a0 { 02 invoke, service } } } } |
 */
#include "active/guard/allow.h"
#include "classifiers/api/der.h"

enum {
	COTP_CONNECT = 0xe0,
	USER_DATA = 0x61, CONTEXT_0 = 0xa0, CONTEXT_1 = 0xa1, MMS_CONTEXT = 3,
	CONFIRMED_REQUEST = 0xa0, CONCLUDE = 0x8b,
	IDENTIFY = 0x82, NAME_LIST = 0xa1, READ = 0xa4,
	NAME = 0x1a, CLASS_DOMAIN = 9,
	MOST_ITEMS = 8, NAME_MOST = 129,
};

/* The association of an IEC 61850 client behind TPKT and COTP: calling and called titles 1.1.1.999.1, no authentication. */
static const uint8_t initiate[] = {
	0x0d, 0xb6, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x14, 0x02, 0x00, 0x02, 0x33, 0x02, 0x00, 0x01, 0x34, 0x02, 0x00, 0x01,
	0xc1, 0xa0, 0x31, 0x81, 0x9d, 0xa0, 0x03, 0x80, 0x01, 0x01, 0xa2, 0x81, 0x95, 0x81, 0x04, 0x00, 0x00, 0x00, 0x01, 0x82, 0x04, 0x00,
	0x00, 0x00, 0x01, 0xa4, 0x23, 0x30, 0x0f, 0x02, 0x01, 0x01, 0x06, 0x04, 0x52, 0x01, 0x00, 0x01, 0x30, 0x04, 0x06, 0x02, 0x51, 0x01,
	0x30, 0x10, 0x02, 0x01, 0x03, 0x06, 0x05, 0x28, 0xca, 0x22, 0x02, 0x01, 0x30, 0x04, 0x06, 0x02, 0x51, 0x01, 0x61, 0x62, 0x30, 0x60,
	0x02, 0x01, 0x01, 0xa0, 0x5b, 0x60, 0x59, 0xa1, 0x07, 0x06, 0x05, 0x28, 0xca, 0x22, 0x02, 0x03, 0xa2, 0x07, 0x06, 0x05, 0x29, 0x01,
	0x87, 0x67, 0x01, 0xa3, 0x03, 0x02, 0x01, 0x0c, 0xa6, 0x06, 0x06, 0x04, 0x29, 0x01, 0x87, 0x67, 0xa7, 0x03, 0x02, 0x01, 0x0c, 0xbe,
	0x33, 0x28, 0x31, 0x06, 0x02, 0x51, 0x01, 0x02, 0x01, 0x03, 0xa0, 0x28, 0xa8, 0x26, 0x80, 0x03, 0x00, 0xff, 0x00, 0x81, 0x01, 0x0a,
	0x82, 0x01, 0x0a, 0x83, 0x01, 0x05, 0xa4, 0x16, 0x80, 0x01, 0x01, 0x81, 0x03, 0x05, 0xf1, 0x00, 0x82, 0x0c, 0x03, 0xee, 0x1c, 0x00,
	0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x01, 0x18,
};

/* Functional constraints whose objects say what a device is; ST, SP, CO and the rest stay out of reach. */
static const char *const name_plates[] = { "$DC$NamPlt$", "$EX$NamPlt$", "$DC$PhyNam$", "$DC$CardNam$" };

static bool judge_connect(struct ask *q, uint8_t length)
{
	if (length != cursor_left(&q->bytes) + 1 || !ask_takes(q, "\0\0", 2))
		return ask_refuse(q, "the connect request's length or destination is wrong");
	cursor_skip(&q->bytes, 2);
	if (!ask_takes(q, "\x00\xc1\x02\x00", 4) || cursor_u8(&q->bytes) > 1 || !ask_takes(q, "\xc2\x02\x00\x01\xc0\x01", 6))
		return ask_refuse(q, "the connect request is not class 0 to selector 00 01");
	if (cursor_u8(&q->bytes) > 0x0d)
		return ask_refuse(q, "the transport unit is larger than any");
	return ask_reads(q, "connect to transport selector 00 01");
}

static bool is_name(struct cursor name)
{
	size_t n = cursor_left(&name);

	for (size_t i = 0; i < n; i++)
		if (name.at[i] < 0x21 || name.at[i] > 0x7e)
			return false;
	return n >= 1 && n <= NAME_MOST;
}

static bool is_name_plate(struct cursor item)
{
	for (size_t i = 0; i < sizeof(name_plates) / sizeof(name_plates[0]); i++) {
		size_t n = strlen(name_plates[i]);

		for (size_t at = 0; at + n <= cursor_left(&item); at++)
			if (memcmp(item.at + at, name_plates[i], n) == 0 && !memchr(item.at, '$', at))
				return is_name(item);
	}
	return false;
}

/* 80 01 00 (specification not wanted), a1 { a0 { 30 { a0 { a1 { 1a domain, 1a item } } } ... } }. */
static bool judge_read(struct ask *q, struct cursor *read)
{
	struct cursor wanted = der_take(read, 0x80), access = der_take(read, CONTEXT_1), list = der_take(&access, CONTEXT_0);
	unsigned int count = 0;

	if (cursor_left(&wanted) != 1 || cursor_u8(&wanted) != 0 || cursor_left(read) || cursor_left(&access))
		return ask_refuse(q, "the read is not one of a list of variables");
	while (cursor_left(&list)) {
		struct cursor entry = der_take(&list, DER_SEQUENCE), object = der_take(&entry, CONTEXT_0);
		struct cursor names = der_take(&object, CONTEXT_1), domain = der_take(&names, NAME), item = der_take(&names, NAME);

		if (cursor_left(&entry) || cursor_left(&object) || cursor_left(&names) || !cursor_ok(&item) || !is_name(domain))
			return ask_refuse(q, "a variable is not named by domain and item");
		if (!is_name_plate(item))
			return ask_refuse(q, "variable %u is not one of a name plate", count + 1);
		count++;
	}
	if (!cursor_ok(&list) || count == 0 || count > MOST_ITEMS)
		return ask_refuse(q, "the read names %u variables, not 1 to %d", count, MOST_ITEMS);
	return ask_reads(q, "read %u variables of name plates", count);
}

/* a0 { 80 class }, a1 { 80 }: names of the server as a whole. */
static bool judge_names(struct ask *q, struct cursor *names)
{
	struct cursor class = der_take(names, CONTEXT_0), basic = der_take(&class, 0x80), scope = der_take(names, CONTEXT_1);
	struct cursor whole = der_take(&scope, 0x80);

	if (cursor_left(&basic) != 1 || cursor_u8(&basic) != CLASS_DOMAIN || cursor_left(&class) || !cursor_ok(&whole) ||
	    cursor_left(&whole) || cursor_left(&scope) || cursor_left(names))
		return ask_refuse(q, "the names asked for are not those of the domains");
	return ask_reads(q, "names of the domains (logical devices)");
}

static bool judge_request(struct ask *q, struct cursor *request)
{
	struct cursor invoke = der_take(request, DER_INTEGER), service;
	uint8_t tag;

	service = der_any(request, &tag);
	if (!cursor_ok(&service) || cursor_left(&invoke) < 1 || cursor_left(request))
		return ask_refuse(q, "the request is not one service");
	if (tag == IDENTIFY && cursor_left(&service) == 0)
		return ask_reads(q, "identify");
	if (tag == NAME_LIST)
		return judge_names(q, &service);
	if (tag == READ)
		return judge_read(q, &service);
	return ask_refuse(q, "service 0x%02x is none of identify, name list and read", tag);
}

static bool judge_data(struct ask *q)
{
	struct cursor user = der_take(&q->bytes, USER_DATA), pdv = der_take(&user, DER_SEQUENCE);
	struct cursor context = der_take(&pdv, DER_INTEGER), value = der_take(&pdv, CONTEXT_0), pdu;
	uint8_t tag;

	if (cursor_left(&context) != 1 || cursor_u8(&context) != MMS_CONTEXT || cursor_left(&pdv) || cursor_left(&user))
		return ask_refuse(q, "the data is not one value of presentation context 3");
	pdu = der_any(&value, &tag);
	if (!cursor_ok(&pdu) || cursor_left(&value))
		return ask_refuse(q, "the value is not one MMS message");
	if (tag == CONCLUDE && cursor_left(&pdu) == 0)
		return ask_reads(q, "conclude");
	if (tag != CONFIRMED_REQUEST)
		return ask_refuse(q, "MMS message 0x%02x is neither a request nor conclude", tag);
	return judge_request(q, &pdu);
}

static bool judge_mms(struct ask *q)
{
	uint16_t version = cursor_u16be(&q->bytes), length = cursor_u16be(&q->bytes);
	uint8_t cotp = cursor_u8(&q->bytes), type = cursor_u8(&q->bytes);

	if (version != 0x0300 || length != q->len)
		return ask_refuse(q, "the TPKT's length (%u) is not that of the message", length);
	if (type == COTP_CONNECT)
		return judge_connect(q, cotp);
	if (cotp != 2 || type != 0xf0 || cursor_u8(&q->bytes) != 0x80)
		return ask_refuse(q, "the COTP unit is neither a connect request nor whole data");
	if (cursor_starts(&q->bytes, initiate, 1))
		return ask_takes(q, initiate, sizeof(initiate)) ? ask_reads(q, "begin an association")
								: ask_refuse(q, "the association is not the fixed one");
	if (!ask_takes(q, "\1\0\1\0", 4))
		return ask_refuse(q, "the session unit is not plain data");
	return judge_data(q);
}

const struct allow allow_mms = {
	.name = "mms",
	.transports = 1 << TRANSPORT_TCP,
	.may = "an association with fixed parameters, identify, names of domains, reads of name plates, conclude",
	.judge = judge_mms,
};
