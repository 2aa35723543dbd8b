/*
 * M-Bus through TCP and UDP gateways: the meters on the bus behind one.
 *
 * EN 13757-2 section 5 (frames), EN 13757-3 sections 5 to 7 (variable data, records, media, makers).
 *
 *	E5                                         acknowledged
 *	10 | C | A | checksum | 16                 short frame
 *	68 | L | L | 68 | C | A | CI | data .. | checksum | 16
 *
 *	CI 72: id (4, BCD) | maker (2) | version | medium | access | status | signature (2) | {DIF, VIF, value} ..
 *
 * L counts C to the end of data. C has bit 6 in what the master sends. Numbers are little-endian.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	ACKNOWLEDGE = 0xe5, SHORT = 0x10, LONG = 0x68, STOP = 0x16,
	FROM_MASTER = 0x40,
	SHORT_BYTES = 5, LONG_EXTRA_BYTES = 6,
	ADDRESS_PRIMARY_LAST = 250,
	FIXED_HEADER_BYTES = 12,
	TEXT_BYTES = 64,
};

enum { CI_VARIABLE = 0x72, CI_FIXED = 0x73 };
enum { CONTROL_NKE = 0x40, CONTROL_SND_UD = 0x53, CONTROL_REQ_UD2 = 0x5b, CONTROL_REQ_UD1 = 0x5a, CONTROL_FCB = 0x20, CONTROL_RSP = 0x08 };
enum { VIF_FABRICATION = 0x78, VIF_EXTENSION_FD = 0xfd };
enum { DIF_MANUFACTURER = 0x0f, DIF_MORE = 0x1f, DIF_FILLER = 0x2f, DIF_LVAR = 0x0d };

struct memo {
	uint8_t told[32]; /* bit set: this primary address */
	uint8_t asked;    /* 1 + direction of who sent a good short frame */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct frame {
	bool is_long;
	uint8_t control, address, ci;
	struct cursor data; /* behind CI */
};

static const char *medium_name(uint8_t medium)
{
	switch (medium) {
	case 0x01: return "oil meter";
	case 0x02: return "electricity meter";
	case 0x03: return "gas meter";
	case 0x04: return "heat meter (outlet)";
	case 0x05: return "steam meter";
	case 0x06: return "warm water meter";
	case 0x07: return "water meter";
	case 0x08: return "heat cost allocator";
	case 0x09: return "compressed air meter";
	case 0x0a: return "cooling meter (outlet)";
	case 0x0b: return "cooling meter (inlet)";
	case 0x0c: return "heat meter (inlet)";
	case 0x0d: return "heat and cooling meter";
	case 0x0e: return "bus component";
	case 0x15: return "hot water meter";
	case 0x16: return "cold water meter";
	case 0x18: return "pressure meter";
	case 0x19: return "analogue converter";
	case 0x1a: return "smoke detector";
	case 0x1b: return "room sensor";
	case 0x1c: return "gas detector";
	case 0x20: return "breaker";
	case 0x21: return "valve";
	case 0x28: return "waste water meter";
	case 0x31: return "communication controller";
	case 0x36:
	case 0x37: return "radio converter";
	default: return NULL;
	}
}

static const char *maker_name(const char letters[4])
{
	static const struct {
		char letters[4];
		const char *name;
	} makers[] = {
		{ "ABB", "ABB" }, { "ACW", "Itron" }, { "SLB", "Itron" }, { "ITR", "Itron" }, { "AMT", "Aquametro" },
		{ "EFE", "Engelmann" }, { "ELS", "Elster" }, { "ELV", "Elvaco" }, { "EMH", "EMH" }, { "EMU", "EMU" }, { "FIN", "Finder" },
		{ "GWF", "GWF" }, { "HYD", "Diehl Metering" }, { "KAM", "Kamstrup" }, { "LGB", "Landis+Gyr" }, { "LUG", "Landis+Gyr" },
		{ "LGZ", "Landis+Gyr" }, { "LSE", "Siemens" }, { "LSZ", "Siemens" }, { "NZR", "NZR" }, { "PAD", "PadMess" },
		{ "REL", "Relay" }, { "SBC", "Saia-Burgess" }, { "SEN", "Sensus" }, { "SON", "Sontex" }, { "SPX", "Sensus" },
		{ "SVM", "Elster" }, { "TCH", "Techem" }, { "ZRM", "Minol" },
	};

	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
		if (memcmp(makers[i].letters, letters, 3) == 0)
			return makers[i].name;
	return NULL;
}

static uint8_t sum_of(struct cursor c)
{
	uint8_t sum = 0;

	while (cursor_left(&c))
		sum = (uint8_t)(sum + cursor_u8(&c));
	return sum;
}

static bool known_control(uint8_t c)
{
	uint8_t plain = c & (uint8_t)~CONTROL_FCB;

	if (c & FROM_MASTER)
		return c == CONTROL_NKE || plain == CONTROL_SND_UD || plain == CONTROL_REQ_UD2 || plain == CONTROL_REQ_UD1;
	return (c & 0x0f) == CONTROL_RSP && !(c & 0x80);
}

static enum verdict take_short(struct cursor *c, struct frame *f)
{
	struct cursor body;
	uint8_t sum;

	if (cursor_left(c) < SHORT_BYTES)
		return NEED_MORE;
	cursor_skip(c, 1);
	body = cursor_take(c, 2);
	sum = sum_of(body);
	f->is_long = false;
	f->control = cursor_u8(&body);
	f->address = cursor_u8(&body);
	return cursor_u8(c) == sum && cursor_u8(c) == STOP && known_control(f->control) ? MAYBE : NOT_MINE;
}

static enum verdict take_long(struct cursor *c, struct frame *f)
{
	uint8_t length, again, start;
	struct cursor body;
	uint8_t sum;

	if (cursor_left(c) < 4)
		return cursor_left(c) < 3 || cursor_peek(c, 1) == cursor_peek(c, 2) ? NEED_MORE : NOT_MINE;
	cursor_skip(c, 1);
	length = cursor_u8(c);
	again = cursor_u8(c);
	start = cursor_u8(c);
	if (length != again || length < 3 || start != LONG)
		return NOT_MINE;
	if (cursor_left(c) < length + 2u)
		return NEED_MORE;
	body = cursor_take(c, length);
	sum = sum_of(body);
	f->is_long = true;
	f->control = cursor_u8(&body);
	f->address = cursor_u8(&body);
	f->ci = cursor_u8(&body);
	f->data = body;
	return cursor_u8(c) == sum && cursor_u8(c) == STOP && known_control(f->control) ? MINE : NOT_MINE;
}

/* Eight digits of BCD; a digit over 9 is not one, and makes hexadecimal of the rest too. */
static void tell_serial(struct reader *r, const char *path, uint32_t id)
{
	tell_format(r, SENDER, path, ATTR_SERIAL, "%08x", id);
}

static void tell_maker(struct reader *r, const char *path, uint16_t maker)
{
	char letters[4] = { (char)((maker >> 10 & 31) + 64), (char)((maker >> 5 & 31) + 64), (char)((maker & 31) + 64), 0 };

	tell_text(r, SENDER, path, ATTR_VENDOR_ID, letters);
	if (maker_name(letters))
		tell_text(r, SENDER, path, ATTR_VENDOR, maker_name(letters));
}

/* Takes the value that a DIF announces; text of variable length stands backwards and is turned. */
static struct cursor take_value(struct cursor *c, uint8_t dif, char text[TEXT_BYTES])
{
	static const uint8_t bytes[16] = { 0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0 };
	struct cursor value;
	size_t n;

	if ((dif & 15) != DIF_LVAR)
		return cursor_take(c, bytes[dif & 15]);
	n = cursor_u8(c);
	value = cursor_take(c, n);
	if (!cursor_ok(&value) || n >= TEXT_BYTES) {
		value.end = value.at;
		return value;
	}
	for (size_t i = 0; i < n; i++)
		text[i] = (char)value.at[n - 1 - i];
	return cursor_over(text, n);
}

static enum attribute record_attribute(uint8_t vif, uint8_t extension)
{
	if (vif == VIF_FABRICATION)
		return ATTR_SERIAL;
	if (vif != VIF_EXTENSION_FD)
		return ATTR_NONE;
	switch (extension & 0x7f) {
	case 0x0a: return ATTR_VENDOR;
	case 0x0b:
	case 0x0c: return ATTR_PRODUCT;
	case 0x0d: return ATTR_HARDWARE;
	case 0x0e: return ATTR_FIRMWARE;
	case 0x0f: return ATTR_SOFTWARE;
	case 0x10: return ATTR_LOCATION;
	case 0x11: return ATTR_NAME;
	default: return ATTR_NONE;
	}
}

static void tell_record(struct reader *r, const char *path, uint8_t dif, enum attribute a, struct cursor value)
{
	size_t n = cursor_left(&value);

	if (a == ATTR_NONE || n == 0)
		return;
	if ((dif & 15) == DIF_LVAR)
		tell(r, SENDER, path, a, value);
	else if (n <= 8 && (dif & 15) >= 9)
		tell_format(r, SENDER, path, a, "%0*llx", (int)(a == ATTR_SERIAL ? 2 * n : 1), (unsigned long long)cursor_le(&value, n));
	else if (n <= 8)
		tell_format(r, SENDER, path, a, "%llu", (unsigned long long)cursor_le(&value, n));
}

static void read_records(struct reader *r, const char *path, struct cursor c)
{
	char text[TEXT_BYTES];

	while (cursor_left(&c) >= 2) {
		uint8_t dif = cursor_u8(&c), vif, extension = 0, next;

		if (dif == DIF_FILLER)
			continue;
		if (dif == DIF_MANUFACTURER || dif == DIF_MORE)
			return;
		for (next = dif; next & 0x80;)
			next = cursor_u8(&c);
		vif = cursor_u8(&c);
		if ((vif & 0x7f) == 0x7c)
			return; /* a unit in plain text: nothing of ours is told so */
		for (next = vif; next & 0x80;) {
			next = cursor_u8(&c);
			if (!extension)
				extension = next;
		}
		/* A storage number or tariff makes it a past or partial value. */
		tell_record(r, path, dif, dif & 0xc0 ? ATTR_NONE : record_attribute(vif, extension), take_value(&c, dif, text));
	}
}

static void tell_medium(struct reader *r, const char *path, uint8_t medium)
{
	if (medium_name(medium))
		tell_text(r, SENDER, path, ATTR_DEVICE_CLASS, medium_name(medium));
}

/* Fixed data has the medium in the two top bits of both units. */
static void read_meter(struct reader *r, const char *path, const struct frame *f)
{
	struct cursor c = f->data;
	uint32_t id = cursor_u32le(&c);
	uint16_t maker;
	uint8_t version, medium, unit;

	if (f->ci == CI_FIXED) {
		cursor_skip(&c, 2);
		unit = cursor_u8(&c);
		medium = (uint8_t)(unit >> 6 | (cursor_u8(&c) >> 6) << 2);
		if (cursor_ok(&c)) {
			tell_serial(r, path, id);
			tell_medium(r, path, medium);
		}
		return;
	}
	maker = cursor_u16le(&c);
	version = cursor_u8(&c);
	medium = cursor_u8(&c);
	cursor_skip(&c, FIXED_HEADER_BYTES - 8);
	if (!cursor_ok(&c))
		return;
	tell_serial(r, path, id);
	tell_maker(r, path, maker);
	tell_format(r, SENDER, path, ATTR_DEVICE_ID, "%u", version);
	tell_medium(r, path, medium);
	read_records(r, path, c);
}

/* A meter without a number of its own, or spoken to by its secondary address, goes by its id. */
static void read_response(struct reader *r, struct memo *memo, const struct frame *f)
{
	bool meter = f->ci == CI_VARIABLE || f->ci == CI_FIXED;
	char path[FINDING_PATH_BYTES];
	struct cursor c = f->data;

	if (f->address >= 1 && f->address <= ADDRESS_PRIMARY_LAST)
		snprintf(path, sizeof path, "mbus_tcp/%u/address:%u", r->sender_port, f->address);
	else if (meter && cursor_left(&c) >= 4)
		snprintf(path, sizeof path, "mbus_tcp/%u/id:%08x", r->sender_port, cursor_u32le(&c));
	else
		return;
	if (!(memo->told[f->address / 8] & 1u << f->address % 8) || f->address > ADDRESS_PRIMARY_LAST) {
		memo->told[f->address / 8] |= (uint8_t)(1u << f->address % 8);
		tell_subasset(r, SENDER, path);
		tell_text(r, SENDER, NULL, ATTR_ROLE, "gateway");
	}
	if (meter)
		read_meter(r, path, f);
}

/* A long frame's checksum, its length twice and its ends are proof; a short one must be followed up. */
static enum verdict read_mbus_tcp(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes;
	struct frame f = { 0 };
	enum verdict v;

	switch (cursor_peek(&c, 0)) {
	case ACKNOWLEDGE:
		if (!cursor_ok(&c) || (!memo->mine && memo->asked != 1 + !r->direction))
			return NOT_MINE;
		cursor_skip(&c, 1);
		r->bytes = c;
		r->sender_role = ROLE_SERVER;
		return memo->mine ? MINE : MAYBE;
	case SHORT:
		v = take_short(&c, &f);
		break;
	case LONG:
		v = take_long(&c, &f);
		break;
	default:
		return NOT_MINE;
	}
	if (v == NEED_MORE || v == NOT_MINE)
		return v == NEED_MORE && (r->transport != TRANSPORT_TCP || r->truncated) ? NOT_MINE : v;
	r->bytes = c;
	r->sender_role = f.control & FROM_MASTER ? ROLE_CLIENT : ROLE_SERVER;
	if (f.control & FROM_MASTER)
		memo->asked = (uint8_t)(1 + r->direction);
	memo->mine |= v == MINE;
	if (f.is_long && r->sender_role == ROLE_SERVER)
		read_response(r, memo, &f);
	return memo->mine ? MINE : MAYBE;
}

static void forget_mbus_tcp(void *flow)
{
	struct memo *memo = flow;

	memset(memo->told, 0, sizeof memo->told);
}

const struct classifier classifier_mbus_tcp = {
	.name = "mbus_tcp",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { 10001, 8888, 4001, 5040, 10002 },
	.read = read_mbus_tcp,
	.forget = forget_mbus_tcp,
};
