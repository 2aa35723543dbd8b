/*
 * IEEE C37.118: phasor measurement units (PMU) and concentrators (PDC) that stream what they measure.
 *
 * IEEE C37.118-2005 and C37.118.2-2011, clause 6. Big-endian.
 *
 *	+----+------+------+--------+-----+---------+------------+-----+
 *	| AA | kind | size | idcode | SOC | FRACSEC | contents   | CRC |
 *	+----+------+------+--------+-----+---------+------------+-----+
 *	  1    1      2      2        4     4         size - 16    2
 *
 * kind: type in bits 4 to 6 (data, header, configuration 1 and 2, command, configuration 3), version
 * in the low half. A configuration holds a block for each PMU; more than one makes the sender a
 * concentrator and each of them a thing of its own: c37_118/4712/station:NAME.
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum { PORT_TCP = 4712, PORT_UDP = 4713, SYNC = 0xaa, LEAST_BYTES = 16, COMMAND_BYTES = 18, LONGEST = 16384 };
enum type { DATA, HEADER, CONFIGURATION_1, CONFIGURATION_2, COMMAND, CONFIGURATION_3, TYPES };
enum { NAME_BYTES = 16, STATIONS_TOLD = 20, ID_EVERY = 256 };

struct memo {
	bool mine;
	uint8_t seen[2]; /* data frames of each direction since the stream's number was told */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

struct frame {
	uint8_t type;
	uint16_t idcode;
	struct cursor contents;
};

/* One PMU's block in a configuration. */
struct station {
	struct cursor name;
	uint16_t idcode;
	struct cursor unique; /* 16 bytes, configuration 3 alone */
	float latitude;
	float longitude;
	bool placed;
};

/* CRC-CCITT, begun with ones, over all before it. */
static bool crc_fits(struct cursor frame)
{
	uint16_t crc = 0xffff;

	while (cursor_left(&frame) > 2) {
		uint16_t x = (uint16_t)(crc >> 8 ^ cursor_u8(&frame));

		x ^= x >> 4;
		crc = (uint16_t)(crc << 8 ^ x << 12 ^ x << 5 ^ x);
	}
	return cursor_u16be(&frame) == crc;
}

static void tell_station(struct reader *r, const struct frame *f, const struct station *s, bool alone)
{
	char path[FINDING_PATH_BYTES], name[48];
	size_t n = 0;

	for (struct cursor c = s->name; cursor_left(&c) && n < sizeof name - 1;) {
		uint8_t b = cursor_u8(&c);

		name[n++] = (char)((b > ' ' && b < 0x7f && b != '"' && b != '\'' && b != '\\') ? b : '_');
	}
	while (n > 0 && name[n - 1] == '_')
		n--;
	name[n] = 0;
	if (n == 0)
		snprintf(name, sizeof name, "%u", s->idcode);
	snprintf(path, sizeof path, "c37_118/%u/station:%s", r->sender_port, name);
	if (alone && s->idcode == f->idcode)
		path[0] = 0; /* the device itself */
	else
		tell_format(r, SENDER, path, ATTR_DEVICE_ID, "%u", s->idcode);
	tell(r, SENDER, path, ATTR_NAME, s->name);
	if (cursor_left(&s->unique) == 16) {
		struct cursor u = s->unique;
		uint64_t high = cursor_u64be(&u), low = cursor_u64be(&u);

		if (high | low)
			tell_format(r, SENDER, path, ATTR_SERIAL, "%016llx%016llx", (unsigned long long)high, (unsigned long long)low);
	}
	if (s->placed)
		tell_format(r, SENDER, path, ATTR_LOCATION, "%.5f, %.5f", (double)s->latitude, (double)s->longitude);
}

/* Names of channels follow the counts, then what each is measured in. */
static bool take_station_2(struct cursor *c, struct station *s)
{
	size_t phasors, analogs, digitals;

	*s = (struct station){ .name = cursor_take(c, NAME_BYTES), .unique.bad = true };
	s->idcode = cursor_u16be(c);
	cursor_skip(c, 2);
	phasors = cursor_u16be(c);
	analogs = cursor_u16be(c);
	digitals = cursor_u16be(c);
	cursor_skip(c, NAME_BYTES * (phasors + analogs + 16 * digitals) + 4 * (phasors + analogs + digitals) + 4);
	return cursor_ok(c);
}

static float take_float(struct cursor *c)
{
	uint32_t bits = cursor_u32be(c);
	float f;

	memcpy(&f, &bits, sizeof f);
	return f;
}

static struct cursor take_name(struct cursor *c)
{
	return cursor_take(c, cursor_u8(c));
}

static bool take_station_3(struct cursor *c, struct station *s)
{
	size_t phasors, analogs, digitals, names;

	*s = (struct station){ .name = take_name(c) };
	s->idcode = cursor_u16be(c);
	s->unique = cursor_take(c, 16);
	cursor_skip(c, 2);
	phasors = cursor_u16be(c);
	analogs = cursor_u16be(c);
	digitals = cursor_u16be(c);
	for (names = phasors + analogs + 16 * digitals; names > 0 && cursor_ok(c); names--)
		(void)take_name(c);
	cursor_skip(c, 12 * phasors + 8 * analogs + 4 * digitals);
	s->latitude = take_float(c);
	s->longitude = take_float(c);
	s->placed = s->latitude >= -90 && s->latitude <= 90 && s->longitude >= -180 && s->longitude <= 180; /* infinity: unknown */
	cursor_skip(c, 4 + 1 + 4 + 4 + 2 + 2);
	return cursor_ok(c);
}

static void read_configuration(struct reader *r, const struct frame *f)
{
	struct cursor c = f->contents;
	struct station s;
	uint16_t count;

	if (f->type == CONFIGURATION_3 && cursor_u16be(&c) > 1)
		return; /* a later piece of one that needs several frames begins anywhere */
	cursor_skip(&c, 4);
	count = cursor_u16be(&c);
	if (count > 1)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "phasor data concentrator");
	for (unsigned i = 0; i < count && i < STATIONS_TOLD; i++) {
		if (!(f->type == CONFIGURATION_3 ? take_station_3(&c, &s) : take_station_2(&c, &s)))
			return;
		tell_station(r, f, &s, count == 1);
	}
}

static void tell_id(struct reader *r, enum side side, uint16_t idcode)
{
	tell_format(r, side, NULL, ATTR_NETWORK_ADDRESS, "%u", idcode);
}

static enum verdict accept(struct reader *r, struct memo *memo, const struct frame *f)
{
	memo->mine = true;
	if (f->type == COMMAND) {
		r->sender_role = ROLE_CLIENT;
		tell_id(r, RECEIVER, f->idcode);
		return MINE;
	}
	r->sender_role = ROLE_SERVER;
	if (f->type == DATA) {
		/* Sixty of them a second say the same number. */
		if (memo->seen[r->direction]++ % ID_EVERY == 0)
			tell_id(r, SENDER, f->idcode);
		return MINE;
	}
	tell_id(r, SENDER, f->idcode);
	if (f->type == HEADER)
		tell(r, SENDER, NULL, ATTR_DESCRIPTION, f->contents);
	else
		read_configuration(r, f);
	return MINE;
}

static enum verdict read_c37_118(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes, whole;
	struct frame f = { 0 };
	uint8_t kind, sync = cursor_u8(&c);
	uint16_t size;

	if (sync != SYNC)
		return NOT_MINE;
	kind = cursor_u8(&c);
	size = cursor_u16be(&c);
	f.type = kind >> 4;
	if (cursor_left(&r->bytes) >= 2 && (f.type >= TYPES || (kind & 15) < 1 || (kind & 15) > 3))
		return NOT_MINE;
	if (!cursor_ok(&c))
		return r->transport == TRANSPORT_TCP ? NEED_MORE : NOT_MINE;
	if (size < LEAST_BYTES || size > LONGEST || (f.type == COMMAND && size < COMMAND_BYTES))
		return NOT_MINE;
	if (cursor_left(&r->bytes) < size)
		return r->transport == TRANSPORT_TCP ? NEED_MORE : NOT_MINE;
	c = r->bytes;
	whole = cursor_take(&c, size);
	/* Data of a stream that is known needs no proof. */
	if (!(memo->mine && f.type == DATA && !r->gap) && !crc_fits(whole))
		return NOT_MINE;
	cursor_skip(&whole, 4);
	f.idcode = cursor_u16be(&whole);
	cursor_skip(&whole, 8);
	f.contents = cursor_take(&whole, size - (size_t)LEAST_BYTES);
	r->bytes = c;
	return accept(r, memo, &f);
}

const struct classifier classifier_c37_118 = {
	.name = "c37_118",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { PORT_TCP, PORT_UDP },
	.max_message = LONGEST,
	.read = read_c37_118,
};
