/*
 * Telnet: options that both sides haggle over, and what a server says before anybody types. RFC 854, RFC 855.
 *
 *  ff {fb WILL | fc WON'T | fd DO | fe DON'T} {option}      ff fa {option} ... ff f0      ff {f1..f9}      ff ff = one byte ff
 *  everything else is text
 *
 * What a client types, and what a server says after that, is never looked at.
 */
#include "classifiers/api/classifier.h"

#include <strings.h>

enum { PORT_TELNET = 23, LINE_BYTES = 512, SUB_BYTES = 1024, TOLD_LINES = 12, PROOF = 2 };
enum { IAC = 0xff, DONT = 0xfe, WILL = 0xfb, SUB = 0xfa, SUB_END = 0xf0, NOP = 0xf1, GO_AHEAD = 0xf9 };
enum { OPTIONS = 50, PRAGMA_FIRST = 138, PRAGMA_LAST = 140, EXTENDED = 255 };

struct telnet_memo {
	bool known;
	bool typed;      /* the client has sent text: what follows may hold what it typed */
	uint8_t server;  /* direction + 1 */
	uint8_t options; /* commands about options so far */
	uint8_t lines;   /* of the server's told so far */
};

static uint8_t role(const struct reader *r, struct telnet_memo *m)
{
	if (m->server == 0) {
		bool server = r->handshake == ROLE_SERVER ||
			      (r->handshake != ROLE_CLIENT && (r->sender_port == PORT_TELNET ||
			       (r->receiver_port != PORT_TELNET && r->sender_port < r->receiver_port)));

		m->server = (uint8_t)((server ? r->direction : !r->direction) + 1);
	}
	return m->server == r->direction + 1 ? ROLE_SERVER : ROLE_CLIENT;
}

static bool known_option(uint8_t option)
{
	return option < OPTIONS || (option >= PRAGMA_FIRST && option <= PRAGMA_LAST) || option == EXTENDED;
}

static bool at_port(const struct reader *r)
{
	return r->sender_port == PORT_TELNET || r->receiver_port == PORT_TELNET;
}

static enum verdict taken(struct reader *r, struct telnet_memo *m, struct cursor rest)
{
	r->bytes = rest;
	m->known |= m->options >= (at_port(r) ? 1 : PROOF);
	if (!m->known)
		return MAYBE;
	r->sender_role = role(r, m);
	return MINE;
}

/* Goes to behind ff f0; a doubled ff inside is data. */
static enum verdict read_sub(struct reader *r, struct telnet_memo *m, struct cursor c)
{
	uint8_t option = cursor_u8(&c), last = 0;

	if (!cursor_ok(&c))
		return NEED_MORE;
	if (!known_option(option))
		return NOT_MINE;
	for (size_t i = 0; i < SUB_BYTES; i++) {
		uint8_t b = cursor_u8(&c);

		if (!cursor_ok(&c))
			return NEED_MORE;
		if (last == IAC && b == SUB_END) {
			m->options = PROOF;
			return taken(r, m, c);
		}
		last = last == IAC && b == IAC ? 0 : b;
	}
	return NOT_MINE;
}

static enum verdict read_command(struct reader *r, struct telnet_memo *m)
{
	struct cursor c = r->bytes;
	uint8_t command, option;

	cursor_skip(&c, 1);
	command = cursor_u8(&c);
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (command == SUB)
		return read_sub(r, m, c);
	if (command < WILL || command == IAC)
		return m->known && ((command >= SUB_END && command <= GO_AHEAD) || command == IAC) ? taken(r, m, c) : NOT_MINE;
	option = cursor_u8(&c);
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (!known_option(option))
		return NOT_MINE;
	if (m->options < PROOF)
		m->options++;
	return taken(r, m, c);
}

static bool ends_with(struct cursor line, const char *word)
{
	size_t len = strlen(word);

	return cursor_left(&line) >= len && strncasecmp((const char *)line.end - len, word, len) == 0;
}

static bool is_prompt(struct cursor line)
{
	return ends_with(line, "login:") || ends_with(line, "username:") || ends_with(line, "user name:") ||
	       ends_with(line, "password:");
}

/* Length of the line at the start of text, with its end; up to the colon of a prompt, or up to a command. */
static size_t line_length(struct cursor c, bool *whole)
{
	for (size_t i = 0; i < cursor_left(&c) && i < LINE_BYTES; i++) {
		*whole = true;
		if (c.at[i] == IAC && i)
			return i;
		if (c.at[i] == '\n' || (c.at[i] == ':' && is_prompt(cursor_over(c.at, i + 1))))
			return i + 1;
	}
	*whole = cursor_left(&c) >= LINE_BYTES;
	return cursor_left(&c) < LINE_BYTES ? cursor_left(&c) : LINE_BYTES;
}

static bool is_text(struct cursor line)
{
	enum { BELL = 7, ESCAPE = 0x1b };

	for (; line.at < line.end; line.at++)
		if (*line.at < ' ' && *line.at != 0 && *line.at != BELL && *line.at != ESCAPE && (*line.at < '\b' || *line.at > '\r'))
			return false;
	return true;
}

/* Clean lines only: pictures made of control characters say nothing. */
static void tell_line(struct reader *r, struct telnet_memo *m, struct cursor line)
{
	while (line.end > line.at && (line.end[-1] == '\n' || line.end[-1] == '\r' || line.end[-1] == ' '))
		line.end--;
	while (line.at < line.end && (*line.at == '\r' || *line.at == '\n' || *line.at == 0 || *line.at == ' '))
		line.at++;
	for (const uint8_t *p = line.at; p < line.end; p++)
		if (*p < ' ' && *p != '\t')
			return;
	if (cursor_left(&line) < 3 || ends_with(line, "password:") || m->lines >= TOLD_LINES)
		return;
	m->lines++;
	tell(r, SENDER, NULL, ATTR_DESCRIPTION, line);
}

static enum verdict read_server_text(struct reader *r, struct telnet_memo *m)
{
	bool whole;
	size_t len = line_length(r->bytes, &whole);
	struct cursor line = cursor_over(r->bytes.at, len), rest = r->bytes;

	if (!whole)
		return NEED_MORE;
	cursor_skip(&rest, len);
	tell_line(r, m, line);
	return taken(r, m, rest);
}

static enum verdict read_text(struct reader *r, struct telnet_memo *m)
{
	struct cursor rest = r->bytes;
	ptrdiff_t command = cursor_find(&rest, IAC);
	bool server = role(r, m) == ROLE_SERVER;

	if (server && !m->typed && !r->gap && m->lines < TOLD_LINES)
		return read_server_text(r, m);
	m->typed |= !server;
	cursor_skip(&rest, command < 0 ? cursor_left(&rest) : (size_t)command);
	return taken(r, m, rest);
}

static bool begins_option(const struct cursor *c)
{
	return cursor_left(c) >= 3 && c->at[0] == IAC && c->at[1] >= WILL && c->at[1] <= DONT && known_option(c->at[2]);
}

/* Servers that begin with text at telnet's port: it ends in a question for a name, or in options. */
static enum verdict read_bare_server(struct reader *r, struct telnet_memo *m)
{
	struct cursor c = r->bytes;
	bool whole;

	if (r->sender_port != PORT_TELNET || r->handshake == ROLE_CLIENT || r->gap)
		return NOT_MINE;
	while (cursor_left(&c)) {
		size_t len = line_length(c, &whole);
		struct cursor line = cursor_take(&c, len);

		if (!is_text(line))
			return NOT_MINE;
		if (whole && (is_prompt(line) || begins_option(&c))) {
			m->known = true;
			return read_text(r, m);
		}
	}
	return cursor_left(&r->bytes) < LINE_BYTES ? NEED_MORE : NOT_MINE;
}

static enum verdict read_telnet(struct reader *r)
{
	struct telnet_memo *m = r->memo;

	if (cursor_left(&r->bytes) == 0)
		return NOT_MINE;
	if (r->bytes.at[0] == IAC)
		return read_command(r, m);
	if (m->known)
		return read_text(r, m);
	return read_bare_server(r, m);
}

const struct classifier classifier_telnet = {
	.name = "telnet",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_TELNET },
	.read = read_telnet,
};
