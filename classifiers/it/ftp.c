/*
 * FTP's control connection: the words by which a server greets and names its system. RFC 959, RFC 2428, RFC 4217.
 *
 *  client: {command, 3 or 4 letters}[ {words}] CRLF        server: {3 digits}{blank | -}{words} CRLF
 *  a reply of several lines begins with "ddd-" and ends with "ddd "; lines in between may be anything
 *
 * SMTP and NNTP greet alike, POP3 logs in alike: it takes words that only FTP has, or both sides. Users and passwords
 * pass by unread.
 */
#include "classifiers/api/classifier.h"

#include <strings.h>

enum { PORT_FTP = 21, LINE_BYTES = 2048, GREETING_LINES = 16, WORD_BYTES = 4 };
enum { GREETING = 220, SYSTEM = 215, TEXT_IAC = 0xff };

struct ftp_memo {
	bool known;
	bool replied;   /* a line like a reply was seen */
	bool commanded; /* a line like a command was seen */
	bool greeted;   /* the greeting is over */
	uint8_t server; /* direction + 1 */
	uint8_t lines;  /* of the greeting so far */
};

/* How much a command says: nobody else has it; others have it, but not together with such replies; nothing. */
enum weight { NO_COMMAND, COMMON, SHARED, OWN };

static const struct { char word[WORD_BYTES + 1]; uint8_t weight; } commands[] = {
	{ "USER", SHARED }, { "PASS", SHARED }, { "ACCT", OWN },    { "CWD", OWN },     { "CDUP", OWN },    { "SMNT", OWN },
	{ "QUIT", COMMON }, { "REIN", OWN },    { "PORT", OWN },    { "PASV", OWN },    { "TYPE", OWN },    { "STRU", OWN },
	{ "MODE", COMMON }, { "RETR", SHARED }, { "STOR", OWN },    { "STOU", OWN },    { "APPE", OWN },    { "ALLO", OWN },
	{ "REST", OWN },    { "RNFR", OWN },    { "RNTO", OWN },    { "ABOR", OWN },    { "DELE", SHARED }, { "RMD", OWN },
	{ "MKD", OWN },     { "PWD", OWN },     { "LIST", COMMON }, { "NLST", OWN },    { "SITE", OWN },    { "SYST", OWN },
	{ "STAT", COMMON }, { "HELP", COMMON }, { "NOOP", COMMON }, { "FEAT", OWN },    { "OPTS", OWN },    { "AUTH", COMMON },
	{ "ADAT", OWN },    { "PBSZ", OWN },    { "PROT", OWN },    { "CCC", OWN },     { "EPRT", OWN },    { "EPSV", OWN },
	{ "MDTM", OWN },    { "SIZE", OWN },    { "MLSD", OWN },    { "MLST", OWN },    { "XPWD", OWN },    { "XCWD", OWN },
	{ "XMKD", OWN },    { "XRMD", OWN },    { "XCUP", OWN },    { "CLNT", OWN },    { "HOST", COMMON }, { "LANG", COMMON },
};

static bool contains(struct cursor c, const char *word)
{
	size_t len = strlen(word);

	for (; cursor_left(&c) >= len; c.at++)
		if (strncasecmp((const char *)c.at, word, len) == 0)
			return true;
	return false;
}

static bool is_text(struct cursor line)
{
	for (; line.at < line.end; line.at++)
		if ((*line.at < ' ' && *line.at != '\t' && *line.at != '\r') || *line.at == 0x7f)
			return false;
	return true;
}

/* The command that the bytes begin with; `whole` false takes a beginning of one for it, when they end there. */
static enum weight find_command(const struct cursor *c, bool whole)
{
	size_t n = cursor_left(c);

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		size_t len, compare;

		/* Nearly all bytes are no command: their first letter says so. */
		if (n && (c->at[0] ^ commands[i].word[0]) & ~0x20)
			continue;
		len = strlen(commands[i].word);
		compare = !whole && n < len ? n : len;
		if (n < compare || strncasecmp((const char *)c->at, commands[i].word, compare) != 0)
			continue;
		if (n <= len || c->at[len] == ' ' || c->at[len] == '\r' || c->at[len] == '\n')
			return (enum weight)commands[i].weight;
	}
	return NO_COMMAND;
}

/* The reply's code, 0 when the bytes begin with none. */
static unsigned reply_code(const struct cursor *c)
{
	const uint8_t *p = c->at;

	if (cursor_left(c) < 4 || p[0] < '1' || p[0] > '6' || p[1] < '0' || p[1] > '9' || p[2] < '0' || p[2] > '9' ||
	    (p[3] != ' ' && p[3] != '-'))
		return 0;
	return (unsigned)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
}

/* Could these few bytes still become a reply? */
static bool begins_reply(const struct cursor *c)
{
	for (size_t i = 0; i < 3 && i < cursor_left(c); i++)
		if (c->at[i] < '0' || c->at[i] > '9')
			return false;
	return cursor_left(c) < 4 || reply_code(c) != 0;
}

static enum verdict mine(struct reader *r, struct ftp_memo *m, bool server)
{
	m->known = true;
	m->server = (uint8_t)((server ? r->direction : !r->direction) + 1);
	r->sender_role = server ? ROLE_SERVER : ROLE_CLIENT;
	return MINE;
}

/* A greeting of one line names the software; of several, the line that speaks of FTP does. */
static void tell_greeting(struct reader *r, struct ftp_memo *m, struct cursor line)
{
	bool more = line.at[3] == '-', single = !more && m->lines == 0;

	cursor_skip(&line, 4);
	m->greeted = !more;
	if (m->lines++ < GREETING_LINES)
		tell(r, SENDER, NULL, single || contains(line, "ftp") ? ATTR_SOFTWARE : ATTR_DESCRIPTION, line);
}

/* Replies that nobody else gives: where to connect for data, RFC 959, 4.1.2 and RFC 2428, 3. */
static bool own_reply(unsigned code, struct cursor line)
{
	return (code == 227 && contains(line, "passive") && cursor_find(&line, ',') > 0) ||
	       (code == 229 && contains(line, "(|||"));
}

static enum verdict read_reply(struct reader *r, struct ftp_memo *m, struct cursor line, unsigned code)
{
	bool at_port = r->sender_port == PORT_FTP;
	bool greeting = code == GREETING && !m->greeted && !m->commanded;
	bool proof;

	if (contains(line, "smtp") && !m->known)
		return NOT_MINE;
	proof = m->known || own_reply(code, line) || (greeting && (at_port || contains(line, "ftp"))) ||
		((code == 331 || code == 230 || code == 226 || code == 150) && at_port);
	m->replied = true;
	if (greeting && proof)
		tell_greeting(r, m, line);
	if (code == SYSTEM && m->known) {
		cursor_skip(&line, 4);
		tell(r, SENDER, NULL, ATTR_OS, line);
	}
	if (code != GREETING)
		m->greeted = true;
	return proof || m->commanded ? mine(r, m, true) : MAYBE;
}

static enum verdict read_command(struct reader *r, struct ftp_memo *m, struct cursor line, enum weight weight)
{
	/* Mail has AUTH too, but not for this. */
	if (contains(line, "AUTH TLS") || contains(line, "AUTH SSL"))
		weight = OWN;
	if (m->known || (weight == OWN && r->receiver_port == PORT_FTP) || (weight >= SHARED && m->replied))
		return mine(r, m, false);
	m->commanded |= weight >= SHARED;
	return MAYBE;
}

/* Lines on a connection that is FTP: the server's are replies or what stands inside of one. */
static enum verdict read_known(struct reader *r, struct ftp_memo *m, struct cursor line)
{
	unsigned code = reply_code(&line);

	if (m->server != r->direction + 1)
		return mine(r, m, false);
	return code ? read_reply(r, m, line, code) : mine(r, m, true);
}

static enum verdict read_unknown(struct reader *r, struct ftp_memo *m, struct cursor line)
{
	unsigned code = reply_code(&line);
	enum weight weight = code ? NO_COMMAND : find_command(&line, true);

	if (code && r->handshake != ROLE_CLIENT)
		return read_reply(r, m, line, code);
	if (weight == NO_COMMAND || r->handshake == ROLE_SERVER)
		return NOT_MINE;
	return read_command(r, m, line, weight);
}

static enum verdict read_ftp(struct reader *r)
{
	struct ftp_memo *m = r->memo;
	struct cursor c = r->bytes, line;
	enum verdict v;

	/* An abort comes behind telnet's signs of urgency. */
	while (m->known && cursor_left(&c) >= 2 && c.at[0] == TEXT_IAC)
		cursor_skip(&c, 2);
	if (cursor_left(&c) == 0)
		return m->known && cursor_left(&r->bytes) ? NEED_MORE : NOT_MINE;
	if (!m->known && !begins_reply(&c) && find_command(&c, false) == NO_COMMAND)
		return NOT_MINE;
	if (!is_text(cursor_over(c.at, cursor_find(&c, '\n') < 0 ? cursor_left(&c) : (size_t)cursor_find(&c, '\n'))))
		return NOT_MINE;
	line = cursor_line(&c);
	if (!cursor_ok(&line))
		return cursor_left(&c) < LINE_BYTES ? NEED_MORE : NOT_MINE;
	v = m->known ? read_known(r, m, line) : read_unknown(r, m, line);
	if (v != NOT_MINE)
		r->bytes = c;
	return v;
}

const struct classifier classifier_ftp = {
	.name = "ftp",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_FTP },
	.read = read_ftp,
};
