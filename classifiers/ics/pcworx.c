/*
 * PCWorx: Phoenix Contact's inline controllers (ILC, AXC) talking to their engineering tool.
 *
 * Not published; the layout is that of tools which read the controllers' identity.
 *
 *	 0      1     2        4        6
 *	+------+-----+--------+--------+---------
 *	| type | cmd | length | number | data
 *	+------+-----+--------+--------+---------
 *
 * Type 01 asks, 81 answers; length is that of the whole message. The connect request names the
 * interface "IBETH01N0_M". Numbers are big-endian.
 */
#include "classifiers/api/role.h"

enum {
	PCWORX_PORT = 1962,
	HEADER_BYTES = 6, LONGEST = 4096,
	TAG_OFFSET = 14,
	TYPE_OFFSET = 30, FIRMWARE_OFFSET = 66, MODEL_OFFSET = 152,
};

enum { ASK = 0x01, ANSWER = 0x81 };
enum { CONNECT = 1, DISCONNECT = 2, DATA = 5, READ_RESULT = 6 };

struct memo {
	bool connected; /* the interface was named */
	bool mine;
	uint16_t number; /* 1 + of the last question, 0 none */
	uint8_t command; /* of it */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static struct cursor text_at(struct cursor c, size_t at)
{
	struct cursor text;
	ptrdiff_t end;

	cursor_skip(&c, at);
	end = cursor_find(&c, 0);
	text = cursor_take(&c, end < 0 ? 0 : (size_t)end);
	for (struct cursor look = text; cursor_left(&look);) {
		uint8_t b = cursor_u8(&look);

		if (b < 0x20 || b > 0x7e)
			cursor_fail(&text);
	}
	return text;
}

static void read_identity(struct reader *r, struct cursor whole)
{
	struct cursor type = text_at(whole, TYPE_OFFSET), firmware = text_at(whole, FIRMWARE_OFFSET);

	if (!cursor_left(&type) || !cursor_left(&firmware))
		return;
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "Phoenix Contact");
	tell(r, SENDER, NULL, ATTR_PRODUCT, type);
	tell(r, SENDER, NULL, ATTR_FIRMWARE, firmware);
	tell(r, SENDER, NULL, ATTR_ORDER_CODE, text_at(whole, MODEL_OFFSET));
}

static enum verdict decide(const struct reader *r, struct memo *memo, uint8_t type, uint8_t command, struct cursor whole)
{
	static const char interface[] = "IBETH01N0_M";
	struct cursor c = whole;
	bool port = r->sender_port == PCWORX_PORT || r->receiver_port == PCWORX_PORT;

	if (type == ASK && command == CONNECT) {
		cursor_skip(&c, TAG_OFFSET);
		memo->connected |= cursor_starts(&c, interface, sizeof interface - 1);
		return memo->connected ? MINE : NOT_MINE;
	}
	if (!port)
		return NOT_MINE;
	/* Joined late: an answer after its question, or one with an identity in its place. */
	c = text_at(whole, TYPE_OFFSET);
	if (type == ANSWER && command == READ_RESULT && cursor_left(&c) >= 4 && (c.at[0] == 'I' || c.at[0] == 'A'))
		return MINE;
	return type == ANSWER && memo->number && memo->command == command ? MINE : MAYBE;
}

static enum verdict read_pcworx(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes, whole;
	uint8_t type = cursor_u8(&c), command = cursor_u8(&c);
	uint16_t length = cursor_u16be(&c), number = cursor_u16be(&c);

	if ((type != ASK && type != ANSWER) || (cursor_left(&r->bytes) > 1 && command != CONNECT && command != DISCONNECT &&
						command != DATA && command != READ_RESULT))
		return NOT_MINE;
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (length < HEADER_BYTES || length > LONGEST)
		return NOT_MINE;
	if (cursor_left(&r->bytes) < length)
		return r->truncated ? NOT_MINE : NEED_MORE;
	c = r->bytes;
	whole = cursor_take(&c, length);
	if (!memo->mine) {
		enum verdict v = decide(r, memo, type, command, whole);

		if (v == NOT_MINE)
			return v;
		memo->mine = v == MINE;
	}
	if (type == ASK) {
		memo->number = (uint16_t)(number + 1);
		memo->command = command;
	}
	r->bytes = c;
	r->sender_role = type == ASK ? ROLE_CLIENT : ROLE_SERVER;
	if (type == ANSWER && command == READ_RESULT)
		read_identity(r, whole);
	return memo->mine ? MINE : MAYBE;
}

const struct classifier classifier_pcworx = {
	.name = "pcworx",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PCWORX_PORT },
	.read = read_pcworx,
};
