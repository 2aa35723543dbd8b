/*
 * DNP3 (IEEE 1815-2012) over TCP and UDP: link addresses, roles and device attributes (group 0).
 *
 * Link frame (clause 9.2), user data in blocks of up to 16 bytes, a CRC after the header and each block:
 *
 *   0    2     3      4     6     8     10
 *   05 64 | len | ctrl | dest | src | crc | block .. crc | block .. crc
 *
 * len counts ctrl, both addresses and the user data without CRCs. Then one transport byte (clause 8:
 * FIN 80, FIR 40, sequence) and a piece of an application fragment (clause 4):
 *
 *   control | function | response only: indications (2) | group | variation | qualifier | range | objects
 *
 * The header's CRC is proof enough, so one frame decides. A capture that holds hand-made replies with a
 * wrong CRC is still read as DNP3 when the addresses mirror those of a good frame of its flow; nothing
 * is believed from such a frame.
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum {
	DNP3_PORT = 20000,
	MAX_MESSAGE = 8192,
	HEADER_BYTES = 10,
	MIN_LEN = 5,
	BLOCK_BYTES = 16,
	CTRL_FROM_MASTER = 0x80,
	CTRL_PRIMARY = 0x40,
	RESET_LINK = 0,
	TEST_LINK = 2,
	LINK_STATUS = 9,
	TRANSPORT_FIN = 0x80,
	TRANSPORT_FIR = 0x40,
	TRANSPORT_SEQUENCE = 0x3f,
	FC_RESPONSE = 0x81,
	FC_UNSOLICITED = 0x82,
	FIRST_RESERVED_ADDRESS = 0xfff0, /* broadcasts, self-address and what the standard keeps back */
	MAX_FRAME_DATA = 250,
	MAX_FRAME_BYTES = 292,
	MAX_FRAGMENT = 4096,
};

struct dnp3_memo {
	struct {
		uint16_t src;    /* of the last good frame */
		uint16_t dest;
		bool master;
		bool asked;      /* it asked for the link alone */
		bool good;       /* there was such a frame, */
		bool told;       /* and its addresses were told */
	} heard[2];          /* by direction */
	uint16_t outstation; /* the last one heard */
	bool proven;
	bool several;        /* more than one outstation answers on this flow */
};

_Static_assert(sizeof(struct dnp3_memo) <= MEMO_BYTES, "the memo has 64 bytes");

struct frame {
	uint8_t control;
	uint16_t dest;
	uint16_t src;
	bool good;           /* the header's CRC is right */
	struct cursor blocks; /* user data with its CRCs */
	size_t data_bytes;   /* user data without CRCs */
};

/* A reassembled piece of the application layer. */
struct fragment {
	size_t len;
	uint8_t bytes[MAX_FRAGMENT];
};

/* Polynomial 0x3d65 reflected, four bits at a time (clause 9.2.1.5). */
static uint16_t crc_of(const struct cursor *bytes)
{
	static const uint16_t table[16] = {
		0x0000, 0xb26b, 0x29af, 0x9bc4, 0x535e, 0xe135, 0x7af1, 0xc89a,
		0xa6bc, 0x14d7, 0x8f13, 0x3d78, 0xf5e2, 0x4789, 0xdc4d, 0x6e26,
	};
	uint16_t crc = 0;

	for (const uint8_t *p = bytes->at; p < bytes->end; p++) {
		crc = (uint16_t)(crc >> 4 ^ table[(crc ^ *p) & 15]);
		crc = (uint16_t)(crc >> 4 ^ table[(crc ^ *p >> 4) & 15]);
	}
	return (uint16_t)~crc;
}

/* MINE when a whole frame was taken; the caller judges frame->good. */
static enum verdict read_frame(struct cursor *c, bool truncated, struct frame *f)
{
	struct cursor covered = *c, whole = *c;
	uint16_t start = cursor_u16be(&whole);
	uint8_t len = cursor_u8(&whole);

	if (cursor_left(c) < HEADER_BYTES) {
		if (cursor_left(c) == 0 || cursor_peek(&covered, 0) != 0x05)
			return NOT_MINE;
		return cursor_left(c) == 1 || start == 0x0564 ? NEED_MORE : NOT_MINE;
	}
	if (start != 0x0564 || len < MIN_LEN)
		return NOT_MINE;
	covered = cursor_take(&covered, 8);
	f->control = cursor_u8(&whole);
	f->dest = cursor_u16le(&whole);
	f->src = cursor_u16le(&whole);
	f->good = cursor_u16le(&whole) == crc_of(&covered);
	f->data_bytes = (size_t)len - MIN_LEN;
	f->blocks = cursor_take(&whole, f->data_bytes + 2 * ((f->data_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES));
	if (!cursor_ok(&f->blocks)) {
		if (!f->good)
			return NOT_MINE;
		if (!truncated)
			return NEED_MORE;
		f->blocks = cursor_over(whole.at, 0);
		f->data_bytes = 0;
		whole = *c;
		(void)cursor_rest(&whole);
	}
	*c = whole;
	return MINE;
}

/* Takes the CRCs out of a frame's user data. False when one of them is wrong. */
static bool join_blocks(const struct frame *f, uint8_t to[MAX_FRAME_DATA])
{
	struct cursor c = f->blocks;
	size_t done = 0;

	while (done < f->data_bytes) {
		size_t n = f->data_bytes - done < BLOCK_BYTES ? f->data_bytes - done : BLOCK_BYTES;
		struct cursor block = cursor_take(&c, n);

		if (cursor_u16le(&c) != crc_of(&block) || !cursor_ok(&c))
			return false;
		(void)cursor_copy(&block, to + done, n);
		done += n;
	}
	return true;
}

/* Confirmed or unconfirmed user data of an outstation, long enough for an object? */
static bool carries_data(const struct frame *f)
{
	uint8_t control = f->control & (CTRL_FROM_MASTER | CTRL_PRIMARY | 0x0f);

	return f->data_bytes > 6 && (control == (CTRL_PRIMARY | 3) || control == (CTRL_PRIMARY | 4));
}

/* Does a response begin here whose first object is a device attribute? */
static bool begins_attributes(const uint8_t *data, size_t len)
{
	struct cursor c = cursor_over(data, len);
	uint8_t transport = cursor_u8(&c), function;

	cursor_skip(&c, 1);
	function = cursor_u8(&c);
	cursor_skip(&c, 2);
	return (transport & TRANSPORT_FIR) && (function == FC_RESPONSE || function == FC_UNSOLICITED) && cursor_u8(&c) == 0 &&
	       cursor_ok(&c);
}

static enum attribute attribute_of(uint8_t variation)
{
	switch (variation) {
	case 252: return ATTR_VENDOR;
	case 250: return ATTR_PRODUCT;
	case 248: return ATTR_SERIAL;
	case 243: return ATTR_HARDWARE;
	case 242: return ATTR_FIRMWARE;
	case 247: return ATTR_NAME;
	case 246: return ATTR_DEVICE_ID;
	case 245: return ATTR_LOCATION;
	case 208: return ATTR_DESCRIPTION;
	case 206: return ATTR_CONTACT;
	case 207: return ATTR_CONTACT;
	default: return ATTR_NONE;
	}
}

/* Type 1 is text, 2 and 3 are integers in little-endian order, 5 is octets (table 11-2); numbers told in decimal. */
static void tell_attribute(struct reader *r, const char *path, enum attribute a, uint8_t type, struct cursor value)
{
	size_t len = cursor_left(&value);

	if (a == ATTR_NONE || len == 0)
		return;
	if (type == 1 || type == 5)
		tell(r, SENDER, path, a, value);
	else if (type == 2 && len <= 8)
		tell_format(r, SENDER, path, a, "%llu", (unsigned long long)cursor_le(&value, len));
	else if (type == 3 && len <= 8) {
		unsigned shift = (unsigned)(64 - 8 * len);

		tell_format(r, SENDER, path, a, "%lld", (long long)(int64_t)(cursor_le(&value, len) << shift) >> shift);
	}
}

/* How many objects follow an object header and the width of the index before each. False for forms without objects. */
static bool read_range(struct cursor *c, uint8_t qualifier, unsigned *first, unsigned *count, unsigned *index_bytes)
{
	static const uint8_t prefix_bytes[8] = { 0, 1, 2, 4, 0, 0, 0, 0 };
	unsigned stop;

	*index_bytes = prefix_bytes[qualifier >> 4 & 7];
	*first = 0;
	switch (qualifier & 15) {
	case 0:
	case 1:
		*first = (unsigned)cursor_le(c, (qualifier & 1) + 1u);
		stop = (unsigned)cursor_le(c, (qualifier & 1) + 1u);
		*count = stop >= *first ? stop - *first + 1 : 0;
		return stop >= *first;
	case 7: *count = cursor_u8(c); return true;
	case 8: *count = cursor_u16le(c); return true;
	default: return false;
	}
}

static void read_attributes(struct reader *r, const struct fragment *whole, const char *path)
{
	struct cursor c = cursor_over(whole->bytes, whole->len);

	cursor_skip(&c, 4);
	while (cursor_left(&c) && cursor_u8(&c) == 0) {
		uint8_t variation = cursor_u8(&c);
		unsigned first, count, index_bytes;

		if (!read_range(&c, cursor_u8(&c), &first, &count, &index_bytes))
			return;
		for (unsigned i = 0; i < count && cursor_ok(&c); i++) {
			unsigned index = index_bytes ? (unsigned)cursor_le(&c, index_bytes) : first + i;
			uint8_t type = cursor_u8(&c);
			struct cursor value = cursor_take(&c, cursor_u8(&c));

			/* Sets other than 0 are the manufacturer's own. */
			if (cursor_ok(&value) && index == 0)
				tell_attribute(r, path, attribute_of(variation), type, value);
		}
	}
}

/* Adds a frame's piece. False when it doesn't go on where the last one ended. */
static bool append_piece(struct fragment *whole, const struct frame *f, uint8_t *transport)
{
	uint8_t data[MAX_FRAME_DATA];
	bool first = whole->len == 0;

	if (f->data_bytes == 0 || whole->len + f->data_bytes > MAX_FRAGMENT || !join_blocks(f, data))
		return false;
	if (!first && (data[0] & TRANSPORT_FIR || (data[0] ^ (*transport + 1)) & TRANSPORT_SEQUENCE))
		return false;
	memcpy(whole->bytes + whole->len, data + 1, f->data_bytes - 1);
	whole->len += f->data_bytes - 1;
	*transport = data[0];
	return true;
}

/*
 * Takes the frames that follow until the application fragment is whole. NEED_MORE while one is
 * missing and may still come; the fragment as far as it is known otherwise.
 */
static enum verdict join_frames(struct reader *r, struct cursor *c, const struct frame *first, struct fragment *whole)
{
	struct cursor after = *c;
	struct frame f = *first;
	uint8_t transport = 0;

	whole->len = 0;
	while (append_piece(whole, &f, &transport)) {
		enum verdict v;

		*c = after;
		if (transport & TRANSPORT_FIN)
			break;
		v = cursor_left(&after) ? read_frame(&after, r->truncated, &f) : NEED_MORE;
		if (v == NEED_MORE && r->transport == TRANSPORT_TCP && !r->truncated &&
		    c->at - r->bytes.at < MAX_MESSAGE - 2 * MAX_FRAME_BYTES)
			return NEED_MORE;
		if (v != MINE || !f.good || f.src != first->src)
			break;
	}
	return MINE;
}

/* The port that names sub-assets: that of the side which serves. */
static unsigned port_of(const struct reader *r)
{
	return r->sender_role == ROLE_SERVER ? r->sender_port : r->receiver_port;
}

/* Link services that ask whether somebody is there: nobody need have the address they go to. */
static bool asks_for_link(const struct frame *f)
{
	uint8_t function = f->control & 0x0f;

	return f->control & CTRL_PRIMARY && (function == RESET_LINK || function == TEST_LINK || function == LINK_STATUS);
}

/* Addresses and roles. */
static void tell_addresses(struct reader *r, const struct frame *f, struct dnp3_memo *m)
{
	bool outstation = !(f->control & CTRL_FROM_MASTER);
	char path[FINDING_PATH_BYTES];
	unsigned d = r->direction & 1;

	if (m->heard[d].src == f->src && m->heard[d].dest == f->dest && m->heard[d].master == !outstation &&
	    m->heard[d].asked == asks_for_link(f) && m->heard[d].told)
		return;
	m->heard[d].good = m->heard[d].told = true;
	m->heard[d].src = f->src;
	m->heard[d].dest = f->dest;
	m->heard[d].master = !outstation;
	m->heard[d].asked = asks_for_link(f);
	tell_text(r, SENDER, NULL, ATTR_ROLE, outstation ? "outstation" : "master");
	if (f->src < FIRST_RESERVED_ADDRESS) {
		tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, "%u", f->src);
		if (outstation) {
			snprintf(path, sizeof path, "dnp3/%u/address:%u", port_of(r), f->src);
			tell_subasset(r, SENDER, path);
		}
	}
	if (f->dest < FIRST_RESERVED_ADDRESS && !r->multicast && !m->heard[d].asked)
		tell_format(r, RECEIVER, NULL, ATTR_NETWORK_ADDRESS, "%u", f->dest);
}

/*
 * Who serves is a matter of the connection (an outstation may dial its master), and only where that
 * was not seen of the port and, last, of the role.
 */
static uint8_t role_of(const struct reader *r, const struct frame *f)
{
	if (r->handshake != ROLE_UNKNOWN)
		return r->handshake;
	if (r->sender_port == DNP3_PORT && r->receiver_port != DNP3_PORT)
		return ROLE_SERVER;
	if (r->receiver_port == DNP3_PORT && r->sender_port != DNP3_PORT)
		return ROLE_CLIENT;
	return f->control & CTRL_FROM_MASTER ? ROLE_CLIENT : ROLE_SERVER;
}

static void remember_outstation(struct dnp3_memo *m, const struct frame *f)
{
	m->proven = true;
	if (f->control & CTRL_FROM_MASTER)
		return;
	if (m->outstation && m->outstation != f->src)
		m->several = true;
	m->outstation = f->src;
}

/* Does a frame with a wrong CRC answer a good one? */
static bool mirrors(const struct reader *r, const struct dnp3_memo *m, const struct frame *f)
{
	unsigned other = ~r->direction & 1u;

	return m->heard[other].good && f->src == m->heard[other].dest && f->dest == m->heard[other].src;
}

static enum verdict read_attribute_frames(struct reader *r, struct cursor *c, const struct frame *f, const struct dnp3_memo *m)
{
	char path[FINDING_PATH_BYTES] = "";
	struct fragment whole;
	enum verdict v = join_frames(r, c, f, &whole);

	if (v != MINE)
		return v;
	if (m->several)
		snprintf(path, sizeof path, "dnp3/%u/address:%u", port_of(r), f->src);
	read_attributes(r, &whole, path);
	return MINE;
}

static enum verdict read_one(struct reader *r, struct cursor *c)
{
	struct dnp3_memo *m = r->memo;
	uint8_t data[MAX_FRAME_DATA];
	struct frame f = { 0 };
	enum verdict v = read_frame(c, r->truncated, &f);

	if (v != MINE)
		return v;
	r->sender_role = role_of(r, &f);
	if (!f.good)
		return mirrors(r, m, &f) ? MINE : NOT_MINE;
	if (carries_data(&f) && join_blocks(&f, data) && begins_attributes(data, f.data_bytes)) {
		v = read_attribute_frames(r, c, &f, m);
		if (v != MINE)
			return v;
	}
	tell_addresses(r, &f, m);
	remember_outstation(m, &f);
	return MINE;
}

static enum verdict read_dnp3(struct reader *r)
{
	struct cursor c = r->bytes;
	enum verdict v = read_one(r, &c);

	if (r->transport == TRANSPORT_TCP) {
		if (v == MINE)
			r->bytes = c;
		return v;
	}
	if (v != MINE)
		return NOT_MINE;
	while (cursor_left(&c) && read_one(r, &c) == MINE)
		;
	return MINE;
}

static void forget_dnp3(void *flow)
{
	struct dnp3_memo *memo = flow;

	memo->heard[0].told = memo->heard[1].told = false;
}

const struct classifier classifier_dnp3 = {
	.name = "dnp3",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { DNP3_PORT },
	.max_message = MAX_MESSAGE,
	.read = read_dnp3,
	.forget = forget_dnp3,
};
