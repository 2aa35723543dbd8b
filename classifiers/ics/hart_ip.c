/*
 * HART-IP: field instruments, and the multiplexers and WirelessHART gateways that they are behind.
 *
 * FieldComm Group, HCF_SPEC-085 (network management, HART-IP header and messages), HCF_SPEC-081
 * (token-passing frame), HCF_SPEC-127 (universal commands), HCF_SPEC-151 (commands 74 and 84), HCF_SPEC-183
 * (tables of manufacturers and profiles).
 *
 *	 0         1      2    3        4          6       8
 *	+---------+------+----+--------+----------+-------+-----------------------------------------------
 *	| version | type | id | status | sequence | bytes | delimiter | address (1, 5) | command | count | data | xor
 *	+---------+------+----+--------+----------+-------+-----------------------------------------------
 *	                                                  `- of a token-passing message (id 3)
 *
 * Numbers are big-endian; bytes counts the header too. Data of a response begins with two bytes of status.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	HART_PORT = 5094,
	SESSION_PORT = 5095, /* from where some devices serve a UDP session that was opened at the other */
	HEADER_BYTES = 8,
	LONGEST = 1500,
	DELIMITER_LONG = 0x80,
	DELIMITER_RESPONSE = 6, DELIMITER_BURST = 1, DELIMITER_REQUEST = 2,
	COMMUNICATION_ERROR = 0x80,
	ADDRESS_MASK = 0x3f,
	HART5_IDENTITY_BYTES = 12, HART7_IDENTITY_BYTES = 22,
	LONG_ADDRESS_BYTES = 5,
};

enum type { REQUEST = 0, RESPONSE = 1, PUBLISH = 2, NAK = 15 };
enum id { SESSION_INITIATE, SESSION_CLOSE, KEEP_ALIVE, TOKEN_PASSING, DIRECT, AUDIT_LOG };
enum command {
	READ_IDENTITY = 0, IDENTITY_BY_TAG = 11, READ_MESSAGE = 12, READ_TAG = 13, READ_LONG_TAG = 20, IDENTITY_BY_LONG_TAG = 21,
	READ_SUBDEVICE = 84, IO_CAPABILITIES = 74,
};
enum { PROFILE_IO_SYSTEM = 4, PROFILE_IP_DEVICE = 65, PROFILE_IP_IO_SYSTEM = 68, PROFILE_GATEWAY = 132 };

struct memo {
	uint8_t own[LONG_ADDRESS_BYTES];  /* of the device that holds the port */
	uint8_t last[LONG_ADDRESS_BYTES]; /* of the sub-asset told last */
	bool own_known;
	bool last_known;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct message {
	uint8_t version, type, id, status;
	struct cursor body;
};

struct frame {
	bool has_long;
	uint8_t address[LONG_ADDRESS_BYTES]; /* masked */
	bool response;
	uint8_t command;
	uint8_t code;         /* response code */
	struct cursor data;   /* of a response behind its status */
};

static const char *maker_name(uint16_t id)
{
	static const struct {
		uint16_t id;
		const char *name;
	} makers[] = {
		{ 2, "Allen-Bradley" }, { 5, "ABB" }, { 17, "Endress+Hauser" }, { 18, "ABB" }, { 19, "Fisher Controls" }, { 20, "Foxboro" },
		{ 22, "ABB" }, { 23, "Honeywell" }, { 26, "ABB" }, { 29, "M-System" }, { 31, "Micro Motion" }, { 32, "Moore Industries" },
		{ 38, "Rosemount" }, { 42, "Siemens" }, { 44, "Toshiba" }, { 46, "Rosemount Analytical" }, { 47, "Valmet" },
		{ 48, "Flowserve" }, { 54, "Azbil" }, { 55, "Yokogawa" }, { 62, "Smar" }, { 63, "Foxboro Eckardt" }, { 64, "MTL" },
		{ 66, "Samson" }, { 69, "Krohne" }, { 79, "Rosemount Tank Radar" }, { 82, "Draeger" }, { 84, "Siemens Milltronics" },
		{ 86, "Magnetrol" }, { 87, "Neles" }, { 88, "Siemens Milltronics" }, { 93, "Pepperl+Fuchs" }, { 98, "VEGA" },
		{ 101, "Masoneilan" }, { 107, "WIKA" }, { 109, "PR electronics" }, { 110, "Rotork" }, { 120, "Buerkert" },
		{ 128, "Danfoss" }, { 156, "Turck" }, { 158, "R. Stahl" }, { 176, "Phoenix Contact" }, { 190, "HIMA" }, { 199, "SICK" },
		{ 210, "Honeywell Analytics" }, { 24601, "Pepperl+Fuchs" }, { 24608, "ifm electronic" }, { 24641, "Softing" },
		{ 24665, "Emerson" }, { 24700, "AUMA" }, { 24782, "Festo" },
	};

	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
		if (makers[i].id == id)
			return makers[i].name;
	return NULL;
}

static const char *profile_name(uint8_t profile)
{
	switch (profile) {
	case 1: return "HART process automation device";
	case 2: return "HART discrete device";
	case 3: return "HART hybrid device";
	case PROFILE_IO_SYSTEM: return "HART I/O system";
	case 14: return "HART discrete adapter";
	case PROFILE_IP_DEVICE: return "HART-IP device";
	case 66: return "HART-IP discrete device";
	case 67: return "HART-IP hybrid device";
	case PROFILE_IP_IO_SYSTEM: return "HART-IP I/O system";
	case 129:
	case 130:
	case 131: return "WirelessHART device";
	case PROFILE_GATEWAY: return "WirelessHART gateway";
	case 140: return "WirelessHART access point";
	case 141: return "WirelessHART process adapter";
	case 142: return "WirelessHART discrete adapter";
	case 144: return "WirelessHART handheld";
	default: return NULL;
	}
}

/* The xor of all bytes of a frame, its last one included, is zero. */
static bool parity_fits(struct cursor c)
{
	uint8_t x = 0;

	while (cursor_left(&c))
		x ^= cursor_u8(&c);
	return x == 0;
}

/* A token-passing frame that fills the body, checked; bytes behind it (a second frame) are no part of HART-IP. */
static bool read_frame(struct cursor c, struct frame *f)
{
	struct cursor whole = c;
	uint8_t delimiter = cursor_u8(&c), kind = delimiter & 7, count;

	f->has_long = delimiter & DELIMITER_LONG;
	f->response = kind != DELIMITER_REQUEST;
	memset(f->address, 0, sizeof f->address);
	cursor_copy(&c, f->address, f->has_long ? LONG_ADDRESS_BYTES : 1);
	f->address[0] &= ADDRESS_MASK;
	cursor_skip(&c, delimiter >> 5 & 3);
	f->command = cursor_u8(&c);
	count = cursor_u8(&c);
	f->data = cursor_take(&c, count);
	f->code = 0;
	cursor_skip(&c, 1);
	if (!cursor_ok(&c) || cursor_left(&c) || !parity_fits(whole) ||
	    (kind != DELIMITER_REQUEST && kind != DELIMITER_RESPONSE && kind != DELIMITER_BURST))
		return false;
	if (!f->response)
		return true;
	f->code = cursor_u8(&f->data);
	cursor_skip(&f->data, 1);
	return cursor_ok(&f->data);
}

static bool fits_type(const struct message *m)
{
	size_t n = cursor_left(&m->body);
	struct frame f;

	switch (m->id) {
	case SESSION_INITIATE:
		return m->status ? n == 0 || n == 5 : n >= 5;
	case SESSION_CLOSE:
	case KEEP_ALIVE:
		return n == 0;
	case TOKEN_PASSING:
		return m->status && n == 0 ? m->type != REQUEST : read_frame(m->body, &f) && f.response == (m->type != REQUEST);
	case DIRECT:
		return n >= 5;
	default:
		return m->type == REQUEST || m->type == RESPONSE;
	}
}

static enum verdict take_message(struct reader *r, struct message *m)
{
	struct cursor c = r->bytes;
	bool stream = r->transport == TRANSPORT_TCP;
	uint16_t bytes;

	m->version = cursor_u8(&c);
	if (!cursor_ok(&c) || m->version < 1 || m->version > 2)
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES - 1)
		return stream ? NEED_MORE : NOT_MINE;
	m->type = cursor_u8(&c);
	m->id = cursor_u8(&c);
	m->status = cursor_u8(&c);
	cursor_skip(&c, 2);
	bytes = cursor_u16be(&c);
	if (bytes < HEADER_BYTES || bytes > LONGEST || m->id > AUDIT_LOG || (m->type > PUBLISH && m->type != NAK) ||
	    (m->type == REQUEST && m->status))
		return NOT_MINE;
	if (cursor_left(&c) < bytes - (unsigned)HEADER_BYTES)
		return stream && !r->truncated ? NEED_MORE : NOT_MINE;
	m->body = cursor_take(&c, bytes - (unsigned)HEADER_BYTES);
	if (!fits_type(m) || (!stream && cursor_left(&c)))
		return NOT_MINE;
	r->bytes = c;
	return MINE;
}

/* A frame's parity proves it, and so does the form of a session's start; other messages are short. */
static bool proves(const struct reader *r, const struct message *m)
{
	struct cursor c = m->body;
	uint8_t host = cursor_u8(&c);

	if (m->id == TOKEN_PASSING && cursor_left(&m->body))
		return true;
	if (m->id == SESSION_INITIATE && cursor_left(&m->body) == 5 && host <= 1)
		return true;
	return m->id != AUDIT_LOG && (r->sender_port == HART_PORT || r->receiver_port == HART_PORT);
}

static void tell_vendor(struct reader *r, const char *path, uint16_t maker)
{
	tell_format(r, SENDER, path, ATTR_VENDOR_ID, "%u", maker);
	if (maker_name(maker))
		tell_text(r, SENDER, path, ATTR_VENDOR, maker_name(maker));
}

/* What commands 0, 11 and 21 answer. */
struct identity {
	uint16_t type, maker;
	uint8_t revision, software, hardware, profile;
	uint32_t id;
};

static bool read_identity(struct cursor c, struct identity *i)
{
	size_t n = cursor_left(&c);

	if (cursor_u8(&c) != 0xfe)
		return false;
	i->type = cursor_u16be(&c);
	cursor_skip(&c, 2);
	i->revision = cursor_u8(&c);
	i->software = cursor_u8(&c);
	i->hardware = cursor_u8(&c) >> 3;
	cursor_skip(&c, 1);
	i->id = cursor_u24be(&c);
	i->maker = i->type >> 8; /* until HART 7 the type's first byte */
	i->profile = 0;
	if (!cursor_ok(&c) || n < HART5_IDENTITY_BYTES)
		return false;
	if (n < HART7_IDENTITY_BYTES)
		return true;
	cursor_skip(&c, 5);
	i->maker = cursor_u16be(&c);
	cursor_skip(&c, 2);
	i->profile = cursor_u8(&c);
	return cursor_ok(&c);
}

static void long_address(const struct identity *i, uint8_t to[LONG_ADDRESS_BYTES])
{
	to[0] = i->type >> 8 & ADDRESS_MASK;
	to[1] = (uint8_t)i->type;
	to[2] = (uint8_t)(i->id >> 16);
	to[3] = (uint8_t)(i->id >> 8);
	to[4] = (uint8_t)i->id;
}

/* A short address is that of a device on the very port; so is what calls itself a gateway or HART-IP device. */
static bool is_own(const struct frame *f, const struct identity *i)
{
	return !f->has_long || (i->profile >= PROFILE_IP_DEVICE && i->profile <= PROFILE_IP_IO_SYSTEM) ||
	       i->profile == PROFILE_GATEWAY || i->profile == PROFILE_IO_SYSTEM;
}

static const char *device_path(char path[FINDING_PATH_BYTES], const struct reader *r, const struct memo *memo, const uint8_t *a)
{
	path[0] = 0;
	if (!memo->own_known || memcmp(memo->own, a, LONG_ADDRESS_BYTES) != 0)
		snprintf(path, FINDING_PATH_BYTES, "hart_ip/%u/device:%02x%02x%02x%02x%02x",
			 r->service_port ? r->service_port : r->sender_port, a[0], a[1], a[2], a[3], a[4]);
	return path;
}

static void tell_device(struct reader *r, struct memo *memo, const uint8_t *a)
{
	char path[FINDING_PATH_BYTES];

	if (memo->last_known && memcmp(memo->last, a, LONG_ADDRESS_BYTES) == 0)
		return;
	memcpy(memo->last, a, LONG_ADDRESS_BYTES);
	memo->last_known = true;
	if (device_path(path, r, memo, a)[0])
		tell_subasset(r, SENDER, path);
}

static void tell_identity(struct reader *r, struct memo *memo, const struct frame *f)
{
	uint8_t address[LONG_ADDRESS_BYTES];
	char path[FINDING_PATH_BYTES];
	struct identity i;

	if (!read_identity(f->data, &i))
		return;
	long_address(&i, address);
	if (is_own(f, &i) && !memo->own_known) {
		memcpy(memo->own, address, sizeof address);
		memo->own_known = true;
	}
	tell_device(r, memo, address);
	device_path(path, r, memo, address);
	tell_vendor(r, path, i.maker);
	tell_format(r, SENDER, path, ATTR_DEVICE_ID, "0x%04x", i.type);
	tell_format(r, SENDER, path, ATTR_SERIAL, "%u", i.id);
	tell_format(r, SENDER, path, ATTR_NETWORK_ADDRESS, "0x%04x%06x", i.type, i.id);
	tell_format(r, SENDER, path, ATTR_FIRMWARE, "%u", i.software);
	tell_format(r, SENDER, path, ATTR_HARDWARE, "%u", i.hardware);
	if (profile_name(i.profile))
		tell_text(r, SENDER, path, ATTR_DEVICE_CLASS, profile_name(i.profile));
	if (i.profile == PROFILE_GATEWAY || i.profile == PROFILE_IP_IO_SYSTEM || i.profile == PROFILE_IO_SYSTEM)
		tell_text(r, SENDER, path, ATTR_ROLE, "gateway");
}

/* Packed ASCII: four characters of six bits in three bytes. */
static void tell_packed(struct reader *r, const char *path, enum attribute a, struct cursor c)
{
	char text[33];
	size_t n = 0;

	while (cursor_left(&c) >= 3 && n + 4 < sizeof text) {
		uint32_t x = cursor_u24be(&c);

		for (int shift = 18; shift >= 0; shift -= 6) {
			uint8_t six = x >> shift & 63;

			text[n++] = (char)(six < 32 ? six + 64 : six);
		}
	}
	text[n] = 0;
	tell_text(r, SENDER, path, a, text);
}

/* Index, card, channel, maker, type, id, HART revision, long tag, device revision, profile, label. */
static void tell_subdevice(struct reader *r, struct memo *memo, struct cursor c)
{
	struct identity i = { 0 };
	uint8_t address[LONG_ADDRESS_BYTES];
	char path[FINDING_PATH_BYTES];
	struct cursor tag;
	uint16_t index = cursor_u16be(&c);

	cursor_skip(&c, 2);
	i.maker = cursor_u16be(&c);
	i.type = cursor_u16be(&c);
	i.id = cursor_u24be(&c);
	cursor_skip(&c, 1);
	tag = cursor_take(&c, 32);
	if (!cursor_ok(&c) || index == 0) /* 0 is the I/O system itself */
		return;
	long_address(&i, address);
	tell_device(r, memo, address);
	device_path(path, r, memo, address);
	tell_vendor(r, path, i.maker);
	tell_format(r, SENDER, path, ATTR_DEVICE_ID, "0x%04x", i.type);
	tell_format(r, SENDER, path, ATTR_SERIAL, "%u", i.id);
	tell(r, SENDER, path, ATTR_NAME, tag);
}

/* Most of a session is the reading of process values, which identify nothing. */
static bool worth_reading(uint8_t command)
{
	return command == READ_IDENTITY || (command >= IDENTITY_BY_TAG && command <= READ_TAG) || command == READ_LONG_TAG ||
	       command == IDENTITY_BY_LONG_TAG || command == READ_SUBDEVICE || command == IO_CAPABILITIES;
}

static void read_answer(struct reader *r, struct memo *memo, const struct frame *f)
{
	char path[FINDING_PATH_BYTES] = "";
	struct cursor c = f->data;

	if (!worth_reading(f->command))
		return;
	if (f->has_long)
		device_path(path, r, memo, f->address);
	switch (f->command) {
	case READ_IDENTITY:
	case IDENTITY_BY_TAG:
	case IDENTITY_BY_LONG_TAG:
		tell_identity(r, memo, f);
		break;
	case READ_MESSAGE:
		tell_packed(r, path, ATTR_DESCRIPTION, cursor_take(&c, 24));
		break;
	case READ_TAG:
		tell_packed(r, path, ATTR_NAME, cursor_take(&c, 6));
		tell_packed(r, path, ATTR_DESCRIPTION, cursor_take(&c, 12));
		break;
	case READ_LONG_TAG:
		tell(r, SENDER, path, ATTR_NAME, cursor_take(&c, 32));
		break;
	case READ_SUBDEVICE:
		tell_subdevice(r, memo, c);
		break;
	case IO_CAPABILITIES:
		tell_text(r, SENDER, path, ATTR_ROLE, "gateway");
		break;
	default:
		break;
	}
}

static void read_token(struct reader *r, struct memo *memo, const struct message *m)
{
	struct frame f;

	if (!read_frame(m->body, &f) || !f.response || f.code & COMMUNICATION_ERROR)
		return;
	if (f.has_long && f.command != READ_IDENTITY && f.command != IDENTITY_BY_TAG && f.command != IDENTITY_BY_LONG_TAG)
		tell_device(r, memo, f.address);
	/* Codes up to 7 are errors of the command; later ones may be warnings, whose data is good. */
	if (f.code == 0 || f.code == 8)
		read_answer(r, memo, &f);
}

/* Two bytes of status, then {command, count, response code, data}: what the device says of itself. */
static void read_direct(struct reader *r, struct memo *memo, const struct message *m)
{
	struct cursor c = m->body;

	cursor_skip(&c, 2);
	while (cursor_left(&c) >= 4) {
		uint16_t command = cursor_u16be(&c);
		struct frame f = { .response = true, .data = cursor_take(&c, cursor_u8(&c)) };

		f.command = (uint8_t)command;
		f.code = cursor_u8(&f.data);
		if (command <= UINT8_MAX && cursor_ok(&f.data) && f.code == 0)
			read_answer(r, memo, &f);
	}
}

static enum verdict read_hart_ip(struct reader *r)
{
	struct memo *memo = r->memo;
	struct message m;
	enum verdict v = take_message(r, &m);

	if (v != MINE)
		return v;
	if (!proves(r, &m))
		return MAYBE;
	r->sender_role = m.type == REQUEST ? ROLE_CLIENT : ROLE_SERVER;
	if (service_port_of(r) == SESSION_PORT && r->transport == TRANSPORT_UDP)
		r->service_port = HART_PORT;
	if (m.id == TOKEN_PASSING)
		read_token(r, memo, &m);
	else if (m.id == DIRECT && m.type == RESPONSE)
		read_direct(r, memo, &m);
	return MINE;
}

static void forget_hart_ip(void *flow)
{
	struct memo *memo = flow;

	memo->last_known = false;
}

const struct classifier classifier_hart_ip = {
	.name = "hart_ip",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { HART_PORT },
	.read = read_hart_ip,
	.forget = forget_hart_ip,
};
