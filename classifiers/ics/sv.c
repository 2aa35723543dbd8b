/*
 * Sampled Values: currents and voltages that merging units send thousands of times a second.
 *
 * IEC 61850-9-2, clause 8. Ethertype 0x88BA. The header is GOOSE's, the rest is BER.
 *
 *	+-------+--------+----------+----------+--------------------------------------------------------------
 *	| APPID | length | reserved | reserved | 60 len { 80 noASDU, a2 len { 30 len { 80 svID, [81 datSet], ...
 *	+-------+--------+----------+----------+--------------------------------------------------------------
 *	  2       2        2          2
 *
 * A stream is a thing of its own behind its publisher: sv/0/appid:0x4000. Only the first ASDU is read;
 * the others of a frame are later samples, or of other streams with the same fate.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/der.h"

#include <stdio.h>

enum { ETHERTYPE_SV = 0x88ba, SV_PDU = 0x60, HEADER_BYTES = 8, NO_ASDU = 0x80, SECURITY = 0xa1, ASDUS = 0xa2 };
enum field { SV_ID = 0x80, DATA_SET = 0x81, SAMPLE_COUNT = 0x82, CONF_REV = 0x83 };

/* Opens the element that comes next, whether or not all of it is there. */
static bool enter(struct cursor *c, uint8_t tag)
{
	uint8_t got = cursor_u8(c), first = cursor_u8(c);

	if (got != tag || first == 0x80 || first > 0x83)
		return false;
	if (first > 0x80)
		cursor_skip(c, first & 0x7f);
	return cursor_ok(c);
}

/* svID, perhaps the data set, the sample's number and the revision of the configuration, in that order. */
static enum verdict read_asdu(struct reader *r, uint16_t appid, struct cursor c)
{
	struct cursor id = der_take(&c, SV_ID), data_set = { .bad = true }, count, revision;
	char path[FINDING_PATH_BYTES];

	der_maybe(&c, DATA_SET, &data_set);
	count = der_take(&c, SAMPLE_COUNT);
	revision = der_take(&c, CONF_REV);
	if (!cursor_ok(&c) || cursor_left(&count) > 3 || cursor_left(&revision) > 5)
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	snprintf(path, sizeof path, "sv/0/appid:0x%04x", appid);
	tell(r, SENDER, path, ATTR_NAME, id);
	/* These hardly ever change, and there are thousands of frames a second. */
	if ((cursor_be(&count, cursor_left(&count)) & 63) == 0) {
		tell(r, SENDER, path, ATTR_URI, data_set);
		tell_format(r, SENDER, path, ATTR_DESCRIPTION, "configuration revision %u",
			    (unsigned)cursor_be(&revision, cursor_left(&revision)));
	}
	return MINE;
}

static enum verdict read_sv(struct reader *r)
{
	struct cursor c = r->bytes, asdus;
	uint16_t appid = cursor_u16be(&c), length = cursor_u16be(&c);

	cursor_skip(&c, 4);
	if (length <= HEADER_BYTES || !enter(&c, SV_PDU))
		return NOT_MINE;
	asdus = der_take(&c, NO_ASDU);
	if (cursor_left(&asdus) == 0 || cursor_left(&asdus) > 2 || cursor_be(&asdus, cursor_left(&asdus)) == 0)
		return NOT_MINE;
	if (cursor_left(&c) && cursor_peek(&c, 0) == SECURITY)
		(void)der_take(&c, SECURITY);
	if (!enter(&c, ASDUS) || !enter(&c, DER_SEQUENCE))
		return NOT_MINE;
	return read_asdu(r, appid, c);
}

const struct classifier classifier_sv = {
	.name = "sv",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_SV },
	.read = read_sv,
};
