/*
 * DICOM: an association for Verification alone, C-ECHO, and the release. PS3.8, 9.3; PS3.7, 9.3.5.
 *
 *   | type 1 | 0 | length 4 | version 2 | 0 0 | called AE 16 | calling AE 16 | 32 zeros | items |   big-endian
 *
 * No other SOP class is proposed, so that nothing can be stored, found, moved or fetched.
 */
#include "active/guard/allow.h"

enum { ASSOCIATE = 1, DATA = 4, RELEASE = 5, AE_BYTES = 16, RESERVED_BYTES = 32 };

static const uint8_t zeros[RESERVED_BYTES];
static const char our_title[] = "ASKANCE         ";
static const char items[] = "\x10\0\0\x15" "1.2.840.10008.3.1.1.1"
			    "\x20\0\0\x2e\1\0\0\0" "\x30\0\0\x11" "1.2.840.10008.1.1" "\x40\0\0\x11" "1.2.840.10008.1.2"
			    "\x50\0\0\x43" "\x51\0\0\4\0\0\x40\0"
			    "\x52\0\0\x2c" "2.25.158217299147278256070266681203476681648"
			    "\x55\0\0\7" "ASKANCE";
/* Presentation context 1, the only and last fragment of a command; its elements, little-endian. */
static const char echo[] = "\0\0\0\x46\1\3" "\0\0\0\0\4\0\0\0\x38\0\0\0" "\0\0\2\0\x12\0\0\0" "1.2.840.10008.1.1\0"
			   "\0\0\0\1\2\0\0\0\x30\0" "\0\0\x10\1\2\0\0\0\1\0" "\0\0\0\x08\2\0\0\0\1\1";

static bool is_title(struct cursor title)
{
	while (cursor_left(&title)) {
		uint8_t c = cursor_u8(&title);

		if (c < 0x20 || c > 0x7e || c == '\\')
			return false;
	}
	return cursor_ok(&title);
}

static bool judge_associate(struct ask *q)
{
	if (!ask_takes(q, "\0\1\0\0", 4) || !is_title(cursor_take(&q->bytes, AE_BYTES)))
		return ask_refuse(q, "the association is not of version 1 with a printable called title");
	if (!ask_takes(q, our_title, AE_BYTES) || !ask_takes(q, zeros, RESERVED_BYTES))
		return ask_refuse(q, "the calling title is not ours");
	if (!ask_takes(q, items, sizeof(items) - 1))
		return ask_refuse(q, "the association is not for Verification alone");
	return ask_reads(q, "associate for Verification");
}

static bool judge_dicom(struct ask *q)
{
	uint8_t type = cursor_u8(&q->bytes), reserved = cursor_u8(&q->bytes);
	uint32_t length = cursor_u32be(&q->bytes);

	if (reserved != 0 || length != cursor_left(&q->bytes))
		return ask_refuse(q, "the header's length (%u) is not that of the message", length);
	if (type == ASSOCIATE)
		return judge_associate(q);
	if (type == DATA)
		return ask_takes(q, echo, sizeof(echo) - 1) ? ask_reads(q, "C-ECHO")
							    : ask_refuse(q, "the command is not the one C-ECHO");
	if (type == RELEASE)
		return ask_takes(q, zeros, 4) ? ask_reads(q, "release the association")
					      : ask_refuse(q, "the release carries something");
	return ask_refuse(q, "PDU 0x%02x is none of associate, data and release", type);
}

const struct allow allow_dicom = {
	.name = "dicom",
	.transports = 1 << TRANSPORT_TCP,
	.may = "associate for Verification, C-ECHO, release",
	.judge = judge_dicom,
};
