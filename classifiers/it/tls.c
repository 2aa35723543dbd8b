/*
 * TLS: the hellos and the certificates that are shown in clear. RFC 5246, RFC 8446. The hello of SSL 2.0
 * that old clients begin with is RFC 5246, E.2; a server's is SERVER-HELLO of Netscape's SSL 2.0 (1995).
 *
 *  0      1         3        5
 *  +------+---------+--------+----------------------------------+   type 20 cipher change, 21 alert,
 *  | type | version | length | handshake: {type}{length u24}... |        22 handshake, 23 data
 *  +------+---------+--------+----------------------------------+
 *
 * Handshake messages go over the edges of records. Data and what is enciphered is stepped over as it comes.
 */
#include "classifiers/api/tls_handshake.h"

enum { MESSAGE_BYTES = 16384, RECORD_HEADER_BYTES = 5, RECORD_BYTES_MAX = 16384 + 2048, CHAIN_MIN = 3 };
enum { CIPHER_CHANGE = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23, HEARTBEAT = 24 };
enum { OLD_SERVER_HELLO = 4, OLD_X509 = 1 };

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

static void know(struct reader *r, struct tls_memo *m, bool from_client)
{
	m->known = true;
	m->client = (uint8_t)((from_client ? r->direction : !r->direction) + 1);
}

static bool read_message(struct reader *r, struct tls_memo *m, uint8_t type, struct cursor body)
{
	switch (type) {
	case TLS_CLIENT_HELLO:
		if (!tls_read_client_hello(r, TLS_OVER_TCP, body))
			return false;
		know(r, m, true);
		return true;
	case TLS_SERVER_HELLO:
		if (!tls_read_server_hello(TLS_OVER_TCP, body))
			return false;
		know(r, m, false);
		return true;
	case TLS_CERTIFICATE:
		m->known |= tls_read_certificates(r, body);
		return true;
	}
	return tls_handshake_type(type);
}

/* True when the bytes look like handshake messages in clear. The last may be cut. */
static bool read_messages(struct reader *r, struct tls_memo *m, struct cursor c)
{
	while (cursor_left(&c) >= TLS_HANDSHAKE_HEADER_BYTES) {
		uint8_t type = cursor_u8(&c);
		uint32_t len = cursor_u24be(&c);
		struct cursor body = len <= cursor_left(&c) ? cursor_take(&c, len) : cursor_rest(&c);

		if (!read_message(r, m, type, body))
			return false;
	}
	return true;
}

/* How many bytes the last handshake message lacks. */
static uint32_t missing(struct cursor c)
{
	while (cursor_left(&c)) {
		uint32_t len;

		if (cursor_left(&c) < TLS_HANDSHAKE_HEADER_BYTES)
			return (uint32_t)(TLS_HANDSHAKE_HEADER_BYTES - cursor_left(&c));
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

/* A record's body; where nothing more will come, as much of it as is there. */
static struct cursor take_there(const struct reader *r, struct cursor *c, size_t len)
{
	return cursor_take(c, r->truncated && len > cursor_left(c) ? cursor_left(c) : len);
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
			if (!r->truncated && (size_t)(c.end - r->bytes.at) + lacks + RECORD_HEADER_BYTES <= MESSAGE_BYTES)
				return NEED_MORE;
			break;
		}
		if (!take_record(&body, &record) || record.type != HANDSHAKE)
			break;
		if ((size_t)(body.at - r->bytes.at) + record.len > MESSAGE_BYTES || n + record.len > sizeof whole)
			break;
		part = take_there(r, &body, record.len);
		if (!cursor_ok(&part))
			return NEED_MORE;
		record.len = (uint16_t)cursor_left(&part);
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
	if (!tls_handshake_type(cursor_left(&c) ? c.at[0] : 0))
		return NOT_MINE;
	body = take_there(r, &c, record->len);
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

/* {version}{ciphers u16}{session u16}{challenge u16}, adding up to the message */
static enum verdict read_old_client_hello(struct reader *r, struct tls_memo *m, struct cursor c, size_t len)
{
	uint16_t version = cursor_u16be(&c), ciphers = cursor_u16be(&c), session = cursor_u16be(&c);
	uint16_t challenge = cursor_u16be(&c);

	if (!cursor_ok(&c) || (version != 0x0002 && (version < 0x0300 || version > 0x0304)) || ciphers == 0 || ciphers % 3 ||
	    (session != 0 && session != 16) || challenge < 16 || challenge > 32 || len != 9u + ciphers + session + challenge)
		return NOT_MINE;
	if (cursor_left(&c) < (size_t)ciphers + session + challenge)
		return NEED_MORE;
	cursor_skip(&c, (size_t)ciphers + session + challenge);
	r->bytes = c;
	know(r, m, true);
	return answer(r, m);
}

/* {session id hit}{kind of certificate}{version 0002}{certificate u16}{ciphers u16}{connection id u16}, likewise */
static enum verdict read_old_server_hello(struct reader *r, struct tls_memo *m, struct cursor c, size_t len)
{
	uint8_t hit = cursor_u8(&c), kind = cursor_u8(&c);
	uint16_t version = cursor_u16be(&c), certificate = cursor_u16be(&c), ciphers = cursor_u16be(&c);
	uint16_t connection = cursor_u16be(&c);
	struct cursor der;

	if (!cursor_ok(&c) || hit > 1 || version != 0x0002 || ciphers % 3 || connection < 16 || connection > 32 ||
	    (hit ? kind || certificate || ciphers : kind != OLD_X509 || ciphers == 0 || certificate == 0) ||
	    len != 11u + certificate + ciphers + connection)
		return NOT_MINE;
	der = cursor_take(&c, certificate);
	cursor_skip(&c, (size_t)ciphers + connection);
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (!hit && !tls_read_certificate(r, der))
		return NOT_MINE;
	r->bytes = c;
	know(r, m, false);
	return answer(r, m);
}

static bool old_hello(const struct cursor *c)
{
	return cursor_left(c) >= 3 && c->at[0] & 0x80 && (c->at[2] == TLS_CLIENT_HELLO || c->at[2] == OLD_SERVER_HELLO);
}

/* Hellos of SSL 2.0: {length 15b, high bit set}{type}. */
static enum verdict read_old_hello(struct reader *r, struct tls_memo *m)
{
	struct cursor c = r->bytes;
	size_t len = cursor_u16be(&c) & 0x7fff;

	return cursor_u8(&c) == TLS_CLIENT_HELLO ? read_old_client_hello(r, m, c, len) : read_old_server_hello(r, m, c, len);
}

static enum verdict read_record(struct reader *r, struct tls_memo *m)
{
	struct cursor c = r->bytes;
	struct record record;
	enum verdict v;

	if (old_hello(&c))
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

/* What is enciphered: the rest of a record of which the start was seen, and records that begin here. */
static bool glance_tls(struct glance *g, void *memo)
{
	struct tls_memo *m = memo;
	uint32_t *skip = &m->skip[g->direction], len = *skip;
	struct record record;
	size_t n;

	if (!m->known)
		return false;
	if (!len) {
		if (!take_record(&g->bytes, &record) || record.type != DATA)
			return false;
		m->sealed[g->direction] = true;
		len = record.len;
	}
	n = cursor_left(&g->bytes) < len ? cursor_left(&g->bytes) : len;
	cursor_skip(&g->bytes, n);
	*skip = (uint32_t)(len - n);
	return true;
}

const struct classifier classifier_tls = {
	.name = "tls",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { 443, 8443, 4843, 8883, 636, 993, 995, 4911 },
	.max_message = MESSAGE_BYTES,
	.read = read_tls,
	.glance = glance_tls,
};
