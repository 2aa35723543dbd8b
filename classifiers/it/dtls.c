/*
 * DTLS: the hellos, and of certificates what stands in their first datagram. RFC 6347 (1.2), RFC 4347 (1.0);
 * of RFC 9147 (1.3) the hellos, the rest of it is enciphered.
 *
 *  0      1         3       5          11       13
 *  +------+---------+-------+----------+--------+---------------------------------------------------+
 *  | type | version | epoch | sequence | length | {type}{length u24}{message}{offset u24}{length u24} |
 *  +------+---------+-------+----------+--------+---------------------------------------------------+
 *                                                 version feff is 1.0, fefd is 1.2
 *
 * A handshake message goes over several fragments. Those of one datagram are joined; what a flow may
 * remember is too little to join datagrams. A certificate names its holder and issuer at its start.
 */
#include "classifiers/api/tls_handshake.h"

enum { MESSAGE_BYTES = 16384, RECORD_BYTES_MAX = 16384 + 2048, FITTING_MIN = 2 };
enum { CIPHER_CHANGE = 20, ALERT = 21, HANDSHAKE = 22, HEARTBEAT = 24, WITH_CONNECTION_ID = 25 };
enum { SERVER_KEY = 12, SERVER_DONE = 14, CLIENT_KEY = 16, ALERT_BYTES = 2, STUN_HEADER_BYTES = 20 };

struct dtls_memo {
	bool known;
	uint8_t client;  /* direction + 1 */
	uint8_t fitting; /* enciphered datagrams that fitted, until it is known */
};

_Static_assert(sizeof(struct dtls_memo) <= MEMO_BYTES, "a flow's memory is small");

struct record {
	uint8_t type;
	uint16_t epoch;
	struct cursor body;
};

struct fragment {
	uint8_t type;
	uint32_t length; /* of the message */
	uint16_t message;
	uint32_t offset;
	struct cursor bytes;
};

/* The message whose fragments are coming. */
struct joining {
	struct fragment first;
	size_t have;
	uint8_t bytes[MESSAGE_BYTES];
};

static bool take_record(struct reader *r, struct cursor *c, struct record *record)
{
	uint16_t version, len;

	record->type = cursor_u8(c);
	version = cursor_u16be(c);
	record->epoch = cursor_u16be(c);
	cursor_skip(c, 6);
	len = cursor_u16be(c);
	record->body = cursor_take(c, r->truncated && len > cursor_left(c) ? cursor_left(c) : len);
	return cursor_ok(c) && record->type >= CIPHER_CHANGE && record->type <= HEARTBEAT &&
	       (version == 0xfeff || version == 0xfefd) && len > 0 && len <= RECORD_BYTES_MAX;
}

static bool take_fragment(struct reader *r, struct cursor *c, struct fragment *f)
{
	uint32_t len;

	f->type = cursor_u8(c);
	f->length = cursor_u24be(c);
	f->message = cursor_u16be(c);
	f->offset = cursor_u24be(c);
	len = cursor_u24be(c);
	f->bytes = cursor_take(c, r->truncated && len > cursor_left(c) ? cursor_left(c) : len);
	return cursor_ok(c) && tls_handshake_type(f->type) && f->offset + len <= f->length && (len || f->length == 0);
}

static void know(struct reader *r, struct dtls_memo *m, bool from_client)
{
	m->client = (uint8_t)((from_client ? r->direction : !r->direction) + 1);
}

/* {version}{cookie} */
static bool read_hello_verify(struct cursor c)
{
	uint16_t version = cursor_u16be(&c);

	cursor_skip(&c, cursor_u8(&c));
	return cursor_ok(&c) && version >> 8 == 0xfe && cursor_left(&c) == 0;
}

static bool read_message(struct reader *r, struct dtls_memo *m, uint8_t type, struct cursor body)
{
	switch (type) {
	case TLS_CLIENT_HELLO:
		know(r, m, true);
		return tls_read_client_hello(r, TLS_OVER_UDP, body);
	case TLS_SERVER_HELLO:
		know(r, m, false);
		return tls_read_server_hello(TLS_OVER_UDP, body);
	case DTLS_HELLO_VERIFY:
		know(r, m, false);
		return read_hello_verify(body);
	case SERVER_KEY:
	case SERVER_DONE:
		know(r, m, false);
		return true;
	case CLIENT_KEY:
		know(r, m, true);
		return true;
	case TLS_CERTIFICATE:
		tls_read_certificates(r, body);
		return true;
	}
	return true;
}

/* What is there of a message that doesn't end here. Of hellos the end says too much to guess without it. */
static void read_unfinished(struct reader *r, struct joining *j)
{
	if (j->have && j->first.type == TLS_CERTIFICATE)
		tls_read_certificates(r, cursor_over(j->bytes, j->have));
	j->have = 0;
}

/* Fragments come in order, or the rest of the message is given up. They may overlap. */
static bool join(struct reader *r, struct dtls_memo *m, struct joining *j, const struct fragment *f)
{
	struct cursor bytes = f->bytes;
	size_t len;

	if (f->offset == 0) {
		read_unfinished(r, j);
		j->first = *f;
	} else if (!j->have || f->message != j->first.message || f->type != j->first.type || f->length != j->first.length ||
		   f->offset > j->have) {
		return true;
	} else {
		size_t twice = j->have - f->offset;

		cursor_skip(&bytes, twice < cursor_left(&bytes) ? twice : cursor_left(&bytes));
	}
	len = cursor_left(&bytes) < MESSAGE_BYTES - j->have ? cursor_left(&bytes) : MESSAGE_BYTES - j->have;
	cursor_copy(&bytes, j->bytes + j->have, len);
	j->have += len;
	if (j->have < j->first.length)
		return true;
	j->have = 0;
	return read_message(r, m, j->first.type, cursor_over(j->bytes, j->first.length));
}

static bool read_handshake(struct reader *r, struct dtls_memo *m, struct joining *j, struct cursor c)
{
	struct fragment f;
	bool any = false;

	do {
		if (!take_fragment(r, &c, &f))
			return any && r->truncated;
		any = true;
		if (f.offset == 0 && cursor_left(&f.bytes) == f.length) {
			read_unfinished(r, j);
			if (!read_message(r, m, f.type, f.bytes))
				return false;
		} else if (!join(r, m, j, &f)) {
			return false;
		}
	} while (cursor_left(&c));
	return true;
}

static bool fits(const struct record *record)
{
	if (record->epoch)
		return true;
	if (record->type == CIPHER_CHANGE)
		return cursor_left(&record->body) == 1;
	return record->type == ALERT && cursor_left(&record->body) == ALERT_BYTES;
}

/* True for what DTLS 1.3 and connection numbers have instead of the header above: no length can be told from it. */
static bool other_header(const struct cursor *c)
{
	return cursor_left(c) && (c->at[0] >> 5 == 1 || c->at[0] == WITH_CONNECTION_ID);
}

/* All records of a datagram. False when one doesn't fit. */
static bool read_records(struct reader *r, struct dtls_memo *m, struct cursor c)
{
	struct joining j;
	struct record record;

	j.have = 0;
	do {
		if (!take_record(r, &c, &record))
			return false;
		if (record.type == HANDSHAKE && record.epoch == 0) {
			if (!read_handshake(r, m, &j, record.body))
				return false;
			m->known = true;
		} else if (!fits(&record)) {
			return false;
		}
	} while (cursor_left(&c) && !(m->known && other_header(&c)));
	read_unfinished(r, &j);
	return true;
}

/* Media set up by STUN may go on in DTLS in the same flow. RFC 8489, 5. */
static bool is_stun(struct cursor c)
{
	size_t whole = cursor_left(&c);
	uint8_t kind = cursor_u8(&c);
	uint16_t len;

	cursor_skip(&c, 1);
	len = cursor_u16be(&c);
	return kind < 4 && len % 4 == 0 && cursor_u32be(&c) == 0x2112a442 && cursor_ok(&c) && whole == (size_t)len + STUN_HEADER_BYTES;
}

/* What else flows that carry media bring between records of DTLS, by their first byte. RFC 7983, 7. */
static bool beside_dtls(uint8_t first)
{
	return first < 20 || (first >= 64 && first < 80) || (first >= 128 && first < 192);
}

static uint8_t role(const struct reader *r, const struct dtls_memo *m)
{
	if (m->client)
		return m->client == r->direction + 1 ? ROLE_CLIENT : ROLE_SERVER;
	return r->sender_port < r->receiver_port ? ROLE_SERVER : ROLE_CLIENT;
}

static enum verdict read_dtls(struct reader *r)
{
	struct dtls_memo *m = r->memo, now = *m;
	uint8_t first = cursor_left(&r->bytes) ? r->bytes.at[0] : UINT8_MAX;

	if (!m->known && is_stun(r->bytes))
		return MAYBE;
	if (m->known && beside_dtls(first))
		return MAYBE;
	if (first < CIPHER_CHANGE || first > 63)
		return NOT_MINE;
	if (!(m->known && other_header(&r->bytes)) && !read_records(r, &now, r->bytes))
		return NOT_MINE;
	/* One that is enciphered may be chance; two are not. */
	now.fitting = (uint8_t)(now.fitting + (now.fitting < FITTING_MIN));
	now.known |= now.fitting >= FITTING_MIN;
	*m = now;
	r->sender_role = role(r, m);
	return m->known ? MINE : MAYBE;
}

const struct classifier classifier_dtls = {
	.name = "dtls",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { 443, 5684, 5349, 3478, 10161, 10162, 2083, 853 },
	.read = read_dtls,
};
