/*
 * OPC UA binary (OPC 10000-6, clauses 5.2, 6 and 7): what servers and clients say of themselves.
 *
 * Message chunk (clause 6.7.2), all in little-endian order:
 *
 *   type (3) | F, C or A | size (4) | HEL ACK ERR RHE: fields
 *                                   | OPN: channel (4) | policy | certificate | thumbprint | sequence (4) | request (4) | body
 *                                   | MSG, CLO: channel (4) | token (4) | sequence (4) | request (4) | body
 *
 * A body begins with the NodeId of its service. Encrypted bodies show none of those known here and
 * are passed over by their size alone. Only services that tell an identity are waited for and put
 * together from their chunks, as far as MAX_MESSAGE bytes hold them.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/x509.h"
#include "classifiers/ics/opcua_binary.h"

#include <stdio.h>

enum {
	OPCUA_PORT = 4840,
	MAX_MESSAGE = 16384,
	CHUNK_HEADER_BYTES = 8,
	ACK_BYTES = 28,
	HELLO_BYTES = 32,
	ERROR_BYTES = 16,
	SECURED_BYTES = 24,       /* of MSG and CLO, before the body */
	URL_MAX_BYTES = 4096,     /* clause 7.1.2.3 */
	CHUNK_MAX_BYTES = 1 << 26,
	ATTRIBUTE_VALUE = 13,
	READ_NODES = 16,
	PRODUCT_URI = 60,         /* confidence, per cent */
};

/* NodeIds of binary encodings (OPC 10000-6 annex A). */
enum service {
	FIND_SERVERS_REQUEST = 422, FIND_SERVERS_RESPONSE = 425, GET_ENDPOINTS_REQUEST = 428, GET_ENDPOINTS_RESPONSE = 431,
	REGISTER_SERVER_REQUEST = 437, REGISTER_SERVER_RESPONSE = 440, OPEN_REQUEST = 446, OPEN_RESPONSE = 449,
	CREATE_SESSION_REQUEST = 461, CREATE_SESSION_RESPONSE = 464, READ_REQUEST = 631, READ_RESPONSE = 634,
	PUBLISH_REQUEST = 826, PUBLISH_RESPONSE = 829, REGISTER_SERVER2_REQUEST = 12211, REGISTER_SERVER2_RESPONSE = 12212,
};
enum { BUILD_INFO = 340, SERVER_STATUS = 864 };

/* Nodes of the server object whose values are kept; the order numbers them in the memo. */
enum { NODE_NONE, NODE_SERVER_ARRAY, NODE_PRODUCT_NAME, NODE_MANUFACTURER, NODE_SOFTWARE_VERSION };

enum variant_type { TYPE_STRING = 12, TYPE_EXTENSION = 22, VARIANT_TYPE_BITS = 0x3f, VARIANT_DIMENSIONS = 0x40, VARIANT_ARRAY = 0x80 };
enum application_type { APPLICATION_DISCOVERY = 3, APPLICATION_TYPES };

struct opcua_memo {
	uint64_t read_nodes;   /* four bits for each node of the last Read request */
	uint32_t read_request; /* its number, 0 for none */
	uint32_t skip[2];      /* by direction: bytes of a chunk still to come that nobody wants */
	uint8_t server;        /* 1 + direction of the server, 0 while unknown */
};

_Static_assert(sizeof(struct opcua_memo) <= MEMO_BYTES, "the memo has 64 bytes");

struct chunk {
	char type[3];
	uint8_t kind;
	uint32_t size;
};

struct application {
	struct cursor uri;
	struct cursor product;
	struct cursor name;
	uint32_t type;
};

static void tell_subject(struct reader *r, struct cursor der)
{
	char text[FINDING_VALUE_BYTES];
	struct x509 x;

	if (cursor_left(&der) && x509_read(der, &x))
		tell(r, SENDER, NULL, ATTR_CERTIFICATE, cursor_over(text, x509_name_text(x.subject, text, sizeof text)));
}

static void read_application(struct cursor *c, struct application *a)
{
	a->uri = ua_take_string(c);
	a->product = ua_take_string(c);
	a->name = ua_take_localized(c);
	a->type = cursor_u32le(c);
	(void)ua_take_string(c);
	(void)ua_take_string(c);
	ua_skip_strings(c);
	if (a->type >= APPLICATION_TYPES)
		cursor_fail(c);
}

/* The product's URI stands for its name and gives way to the one that BuildInfo tells. */
static void tell_application(struct reader *r, const char *path, const struct application *a)
{
	uint16_t at;

	tell(r, SENDER, path, ATTR_URI, a->uri);
	at = r->told->count;
	tell(r, SENDER, path, ATTR_PRODUCT, a->product);
	if (r->told->count > at)
		r->told->items[at].confidence = PRODUCT_URI;
	tell(r, SENDER, path, ATTR_NAME, a->name);
	if (a->type == APPLICATION_DISCOVERY)
		tell_text(r, SENDER, path, ATTR_ROLE, "discovery server");
}

/* The server's name out of opc.tcp://name:port/path; numbers and "localhost" name nobody. */
static void tell_host(struct reader *r, struct cursor url)
{
	static const char scheme[] = "opc.tcp://";
	struct cursor host;
	bool letter = false;

	if (!cursor_starts(&url, scheme, sizeof scheme - 1))
		return;
	cursor_skip(&url, sizeof scheme - 1);
	host = cursor_take(&url, 0);
	while (cursor_left(&url) && *url.at != ':' && *url.at != '/' && *url.at != '[') {
		uint8_t byte = cursor_u8(&url);

		letter |= (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
		host.end++;
	}
	if (letter && !(cursor_left(&host) == 9 && memcmp(host.at, "localhost", 9) == 0))
		tell(r, SENDER, NULL, ATTR_HOSTNAME, host);
}

/* The server's own endpoints: all of one application, mostly with one certificate. */
static void read_endpoints(struct reader *r, struct cursor *c)
{
	bool told = false;

	for (uint32_t n = ua_take_count(c); n && cursor_ok(c); n--) {
		struct application a;
		struct cursor url = ua_take_string(c), certificate;

		read_application(c, &a);
		if (!told) {
			tell_application(r, NULL, &a);
			tell_host(r, url);
		}
		certificate = ua_take_string(c);
		if (!told)
			tell_subject(r, certificate);
		told = true;
		cursor_skip(c, 4);
		(void)ua_take_string(c);
		for (uint32_t tokens = ua_take_count(c); tokens && cursor_ok(c); tokens--) {
			(void)ua_take_string(c);
			cursor_skip(c, 4);
			for (int i = 0; i < 3; i++)
				(void)ua_take_string(c);
		}
		(void)ua_take_string(c);
		cursor_skip(c, 1);
	}
}

/* Names the entry of a discovery server's list by its URI, cut and without what a path may not hold. */
static void name_entry(const struct reader *r, struct cursor uri, char path[FINDING_PATH_BYTES])
{
	size_t n = (size_t)snprintf(path, FINDING_PATH_BYTES, "opcua/%u/server:", r->sender_port);

	while (cursor_left(&uri) && n + 1 < FINDING_PATH_BYTES) {
		uint8_t byte = cursor_u8(&uri);

		path[n++] = byte > ' ' && byte < 127 && byte != '"' && byte != '\'' && byte != '\\' ? (char)byte : '_';
	}
	path[n] = 0;
}

/* A list of one is the server itself; in a longer one those are others that are no discovery servers. */
static void read_servers(struct reader *r, struct cursor *c)
{
	uint32_t count = ua_take_count(c);

	for (uint32_t i = 0; i < count && cursor_ok(c); i++) {
		char path[FINDING_PATH_BYTES] = "";
		struct application a;

		read_application(c, &a);
		if (!cursor_ok(c) || cursor_left(&a.uri) == 0)
			continue;
		if (count > 1 && a.type != APPLICATION_DISCOVERY) {
			name_entry(r, a.uri, path);
			tell_subasset(r, SENDER, path);
		}
		tell_application(r, path, &a);
	}
}

/* A server that announces itself to a discovery server. */
static void read_registration(struct reader *r, struct cursor *c)
{
	struct application a = { 0 };

	a.uri = ua_take_string(c);
	a.product = ua_take_string(c);
	a.name = ua_take_count(c) ? ua_take_localized(c) : cursor_take(c, 0);
	tell_application(r, NULL, &a);
}

static void read_session_request(struct reader *r, struct cursor *c)
{
	struct application a;

	read_application(c, &a);
	tell_application(r, NULL, &a);
	for (int i = 0; i < 4; i++)
		(void)ua_take_string(c);
	tell_subject(r, ua_take_string(c));
}

static void read_session_response(struct reader *r, struct cursor *c)
{
	(void)ua_take_node(c);
	(void)ua_take_node(c);
	cursor_skip(c, 8);
	(void)ua_take_string(c);
	(void)ua_take_string(c);
	read_endpoints(r, c);
}

static uint64_t node_code(uint32_t id)
{
	switch (id) {
	case 2254: return NODE_SERVER_ARRAY;
	case 2261: return NODE_PRODUCT_NAME;
	case 2263: return NODE_MANUFACTURER;
	case 2264: return NODE_SOFTWARE_VERSION;
	default: return NODE_NONE;
	}
}

/* Keeps in mind which answers will be worth a look. */
static void read_read_request(struct opcua_memo *m, uint32_t request, struct cursor *c)
{
	uint64_t nodes = 0;
	uint32_t count;

	cursor_skip(c, 12);
	count = ua_take_count(c);
	for (uint32_t i = 0; i < count && i < READ_NODES; i++) {
		uint64_t code = node_code(ua_take_node(c));

		if (cursor_u32le(c) != ATTRIBUTE_VALUE)
			code = NODE_NONE;
		(void)ua_take_string(c);
		cursor_skip(c, 2);
		(void)ua_take_string(c);
		nodes |= cursor_ok(c) ? code << 4 * i : 0;
	}
	m->read_nodes = nodes;
	m->read_request = nodes ? request : 0;
}

static void read_build_info(struct reader *r, struct cursor c)
{
	struct cursor maker, product, version;

	(void)ua_take_string(&c);
	maker = ua_take_string(&c);
	product = ua_take_string(&c);
	version = ua_take_string(&c);
	tell(r, SENDER, NULL, ATTR_VENDOR, maker);
	tell(r, SENDER, NULL, ATTR_PRODUCT, product);
	tell(r, SENDER, NULL, ATTR_SOFTWARE, version);
}

static void tell_node(struct reader *r, uint64_t code, struct cursor text)
{
	static const enum attribute attributes[] = { ATTR_NONE, ATTR_URI, ATTR_PRODUCT, ATTR_VENDOR, ATTR_SOFTWARE };

	if (code != NODE_NONE && code < sizeof attributes / sizeof *attributes)
		tell(r, SENDER, NULL, attributes[code], text);
}

/* One value of a variant (clause 5.2.2.16). Marks the cursor for the kinds that hold further variants. */
static void read_scalar(struct reader *r, uint8_t type, uint64_t code, struct cursor *c)
{
	static const uint8_t bytes[] = { 0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0, 8, 16, 0, 0, 0, 0, 4 };
	struct cursor contents;
	uint32_t kind;

	switch (type) {
	case TYPE_STRING: tell_node(r, code, ua_take_string(c)); break;
	case 15:
	case 16: (void)ua_take_string(c); break;
	case 17:
	case 18: (void)ua_take_node(c); break;
	case 20: cursor_skip(c, 2); (void)ua_take_string(c); break;
	case 21: (void)ua_take_localized(c); break;
	case TYPE_EXTENSION:
		kind = ua_take_extension(c, &contents);
		if (kind == SERVER_STATUS)
			cursor_skip(&contents, 20);
		if (kind == BUILD_INFO || kind == SERVER_STATUS)
			read_build_info(r, contents);
		break;
	default:
		if (type < sizeof bytes)
			cursor_skip(c, bytes[type]);
		else
			cursor_fail(c);
	}
}

static void read_variant(struct reader *r, uint64_t code, struct cursor *c)
{
	uint8_t mask = cursor_u8(c), type = mask & VARIANT_TYPE_BITS;

	if (!(mask & VARIANT_ARRAY)) {
		read_scalar(r, type, code == NODE_SERVER_ARRAY ? NODE_NONE : code, c);
		return;
	}
	/* Of an array only the first counts: the server array's is the server itself. */
	for (uint32_t n = ua_take_count(c), i = 0; i < n && cursor_ok(c); i++)
		read_scalar(r, type, i == 0 && code == NODE_SERVER_ARRAY ? code : NODE_NONE, c);
	if (mask & VARIANT_DIMENSIONS)
		for (uint32_t n = ua_take_count(c); n && cursor_ok(c); n--)
			cursor_skip(c, 4);
}

/* Data values (clause 5.2.2.17) in the order of the request. */
static void read_read_response(struct reader *r, struct opcua_memo *m, uint32_t request, struct cursor *c)
{
	uint64_t nodes = m->read_request == request ? m->read_nodes : 0;
	uint32_t count = ua_take_count(c);

	for (uint32_t i = 0; i < count && cursor_ok(c); i++) {
		uint8_t mask = cursor_u8(c);

		if (mask & 0x01)
			read_variant(r, i < READ_NODES ? nodes >> 4 * i & 15 : NODE_NONE, c);
		cursor_skip(c, (mask & 0x02 ? 4u : 0) + (mask & 0x04 ? 8u : 0) + (mask & 0x10 ? 2u : 0) + (mask & 0x08 ? 8u : 0) +
				       (mask & 0x20 ? 2u : 0));
	}
}

static bool is_request(uint32_t service)
{
	return service == FIND_SERVERS_REQUEST || service == GET_ENDPOINTS_REQUEST || service == REGISTER_SERVER_REQUEST ||
	       service == OPEN_REQUEST || service == CREATE_SESSION_REQUEST || service == READ_REQUEST ||
	       service == PUBLISH_REQUEST || service == REGISTER_SERVER2_REQUEST;
}

static bool is_response(uint32_t service)
{
	return service == FIND_SERVERS_RESPONSE || service == GET_ENDPOINTS_RESPONSE || service == REGISTER_SERVER_RESPONSE ||
	       service == OPEN_RESPONSE || service == CREATE_SESSION_RESPONSE || service == READ_RESPONSE ||
	       service == PUBLISH_RESPONSE || service == REGISTER_SERVER2_RESPONSE;
}

static bool tells_identity(uint32_t service)
{
	return service == FIND_SERVERS_RESPONSE || service == GET_ENDPOINTS_RESPONSE || service == REGISTER_SERVER_REQUEST ||
	       service == CREATE_SESSION_REQUEST || service == CREATE_SESSION_RESPONSE || service == READ_REQUEST ||
	       service == READ_RESPONSE || service == REGISTER_SERVER2_REQUEST;
}

static void learn_server(const struct reader *r, struct opcua_memo *m, bool sender)
{
	if (!m->server)
		m->server = (uint8_t)(sender ? 1 + r->direction : 2 - r->direction);
}

/*
 * Who serves is a matter of the connection (a server may dial its client, clause 7.1.3), then of what
 * the messages are, then of ports.
 */
static uint8_t role_of(const struct reader *r, const struct opcua_memo *m)
{
	if (r->handshake != ROLE_UNKNOWN)
		return r->handshake;
	if (m->server)
		return m->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	if (r->receiver_port == OPCUA_PORT)
		return ROLE_CLIENT;
	return r->sender_port == OPCUA_PORT || r->sender_port < r->receiver_port ? ROLE_SERVER : ROLE_CLIENT;
}

static void read_service(struct reader *r, struct opcua_memo *m, uint32_t request, struct cursor c)
{
	uint32_t service = ua_take_node(&c);

	if (is_request(service))
		ua_skip_request_header(&c);
	else
		ua_skip_response_header(&c);
	switch (service) {
	case FIND_SERVERS_RESPONSE: read_servers(r, &c); break;
	case GET_ENDPOINTS_RESPONSE: read_endpoints(r, &c); break;
	case REGISTER_SERVER_REQUEST:
	case REGISTER_SERVER2_REQUEST: read_registration(r, &c); break;
	case CREATE_SESSION_REQUEST: read_session_request(r, &c); break;
	case CREATE_SESSION_RESPONSE: read_session_response(r, &c); break;
	case READ_REQUEST: read_read_request(m, request, &c); break;
	case READ_RESPONSE: read_read_response(r, m, request, &c); break;
	default: break;
	}
}

static bool read_header(struct cursor *c, struct chunk *h)
{
	(void)cursor_copy(c, h->type, sizeof h->type);
	h->kind = cursor_u8(c);
	h->size = cursor_u32le(c);
	return cursor_ok(c);
}

static bool is_type(const struct chunk *h, const char *type)
{
	return memcmp(h->type, type, sizeof h->type) == 0;
}

/* Are type, letter and size of a kind that exists? */
static bool header_fits(const struct chunk *h)
{
	if (is_type(h, "MSG"))
		return (h->kind == 'F' || h->kind == 'C' || h->kind == 'A') && h->size >= SECURED_BYTES && h->size <= CHUNK_MAX_BYTES;
	if (h->kind != 'F')
		return false;
	if (is_type(h, "HEL"))
		return h->size >= HELLO_BYTES && h->size <= HELLO_BYTES + URL_MAX_BYTES;
	if (is_type(h, "ACK"))
		return h->size == ACK_BYTES;
	if (is_type(h, "ERR"))
		return h->size >= ERROR_BYTES && h->size <= ERROR_BYTES + URL_MAX_BYTES;
	if (is_type(h, "RHE"))
		return h->size >= ERROR_BYTES && h->size <= ERROR_BYTES + 2 * URL_MAX_BYTES;
	if (is_type(h, "OPN"))
		return h->size > SECURED_BYTES && h->size <= MAX_MESSAGE;
	return is_type(h, "CLO") && h->size >= SECURED_BYTES && h->size <= MAX_MESSAGE;
}

/*
 * Puts the bodies of a message's chunks together from `c`, which stands at the first. NEED_MORE while
 * chunks are missing that still have room; *taken is the bytes used, *missing those of the last chunk
 * that were not there.
 */
static enum verdict join_chunks(const struct reader *r, struct cursor c, uint8_t *to, size_t *len, size_t *taken, uint32_t *missing)
{
	bool waits = !r->truncated && cursor_left(&c) < MAX_MESSAGE;
	const uint8_t *start = c.at;
	struct chunk h;

	*len = 0;
	*missing = 0;
	do {
		struct cursor at = c, body;

		if (!read_header(&at, &h) || !header_fits(&h) || !is_type(&h, "MSG") || cursor_left(&at) < SECURED_BYTES - CHUNK_HEADER_BYTES)
			return waits && cursor_left(&c) < SECURED_BYTES ? NEED_MORE : MINE;
		if (cursor_left(&c) < h.size && waits)
			return NEED_MORE;
		*missing = h.size > cursor_left(&c) ? h.size - (uint32_t)cursor_left(&c) : 0;
		body = cursor_take(&c, h.size - *missing);
		cursor_skip(&body, SECURED_BYTES);
		*taken = (size_t)(c.at - start);
		memcpy(to + *len, body.at, cursor_left(&body));
		*len += cursor_left(&body);
	} while (h.kind == 'C' && !*missing);
	return MINE;
}

static enum verdict read_message(struct reader *r, struct opcua_memo *m, const struct chunk *h)
{
	struct cursor c = cursor_left(&r->bytes) > MAX_MESSAGE ? cursor_over(r->bytes.at, MAX_MESSAGE) : r->bytes, window = c;
	uint8_t joined[MAX_MESSAGE];
	size_t len, taken = 0;
	uint32_t request, service, missing;
	enum verdict v;

	cursor_skip(&c, SECURED_BYTES - 4);
	request = cursor_u32le(&c);
	if (!cursor_ok(&c) || (h->size >= SECURED_BYTES + 4 && cursor_left(&c) < 4))
		return r->truncated ? NOT_MINE : NEED_MORE;
	service = h->kind == 'A' || h->size < SECURED_BYTES + 4 ? 0 : ua_take_node(&c);
	if (is_request(service) || is_response(service))
		learn_server(r, m, is_response(service));
	if (!tells_identity(service)) {
		taken = cursor_left(&r->bytes) < h->size ? cursor_left(&r->bytes) : h->size;
		m->skip[r->direction & 1] = (uint32_t)(h->size - taken);
		cursor_skip(&r->bytes, taken);
		return MINE;
	}
	v = join_chunks(r, window, joined, &len, &taken, &missing);
	if (v == MINE) {
		m->skip[r->direction & 1] = missing;
		cursor_skip(&r->bytes, taken);
		read_service(r, m, request, cursor_over(joined, len));
	}
	return v;
}

/* OPN (clause 6.7.2.3): the certificate is in clear, and with policy None the service too. */
static enum verdict read_open(struct reader *r, struct opcua_memo *m, struct cursor c)
{
	static const char prefix[] = "http://opcfoundation.org/UA/SecurityPolicy#";
	struct cursor policy, certificate;
	uint32_t service;

	cursor_skip(&c, 4);
	policy = ua_take_string(&c);
	certificate = ua_take_string(&c);
	(void)ua_take_string(&c);
	cursor_skip(&c, 8);
	if (!cursor_ok(&c) || !cursor_starts(&policy, prefix, sizeof prefix - 1))
		return NOT_MINE;
	tell_subject(r, certificate);
	service = ua_take_node(&c);
	if (cursor_ok(&c) && (service == OPEN_REQUEST || service == OPEN_RESPONSE))
		learn_server(r, m, service == OPEN_RESPONSE);
	return MINE;
}

/* RHE (clause 7.1.2.6): a server that dials names itself. */
static enum verdict read_reverse_hello(struct reader *r, struct opcua_memo *m, struct cursor c)
{
	struct cursor uri = ua_take_string(&c), url = ua_take_string(&c);

	if (!cursor_ok(&c) || cursor_left(&c))
		return NOT_MINE;
	learn_server(r, m, true);
	tell(r, SENDER, NULL, ATTR_URI, uri);
	tell_host(r, url);
	return MINE;
}

/* HEL, ACK and ERR (clause 7.1.2): who sends them, and that their lengths agree. */
static enum verdict read_greeting(struct reader *r, struct opcua_memo *m, const struct chunk *h, struct cursor c)
{
	if (is_type(h, "HEL"))
		cursor_skip(&c, 20);
	else if (is_type(h, "ERR"))
		cursor_skip(&c, 4);
	if (!is_type(h, "ACK") && (ua_take_string(&c), !cursor_ok(&c) || cursor_left(&c)))
		return NOT_MINE;
	learn_server(r, m, !is_type(h, "HEL"));
	return MINE;
}

static enum verdict read_whole(struct reader *r, struct opcua_memo *m, const struct chunk *h)
{
	struct cursor c = r->bytes, body = cursor_take(&c, h->size);
	enum verdict v;

	if (!cursor_ok(&body))
		return r->truncated ? NOT_MINE : NEED_MORE;
	cursor_skip(&body, CHUNK_HEADER_BYTES);
	if (is_type(h, "OPN"))
		v = read_open(r, m, body);
	else if (is_type(h, "RHE"))
		v = read_reverse_hello(r, m, body);
	else
		v = is_type(h, "CLO") ? MINE : read_greeting(r, m, h, body);
	if (v == MINE)
		r->bytes = c;
	return v;
}

static enum verdict read_opcua(struct reader *r)
{
	static const char letters[] = { 'H', 'A', 'E', 'R', 'M', 'O', 'C' };
	struct opcua_memo *m = r->memo;
	uint32_t *skip = &m->skip[r->direction & 1];
	struct cursor c = r->bytes;
	struct chunk h;
	enum verdict v = MINE;

	if (r->gap)
		*skip = 0;
	if (*skip) {
		size_t n = cursor_left(&c) < *skip ? cursor_left(&c) : *skip;

		cursor_skip(&r->bytes, n);
		*skip -= (uint32_t)n;
	} else if (!read_header(&c, &h)) {
		/* Whatever is too short for a header must at least begin with a letter that one begins with. */
		return memchr(letters, cursor_left(&r->bytes) ? *r->bytes.at : 0, sizeof letters) ? NEED_MORE : NOT_MINE;
	} else if (!header_fits(&h)) {
		return NOT_MINE;
	} else {
		v = is_type(&h, "MSG") ? read_message(r, m, &h) : read_whole(r, m, &h);
	}
	r->sender_role = role_of(r, m);
	return v;
}

const struct classifier classifier_opcua = {
	.name = "opcua",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { OPCUA_PORT, 48010, 48020, 49320, 53530, 62541 },
	.max_message = MAX_MESSAGE,
	.read = read_opcua,
};
