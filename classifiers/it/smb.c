/*
 * SMB in all its versions: what servers and clients say of themselves before anybody is logged in.
 * MS-CIFS, 2.2.4.52 and .53; MS-SMB2, 2.2.3 to 2.2.6; sessions over NetBIOS: RFC 1002, 4.3.
 *
 *  {type u8: 0 message, 81..85 of the session itself}{length u24be} message
 *  SMB1: ff "SMB" {command}{status 4}{flags 1}{flags 2}{12}{tree, process, user, multiplex: u16} {words n}{2n}{bytes u16}{...}
 *  SMB2: fe "SMB" {64 u16le}{credit u16}{status 4}{command u16}{credits u16}{flags u32}{next u32}{id 8}{4}{tree 4}{session 8}
 *        {signature 16} body;  fd and fc "SMB": enciphered, compressed
 *
 * Only negotiation and session setup are waited for; of all others, files among them, the head alone is seen. Of what is
 * said to log in, NTLM's host names are read, never users or proofs.
 */
#include "classifiers/api/ntlmssp.h"
#include "classifiers/it/netbios.h"

enum { PORT_SMB = 445, PORT_SESSION = 139, MESSAGE_BYTES = 16384 };
enum { FRAME_BYTES = 4, SMB1_BYTES = 32, SMB2_BYTES = 64, HEAD_BYTES = 24 };
enum { SESSION_MESSAGE = 0, SESSION_REQUEST = 0x81, SESSION_ACCEPTED = 0x82, SESSION_REFUSED = 0x83, SESSION_ALIVE = 0x85 };
enum { SMB1_NEGOTIATE = 0x72, SMB1_SETUP = 0x73, SMB1_REPLY = 0x80, SMB1_UNICODE = 0x8000, SMB1_EXTENDED = 0x0800 };
enum { SMB2_NEGOTIATE = 0, SMB2_SETUP = 1, SMB2_COMMANDS = 19, SMB2_REPLY = 1 };
enum { MORE_PROCESSING = 0xc0000016 };
enum { SMB2_MARK = 0xfe534d42 };

struct smb_memo {
	uint32_t left[2]; /* of a message whose head was seen */
	uint8_t server;   /* direction + 1 */
};

struct smb1 {
	struct reader *r;
	struct cursor message; /* from the ff: alignment counts from here */
	struct cursor words;
	struct cursor data;
	bool reply;
	bool unicode;
	bool extended;
};

/* The server said so, or else the handshake or the port does. */
static uint8_t role(const struct reader *r, struct smb_memo *m)
{
	if (m->server == 0) {
		bool server = r->handshake == ROLE_SERVER ||
			      (r->handshake != ROLE_CLIENT && (r->sender_port == PORT_SMB || r->sender_port == PORT_SESSION));

		m->server = (uint8_t)((server ? r->direction : !r->direction) + 1);
	}
	return m->server == r->direction + 1 ? ROLE_SERVER : ROLE_CLIENT;
}

static void note_side(const struct reader *r, struct smb_memo *m, bool reply)
{
	m->server = (uint8_t)((reply ? r->direction : !r->direction) + 1);
}

/* Takes a text that ends in a zero, or where the bytes do. Wide ones begin at even places of the message. */
static struct cursor take_text(struct smb1 *s)
{
	struct cursor *c = &s->data, text;
	size_t n = 0, left = cursor_left(c), width = s->unicode ? 2 : 1;

	if (s->unicode && (c->at - s->message.at) & 1 && left) {
		cursor_skip(c, 1);
		left--;
	}
	while (n + width <= left && (c->at[n] || (s->unicode && c->at[n + 1])))
		n += width;
	text = cursor_take(c, n);
	cursor_skip(c, cursor_left(c) < width ? cursor_left(c) : width);
	return text;
}

static void tell_words(struct smb1 *s, enum attribute a, struct cursor text)
{
	if (s->unicode)
		tell_utf16le(s->r, SENDER, NULL, a, text);
	else
		tell(s->r, SENDER, NULL, a, text);
}

/* {system}{LAN manager}; newer Windows leaves both empty, and NTLM's version says which it is. */
static void tell_native(struct smb1 *s, struct cursor blob)
{
	struct cursor system = take_text(s), manager = take_text(s);

	tell_words(s, ATTR_OS, system);
	tell_words(s, ATTR_SOFTWARE, manager);
	if (cursor_left(&system))
		ntlmssp_tell_names(s->r, blob);
	else
		ntlmssp_tell(s->r, blob);
}

/* With extended security a blob comes before the texts, without it passwords, account and domain do. */
static void read_setup_request(struct smb1 *s)
{
	enum { EXTENDED_WORDS = 12, PLAIN_WORDS = 13, OLD_WORDS = 10 };
	size_t words = cursor_left(&s->words) / 2, first, second;
	struct cursor blob = cursor_over("", 0);

	cursor_skip(&s->words, 14);
	first = cursor_u16le(&s->words);
	second = words == PLAIN_WORDS ? cursor_u16le(&s->words) : 0;
	if (words == EXTENDED_WORDS) {
		blob = cursor_take(&s->data, first);
	} else if (words == PLAIN_WORDS || words == OLD_WORDS) {
		cursor_skip(&s->data, first + second);
		take_text(s);
		take_text(s);
	} else {
		return;
	}
	if (cursor_ok(&s->data))
		tell_native(s, blob);
}

static void read_setup_reply(struct smb1 *s)
{
	enum { EXTENDED_WORDS = 4, PLAIN_WORDS = 3 };
	size_t words = cursor_left(&s->words) / 2;
	struct cursor blob = cursor_over("", 0);

	cursor_skip(&s->words, 6);
	if (words == EXTENDED_WORDS)
		blob = cursor_take(&s->data, cursor_u16le(&s->words));
	else if (words != PLAIN_WORDS)
		return;
	if (cursor_ok(&s->data))
		tell_native(s, blob);
}

/* Without extended security: {challenge}{domain}{server}, the texts wide and not aligned. */
static void read_negotiate_reply(struct smb1 *s)
{
	enum { NT_WORDS = 17 };
	uint8_t challenge;

	if (cursor_left(&s->words) / 2 != NT_WORDS || s->extended)
		return;
	cursor_skip(&s->words, 33);
	challenge = cursor_u8(&s->words);
	cursor_skip(&s->data, challenge);
	if (!s->unicode || !cursor_ok(&s->data))
		return;
	s->message.at = s->data.at;
	take_text(s);
	tell_words(s, ATTR_HOSTNAME, take_text(s));
}

/* True when the head is one of SMB1's. */
static bool read_smb1(struct reader *r, struct smb_memo *m, struct cursor message)
{
	struct cursor c = message;
	struct smb1 s = { .r = r, .message = message };
	uint8_t command, flags;
	uint16_t flags2;

	cursor_skip(&c, 4);
	command = cursor_u8(&c);
	cursor_skip(&c, 4);
	flags = cursor_u8(&c);
	flags2 = cursor_u16le(&c);
	if (!cursor_ok(&c))
		return false;
	s.reply = flags & SMB1_REPLY;
	s.unicode = flags2 & SMB1_UNICODE;
	s.extended = flags2 & SMB1_EXTENDED;
	note_side(r, m, s.reply);
	if (command != SMB1_NEGOTIATE && command != SMB1_SETUP)
		return true;
	cursor_skip(&c, SMB1_BYTES - 12);
	s.words = cursor_take(&c, 2u * cursor_u8(&c));
	s.data = cursor_take(&c, cursor_u16le(&c));
	if (!cursor_ok(&s.data))
		return true;
	if (command == SMB1_NEGOTIATE && s.reply)
		read_negotiate_reply(&s);
	else if (command == SMB1_SETUP && s.reply)
		read_setup_reply(&s);
	else if (command == SMB1_SETUP)
		read_setup_request(&s);
	return true;
}

static void tell_dialect(struct reader *r, uint16_t dialect)
{
	static const struct { uint16_t number; const char *name; } dialects[] = {
		{ 0x0202, "SMB 2.0.2" }, { 0x0210, "SMB 2.1" }, { 0x0300, "SMB 3.0" }, { 0x0302, "SMB 3.0.2" },
		{ 0x0311, "SMB 3.1.1" },
	};

	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
		if (dialects[i].number == dialect)
			tell_text(r, SENDER, NULL, ATTR_SOFTWARE, dialects[i].name);
}

/* The server's GUID stays the same as long as it is installed: an identity where names are not given. */
static void read_smb2_negotiate(struct reader *r, struct cursor body)
{
	uint32_t a;
	uint16_t b, d;
	uint64_t rest;

	cursor_skip(&body, 4);
	tell_dialect(r, cursor_u16le(&body));
	cursor_skip(&body, 2);
	a = cursor_u32le(&body);
	b = cursor_u16le(&body);
	d = cursor_u16le(&body);
	rest = cursor_u64be(&body);
	if (cursor_ok(&body) && (a | b | d | rest) != 0)
		tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "%08x-%04x-%04x-%04x-%012llx", a, b, d,
			    (unsigned)(rest >> 48), (unsigned long long)(rest & 0xffffffffffff));
}

/* Where the blob lies is told by its offset from the message's start, at 4 of an answer, at 12 of a request. */
static void read_smb2_setup(struct reader *r, struct cursor message, struct cursor body, bool reply)
{
	uint16_t offset, len;

	cursor_skip(&body, reply ? 4 : 12);
	offset = cursor_u16le(&body);
	len = cursor_u16le(&body);
	cursor_skip(&message, offset);
	if (cursor_ok(&body))
		ntlmssp_tell(r, cursor_take(&message, len));
}

static bool read_smb2(struct reader *r, struct smb_memo *m, struct cursor message)
{
	struct cursor c = message;
	uint16_t command;
	uint32_t status;
	bool reply;

	cursor_skip(&c, 4);
	if (cursor_u16le(&c) != SMB2_BYTES)
		return false;
	cursor_skip(&c, 2);
	status = cursor_u32le(&c);
	command = cursor_u16le(&c);
	cursor_skip(&c, 2);
	reply = cursor_u32le(&c) & SMB2_REPLY;
	if (!cursor_ok(&c) || command >= SMB2_COMMANDS)
		return false;
	note_side(r, m, reply);
	cursor_skip(&c, SMB2_BYTES - 20);
	if (!cursor_ok(&c))
		return true;
	if (command == SMB2_NEGOTIATE && reply && status == 0)
		read_smb2_negotiate(r, c);
	else if (command == SMB2_SETUP && (!reply || status == 0 || status == MORE_PROCESSING))
		read_smb2_setup(r, message, c, reply);
	return true;
}

/* A session over NetBIOS is asked for by both names. 34 bytes each, the letters alone are proof. */
static enum verdict read_session_request(struct reader *r, struct smb_memo *m, uint32_t len)
{
	struct cursor c = r->bytes;
	struct netbios_name called, calling;

	if (len < 4 || len > 2 * 256)
		return NOT_MINE;
	cursor_skip(&c, FRAME_BYTES);
	if (cursor_left(&c) < len)
		return NEED_MORE;
	c = cursor_take(&c, len);
	if (!netbios_take(&c, &called) || !netbios_take(&c, &calling))
		return NOT_MINE;
	cursor_skip(&r->bytes, FRAME_BYTES + len);
	note_side(r, m, false);
	if (netbios_machine(&calling))
		tell_text(r, SENDER, NULL, ATTR_HOSTNAME, calling.text);
	r->sender_role = ROLE_CLIENT;
	return MINE;
}

/* Answers of the session's layer and its sign of life say too little to know anything by. */
static enum verdict read_session_answer(struct reader *r, uint8_t type, uint32_t len)
{
	if ((type == SESSION_REFUSED ? len != 1 : len != 0) || (type != SESSION_ACCEPTED && type != SESSION_REFUSED && type != SESSION_ALIVE))
		return NOT_MINE;
	if (cursor_left(&r->bytes) < FRAME_BYTES + len)
		return NEED_MORE;
	cursor_skip(&r->bytes, FRAME_BYTES + len);
	return MAYBE;
}

/* Is it one of those messages that are worth to be whole? */
static bool worth_waiting(const struct cursor *message)
{
	uint8_t command = message->at[0] == 0xff ? message->at[4] : message->at[12];

	if (message->at[0] == 0xff)
		return command == SMB1_NEGOTIATE || command == SMB1_SETUP;
	return message->at[0] == 0xfe && command <= SMB2_SETUP && message->at[13] == 0;
}

static enum verdict read_message(struct reader *r, struct smb_memo *m, uint32_t len)
{
	struct cursor c = r->bytes, message;
	size_t there;
	bool good;

	cursor_skip(&c, FRAME_BYTES);
	if (len < HEAD_BYTES || (cursor_left(&c) >= 4 && (c.at[0] < 0xfc || memcmp(c.at + 1, "SMB", 3) != 0)))
		return NOT_MINE;
	if (cursor_left(&c) < HEAD_BYTES)
		return NEED_MORE;
	there = cursor_left(&c) < len ? cursor_left(&c) : len;
	if (there < len && worth_waiting(&c) && len <= MESSAGE_BYTES - FRAME_BYTES && !r->truncated)
		return NEED_MORE;
	message = cursor_take(&c, there);
	if (message.at[0] == 0xff)
		good = read_smb1(r, m, message);
	else if (message.at[0] == 0xfe)
		good = read_smb2(r, m, message);
	else
		good = true;
	if (!good)
		return NOT_MINE;
	m->left[r->direction] = len - (uint32_t)there;
	r->bytes = c;
	r->sender_role = role(r, m);
	return MINE;
}

static enum verdict read_rest(struct reader *r, struct smb_memo *m)
{
	uint32_t *left = &m->left[r->direction];
	size_t there = cursor_left(&r->bytes);

	cursor_skip(&r->bytes, there < *left ? there : *left);
	*left -= (uint32_t)(there < *left ? there : *left);
	r->sender_role = role(r, m);
	return MINE;
}

static enum verdict read_smb(struct reader *r)
{
	struct smb_memo *m = r->memo;
	struct cursor c = r->bytes;
	uint8_t type;
	uint32_t len;

	if (r->gap)
		m->left[r->direction] = 0;
	if (m->left[r->direction] && cursor_left(&r->bytes))
		return read_rest(r, m);
	if (cursor_left(&c) < FRAME_BYTES)
		return cursor_left(&c) && (c.at[0] == SESSION_MESSAGE || c.at[0] == SESSION_REQUEST || m->server) ? NEED_MORE : NOT_MINE;
	type = cursor_u8(&c);
	len = cursor_u24be(&c);
	if (type == SESSION_MESSAGE)
		return read_message(r, m, len);
	if (type == SESSION_REQUEST)
		return read_session_request(r, m, len);
	return read_session_answer(r, type, len);
}

/* The rest of a message whose head was seen, and messages of SMB2 but those that open a session. */
static bool glance_smb(struct glance *g, void *memo)
{
	struct smb_memo *m = memo;
	uint32_t *left = &m->left[g->direction], len = *left;
	struct cursor c = g->bytes, head;
	uint16_t command;
	size_t n;

	if (!len) {
		if (cursor_u8(&c) != SESSION_MESSAGE)
			return false;
		len = cursor_u24be(&c);
		head = c;
		if (len < SMB2_BYTES || cursor_left(&c) < SMB2_BYTES || cursor_u32be(&head) != SMB2_MARK || cursor_u16le(&head) != SMB2_BYTES)
			return false;
		cursor_skip(&head, 6);
		command = cursor_u16le(&head);
		cursor_skip(&head, 2);
		if (command <= SMB2_SETUP || command >= SMB2_COMMANDS || m->server != 1 + (cursor_u32le(&head) & SMB2_REPLY ? g->direction : !g->direction))
			return false;
	} else if (!m->server) {
		return false;
	}
	n = cursor_left(&c) < len ? cursor_left(&c) : len;
	cursor_skip(&c, n);
	*left = (uint32_t)(len - n);
	g->bytes = c;
	return true;
}

const struct classifier classifier_smb = {
	.name = "smb",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_SMB, PORT_SESSION },
	.max_message = MESSAGE_BYTES,
	.read = read_smb,
	.glance = glance_smb,
};
