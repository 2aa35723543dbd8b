/*
 * HSRP: Cisco's routers that share an address, and which of them has it now. RFC 2281; version 2 as Cisco documents it.
 *
 *   0         1        2       3       4      5          6       7   8      16
 *  +---------+--------+-------+-------+------+----------+-------+---+------+-------------+
 *  | version | opcode | state | hello | hold | priority | group | - | auth | address (4) |           version 1, 20 bytes
 *  +---------+--------+-------+-------+------+----------+-------+---+------+-------------+
 *  | 1 | 40  | version 2 | opcode | state | family | group u16 | identifier 6 | priority u32 | hello u32 | hold u32 | address 16 |
 *
 * Version 2 is a row of {type}{length}: type 1 is the above, 2 how many groups the sender is in. Types 3 and 4 prove who
 * sends, with a word or a digest; version 1 may have the latter behind it. They are passed over, as `auth` is.
 */
#include "classifiers/api/classifier.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { PORT_HSRP = 1985, PORT_HSRP_6 = 2029, VERSION_1_BYTES = 20, GROUP_STATE = 1, GROUP_STATE_BYTES = 40,
       INTERFACE_STATE = 2, INTERFACE_STATE_BYTES = 4, LAST_TYPE = 4, LAST_OPCODE = 2 };

struct hello {
	const char *state;
	unsigned group, priority;
	int family;
	uint8_t ip[16];
};

/* Version 1 has a bit for each, version 2 counts them from 1. */
static const char *state_name(uint8_t version, uint8_t state)
{
	static const char *const names[] = { "initial", "learn", "listen", "speak", "standby", "active" };

	if (version == 2)
		return state >= 1 && state <= 6 ? names[state - 1] : NULL;
	for (unsigned i = 0; i < 6; i++)
		if (state == (i ? 1u << (i - 1) : 0))
			return names[i];
	return NULL;
}

/* {type}{length}{value}, to the end. */
static bool is_row(struct cursor c)
{
	while (cursor_left(&c)) {
		uint8_t type = cursor_u8(&c);

		cursor_skip(&c, cursor_u8(&c));
		if (type == 0 || type > LAST_TYPE || !cursor_ok(&c))
			return false;
	}
	return true;
}

static bool read_version_1(struct cursor c, bool truncated, struct hello *h)
{
	uint8_t version = cursor_u8(&c), opcode = cursor_u8(&c), state = cursor_u8(&c), hello = cursor_u8(&c), hold = cursor_u8(&c);

	h->priority = cursor_u8(&c);
	h->group = cursor_u8(&c);
	h->state = state_name(1, state);
	h->family = AF_INET;
	if (version != 0 || opcode > LAST_OPCODE || !h->state || hello == 0 || hold < hello || cursor_u8(&c) != 0)
		return false;
	cursor_skip(&c, 8);
	cursor_copy(&c, h->ip, 4);
	return cursor_ok(&c) && (is_row(c) || truncated);
}

static bool read_version_2(struct cursor c, struct hello *h)
{
	uint8_t type = cursor_u8(&c), len = cursor_u8(&c), version = cursor_u8(&c), opcode = cursor_u8(&c), state = cursor_u8(&c);
	uint8_t family = cursor_u8(&c);
	uint32_t hello, hold;

	h->group = cursor_u16be(&c);
	cursor_skip(&c, 6);
	h->priority = cursor_u32be(&c);
	hello = cursor_u32be(&c);
	hold = cursor_u32be(&c);
	cursor_copy(&c, h->ip, 16);
	h->state = state_name(2, state);
	h->family = family == 6 ? AF_INET6 : AF_INET;
	return cursor_ok(&c) && type == GROUP_STATE && len == GROUP_STATE_BYTES && version == 2 && opcode <= LAST_OPCODE && h->state &&
	       (family == 4 || family == 6) && h->priority <= 255 && hello && hold >= hello;
}

/* Routers in the group that have yet to learn its address say zeros. */
static void tell_group(struct reader *r, const struct hello *h)
{
	static const uint8_t none[16];
	char path[40], text[INET6_ADDRSTRLEN];

	snprintf(path, sizeof path, "hsrp/%u/group:%u", PORT_HSRP, h->group);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "router");
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "Cisco");
	tell_subasset(r, SENDER, path);
	if (memcmp(h->ip, none, sizeof none) != 0 && inet_ntop(h->family, h->ip, text, sizeof text))
		tell_text(r, SENDER, path, ATTR_IP, text);
	tell_text(r, SENDER, path, ATTR_STATE, h->state);
	tell_format(r, SENDER, path, ATTR_DESCRIPTION, "priority %u", h->priority);
}

/* Twenty bytes, most of them small numbers: from and to this port alone they are a hello. */
static enum verdict read_hsrp(struct reader *r)
{
	static const uint8_t interface_state[] = { INTERFACE_STATE, INTERFACE_STATE_BYTES };
	struct hello h = { 0 };

	if (r->receiver_port != PORT_HSRP && r->receiver_port != PORT_HSRP_6)
		return NOT_MINE;
	/* How many groups there are is said on a flow of its own as often as beside them. */
	if (cursor_starts(&r->bytes, interface_state, sizeof interface_state))
		return is_row(r->bytes) ? MAYBE : NOT_MINE;
	if (!read_version_1(r->bytes, r->truncated, &h) && !read_version_2(r->bytes, &h))
		return NOT_MINE;
	tell_group(r, &h);
	r->sender_role = ROLE_PEER;
	r->service_port = r->receiver_port;
	return MINE;
}

const struct classifier classifier_hsrp = {
	.name = "hsrp",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_HSRP, PORT_HSRP_6 },
	.read = read_hsrp,
};
