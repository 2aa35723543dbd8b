/*
 * S7comm: Siemens S7-300/400, ET 200 CPUs, and partly S7-1200/1500 and LOGO!.
 *
 * The protocol is not published; its carriers are: RFC 1006 (TPKT), ISO 8073 (COTP). What is read
 * are system status lists (SZL), described in Siemens "System Software for S7-300/400, System and
 * Standard Functions", chapter "System Status Lists".
 *
 *	TPKT           COTP data        S7 header                                    (ROSCTR 2, 3)
 *	+--+--+------+ +--+--+-------+ +--+------+----+------+--------+---------+ +-----+-----+
 *	|03|00|length| |02|F0|EOT 80 | |32|ROSCTR|0000|PDU id|par len |data len | |class| code| parameters, data
 *	+--+--+------+ +--+--+-------+ +--+------+----+------+--------+---------+ +-----+-----+
 *
 * A list longer than a PDU comes in several user data replies, cut anywhere in a record; the memo
 * keeps the piece that is left over. COTP and TPKT also carry MMS, S7comm-plus, RDP and more, so
 * that only the byte 32 with fitting lengths decides.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/ics/s7_activity.h"

#include <stdio.h>

enum {
	S7_PORT = 102,
	TPKT_BYTES = 4,
	LONGEST_TPKT = 8192 + 7, /* the largest TPDU that COTP can agree on */
	COTP_CONNECT = 0xe0, COTP_CONFIRM = 0xd0, COTP_DATA = 0xf0, COTP_DISCONNECT = 0x80,
	COTP_EOT = 0x80,
	TSAP_CALLED = 0xc2,
	PROTOCOL_ID = 0x32,
	SIEMENS = 0x002a,
	RECORD_BYTES = 48,       /* the longest record that is read */
};

enum rosctr { JOB = 1, ACK = 2, ACK_DATA = 3, USERDATA = 7 };
enum { USERDATA_PUSH = 0, USERDATA_REQUEST = 4, USERDATA_RESPONSE = 8, GROUP_CPU = 4, CPU_READ_SZL = 1 };
enum szl { SZL_MODULE = 0x11, SZL_COMPONENT = 0x1c, SZL_MODE = 0x24, SZL_ETHERNET = 0x37, SZL_MODULE_STATE = 0x91 };
enum { MODULE_BYTES = 28, COMPONENT_BYTES = 34, MODE_BYTES = 20, ETHERNET_BYTES = 48, MODULE_STATE_BYTES = 16 };
enum { MODULE_EXISTS = 2, MODULE_UNAVAILABLE = 4 };

struct memo {
	uint16_t szl;       /* list being read, 0 none */
	uint16_t tsap;      /* that the client called, 0 unknown */
	uint8_t szl_seq;
	uint8_t record_len;
	uint8_t have;       /* bytes of `record` that are there */
	uint8_t client;     /* 1 + direction of the client, 0 unknown */
	uint8_t fragment;   /* bit for each direction: a COTP message goes on */
	bool mine;
	uint8_t tsap_told;  /* bit for each direction */
	uint8_t reserved[5];
	uint8_t record[RECORD_BYTES];
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct pdu {
	uint8_t rosctr;
	bool failed; /* an answer with an error class */
	struct cursor parameters;
	struct cursor data;
};

static void learn_client(struct memo *memo, const struct reader *r, bool sender_is_client)
{
	if (!memo->client)
		memo->client = (uint8_t)(1 + (sender_is_client ? r->direction : !r->direction));
}

/* Who connected: by handshake, by COTP, by the port; else as the message itself looks. */
static void find_client(struct memo *memo, const struct reader *r, bool looks_like_client)
{
	if (r->handshake == ROLE_CLIENT || r->handshake == ROLE_SERVER)
		learn_client(memo, r, r->handshake == ROLE_CLIENT);
	else if ((r->sender_port == S7_PORT) != (r->receiver_port == S7_PORT))
		learn_client(memo, r, r->receiver_port == S7_PORT);
	else
		learn_client(memo, r, looks_like_client);
}

static bool from_server(const struct memo *memo, const struct reader *r)
{
	return memo->client != 1 + r->direction;
}

/* COTP connect request or confirm: two references, class, then {code, length, value}. */
static enum verdict read_connect(struct reader *r, struct memo *memo, struct cursor c, uint8_t type)
{
	cursor_skip(&c, 5);
	if (!cursor_ok(&c))
		return NOT_MINE;
	while (cursor_left(&c)) {
		uint8_t code = cursor_u8(&c);
		struct cursor value = cursor_take(&c, cursor_u8(&c));

		if (!cursor_ok(&c))
			return NOT_MINE;
		if (code == TSAP_CALLED && type == COTP_CONNECT && cursor_left(&value) == 2)
			memo->tsap = cursor_u16be(&value);
	}
	learn_client(memo, r, type == COTP_CONNECT);
	if (memo->mine) /* a second connection on the same TCP connection can't be, but costs nothing */
		r->sender_role = from_server(memo, r) ? ROLE_SERVER : ROLE_CLIENT;
	return memo->mine ? MINE : MAYBE;
}

/* The called TSAP's first byte says as what the client comes, its second where the CPU sits. */
static void tell_tsap(struct reader *r, struct memo *memo)
{
	static const char *const roles[] = { NULL, "engineering station", "operator station", NULL };
	uint8_t kind = (uint8_t)(memo->tsap >> 8), rack = memo->tsap >> 5 & 7, slot = memo->tsap & 31;
	char path[FINDING_PATH_BYTES];

	memo->tsap_told |= (uint8_t)(1 << r->direction);
	if (kind < 1 || kind > 3)
		return;
	if (!from_server(memo, r)) {
		if (roles[kind])
			tell_text(r, SENDER, NULL, ATTR_ROLE, roles[kind]);
	} else if (slot) {
		snprintf(path, sizeof path, "s7comm/%u/rack:%u/slot:%u", r->sender_port, rack, slot);
		tell_subasset(r, SENDER, path);
	}
}

/* Index, order number (20), class, two version words. */
static void tell_module(struct reader *r, struct cursor c)
{
	uint16_t index = cursor_u16be(&c);
	struct cursor order = cursor_take(&c, 20), version;
	uint8_t letter, major, minor, patch;

	cursor_skip(&c, 2);
	version = c;
	letter = cursor_u8(&c);
	major = cursor_u8(&c);
	minor = cursor_u8(&c);
	patch = cursor_u8(&c);
	if (index == 1 || index == 6)
		tell(r, SENDER, NULL, ATTR_ORDER_CODE, order);
	if (index == 6)
		tell_format(r, SENDER, NULL, ATTR_HARDWARE, "%u", cursor_u16be(&version));
	else if (index == 7 && letter >= 'A' && letter <= 'Z')
		tell_format(r, SENDER, NULL, ATTR_FIRMWARE, "%c%u.%u.%u", letter, major, minor, patch);
}

static void tell_component(struct reader *r, struct cursor c)
{
	static const enum attribute attributes[] = {
		[1] = ATTR_NAME,          /* of the station */
		[2] = ATTR_PRODUCT,       /* of the module: its type unless the project renamed it */
		[3] = ATTR_LOCATION,      /* plant designation */
		[4] = ATTR_DESCRIPTION,   /* copyright */
		[5] = ATTR_SERIAL,
		[7] = ATTR_DEVICE_CLASS,  /* type of the module: "CPU 315-2 PN/DP" */
		[11] = ATTR_LOCATION,
	};
	uint16_t index = cursor_u16be(&c), maker;
	char path[FINDING_PATH_BYTES];

	if (index < sizeof attributes / sizeof attributes[0] && attributes[index] != ATTR_NONE) {
		tell(r, SENDER, NULL, attributes[index], c);
	} else if (index == 8 && cursor_peek(&c, 0) > ' ') {
		snprintf(path, sizeof path, "s7comm/%u/card:0", r->sender_port);
		tell(r, SENDER, path, ATTR_DESCRIPTION, c);
	} else if (index == 9 && (maker = cursor_u16be(&c)) != 0) {
		tell_format(r, SENDER, NULL, ATTR_VENDOR_ID, "0x%04x", maker);
		if (maker == SIEMENS)
			tell_text(r, SENDER, NULL, ATTR_VENDOR, "Siemens");
	}
}

/* Event, kind, operating mode (low half: now), and more of the last change of mode. Only 0424 is of now. */
static void tell_mode(struct reader *r, uint16_t szl, struct cursor c)
{
	static const char *const modes[16] = {
		[1] = "stop", [2] = "stop", [3] = "stop", [4] = "stop", [5] = "startup", [6] = "startup", [7] = "startup",
		[8] = "run", [9] = "run", [10] = "hold", [13] = "defect",
	};
	uint8_t mode;

	cursor_skip(&c, 3);
	mode = cursor_u8(&c) & 15;
	if (szl == 0x0424 && modes[mode])
		tell_text(r, SENDER, NULL, ATTR_STATE, modes[mode]);
}

/* Logical address, IP address, mask, gateway, MAC. */
static void tell_ethernet(struct reader *r, struct cursor c)
{
	uint8_t ip[4], mask[4], gateway[4], mac[6];
	static const uint8_t none[6];

	cursor_skip(&c, 2);
	cursor_copy(&c, ip, 4);
	cursor_copy(&c, mask, 4);
	cursor_copy(&c, gateway, 4);
	cursor_copy(&c, mac, 6);
	if (!cursor_ok(&c) || memcmp(ip, none, 4) == 0 || memcmp(mac, none, 6) == 0)
		return;
	tell_format(r, SENDER, NULL, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	tell_format(r, SENDER, NULL, ATTR_IP, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
	tell_format(r, SENDER, NULL, ATTR_NETMASK, "%u.%u.%u.%u", mask[0], mask[1], mask[2], mask[3]);
	if (memcmp(gateway, none, 4) != 0)
		tell_format(r, SENDER, NULL, ATTR_GATEWAY, "%u.%u.%u.%u", gateway[0], gateway[1], gateway[2], gateway[3]);
}

/* Where a module sits: a central rack, a PROFIBUS station or a PROFINET device, and its slot. */
static void make_module_path(char path[FINDING_PATH_BYTES], uint16_t port, uint16_t where, uint8_t slot)
{
	if (where & 0x8000)
		snprintf(path, FINDING_PATH_BYTES, "s7comm/%u/pn:%u/device:%u/slot:%u", port, 100u + (where >> 11 & 15),
			 where & 0x7ffu, slot);
	else if (where > 0xff)
		snprintf(path, FINDING_PATH_BYTES, "s7comm/%u/dp:%u/station:%u/slot:%u", port, where >> 8, where & 0xffu, slot);
	else
		snprintf(path, FINDING_PATH_BYTES, "s7comm/%u/rack:%u/slot:%u", port, where, slot);
}

/* Two address words, logical address, expected and actual type, result, state, width. */
static void tell_module_state(struct reader *r, struct cursor c)
{
	uint16_t where = cursor_u16be(&c), slot = cursor_u16be(&c), type, state;
	char path[FINDING_PATH_BYTES];

	cursor_skip(&c, 4);
	type = cursor_u16be(&c);
	cursor_skip(&c, 2);
	state = cursor_u16be(&c);
	if (!cursor_ok(&c) || !(state & MODULE_EXISTS) || state & MODULE_UNAVAILABLE || slot >> 8 == 0)
		return;
	make_module_path(path, r->sender_port, where, (uint8_t)(slot >> 8));
	tell_subasset(r, SENDER, path);
	if ((slot & 0xff) == 0 && type != 0 && type != 0xffff)
		tell_format(r, SENDER, path, ATTR_DEVICE_ID, "0x%04x", type);
}

static uint8_t wanted_record(uint16_t szl)
{
	switch (szl & 0xff) {
	case SZL_MODULE:
		return MODULE_BYTES;
	case SZL_COMPONENT:
		return COMPONENT_BYTES;
	case SZL_MODE:
		return MODE_BYTES;
	case SZL_ETHERNET:
		return ETHERNET_BYTES;
	case SZL_MODULE_STATE:
		return MODULE_STATE_BYTES;
	default:
		return 0;
	}
}

static void tell_record(struct reader *r, uint16_t szl, struct cursor record)
{
	switch (szl & 0xff) {
	case SZL_MODULE:
		tell_module(r, record);
		break;
	case SZL_COMPONENT:
		tell_component(r, record);
		break;
	case SZL_MODE:
		tell_mode(r, szl, record);
		break;
	case SZL_ETHERNET:
		tell_ethernet(r, record);
		break;
	default:
		tell_module_state(r, record);
	}
}

/* Records of the list, the first of which may have begun in the reply before this one. */
static void read_records(struct reader *r, struct memo *memo, struct cursor c)
{
	if (memo->have) {
		size_t missing = memo->record_len - memo->have, n = cursor_left(&c) < missing ? cursor_left(&c) : missing;

		cursor_copy(&c, memo->record + memo->have, n);
		memo->have = (uint8_t)(memo->have + n);
		if (memo->have < memo->record_len)
			return;
		tell_record(r, memo->szl, cursor_over(memo->record, memo->record_len));
		memo->have = 0;
	}
	while (cursor_left(&c) >= memo->record_len)
		tell_record(r, memo->szl, cursor_take(&c, memo->record_len));
	memo->have = (uint8_t)cursor_left(&c);
	cursor_copy(&c, memo->record, memo->have);
}

/* A reply to "read SZL", or a further part of one: return code, transport size, length, list. */
static void read_szl(struct reader *r, struct memo *memo, struct cursor c, uint8_t seq, bool last)
{
	uint8_t code = cursor_u8(&c);
	struct cursor list;

	cursor_skip(&c, 1);
	list = cursor_take(&c, cursor_u16be(&c));
	if (!cursor_ok(&list) || code != 0xff) {
		memo->szl = 0;
		return;
	}
	if (!memo->szl || memo->szl_seq != seq) {
		memo->szl = cursor_u16be(&list);
		cursor_skip(&list, 2);
		memo->have = 0;
		memo->szl_seq = seq;
		memo->record_len = wanted_record(memo->szl);
		if (cursor_u16be(&list) != memo->record_len || memo->record_len == 0)
			memo->record_len = 0;
		cursor_skip(&list, 2);
	}
	if (memo->record_len && cursor_ok(&list))
		read_records(r, memo, list);
	if (last)
		memo->szl = 0;
}

/* User data parameters: 00 01 12, length, method, type and group, subfunction, sequence, unit, last, error. */
static void read_userdata(struct reader *r, struct memo *memo, const struct pdu *pdu)
{
	struct cursor c = pdu->parameters;
	uint8_t kind, function, seq, more;
	uint16_t error;

	cursor_skip(&c, 5);
	kind = cursor_u8(&c);
	function = cursor_u8(&c);
	seq = cursor_u8(&c);
	cursor_skip(&c, 1);
	more = cursor_u8(&c);
	error = cursor_u16be(&c);
	if (!cursor_ok(&c) || kind != (USERDATA_RESPONSE << 4 | GROUP_CPU) || function != CPU_READ_SZL)
		return;
	if (error || r->gap)
		memo->szl = 0;
	if (!error)
		read_szl(r, memo, pdu->data, seq, more == 0);
}

/* True when the lengths of the header make up exactly the bytes that are there. */
static bool parse_pdu(struct cursor c, struct pdu *pdu)
{
	uint16_t parameters, data;

	if (cursor_u8(&c) != PROTOCOL_ID)
		return false;
	pdu->rosctr = cursor_u8(&c);
	if (cursor_u16be(&c) != 0)
		return false;
	cursor_skip(&c, 2);
	parameters = cursor_u16be(&c);
	data = cursor_u16be(&c);
	pdu->failed = false;
	if (pdu->rosctr == ACK || pdu->rosctr == ACK_DATA)
		pdu->failed = cursor_u16be(&c) != 0;
	else if (pdu->rosctr != JOB && pdu->rosctr != USERDATA)
		return false;
	pdu->parameters = cursor_take(&c, parameters);
	pdu->data = cursor_take(&c, data);
	return cursor_ok(&c) && cursor_left(&c) == 0;
}

/* The first of several COTP pieces: its header states more than is here. */
static bool begins_pdu(struct cursor c)
{
	uint8_t id = cursor_u8(&c), rosctr = cursor_u8(&c);
	uint16_t zero = cursor_u16be(&c);

	return cursor_ok(&c) && id == PROTOCOL_ID && zero == 0 &&
	       (rosctr == JOB || rosctr == ACK || rosctr == ACK_DATA || rosctr == USERDATA);
}

static bool looks_like_client(const struct pdu *pdu)
{
	struct cursor c = pdu->parameters;

	if (pdu->rosctr != USERDATA)
		return pdu->rosctr == JOB;
	cursor_skip(&c, 5);
	return cursor_u8(&c) >> 4 == USERDATA_REQUEST;
}

static enum verdict accept(struct reader *r, struct memo *memo)
{
	memo->mine = true;
	r->sender_role = from_server(memo, r) ? ROLE_SERVER : ROLE_CLIENT;
	if (memo->tsap && !(memo->tsap_told & 1 << r->direction))
		tell_tsap(r, memo);
	return MINE;
}

static enum verdict read_whole(struct reader *r, struct memo *memo, struct cursor c)
{
	struct pdu pdu;

	if (!parse_pdu(c, &pdu))
		return NOT_MINE;
	find_client(memo, r, looks_like_client(&pdu));
	accept(r, memo);
	if (pdu.failed)
		r->signs |= SIGN_ERROR;
	if (pdu.rosctr == JOB && r->sender_role == ROLE_CLIENT)
		s7_tell_job(r, pdu.parameters);
	if (pdu.rosctr == USERDATA && r->sender_role == ROLE_CLIENT)
		s7_tell_userdata(r, pdu.parameters);
	else if (pdu.rosctr == USERDATA)
		read_userdata(r, memo, &pdu);
	return MINE;
}

/* COTP data. Pieces of a longer message are taken unread: no identity needs one. */
static enum verdict read_data(struct reader *r, struct memo *memo, struct cursor c, bool end)
{
	uint8_t bit = (uint8_t)(1 << r->direction);
	bool goes_on = memo->fragment & bit;

	if (goes_on && !r->gap) {
		if (end)
			memo->fragment &= (uint8_t)~bit;
		return memo->mine ? accept(r, memo) : MAYBE;
	}
	memo->fragment &= (uint8_t)~bit;
	if (cursor_left(&c) == 0) /* some CPUs acknowledge with empty data */
		return memo->mine ? accept(r, memo) : MAYBE;
	if (end)
		return read_whole(r, memo, c);
	if (!begins_pdu(c))
		return NOT_MINE;
	memo->fragment |= bit;
	memo->szl = 0;
	if (!memo->mine)
		return MAYBE;
	return accept(r, memo);
}

static enum verdict read_cotp(struct reader *r, struct memo *memo, struct cursor c)
{
	struct cursor header = cursor_take(&c, cursor_u8(&c));
	uint8_t type = cursor_u8(&header);

	if (!cursor_ok(&header))
		return NOT_MINE;
	switch (type) {
	case COTP_CONNECT:
	case COTP_CONFIRM:
		return cursor_left(&c) ? NOT_MINE : read_connect(r, memo, header, type);
	case COTP_DATA:
		return cursor_left(&header) == 1 ? read_data(r, memo, c, cursor_u8(&header) & COTP_EOT) : NOT_MINE;
	case COTP_DISCONNECT:
		return memo->mine ? accept(r, memo) : MAYBE;
	default:
		return NOT_MINE;
	}
}

/* User data that are neither an answer with a list nor what a programmer does: cyclic values, mostly. */
static bool glance_userdata(struct cursor c, bool client)
{
	uint8_t kind, group, type;

	cursor_skip(&c, 5);
	kind = cursor_u8(&c);
	group = kind & 15;
	type = kind >> 4;
	return cursor_ok(&c) && (client ? type != USERDATA_REQUEST || (group != S7_GROUP_PROGRAMMER && group != S7_GROUP_SECURITY) :
					  type != USERDATA_RESPONSE || group != GROUP_CPU);
}

/* Reading and writing of variables: a whole job or its answer in one piece, of ends that are known. */
static bool glance_s7comm(struct glance *g, void *flow)
{
	static const uint8_t cotp_data[3] = { 2, COTP_DATA, COTP_EOT };
	const struct memo *memo = flow;
	uint8_t bit = (uint8_t)(1 << g->direction), function;
	bool client = memo->client == 1 + g->direction;
	struct cursor tpkt;
	struct pdu pdu;
	uint16_t length;

	if (memo->fragment & bit || !memo->client || (memo->tsap && !(memo->tsap_told & bit)) || cursor_u16be(&g->bytes) != 0x0300)
		return false;
	length = cursor_u16be(&g->bytes);
	if (length < TPKT_BYTES || length > LONGEST_TPKT)
		return false;
	tpkt = cursor_take(&g->bytes, length - (size_t)TPKT_BYTES);
	if (!cursor_starts(&tpkt, cotp_data, sizeof cotp_data))
		return false;
	cursor_skip(&tpkt, sizeof cotp_data);
	if (!parse_pdu(tpkt, &pdu))
		return false;
	if (pdu.rosctr == USERDATA)
		return glance_userdata(pdu.parameters, client);
	function = cursor_u8(&pdu.parameters);
	if (pdu.failed)
		g->signs = SIGN_ERROR;
	else if (pdu.rosctr == JOB && function == S7_WRITE && client)
		g->signs = SIGN_WRITE;
	return pdu.rosctr != JOB || function == S7_READ || function == S7_WRITE;
}

static enum verdict read_s7comm(struct reader *r)
{
	struct cursor c = r->bytes, tpkt;
	static const uint8_t version[2] = { 3, 0 };
	enum verdict v;
	uint16_t length;

	if (cursor_left(&c) < TPKT_BYTES)
		return cursor_starts(&c, version, cursor_left(&c) < 2 ? cursor_left(&c) : 2) ? NEED_MORE : NOT_MINE;
	if (cursor_u16be(&c) != 0x0300)
		return NOT_MINE;
	length = cursor_u16be(&c);
	if (length < TPKT_BYTES + 3 || length > LONGEST_TPKT)
		return NOT_MINE;
	if (cursor_left(&c) < length - (size_t)TPKT_BYTES)
		return NEED_MORE;
	tpkt = cursor_take(&c, length - (size_t)TPKT_BYTES);
	v = read_cotp(r, r->memo, tpkt);
	if (v == MINE || v == MAYBE)
		r->bytes = c;
	return v;
}

static void forget_s7comm(void *flow)
{
	struct memo *memo = flow;

	memo->tsap_told = 0;
}

const struct classifier classifier_s7comm = {
	.name = "s7comm",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { S7_PORT },
	.max_message = LONGEST_TPKT,
	.read = read_s7comm,
	.glance = glance_s7comm,
	.forget = forget_s7comm,
};
