/*
 * PROFINET DCP: name, maker, role and IP address of a station, asked and told on layer 2.
 *
 * IEC 61158-6-10 (PROFINET), "Discovery and basic Configuration Protocol". Ethertype 0x8892 carries
 * all real-time frames; the frame id picks DCP out.
 *
 *	+----------+---------+------+-----+----------+------------+--------
 *	| frame id | service | type | xid | delay    | data length| blocks
 *	| 2        | 1       | 1    | 4   | 2        | 2          |
 *	+----------+---------+------+-----+----------+------------+--------
 *	block: option 1 | suboption 1 | length 2 | body, padded to an even length
 *
 * In answers the body begins with two bytes "block info", counted in its length.
 */
#include "classifiers/ics/profinet_vendor.h"

enum { ETHERTYPE_PROFINET = 0x8892 };
enum frame_id { FRAME_HELLO = 0xfefc, FRAME_GET_SET = 0xfefd, FRAME_IDENTIFY = 0xfefe, FRAME_IDENTIFIED = 0xfeff };
enum service { SERVICE_GET = 3, SERVICE_SET = 4, SERVICE_IDENTIFY = 5, SERVICE_HELLO = 6 };
enum service_type { TYPE_REQUEST = 0, TYPE_SUCCESS = 1, TYPE_UNSUPPORTED = 5 };

/* option << 8 | suboption */
enum block {
	IP_MAC = 0x0101, IP_PARAMETER = 0x0102, IP_SUITE = 0x0103,
	DEVICE_TYPE = 0x0201, DEVICE_NAME = 0x0202, DEVICE_ID = 0x0203, DEVICE_ROLE = 0x0204,
	DEVICE_ALIAS = 0x0206, DEVICE_OEM = 0x0208,
	DHCP_HOSTNAME = 0x030c, DHCP_VENDOR_CLASS = 0x033c,
};

enum { ROLE_IO_DEVICE = 1, ROLE_IO_CONTROLLER = 2, ROLE_MULTIDEVICE = 4, ROLE_SUPERVISOR = 8 };

struct header {
	uint16_t frame_id;
	uint8_t service;
	uint8_t type;
	struct cursor blocks;
};

static void tell_device_id(struct reader *r, struct cursor c)
{
	uint16_t vendor = cursor_u16be(&c), device = cursor_u16be(&c);

	if (!cursor_ok(&c))
		return;
	profinet_tell_vendor(r, SENDER, NULL, vendor);
	tell_format(r, SENDER, NULL, ATTR_DEVICE_ID, "0x%04x", device);
}

/* The bits combine; the whole combination is one value, so that it can't seem to contradict itself. */
static void tell_role(struct reader *r, struct cursor c)
{
	uint8_t role = cursor_u8(&c);

	if (!cursor_ok(&c) || !(role & (ROLE_IO_DEVICE | ROLE_IO_CONTROLLER | ROLE_MULTIDEVICE | ROLE_SUPERVISOR)))
		return;
	tell_format(r, SENDER, NULL, ATTR_ROLE, "%s%s%s%s", role & ROLE_IO_CONTROLLER ? "io-controller " : "",
		    role & ROLE_IO_DEVICE ? "io-device " : "", role & ROLE_MULTIDEVICE ? "multidevice " : "",
		    role & ROLE_SUPERVISOR ? "supervisor" : "");
}

static void tell_address(struct reader *r, enum attribute a, const uint8_t ip[4])
{
	if (ip[0] | ip[1] | ip[2] | ip[3])
		tell_format(r, SENDER, NULL, a, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

static void tell_ip(struct reader *r, struct cursor c)
{
	uint8_t ip[4], mask[4], gateway[4];

	cursor_copy(&c, ip, 4);
	cursor_copy(&c, mask, 4);
	cursor_copy(&c, gateway, 4);
	if (!cursor_ok(&c) || !(ip[0] | ip[1] | ip[2] | ip[3]))
		return;
	tell_binding(r, r->sender->mac, 4, ip);
	tell_address(r, ATTR_IP, ip);
	tell_address(r, ATTR_NETMASK, mask);
	tell_address(r, ATTR_GATEWAY, gateway);
}

static void tell_mac(struct reader *r, struct cursor c)
{
	uint8_t m[6];

	if (cursor_copy(&c, m, sizeof m))
		tell_format(r, SENDER, NULL, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void tell_oem(struct reader *r, struct cursor c)
{
	uint16_t vendor = cursor_u16be(&c), device = cursor_u16be(&c);

	if (cursor_ok(&c))
		tell_format(r, SENDER, NULL, ATTR_DESCRIPTION, "OEM vendor 0x%04x, device 0x%04x", vendor, device);
}

static void tell_block(struct reader *r, uint16_t block, struct cursor body)
{
	switch (block) {
	case IP_MAC:
		tell_mac(r, body);
		break;
	case IP_PARAMETER:
	case IP_SUITE:
		tell_ip(r, body);
		break;
	case DEVICE_TYPE:
		tell(r, SENDER, NULL, ATTR_PRODUCT, body);
		break;
	case DEVICE_NAME:
		tell(r, SENDER, NULL, ATTR_NAME, body);
		break;
	case DEVICE_ID:
		tell_device_id(r, body);
		break;
	case DEVICE_ROLE:
		tell_role(r, body);
		break;
	case DEVICE_ALIAS:
		tell(r, SENDER, NULL, ATTR_PORT_NAME, body);
		break;
	case DEVICE_OEM:
		tell_oem(r, body);
		break;
	case DHCP_HOSTNAME:
		tell(r, SENDER, NULL, ATTR_HOSTNAME, body);
		break;
	case DHCP_VENDOR_CLASS:
		tell(r, SENDER, NULL, ATTR_VENDOR_CLASS, body);
		break;
	}
}

/* True when blocks follow each other up to the end, or the capture cut them. */
static bool read_blocks(struct reader *r, struct cursor c, bool speaks_of_itself)
{
	while (cursor_left(&c)) {
		uint16_t block = cursor_u16be(&c), length = cursor_u16be(&c);
		struct cursor body = cursor_take(&c, length);

		if (!cursor_ok(&body))
			return r->truncated;
		if (length % 2 && cursor_left(&c))
			cursor_skip(&c, 1);
		cursor_skip(&body, 2); /* block info */
		if (speaks_of_itself && cursor_ok(&body))
			tell_block(r, block, body);
	}
	return true;
}

static bool known_service(const struct header *h)
{
	switch (h->frame_id) {
	case FRAME_HELLO:
		return h->service == SERVICE_HELLO && h->type == TYPE_REQUEST;
	case FRAME_GET_SET:
		return (h->service == SERVICE_GET || h->service == SERVICE_SET) &&
		       (h->type == TYPE_REQUEST || h->type == TYPE_SUCCESS || h->type == TYPE_UNSUPPORTED);
	case FRAME_IDENTIFY:
		return h->service == SERVICE_IDENTIFY && h->type == TYPE_REQUEST;
	default:
		return h->service == SERVICE_IDENTIFY && (h->type == TYPE_SUCCESS || h->type == TYPE_UNSUPPORTED);
	}
}

static enum verdict read_profinet_dcp(struct reader *r)
{
	struct cursor c = r->bytes;
	struct header h = { .frame_id = cursor_u16be(&c) };
	uint16_t length;
	bool answers;

	if (h.frame_id < FRAME_HELLO || h.frame_id > FRAME_IDENTIFIED)
		return NOT_MINE;
	h.service = cursor_u8(&c);
	h.type = cursor_u8(&c);
	cursor_skip(&c, 6);
	length = cursor_u16be(&c);
	if (!cursor_ok(&c) || !known_service(&h) || (cursor_left(&c) < length && !r->truncated))
		return NOT_MINE;
	h.blocks = cursor_take(&c, cursor_left(&c) < length ? cursor_left(&c) : length);
	answers = h.service == SERVICE_HELLO || h.type != TYPE_REQUEST;
	r->sender_role = answers ? ROLE_SERVER : ROLE_CLIENT;
	if (h.service == SERVICE_HELLO)
		tell_activity(r, NULL, ACTIVITY_STARTED, "DCP Hello (0xfefc)");
	else if (h.service == SERVICE_SET && h.type == TYPE_REQUEST)
		tell_activity(r, NULL, ACTIVITY_CONFIGURATION, "DCP Set (service 4)");
	/* Requests hold bare lists of options (get) and values for somebody else (set): no blocks of the sender's own. */
	if (h.service == SERVICE_GET && h.type == TYPE_REQUEST)
		return MINE;
	return read_blocks(r, h.blocks, answers && h.service != SERVICE_SET) ? MINE : NOT_MINE;
}

const struct classifier classifier_profinet_dcp = {
	.name = "profinet_dcp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_PROFINET },
	.read = read_profinet_dcp,
};
