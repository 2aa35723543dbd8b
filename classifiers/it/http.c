/*
 * HTTP/1.x: what servers and clients write into the heads of their messages. RFC 9110, RFC 9112.
 *
 *  request:  METHOD SP target SP HTTP/1.x CRLF       response: HTTP/1.x SP status SP words CRLF
 *  both:     {Name: value CRLF}... CRLF {body: Content-Length bytes, or chunks, or all until the end}
 *  chunk:    {size in hex}[;words] CRLF {size bytes} CRLF, the last one of size 0
 *
 * A head is waited for as a whole; a body goes by uncollected but for the first bytes of a page or a
 * device description. Authorization and cookies are never looked at.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/ntlmssp.h"

#include <stdio.h>
#include <strings.h>

enum { HEAD_BYTES = 16384, LINE_BYTES = 8192, CHUNK_LINE_BYTES = 256, LOOK_BYTES = 4096, BLOB_BYTES = 1024, ASKED_MAX = 32 };
enum { STATUS_SWITCHING = 101, STATUS_OK = 200, STATUS_NO_CONTENT = 204, STATUS_NOT_MODIFIED = 304 };

enum state { AT_HEAD, AT_BODY, AT_CHUNK_SIZE, AT_CHUNK, AT_TRAILER, UNTIL_CLOSE, IN_TUNNEL };

struct half {
	uint64_t left; /* of a body or chunk */
	uint16_t look; /* how many further bytes of the body are worth a look */
	uint8_t state; /* enum state */
	bool fresh;    /* nothing of the body was taken yet */
};

struct http_memo {
	struct half half[2];
	uint32_t heads;   /* a bit for each request not answered yet, oldest lowest: it was HEAD */
	uint32_t tunnels; /* the same: it was CONNECT */
	uint8_t asked;    /* how many */
	uint8_t client;   /* direction + 1 */
};

_Static_assert(sizeof(struct http_memo) <= MEMO_BYTES, "a flow's memory is small");

struct head {
	bool request;
	bool fields; /* it has at least one */
	bool is_head;
	bool is_connect;
	unsigned status;
	bool has_length;
	uint64_t length;
	bool chunked;
	bool encoded; /* compressed: not to be looked into */
	bool page;    /* HTML or XML */
};

static bool is_word(struct cursor c, const char *word)
{
	return cursor_left(&c) == strlen(word) && strncasecmp((const char *)c.at, word, strlen(word)) == 0;
}

static bool contains_word(struct cursor c, const char *word)
{
	size_t len = strlen(word);

	for (; cursor_left(&c) >= len; c.at++)
		if (strncasecmp((const char *)c.at, word, len) == 0)
			return true;
	return false;
}

static bool begins_word(struct cursor c, const char *word)
{
	size_t len = strlen(word);

	return cursor_left(&c) >= len && strncasecmp((const char *)c.at, word, len) == 0;
}

static bool starts_response(const struct cursor *c)
{
	return cursor_starts(c, "HTTP/1.1 ", 9) || cursor_starts(c, "HTTP/1.0 ", 9);
}

/* The method of a request line: capitals, '-' or '_'. A bad cursor when it can't be one. */
static struct cursor take_method(struct cursor *c)
{
	ptrdiff_t n = cursor_find(c, ' ');
	struct cursor method;

	if (n < 3 || n > 20) {
		cursor_fail(c);
		return *c;
	}
	method = cursor_take(c, (size_t)n);
	for (const uint8_t *p = method.at; p < method.end; p++)
		if ((*p < 'A' || *p > 'Z') && *p != '-' && *p != '_')
			cursor_fail(&method);
	cursor_skip(c, 1);
	return method;
}

/* Methods for whose lines it is worth to wait: a line that is whole may have any. */
static bool begins_method(const struct cursor *c)
{
	static const char *const methods[] = {
		"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "CONNECT ", "DELETE ", "PATCH ", "TRACE ", "PROPFIND ",
		"NOTIFY ", "SUBSCRIBE ", "UNSUBSCRIBE ", "REPORT ", "MKCOL ", "MOVE ", "COPY ", "LOCK ", "UNLOCK ", "SEARCH ",
	};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		size_t len = strlen(methods[i]);

		if (memcmp(c->at, methods[i], cursor_left(c) < len ? cursor_left(c) : len) == 0)
			return true;
	}
	return false;
}

/* "GET /x HTTP/1.1" */
static bool read_request_line(struct cursor line, struct head *h)
{
	struct cursor method = take_method(&line);
	size_t n = cursor_left(&line);

	if (!cursor_ok(&method) || n < 10 || memcmp(line.end - 9, " HTTP/1.", 8) != 0 ||
	    line.end[-1] < '0' || line.end[-1] > '9')
		return false;
	h->request = true;
	h->is_head = is_word(method, "HEAD");
	h->is_connect = is_word(method, "CONNECT");
	return true;
}

/* "HTTP/1.1 200 OK" */
static bool read_status_line(struct cursor line, struct head *h)
{
	if (!starts_response(&line) || cursor_left(&line) < 12)
		return false;
	cursor_skip(&line, 9);
	for (int i = 0; i < 3; i++) {
		uint8_t digit = cursor_u8(&line);

		if (digit < '0' || digit > '9')
			return false;
		h->status = h->status * 10 + (unsigned)(digit - '0');
	}
	return h->status >= 100 && (cursor_left(&line) == 0 || cursor_u8(&line) == ' ');
}

/* Length of the head with its empty line, 0 while that isn't there. */
static size_t head_length(const struct cursor *c)
{
	struct cursor rest = *c;

	for (;;) {
		struct cursor line = cursor_line(&rest);

		if (!cursor_ok(&line))
			return 0;
		if (cursor_left(&line) == 0)
			return (size_t)(rest.at - c->at);
	}
}

static void tell_realm(struct reader *r, struct cursor value)
{
	while (cursor_left(&value) > 7 && strncasecmp((const char *)value.at, "realm=\"", 7) != 0)
		value.at++;
	if (cursor_left(&value) <= 7)
		return;
	cursor_skip(&value, 7);
	if (cursor_find(&value, '"') > 0)
		tell(r, SENDER, NULL, ATTR_REALM, cursor_take(&value, (size_t)cursor_find(&value, '"')));
}

/* The value of a base64 letter, -1 for others. RFC 4648, 4. */
static int base64_value(uint8_t b)
{
	if (b >= 'A' && b <= 'Z')
		return b - 'A';
	if (b >= 'a' && b <= 'z')
		return b - 'a' + 26;
	if (b >= '0' && b <= '9')
		return b - '0' + 52;
	return b == '+' ? 62 : b == '/' ? 63 : -1;
}

/*
 * "NTLM TlRMTVNT..." or "Negotiate ...": a Windows server's challenge, which names the server, or the client's
 * answer, which names the client. Other schemes hold secrets and are not looked at.
 */
static void tell_ntlm(struct reader *r, const struct head *h, struct cursor value)
{
	enum { TYPE_AT = 8, TYPE_CHALLENGE = 2 };
	uint8_t bytes[BLOB_BYTES], *message;
	uint32_t bits = 0;
	size_t n = 0;

	if (!begins_word(value, "NTLM ") && !begins_word(value, "Negotiate "))
		return;
	cursor_skip(&value, (size_t)(cursor_find(&value, ' ') + 1));
	for (unsigned have = 0; cursor_left(&value) && base64_value(*value.at) >= 0 && n < sizeof bytes; value.at++) {
		bits = bits << 6 | (uint32_t)base64_value(*value.at);
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[n++] = (uint8_t)(bits >> have);
		}
	}
	/* A challenge in a question, or a question in an answer, is somebody's trial. */
	message = memmem(bytes, n, "NTLMSSP", sizeof "NTLMSSP");
	if (message && message + TYPE_AT < bytes + n && (message[TYPE_AT] == TYPE_CHALLENGE) == !h->request)
		ntlmssp_tell(r, cursor_over(message, (size_t)(bytes + n - message)));
}

/* The name by which the client calls the server, as its own word; an address is no news. */
static void tell_host(struct reader *r, struct cursor value)
{
	bool name = false;

	for (const uint8_t *p = value.at; p < value.end; p++) {
		if (*p <= ' ' || *p == '"' || *p == '/' || *p == '@' || *p == '[')
			return;
		name = name || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z');
	}
	if (name && cursor_left(&value) < 256)
		tell_format(r, RECEIVER, NULL, ATTR_URI, "http://%.*s", (int)cursor_left(&value),
			    (const char *)value.at);
}

static void read_length(struct head *h, struct cursor value)
{
	h->length = 0;
	h->has_length = cursor_left(&value) > 0 && cursor_left(&value) < 19;
	for (; h->has_length && cursor_left(&value); value.at++) {
		if (*value.at < '0' || *value.at > '9')
			h->has_length = false;
		else
			h->length = h->length * 10 + (uint64_t)(*value.at - '0');
	}
}

/* How the body is to be taken: RFC 9112, 6. */
static void read_framing(struct head *h, struct cursor name, struct cursor value)
{
	if (is_word(name, "Content-Length"))
		read_length(h, value);
	else if (is_word(name, "Transfer-Encoding"))
		h->chunked = contains_word(value, "chunked");
	else if (is_word(name, "Content-Encoding"))
		h->encoded = !is_word(value, "identity");
	else if (is_word(name, "Content-Type"))
		h->page = contains_word(value, "html") || contains_word(value, "xml");
}

static void tell_field(struct reader *r, const struct head *h, struct cursor name, struct cursor value)
{
	if (h->request) {
		if (is_word(name, "User-Agent"))
			tell(r, SENDER, NULL, ATTR_SOFTWARE, value);
		else if (is_word(name, "Host"))
			tell_host(r, value);
		else if (is_word(name, "Authorization") || is_word(name, "Proxy-Authorization"))
			tell_ntlm(r, h, value);
	} else if (is_word(name, "Server")) {
		tell(r, SENDER, NULL, ATTR_SOFTWARE, value);
	} else if (is_word(name, "X-Powered-By")) {
		tell_format(r, SENDER, NULL, ATTR_DESCRIPTION, "powered by %.*s", (int)cursor_left(&value),
			    (const char *)value.at);
	} else if (is_word(name, "WWW-Authenticate") || is_word(name, "Proxy-Authenticate")) {
		tell_realm(r, value);
		tell_ntlm(r, h, value);
	}
}

static void read_fields(struct reader *r, struct head *h, struct cursor fields)
{
	for (;;) {
		struct cursor line = cursor_line(&fields), name;
		ptrdiff_t colon = cursor_ok(&line) ? cursor_find(&line, ':') : -1;

		if (!cursor_ok(&line) || cursor_left(&line) == 0)
			return;
		if (colon <= 0)
			continue;
		name = cursor_take(&line, (size_t)colon);
		cursor_skip(&line, 1);
		while (line.at < line.end && (*line.at == ' ' || *line.at == '\t'))
			line.at++;
		while (line.end > line.at && (line.end[-1] == ' ' || line.end[-1] == '\t'))
			line.end--;
		h->fields = true;
		read_framing(h, name, line);
		tell_field(r, h, name, line);
	}
}

static void note_request(struct http_memo *m, const struct head *h)
{
	if (m->asked >= ASKED_MAX)
		m->asked = 0;
	if (m->asked == 0)
		m->heads = m->tunnels = 0;
	m->heads |= (uint32_t)h->is_head << m->asked;
	m->tunnels |= (uint32_t)h->is_connect << m->asked;
	m->asked++;
}

/* Gives the answered request's kind to the head of its answer. */
static void match_response(struct http_memo *m, struct head *h)
{
	if (m->asked == 0)
		return;
	h->is_head = m->heads & 1;
	h->is_connect = m->tunnels & 1;
	if (h->status < STATUS_OK && h->status != STATUS_SWITCHING)
		return;
	m->heads >>= 1;
	m->tunnels >>= 1;
	m->asked--;
}

static void expect_body(struct reader *r, struct http_memo *m, const struct head *h)
{
	struct half *half = &m->half[r->direction];

	*half = (struct half){ .state = AT_HEAD, .fresh = true };
	if (!h->request) {
		if (h->status == STATUS_SWITCHING || (h->is_connect && h->status / 100 == 2)) {
			if (h->is_connect)
				tell_text(r, SENDER, NULL, ATTR_ROLE, "http-proxy");
			m->half[0].state = m->half[1].state = IN_TUNNEL;
			return;
		}
		if (h->is_head || h->status < STATUS_OK || h->status == STATUS_NO_CONTENT ||
		    h->status == STATUS_NOT_MODIFIED)
			return;
	}
	half->look = h->page && !h->encoded && h->status == STATUS_OK ? LOOK_BYTES : 0;
	half->left = h->length;
	if (h->chunked)
		half->state = AT_CHUNK_SIZE;
	else if (h->has_length)
		half->state = h->length ? AT_BODY : AT_HEAD;
	else if (!h->request)
		half->state = UNTIL_CLOSE;
}

static uint8_t role(const struct reader *r, const struct http_memo *m)
{
	return m->client == r->direction + 1 ? ROLE_CLIENT : ROLE_SERVER;
}

/* Is it worth to wait for the rest of what begins here? */
static bool may_begin(const struct cursor *c)
{
	return memcmp(c->at, "HTTP/1.", cursor_left(c) < 7 ? cursor_left(c) : 7) == 0 || begins_method(c);
}

static enum verdict read_head(struct reader *r, struct http_memo *m)
{
	struct cursor c = r->bytes, line;
	struct head h = { 0 };
	size_t len;

	while (cursor_left(&c) >= 2 && c.at[0] == '\r' && c.at[1] == '\n')
		cursor_skip(&c, 2);
	if (cursor_left(&c) == 0)
		return NOT_MINE;
	r->bytes.at = c.at;
	line = cursor_line(&c);
	if (!cursor_ok(&line))
		return may_begin(&c) && cursor_left(&c) < LINE_BYTES ? NEED_MORE : NOT_MINE;
	if (!read_status_line(line, &h) && !read_request_line(line, &h))
		return NOT_MINE;
	len = head_length(&r->bytes);
	if (len == 0 && r->truncated) /* of a head that the capture cut, the lines that are whole */
		len = cursor_left(&r->bytes);
	if (len == 0)
		return cursor_left(&r->bytes) < HEAD_BYTES ? NEED_MORE : NOT_MINE;
	r->bytes.at += len;
	read_fields(r, &h, cursor_over(c.at, (size_t)(r->bytes.at - c.at)));
	/* A lone status line that nobody asked for and that says nothing may be anybody's. */
	if (!h.request && !h.fields && !m->client)
		return MAYBE;
	if (h.request)
		note_request(m, &h);
	else
		match_response(m, &h);
	m->client = (uint8_t)((h.request ? r->direction : !r->direction) + 1);
	expect_body(r, m, &h);
	r->sender_role = role(r, m);
	return MINE;
}

/* The text of the first element of that name, whatever its namespace's prefix; a bad cursor without one. */
static struct cursor element_text(struct cursor c, const char *name)
{
	size_t len = strlen(name);
	ptrdiff_t open, end;

	while ((open = cursor_find(&c, '<')) >= 0) {
		cursor_skip(&c, (size_t)open + 1);
		end = cursor_find(&c, '>');
		if (end < 0)
			break;
		struct cursor tag = cursor_take(&c, (size_t)end);
		ptrdiff_t prefix = cursor_find(&tag, ':');

		if (prefix > 0 && prefix < 16 && memchr(tag.at, ' ', (size_t)prefix) == NULL)
			cursor_skip(&tag, (size_t)prefix + 1);
		cursor_skip(&c, 1);
		end = cursor_find(&c, '<');
		if (end > 0 && cursor_left(&tag) >= len && strncasecmp((const char *)tag.at, name, len) == 0 &&
		    (cursor_left(&tag) == len || tag.at[len] == ' '))
			return cursor_take(&c, (size_t)end);
	}
	cursor_fail(&c);
	return c;
}

/* A page's title goes over lines; the picture's values don't. */
static void tell_element(struct reader *r, struct cursor page, const char *name, enum attribute a)
{
	struct cursor text = element_text(page, name);
	char line[FINDING_VALUE_BYTES];
	size_t n = 0;

	for (; cursor_left(&text) && n < sizeof line; text.at++) {
		bool blank = *text.at == '\r' || *text.at == '\n' || *text.at == '\t' || *text.at == ' ';

		if (!blank)
			line[n++] = (char)*text.at;
		else if (n && line[n - 1] != ' ')
			line[n++] = ' ';
	}
	tell(r, SENDER, NULL, a, cursor_over(line, n));
}

/* UPnP's device description and ONVIF's answer to GetDeviceInformation, whoever asked for them. */
static void look_into(struct reader *r, struct cursor page)
{
	static const struct { const char *name; enum attribute attribute; } device[] = {
		{ "manufacturer", ATTR_VENDOR }, { "modelName", ATTR_PRODUCT }, { "Model", ATTR_PRODUCT },
		{ "modelNumber", ATTR_ORDER_CODE }, { "serialNumber", ATTR_SERIAL }, { "friendlyName", ATTR_NAME },
		{ "FirmwareVersion", ATTR_FIRMWARE }, { "HardwareId", ATTR_HARDWARE },
	};

	if (!contains_word(page, "urn:schemas-upnp-org:device") && !contains_word(page, "GetDeviceInformationResponse")) {
		tell_element(r, page, "title", ATTR_DESCRIPTION);
		return;
	}
	for (size_t i = 0; i < sizeof device / sizeof *device; i++)
		tell_element(r, page, device[i].name, device[i].attribute);
}

/* Takes what is there of `left` bytes; waits for those of them that are worth a look. */
static enum verdict read_part(struct reader *r, struct http_memo *m, struct half *half, uint8_t next)
{
	size_t n = cursor_left(&r->bytes) < half->left ? cursor_left(&r->bytes) : (size_t)half->left;
	size_t look = half->look < half->left ? half->look : (size_t)half->left;

	if (look) {
		if (n < look)
			return NEED_MORE;
		look_into(r, cursor_over(r->bytes.at, look));
		half->look = (uint16_t)(half->look - look);
	}
	cursor_skip(&r->bytes, n);
	half->left -= n;
	half->fresh = false;
	if (half->left == 0)
		half->state = next;
	r->sender_role = role(r, m);
	return MINE;
}

static enum verdict read_chunk_size(struct reader *r, struct http_memo *m, struct half *half)
{
	struct cursor c = r->bytes, line = cursor_line(&c);
	uint64_t size = 0;
	int digits = 0;

	if (!cursor_ok(&line))
		return cursor_left(&c) < CHUNK_LINE_BYTES ? NEED_MORE : NOT_MINE;
	for (; cursor_left(&line) && digits < 15; digits++, line.at++) {
		uint8_t b = *line.at, lower = b | 0x20;

		if (b >= '0' && b <= '9')
			size = size << 4 | (uint64_t)(b - '0');
		else if (lower >= 'a' && lower <= 'f')
			size = size << 4 | (uint64_t)(lower - 'a' + 10);
		else
			break;
	}
	if (digits == 0) {
		*half = (struct half){ .state = AT_HEAD };
		return NOT_MINE;
	}
	r->bytes = c;
	half->left = size + 2; /* the line end behind the chunk */
	half->state = size ? AT_CHUNK : AT_TRAILER;
	r->sender_role = role(r, m);
	return MINE;
}

static enum verdict read_trailer(struct reader *r, struct http_memo *m, struct half *half)
{
	struct cursor line = cursor_line(&r->bytes);

	if (!cursor_ok(&line)) {
		if (cursor_left(&r->bytes) < LINE_BYTES)
			return NEED_MORE;
		half->state = AT_HEAD;
		return NOT_MINE;
	}
	if (cursor_left(&line) == 0)
		half->state = AT_HEAD;
	r->sender_role = role(r, m);
	return MINE;
}

static enum verdict read_endless(struct reader *r, struct http_memo *m, struct half *half)
{
	size_t look = cursor_left(&r->bytes) < half->look ? cursor_left(&r->bytes) : half->look;

	look_into(r, cursor_over(r->bytes.at, look));
	half->look = (uint16_t)(half->look - look);
	half->fresh = false;
	cursor_rest(&r->bytes);
	r->sender_role = role(r, m);
	return MINE;
}

/* After lost bytes nobody knows where a body ends; a new head is known when it comes. */
static void lose_place(struct reader *r, struct http_memo *m, struct half *half)
{
	m->asked = 0;
	if (half->state == IN_TUNNEL || (half->state == UNTIL_CLOSE && !starts_response(&r->bytes)))
		return;
	*half = (struct half){ .state = AT_HEAD };
}

static enum verdict read_http(struct reader *r)
{
	struct http_memo *m = r->memo;
	struct half *half = &m->half[r->direction];

	if (cursor_left(&r->bytes) == 0)
		return NEED_MORE;
	if (r->gap)
		lose_place(r, m, half);
	/* Where a body should begin and a response does: it answered a HEAD that wasn't heard. */
	if (half->fresh && half->state != AT_HEAD && half->state != IN_TUNNEL && starts_response(&r->bytes))
		half->state = AT_HEAD;
	switch (half->state) {
	case AT_BODY:
		return read_part(r, m, half, AT_HEAD);
	case AT_CHUNK:
		return read_part(r, m, half, AT_CHUNK_SIZE);
	case AT_CHUNK_SIZE:
		return read_chunk_size(r, m, half);
	case AT_TRAILER:
		return read_trailer(r, m, half);
	case UNTIL_CLOSE:
		return read_endless(r, m, half);
	case IN_TUNNEL: /* another protocol: somebody else's */
		return NOT_MINE;
	}
	return read_head(r, m);
}

/* The rest of a body that nobody looks into. */
static bool glance_http(struct glance *g, void *memo)
{
	struct http_memo *m = memo;
	struct half *half = &m->half[g->direction];
	size_t n = cursor_left(&g->bytes);

	if (half->fresh || half->look || (half->state != AT_BODY && half->state != AT_CHUNK && half->state != UNTIL_CLOSE))
		return false;
	if (half->state == UNTIL_CLOSE) {
		(void)cursor_rest(&g->bytes);
		return true;
	}
	/* With its last byte the next thing begins. */
	if (n >= half->left)
		return false;
	cursor_skip(&g->bytes, n);
	half->left -= n;
	return true;
}

const struct classifier classifier_http = {
	.name = "http",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { 80, 8080, 8000, 8008, 8081, 5357, 631, 7547 },
	.max_message = HEAD_BYTES,
	.read = read_http,
	.glance = glance_http,
};
