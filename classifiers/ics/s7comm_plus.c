/*
 * S7comm-plus: how engineering stations and panels talk to S7-1200 and S7-1500.
 *
 * The protocol is not published; its carriers are RFC 1006 (TPKT) and ISO 8073 (COTP). Read is what the
 * two ends say of themselves when a session is created, in clear in all versions without TLS.
 *
 *	+----+---------+--------+--------------------------------------------------+----+---------+------+
 *	| 72 | version | length | [20 digest 32] opcode reserved function .. items | 72 | version | 0000 |
 *	+----+---------+--------+--------------------------------------------------+----+---------+------+
 *	  1    1         2        33 (version 3)  1      2        2                  1    1         2
 *
 * A long message comes in several such packets, of which only the last has the trailer. An attribute
 * is its number (VLQ), flags, type and value; a text is 15, its length (VLQ) and UTF-8.
 */
#include "classifiers/ics/s7_plus_activity.h"
#include "classifiers/ics/tpkt.h"

enum { PROTOCOL_ID = 0x72, TRAILER_BYTES = 4, DIGEST_BYTES = 32, EVENT = 0xfe, KEEP_ALIVE = 0xff, TEXT = 0x15 };
enum opcode { REQUEST = 0x31, ANSWER = 0x32, NOTIFICATION = 0x33 };
/* Numbers of attributes as they stand on the wire, two bytes of seven bits. */
enum attribute_id {
	SESSION_APPLICATION = 0x8229, SESSION_HOST = 0x822a, SESSION_SOFTWARE = 0x822d, SESSION_DEVICE = 0x823f,
};
enum { TEXT_MAX = 128, ORDER_BYTES = 19 };

struct memo {
	bool mine;
	uint8_t client; /* 1 + direction of the client, 0 unknown */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static const struct {
	const char *tsap;
	const char *role;
	bool engineers;
} roles[] = {
	{ "SIMATIC-ROOT-ES", "engineering station", true },
	{ "WINCCRT-SCS-ES", "engineering station", true }, /* of a panel's runtime */
	{ "SIMATIC-ROOT-HMI", "operator station", false },
	{ "SIMATIC-ROOT-OTH", NULL, false },
};

static void accept(struct reader *r, struct memo *memo, const struct tpkt *t, bool looks_like_client)
{
	if (!memo->client)
		memo->client = tpkt_client(r, t, looks_like_client);
	memo->mine = true;
	r->sender_role = memo->client == 1 + r->direction ? ROLE_CLIENT : ROLE_SERVER;
}

/* The name that the client calls is this protocol's own, and says what the client is. */
static enum verdict read_connect(struct reader *r, struct memo *memo, const struct tpkt *t)
{
	struct cursor called = tpkt_parameter(t, COTP_CALLED);

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
		if (!cursor_starts(&called, roles[i].tsap, strlen(roles[i].tsap)))
			continue;
		accept(r, memo, t, true);
		if (r->sender_role == ROLE_CLIENT && roles[i].role)
			tell_text(r, SENDER, NULL, ATTR_ROLE, roles[i].role);
		if (t->type == COTP_CONNECT && roles[i].engineers)
			tell_activity(r, NULL, ACTIVITY_ENGINEERING_SESSION, "connect to %s", roles[i].tsap);
		return MINE;
	}
	if (memo->mine)
		accept(r, memo, t, true);
	return memo->mine ? MINE : MAYBE;
}

/* The text of attribute `id` anywhere in the items; a bad cursor without it. */
static struct cursor find_text(struct cursor c, uint16_t id)
{
	const uint8_t want[4] = { (uint8_t)(id >> 8), (uint8_t)id, 0, TEXT };
	ptrdiff_t at;

	while ((at = cursor_find(&c, want[0])) >= 0) {
		cursor_skip(&c, (size_t)at);
		if (cursor_starts(&c, want, sizeof want)) {
			cursor_skip(&c, sizeof want);
			return cursor_take(&c, s7_plus_vlq(&c));
		}
		cursor_skip(&c, 1);
	}
	return (struct cursor){ .bad = true };
}

static struct cursor take_until(struct cursor *c, uint8_t end)
{
	ptrdiff_t n = cursor_find(c, end);
	struct cursor part = n < 0 ? cursor_rest(c) : cursor_take(c, (size_t)n);

	if (n >= 0)
		cursor_skip(c, 1);
	return part;
}

/* "1;6ES7 511-1AK00-0AB0 ;V1.0": order number and firmware. */
static void tell_device(struct reader *r, struct cursor text)
{
	struct cursor order, firmware;

	if (cursor_left(&text) > TEXT_MAX || cursor_find(&text, ';') < 0)
		return;
	(void)take_until(&text, ';');
	order = take_until(&text, ';');
	firmware = take_until(&text, ';');
	if (cursor_left(&order) < ORDER_BYTES - 1 || cursor_left(&firmware) < 2 || cursor_peek(&firmware, 0) != 'V')
		return;
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "Siemens");
	tell(r, SENDER, NULL, ATTR_ORDER_CODE, order);
	tell(r, SENDER, NULL, ATTR_FIRMWARE, firmware);
}

static bool is_name(struct cursor c)
{
	size_t n = cursor_left(&c);

	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c), letter = b | 0x20;

		if (!((letter >= 'a' && letter <= 'z') || (b >= '0' && b <= '9') || b == '-' || b == '_' || b == '.'))
			return false;
	}
	return n > 0;
}

/* What the client says of itself: its application, and its name with a number behind it. */
static void tell_client(struct reader *r, struct cursor items)
{
	struct cursor host = find_text(items, SESSION_HOST);

	tell(r, SENDER, NULL, ATTR_SOFTWARE, find_text(items, SESSION_APPLICATION));
	if (is_name(host))
		tell(r, SENDER, NULL, ATTR_NAME, host);
}

static void tell_server(struct reader *r, struct cursor items)
{
	tell_device(r, find_text(items, SESSION_DEVICE));
	tell(r, SENDER, NULL, ATTR_SOFTWARE, find_text(items, SESSION_SOFTWARE));
}

/* True when `text` has the form of "6ES7 214-1HE30-0XB0". */
static bool is_order_code(struct cursor text)
{
	static const char form[] = "6AAN NNN-NANNN-NANN";

	for (size_t i = 0; form[i]; i++) {
		uint8_t b = cursor_u8(&text);
		bool digit = b >= '0' && b <= '9', letter = b >= 'A' && b <= 'Z';

		if ((form[i] == 'N' || form[i] == 'A') ? !(digit || letter) : b != (uint8_t)form[i])
			return false;
	}
	return cursor_ok(&text);
}

/* Siemens' serial numbers: S, letters and digits, 14 to 16 in all. A bad cursor when none stands here. */
static struct cursor take_serial(struct cursor *c)
{
	struct cursor ahead = *c;
	size_t n = 0;
	uint8_t first = cursor_peek(&ahead, 0);

	for (uint8_t b = cursor_u8(&ahead); (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9'); b = cursor_u8(&ahead))
		n++;
	if (first != 'S' || n < 14 || n > 16)
		return (struct cursor){ .bad = true };
	return cursor_take(c, n);
}

/* Programs that are read back bring the order number and serial number of the CPU, or of its card. */
static void tell_serial(struct reader *r, struct cursor c)
{
	ptrdiff_t at;

	while ((at = cursor_find(&c, '6')) >= 0) {
		cursor_skip(&c, (size_t)at);
		if (is_order_code(c)) {
			cursor_skip(&c, ORDER_BYTES + 1);
			tell(r, SENDER, NULL, ATTR_SERIAL, take_serial(&c));
			return;
		}
		cursor_skip(&c, 1);
	}
}

static void read_items(struct reader *r, uint8_t opcode, uint16_t function, struct cursor items)
{
	if (opcode == REQUEST)
		s7_plus_tell_request(r, function, items);
	if (function == S7P_CREATE_OBJECT && opcode == REQUEST)
		tell_client(r, items);
	else if (function == S7P_CREATE_OBJECT && opcode == ANSWER)
		tell_server(r, items);
	else if ((function == S7P_EXPLORE || function == S7P_GET_STREAM) && opcode == ANSWER)
		tell_serial(r, items);
}

/* Keep-alives and events have bodies of their own; they prove nothing alone. */
static enum verdict read_short(struct reader *r, struct memo *memo, const struct tpkt *t)
{
	if (!memo->mine)
		return MAYBE;
	accept(r, memo, t, true);
	return MINE;
}

/* One packet in its COTP data. Where a message goes on, there is no opcode. */
static enum verdict read_packet(struct reader *r, struct memo *memo, const struct tpkt *t)
{
	struct cursor c = t->data, body, trailer;
	uint8_t version, opcode;
	uint16_t length, function;

	cursor_skip(&c, 1);
	version = cursor_u8(&c);
	if (version == EVENT || version == KEEP_ALIVE)
		return read_short(r, memo, t);
	length = cursor_u16be(&c);
	body = cursor_take(&c, length);
	if (!cursor_ok(&body) || version < 1 || version > 3 || (cursor_left(&c) != 0 && cursor_left(&c) != TRAILER_BYTES))
		return NOT_MINE;
	trailer = c;
	if (cursor_left(&c) && (cursor_u8(&trailer) != PROTOCOL_ID || cursor_u8(&trailer) != version || cursor_u16be(&trailer) != 0))
		return NOT_MINE;
	if (version == 3 && cursor_left(&body) && cursor_peek(&body, 0) <= DIGEST_BYTES)
		cursor_skip(&body, cursor_u8(&body));
	opcode = cursor_u8(&body);
	if (opcode != REQUEST && opcode != ANSWER && opcode != NOTIFICATION)
		return read_short(r, memo, t);
	accept(r, memo, t, opcode == REQUEST);
	cursor_skip(&body, 2);
	function = cursor_u16be(&body);
	if (cursor_ok(&body) && function)
		read_items(r, opcode, function, body);
	return MINE;
}

static enum verdict read_s7comm_plus(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes;
	struct tpkt t = { 0 };
	enum verdict v = tpkt_take(&c, &t);

	if (v != MINE)
		return v;
	if (t.type == COTP_CONNECT || t.type == COTP_CONFIRM)
		v = cursor_left(&t.data) ? NOT_MINE : read_connect(r, memo, &t);
	else if (t.type == COTP_DATA && cursor_left(&t.data) && cursor_peek(&t.data, 0) == PROTOCOL_ID)
		v = read_packet(r, memo, &t);
	else if (t.type == COTP_DATA && cursor_left(&t.data) && !(memo->mine && cursor_peek(&t.data, 0) - 20u < 4))
		return NOT_MINE; /* ours go on as TLS records (types 20 to 23) when both ends can */
	else
		v = read_short(r, memo, &t);
	if (v == MINE || v == MAYBE)
		r->bytes = c;
	return v;
}

const struct classifier classifier_s7comm_plus = {
	.name = "s7comm_plus",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { TPKT_PORT },
	.max_message = TPKT_LONGEST,
	.read = read_s7comm_plus,
};
