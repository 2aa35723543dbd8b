/* Reply beginnings and ends, read through the checked cursor alone. */
#include "active/prober/match.h"

#include "classifiers/api/cursor.h"

enum {
	DNP3_HEADER_BYTES = 10,
	DNP3_COUNTED = 5,      /* bytes of the header that the length counts */
	DNP3_BLOCK = 16,
	DNP3_CHECKSUM = 2,
	DNP3_FINAL = 0x80,     /* transport header: last segment of a fragment */
};

static bool is_little(uint8_t type)
{
	return type == VALUE_U16LE || type == VALUE_U32LE || type == VALUE_U64LE;
}

static bool same_bytes(struct cursor *c, const uint8_t *bytes, size_t n)
{
	struct cursor is = cursor_take(c, n);

	return is.bad || memcmp(is.at, bytes, n) == 0;
}

static bool same_repeated(struct cursor *c, uint8_t byte, size_t n)
{
	bool same = true;

	while (n-- > 0 && same) {
		uint8_t is = cursor_u8(c);

		same = !cursor_ok(c) || is == byte;
	}
	return same;
}

/* True when the bytes fit, or end too early to say. */
static bool same_hole(struct cursor *c, const struct part *p, const struct filling *f)
{
	uint8_t text[RULE_TEXT_BYTES];
	uint64_t is;
	size_t n;

	if (p->type == VALUE_BYTES)
		return same_bytes(c, f->bytes, f->len);
	if (p->type == VALUE_TEXT)
		return text_encode((enum text_form)p->form, f->bytes, f->len, text, &n) && same_bytes(c, text, n);
	n = value_width((enum value_type)p->type);
	is = is_little(p->type) ? cursor_le(c, n) : cursor_be(c, n);
	return !cursor_ok(c) || is == f->number;
}

static bool same_part(struct cursor *c, const struct template *t, const struct part *p, const struct filling *fillings)
{
	switch ((enum part_kind)p->kind) {
	case PART_BYTES:
		return same_bytes(c, t->bytes + p->at, p->len);
	case PART_REPEATED:
		return same_repeated(c, t->bytes[p->at], p->len);
	case PART_ANY:
		cursor_skip(c, p->len);
		return true;
	case PART_HOLE:
		return same_hole(c, p, &fillings[p->hole]);
	case PART_LENGTH:
	case PART_CRC:
		break; /* a beginning has no computed parts */
	}
	return false;
}

enum match match_begins(const struct rule *rule, const struct template *begins, const struct filling *fillings,
			const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);

	(void)rule;
	for (size_t i = 0; i < begins->count; i++) {
		if (!same_part(&c, begins, &begins->parts[i], fillings))
			return MATCH_NO;
		if (!cursor_ok(&c))
			return MATCH_MORE;
	}
	return MATCH_YES;
}

static enum reach within(const struct reply *reply, size_t end, size_t len, size_t *out)
{
	if (end > reply->at_most)
		return REACH_BROKEN;
	*out = end;
	return len >= end ? REACH_WHOLE : REACH_MORE;
}

static enum reach end_by_length(const struct reply *reply, const uint8_t *bytes, size_t len, size_t *end)
{
	struct cursor c = cursor_over(bytes, len);
	int64_t total;

	cursor_skip(&c, reply->offset);
	total = (int64_t)(reply->little ? cursor_le(&c, reply->width) : cursor_be(&c, reply->width)) + reply->add;
	if (!cursor_ok(&c))
		return len >= reply->at_most ? REACH_BROKEN : REACH_MORE;
	/* A length that does not even reach past itself would never move on. */
	if (total < reply->offset + reply->width)
		return REACH_BROKEN;
	return within(reply, (size_t)total, len, end);
}

static enum reach end_by_delimiter(const struct reply *reply, const uint8_t *bytes, size_t len, size_t *end)
{
	struct cursor c = cursor_over(bytes, len < reply->at_most ? len : reply->at_most);

	for (size_t at = 0; cursor_left(&c); at++, cursor_skip(&c, 1))
		if (cursor_starts(&c, reply->delimiter, reply->delimiter_bytes)) {
			*end = at + reply->delimiter_bytes;
			return REACH_WHOLE;
		}
	return len >= reply->at_most ? REACH_BROKEN : REACH_MORE;
}

/* Frame after frame, each with its checksums; the first transport octet says whether the fragment ends with it. */
static enum reach end_of_dnp3(const struct reply *reply, const uint8_t *bytes, size_t len, size_t *end)
{
	struct cursor c = cursor_over(bytes, len);
	size_t at = 0;

	for (;;) {
		struct cursor header = cursor_take(&c, DNP3_HEADER_BYTES);
		uint16_t start = cursor_u16be(&header);
		size_t counted = cursor_u8(&header), data, blocks;
		uint8_t transport;

		if (!cursor_ok(&header))
			return len >= reply->at_most ? REACH_BROKEN : REACH_MORE;
		if (start != 0x0564 || counted < DNP3_COUNTED)
			return REACH_BROKEN;
		data = counted - DNP3_COUNTED;
		blocks = (data + DNP3_BLOCK - 1) / DNP3_BLOCK;
		at += DNP3_HEADER_BYTES + data + blocks * DNP3_CHECKSUM;
		if (at > reply->at_most)
			return REACH_BROKEN;
		if (data == 0)
			return within(reply, at, len, end);
		transport = cursor_peek(&c, 0);
		cursor_skip(&c, data + blocks * DNP3_CHECKSUM);
		if (!cursor_ok(&c))
			return REACH_MORE;
		if (transport & DNP3_FINAL)
			return within(reply, at, len, end);
	}
}

enum reach match_end(const struct reply *reply, const uint8_t *bytes, size_t len, size_t *end)
{
	switch ((enum reply_end)reply->ends) {
	case REPLY_DATAGRAM:
		*end = len < reply->at_most ? len : reply->at_most;
		return len ? REACH_WHOLE : REACH_MORE;
	case REPLY_LENGTH:
		return end_by_length(reply, bytes, len, end);
	case REPLY_DELIMITER:
		return end_by_delimiter(reply, bytes, len, end);
	case REPLY_DNP3:
		return end_of_dnp3(reply, bytes, len, end);
	case REPLY_IDLE:
	case REPLY_CLOSE:
		return len > reply->at_most ? REACH_BROKEN : REACH_OPEN;
	case REPLY_NONE:
	case REPLY_ENDS:
		break;
	}
	*end = 0;
	return REACH_WHOLE;
}

bool match_carry(const struct hole *hole, const struct carry *carry, const uint8_t *bytes, size_t len, struct filling *out)
{
	struct cursor c = cursor_over(bytes, len);
	struct filling f = { .number = 0 };

	cursor_skip(&c, carry->offset);
	if (hole->type == VALUE_BYTES || hole->type == VALUE_TEXT) {
		f.len = hole->width;
		if (hole->width > sizeof f.bytes || !cursor_copy(&c, f.bytes, hole->width))
			return false;
	} else {
		size_t width = value_width((enum value_type)hole->type);

		f.number = is_little(hole->type) ? cursor_le(&c, width) : cursor_be(&c, width);
	}
	if (!cursor_ok(&c))
		return false;
	*out = f;
	return true;
}
