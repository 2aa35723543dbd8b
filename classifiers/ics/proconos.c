/*
 * ProConOS: controllers with KW-Software's runtime (Phoenix Contact ILC 3xx and others).
 *
 * Not published; layout and checksum follow what tools exchange with such controllers.
 *
 *	 0       2    3     4          6        8
 *	+-------+----+-----+----------+--------+----------------+-----
 *	| CC 01 | 00 | cmd | sequence | length | data           | crc
 *	+-------+----+-----+----------+--------+----------------+-----
 *
 * The sequence is big-endian, length and CRC (CRC-16/KERMIT of all before it) little-endian.
 */
#include "classifiers/api/role.h"

enum {
	PROCONOS_PORT = 20547,
	HEADER_BYTES = 8, CRC_BYTES = 2, LONGEST = 4096,
	STOP = 0x01, START = 0x04, READ_IDENTITY = 0x0b,
	VERSION_OFFSET = 12, VERSION_BYTES = 32, TYPE_OFFSET = 44, TYPE_BYTES = 33, PROJECT_OFFSET = 77,
};

struct memo {
	uint16_t sequence;  /* of the last question */
	uint8_t asker;      /* 1 + its direction */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static uint16_t crc_of(struct cursor c)
{
	uint16_t crc = 0;

	while (cursor_left(&c)) {
		crc ^= cursor_u8(&c);
		for (int i = 0; i < 8; i++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1);
	}
	return crc;
}

static struct cursor part(struct cursor c, size_t at, size_t len)
{
	cursor_skip(&c, at);
	return cursor_take(&c, len < cursor_left(&c) ? len : cursor_left(&c));
}

/* Version of the protocol, runtime with its date, type of the controller, then texts: project, boot, source. */
static void read_identity(struct reader *r, struct cursor whole)
{
	struct cursor type = part(whole, TYPE_OFFSET, TYPE_BYTES);

	tell(r, SENDER, NULL, ATTR_SOFTWARE, part(whole, VERSION_OFFSET, VERSION_BYTES));
	tell(r, SENDER, NULL, ATTR_PRODUCT, type);
	if (cursor_starts(&type, "ILC ", 4) || cursor_starts(&type, "AXC ", 4))
		tell_text(r, SENDER, NULL, ATTR_VENDOR, "Phoenix Contact");
	tell(r, SENDER, NULL, ATTR_DESCRIPTION, part(whole, PROJECT_OFFSET, LONGEST));
}

static uint8_t role_of(const struct reader *r, const struct memo *memo, uint16_t sequence, bool data)
{
	uint8_t role = role_by_port(r, PROCONOS_PORT);

	if (role != ROLE_UNKNOWN)
		return role;
	if (memo->asker && memo->sequence == sequence)
		return memo->asker == 1 + r->direction ? ROLE_CLIENT : ROLE_SERVER;
	return data ? ROLE_SERVER : ROLE_CLIENT;
}

/*
 * Some devices answer with another header and no checksum: behind a proven question the runtime's name in
 * its place is enough. Such an answer has no length and is one segment.
 */
static bool is_plain_identity(const struct reader *r, const struct memo *memo)
{
	struct cursor c = r->bytes, name = part(c, VERSION_OFFSET, VERSION_BYTES);

	return memo->asker == 1 + !r->direction && cursor_u8(&c) == 0xcc && cursor_left(&c) > PROJECT_OFFSET &&
	       cursor_starts(&name, "ProConOS V", 10);
}

/* As the one public program that controls these devices sends them. */
static void tell_mode(struct reader *r, uint8_t command)
{
	if (command == STOP)
		tell_activity(r, NULL, ACTIVITY_MODE_STOP, "stop (0x01)");
	else if (command == START)
		tell_activity(r, NULL, ACTIVITY_MODE_RUN, "start (0x04)");
}

static enum verdict read_proconos(struct reader *r)
{
	static const uint8_t start[] = { 0xcc, 0x01, 0x00 };
	struct memo *memo = r->memo;
	struct cursor c = r->bytes, whole, covered;
	uint8_t command;
	uint16_t sequence, length;

	if (!cursor_starts(&c, start, sizeof start) && is_plain_identity(r, memo)) {
		r->sender_role = ROLE_SERVER;
		read_identity(r, cursor_rest(&r->bytes));
		return MINE;
	}
	if (!cursor_starts(&c, start, cursor_left(&c) < sizeof start ? cursor_left(&c) : sizeof start))
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES)
		return NEED_MORE;
	cursor_skip(&c, sizeof start);
	command = cursor_u8(&c);
	sequence = cursor_u16be(&c);
	length = cursor_u16le(&c);
	if (length > LONGEST - HEADER_BYTES - CRC_BYTES)
		return NOT_MINE;
	if (cursor_left(&c) < length + (unsigned)CRC_BYTES)
		return r->truncated ? NOT_MINE : NEED_MORE;
	c = r->bytes;
	whole = covered = cursor_take(&c, HEADER_BYTES + (size_t)length);
	if (cursor_u16le(&c) != crc_of(covered))
		return NOT_MINE;
	r->bytes = c;
	r->sender_role = role_of(r, memo, sequence, length > 0);
	if (r->sender_role == ROLE_CLIENT) {
		memo->sequence = sequence;
		memo->asker = (uint8_t)(1 + r->direction);
		tell_mode(r, command);
	} else if (command == READ_IDENTITY && length > TYPE_OFFSET) {
		read_identity(r, whole);
	}
	return MINE;
}

const struct classifier classifier_proconos = {
	.name = "proconos",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PROCONOS_PORT },
	.read = read_proconos,
};
