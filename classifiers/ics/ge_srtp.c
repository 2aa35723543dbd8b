/*
 * GE SRTP: Series 90, VersaMax and PACSystems controllers (GE Fanuc, Emerson).
 *
 * Not published; GE GFK-0529 "SNP Communications" section 6 describes the services that SRTP carries, and
 * Denton et al., "Leveraging the SRTP protocol" (2017) the header.
 *
 *	 0      2     4        9    17   26        30  31    32      36      40  41  42 (C0, 80: service; D4, 94: status)
 *	+------+-----+--------+----+----+---------+---+-----+-------+-------+---+---+---------
 *	| type | seq | length | 01 | 01 | s, m, h | # | kind| source| dest. | n | of| ...     then `length` bytes
 *	+------+-----+--------+----+----+---------+---+-----+-------+-------+---+---+---------
 *
 * A connection begins with 56 zeros and their echo, whose first byte is 01. Numbers are little-endian.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	SRTP_PORT = 18245,
	HEADER_BYTES = 56,
	LONGEST = 4096,
	IDENTITY_BYTES = 26,
};

enum type { INIT = 0, INIT_ACK = 1, REQUEST = 2, REPLY = 3 };
enum kind { KIND_REQUEST = 0xc0, KIND_REQUEST_TEXT = 0x80, KIND_ACK = 0xd4, KIND_ACK_TEXT = 0x94, KIND_NACK = 0xd1 };
enum { READ_CONTROLLER = 0x43 };
enum { MAJOR_9070 = 0x0c, MAJOR_9030 = 0x10 };

struct memo {
	uint8_t opened;   /* 1 + direction that sent the zeros */
	uint8_t sequence; /* of the last question who the controller is, and */
	bool asked;       /* whether there was one */
	bool mine;
	uint8_t state;    /* 1 + the state told last */
	uint8_t slot;     /* that the last question goes to */
	uint8_t slot_told;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint8_t type, sequence, kind, service, slot;
	uint16_t status;
	struct cursor text;
};

static const char *model_name(uint8_t major, uint8_t minor)
{
	static const struct {
		uint8_t major, minor;
		const char *name;
	} models[] = {
		{ MAJOR_9030, 0x1e, "Series 90-30 CPU 311" }, { MAJOR_9030, 0x1f, "Series 90-20 CPU 211" },
		{ MAJOR_9030, 0x20, "Series 90-30 CPU 321" }, { MAJOR_9030, 0x21, "Series 90-30 CPU 313" },
		{ MAJOR_9030, 0x22, "Series 90-30 CPU 323" }, { MAJOR_9030, 0x23, "Series 90-30 CPU 331" },
		{ MAJOR_9030, 0x24, "Series 90-30 CPU 341" }, { MAJOR_9070, 0x1f, "Series 90-70 CPU 731" },
		{ MAJOR_9070, 0x20, "Series 90-70 CPU 732" }, { MAJOR_9070, 0x47, "Series 90-70 CPU 771" },
		{ MAJOR_9070, 0x48, "Series 90-70 CPU 772" }, { MAJOR_9070, 0x50, "Series 90-70 CPU 780" },
		{ MAJOR_9070, 0x51, "Series 90-70 CPU 781" }, { MAJOR_9070, 0x52, "Series 90-70 CPU 782" },
		{ MAJOR_9070, 0x58, "Series 90-70 CPU 788" }, { MAJOR_9070, 0x59, "Series 90-70 CPU 789" },
		{ MAJOR_9070, 0x5c, "Series 90-70 CPU 914" }, { MAJOR_9070, 0x5e, "Series 90-70 CPU 924" },
	};

	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		if (models[i].major == major && models[i].minor == minor)
			return models[i].name;
	return NULL;
}

static const char *state_name(unsigned state)
{
	static const char *const names[] = { "run", "run, I/O off", "stop, I/O off", "stop faulted", "halted", "suspended", "stop, I/O on" };

	return state < sizeof names / sizeof *names ? names[state] : NULL;
}

/* All of a header but its type is zero while a connection begins; the echo may number things. */
static bool is_zeros(struct cursor c)
{
	uint8_t any = 0;

	cursor_skip(&c, 1);
	for (int i = 1; i < HEADER_BYTES; i++)
		any |= cursor_u8(&c);
	return any == 0 && cursor_ok(&c);
}

static bool fits_kind(uint8_t type, uint8_t kind)
{
	if (type == REQUEST)
		return kind == KIND_REQUEST || kind == KIND_REQUEST_TEXT;
	return kind == KIND_ACK || kind == KIND_ACK_TEXT || kind == KIND_NACK;
}

static bool read_header(struct cursor c, struct message *m, uint16_t *length)
{
	struct cursor destination;

	m->type = cursor_u8(&c);
	cursor_skip(&c, 1);
	m->sequence = cursor_u8(&c);
	cursor_skip(&c, 1);
	*length = cursor_u16le(&c);
	cursor_skip(&c, 25);
	m->kind = cursor_u8(&c);
	cursor_skip(&c, 4);
	destination = cursor_take(&c, 4);
	m->slot = cursor_peek(&destination, 0) >> 4;
	if (cursor_u8(&c) == 0 || cursor_u8(&c) == 0) /* packet and number of packets count from 1 */
		return false;
	m->service = cursor_u8(&c);
	cursor_skip(&c, 11);
	m->status = cursor_u16le(&c);
	return cursor_ok(&c) && fits_kind(m->type, m->kind);
}

/* The connection's start proves nothing but with its echo. */
static enum verdict read_start(struct reader *r, struct memo *memo, uint8_t type)
{
	struct cursor c = r->bytes;

	if (type == INIT && !is_zeros(c))
		return NOT_MINE;
	if (type == INIT_ACK && memo->opened != 1 + !r->direction && !(r->sender_port == SRTP_PORT && is_zeros(c)))
		return NOT_MINE;
	cursor_skip(&c, HEADER_BYTES);
	r->bytes = c;
	r->sender_role = type == INIT ? ROLE_CLIENT : ROLE_SERVER;
	if (type == INIT)
		memo->opened = (uint8_t)(1 + r->direction);
	else
		memo->mine = true;
	return memo->mine ? MINE : MAYBE;
}

static void read_controller(struct reader *r, struct cursor c)
{
	struct cursor name = cursor_take(&c, 8), program;
	uint8_t major = cursor_u8(&c), minor = cursor_u8(&c);

	cursor_skip(&c, 2);
	program = cursor_take(&c, 8);
	if (!cursor_ok(&c))
		return;
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "GE");
	tell(r, SENDER, NULL, ATTR_NAME, name);
	tell_format(r, SENDER, NULL, ATTR_DEVICE_ID, "0x%02x%02x", major, minor);
	if (model_name(major, minor))
		tell_text(r, SENDER, NULL, ATTR_PRODUCT, model_name(major, minor));
	else if (major == MAJOR_9030 || major == MAJOR_9070)
		tell_text(r, SENDER, NULL, ATTR_PRODUCT, major == MAJOR_9030 ? "Series 90-30" : "Series 90-70");
	tell(r, SENDER, NULL, ATTR_DESCRIPTION, program);
}

/* The mailbox that a question goes to names the CPU's slot; it is one when it answers. */
static void tell_slot(struct reader *r, struct memo *memo)
{
	char path[FINDING_PATH_BYTES];

	if (memo->slot == memo->slot_told)
		return;
	memo->slot_told = memo->slot;
	snprintf(path, sizeof path, "ge_srtp/%u/slot:%u", r->sender_port, memo->slot);
	tell_subasset(r, SENDER, path);
}

static void read_reply(struct reader *r, struct memo *memo, const struct message *m)
{
	unsigned state = m->status >> 12;

	if (m->kind == KIND_NACK)
		return;
	if (memo->sequence == m->sequence && memo->slot)
		tell_slot(r, memo);
	if (state_name(state) && memo->state != 1 + state) {
		memo->state = (uint8_t)(1 + state);
		tell_text(r, SENDER, NULL, ATTR_STATE, state_name(state));
	}
	if (m->kind == KIND_ACK_TEXT && memo->asked && memo->sequence == m->sequence && cursor_left(&m->text) >= IDENTITY_BYTES)
		read_controller(r, m->text);
	memo->asked = false;
}

static void read_request(struct memo *memo, const struct message *m)
{
	memo->asked = m->kind == KIND_REQUEST && m->service == READ_CONTROLLER;
	memo->sequence = m->sequence;
	memo->slot = m->slot;
}

/* Waiting is worth it for zeros, at the usual port, or once it was begun. */
static bool may_begin(const struct reader *r, const struct memo *memo)
{
	struct cursor c = r->bytes;
	uint8_t any = 0;

	while (cursor_left(&c))
		any |= cursor_u8(&c);
	return any == 0 || memo->mine || memo->opened || r->sender_port == SRTP_PORT || r->receiver_port == SRTP_PORT;
}

static enum verdict read_ge_srtp(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes;
	uint8_t type = cursor_peek(&c, 0);
	struct message m = { 0 };
	uint16_t length;

	if (type > REPLY)
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES)
		return may_begin(r, memo) ? NEED_MORE : NOT_MINE;
	if (type <= INIT_ACK)
		return read_start(r, memo, type);
	if (!read_header(c, &m, &length) || length > LONGEST - HEADER_BYTES)
		return NOT_MINE;
	cursor_skip(&c, HEADER_BYTES);
	if (cursor_left(&c) < length && !r->truncated)
		return NEED_MORE;
	m.text = cursor_take(&c, cursor_left(&c) < length ? cursor_left(&c) : length);
	/* Without the start, one byte names the kind and the usual port must say the rest. */
	if (!memo->mine && r->sender_port != SRTP_PORT && r->receiver_port != SRTP_PORT)
		return NOT_MINE;
	r->bytes = c;
	memo->mine = true;
	r->sender_role = type == REPLY ? ROLE_SERVER : ROLE_CLIENT;
	if (type == REPLY)
		read_reply(r, memo, &m);
	else
		read_request(memo, &m);
	return MINE;
}

static void forget_ge_srtp(void *flow)
{
	struct memo *memo = flow;

	memo->state = 0;
	memo->slot_told = 0;
}

const struct classifier classifier_ge_srtp = {
	.name = "ge_srtp",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { SRTP_PORT, 18246 },
	.read = read_ge_srtp,
	.forget = forget_ge_srtp,
};
