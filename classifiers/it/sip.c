/*
 * SIP: telephones, gateways and exchanges that name their software. RFC 3261, 7 and 18; short names of fields: 7.3.3.
 *
 *  request:  METHOD SP URI SP SIP/2.0 CRLF        response: SIP/2.0 SP status SP words CRLF
 *  both:     {Name: value CRLF}... CRLF {body: Content-Length bytes in TCP, the rest of the datagram in UDP}
 *
 * Who is called and by whom, and what proves it, is passed over.
 */
#include "classifiers/api/classifier.h"

#include <strings.h>

enum { PORT_SIP = 5060, HEAD_BYTES = 8192, FIELDS_MIN = 3, ALIVE_BYTES = 8 };

struct sip_memo {
	uint32_t left[2]; /* of a body */
	bool known;
};

/* The fields that every message has: three of them are proof. */
enum field { VIA = 1, FROM = 2, TO = 4, CALL_ID = 8, SEQUENCE = 16 };

struct head {
	unsigned fields; /* enum field, or-ed */
	uint32_t length;
	bool request;
};

static bool is_word(struct cursor c, const char *word)
{
	return cursor_left(&c) == strlen(word) && strncasecmp((const char *)c.at, word, strlen(word)) == 0;
}

static bool ends_in_version(struct cursor line)
{
	static const char version[] = " SIP/2.0";
	size_t len = strlen(version);

	return cursor_left(&line) > len && memcmp(line.end - len, version, len) == 0;
}

static bool begins_method(const struct cursor *c)
{
	static const char *const methods[] = {
		"INVITE ", "ACK ", "BYE ", "CANCEL ", "OPTIONS ", "REGISTER ", "SUBSCRIBE ", "NOTIFY ", "REFER ", "MESSAGE ",
		"INFO ", "PRACK ", "UPDATE ", "PUBLISH ", "SIP/2.0 ",
	};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		size_t len = strlen(methods[i]);

		if (memcmp(c->at, methods[i], cursor_left(c) < len ? cursor_left(c) : len) == 0)
			return true;
	}
	return false;
}

static bool read_first_line(struct cursor line, struct head *h)
{
	if (!begins_method(&line))
		return false;
	if (cursor_starts(&line, "SIP/2.0 ", 8)) {
		cursor_skip(&line, 8);
		return cursor_left(&line) >= 3 && line.at[0] >= '1' && line.at[0] <= '6' && line.at[1] >= '0' &&
		       line.at[1] <= '9' && line.at[2] >= '0' && line.at[2] <= '9';
	}
	h->request = true;
	return ends_in_version(line);
}

static void read_length(struct head *h, struct cursor value)
{
	for (h->length = 0; cursor_left(&value) && *value.at >= '0' && *value.at <= '9' && h->length < 1u << 20; value.at++)
		h->length = h->length * 10 + (uint32_t)(*value.at - '0');
}

static void read_field(struct reader *r, struct head *h, struct cursor name, struct cursor value)
{
	static const struct { const char *full, *brief; enum field field; } required[] = {
		{ "Via", "v", VIA }, { "From", "f", FROM }, { "To", "t", TO }, { "Call-ID", "i", CALL_ID },
		{ "CSeq", "CSeq", SEQUENCE },
	};

	for (size_t i = 0; i < sizeof required / sizeof *required; i++)
		if (is_word(name, required[i].full) || is_word(name, required[i].brief))
			h->fields |= required[i].field;
	if (is_word(name, "User-Agent") || is_word(name, "Server"))
		tell(r, SENDER, NULL, ATTR_SOFTWARE, value);
	else if (is_word(name, "Content-Length") || is_word(name, "l"))
		read_length(h, value);
}

static void trim(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
	while (c->end > c->at && (c->end[-1] == ' ' || c->end[-1] == '\t'))
		c->end--;
}

/* False when the empty line that ends the head isn't there. */
static bool read_fields(struct reader *r, struct head *h, struct cursor *c)
{
	for (;;) {
		struct cursor line = cursor_line(c), name;
		ptrdiff_t colon;

		if (!cursor_ok(&line))
			return false;
		if (cursor_left(&line) == 0)
			return true;
		colon = cursor_find(&line, ':');
		if (colon <= 0)
			continue;
		name = cursor_take(&line, (size_t)colon);
		cursor_skip(&line, 1);
		trim(&name);
		trim(&line);
		read_field(r, h, name, line);
	}
}

static bool enough(unsigned fields)
{
	return __builtin_popcount(fields) >= FIELDS_MIN;
}

static enum verdict accept(struct reader *r, const struct head *h)
{
	r->sender_role = h->request ? ROLE_CLIENT : ROLE_SERVER;
	return MINE;
}

/* A datagram holds a message whole, unless it is a fragment that was lost or cut. */
static enum verdict read_datagram(struct reader *r)
{
	struct cursor c = r->bytes, line = cursor_line(&c);
	struct sip_memo *m = r->memo;
	struct head h = { 0 };

	/* Signs of life between messages, also before the first: two line ends (RFC 5626, 3.5.1), or a word. */
	if ((m->known || r->sender_port == PORT_SIP) && cursor_left(&r->bytes) <= ALIVE_BYTES)
		return MAYBE;
	if (!cursor_ok(&line) || !read_first_line(line, &h))
		return NOT_MINE;
	read_fields(r, &h, &c);
	if (!enough(h.fields))
		return NOT_MINE;
	m->known = true;
	return accept(r, &h);
}

static enum verdict read_head(struct reader *r, struct sip_memo *m)
{
	struct cursor c = r->bytes, line;
	struct head h = { 0 };

	line = cursor_line(&c);
	if (!begins_method(&r->bytes) || (cursor_ok(&line) && !read_first_line(line, &h)))
		return NOT_MINE;
	if (!cursor_ok(&line) || !read_fields(r, &h, &c))
		return cursor_left(&r->bytes) < HEAD_BYTES ? NEED_MORE : NOT_MINE;
	if (!enough(h.fields))
		return NOT_MINE;
	r->bytes = c;
	m->left[r->direction] = h.length;
	m->known = true;
	return accept(r, &h);
}

static enum verdict read_stream(struct reader *r)
{
	struct sip_memo *m = r->memo;
	uint32_t *left = &m->left[r->direction];
	size_t there = cursor_left(&r->bytes);

	if (there == 0)
		return NOT_MINE;
	if (r->gap)
		*left = 0;
	if (*left) {
		there = there < *left ? there : *left;
		cursor_skip(&r->bytes, there);
		*left -= (uint32_t)there;
		return MAYBE;
	}
	if (m->known && (r->bytes.at[0] == '\r' || r->bytes.at[0] == '\n')) {
		cursor_skip(&r->bytes, 1);
		return MAYBE;
	}
	return read_head(r, m);
}

static enum verdict read_sip(struct reader *r)
{
	return r->transport == TRANSPORT_TCP ? read_stream(r) : read_datagram(r);
}

const struct classifier classifier_sip = {
	.name = "sip",
	.transports = 1 << TRANSPORT_UDP | 1 << TRANSPORT_TCP,
	.ports = { PORT_SIP },
	.max_message = HEAD_BYTES,
	.read = read_sip,
};
