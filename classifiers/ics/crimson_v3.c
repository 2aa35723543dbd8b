/*
 * Crimson 3: Red Lion's panels, gateways and data stations as their programming port answers.
 *
 * Not published; the two questions are those of the reader that is known for it.
 *
 *	 0        2      4       6
 *	+--------+------+-------+----------------
 *	| length | item | flags | text, 00
 *	+--------+------+-------+----------------
 *
 * Length counts what follows it; numbers are big-endian. Item 012B is the maker, 012A the model.
 */
#include "classifiers/api/role.h"

enum {
	CRIMSON_PORT = 789,
	LENGTH_BYTES = 2, HEADER_BYTES = 6, LONGEST = 2048,
	ITEM_MAKER = 0x012b, ITEM_MODEL = 0x012a,
	FLAGS_MAKER = 0x1b00, FLAGS_MODEL = 0x1a00,
};

struct memo {
	uint16_t asked;    /* the item of the question */
	uint8_t asker;     /* 1 + its direction */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static bool is_text(struct cursor c)
{
	ptrdiff_t end = cursor_find(&c, 0);

	if (end < 2)
		return false;
	for (ptrdiff_t i = 0; i < end; i++)
		if (c.at[i] < 0x20 || c.at[i] > 0x7e)
			return false;
	return true;
}

static bool is_question(uint16_t length, uint16_t item, uint16_t flags)
{
	return length == HEADER_BYTES - LENGTH_BYTES && ((item == ITEM_MAKER && flags == FLAGS_MAKER) || (item == ITEM_MODEL && flags == FLAGS_MODEL));
}

static enum verdict read_answer(struct reader *r, struct memo *memo, struct cursor text)
{
	if (!is_text(text))
		return NOT_MINE;
	memo->mine = true;
	r->sender_role = ROLE_SERVER;
	tell(r, SENDER, NULL, memo->asked == ITEM_MAKER ? ATTR_VENDOR : ATTR_PRODUCT, text);
	memo->asker = 0;
	return MINE;
}

/* The header is weak: a question is one at the usual port, an answer behind its question. */
static enum verdict read_crimson_v3(struct reader *r)
{
	static const uint8_t start[] = { 0x00, 0x04, 0x01 }; /* of both questions */
	struct memo *memo = r->memo;
	struct cursor c = r->bytes, text;
	uint16_t length = cursor_u16be(&c), item = cursor_u16be(&c), flags = cursor_u16be(&c);
	bool port = r->sender_port == CRIMSON_PORT || r->receiver_port == CRIMSON_PORT;
	enum verdict v;

	if (!cursor_ok(&c)) {
		size_t n = cursor_left(&r->bytes);

		return port || memo->asker || cursor_starts(&r->bytes, start, n < sizeof start ? n : sizeof start) ? NEED_MORE : NOT_MINE;
	}
	if (length < HEADER_BYTES - LENGTH_BYTES || length > LONGEST - LENGTH_BYTES)
		return NOT_MINE;
	if (is_question(length, item, flags)) {
		r->bytes = c;
		memo->asked = item;
		memo->asker = (uint8_t)(1 + r->direction);
		memo->mine |= r->receiver_port == CRIMSON_PORT;
		r->sender_role = ROLE_CLIENT;
		return memo->mine ? MINE : MAYBE;
	}
	if (memo->asker != 1 + !r->direction && !memo->mine)
		return NOT_MINE;
	if (cursor_left(&c) < length - (unsigned)(HEADER_BYTES - LENGTH_BYTES))
		return r->truncated ? NOT_MINE : NEED_MORE;
	text = cursor_take(&c, length - (unsigned)(HEADER_BYTES - LENGTH_BYTES));
	if (memo->asker == 1 + !r->direction) {
		v = read_answer(r, memo, text);
		if (v == MINE)
			r->bytes = c;
		return v;
	}
	/* Other traffic of the programming tool. */
	r->bytes = c;
	r->sender_role = role_or_guess(r, role_by_port(r, CRIMSON_PORT));
	return MINE;
}

const struct classifier classifier_crimson_v3 = {
	.name = "crimson_v3",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { CRIMSON_PORT },
	.read = read_crimson_v3,
};
