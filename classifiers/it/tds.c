/*
 * TDS: SQL Server's protocol, by what both ends say before and while they log in. MS-TDS 2.2.6.5 (pre-login), 2.2.6.4 (login),
 * 2.2.6.8 (SSPI), 2.2.7 (tokens).
 *
 *  {type}{status}{length u16be}{process u16be}{number}{window 0}  packets; a message is one or more, the last with status bit 0
 *  pre-login  {option}{offset u16be}{length u16be} .. ff, then what they point at; option 0 is the version, u8 u8 u16be u16be
 *  login      {length u32le} .. 32 bytes .. {offset u16le}{characters u16le} of host, user, password, application, server ..
 *  answers    tokens; {length u16le} follows aa error, ab information, ad acknowledgement, e3 change, ed SSPI
 *
 * Users, passwords, questions and rows are never looked at: tokens are read until the login is acknowledged.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/ntlmssp.h"

#include <string.h>

enum { PORT_TDS = 1433, PACKET_BYTES = 16384, HEADER_BYTES = 8, LOGIN_FIXED_BYTES = 94 };
enum packet_type { ANSWER = 0x04, LOGIN = 0x10, SSPI = 0x11, PRELOGIN = 0x12 };
enum { STATUS_KNOWN = 0x1f, OPTION_VERSION = 0, OPTIONS = 8, OPTION_END = 0xff, VERSION_BYTES = 6 };
enum { LOGIN_HOST = 36, LOGIN_APPLICATION = 48, LOGIN_SSPI = 78 };
enum token { TOKEN_ERROR = 0xaa, TOKEN_INFO = 0xab, TOKEN_ACKNOWLEDGED = 0xad, TOKEN_CHANGE = 0xe3, TOKEN_SSPI = 0xed };

struct memo {
	bool mine;
	bool over;      /* logged in: what follows is data */
	uint8_t client; /* 1 + its direction */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static void settle(struct reader *r, struct memo *m, bool client)
{
	m->mine = true;
	m->client = (uint8_t)(1 + (client ? r->direction : !r->direction));
}

/* The options of a pre-login, which begin with the version; it is of who sends them. */
static bool read_options(struct cursor body, struct cursor *version)
{
	struct cursor c = body;
	bool has_version = false;

	for (unsigned i = 0;; i++) {
		uint8_t option = cursor_u8(&c);
		uint16_t offset, length;
		struct cursor value = body;

		if (option == OPTION_END)
			return cursor_ok(&c) && has_version;
		offset = cursor_u16be(&c);
		length = cursor_u16be(&c);
		cursor_skip(&value, offset);
		value = cursor_take(&value, length);
		if (!cursor_ok(&c) || !cursor_ok(&value) || option >= OPTIONS || (i == 0) != (option == OPTION_VERSION))
			return false;
		if (option == OPTION_VERSION) {
			has_version = length == VERSION_BYTES;
			*version = value;
		}
	}
}

static bool read_prelogin(struct reader *r, struct memo *m, struct cursor body, bool client)
{
	struct cursor version;
	unsigned major, minor, build;

	if (!read_options(body, &version))
		return false;
	settle(r, m, client);
	major = cursor_u8(&version);
	minor = cursor_u8(&version);
	build = cursor_u16be(&version);
	if (!client && major)
		tell_format(r, SENDER, NULL, ATTR_SOFTWARE, "SQL Server %u.%u.%u", major, minor, build);
	return true;
}

/* What a pair of the login at `at` points at, in units of `width` bytes. */
static struct cursor login_field(struct cursor body, size_t at, size_t width)
{
	struct cursor pair = body, value = body;
	uint16_t offset;

	cursor_skip(&pair, at);
	offset = cursor_u16le(&pair);
	cursor_skip(&value, offset);
	value = cursor_take(&value, width * cursor_u16le(&pair));
	value.bad |= pair.bad || offset < LOGIN_FIXED_BYTES - 8;
	return value;
}

static bool read_login(struct reader *r, struct memo *m, struct cursor body)
{
	struct cursor c = body, host, application, token;

	if (cursor_u32le(&c) != cursor_left(&body) || cursor_left(&body) < LOGIN_FIXED_BYTES - 8)
		return false;
	host = login_field(body, LOGIN_HOST, 2);
	application = login_field(body, LOGIN_APPLICATION, 2);
	if (!cursor_ok(&host) || !cursor_ok(&application))
		return false;
	settle(r, m, true);
	tell_utf16le(r, SENDER, NULL, ATTR_HOSTNAME, host);
	tell_utf16le(r, SENDER, NULL, ATTR_SOFTWARE, application);
	token = login_field(body, LOGIN_SSPI, 1);
	if (cursor_ok(&token))
		ntlmssp_tell(r, token);
	return true;
}

/* {number u32}{state}{class}{characters u16}{text}{characters u8}{server} ..: the server by its own name. */
static void tell_server_name(struct reader *r, struct cursor c)
{
	cursor_skip(&c, 6);
	cursor_skip(&c, 2 * (size_t)cursor_u16le(&c));
	tell_utf16le(r, SENDER, NULL, ATTR_NAME, cursor_take(&c, 2 * (size_t)cursor_u8(&c)));
}

/* {interface}{TDS version u32}{characters u8}{program}{major}{minor}{build u16be} */
static void tell_program(struct reader *r, struct cursor c)
{
	unsigned major, minor, build;

	cursor_skip(&c, 5);
	cursor_skip(&c, 2 * (size_t)cursor_u8(&c));
	major = cursor_u8(&c);
	minor = cursor_u8(&c);
	build = cursor_u16be(&c);
	if (cursor_ok(&c))
		tell_format(r, SENDER, NULL, ATTR_SOFTWARE, "SQL Server %u.%u.%u", major, minor, build);
}

/* Up to the first token of another kind, or that isn't whole. True when there was one. */
static bool read_tokens(struct reader *r, struct memo *m, struct cursor c)
{
	bool any = false;

	while (cursor_left(&c) && !m->over) {
		uint8_t token = cursor_u8(&c);
		struct cursor value = cursor_take(&c, cursor_u16le(&c));

		if (!cursor_ok(&value))
			break;
		if (token == TOKEN_SSPI)
			ntlmssp_tell(r, value);
		else if (token == TOKEN_ERROR || token == TOKEN_INFO)
			tell_server_name(r, value);
		else if (token == TOKEN_ACKNOWLEDGED)
			tell_program(r, value);
		else if (token != TOKEN_CHANGE)
			break;
		any = true;
		m->over |= token == TOKEN_ACKNOWLEDGED;
	}
	return any;
}

/* An answer proves nothing alone, but for a pre-login's. */
static bool read_answer(struct reader *r, struct memo *m, struct cursor body)
{
	if (!m->mine)
		return read_prelogin(r, m, body, false);
	if (!m->over && !read_tokens(r, m, body))
		(void)read_prelogin(r, m, body, false);
	return true;
}

static bool is_packet(uint8_t type, uint8_t status, uint16_t length, uint8_t window)
{
	return type >= 0x01 && type <= 0x12 && type != 0x05 && !(status & ~STATUS_KNOWN) && length > HEADER_BYTES && length <= PACKET_BYTES && !window;
}

static enum verdict read_packet(struct reader *r, struct memo *m, uint8_t type, struct cursor body)
{
	bool fits;

	if (type == PRELOGIN)
		fits = read_prelogin(r, m, body, true) || m->mine; /* TLS's records are packed like this too */
	else if (type == LOGIN)
		fits = read_login(r, m, body);
	else if (type == ANSWER)
		fits = read_answer(r, m, body);
	else
		fits = m->mine;
	if (!fits)
		return NOT_MINE;
	if (type == SSPI)
		ntlmssp_tell(r, body);
	r->sender_role = m->client == 1 + r->direction ? ROLE_CLIENT : ROLE_SERVER;
	return MINE;
}

static enum verdict read_tds(struct reader *r)
{
	struct memo *m = r->memo;
	struct cursor c = r->bytes, body;
	uint8_t type = cursor_u8(&c), status = cursor_u8(&c), window;
	uint16_t length = cursor_u16be(&c);
	enum verdict v;

	cursor_skip(&c, 3);
	window = cursor_u8(&c);
	if (!cursor_ok(&c))
		return cursor_left(&r->bytes) && is_packet(cursor_peek(&r->bytes, 0), 0, PACKET_BYTES, 0) ? NEED_MORE : NOT_MINE;
	if (!is_packet(type, status, length, window))
		return NOT_MINE;
	if (!m->mine && type != PRELOGIN && type != LOGIN && type != ANSWER)
		return NOT_MINE;
	if (cursor_left(&c) < length - (size_t)HEADER_BYTES)
		return r->truncated ? NOT_MINE : NEED_MORE;
	body = cursor_take(&c, length - (size_t)HEADER_BYTES);
	v = read_packet(r, m, type, body);
	if (v == MINE)
		r->bytes = c;
	return v;
}

const struct classifier classifier_tds = {
	.name = "tds",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_TDS },
	.max_message = PACKET_BYTES,
	.read = read_tds,
};
