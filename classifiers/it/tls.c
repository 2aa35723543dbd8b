/*
 * TLS: the hellos and the certificates that are shown in clear. RFC 5246, RFC 8446, RFC 6066; the hello
 * of SSL 2.0 that old clients begin with is RFC 5246, E.2. The client's fingerprint is JA4.
 *
 *  0      1         3        5
 *  +------+---------+--------+----------------------------------+   type 20 cipher change, 21 alert,
 *  | type | version | length | handshake: {type}{length u24}... |        22 handshake, 23 data
 *  +------+---------+--------+----------------------------------+
 *
 * Handshake messages go over the edges of records. Data and what is enciphered is stepped over as it comes.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/ja4.h"
#include "classifiers/api/x509.h"

enum { MESSAGE_BYTES = 16384, RECORD_HEADER_BYTES = 5, RECORD_BYTES_MAX = 16384 + 2048, CHAIN_MIN = 3 };
enum { CIPHER_CHANGE = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23, HEARTBEAT = 24 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, CERTIFICATE = 11, HANDSHAKE_HEADER_BYTES = 4 };
enum { EXTENSION_SERVER_NAME = 0, EXTENSION_SIGNATURES = 13, EXTENSION_ALPN = 16, EXTENSION_VERSIONS = 43 };
enum { SUBJECT_NAMES_TOLD = 4 };

struct tls_memo {
	uint32_t skip[2];   /* bytes of the current record still to come */
	uint32_t beyond[2]; /* bytes of a handshake message, too long to be read, that further records bring */
	bool sealed[2];     /* this side has changed its cipher */
	bool known;
	uint8_t client;     /* direction + 1 */
	uint8_t chain;      /* headers and ends that fitted, until it is known */
	uint8_t minor;      /* of the version in the chain's records */
};

_Static_assert(sizeof(struct tls_memo) <= MEMO_BYTES, "a flow's memory is small");

struct record {
	uint8_t type;
	uint8_t minor;
	uint16_t len;
};

struct hello {
	struct ja4 fingerprint;
	struct cursor server_name;
};

static void read_versions(struct hello *h, struct cursor c)
{
	struct cursor list = cursor_take(&c, cursor_u8(&c));

	h->fingerprint.version = 0;
	while (cursor_left(&list) >= 2) {
		uint16_t v = cursor_u16be(&list);

		if (!ja4_grease(v) && v > h->fingerprint.version)
			h->fingerprint.version = v;
	}
}

static void read_server_name(struct hello *h, struct cursor c)
{
	struct cursor list = cursor_take(&c, cursor_u16be(&c));
	uint8_t kind = cursor_u8(&list);

	h->server_name = cursor_take(&list, cursor_u16be(&list));
	if (kind != 0)
		cursor_fail(&h->server_name);
}

/* The first protocol's first and last byte. */
static void read_alpn(struct hello *h, struct cursor c)
{
	struct cursor first;

	cursor_skip(&c, 2);
	first = cursor_take(&c, cursor_u8(&c));
	if (cursor_left(&first) == 0)
		return;
	h->fingerprint.alpn[0] = first.at[0];
	h->fingerprint.alpn[1] = first.end[-1];
}

static void read_extension(struct hello *h, uint16_t type, struct cursor c)
{
	ja4_extension(&h->fingerprint, type);
	switch (type) {
	case EXTENSION_SERVER_NAME:
		read_server_name(h, c);
		break;
	case EXTENSION_ALPN:
		read_alpn(h, c);
		break;
	case EXTENSION_VERSIONS:
		read_versions(h, c);
		break;
	case EXTENSION_SIGNATURES:
		cursor_skip(&c, 2);
		while (cursor_left(&c) >= 2)
			ja4_signature(&h->fingerprint, cursor_u16be(&c));
		break;
	}
}

/* {version}{random 32}{session id}{ciphers}{compressions}[{extensions}], to the byte */
static bool read_hello(struct cursor c, struct hello *h)
{
	struct cursor session, ciphers, compressions, extensions;

	h->fingerprint.version = cursor_u16be(&c);
	cursor_skip(&c, 32);
	session = cursor_take(&c, cursor_u8(&c));
	ciphers = cursor_take(&c, cursor_u16be(&c));
	compressions = cursor_take(&c, cursor_u8(&c));
	if (!cursor_ok(&c) || h->fingerprint.version >> 8 != 3 || cursor_left(&session) > 32 || cursor_left(&ciphers) < 2 ||
	    cursor_left(&ciphers) % 2 || cursor_left(&compressions) == 0)
		return false;
	while (cursor_left(&ciphers))
		ja4_cipher(&h->fingerprint, cursor_u16be(&ciphers));
	if (cursor_left(&c) == 0)
		return true;
	extensions = cursor_take(&c, cursor_u16be(&c));
	if (!cursor_ok(&extensions) || cursor_left(&c))
		return false;
	while (cursor_left(&extensions)) {
		uint16_t type = cursor_u16be(&extensions);
		struct cursor value = cursor_take(&extensions, cursor_u16be(&extensions));

		if (!cursor_ok(&value))
			return false;
		read_extension(h, type, value);
	}
	return true;
}

/*
 * The server's name is the client's word for it. It is told as a URI: as a host name it would stand
 * among those that the device itself gave, and one address of a big provider has hundreds.
 */
static bool read_client_hello(struct reader *r, struct tls_memo *m, struct cursor c)
{
	char fingerprint[JA4_BYTES];
	struct hello h;

	memset(&h, 0, sizeof h);
	h.server_name = cursor_over("", 0);
	if (!read_hello(c, &h))
		return false;
	m->known = true;
	m->client = (uint8_t)(r->direction + 1);
	if (ja4_text(&h.fingerprint, fingerprint))
		tell_text(r, SENDER, NULL, ATTR_FINGERPRINT, fingerprint);
	if (cursor_left(&h.server_name) && cursor_left(&h.server_name) < 256)
		tell_format(r, RECEIVER, NULL, ATTR_URI, "sni:%.*s", (int)cursor_left(&h.server_name),
			    (const char *)h.server_name.at);
	return true;
}

/* {version}{random 32}{session id}{cipher}{compression}[{extensions}] */
static bool read_server_hello(struct reader *r, struct tls_memo *m, struct cursor c)
{
	uint16_t version = cursor_u16be(&c);
	struct cursor session, extensions;

	cursor_skip(&c, 32);
	session = cursor_take(&c, cursor_u8(&c));
	cursor_skip(&c, 3);
	if (!cursor_ok(&c) || version >> 8 != 3 || cursor_left(&session) > 32)
		return false;
	if (cursor_left(&c)) {
		extensions = cursor_take(&c, cursor_u16be(&c));
		if (!cursor_ok(&extensions) || cursor_left(&c))
			return false;
	}
	m->known = true;
	m->client = (uint8_t)(!r->direction + 1);
	return true;
}

/* Names that a few-named holder gives itself; a long list is of a provider and names nobody. */
static void tell_subject_names(struct reader *r, struct cursor names)
{
	struct cursor count = names, value;
	unsigned n = 0;
	uint8_t kind;

	while (x509_next_name(&count, &kind, &value))
		n++;
	if (n > SUBJECT_NAMES_TOLD)
		return;
	while (x509_next_name(&names, &kind, &value)) {
		if (kind == X509_URI)
			tell(r, SENDER, NULL, ATTR_URI, value);
		else if (kind == X509_DNS_NAME && cursor_left(&value) && value.at[0] != '*')
			tell(r, SENDER, NULL, ATTR_HOSTNAME, value);
	}
}

/* The first certificate is the sender's own, those behind it are of its authorities. */
static bool read_certificate(struct reader *r, struct tls_memo *m, struct cursor c)
{
	char text[FINDING_VALUE_BYTES];
	struct cursor first;
	struct x509 x;

	cursor_skip(&c, 3);
	first = cursor_take(&c, cursor_u24be(&c));
	if (!x509_read(first, &x))
		return false;
	m->known = true;
	tell(r, SENDER, NULL, ATTR_CERTIFICATE, cursor_over(text, x509_name_text(x.subject, text, sizeof text)));
	tell(r, SENDER, NULL, ATTR_NAME, cursor_over(text, x509_common_name(x.subject, text, sizeof text)));
	tell_subject_names(r, x.subject_names);
	return true;
}

static bool handshake_type(uint8_t type)
{
	return type <= 6 || type == 8 || (type >= 11 && type <= 16) || (type >= 20 && type <= 24) || type == 25 || type == 67;
}

/* True when the bytes look like handshake messages in clear. The last may be cut. */
static bool read_messages(struct reader *r, struct tls_memo *m, struct cursor c)
{
	while (cursor_left(&c) >= HANDSHAKE_HEADER_BYTES) {
		uint8_t type = cursor_u8(&c);
		uint32_t len = cursor_u24be(&c);
		struct cursor body = len <= cursor_left(&c) ? cursor_take(&c, len) : cursor_rest(&c);

		if (!handshake_type(type))
			return false;
		if ((type == CLIENT_HELLO && !read_client_hello(r, m, body)) ||
		    (type == SERVER_HELLO && !read_server_hello(r, m, body)))
			return false;
		if (type == CERTIFICATE)
			read_certificate(r, m, body);
	}
	return true;
}

/* How many bytes the last handshake message lacks. */
static uint32_t missing(struct cursor c)
{
	while (cursor_left(&c)) {
		uint32_t len;

		if (cursor_left(&c) < HANDSHAKE_HEADER_BYTES)
			return (uint32_t)(HANDSHAKE_HEADER_BYTES - cursor_left(&c));
		cursor_skip(&c, 1);
		len = cursor_u24be(&c);
		if (len > cursor_left(&c))
			return (uint32_t)(len - cursor_left(&c));
		cursor_skip(&c, len);
	}
	return 0;
}

static bool take_record(struct cursor *c, struct record *record)
{
	uint8_t major;

	record->type = cursor_u8(c);
	major = cursor_u8(c);
	record->minor = cursor_u8(c);
	record->len = cursor_u16be(c);
	return cursor_ok(c) && record->type >= CIPHER_CHANGE && record->type <= HEARTBEAT && major == 3 &&
	       record->minor <= 4 && record->len <= RECORD_BYTES_MAX && (record->len || record->type == DATA) &&
	       (record->type != CIPHER_CHANGE || record->len == 1);
}

static uint8_t role(const struct reader *r, const struct tls_memo *m)
{
	bool serves = r->sender_port < r->receiver_port;

	if (m->client)
		return m->client == r->direction + 1 ? ROLE_CLIENT : ROLE_SERVER;
	if (r->handshake != ROLE_UNKNOWN)
		return r->handshake;
	return serves ? ROLE_SERVER : ROLE_CLIENT;
}

static enum verdict answer(struct reader *r, struct tls_memo *m)
{
	r->sender_role = role(r, m);
	return m->known ? MINE : MAYBE;
}

/* Takes what is there of a record's body; the rest is skipped as it comes. */
static void step_over(struct reader *r, struct tls_memo *m, uint32_t len)
{
	size_t n = cursor_left(&r->bytes) < len ? cursor_left(&r->bytes) : len;

	cursor_skip(&r->bytes, n);
	m->skip[r->direction] = (uint32_t)(len - n);
}

/*
 * In mid-stream a header proves little, but the chain does: every further header where the record
 * before it ends has some twenty bits that must fit, and so has a record that fills a segment.
 */
static void count_chain(struct reader *r, struct tls_memo *m, const struct record *first)
{
	struct cursor c = r->bytes;
	struct record record = *first;

	if (m->known)
		return;
	if (m->minor != record.minor)
		m->chain = 0;
	m->minor = record.minor;
	for (m->chain++; m->chain < CHAIN_MIN; m->chain++) {
		cursor_skip(&c, record.len);
		if (cursor_ok(&c) && cursor_left(&c) == 0)
			m->chain++;
		if (!take_record(&c, &record) || record.minor != m->minor)
			break;
	}
	m->known = m->chain >= CHAIN_MIN;
}

static void note_sealed(struct reader *r, struct tls_memo *m, const struct record *record)
{
	if (record->type == CIPHER_CHANGE || record->type == DATA)
		m->sealed[r->direction] = true;
}

/*
 * Joins the records that the handshake message beginning in `first` goes on in, and reads it.
 * A message that is longer than may be waited for is read as far as it is there: a certificate of
 * the sender's own comes before those of its authorities.
 */
static enum verdict read_joined(struct reader *r, struct tls_memo *m, struct cursor first, struct cursor next)
{
	uint8_t whole[MESSAGE_BYTES];
	size_t n = cursor_left(&first);
	struct cursor c = next;
	uint32_t lacks;
	struct record record;

	cursor_copy(&first, whole, n);
	while ((lacks = missing(cursor_over(whole, n))) > 0) {
		struct cursor body = c, part;

		if (cursor_left(&c) < RECORD_HEADER_BYTES) {
			if ((size_t)(c.end - r->bytes.at) + lacks + RECORD_HEADER_BYTES <= MESSAGE_BYTES)
				return NEED_MORE;
			break;
		}
		if (!take_record(&body, &record) || record.type != HANDSHAKE)
			break;
		if ((size_t)(body.at - r->bytes.at) + record.len > MESSAGE_BYTES || n + record.len > sizeof whole)
			break;
		part = cursor_take(&body, record.len);
		if (!cursor_ok(&part))
			return NEED_MORE;
		cursor_copy(&part, whole + n, record.len);
		n += record.len;
		c = body;
	}
	m->beyond[r->direction] = lacks;
	if (!read_messages(r, m, cursor_over(whole, n)))
		return NOT_MINE;
	r->bytes = c;
	return answer(r, m);
}

static enum verdict read_handshake(struct reader *r, struct tls_memo *m, struct cursor c, const struct record *record)
{
	struct cursor body = c;
	uint32_t *beyond = &m->beyond[r->direction];

	if (*beyond || record->len + RECORD_HEADER_BYTES > MESSAGE_BYTES) {
		*beyond -= *beyond < record->len ? *beyond : record->len;
		r->bytes = c;
		step_over(r, m, record->len);
		return answer(r, m);
	}
	if (!handshake_type(cursor_left(&c) ? c.at[0] : 0))
		return NOT_MINE;
	body = cursor_take(&c, record->len);
	if (!cursor_ok(&body))
		return NEED_MORE;
	if (missing(body))
		return read_joined(r, m, body, c);
	if (!read_messages(r, m, body))
		return NOT_MINE;
	r->bytes = c;
	count_chain(r, m, &(struct record){ HANDSHAKE, record->minor, 0 });
	return answer(r, m);
}

/* {length 15b, high bit set}{1}{version 03xx}{ciphers}{session 0 or 16}{challenge 16..32}, adding up */
static enum verdict read_old_hello(struct reader *r, struct tls_memo *m)
{
	struct cursor c = r->bytes;
	uint16_t len = cursor_u16be(&c) & 0x7fff, ciphers, session, challenge;
	uint8_t type = cursor_u8(&c), major = cursor_u8(&c), minor = cursor_u8(&c);

	ciphers = cursor_u16be(&c);
	session = cursor_u16be(&c);
	challenge = cursor_u16be(&c);
	if (!cursor_ok(&c) || type != CLIENT_HELLO || major != 3 || minor > 4 || ciphers == 0 || ciphers % 3 ||
	    (session != 0 && session != 16) || challenge < 16 || challenge > 32 || len != 9 + ciphers + session + challenge)
		return NOT_MINE;
	if (cursor_left(&c) < (size_t)ciphers + session + challenge)
		return NEED_MORE;
	cursor_skip(&c, (size_t)ciphers + session + challenge);
	r->bytes = c;
	m->known = true;
	m->client = (uint8_t)(r->direction + 1);
	return answer(r, m);
}

static enum verdict read_record(struct reader *r, struct tls_memo *m)
{
	struct cursor c = r->bytes;
	struct record record;
	enum verdict v;

	if (cursor_left(&c) >= 3 && c.at[0] & 0x80 && c.at[2] == CLIENT_HELLO && !m->known)
		return read_old_hello(r, m);
	if (cursor_left(&c) < RECORD_HEADER_BYTES)
		return cursor_left(&c) && c.at[0] >= CIPHER_CHANGE && c.at[0] <= HEARTBEAT &&
		       (cursor_left(&c) < 2 || c.at[1] == 3) ? NEED_MORE : NOT_MINE;
	if (!take_record(&c, &record))
		return NOT_MINE;
	if (record.type == HANDSHAKE && !m->sealed[r->direction]) {
		v = read_handshake(r, m, c, &record);
		/* Joined in mid-stream, or after a gap, a handshake may be enciphered already. */
		if (v != NOT_MINE || !m->known)
			return v;
	}
	r->bytes = c;
	note_sealed(r, m, &record);
	count_chain(r, m, &record);
	step_over(r, m, record.len);
	return answer(r, m);
}

static enum verdict read_tls(struct reader *r)
{
	struct tls_memo *m = r->memo;

	/* While nobody has claimed the flow, the start in mid-stream stays marked as a gap. */
	if (r->gap && (m->known || m->chain == 0)) {
		m->skip[r->direction] = m->beyond[r->direction] = 0;
		m->chain = 0;
	}
	if (m->skip[r->direction]) {
		step_over(r, m, m->skip[r->direction]);
		return answer(r, m);
	}
	return read_record(r, m);
}

const struct classifier classifier_tls = {
	.name = "tls",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { 443, 8443, 4843, 8883, 636, 993, 995, 4911 },
	.max_message = MESSAGE_BYTES,
	.read = read_tls,
};
