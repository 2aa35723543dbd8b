/*
 * CoAP: constrained devices, their resources, and what LwM2M and OCF clients say of themselves.
 *
 * RFC 7252 sections 3 and 5.10, RFC 6690 (link format), RFC 7959 (blocks); OMA LwM2M 1.0 section 8.2.3
 * (registration); OCF core 2.2 section 6 (/oic/d, /oic/p) in CBOR (RFC 8949).
 *
 *	 0                    1      2            4
 *	+--+----+------------+------+------------+-------+-------------------------+------------
 *	|01|type|token length| code | message id | token | {delta:length, value} ..| FF payload
 *	+--+----+------------+------+------------+-------+-------------------------+------------
 */
#include "classifiers/api/role.h"

#include <string.h>

enum {
	COAP_PORT = 5683,
	TOKEN_MAX = 8,
	PENDING = 4,
	CBOR_DEPTH = 4,
};

enum type { CON, NON, ACK, RST };
enum { GET = 1, POST = 2, LAST_METHOD = 7, CONTENT = 0x45 };
enum { URI_HOST = 3, URI_PATH = 11, CONTENT_FORMAT = 12, URI_QUERY = 15, LAST_OPTION = 2053 };
enum { FORMAT_LINKS = 40, FORMAT_CBOR = 60, FORMAT_OCF = 10000 };

struct request {
	uint16_t id;
	uint16_t token;     /* its first two bytes, or fewer */
	uint8_t direction;  /* 1 + that of the asker, 0 free */
};

struct memo {
	struct request pending[PENDING];
	uint8_t next;
	uint8_t server;     /* 1 + its direction, 0 unknown */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint8_t type, code;
	uint16_t id, token;
	uint16_t format;      /* of content, 0xffff without */
	struct cursor path;   /* first segment of the path, empty without */
	struct cursor last;   /* its last one */
	struct cursor queries;/* all options from the first query on */
	struct cursor host;
	struct cursor payload;
	bool queried;
};

/* A nibble of an option, extended by one or two bytes; 15 is no length. */
static uint32_t take_extended(struct cursor *c, uint8_t nibble)
{
	if (nibble == 13)
		return 13u + cursor_u8(c);
	if (nibble == 14)
		return 269u + cursor_u16be(c);
	if (nibble == 15)
		cursor_fail(c);
	return nibble;
}

static void note_option(struct message *m, uint32_t number, struct cursor value, struct cursor from)
{
	struct cursor v = value;

	switch (number) {
	case URI_HOST:
		m->host = value;
		break;
	case URI_PATH:
		if (!cursor_left(&m->path))
			m->path = value;
		m->last = value;
		break;
	case URI_QUERY:
		if (!m->queried)
			m->queries = from;
		m->queried = true;
		break;
	case CONTENT_FORMAT:
		m->format = (uint16_t)cursor_be(&v, cursor_left(&v) <= 2 ? cursor_left(&v) : 2);
		break;
	default:
		break;
	}
}

/* Walks the options to the end or to the payload; false when they are none. */
static bool read_options(struct cursor c, struct message *m)
{
	uint32_t number = 0;

	while (cursor_left(&c)) {
		struct cursor from = c, value;
		uint8_t first = cursor_u8(&c);

		if (first == 0xff) {
			m->payload = c;
			return cursor_left(&c) > 0;
		}
		number += take_extended(&c, first >> 4);
		value = cursor_take(&c, take_extended(&c, first & 15));
		if (!cursor_ok(&c) || number > LAST_OPTION || number == 0 || cursor_left(&value) > 1034)
			return false;
		note_option(m, number, value, from);
	}
	return cursor_ok(&c);
}

static bool known_code(uint8_t code)
{
	uint8_t class = code >> 5, detail = code & 31;

	return class == 0 ? detail <= LAST_METHOD : class == 2 ? (detail >= 1 && detail <= 5) || detail == 31
						  : (class == 4 && detail <= 29) || (class == 5 && detail <= 8);
}

static bool read_message(struct cursor c, struct message *m)
{
	uint8_t first = cursor_u8(&c), token_bytes = first & 15;
	struct cursor token;

	m->type = first >> 4 & 3;
	m->code = cursor_u8(&c);
	m->id = cursor_u16be(&c);
	token = cursor_take(&c, token_bytes);
	if (!cursor_ok(&c) || first >> 6 != 1 || token_bytes > TOKEN_MAX || !known_code(m->code))
		return false;
	m->token = (uint16_t)cursor_be(&token, token_bytes < 2 ? token_bytes : 2);
	m->format = 0xffff;
	m->path = m->last = m->queries = m->host = m->payload = cursor_over(c.at, 0);
	if (m->code == 0) /* an empty acknowledgement, reset or ping */
		return m->type != NON && token_bytes == 0 && cursor_left(&c) == 0;
	if (m->type == RST || (m->type == ACK && m->code <= LAST_METHOD))
		return false;
	return read_options(c, m);
}

static void remember(struct memo *memo, const struct message *m, uint8_t direction)
{
	memo->pending[memo->next] = (struct request){ m->id, m->token, (uint8_t)(1 + direction) };
	memo->next = (uint8_t)((memo->next + 1) % PENDING);
}

static bool answers_pending(const struct memo *memo, const struct message *m, uint8_t direction)
{
	for (int i = 0; i < PENDING; i++) {
		const struct request *p = &memo->pending[i];

		/* Without a token, the message's id must be that of the question. */
		if (p->direction == 1 + !direction && p->token == m->token && (p->id == m->id || (m->type != ACK && m->token)))
			return true;
	}
	return false;
}

static bool is_word(struct cursor c, const char *word)
{
	return cursor_left(&c) == strlen(word) && cursor_starts(&c, word, strlen(word));
}

/* Paths that only CoAP's own standards use. */
static bool known_path(const struct message *m)
{
	return (is_word(m->path, ".well-known") && is_word(m->last, "core")) || is_word(m->path, "oic") || is_word(m->path, "rd");
}

static bool is_text(struct cursor c)
{
	while (cursor_left(&c))
		if (cursor_u8(&c) < 0x20)
			return false;
	return true;
}

/* A few bits say version 1; a known path, or an answer to a question with the same token, decides. */
static enum verdict decide(const struct reader *r, struct memo *memo, const struct message *m)
{
	bool request = m->code >= GET && m->code <= LAST_METHOD;
	uint16_t server_port = request ? r->receiver_port : r->sender_port;

	if (request && known_path(m))
		return MINE;
	if (!request && m->code && answers_pending(memo, m, r->direction))
		return MINE;
	if (!is_text(m->path))
		return NOT_MINE;
	if (request)
		remember(memo, m, r->direction);
	if (server_port != COAP_PORT)
		return request && cursor_left(&m->path) ? MAYBE : NOT_MINE;
	/* On the usual port a request with a path, or content with its format, is enough. */
	return (request && cursor_left(&m->path)) || (m->code == CONTENT && m->format != 0xffff) ? MINE : MAYBE;
}

/* LwM2M and resource directories: POST /rd?ep=NAME. */
static void read_registration(struct reader *r, const struct message *m)
{
	struct cursor c = m->queries;

	while (cursor_left(&c)) {
		uint8_t first = cursor_u8(&c);
		struct cursor value;

		if (first == 0xff)
			return;
		(void)take_extended(&c, first >> 4); /* which option it is: the names tell */
		value = cursor_take(&c, take_extended(&c, first & 15));
		if (cursor_starts(&value, "ep=", 3)) {
			cursor_skip(&value, 3);
			tell(r, SENDER, NULL, ATTR_NAME, value);
		} else if (cursor_starts(&value, "lwm2m=", 6)) {
			tell_text(r, SENDER, NULL, ATTR_ROLE, "lwm2m client");
		}
	}
}

/* </path>;rt="..";title="..": the titles and resource types of what a device offers. */
static void read_links(struct reader *r, struct cursor c)
{
	static const char key[] = ";title=\"";

	while (cursor_left(&c) > sizeof key) {
		ptrdiff_t n = cursor_find(&c, ';'), end;

		if (n < 0)
			return;
		cursor_skip(&c, (size_t)n);
		if (!cursor_starts(&c, key, sizeof key - 1)) {
			cursor_skip(&c, 1);
			continue;
		}
		cursor_skip(&c, sizeof key - 1);
		end = cursor_find(&c, '"');
		if (end < 0)
			return;
		tell(r, SENDER, NULL, ATTR_DESCRIPTION, cursor_take(&c, (size_t)end));
	}
}

/* Head of a CBOR item: its major type, its number; one of open length has the number ~0. */
static uint8_t take_head(struct cursor *c, uint64_t *number)
{
	uint8_t first = cursor_u8(c), small = first & 31;

	if (small < 24)
		*number = small;
	else if (small < 28)
		*number = cursor_be(c, (size_t)1 << (small - 24));
	else if (small == 31)
		*number = UINT64_MAX;
	else
		cursor_fail(c);
	return first >> 5;
}

static enum attribute ocf_attribute(struct cursor key)
{
	static const struct {
		const char *key;
		enum attribute a;
	} keys[] = {
		{ "n", ATTR_NAME }, { "di", ATTR_SERIAL }, { "mnmn", ATTR_VENDOR }, { "mnmo", ATTR_PRODUCT }, { "mnfv", ATTR_FIRMWARE },
		{ "mnhw", ATTR_HARDWARE }, { "mnos", ATTR_OS }, { "mnsl", ATTR_URI },
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (is_word(key, keys[i].key))
			return keys[i].a;
	return ATTR_NONE;
}

/* The text keys of a map (/oic/d, /oic/p answer with one): text values that are known are told. */
static void read_cbor_map(struct reader *r, struct cursor c)
{
	uint64_t pairs, n;
	uint8_t major = take_head(&c, &pairs);

	if (major != 5)
		return;
	while (pairs-- && cursor_left(&c)) {
		struct cursor key, value;

		if (take_head(&c, &n) != 3 || n > cursor_left(&c))
			return;
		key = cursor_take(&c, (size_t)n);
		major = take_head(&c, &n);
		if (major == 4 && n != UINT64_MAX && n <= CBOR_DEPTH) { /* an array of texts, as rt and if have */
			for (uint64_t i = n; i && cursor_ok(&c); i--) {
				if (take_head(&c, &n) != 3 || n > cursor_left(&c))
					return;
				cursor_skip(&c, (size_t)n);
			}
			continue;
		}
		if ((major != 2 && major != 3) || n > cursor_left(&c))
			return;
		value = cursor_take(&c, (size_t)n);
		if (major == 3 && ocf_attribute(key) != ATTR_NONE)
			tell(r, SENDER, NULL, ocf_attribute(key), value);
	}
}

static void read_content(struct reader *r, const struct message *m)
{
	if (m->code != CONTENT)
		return;
	if (m->format == FORMAT_LINKS)
		read_links(r, m->payload);
	else if (m->format == FORMAT_CBOR || m->format == FORMAT_OCF)
		read_cbor_map(r, m->payload);
}

static enum verdict read_coap(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m = { 0 };
	bool request;
	enum verdict v;

	if (!read_message(r->bytes, &m))
		return NOT_MINE;
	request = m.code >= GET && m.code <= LAST_METHOD;
	if (!memo->mine) {
		v = decide(r, memo, &m);
		if (v != MINE)
			return v;
		memo->mine = true;
	}
	if (m.code) {
		r->sender_role = request ? ROLE_CLIENT : ROLE_SERVER;
		memo->server = (uint8_t)(1 + (request ? !r->direction : r->direction));
	} else { /* an acknowledgement without a word */
		r->sender_role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	}
	if (request && m.code == POST && is_word(m.path, "rd"))
		read_registration(r, &m);
	else if (!request)
		read_content(r, &m);
	return MINE;
}

const struct classifier classifier_coap = {
	.name = "coap",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { COAP_PORT },
	.read = read_coap,
};
