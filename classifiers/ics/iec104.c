/*
 * IEC 60870-5-104: who controls and who is controlled, and the common addresses behind a station.
 *
 * APCI (clause 5) and, in I frames, one ASDU (IEC 60870-5-101 clause 7.2, with the field widths that
 * -104 fixes: cause 2 bytes, common address 2, object address 3):
 *
 *   68 | len | control (4)              I: N(S)<<1, N(R)<<1   S: 01 00, N(R)<<1   U: function|3, 0, 0, 0
 *       type | SQ, number | cause | originator | common address (2) | object address (3) | element ...
 *
 * The protocol names no maker or model. A U frame is 48 fixed bits and decides alone. An I frame is
 * judged by its length, which type and number give to the byte; on another port than the usual one,
 * and for S frames, a second message has to fit.
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum {
	IEC104_PORT = 2404,
	START = 0x68,
	CONTROL_BYTES = 4,
	MIN_LEN = 4,
	MAX_LEN = 253,
	ASDU_HEADER_BYTES = 6,
	OBJECT_ADDRESS_BYTES = 3,
	CAUSE_BITS = 0x3f,
	CAUSE_MAX = 47,
	CAUSE_UNKNOWN_ADDRESS = 46,
	GLOBAL_ADDRESS = 0xffff,
	STARTDT_ACT = 0x07,
	STARTDT_CON = 0x0b,
	STOPDT_ACT = 0x13,
	STOPDT_CON = 0x23,
	TESTFR_ACT = 0x43,
	TESTFR_CON = 0x83,
	KNOWN_ADDRESSES = 16,
	ANY_SIZE = 255,
};

struct iec104_memo {
	uint8_t controlled; /* 1 + direction of the controlled station, 0 while unknown */
	bool proven;
	bool fitted; /* one message fitted that proves nothing alone */
	uint8_t known;
	uint16_t addresses[KNOWN_ADDRESSES]; /* common addresses told */
	uint16_t originator;                 /* 1 + the last one told */
};

_Static_assert(sizeof(struct iec104_memo) <= MEMO_BYTES, "the memo has 64 bytes");

struct asdu {
	uint8_t type;
	uint8_t cause;
	uint8_t originator;
	uint16_t address;
};

/* Bytes of one information element by type identification (clauses 7.3, 8 and -104 clause 8), 1 added; 0 is no type. */
static const uint8_t element_bytes[128] = {
	[1] = 1 + 1, [2] = 1 + 4, [3] = 1 + 1, [4] = 1 + 4, [5] = 1 + 2, [6] = 1 + 5, [7] = 1 + 5, [8] = 1 + 8,
	[9] = 1 + 3, [10] = 1 + 6, [11] = 1 + 3, [12] = 1 + 6, [13] = 1 + 5, [14] = 1 + 8, [15] = 1 + 5, [16] = 1 + 8,
	[17] = 1 + 6, [18] = 1 + 7, [19] = 1 + 7, [20] = 1 + 5, [21] = 1 + 2,
	[30] = 1 + 8, [31] = 1 + 8, [32] = 1 + 9, [33] = 1 + 12, [34] = 1 + 10, [35] = 1 + 10, [36] = 1 + 12, [37] = 1 + 12,
	[38] = 1 + 10, [39] = 1 + 11, [40] = 1 + 11,
	[45] = 1 + 1, [46] = 1 + 1, [47] = 1 + 1, [48] = 1 + 3, [49] = 1 + 3, [50] = 1 + 5, [51] = 1 + 4,
	[58] = 1 + 8, [59] = 1 + 8, [60] = 1 + 8, [61] = 1 + 10, [62] = 1 + 10, [63] = 1 + 12, [64] = 1 + 11,
	[70] = 1 + 1, [100] = 1 + 1, [101] = 1 + 1, [102] = 1 + 0, [103] = 1 + 7, [104] = 1 + 2, [105] = 1 + 1,
	[106] = 1 + 2, [107] = 1 + 9, [110] = 1 + 3, [111] = 1 + 3, [112] = 1 + 5, [113] = 1 + 1,
	[120] = 1 + 6, [121] = 1 + 7, [122] = 1 + 4, [123] = 1 + 5, [124] = 1 + 4, [125] = ANY_SIZE, [126] = 1 + 13, [127] = 1 + 16,
	/* IEC 60870-5-7, authentication: of variable size */
	[81] = ANY_SIZE, [82] = ANY_SIZE, [83] = ANY_SIZE, [84] = ANY_SIZE, [85] = ANY_SIZE, [86] = ANY_SIZE, [87] = ANY_SIZE,
	[90] = ANY_SIZE, [91] = ANY_SIZE, [92] = ANY_SIZE, [93] = ANY_SIZE, [94] = ANY_SIZE, [95] = ANY_SIZE,
};

/* Types 1 to 44 and 70 are sent by controlled stations only; most commands go both ways, as they are confirmed. */
static bool is_monitor_type(uint8_t type)
{
	return type < 45 || type == 70;
}

static bool read_asdu(struct cursor c, struct asdu *a)
{
	size_t left = cursor_left(&c), expected;
	uint8_t number, size;

	a->type = cursor_u8(&c);
	number = cursor_u8(&c);
	a->cause = cursor_u8(&c);
	a->originator = cursor_u8(&c);
	a->address = cursor_u16le(&c);
	if (!cursor_ok(&c) || a->type > 127 || element_bytes[a->type] == 0)
		return false;
	if ((a->cause & CAUSE_BITS) == 0 || (a->cause & CAUSE_BITS) > CAUSE_MAX || a->address == 0 || (number & 0x7f) == 0)
		return false;
	if (element_bytes[a->type] == ANY_SIZE)
		return true;
	size = element_bytes[a->type] - 1;
	expected = number & 0x80 ? OBJECT_ADDRESS_BYTES + (size_t)(number & 0x7f) * size
				 : (size_t)(number & 0x7f) * (OBJECT_ADDRESS_BYTES + size);
	return left == ASDU_HEADER_BYTES + expected;
}

static bool known_function(uint8_t function)
{
	return function == STARTDT_ACT || function == STARTDT_CON || function == STOPDT_ACT || function == STOPDT_CON ||
	       function == TESTFR_ACT || function == TESTFR_CON;
}

/* Do length and control field belong together? Asked before the rest is there, so that strangers don't wait for it. */
static bool control_fits(struct cursor control, size_t body_bytes)
{
	uint8_t first = cursor_u8(&control), second = cursor_u8(&control), third = cursor_u8(&control), fourth = cursor_u8(&control);

	if ((first & 3) == 3)
		return body_bytes == 0 && known_function(first) && !second && !third && !fourth;
	if (first & 1)
		return body_bytes == 0 && first == 1 && second == 0 && !(third & 1);
	return body_bytes > ASDU_HEADER_BYTES && !(third & 1);
}

/* Which side is controlled: as the connection was made; else by port; else as the message says. */
static void learn_sides(const struct reader *r, struct iec104_memo *m, bool sender_controlled, bool sender_controls)
{
	uint8_t sender = (uint8_t)(1 + r->direction), receiver = (uint8_t)(2 - r->direction);

	if (m->controlled)
		return;
	if (r->handshake != ROLE_UNKNOWN)
		m->controlled = r->handshake == ROLE_SERVER ? sender : receiver;
	else if ((r->sender_port == IEC104_PORT) != (r->receiver_port == IEC104_PORT))
		m->controlled = r->sender_port == IEC104_PORT ? sender : receiver;
	else if (sender_controlled || sender_controls)
		m->controlled = sender_controlled ? sender : receiver;
}

static bool address_known(const struct iec104_memo *m, uint16_t address)
{
	for (unsigned i = 0; i < m->known && i < KNOWN_ADDRESSES; i++)
		if (m->addresses[i] == address)
			return true;
	return false;
}

static bool remember_address(struct iec104_memo *m, uint16_t address)
{
	if (address_known(m, address))
		return false;
	m->addresses[m->known % KNOWN_ADDRESSES] = address;
	if (m->known < KNOWN_ADDRESSES)
		m->known++;
	return true;
}

/* What a controlled station says of itself; a command to an address that nobody answers for is no proof of it. */
static void tell_controlled(struct reader *r, struct iec104_memo *m, const struct asdu *a)
{
	char path[FINDING_PATH_BYTES];
	bool refused = (a->cause & CAUSE_BITS) == CAUSE_UNKNOWN_ADDRESS;

	if (a->address == GLOBAL_ADDRESS || refused || !remember_address(m, a->address))
		return;
	snprintf(path, sizeof path, "iec104/%u/ca:%u", r->sender_port, a->address);
	tell_subasset(r, SENDER, path);
	tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "%u", a->address);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "controlled station");
}

static void tell_controlling(struct reader *r, struct iec104_memo *m, const struct asdu *a)
{
	if (m->originator == 1 + a->originator)
		return;
	m->originator = (uint16_t)(1 + a->originator);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "controlling station");
	if (a->originator)
		tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "originator %u", a->originator);
}

static enum verdict decide(struct iec104_memo *m, bool strong)
{
	if (strong || m->proven || m->fitted) {
		m->proven = true;
		return MINE;
	}
	m->fitted = true;
	return MAYBE;
}

static enum verdict read_information(struct reader *r, struct iec104_memo *m, struct cursor body)
{
	struct asdu a;
	bool usual_port = r->sender_port == IEC104_PORT || r->receiver_port == IEC104_PORT;

	if (!read_asdu(body, &a))
		return m->proven ? MINE : NOT_MINE;
	learn_sides(r, m, is_monitor_type(a.type), !is_monitor_type(a.type));
	if (decide(m, usual_port && element_bytes[a.type] != ANY_SIZE) == MAYBE) {
		m->controlled = 0;
		return MAYBE;
	}
	if (m->controlled == 1 + r->direction)
		tell_controlled(r, m, &a);
	else if (m->controlled)
		tell_controlling(r, m, &a);
	return MINE;
}

static enum verdict read_unnumbered(struct reader *r, struct iec104_memo *m, uint8_t function)
{
	/* Either side may test the line; starting and stopping is the controlling station's alone. */
	learn_sides(r, m, function == STARTDT_CON || function == STOPDT_CON, function == STARTDT_ACT || function == STOPDT_ACT);
	return decide(m, true);
}

static enum verdict read_frame(struct reader *r, struct iec104_memo *m, uint8_t first, struct cursor body)
{
	if ((first & 3) == 3)
		return read_unnumbered(r, m, first);
	if (first & 1)
		return decide(m, false);
	return read_information(r, m, body);
}

static enum verdict read_iec104(struct reader *r)
{
	struct iec104_memo *m = r->memo;
	struct cursor c = r->bytes, control, body;
	uint8_t start = cursor_u8(&c), len = cursor_u8(&c);
	enum verdict v;

	if (start != START)
		return NOT_MINE;
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (len < MIN_LEN || len > MAX_LEN)
		return NOT_MINE;
	control = cursor_take(&c, CONTROL_BYTES);
	if (cursor_ok(&control) && !control_fits(control, (size_t)len - CONTROL_BYTES))
		return NOT_MINE;
	body = cursor_take(&c, (size_t)len - CONTROL_BYTES);
	if (!cursor_ok(&body))
		return NEED_MORE;
	v = read_frame(r, m, cursor_peek(&control, 0), body);
	if (v == NOT_MINE)
		return NOT_MINE;
	r->bytes = c;
	if (m->controlled)
		r->sender_role = m->controlled == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	else
		r->sender_role = r->sender_port < r->receiver_port ? ROLE_SERVER : ROLE_CLIENT;
	return v;
}

/* Values, and commands of who was told to give them; signs of life and acknowledgments. */
static bool glance_iec104(struct glance *g, void *memo)
{
	const struct iec104_memo *m = memo;
	uint8_t start = cursor_u8(&g->bytes), len = cursor_u8(&g->bytes), first;
	struct cursor control, body;
	struct asdu a;

	if (start != START || len < MIN_LEN || len > MAX_LEN || !m->proven || !m->controlled)
		return false;
	control = cursor_take(&g->bytes, CONTROL_BYTES);
	body = cursor_take(&g->bytes, (size_t)len - CONTROL_BYTES);
	if (!cursor_ok(&body) || !control_fits(control, cursor_left(&body)))
		return false;
	first = cursor_peek(&control, 0);
	if (first & 1 || !read_asdu(body, &a))
		return true;
	if (m->controlled != 1 + g->direction)
		return m->originator == 1 + a.originator;
	return a.address == GLOBAL_ADDRESS || (a.cause & CAUSE_BITS) == CAUSE_UNKNOWN_ADDRESS || address_known(m, a.address);
}

static void forget_iec104(void *flow)
{
	struct iec104_memo *memo = flow;

	memo->known = 0;
	memo->originator = 0;
}

const struct classifier classifier_iec104 = {
	.name = "iec104",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { IEC104_PORT },
	.max_message = 2 + MAX_LEN,
	.read = read_iec104,
	.glance = glance_iec104,
	.forget = forget_iec104,
};
