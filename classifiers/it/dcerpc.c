/*
 * DCE/RPC over TCP, Windows' remote calls: the names that both ends show when they log in with NTLM, and OPC servers by their
 * interfaces. The Open Group C706, 12.6 (connection-oriented PDUs); MS-RPCE 2.2.2; OPC Data Access 3.0, appendix.
 *
 *  +---+-----+------+-------+------+-------------+-------------+---------+-- --+--------------------------------+-------+
 *  | 5 | 0,1 | type | flags | drep | length u16  | login u16   | call u32| ..  | kind, level, padding, 0, id u32 | token |
 *  +---+-----+------+-------+------+-------------+-------------+---------+-- --+--------------------------------+-------+
 *    1    1     1       1      4    of the whole   of the token       4            8, only with a token
 *
 *  bind  .. {sizes 4}{group u32}{n}{0 0 0} n * ( {id u16}{m}{0}{interface 16}{version u32} m * ( {transfer syntax 16}{version u32} ) )
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/ntlmssp.h"

#include <string.h>

enum { PORT_MAPPER = 135, HEADER_BYTES = 16, TRAILER_BYTES = 8, PDU_BYTES = 16384, LITTLE_ENDIAN_DREP = 0x10, UUID_BYTES = 16 };
enum pdu {
	REQUEST = 0, RESPONSE = 2, FAULT = 3, BIND = 11, BIND_ACK = 12, BIND_NAK = 13, ALTER = 14, ALTER_ACK = 15, AUTH3 = 16,
	SHUTDOWN = 17, CO_CANCEL = 18, ORPHANED = 19,
};
enum login { LOGIN_SPNEGO = 9, LOGIN_NTLM = 10 };

struct memo {
	bool mine;
	bool opc; /* an interface of OPC Data Access was asked for */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct pdu_header {
	uint8_t type;
	bool little;
	uint16_t length, token_length;
};

static uint16_t take_u16(struct cursor *c, bool little)
{
	return little ? cursor_u16le(c) : cursor_u16be(c);
}

static bool known_type(uint8_t type)
{
	return type == REQUEST || type == RESPONSE || type == FAULT || (type >= BIND && type <= ORPHANED);
}

static bool parse_header(struct cursor c, struct pdu_header *h)
{
	uint8_t major = cursor_u8(&c), minor = cursor_u8(&c), drep, characters;
	uint16_t reserved;

	h->type = cursor_u8(&c);
	cursor_skip(&c, 1);
	drep = cursor_u8(&c);
	characters = cursor_u8(&c);
	reserved = cursor_u16be(&c);
	h->little = drep == LITTLE_ENDIAN_DREP;
	h->length = take_u16(&c, h->little);
	h->token_length = take_u16(&c, h->little);
	return cursor_ok(&c) && major == 5 && minor <= 1 && known_type(h->type) && (drep == 0 || h->little) && characters <= 3 && !reserved &&
	       h->length >= HEADER_BYTES && h->length <= PDU_BYTES && h->token_length <= h->length - HEADER_BYTES;
}

static bool from_server(uint8_t type)
{
	return type == RESPONSE || type == FAULT || type == BIND_ACK || type == BIND_NAK || type == ALTER_ACK || type == SHUTDOWN;
}

/* Interfaces of OPC Data Access are 39c13a4d to 39c13a72-011e-11d0-9675-0020afd8adb3. */
static bool is_opc(struct cursor uuid, bool little)
{
	static const uint8_t tail[8] = { 0x96, 0x75, 0x00, 0x20, 0xaf, 0xd8, 0xad, 0xb3 };
	uint32_t first = little ? cursor_u32le(&uuid) : cursor_u32be(&uuid);
	uint16_t second = take_u16(&uuid, little), third = take_u16(&uuid, little);

	return first >= 0x39c13a4d && first <= 0x39c13a72 && second == 0x011e && third == 0x11d0 && cursor_starts(&uuid, tail, sizeof tail);
}

/* True when all contexts have the form of a bind's, with room for a token behind them. */
static bool read_contexts(struct memo *m, struct cursor c, bool little)
{
	uint8_t contexts;
	bool opc = false;

	cursor_skip(&c, 8);
	contexts = cursor_u8(&c);
	cursor_skip(&c, 3);
	for (unsigned i = 0; i < contexts; i++) {
		struct cursor uuid;
		uint8_t syntaxes;

		cursor_skip(&c, 2);
		syntaxes = cursor_u8(&c);
		cursor_skip(&c, 1);
		uuid = cursor_take(&c, UUID_BYTES);
		cursor_skip(&c, 4 + syntaxes * (size_t)(UUID_BYTES + 4));
		if (!cursor_ok(&c) || !syntaxes)
			return false;
		opc |= is_opc(uuid, little);
	}
	m->opc |= opc;
	return contexts > 0 && cursor_ok(&c);
}

/* {sizes 4}{group u32}{length u16}{address, ended by 0}: a port's number or the name of a pipe, or nothing after an alteration. */
static bool is_acknowledgement(struct cursor c, bool little)
{
	struct cursor address;

	cursor_skip(&c, 8);
	address = cursor_take(&c, take_u16(&c, little));
	return cursor_ok(&address) && (cursor_left(&address) == 0 || cursor_peek(&address, cursor_left(&address) - 1) == 0);
}

/* The token is the end of the PDU; what stands before it says whose it is. */
static void read_token(struct reader *r, const struct pdu_header *h, struct cursor pdu)
{
	uint8_t kind;

	if (h->token_length == 0 || h->token_length + HEADER_BYTES + TRAILER_BYTES > h->length)
		return;
	cursor_skip(&pdu, (size_t)h->length - h->token_length - TRAILER_BYTES);
	kind = cursor_u8(&pdu);
	cursor_skip(&pdu, TRAILER_BYTES - 1);
	if (kind == LOGIN_NTLM || kind == LOGIN_SPNEGO)
		ntlmssp_tell(r, pdu);
}

static enum verdict read_pdu(struct reader *r, struct memo *m, const struct pdu_header *h, struct cursor pdu)
{
	struct cursor body = pdu;
	bool bind = h->type == BIND || h->type == ALTER, acknowledges = h->type == BIND_ACK || h->type == ALTER_ACK;

	cursor_skip(&body, HEADER_BYTES);
	if (bind ? !read_contexts(m, body, h->little) : acknowledges && !is_acknowledgement(body, h->little))
		return NOT_MINE;
	if (!m->mine && !bind && !acknowledges)
		return MAYBE;
	m->mine = true;
	r->sender_role = from_server(h->type) ? ROLE_SERVER : ROLE_CLIENT;
	if (bind || acknowledges || h->type == AUTH3)
		read_token(r, h, pdu);
	if (acknowledges && m->opc)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "opc-da-server");
	return MINE;
}

static enum verdict read_dcerpc(struct reader *r)
{
	struct cursor c = r->bytes, pdu;
	struct pdu_header h;
	enum verdict v;

	if (cursor_left(&c) < HEADER_BYTES)
		return cursor_left(&c) && cursor_peek(&c, 0) == 5 ? NEED_MORE : NOT_MINE;
	if (!parse_header(c, &h))
		return NOT_MINE;
	if (cursor_left(&c) < h.length)
		return r->truncated ? NOT_MINE : NEED_MORE;
	pdu = cursor_take(&c, h.length);
	v = read_pdu(r, r->memo, &h, pdu);
	if (v == MINE || v == MAYBE)
		r->bytes = c;
	return v;
}

const struct classifier classifier_dcerpc = {
	.name = "dcerpc",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_MAPPER },
	.max_message = PDU_BYTES,
	.read = read_dcerpc,
};
