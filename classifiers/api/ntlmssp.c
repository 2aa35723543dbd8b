/*
 * Reads NTLM's messages. MS-NLMP, 2.2.1 and 2.2.2.1.
 *
 *  0            8        12             20      24            32         40             48
 *  +------------+--------+--------------+-------+-------------+----------+--------------+-----------------+
 *  | NTLMSSP\0  | type 2 | target field | flags | challenge 8 | reserved | info field   | version         |
 *  +------------+--------+--------------+-------+-------------+----------+--------------+-----------------+
 *  | NTLMSSP\0  | type 1 | flags u32, domain field 16, workstation field 24 | version 32
 *  | NTLMSSP\0  | type 3 | proofs 12, 20; domain field 28, user field 36, workstation field 44, key 52, flags 60 | version 64
 *  field = {length u16le}{room u16le}{offset u32le}; info = {id u16le}{length u16le}{UTF-16LE}... ended by id 0
 *  version = {major}{minor}{build u16le}{3 zeros}{revision}, there only when the flag for it is set
 */
#include "classifiers/api/ntlmssp.h"

enum { TYPE_NEGOTIATE = 1, TYPE_CHALLENGE = 2, TYPE_AUTHENTICATE = 3, REVISION = 15 };
enum { FLAG_UNICODE = 1, FLAG_WORKSTATION = 0x2000, FLAG_VERSION = 0x02000000 };
enum { INFO_END = 0, INFO_NETBIOS_COMPUTER = 1, INFO_DNS_COMPUTER = 3 };
enum { NEGOTIATE_WORKSTATION = 24, NEGOTIATE_VERSION = 32, AUTHENTICATE_WORKSTATION = 44, AUTHENTICATE_FLAGS = 60 };

static const uint8_t signature[8] = "NTLMSSP";

static void tell_info(struct reader *r, struct cursor info)
{
	while (cursor_left(&info) >= 4) {
		uint16_t id = cursor_u16le(&info);
		struct cursor value = cursor_take(&info, cursor_u16le(&info));

		if (id == INFO_END || !cursor_ok(&value))
			return;
		if (id == INFO_NETBIOS_COMPUTER || id == INFO_DNS_COMPUTER)
			tell_utf16le(r, SENDER, NULL, ATTR_HOSTNAME, value);
	}
}

/* Samba writes 6.1 and build 0: no Windows. */
static void tell_version(struct reader *r, struct cursor c)
{
	uint8_t major = cursor_u8(&c), minor = cursor_u8(&c);
	uint16_t build = cursor_u16le(&c);

	cursor_skip(&c, 3);
	if (cursor_u8(&c) == REVISION && cursor_ok(&c) && build)
		tell_format(r, SENDER, NULL, ATTR_OS, "Windows NT %u.%u build %u", major, minor, build);
}

/* The bytes that a field at `at` of the message names; a bad cursor when they are not there. */
static struct cursor field(struct cursor message, size_t at)
{
	struct cursor c = message, value = message;
	uint16_t len;

	cursor_skip(&c, at);
	len = cursor_u16le(&c);
	cursor_skip(&c, 2);
	cursor_skip(&value, cursor_u32le(&c));
	value = cursor_take(&value, len);
	value.bad |= c.bad;
	return value;
}

static uint32_t flags_at(struct cursor message, size_t at)
{
	cursor_skip(&message, at);
	return cursor_u32le(&message);
}

static void tell_workstation(struct reader *r, struct cursor name, bool wide)
{
	if (wide)
		tell_utf16le(r, SENDER, NULL, ATTR_HOSTNAME, name);
	else
		tell(r, SENDER, NULL, ATTR_HOSTNAME, name);
}

static void read_negotiate(struct reader *r, struct cursor message, bool version)
{
	uint32_t flags = flags_at(message, 12);
	struct cursor c = message;

	if (flags & FLAG_WORKSTATION)
		tell_workstation(r, field(message, NEGOTIATE_WORKSTATION), false);
	cursor_skip(&c, NEGOTIATE_VERSION);
	if (flags & FLAG_VERSION && version)
		tell_version(r, c);
}

static void read_challenge(struct reader *r, struct cursor message, bool version)
{
	struct cursor c = message, info = field(message, 40);

	cursor_skip(&c, 48);
	if (!cursor_ok(&c))
		return;
	if (flags_at(message, 20) & FLAG_VERSION && version)
		tell_version(r, c);
	tell_info(r, info);
}

/*
 * The oldest of these messages end before the flags: there a field's bytes begin, and a name whose
 * every other byte is zero is a wide one.
 */
static void read_authenticate(struct reader *r, struct cursor message, bool version)
{
	struct cursor name = field(message, AUTHENTICATE_WORKSTATION), c = message;
	bool old = cursor_ok(&name) && name.at < message.at + AUTHENTICATE_FLAGS + 4;
	uint32_t flags = old ? 0 : flags_at(message, AUTHENTICATE_FLAGS);
	bool wide = flags & FLAG_UNICODE || (old && cursor_left(&name) > 1 && name.at[1] == 0);

	tell_workstation(r, name, wide);
	cursor_skip(&c, AUTHENTICATE_FLAGS + 4);
	if (flags & FLAG_VERSION && version)
		tell_version(r, c);
}

static void read_message(struct reader *r, struct cursor blob, bool version)
{
	struct cursor c;

	while (cursor_left(&blob) >= sizeof signature && !cursor_starts(&blob, signature, sizeof signature))
		cursor_skip(&blob, 1);
	c = blob;
	cursor_skip(&c, sizeof signature);
	switch (cursor_u32le(&c)) {
	case TYPE_NEGOTIATE:
		read_negotiate(r, blob, version);
		break;
	case TYPE_CHALLENGE:
		read_challenge(r, blob, version);
		break;
	case TYPE_AUTHENTICATE:
		read_authenticate(r, blob, version);
		break;
	}
}

void ntlmssp_tell(struct reader *r, struct cursor blob)
{
	read_message(r, blob, true);
}

void ntlmssp_tell_names(struct reader *r, struct cursor blob)
{
	read_message(r, blob, false);
}
