/*
 * IGMP: who asks which groups are wanted is a router, or a switch in one's place. RFC 2236 (version 2), RFC 9776 (version 3).
 *
 *   0      1        2          4       8        9    10
 *  +------+--------+----------+-------+--------+----+---------+---------
 *  | type | time   | checksum | group | flags  | .. | sources | 4 each    the second half of version 3 alone
 *  +------+--------+----------+-------+--------+----+---------+---------
 */
#include "classifiers/api/classifier.h"

enum { PROTOCOL_IGMP = 2, SHORT_BYTES = 8 };
enum { QUERY = 0x11, REPORT_1 = 0x12, REPORT_2 = 0x16, LEAVE = 0x17, REPORT_3 = 0x22 };

static bool is_sum_right(const struct reader *r)
{
	struct cursor c = r->bytes;
	uint32_t sum = 0;

	if (r->truncated)
		return true;
	while (cursor_left(&c) >= 2)
		sum += cursor_u16be(&c);
	if (cursor_left(&c))
		sum += (uint32_t)cursor_u8(&c) << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

/* A question from 0.0.0.0 is a switch's that has no address: nobody to tell it of. */
static enum verdict read_igmp(struct reader *r)
{
	struct cursor c = r->bytes;
	uint8_t type = cursor_u8(&c);

	if (cursor_left(&r->bytes) < SHORT_BYTES || !is_sum_right(r))
		return NOT_MINE;
	if (type != QUERY && type != REPORT_1 && type != REPORT_2 && type != LEAVE && type != REPORT_3)
		return NOT_MINE;
	if (type == QUERY)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "multicast-querier");
	r->sender_role = type == QUERY ? ROLE_SERVER : ROLE_CLIENT;
	return MINE;
}

const struct classifier classifier_igmp = {
	.name = "igmp",
	.transports = 1 << TRANSPORT_IP,
	.ethertypes = { PROTOCOL_IGMP },
	.read = read_igmp,
};
