/*
 * ANSI C12.22: electricity meters and the relays and head ends they report to.
 *
 * IEEE 1703-2012 (ANSI C12.22-2012) sections 5.3 (EPSEM and ACSE PDUs), 5.3.2.4.1 (identification
 * service); tables are of ANSI C12.19, section 9.1 (table 1, general manufacturer identification).
 *
 *	60 length { a1 application context | a2 called title | a4 called invocation | a6 calling title |
 *	            a7 qualifier | a8 calling invocation | ac, 8a, 8b authentication | be user information }
 *
 *	be { 28 { 81 { control, [4 bytes of class], length, service, ..., length, service, ... } } }
 *
 * A title is 06 with an absolute object identifier or 80 with one relative to the standard's root. Codes
 * below 20 are answers. What is encrypted is left alone.
 */
#include "classifiers/api/der.h"
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	C12_22_PORT = 1153,
	LONGEST = 8192,
	TITLE_BYTES = 80,
	TABLE_MANUFACTURER = 1,
	MANUFACTURER_BYTES = 32,
};

enum tag {
	TAG_APDU = 0x60, TAG_CONTEXT = 0xa1, TAG_CALLED = 0xa2, TAG_CALLED_INVOCATION = 0xa4, TAG_CALLING = 0xa6,
	TAG_QUALIFIER = 0xa7, TAG_CALLING_INVOCATION = 0xa8, TAG_MECHANISM = 0x8b, TAG_AUTHENTICATION = 0xac, TAG_USER = 0xbe,
	TAG_EXTERNAL = 0x28, TAG_EPSEM = 0x81, TAG_RELATIVE = 0x80,
};
enum { EPSEM_CLASS = 0x10, EPSEM_SECURITY = 0x0c };
enum { IDENTIFY = 0x20, READ_TABLE = 0x30, FIRST_REQUEST = 0x20 };
enum { STANDARD_C12_22 = 3 };
enum feature { FEATURE_END, FEATURE_SECURITY = 4, FEATURE_SESSION, FEATURE_CLASS, FEATURE_IDENTITY };

struct memo {
	uint32_t invocation;    /* of the last request whose answer is of interest */
	uint16_t table;         /* that it reads */
	uint8_t service;        /* 0 none */
	uint32_t own;           /* hash of the first title that answered, 0 none */
	uint32_t told[4];       /* of others, and of the asker */
	uint8_t next;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct apdu {
	struct cursor called, calling;  /* contents of the titles' elements, empty without */
	uint32_t called_invocation, calling_invocation;
	bool answers;                   /* it names the invocation it answers */
	bool has_title, has_user;
	struct cursor epsem;
};

/* {28 {81 {..}}}: the application's part. */
static bool read_user(struct cursor c, struct cursor *epsem)
{
	struct cursor external = der_take(&c, TAG_EXTERNAL);
	uint8_t tag;

	*epsem = der_any(&external, &tag);
	return cursor_ok(epsem) && tag == TAG_EPSEM && cursor_left(&external) == 0 && cursor_left(epsem) >= 1;
}

static uint32_t read_invocation(struct cursor c)
{
	struct cursor number = der_take(&c, DER_INTEGER);

	return (uint32_t)cursor_be(&number, cursor_left(&number));
}

static bool is_title(struct cursor c)
{
	uint8_t tag;

	(void)der_any(&c, &tag);
	return cursor_ok(&c) && cursor_left(&c) == 0 && (tag == DER_OID || tag == TAG_RELATIVE || tag == 0x0d);
}

static bool read_element(struct apdu *a, uint8_t tag, struct cursor value)
{
	switch (tag) {
	case TAG_CALLED:
		a->called = value;
		a->has_title = true;
		return is_title(value);
	case TAG_CALLING:
		a->calling = value;
		a->has_title = true;
		return is_title(value);
	case TAG_CALLED_INVOCATION:
		a->called_invocation = read_invocation(value);
		a->answers = true;
		return true;
	case TAG_CALLING_INVOCATION:
		a->calling_invocation = read_invocation(value);
		return true;
	case TAG_USER:
		a->has_user = read_user(value, &a->epsem);
		return a->has_user;
	case TAG_CONTEXT: /* DLMS has the same frame under its own arc 2.16.756.5.8 */
		return !cursor_starts(&value, "\x06\x07\x60\x85\x74\x05\x08", 7);
	case 0xa3: case 0xa5: case TAG_QUALIFIER: case 0xa9: case 0x8a: case TAG_MECHANISM: case TAG_AUTHENTICATION:
		return true;
	default:
		return false;
	}
}

/* Elements that fill the APDU, in their order. */
static bool read_apdu(struct cursor c, struct apdu *a)
{
	uint8_t tag, before = 0;

	memset(a, 0, sizeof *a);
	a->called = a->calling = a->epsem = cursor_over(c.at, 0);
	while (cursor_left(&c)) {
		struct cursor value = der_any(&c, &tag);

		if (!cursor_ok(&c) || (tag & 0x1f) < (before & 0x1f) || !read_element(a, tag, value))
			return false;
		before = tag;
	}
	return a->has_user && (a->has_title || a->answers);
}

static enum verdict take_apdu(struct reader *r, struct apdu *a)
{
	struct cursor c = r->bytes, body;
	bool stream = r->transport == TRANSPORT_TCP;
	uint8_t tag = cursor_u8(&c), first = cursor_u8(&c);
	size_t length = first;

	if (tag != TAG_APDU || first == 0x80 || first > 0x82)
		return NOT_MINE;
	if (first > 0x80)
		length = (size_t)cursor_be(&c, first & 0x7fu);
	if (!cursor_ok(&c))
		return stream ? NEED_MORE : NOT_MINE;
	if (length < 10 || length > LONGEST - 4)
		return NOT_MINE;
	if (cursor_left(&c) < length)
		return stream && !r->truncated ? NEED_MORE : NOT_MINE;
	body = cursor_take(&c, length);
	if (!read_apdu(body, a) || (!stream && cursor_left(&c)))
		return NOT_MINE;
	r->bytes = c;
	return MINE;
}

/* An object identifier; one relative to the root begins with a dot. */
static bool format_title(char to[TITLE_BYTES], struct cursor title)
{
	uint8_t tag;
	struct cursor oid = der_any(&title, &tag);
	size_t n = 0;
	uint32_t arc = 0;

	if (!cursor_ok(&oid) || !cursor_left(&oid))
		return false;
	if (tag == DER_OID)
		return der_oid_text(oid, to, TITLE_BYTES) > 0;
	while (cursor_left(&oid) && n + 12 < TITLE_BYTES) {
		uint8_t b = cursor_u8(&oid);

		arc = arc << 7 | (b & 0x7f);
		if (b & 0x80)
			continue;
		n += (size_t)snprintf(to + n, TITLE_BYTES - n, ".%u", arc);
		arc = 0;
	}
	return n > 0;
}

static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash | 1;
}

static bool told_before(struct memo *memo, uint32_t hash)
{
	for (int i = 0; i < 4; i++)
		if (memo->told[i] == hash)
			return true;
	memo->told[memo->next % 4] = hash;
	memo->next++;
	return false;
}

/* Meters behind a relay share its address: the first title that answers is taken for the address's own. */
static void tell_title(struct reader *r, struct memo *memo, enum side side, struct cursor title, char path[FINDING_PATH_BYTES])
{
	char text[TITLE_BYTES];
	uint32_t hash;

	path[0] = 0;
	if (!cursor_left(&title) || !format_title(text, title))
		return;
	hash = hash_of(text);
	if (side == SENDER && r->sender_role == ROLE_SERVER) {
		if (!memo->own)
			memo->own = hash;
		if (memo->own != hash)
			snprintf(path, FINDING_PATH_BYTES, "c12_22/%u/title:%.70s", r->sender_port, text);
	}
	if (told_before(memo, hash + side))
		return;
	tell_text(r, side, NULL, ATTR_NETWORK_ADDRESS, text);
	if (path[0])
		tell_subasset(r, side, path);
}

static void tell_identity(struct reader *r, const char *path, struct cursor c)
{
	uint8_t format = cursor_u8(&c);
	char hex[2 * 24 + 1];
	size_t n = 0;
	bool text = format == 1 && cursor_left(&c);

	for (struct cursor look = c; cursor_left(&look);) {
		uint8_t b = cursor_u8(&look);

		text &= b >= 0x20 && b < 0x7f;
	}
	if (text) {
		tell(r, SENDER, path, ATTR_SERIAL, c);
		return;
	}
	while (cursor_left(&c) && n + 2 < sizeof hex)
		n += (size_t)snprintf(hex + n, sizeof hex - n, "%02x", cursor_u8(&c));
	if (n)
		tell_text(r, SENDER, path, ATTR_SERIAL, hex);
}

static struct cursor take_oid(struct cursor *c)
{
	return der_take(c, DER_OID);
}

/* Code 00, standard, version, revision, then features up to 00. */
static void read_identification(struct reader *r, const char *path, struct cursor c)
{
	char text[TITLE_BYTES];
	struct cursor oid;

	cursor_skip(&c, 4);
	while (cursor_left(&c)) {
		switch (cursor_u8(&c)) {
		case FEATURE_SECURITY:
			(void)take_oid(&c);
			break;
		case FEATURE_SESSION:
			cursor_skip(&c, 1);
			break;
		case FEATURE_CLASS:
			oid = take_oid(&c);
			if (cursor_ok(&oid) && der_oid_text(oid, text, sizeof text))
				tell_text(r, SENDER, path, ATTR_DEVICE_CLASS, text);
			break;
		case FEATURE_IDENTITY:
			oid = cursor_take(&c, cursor_u8(&c));
			if (cursor_ok(&oid))
				tell_identity(r, path, oid);
			break;
		default:
			return;
		}
	}
}

/* Code 00, count, data, two's complement of the data's sum: manufacturer, model, four revisions, serial. */
static void read_manufacturer(struct reader *r, const char *path, struct cursor c)
{
	struct cursor data, sum, maker, model;
	uint8_t total = 0, hardware, hardware_minor, firmware, firmware_minor;
	uint16_t count;

	cursor_skip(&c, 1);
	count = cursor_u16be(&c);
	data = sum = cursor_take(&c, count);
	while (cursor_left(&sum))
		total = (uint8_t)(total + cursor_u8(&sum));
	if (!cursor_ok(&data) || count < MANUFACTURER_BYTES || (uint8_t)(total + cursor_u8(&c)) != 0)
		return;
	maker = cursor_take(&data, 4);
	model = cursor_take(&data, 8);
	hardware = cursor_u8(&data);
	hardware_minor = cursor_u8(&data);
	firmware = cursor_u8(&data);
	firmware_minor = cursor_u8(&data);
	tell(r, SENDER, path, ATTR_VENDOR, maker);
	tell(r, SENDER, path, ATTR_PRODUCT, model);
	tell_format(r, SENDER, path, ATTR_HARDWARE, "%u.%u", hardware, hardware_minor);
	tell_format(r, SENDER, path, ATTR_FIRMWARE, "%u.%u", firmware, firmware_minor);
	tell(r, SENDER, path, ATTR_SERIAL, cursor_take(&data, 16));
}

/* A length as BER writes it. */
static size_t take_length(struct cursor *c)
{
	uint8_t first = cursor_u8(c);

	if (first < 0x80)
		return first;
	if (first > 0x82)
		cursor_fail(c);
	return (size_t)cursor_be(c, first & 3u);
}

/* The first service of a message in clear; an empty cursor when there is none. */
static struct cursor first_service(struct cursor epsem)
{
	uint8_t control = cursor_u8(&epsem);

	if (control & EPSEM_SECURITY)
		return cursor_over("", 0);
	if (control & EPSEM_CLASS)
		cursor_skip(&epsem, 4);
	return cursor_take(&epsem, take_length(&epsem));
}

static void remember_request(struct memo *memo, const struct apdu *a, struct cursor service)
{
	memo->service = cursor_u8(&service);
	memo->invocation = a->calling_invocation;
	memo->table = memo->service == READ_TABLE ? cursor_u16be(&service) : 0;
}

static void read_answer(struct reader *r, struct memo *memo, const struct apdu *a, struct cursor service, const char *path)
{
	struct cursor c = service;

	/* Answers without a called invocation repeat the question's in their own. */
	if (!memo->service || memo->invocation != (a->answers ? a->called_invocation : a->calling_invocation) || cursor_u8(&c) != 0)
		return;
	if (memo->service == IDENTIFY)
		read_identification(r, path, service);
	else if (memo->service == READ_TABLE && memo->table == TABLE_MANUFACTURER)
		read_manufacturer(r, path, service);
	memo->service = 0;
}

static uint8_t role_of(const struct reader *r, const struct apdu *a, struct cursor service)
{
	uint8_t role = role_by_port(r, C12_22_PORT);

	if (role != ROLE_UNKNOWN)
		return role;
	return a->answers || (cursor_left(&service) && cursor_peek(&service, 0) < FIRST_REQUEST) ? ROLE_SERVER : ROLE_CLIENT;
}

static enum verdict read_c12_22(struct reader *r)
{
	struct memo *memo = r->memo;
	char path[FINDING_PATH_BYTES], unused[FINDING_PATH_BYTES];
	struct cursor service;
	struct apdu a;
	enum verdict v = take_apdu(r, &a);

	if (v != MINE)
		return v;
	service = first_service(a.epsem);
	r->sender_role = role_of(r, &a, service);
	tell_title(r, memo, SENDER, a.calling, path);
	tell_title(r, memo, RECEIVER, a.called, unused);
	if (!cursor_ok(&service) || !cursor_left(&service))
		return MINE;
	if (cursor_peek(&service, 0) >= FIRST_REQUEST)
		remember_request(memo, &a, service);
	else
		read_answer(r, memo, &a, service, path);
	return MINE;
}

static void forget_c12_22(void *flow)
{
	struct memo *memo = flow;

	memset(memo->told, 0, sizeof memo->told);
}

const struct classifier classifier_c12_22 = {
	.name = "c12_22",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { C12_22_PORT },
	.max_message = LONGEST,
	.read = read_c12_22,
	.forget = forget_c12_22,
};
