/*
 * ARP: which hardware address an IPv4 address is at. RFC 826; probes and announcements RFC 5227.
 *
 *  0            2            4      5      6      8           14         18          24        28
 *  +------------+------------+------+------+------+-----------+----------+-----------+---------+
 *  | hardware 1 | proto 0800 | hl 6 | pl 4 |  op  |  sha (6)  | spa (4)  |  tha (6)  | tpa (4) |
 *  +------------+------------+------+------+------+-----------+----------+-----------+---------+
 */
#include "classifiers/api/classifier.h"

enum { ETHERTYPE_ARP = 0x0806, HARDWARE_ETHERNET = 1, HARDWARE_IEEE_802 = 6, PROTOCOL_IPV4 = 0x0800 };
enum { OP_REQUEST = 1, OP_REPLY = 2, OP_LAST = 25 /* IANA's last assigned one */ };
enum { TARGET_BYTES = 10 };

/* A single station's address: not zero, not a group. */
static bool station(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, sizeof zero) != 0;
}

/* Not this network (0/8: the sender of a probe has none), not loopback, no group and no broadcast. */
static bool host_address(const uint8_t ip[4])
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

/*
 * What a sender says of itself is believed even when the frame came from another MAC, as with a
 * virtual router's address: everybody on that wire believes it too. Of the target nothing is told:
 * a question doesn't make a device, and its answer speaks for itself.
 */
static enum verdict read_arp(struct reader *r)
{
	struct cursor *c = &r->bytes;
	uint16_t hardware = cursor_u16be(c), protocol = cursor_u16be(c);
	uint8_t hardware_len = cursor_u8(c), protocol_len = cursor_u8(c);
	uint16_t op = cursor_u16be(c);
	uint8_t sha[6], spa[4], tpa[4];

	cursor_copy(c, sha, sizeof sha);
	cursor_copy(c, spa, sizeof spa);
	cursor_skip(c, TARGET_BYTES - sizeof tpa);
	cursor_copy(c, tpa, sizeof tpa);
	if (!cursor_ok(c) || (hardware != HARDWARE_ETHERNET && hardware != HARDWARE_IEEE_802) ||
	    protocol != PROTOCOL_IPV4 || hardware_len != 6 || protocol_len != 4 || op == 0 || op > OP_LAST)
		return NOT_MINE;
	if ((op == OP_REQUEST || op == OP_REPLY) && station(sha) && host_address(spa))
		tell_binding(r, sha, 4, spa);
	/* RFC 5227, 2.3: who comes up asks for its own address. Some do it again and again. */
	if (op == OP_REQUEST && station(sha) && host_address(spa) && memcmp(spa, tpa, sizeof spa) == 0)
		tell_activity(r, NULL, ACTIVITY_STARTED, "ARP announcement");
	r->sender_role = ROLE_PEER;
	return MINE;
}

/* Whom a host asks for tells nothing, unless it asks for itself: a scan and a storm are its own statement, again and again. */
static size_t arp_telling(const struct cursor *frame)
{
	enum { UP_TO_SENDER = 18 };
	struct cursor c = *frame, h = cursor_take(&c, UP_TO_SENDER + TARGET_BYTES);
	uint32_t spa;

	if (!cursor_ok(&h))
		return 0;
	cursor_skip(&h, UP_TO_SENDER - sizeof spa);
	spa = cursor_u32be(&h);
	cursor_skip(&h, TARGET_BYTES - sizeof spa);
	return cursor_u32be(&h) != spa ? UP_TO_SENDER : 0;
}

const struct classifier classifier_arp = {
	.name = "arp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_ARP },
	.read = read_arp,
	.telling = arp_telling,
};
