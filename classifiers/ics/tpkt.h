/*
 * TPKT and COTP, which carry MMS, S7comm-plus and others over TCP. RFC 1006; ISO 8073, class 0.
 *
 *	+----+----+--------+ +----+------+---------------+------------
 *	| 03 | 00 | length | | li | type | rest of header| user data
 *	+----+----+--------+ +----+------+---------------+------------
 *	  1    1    2 (all)    1    1      li - 1
 */
#ifndef CLASSIFIERS_ICS_TPKT_H
#define CLASSIFIERS_ICS_TPKT_H

#include "classifiers/api/classifier.h"

enum { TPKT_PORT = 102, TPKT_HEADER_BYTES = 4, TPKT_LEAST_BYTES = 7, TPKT_LONGEST = 8192 + 7 };
enum cotp { COTP_CONNECT = 0xe0, COTP_CONFIRM = 0xd0, COTP_DATA = 0xf0, COTP_DISCONNECT = 0x80 };
enum { COTP_END = 0x80, COTP_CALLING = 0xc1, COTP_CALLED = 0xc2 };

struct tpkt {
	uint8_t type;         /* enum cotp */
	bool end;             /* COTP_DATA: no more pieces of this message follow */
	struct cursor header; /* after the type */
	struct cursor data;
};

/* Takes one from `c`: MINE, NEED_MORE when it isn't whole yet, NOT_MINE when it is none. */
static inline enum verdict tpkt_take(struct cursor *c, struct tpkt *t)
{
	struct cursor body = *c;
	size_t have = cursor_left(c);
	uint16_t length;

	if ((have >= 1 && cursor_peek(&body, 0) != 3) || (have >= 2 && cursor_peek(&body, 1) != 0))
		return NOT_MINE;
	if (have < TPKT_HEADER_BYTES)
		return NEED_MORE;
	cursor_skip(&body, 2);
	length = cursor_u16be(&body);
	if (length < TPKT_LEAST_BYTES || length > TPKT_LONGEST)
		return NOT_MINE;
	if (have < length)
		return NEED_MORE;
	body = cursor_take(&body, length - (size_t)TPKT_HEADER_BYTES);
	t->header = cursor_take(&body, cursor_u8(&body));
	t->type = cursor_u8(&t->header);
	t->data = body;
	if (t->type == COTP_DATA)
		t->end = cursor_u8(&t->header) & COTP_END;
	if (!cursor_ok(&t->header) || !cursor_ok(&body) || (t->type == COTP_DATA && cursor_left(&t->header)))
		return NOT_MINE;
	if (t->type != COTP_CONNECT && t->type != COTP_CONFIRM && t->type != COTP_DATA && t->type != COTP_DISCONNECT)
		return NOT_MINE;
	cursor_skip(c, length);
	return MINE;
}

/* Parameter `code` of a connect or confirm; a bad cursor without it. */
static inline struct cursor tpkt_parameter(const struct tpkt *t, uint8_t code)
{
	struct cursor c = t->header;

	cursor_skip(&c, 5);
	while (cursor_left(&c)) {
		uint8_t got = cursor_u8(&c);
		struct cursor value = cursor_take(&c, cursor_u8(&c));

		if (got == code)
			return value;
	}
	return (struct cursor){ .bad = true };
}

/* 1 + direction of the client, as the handshake, COTP, the port or at last the message itself shows it. */
static inline uint8_t tpkt_client(const struct reader *r, const struct tpkt *t, bool looks_like_client)
{
	bool client = looks_like_client;

	if (r->handshake == ROLE_CLIENT || r->handshake == ROLE_SERVER)
		client = r->handshake == ROLE_CLIENT;
	else if (t->type == COTP_CONNECT || t->type == COTP_CONFIRM)
		client = t->type == COTP_CONNECT;
	else if ((r->sender_port == TPKT_PORT) != (r->receiver_port == TPKT_PORT))
		client = r->receiver_port == TPKT_PORT;
	return (uint8_t)(1 + (client ? r->direction : !r->direction));
}

#endif
