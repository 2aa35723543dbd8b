/*
 * MRP: rings of switches and devices, and which of them manages the ring. IEC 62439-2, clause 8.
 *
 *  {version u16 = 1} then a row of {type u8}{length u8}{value}, ended by type 0
 *  common 1 {sequence u16}{domain 16}                    test 2 {priority u16}{MAC 6}{port role u16}{ring state u16}{..}
 *  topology change 3 {priority u16}{MAC 6}{..}           link down 4, up 5 {MAC 6}{port role u16}{interval u16}{blocked u16}
 *  interconnection 6 to 10                               option 127 {OUI 3}{..}
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum { ETHERTYPE_MRP = 0x88e3, VERSION = 1 };
enum {
	PART_END = 0, PART_COMMON = 1, PART_TEST = 2, PART_TOPOLOGY_CHANGE = 3, PART_LINK_DOWN = 4, PART_LINK_UP = 5,
	PART_INTERCONNECTION_LAST = 10, PART_OPTION = 127,
};
enum { COMMON_BYTES = 18, LEAST_BYTES = 6 };

static void tell_mac(struct reader *r, struct cursor *c)
{
	static const uint8_t none[6];
	uint8_t m[6];

	if (cursor_copy(c, m, sizeof m) && memcmp(m, none, sizeof none) != 0)
		tell_format(r, SENDER, NULL, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* Rings told apart by their domain; nearly all leave it at the default, all ones. */
static void tell_domain(struct reader *r, struct cursor c)
{
	uint8_t d[16];

	cursor_skip(&c, 2);
	if (cursor_copy(&c, d, sizeof d))
		tell_format(r, SENDER, NULL, ATTR_NETWORK_ADDRESS,
			    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2], d[3], d[4], d[5],
			    d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

static void read_test(struct reader *r, struct cursor c)
{
	uint16_t state;

	cursor_skip(&c, 2);
	tell_mac(r, &c);
	cursor_skip(&c, 2);
	state = cursor_u16be(&c);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "ring-manager");
	if (cursor_ok(&c) && state <= 1)
		tell_text(r, SENDER, NULL, ATTR_STATE, state ? "ring closed" : "ring open");
}

static void read_part(struct reader *r, uint8_t type, struct cursor c)
{
	switch (type) {
	case PART_COMMON:
		tell_domain(r, c);
		break;
	case PART_TEST:
		read_test(r, c);
		break;
	case PART_TOPOLOGY_CHANGE:
		cursor_skip(&c, 2);
		tell_mac(r, &c);
		tell_text(r, SENDER, NULL, ATTR_ROLE, "ring-manager");
		break;
	case PART_LINK_DOWN:
	case PART_LINK_UP:
		tell_mac(r, &c);
		tell_text(r, SENDER, NULL, ATTR_ROLE, "ring-client");
		break;
	}
}

static bool is_part(uint8_t type, uint8_t len)
{
	if (type == PART_COMMON)
		return len == COMMON_BYTES;
	return (type >= PART_TEST && type <= PART_INTERCONNECTION_LAST && len >= LEAST_BYTES) || type == PART_OPTION;
}

/* Every frame says first what it is about and then whose ring it is of. */
static enum verdict read_mrp(struct reader *r)
{
	struct cursor c = r->bytes;
	bool common = false;
	unsigned parts = 0;

	if (cursor_u16be(&c) != VERSION)
		return NOT_MINE;
	while (cursor_left(&c) >= 2) {
		uint8_t type = cursor_u8(&c), len = cursor_u8(&c);
		struct cursor value = cursor_take(&c, len);

		if (type == PART_END)
			break;
		if (!cursor_ok(&value) && r->truncated)
			break;
		if (!cursor_ok(&value) || !is_part(type, len))
			return NOT_MINE;
		common |= type == PART_COMMON;
		parts++;
		read_part(r, type, value);
	}
	r->sender_role = ROLE_PEER;
	return parts && (common || r->truncated) ? MINE : NOT_MINE;
}

const struct classifier classifier_mrp = {
	.name = "mrp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_MRP },
	.read = read_mrp,
};
