/*
 * DICOM upper layer: medical devices and archives, by their association requests and answers.
 *
 * DICOM PS3.8 sections 9.3.1 to 9.3.8 (PDUs), PS3.7 annex D.3.3 (user information), PS3.5 section 7.1 (data
 * elements), PS3.6 (identification of equipment).
 *
 *	 0      2        6         10             26              42         74
 *	+------+--------+---------+--------------+---------------+----------+--------------------------
 *	| t 00 | length | version | called title | calling title | reserved | {type, 00, length, item} ..
 *	+------+--------+---------+--------------+---------------+----------+--------------------------
 *
 * Types: 1 request, 2 accepted, 3 rejected, 4 data, 5 and 6 release, 7 abort. Numbers are big-endian.
 */
#include "classifiers/api/role.h"

#include <string.h>

enum {
	PORT_DICOM = 104, PORT_REGISTERED = 11112,
	HEADER_BYTES = 6,
	LONGEST = 16384,
	LARGEST_PDU = 1 << 24,
	ASSOCIATE_FIXED_BYTES = 68,
	TITLE_BYTES = 16,
};

enum type { ASSOCIATE_RQ = 1, ASSOCIATE_AC, ASSOCIATE_RJ, DATA, RELEASE_RQ, RELEASE_RP, ABORT };
enum item { ITEM_APPLICATION = 0x10, ITEM_USER = 0x50, USER_CLASS = 0x52, USER_VERSION = 0x55 };
enum { PDV_COMMAND = 1 };

struct memo {
	uint8_t server; /* 1 + its direction, 0 unknown */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static const char application_context[] = "1.2.840.10008.3.1.1.1";

/* Arcs that makers of devices own; those of toolkits (DCMTK, dcm4che, pynetdicom) name no device's maker. */
static const char *maker_of(struct cursor uid)
{
	static const struct {
		const char *arc;
		const char *name;
	} makers[] = {
		{ "1.3.12.2.1107.5.", "Siemens Healthineers" }, { "1.2.840.113619.", "GE HealthCare" }, { "1.3.46.670589.", "Philips" },
		{ "1.2.392.200036.9116.", "Canon Medical" }, { "1.2.392.200036.9125.", "Fujifilm" }, { "1.2.840.113564.", "Carestream" },
	};

	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
		if (cursor_starts(&uid, makers[i].arc, strlen(makers[i].arc)))
			return makers[i].name;
	return NULL;
}

static void read_user(struct reader *r, struct cursor c)
{
	while (cursor_left(&c) >= 4) {
		uint8_t type = cursor_u8(&c);
		struct cursor value;

		cursor_skip(&c, 1);
		value = cursor_take(&c, cursor_u16be(&c));
		if (type == USER_VERSION)
			tell(r, SENDER, NULL, ATTR_SOFTWARE, value);
		else if (type == USER_CLASS) {
			tell(r, SENDER, NULL, ATTR_DEVICE_ID, value);
			if (cursor_ok(&value) && maker_of(value))
				tell_text(r, SENDER, NULL, ATTR_VENDOR, maker_of(value));
		}
	}
}

/* Walks the items; false when they don't fill the PDU or DICOM's own application context isn't among them. */
static bool read_items(struct reader *r, struct cursor c)
{
	bool context = false;

	while (cursor_left(&c)) {
		uint8_t type = cursor_u8(&c);
		struct cursor item;

		cursor_skip(&c, 1);
		item = cursor_take(&c, cursor_u16be(&c));
		if (type == ITEM_APPLICATION)
			context = cursor_starts(&item, application_context, sizeof application_context - 1);
		else if (type == ITEM_USER && cursor_ok(&item))
			read_user(r, item);
	}
	return context && cursor_ok(&c);
}

static bool read_association(struct reader *r, struct cursor c, uint8_t type)
{
	struct cursor called, calling;
	uint16_t version = cursor_u16be(&c);

	cursor_skip(&c, 2);
	called = cursor_take(&c, TITLE_BYTES);
	calling = cursor_take(&c, TITLE_BYTES);
	cursor_skip(&c, 32);
	if (!cursor_ok(&c) || !(version & 1))
		return false;
	/* Who is called is sure only when he accepts; the answer repeats both titles. */
	tell(r, SENDER, NULL, ATTR_NAME, type == ASSOCIATE_RQ ? calling : called);
	return read_items(r, c);
}

/* Is the data PDU filled with values {length, context, control, data}? */
static bool are_values(struct cursor c, uint32_t length, bool whole)
{
	while (length) {
		uint32_t n = cursor_u32be(&c);
		uint8_t context = cursor_u8(&c), control = cursor_u8(&c);

		if (!cursor_ok(&c))
			return !whole;
		if (n < 2 || n > length - 4 || !(context & 1) || control > 3)
			return false;
		length -= n + 4;
		cursor_skip(&c, n - 2 <= cursor_left(&c) ? n - 2 : cursor_left(&c));
	}
	return true;
}

static enum attribute attribute_of(uint16_t group, uint16_t element)
{
	if (group == 0x0008) {
		switch (element) {
		case 0x0060: return ATTR_DEVICE_CLASS; /* modality: CR, CT, MR ... */
		case 0x0070: return ATTR_VENDOR;
		case 0x0080: return ATTR_LOCATION;
		case 0x1010: return ATTR_HOSTNAME;
		case 0x1090: return ATTR_PRODUCT;
		default: return ATTR_NONE;
		}
	}
	if (group == 0x0018 && element == 0x1000)
		return ATTR_SERIAL;
	return group == 0x0018 && element == 0x1020 ? ATTR_FIRMWARE : ATTR_NONE;
}

/* Length of the value that comes next: explicit (two letters say its kind) or not. */
static uint32_t value_length(struct cursor *c)
{
	static const uint8_t long_kinds[][2] = { { 'O', 'B' }, { 'O', 'W' }, { 'O', 'F' }, { 'S', 'Q' }, { 'U', 'T' }, { 'U', 'N' } };
	uint8_t first = cursor_peek(c, 0), second = cursor_peek(c, 1);

	if (first < 'A' || first > 'Z' || second < 'A' || second > 'Z')
		return cursor_u32le(c);
	cursor_skip(c, 2);
	for (size_t i = 0; i < sizeof long_kinds / 2; i++)
		if (long_kinds[i][0] == first && long_kinds[i][1] == second) {
			cursor_skip(c, 2);
			return cursor_u32le(c);
		}
	return cursor_u16le(c);
}

/* The first elements of a data set come in rising order: what made the image stands before the patient's part. */
static void read_data_set(struct reader *r, struct cursor c)
{
	while (cursor_left(&c) >= 8) {
		uint16_t group = cursor_u16le(&c), element = cursor_u16le(&c);
		uint32_t length = value_length(&c);
		struct cursor value;

		if (group > 0x0018 || length > cursor_left(&c))
			return;
		value = cursor_take(&c, length);
		if (length && attribute_of(group, element) != ATTR_NONE)
			tell(r, SENDER, NULL, attribute_of(group, element), value);
	}
}

/* Only who stores images is described by them, and he is the client. */
static void read_values(struct reader *r, struct cursor c)
{
	uint32_t n = cursor_u32be(&c);
	uint8_t control;

	cursor_skip(&c, 1);
	control = cursor_u8(&c);
	if (cursor_ok(&c) && !(control & PDV_COMMAND) && r->sender_role == ROLE_CLIENT)
		read_data_set(r, cursor_take(&c, n - 2 < cursor_left(&c) ? n - 2 : cursor_left(&c)));
}

static uint8_t role_of(const struct reader *r, struct memo *memo, uint8_t type)
{
	uint8_t role = ROLE_UNKNOWN;

	if (type == ASSOCIATE_RQ)
		role = ROLE_CLIENT;
	else if (type == ASSOCIATE_AC || type == ASSOCIATE_RJ)
		role = ROLE_SERVER;
	else if (memo->server)
		role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	if (role == ROLE_UNKNOWN)
		role = role_by_port(r, PORT_DICOM);
	if (role == ROLE_UNKNOWN)
		role = role_by_port(r, PORT_REGISTERED);
	if (role != ROLE_UNKNOWN)
		memo->server = (uint8_t)(1 + (role == ROLE_SERVER ? r->direction : !r->direction));
	return role;
}

static bool fits_length(uint8_t type, uint32_t length)
{
	if (type == ASSOCIATE_RQ || type == ASSOCIATE_AC)
		return length >= ASSOCIATE_FIXED_BYTES && length <= LONGEST - HEADER_BYTES;
	return type == DATA ? length >= 6 && length <= LARGEST_PDU : length == 4;
}

static enum verdict read_dicom(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes, body;
	uint8_t type = cursor_u8(&c), reserved = cursor_u8(&c);
	uint32_t length = cursor_u32be(&c);
	bool whole;

	if (type < ASSOCIATE_RQ || type > ABORT || reserved)
		return NOT_MINE;
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (!fits_length(type, length))
		return NOT_MINE;
	whole = cursor_left(&c) >= length;
	if (!whole && length <= LONGEST - HEADER_BYTES && !r->truncated)
		return NEED_MORE;
	body = cursor_take(&c, whole ? length : cursor_left(&c));
	if (type == DATA && !are_values(body, length, whole))
		return NOT_MINE;
	r->sender_role = role_or_guess(r, role_of(r, memo, type));
	if ((type == ASSOCIATE_RQ || type == ASSOCIATE_AC) && !read_association(r, body, type))
		return NOT_MINE;
	r->bytes = c;
	/* Release, abort and rejection are ten bytes of which few say anything. */
	if (type > DATA || type == ASSOCIATE_RJ)
		return memo->mine ? MINE : MAYBE;
	memo->mine = true;
	if (type == DATA)
		read_values(r, body);
	return MINE;
}

const struct classifier classifier_dicom = {
	.name = "dicom",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_DICOM, PORT_REGISTERED, 4242, 2762 },
	.max_message = LONGEST,
	.read = read_dicom,
};
