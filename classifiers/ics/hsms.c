/*
 * HSMS: semiconductor equipment and its hosts, by the GEM messages inside that name model and software.
 *
 * SEMI E37 and E37.1 (HSMS-SS: header, control messages), SEMI E5 (SECS-II: items; streams S1F2, S1F13,
 * S1F14), SEMI E30 (GEM).
 *
 *	 0        4         6           7      8       9       10             14
 *	+--------+---------+-----------+------+-------+-------+--------------+---------------
 *	| length | session | W, stream | func.| 00    | stype | system bytes | items {format, length, value}
 *	+--------+---------+-----------+------+-------+-------+--------------+---------------
 *
 * stype 0 is data; others are control messages of ten bytes for session FFFF. Numbers are big-endian.
 */
#include "classifiers/api/role.h"

enum {
	HSMS_PORT = 5000,
	LENGTH_BYTES = 4, HEADER_BYTES = 10,
	LONGEST = 8192,
	LARGEST = 1 << 24,
	CONTROL_SESSION = 0xffff,
	TEXT_MAX = 20,
	ENOUGH = 3,
};

enum stype { DATA, SELECT_REQ, SELECT_RSP, DESELECT_REQ, DESELECT_RSP, LINKTEST_REQ, LINKTEST_RSP, REJECT_REQ, SEPARATE_REQ = 9 };
enum { WAIT_BIT = 0x80 };
enum { ITEM_LIST = 1, ITEM_BINARY = 0x21, ITEM_ASCII = 0x41 };

struct memo {
	uint32_t system;    /* of the last request */
	uint8_t requester;  /* 1 + its direction */
	uint8_t stype;      /* of it, */
	uint8_t stream;     /* without the wait bit, */
	uint8_t function;
	uint8_t good;
	bool mine;
	uint16_t device;    /* 1 + the device id told last */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint16_t session;
	uint8_t stream, function; /* of control messages: two bytes of theirs */
	uint8_t stype;
	uint32_t system;
	struct cursor text;
	bool whole;
};

/* Control messages have a fixed form; data a stream and function that go together with its wait bit. */
static bool fits(const struct message *m, uint32_t length)
{
	if (m->stype == DATA)
		return !(m->session & 0x8000) && (m->stream & 0x7f) >= 1 && (m->function % 2 || !(m->stream & WAIT_BIT));
	if (length != HEADER_BYTES)
		return false;
	if (m->stype == REJECT_REQ)
		return m->function >= 1 && m->function <= 4;
	if (m->stype == SELECT_RSP || m->stype == DESELECT_RSP)
		return m->stream == 0 && m->function <= 4;
	return m->stype <= SEPARATE_REQ && m->stype != 8 && m->stream == 0 && m->function == 0 &&
	       (m->session == CONTROL_SESSION || m->stype == SELECT_REQ || m->stype == SEPARATE_REQ || m->stype == DESELECT_REQ);
}

static enum verdict take_message(struct reader *r, struct message *m)
{
	struct cursor c = r->bytes;
	uint32_t length = cursor_u32be(&c);
	uint8_t ptype;

	if (!cursor_ok(&c))
		return cursor_peek(&r->bytes, 0) == 0 ? NEED_MORE : NOT_MINE;
	if (length < HEADER_BYTES || length > LARGEST)
		return NOT_MINE;
	m->session = cursor_u16be(&c);
	m->stream = cursor_u8(&c);
	m->function = cursor_u8(&c);
	ptype = cursor_u8(&c);
	m->stype = cursor_u8(&c);
	m->system = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (ptype || !fits(m, length))
		return NOT_MINE;
	length -= HEADER_BYTES;
	m->whole = cursor_left(&c) >= length;
	if (!m->whole && length <= LONGEST - HEADER_BYTES - LENGTH_BYTES && !r->truncated)
		return NEED_MORE;
	m->text = cursor_take(&c, m->whole ? length : cursor_left(&c));
	r->bytes = c;
	return MAYBE;
}

/* Do items fill the text to the byte? Lists count their members, so that all is one flat row. */
static bool are_items(struct cursor c)
{
	while (cursor_left(&c)) {
		uint8_t format = cursor_u8(&c), width = format & 3;
		uint32_t n = (uint32_t)cursor_be(&c, width);

		if (width == 0 || !cursor_ok(&c))
			return false;
		if (format >> 2)
			cursor_skip(&c, n);
	}
	return cursor_ok(&c);
}

static bool answers(const struct memo *memo, const struct message *m, uint8_t direction)
{
	if (memo->requester != 1 + !direction || memo->system != m->system)
		return false;
	if (m->stype == DATA)
		return memo->stype == DATA && m->stream == memo->stream && (m->function == 0 || m->function == memo->function + 1);
	return m->stype == memo->stype + 1;
}

static bool is_request(const struct message *m)
{
	return m->stype == DATA ? m->stream & WAIT_BIT : m->stype % 2 && m->stype < REJECT_REQ;
}

/* An answer to its question, or three messages that fit; data without items fits too easily to count. */
static enum verdict decide(const struct reader *r, struct memo *memo, const struct message *m)
{
	if (m->stype == DATA && (!m->whole || !are_items(m->text)))
		return NOT_MINE;
	if (answers(memo, m, r->direction))
		return MINE;
	if (m->stype != DATA || cursor_left(&m->text))
		memo->good++;
	return memo->good >= ENOUGH ? MINE : MAYBE;
}

/* A short text item. */
static struct cursor take_text(struct cursor *c)
{
	uint8_t format = cursor_u8(c);
	struct cursor text = cursor_take(c, cursor_u8(c));

	if (format != ITEM_ASCII || cursor_left(&text) > TEXT_MAX)
		cursor_fail(&text);
	return text;
}

/* <L 2 MDLN SOFTREV>: a host sends an empty list instead. */
static void read_model(struct reader *r, struct cursor c)
{
	struct cursor model, revision;

	if (cursor_u8(&c) != ITEM_LIST || cursor_u8(&c) != 2)
		return;
	model = take_text(&c);
	revision = take_text(&c);
	if (!cursor_ok(&model) || !cursor_ok(&revision))
		return;
	tell(r, SENDER, NULL, ATTR_PRODUCT, model);
	tell(r, SENDER, NULL, ATTR_FIRMWARE, revision);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "equipment");
}

static void read_data(struct reader *r, struct memo *memo, const struct message *m)
{
	struct cursor c = m->text;

	if (r->sender_role == ROLE_SERVER && memo->device != m->session + 1) {
		memo->device = (uint16_t)(m->session + 1);
		tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "%u", m->session);
	}
	if ((m->stream & 0x7f) != 1)
		return;
	if (m->function == 2 || m->function == 13)
		read_model(r, c);
	else if (m->function == 14 && cursor_u8(&c) == ITEM_LIST && cursor_u8(&c) == 2 && cursor_u8(&c) == ITEM_BINARY) {
		cursor_skip(&c, cursor_u8(&c));
		read_model(r, c);
	}
}

/* Who selects is the active side, the host; else the connection must tell. */
static uint8_t role_of(const struct reader *r, const struct message *m)
{
	uint8_t role = r->handshake;

	if (role == ROLE_UNKNOWN && m->stype == SELECT_REQ)
		role = ROLE_CLIENT;
	if (role == ROLE_UNKNOWN && m->stype == SELECT_RSP)
		role = ROLE_SERVER;
	return role_or_guess(r, role == ROLE_UNKNOWN ? role_by_port(r, HSMS_PORT) : role);
}

static enum verdict read_hsms(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m;
	enum verdict v = take_message(r, &m);

	if (v != MAYBE)
		return v;
	if (!memo->mine) {
		v = decide(r, memo, &m);
		if (v == NOT_MINE)
			return v;
		memo->mine = v == MINE;
	}
	if (is_request(&m)) {
		memo->system = m.system;
		memo->requester = (uint8_t)(1 + r->direction);
		memo->stype = m.stype;
		memo->stream = m.stream & (uint8_t)~WAIT_BIT;
		memo->function = m.function;
	}
	r->sender_role = role_of(r, &m);
	if (memo->mine && m.stype == DATA)
		read_data(r, memo, &m);
	return memo->mine ? MINE : MAYBE;
}

static void forget_hsms(void *flow)
{
	struct memo *memo = flow;

	memo->device = 0;
}

const struct classifier classifier_hsms = {
	.name = "hsms",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { HSMS_PORT },
	.max_message = LONGEST,
	.read = read_hsms,
	.forget = forget_hsms,
};
