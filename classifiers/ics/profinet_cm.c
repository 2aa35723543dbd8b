/*
 * PROFINET IO context management: how controllers take hold of devices and read what they are.
 *
 * IEC 61158-6-10 (blocks) over connectionless DCE/RPC 1.1 (The Open Group C706, chapter 12). Requests
 * go to UDP 34964, answers may come from any fresh port, and later requests go there: the header alone
 * tells both sides.
 *
 *	+---+----+-----+------+---------+-----------+----------+-- -+-----+------+-----+-----+----
 *	| 4 |type|flags| drep | object  | interface | activity | .. |opnum| hints| len |frag | ..    80 bytes
 *	+---+----+-----+------+---------+-----------+----------+-- -+-----+------+-----+-----+----
 *	  1   1    2     3+1    16        16          16         12   2     4      2     2     2
 *	then five words (in drep's byte order), then blocks (always big-endian):
 *	type 2 | length of what follows 2 | version 2 | body
 *
 * The object says instance, device id and vendor id of whoever serves.
 */
#include "classifiers/ics/profinet_vendor.h"

#include <stdio.h>

enum { PNIO_PORT = 34964, RPC_BYTES = 80, NDR_BYTES = 20, RPC_VERSION = 4, LITTLE_ENDIAN_DREP = 0x10 };
enum rpc_type {
	RPC_REQUEST, RPC_PING, RPC_RESPONSE, RPC_FAULT, RPC_WORKING, RPC_NOCALL, RPC_REJECT, RPC_ACK,
	RPC_CANCEL, RPC_FACK, RPC_CANCEL_ACK, RPC_TYPES
};
enum interface { NO_INTERFACE, IO_DEVICE, IO_CONTROLLER, IO_SUPERVISOR, IO_PARAMETER_SERVER, ENDPOINT_MAPPER };
enum operation { CONNECT, RELEASE, READ, WRITE, CONTROL, READ_IMPLICIT };

enum block {
	WRITE_HEADER = 0x0008, REAL_IDENTIFICATION = 0x0013, IM0 = 0x0020, IM1, IM2, IM3, IM0_FILTER_SUBMODULE = 0x0030,
	IM0_FILTER_MODULE, IM0_FILTER_DEVICE, AR_REQUEST = 0x0101, EXPECTED_SUBMODULES = 0x0104,
	READ_ANSWER = 0x8009, AR_ANSWER = 0x8101, MODULE_DIFF = 0x8104, AR_SERVER = 0x8106,
};

enum { AR_SINGLE = 1, AR_SUPERVISOR = 6, AR_SINGLE_RT3 = 16, AR_REDUNDANT = 32 };
/* Records below are the maker's own, without blocks. */
enum record { MAKERS_RECORDS_END = 0x8000, RECORD_IM1 = 0xaff1, RECORD_IM4 = 0xaff4 };
enum { DATA_IN = 1, DATA_OUT = 2, DATA_IN_OUT = 3 };
enum { MAPPER_ENTRIES = 8, ANNOTATION_BYTES = 64 };
enum { MAPPER_WANTED = 28 }; /* where a question to the mapper names an interface */

struct rpc {
	uint8_t type;
	bool little;
	bool first;    /* fragment 0: blocks begin here */
	uint8_t interface;
	uint16_t operation;
	bool has_object;
	uint16_t device_id;
	uint16_t vendor_id;
	struct cursor body;
};

struct memo {
	bool mine; /* PROFINET was named to the mapper */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

/* Which submodule the records of an answer belong to. */
struct place {
	enum side side;
	char path[FINDING_PATH_BYTES]; /* empty: the device itself */
};

struct uuid {
	uint32_t a;
	uint16_t b;
	uint16_t c;
	uint8_t d[8];
};

static uint32_t read_u32(struct cursor *c, bool little)
{
	return little ? cursor_u32le(c) : cursor_u32be(c);
}

static uint16_t read_u16(struct cursor *c, bool little)
{
	return little ? cursor_u16le(c) : cursor_u16be(c);
}

static struct uuid read_uuid(struct cursor *c, bool little)
{
	struct uuid u = { .a = read_u32(c, little) };

	u.b = read_u16(c, little);
	u.c = read_u16(c, little);
	cursor_copy(c, u.d, sizeof u.d);
	return u;
}

/* DEA0000x-6C97-11D1-8271-00A02442DF7D, or the endpoint mapper's. */
static enum interface interface_of(const struct uuid *u)
{
	static const uint8_t pnio[8] = { 0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d };
	static const uint8_t mapper[8] = { 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa };

	if (u->a > 0xdea00000 && u->a <= 0xdea00004 && u->b == 0x6c97 && u->c == 0x11d1 && memcmp(u->d, pnio, sizeof pnio) == 0)
		return (enum interface)(u->a & 7);
	if (u->a == 0xe1af8308 && u->b == 0x5d1f && u->c == 0x11c9 && memcmp(u->d, mapper, sizeof mapper) == 0)
		return ENDPOINT_MAPPER;
	return NO_INTERFACE;
}

/* DEA00000-6C97-11D1-8271-{instance}{device}{vendor}; the last eight bytes are never swapped. */
static bool read_object(const struct uuid *u, uint16_t *device_id, uint16_t *vendor_id)
{
	if (u->a != 0xdea00000 || u->b != 0x6c97 || u->c != 0x11d1 || u->d[0] != 0x82 || u->d[1] != 0x71)
		return false;
	*device_id = (uint16_t)(u->d[4] << 8 | u->d[5]);
	*vendor_id = (uint16_t)(u->d[6] << 8 | u->d[7]);
	return *vendor_id != 0;
}

static void tell_object(struct reader *r, enum side side, uint16_t device_id, uint16_t vendor_id)
{
	profinet_tell_vendor(r, side, NULL, vendor_id);
	tell_format(r, side, NULL, ATTR_DEVICE_ID, "0x%04x", device_id);
}

static bool parse_rpc(const struct reader *r, struct cursor c, struct rpc *rpc)
{
	struct uuid object, interface;
	uint8_t flags, drep;
	uint16_t len;

	if (cursor_u8(&c) != RPC_VERSION)
		return false;
	rpc->type = cursor_u8(&c);
	flags = cursor_u8(&c);
	cursor_skip(&c, 1);
	drep = cursor_u8(&c);
	if (rpc->type >= RPC_TYPES || drep & ~LITTLE_ENDIAN_DREP || cursor_u8(&c) > 3)
		return false;
	cursor_skip(&c, 2);
	rpc->little = drep == LITTLE_ENDIAN_DREP;
	object = read_uuid(&c, rpc->little);
	interface = read_uuid(&c, rpc->little);
	rpc->interface = (uint8_t)interface_of(&interface);
	cursor_skip(&c, 28);
	rpc->operation = read_u16(&c, rpc->little);
	cursor_skip(&c, 4);
	len = read_u16(&c, rpc->little);
	rpc->first = read_u16(&c, rpc->little) == 0 || !(flags & 4);
	cursor_skip(&c, 2);
	if (!cursor_ok(&c) || rpc->interface == NO_INTERFACE || (cursor_left(&c) < len && !r->truncated))
		return false;
	rpc->has_object = read_object(&object, &rpc->device_id, &rpc->vendor_id);
	rpc->body = cursor_left(&c) < len ? c : cursor_take(&c, len);
	return true;
}

/* What the device itself is has no path; a submodule that stands for its whole module gets the module's. */
static void set_place(struct place *p, enum side side, uint16_t slot, uint16_t subslot)
{
	p->side = side;
	p->path[0] = 0;
	if (slot == 0 && subslot <= 1)
		return;
	if (subslot <= 1)
		snprintf(p->path, sizeof p->path, "profinet_cm/%u/slot:%u", PNIO_PORT, slot);
	else
		snprintf(p->path, sizeof p->path, "profinet_cm/%u/slot:%u/subslot:0x%04x", PNIO_PORT, slot, subslot);
}

/* Read or write header: sequence, relation, API, slot, subslot, padding, index, length, ... Gives what stands from the index on. */
static struct cursor read_record_header(struct place *p, enum side side, struct cursor c)
{
	uint16_t slot, subslot;

	cursor_skip(&c, 2 + 16 + 4);
	slot = cursor_u16be(&c);
	subslot = cursor_u16be(&c);
	cursor_skip(&c, 2);
	if (cursor_ok(&c))
		set_place(p, side, slot, subslot);
	return c;
}

/*
 * Controllers write parameters whenever a device starts, and that is no news; names, places and dates are people's.
 * Several records stand one behind the other, each from a multiple of four on.
 */
static void read_write_header(struct reader *r, struct place *p, struct cursor header, struct cursor *records)
{
	struct cursor c = read_record_header(p, RECEIVER, header);
	uint16_t index = cursor_u16be(&c);
	uint32_t length = cursor_u32be(&c);

	if (!cursor_ok(&c))
		return;
	if (index >= RECORD_IM1 && index <= RECORD_IM4)
		tell_activity(r, p->path, ACTIVITY_CONFIGURATION, "write I&M%u (0x%04x)", index - RECORD_IM1 + 1u, index);
	if (index < MAKERS_RECORDS_END && length < cursor_left(records))
		cursor_skip(records, length);
	else if (index < MAKERS_RECORDS_END)
		cursor_skip(records, cursor_left(records));
	if (index < MAKERS_RECORDS_END && cursor_left(records) >= -length % 4)
		cursor_skip(records, -length % 4);
}

/* Vendor, order id, serial number, hardware, software as letter and three numbers. */
static void tell_im0(struct reader *r, const struct place *p, struct cursor c)
{
	uint16_t vendor = cursor_u16be(&c), hardware;
	struct cursor order = cursor_take(&c, 20), serial = cursor_take(&c, 16);
	uint8_t letter, major, minor, patch;

	hardware = cursor_u16be(&c);
	letter = cursor_u8(&c);
	major = cursor_u8(&c);
	minor = cursor_u8(&c);
	patch = cursor_u8(&c);
	if (!cursor_ok(&c))
		return;
	profinet_tell_vendor(r, p->side, p->path, vendor);
	tell(r, p->side, p->path, ATTR_ORDER_CODE, order);
	tell(r, p->side, p->path, ATTR_SERIAL, serial);
	if (hardware)
		tell_format(r, p->side, p->path, ATTR_HARDWARE, "%u", hardware);
	if (letter >= 'A' && letter <= 'Z')
		tell_format(r, p->side, p->path, ATTR_FIRMWARE, "%c%u.%u.%u", letter, major, minor, patch);
}

static void tell_tags(struct reader *r, const struct place *p, struct cursor c)
{
	struct cursor function = cursor_take(&c, 32), location = cursor_take(&c, 22);

	tell(r, p->side, p->path, ATTR_DESCRIPTION, function);
	tell(r, p->side, p->path, ATTR_LOCATION, location);
}

static void tell_module(struct reader *r, enum side side, uint16_t slot, uint32_t ident)
{
	char path[FINDING_PATH_BYTES];

	if (ident == 0)
		return;
	snprintf(path, sizeof path, "profinet_cm/%u/slot:%u", PNIO_PORT, slot);
	tell_format(r, side, path, ATTR_DEVICE_CLASS, "module 0x%08x", ident);
}

/*
 * {slot, module ident, [state], submodules, {subslot, ident, [state]}}. A state of 0 is an empty slot.
 * False when the list doesn't end as it says.
 */
static bool read_modules(struct reader *r, struct cursor *c, bool with_state)
{
	uint16_t modules = cursor_u16be(c);

	for (; modules > 0 && cursor_left(c); modules--) {
		uint16_t slot = cursor_u16be(c), state = 1;
		uint32_t ident = cursor_u32be(c);

		if (with_state)
			state = cursor_u16be(c);
		cursor_skip(c, (size_t)cursor_u16be(c) * (with_state ? 8 : 6));
		if (!cursor_ok(c))
			return false;
		if (state != 0)
			tell_module(r, SENDER, slot, ident);
	}
	return modules == 0;
}

/* Lists by API; the oldest form of RealIdentificationData knows no API. */
static void tell_modules(struct reader *r, struct cursor c, bool with_state, bool with_api)
{
	uint16_t apis = with_api ? cursor_u16be(&c) : 1;

	for (; apis > 0 && cursor_left(&c); apis--) {
		if (with_api)
			cursor_skip(&c, 4);
		if (!read_modules(r, &c, with_state))
			return;
	}
}

/* {API, slot, module ident, properties, submodules, {subslot, ident, properties, {description 6} * 1 or 2}} */
static void tell_expected(struct reader *r, struct cursor c)
{
	uint16_t modules = cursor_u16be(&c);

	for (; modules > 0 && cursor_left(&c); modules--) {
		uint16_t slot, submodules;
		uint32_t ident;

		cursor_skip(&c, 4);
		slot = cursor_u16be(&c);
		ident = cursor_u32be(&c);
		cursor_skip(&c, 2);
		submodules = cursor_u16be(&c);
		for (; submodules > 0 && cursor_left(&c); submodules--) {
			uint16_t properties;

			cursor_skip(&c, 6);
			properties = cursor_u16be(&c);
			cursor_skip(&c, (properties & 3) == DATA_IN_OUT ? 12 : 6);
		}
		if (!cursor_ok(&c) || submodules)
			return;
		tell_module(r, RECEIVER, slot, ident);
	}
}

static void tell_mac(struct reader *r, struct cursor *c)
{
	uint8_t m[6];

	if (cursor_copy(c, m, sizeof m) && !(m[0] & 1) && (m[0] | m[1] | m[2] | m[3] | m[4] | m[5]))
		tell_format(r, SENDER, NULL, ATTR_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* Kind, relation, key, MAC, object, properties, timeout, port, and the name of the station that connects. */
static void tell_initiator(struct reader *r, struct cursor c)
{
	uint16_t kind = cursor_u16be(&c), device_id, vendor_id;
	struct uuid object;

	cursor_skip(&c, 16 + 2);
	tell_mac(r, &c);
	object = read_uuid(&c, false);
	cursor_skip(&c, 4 + 2 + 2);
	if (!cursor_ok(&c))
		return;
	if (read_object(&object, &device_id, &vendor_id))
		tell_object(r, SENDER, device_id, vendor_id);
	if (kind == AR_SINGLE || kind == AR_SINGLE_RT3 || kind == AR_REDUNDANT)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "io-controller");
	if (kind == AR_SUPERVISOR) {
		tell_text(r, SENDER, NULL, ATTR_ROLE, "io-supervisor");
		tell_activity(r, NULL, ACTIVITY_ENGINEERING_SESSION, "connect as IO supervisor (AR type 6)");
	}
	tell(r, SENDER, NULL, ATTR_NAME, cursor_take(&c, cursor_u16be(&c)));
}

static void tell_responder(struct reader *r, struct cursor c)
{
	cursor_skip(&c, 2 + 16 + 2);
	tell_mac(r, &c);
	if (cursor_ok(&c))
		tell_text(r, SENDER, NULL, ATTR_ROLE, "io-device");
}

static void tell_block(struct reader *r, struct place *p, uint16_t type, uint8_t version_low, struct cursor body)
{
	switch (type) {
	case READ_ANSWER:
		read_record_header(p, SENDER, body);
		break;
	case IM0:
		tell_im0(r, p, body);
		break;
	case IM1:
		tell_tags(r, p, body);
		break;
	case IM3:
		tell(r, p->side, p->path, ATTR_DESCRIPTION, cursor_take(&body, 54));
		break;
	case REAL_IDENTIFICATION:
		tell_modules(r, body, false, version_low > 0);
		break;
	case IM0_FILTER_SUBMODULE:
	case IM0_FILTER_MODULE:
	case IM0_FILTER_DEVICE:
		tell_modules(r, body, false, true);
		break;
	case MODULE_DIFF:
		tell_modules(r, body, true, true);
		break;
	case EXPECTED_SUBMODULES:
		tell_expected(r, body);
		break;
	case AR_REQUEST:
		tell_initiator(r, body);
		break;
	case AR_ANSWER:
		tell_responder(r, body);
		break;
	case AR_SERVER:
		tell(r, SENDER, NULL, ATTR_NAME, cursor_take(&body, cursor_u16be(&body)));
		break;
	}
}

/* A whole block after the other; what a fragment or the capture cut is left. */
static void read_blocks(struct reader *r, struct cursor c)
{
	struct place place = { .side = SENDER };

	while (cursor_left(&c) >= 6) {
		uint16_t type = cursor_u16be(&c);
		struct cursor block = cursor_take(&c, cursor_u16be(&c));
		uint8_t low;

		cursor_skip(&block, 1);
		low = cursor_u8(&block);
		if (!cursor_ok(&block))
			return;
		if (type == WRITE_HEADER)
			read_write_header(r, &place, block, &c);
		else
			tell_block(r, &place, type, low, block);
	}
}

/*
 * Type (25), order id (20), hardware (5), software as letter and three numbers of 3, each in its
 * columns with blanks between. False when it isn't of that form.
 */
static bool tell_annotation(struct reader *r, struct cursor c)
{
	struct cursor type = cursor_take(&c, 25), order, hardware;
	uint8_t gap[3], letter;
	unsigned part[3] = { 0 };

	gap[0] = cursor_u8(&c);
	order = cursor_take(&c, 20);
	gap[1] = cursor_u8(&c);
	hardware = cursor_take(&c, 5);
	gap[2] = cursor_u8(&c);
	letter = cursor_u8(&c);
	for (int i = 0; i < 9; i++) {
		uint8_t digit = cursor_u8(&c);

		if (digit != ' ' && (digit < '0' || digit > '9'))
			return false;
		if (digit != ' ')
			part[i / 3] = part[i / 3] * 10 + digit - '0';
	}
	if (!cursor_ok(&c) || gap[0] != ' ' || gap[1] != ' ' || gap[2] != ' ' || letter < 'A' || letter > 'Z')
		return false;
	tell(r, SENDER, NULL, ATTR_PRODUCT, type);
	tell(r, SENDER, NULL, ATTR_ORDER_CODE, order);
	tell(r, SENDER, NULL, ATTR_HARDWARE, hardware);
	tell_format(r, SENDER, NULL, ATTR_FIRMWARE, "%c%u.%u.%u", letter, part[0], part[1], part[2]);
	return true;
}

/*
 * The mapper's list: handle 20, entries, three words of array, entries of {object 16, reference 4,
 * offset 4, length 4, text}. The mapper itself may be among them. True when a PROFINET object is.
 */
static bool read_mapper_answer(struct reader *r, const struct rpc *rpc)
{
	struct cursor c = rpc->body;
	uint32_t entries;
	bool pnio = false;

	cursor_skip(&c, 20);
	entries = read_u32(&c, rpc->little);
	cursor_skip(&c, 12);
	if (entries > MAPPER_ENTRIES)
		entries = MAPPER_ENTRIES;
	for (; entries > 0 && cursor_left(&c); entries--) {
		struct uuid object = read_uuid(&c, rpc->little);
		uint16_t device_id, vendor_id;
		struct cursor text;
		uint32_t length;

		cursor_skip(&c, 4 + 4);
		length = read_u32(&c, rpc->little);
		if (length > ANNOTATION_BYTES)
			return pnio;
		text = cursor_take(&c, length);
		cursor_skip(&c, (4 - length % 4) % 4);
		if (!cursor_ok(&text) || !read_object(&object, &device_id, &vendor_id))
			continue;
		pnio = true;
		tell_object(r, SENDER, device_id, vendor_id);
		if (!tell_annotation(r, text))
			tell(r, SENDER, NULL, ATTR_DESCRIPTION, text);
	}
	return pnio;
}

static bool asks_for_pnio(const struct rpc *rpc)
{
	struct cursor c = rpc->body;
	struct uuid wanted;

	cursor_skip(&c, MAPPER_WANTED);
	wanted = read_uuid(&c, rpc->little);
	return cursor_ok(&c) && interface_of(&wanted) != NO_INTERFACE && interface_of(&wanted) != ENDPOINT_MAPPER;
}

/* Windows has the same mapper: without a word of PROFINET in it, a talk with it is nothing of ours. */
static enum verdict read_mapper(struct reader *r, const struct rpc *rpc)
{
	struct memo *memo = r->memo;

	memo->mine |= (rpc->type == RPC_REQUEST && asks_for_pnio(rpc)) ||
		      (rpc->type == RPC_RESPONSE && read_mapper_answer(r, rpc));
	if (memo->mine)
		return MINE;
	return r->sender_port == PNIO_PORT || r->receiver_port == PNIO_PORT ? MAYBE : NOT_MINE;
}

/* Five words stand before the blocks; the first of an answer is its status, and 0 a good one. */
static void read_call(struct reader *r, const struct rpc *rpc)
{
	struct cursor c = rpc->body;
	uint32_t first = read_u32(&c, rpc->little);

	cursor_skip(&c, NDR_BYTES - 4);
	if (!cursor_ok(&c) || (rpc->type == RPC_RESPONSE && first != 0))
		return;
	if (rpc->operation <= READ_IMPLICIT && rpc->operation != RELEASE && rpc->operation != CONTROL)
		read_blocks(r, c);
}

static bool from_server(uint8_t type)
{
	return type == RPC_RESPONSE || type == RPC_FAULT || type == RPC_WORKING || type == RPC_NOCALL || type == RPC_REJECT ||
	       type == RPC_CANCEL_ACK;
}

static enum verdict read_profinet_cm(struct reader *r)
{
	struct rpc rpc = { 0 };
	bool server;

	if (!parse_rpc(r, r->bytes, &rpc))
		return NOT_MINE;
	if (rpc.type == RPC_FACK) /* either side acknowledges the other's fragments */
		return MAYBE;
	server = from_server(rpc.type);
	r->sender_role = server ? ROLE_SERVER : ROLE_CLIENT;
	r->service_port = PNIO_PORT;
	if (rpc.interface == ENDPOINT_MAPPER)
		return read_mapper(r, &rpc);
	if (rpc.has_object)
		tell_object(r, server ? SENDER : RECEIVER, rpc.device_id, rpc.vendor_id);
	if (rpc.first && (rpc.type == RPC_REQUEST || rpc.type == RPC_RESPONSE))
		read_call(r, &rpc);
	return MINE;
}

const struct classifier classifier_profinet_cm = {
	.name = "profinet_cm",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PNIO_PORT },
	.read = read_profinet_cm,
};
