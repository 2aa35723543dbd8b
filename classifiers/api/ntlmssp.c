/*
 * Reads NTLM's challenge. MS-NLMP, 2.2.1.2 and 2.2.2.1.
 *
 *  0            8        12             20      24            32         40             48
 *  +------------+--------+--------------+-------+-------------+----------+--------------+-----------------+
 *  | NTLMSSP\0  | type 2 | target field | flags | challenge 8 | reserved | info field   | version         |
 *  +------------+--------+--------------+-------+-------------+----------+--------------+-----------------+
 *  field = {length u16le}{room u16le}{offset u32le}; info = {id u16le}{length u16le}{UTF-16LE}... ended by id 0
 *  version = {major}{minor}{build u16le}{3 zeros}{revision}, there only when the flag for it is set
 */
#include "classifiers/api/ntlmssp.h"

enum { TYPE_CHALLENGE = 2, FLAG_VERSION = 0x02000000, REVISION = 15 };
enum { INFO_END = 0, INFO_NETBIOS_COMPUTER = 1, INFO_DNS_COMPUTER = 3 };

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

void ntlmssp_tell(struct reader *r, struct cursor blob)
{
	struct cursor c, info;
	uint16_t len;
	uint32_t flags;

	while (cursor_left(&blob) >= sizeof signature && !cursor_starts(&blob, signature, sizeof signature))
		cursor_skip(&blob, 1);
	c = info = blob;
	cursor_skip(&c, sizeof signature);
	if (cursor_u32le(&c) != TYPE_CHALLENGE)
		return;
	cursor_skip(&c, 8);
	flags = cursor_u32le(&c);
	cursor_skip(&c, 16);
	len = cursor_u16le(&c);
	cursor_skip(&c, 2);
	cursor_skip(&info, cursor_u32le(&c));
	info = cursor_take(&info, len);
	if (!cursor_ok(&c))
		return;
	if (flags & FLAG_VERSION)
		tell_version(r, c);
	tell_info(r, info);
}
