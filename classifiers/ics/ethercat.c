/*
 * EtherCAT: a master's frames as they go out to its slaves and as they come back.
 *
 * IEC 61158-4-12; ETG.1000 parts 4 (datagrams), 6 (CoE mailbox) and ETG.2010 (EEPROM). Ethertype 0x88A4,
 * or UDP 34980. Little-endian.
 *
 *	+------------------------------+   +-----+-----+---------+--------+-------------------+-----+------+-----+
 *	| length 11 bits, type 4 bits  |   | cmd | idx | adp     | ado    | length 11 .. more | irq | data | wkc |
 *	+------------------------------+   +-----+-----+---------+--------+-------------------+-----+------+-----+
 *	  2                                  1     1     2         2        2                   2            2
 *
 * Slaves change a frame while it passes: it returns with the sender's MAC marked (bit 2 of the first
 * byte) and with counts of who answered. The marked MAC stands for the segment of slaves; each of them
 * is known by the station address that the master gave it: ethercat/0/slave:1001.
 */
#include "classifiers/api/classifier.h"

#include <stdio.h>

enum { ETHERTYPE_ETHERCAT = 0x88a4, ETHERCAT_PORT = 34980, TYPE_COMMANDS = 1, TYPE_VARIABLES = 4, DATAGRAM_BYTES = 12 };
enum command { FPRD = 4, BRD = 7, LRD = 10, LRW = 12, LAST_COMMAND = 14 };
enum esc_register { REG_AL_STATUS = 0x0130, REG_EEPROM = 0x0502, MAILBOX_FIRST = 0x1000 };
enum { EEPROM_BUSY_OR_ERROR = 0xf800, EEPROM_VENDOR = 8, EEPROM_PRODUCT = 10, EEPROM_REVISION = 12, EEPROM_SERIAL = 14 };
enum { MAILBOX_COE = 3, COE_SDO_ANSWER = 3, SDO_UPLOAD = 2, SDO_EXPEDITED = 2 };
enum { RETURNED_MAC = 2, BEFORE_MORE = 0x8000, LENGTH_BITS = 0x7ff };

struct datagram {
	uint8_t command;
	uint16_t adp;
	uint16_t ado;
	bool more;
	struct cursor data;
	uint16_t count; /* how many slaves answered */
};

struct vendor {
	uint32_t id;
	const char *name;
};

/* Frequent ones of the EtherCAT Technology Group's registry. */
static const struct vendor vendors[] = {
	{ 0x2, "Beckhoff" }, { 0x14, "KEB" }, { 0x16, "KEBA" }, { 0x1b, "HMS Industrial Networks" }, { 0x1d, "Festo" },
	{ 0x21, "WAGO" }, { 0x24, "Bosch Rexroth" }, { 0x3b, "Lenze" }, { 0x44, "Hilscher" }, { 0x59, "SEW-EURODRIVE" },
	{ 0x6a, "Kollmorgen" }, { 0x83, "Omron" }, { 0x84, "Phoenix Contact" }, { 0x9a, "Elmo" }, { 0x9c, "Turck" },
	{ 0xab, "Copley" }, { 0xad, "Pepperl+Fuchs" }, { 0xb7, "ABB" }, { 0xfb, "maxon" }, { 0x114, "SMC" },
	{ 0x1b9, "Sanyo Denki" }, { 0x1c7, "Eaton" }, { 0x1dd, "Delta" }, { 0x26c, "Nanotec" }, { 0x2be, "Oriental Motor" },
	{ 0x541, "Keyence" }, { 0x569, "Kunbus" }, { 0x66f, "Panasonic" }, { 0x691, "FANUC" }, { 0x800005a, "Schneider Electric" },
	{ 0x1000056, "SICK" }, { 0x1000089, "Parker" }, { 0x10000e8, "Balluff" },
};

static void tell_vendor(struct reader *r, const char *path, uint32_t id)
{
	tell_format(r, SENDER, path, ATTR_VENDOR_ID, "0x%08x", id);
	for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++)
		if (vendors[i].id == id)
			tell_text(r, SENDER, path, ATTR_VENDOR, vendors[i].name);
}

/* The four numbers of a slave, in its EEPROM and as object 1018. */
static void tell_number(struct reader *r, const char *path, unsigned which, uint32_t v)
{
	if (v == 0)
		return;
	if (which == 1)
		tell_vendor(r, path, v);
	else if (which == 2)
		tell_format(r, SENDER, path, ATTR_DEVICE_ID, "0x%08x", v);
	else if (which == 3)
		tell_format(r, SENDER, path, ATTR_DESCRIPTION, "revision 0x%08x", v);
	else
		tell_format(r, SENDER, path, ATTR_SERIAL, "%u", v);
}

/* Control and status, word address, the words there. */
static void tell_eeprom(struct reader *r, const char *path, struct cursor c)
{
	uint16_t status = cursor_u16le(&c);
	uint32_t address = cursor_u32le(&c), words = cursor_u32le(&c);

	if (cursor_ok(&c) && !(status & EEPROM_BUSY_OR_ERROR) && address >= EEPROM_VENDOR && address <= EEPROM_SERIAL && address % 2 == 0)
		tell_number(r, path, address / 2 - 3, words);
}

static void tell_state(struct reader *r, const char *path, struct cursor c)
{
	static const char *const states[] = { [1] = "init", [2] = "pre-operational", [3] = "bootstrap", [4] = "safe-operational", [8] = "operational" };
	uint8_t state = cursor_u8(&c) & 15;

	if (state < sizeof states / sizeof states[0] && states[state])
		tell_text(r, SENDER, path, ATTR_STATE, states[state]);
}

static void tell_object(struct reader *r, const char *path, uint16_t index, uint8_t sub, struct cursor value)
{
	if (index == 0x1008)
		tell(r, SENDER, path, ATTR_PRODUCT, value);
	else if (index == 0x1009)
		tell(r, SENDER, path, ATTR_HARDWARE, value);
	else if (index == 0x100a)
		tell(r, SENDER, path, ATTR_FIRMWARE, value);
	else if (index == 0x1018 && sub >= 1 && sub <= 4 && cursor_left(&value) >= 4)
		tell_number(r, path, sub, cursor_u32le(&value));
}

/* Mailbox: length 2, address 2, priority 1, type 1; CoE: service 2; SDO: command 1, index 2, subindex 1, value. */
static void read_mailbox(struct reader *r, const char *path, struct cursor c)
{
	struct cursor mail = cursor_take(&c, 6), coe, value;
	uint16_t length = cursor_u16le(&mail), index;
	uint8_t type, command, sub;

	cursor_skip(&mail, 3);
	type = cursor_u8(&mail);
	coe = cursor_take(&c, length);
	if ((type & 15) != MAILBOX_COE || cursor_u16le(&coe) >> 12 != COE_SDO_ANSWER)
		return;
	command = cursor_u8(&coe);
	index = cursor_u16le(&coe);
	sub = cursor_u8(&coe);
	if (!cursor_ok(&coe) || command >> 5 != SDO_UPLOAD)
		return;
	if (command & SDO_EXPEDITED) {
		value = cursor_take(&coe, 4 - (command >> 2 & 3));
	} else {
		size_t len = cursor_u32le(&coe);

		value = cursor_take(&coe, len < cursor_left(&coe) ? len : cursor_left(&coe));
	}
	if (cursor_ok(&value))
		tell_object(r, path, index, sub, value);
}

/* What one slave answered to a read at its own address. */
static void read_answer(struct reader *r, const struct datagram *d)
{
	char path[FINDING_PATH_BYTES];

	snprintf(path, sizeof path, "ethercat/0/slave:%u", d->adp);
	if (d->ado == REG_EEPROM)
		tell_eeprom(r, path, d->data);
	else if (d->ado == REG_AL_STATUS)
		tell_state(r, path, d->data);
	else if (d->ado >= MAILBOX_FIRST && cursor_left(&d->data) >= 16)
		read_mailbox(r, path, d->data);
}

static bool take_datagram(struct cursor *c, struct datagram *d)
{
	uint16_t length;

	d->command = cursor_u8(c);
	cursor_skip(c, 1);
	d->adp = cursor_u16le(c);
	d->ado = cursor_u16le(c);
	length = cursor_u16le(c);
	cursor_skip(c, 2);
	d->more = length & BEFORE_MORE;
	d->data = cursor_take(c, length & LENGTH_BITS);
	d->count = cursor_u16le(c);
	return cursor_ok(c) && d->command <= LAST_COMMAND;
}

/* True when datagrams follow each other up to the end, as each says whether there is one more. */
static bool read_datagrams(struct reader *r, struct cursor c, bool returned, bool *answered)
{
	struct datagram d = { .more = true };
	bool first = true, cyclic = false;

	while (d.more) {
		if (!take_datagram(&c, &d))
			return r->truncated && !first;
		cyclic |= d.command >= LRD && d.command <= LRW;
		*answered |= d.count > 0;
		if (returned && d.count == 1 && d.command == FPRD)
			read_answer(r, &d);
		else if (returned && d.count && d.command == BRD && first && !cyclic)
			tell_format(r, SENDER, NULL, ATTR_DESCRIPTION, "%u slaves", d.count);
		first = false;
	}
	return cursor_left(&c) == 0;
}

static enum verdict read_ethercat(struct reader *r)
{
	struct cursor c = r->bytes, commands;
	uint16_t header = cursor_u16le(&c), length = header & LENGTH_BITS;
	bool udp = r->transport == TRANSPORT_UDP, returned = !udp && r->sender->mac[0] & RETURNED_MAC, answered = false;

	if (udp && r->sender_port != ETHERCAT_PORT && r->receiver_port != ETHERCAT_PORT)
		return NOT_MINE;
	if (!cursor_ok(&c) || (cursor_left(&c) < length && !r->truncated) || (udp && cursor_left(&c) != length))
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	if (header >> 12 == TYPE_VARIABLES && !udp)
		return length >= 4 ? MINE : NOT_MINE;
	if (header >> 12 != TYPE_COMMANDS || length < DATAGRAM_BYTES)
		return NOT_MINE;
	commands = cursor_take(&c, cursor_left(&c) < length ? cursor_left(&c) : length);
	if (!read_datagrams(r, commands, returned, &answered))
		return NOT_MINE;
	if (!udp && returned == answered) /* a master's own MAC may look marked, but then nobody has answered yet */
		tell_text(r, SENDER, NULL, ATTR_ROLE, returned ? "ethercat segment" : "ethercat master");
	return MINE;
}

const struct classifier classifier_ethercat = {
	.name = "ethercat",
	.transports = 1 << TRANSPORT_ETHERNET | 1 << TRANSPORT_UDP,
	.ports = { ETHERCAT_PORT },
	.ethertypes = { ETHERTYPE_ETHERCAT },
	.read = read_ethercat,
};
