/*
 * RDP: how a remote desktop is asked for, and the name that the client gives itself where nothing is enciphered.
 * MS-RDPBCGR, 2.2.1.1 to 2.2.1.4; the frame is RFC 1006 and X.224, as other protocols have it too.
 *
 *  {3}{0}{length u16be} {rest u8}{e0 request | d0 answer}{target 2}{source 2}{class} variable part
 *  request: ["Cookie: mstshash=..." CRLF][01 {flags} 0800 {wanted protocols u32le}]
 *  answer:  [02 {flags} 0800 {protocol u32le} | 03 {flags} 0800 {failure u32le}]
 *  {3}{0}{length} 02 f0 80 {7f 65 connect | 7f 66 connected} ... {c001 u16le}{length u16le} core data:
 *          {version 4}{screen 4}{depth, sequence 4}{keyboard 4}{build u32le}{name 32, UTF-16LE}
 *
 * The cookie names a user: it is passed over.
 */
#include "classifiers/api/classifier.h"

enum { PORT_RDP = 3389, FRAME_BYTES = 4, MESSAGE_BYTES = 8192, CONNECTION_MAX = 512 };
enum { CONNECTION_REQUEST = 0xe0, CONNECTION_CONFIRM = 0xd0, DATA = 0xf0 };
enum { NEGOTIATION_REQUEST = 1, NEGOTIATION_ANSWER = 2, NEGOTIATION_FAILURE = 3, CORRELATION = 6, NEGOTIATION_BYTES = 8 };
enum { PROTOCOLS = 0x1f, FAILURES = 6, CLIENT_CORE = 0xc001 };

/* A message that says what it is by itself makes the flow ours; the rest needs one such before. */
struct rdp_memo {
	bool known;
	uint8_t client; /* direction + 1 */
};

static enum verdict mine(struct reader *r, struct rdp_memo *m, uint8_t role)
{
	m->known = true;
	m->client = (uint8_t)((role == ROLE_CLIENT ? r->direction : !r->direction) + 1);
	r->sender_role = role;
	return MINE;
}

/* Skips "Cookie: mstshash=name" or "Cookie: msts=token" with its line end. */
static bool take_cookie(struct cursor *c)
{
	struct cursor line;

	if (!cursor_starts(c, "Cookie: msts", 12))
		return false;
	line = cursor_line(c);
	return cursor_ok(&line) && cursor_find(&line, '=') > 0;
}

static enum verdict read_request(struct reader *r, struct rdp_memo *m, struct cursor c)
{
	bool cookie = take_cookie(&c);
	uint8_t type;

	if (cursor_left(&c) == 0)
		return cookie ? mine(r, m, ROLE_CLIENT) : MAYBE;
	type = cursor_u8(&c);
	cursor_skip(&c, 1);
	if (type != NEGOTIATION_REQUEST || cursor_u16le(&c) != NEGOTIATION_BYTES || cursor_u32le(&c) & ~(uint32_t)PROTOCOLS ||
	    !cursor_ok(&c))
		return NOT_MINE;
	if (cursor_left(&c) && cursor_u8(&c) != CORRELATION)
		return NOT_MINE;
	return mine(r, m, ROLE_CLIENT);
}

/* An answer may be bare, from servers that know no negotiation: then the request is the proof. */
static enum verdict read_confirm(struct reader *r, struct rdp_memo *m, struct cursor c)
{
	uint8_t type;
	uint32_t what;

	if (cursor_left(&c) == 0)
		return m->known ? mine(r, m, ROLE_SERVER) : MAYBE;
	type = cursor_u8(&c);
	cursor_skip(&c, 1);
	if (cursor_u16le(&c) != NEGOTIATION_BYTES)
		return NOT_MINE;
	what = cursor_u32le(&c);
	if (!cursor_ok(&c) || cursor_left(&c))
		return NOT_MINE;
	if (type == NEGOTIATION_ANSWER && (what & (what - 1)) == 0 && what <= PROTOCOLS)
		return mine(r, m, ROLE_SERVER);
	return type == NEGOTIATION_FAILURE && what && what <= FAILURES ? mine(r, m, ROLE_SERVER) : NOT_MINE;
}

static void tell_core(struct reader *r, struct cursor core)
{
	enum { NAME_BYTES = 32 };
	uint32_t build;

	cursor_skip(&core, 16);
	build = cursor_u32le(&core);
	tell_utf16le(r, SENDER, NULL, ATTR_HOSTNAME, cursor_take(&core, NAME_BYTES));
	if (cursor_ok(&core) && build)
		tell_format(r, SENDER, NULL, ATTR_SOFTWARE, "RDP client build %u", build);
}

/*
 * T.125's domain parameters and T.124's head stand before the client's data, in lengths of BER and PER;
 * what all clients write alike is the key "Duca" at their end, then the length of what follows.
 */
static enum verdict read_connect(struct reader *r, struct rdp_memo *m, struct cursor c)
{
	uint8_t len;

	while (cursor_left(&c) > 4 && !cursor_starts(&c, "Duca", 4))
		cursor_skip(&c, 1);
	if (!cursor_starts(&c, "Duca", 4))
		return m->known ? mine(r, m, ROLE_CLIENT) : NOT_MINE;
	cursor_skip(&c, 4);
	len = cursor_u8(&c);
	cursor_skip(&c, len & 0x80 ? 1 : 0);
	while (cursor_left(&c) >= 4) {
		uint16_t type = cursor_u16le(&c), size = cursor_u16le(&c);
		struct cursor block = cursor_take(&c, size < 4 ? SIZE_MAX : (size_t)size - 4);

		if (type == CLIENT_CORE)
			tell_core(r, block);
		if (!cursor_ok(&block))
			break;
	}
	return mine(r, m, ROLE_CLIENT);
}

static enum verdict read_connected(struct reader *r, struct rdp_memo *m, struct cursor c)
{
	while (cursor_left(&c) > 4 && !cursor_starts(&c, "McDn", 4))
		cursor_skip(&c, 1);
	return m->known || cursor_starts(&c, "McDn", 4) ? mine(r, m, ROLE_SERVER) : NOT_MINE;
}

static enum verdict read_data(struct reader *r, struct rdp_memo *m, struct cursor c)
{
	if (cursor_u8(&c) != 0x80)
		return NOT_MINE;
	if (cursor_starts(&c, "\x7f\x65", 2))
		return read_connect(r, m, c);
	if (cursor_starts(&c, "\x7f\x66", 2))
		return read_connected(r, m, c);
	if (!m->known)
		return NOT_MINE;
	return mine(r, m, m->client == r->direction + 1 ? ROLE_CLIENT : ROLE_SERVER);
}

static enum verdict read_x224(struct reader *r, struct rdp_memo *m, struct cursor c)
{
	uint8_t rest = cursor_u8(&c), type = cursor_u8(&c);

	if (type == DATA && rest == 2)
		return read_data(r, m, c);
	if ((type != CONNECTION_REQUEST && type != CONNECTION_CONFIRM) || rest != cursor_left(&c) + 1 ||
	    (type == CONNECTION_REQUEST && cursor_u16be(&c) != 0))
		return NOT_MINE;
	cursor_skip(&c, type == CONNECTION_REQUEST ? 2 : 4);
	if (cursor_u8(&c) != 0 || !cursor_ok(&c))
		return NOT_MINE;
	return type == CONNECTION_REQUEST ? read_request(r, m, c) : read_confirm(r, m, c);
}

/* Fast-path frames of a session that began in clear: their first byte is no 3. */
static enum verdict read_fast_path(struct reader *r, struct rdp_memo *m)
{
	struct cursor c = r->bytes;
	uint8_t action = cursor_u8(&c);
	size_t len = cursor_u8(&c);

	if (!cursor_ok(&c))
		return m->known ? NEED_MORE : NOT_MINE;
	if (len & 0x80) {
		len = (len & 0x7f) << 8 | cursor_peek(&c, 0);
		if (!cursor_ok(&c))
			return NEED_MORE;
	}
	if (!m->known || action & 3 || len < 3)
		return NOT_MINE;
	if (cursor_left(&r->bytes) < len)
		return len <= MESSAGE_BYTES ? NEED_MORE : NOT_MINE;
	cursor_skip(&r->bytes, len);
	return mine(r, m, m->client == r->direction + 1 ? ROLE_CLIENT : ROLE_SERVER);
}

static enum verdict read_rdp(struct reader *r)
{
	struct rdp_memo *m = r->memo;
	struct cursor c = r->bytes;
	uint16_t len;

	if (cursor_left(&c) == 0)
		return NOT_MINE;
	if (c.at[0] != 3)
		return read_fast_path(r, m);
	if (cursor_left(&c) < FRAME_BYTES + 3)
		return NEED_MORE;
	if (cursor_u16be(&c) != 0x0300)
		return NOT_MINE;
	len = cursor_u16be(&c);
	/* A request with the wrong type behind it is not worth to wait for. */
	if (len < FRAME_BYTES + 3 || len > MESSAGE_BYTES || (!m->known && c.at[1] != DATA && len > CONNECTION_MAX))
		return NOT_MINE;
	if (cursor_left(&r->bytes) < len)
		return NEED_MORE;
	c = cursor_take(&r->bytes, len);
	cursor_skip(&c, FRAME_BYTES);
	return read_x224(r, m, c);
}

/* Data of a session that was seen to begin. */
static bool glance_rdp(struct glance *g, void *memo)
{
	const struct rdp_memo *m = memo;
	struct cursor c;
	uint16_t len;

	if (!m->known || cursor_u16be(&g->bytes) != 0x0300)
		return false;
	len = cursor_u16be(&g->bytes);
	if (len < FRAME_BYTES + 3 || len > MESSAGE_BYTES)
		return false;
	c = cursor_take(&g->bytes, (size_t)len - FRAME_BYTES);
	return cursor_starts(&c, "\x02\xf0\x80", 3) && !cursor_starts(&c, "\x02\xf0\x80\x7f", 4);
}

const struct classifier classifier_rdp = {
	.name = "rdp",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_RDP },
	.max_message = MESSAGE_BYTES,
	.read = read_rdp,
	.glance = glance_rdp,
};
