/*
 * GOOSE: what protection relays and bay controllers publish to each other on the station bus.
 *
 * IEC 61850-8-1, clause 18 and annex C. Ethertype 0x88B8. The header is big-endian, the rest is BER.
 *
 *	+-------+--------+----------+----------+------------------------------------------------------------
 *	| APPID | length | reserved | reserved | 61 len { 80 gocbRef, 81 TTL, 82 datSet, [83 goID], 84 t, ...
 *	+-------+--------+----------+----------+------------------------------------------------------------
 *	  2       2        2          2
 *
 * A control block is a thing of its own behind its publisher: goose/0/appid:0x3001.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/compose.h"
#include "classifiers/api/der.h"

enum { ETHERTYPE_GOOSE = 0x88b8, GOOSE_PDU = 0x61, HEADER_BYTES = 8 };
enum field {
	GOCB_REF = 0x80, TIME_ALLOWED = 0x81, DATA_SET = 0x82, GO_ID = 0x83, TIME = 0x84, CONF_REV = 0x88, ENTRIES = 0x8a,
	ALL_DATA = 0xab,
};

struct pdu {
	struct cursor gocb_ref;
	struct cursor data_set;
	struct cursor go_id;
	uint32_t conf_rev;
	uint32_t entries;
	unsigned fields; /* that were whole and known */
};

/* Text that ends in `suffix`, perhaps with a number behind it. The length before it, or 0. */
static size_t length_before(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	while (len > 0 && text[len - 1] >= '0' && text[len - 1] <= '9')
		len--;
	return len > n && memcmp(text + len - n, suffix, n) == 0 ? len - n : 0;
}

/*
 * The reference begins with the name of the device and that of the logical device, with no mark
 * between: usual names of logical devices are taken off the end.
 */
static void tell_ied(struct reader *r, struct cursor reference)
{
	static const char *const usual[] = { "LD", "CTRL", "PROT", "MEAS", "MU", "ANN", "DR", "Relay" };
	ptrdiff_t slash = cursor_find(&reference, '/');
	struct cursor name;
	size_t len, before = 0;

	if (slash <= 0)
		return;
	len = (size_t)slash;
	name = cursor_take(&reference, len);
	for (size_t i = 0; i < sizeof usual / sizeof usual[0] && before < 3; i++)
		before = length_before((const char *)name.at, len, usual[i]);
	tell(r, SENDER, NULL, ATTR_NAME, before >= 3 ? cursor_take(&name, before) : name);
}

static void tell_block(struct reader *r, uint16_t appid, const struct pdu *pdu)
{
	char path[FINDING_PATH_BYTES], text[FINDING_VALUE_BYTES];
	struct composed t = compose_in(path, sizeof path), is = compose_in(text, sizeof text);
	size_t n = cursor_left(&pdu->data_set);

	compose_text(&t, "goose/0/appid:0x");
	compose_hex(&t, appid, 4);
	tell(r, SENDER, path, ATTR_URI, pdu->gocb_ref);
	tell(r, SENDER, path, ATTR_NAME, pdu->go_id);
	if (n) {
		compose_text(&is, "data set ");
		compose_bytes(&is, pdu->data_set.at, n);
	}
	if (pdu->conf_rev) {
		compose_text(&is, n ? ", configuration revision " : "configuration revision ");
		compose_number(&is, pdu->conf_rev);
		compose_text(&is, ", ");
		compose_number(&is, pdu->entries);
		compose_text(&is, " values");
	}
	tell(r, SENDER, path, ATTR_DESCRIPTION, cursor_over(text, (size_t)(is.at - text)));
	tell_ied(r, pdu->gocb_ref);
}

/* Takes fields as far as they are whole. False when something stands there that is none. */
static bool read_fields(struct cursor c, struct pdu *pdu)
{
	while (cursor_left(&c)) {
		uint8_t tag;
		struct cursor value = der_any(&c, &tag);

		if (!cursor_ok(&value) || tag == ALL_DATA)
			break;
		if (tag == GOCB_REF)
			pdu->gocb_ref = value;
		else if (tag == DATA_SET)
			pdu->data_set = value;
		else if (tag == GO_ID)
			pdu->go_id = value;
		else if (tag == CONF_REV)
			pdu->conf_rev = (uint32_t)cursor_be(&value, cursor_left(&value) & 7);
		else if (tag == ENTRIES)
			pdu->entries = (uint32_t)cursor_be(&value, cursor_left(&value) & 7);
		else if ((tag & 0xe0) != 0x80)
			return false;
		pdu->fields++;
	}
	return true;
}

/* A frame that ends early still says who sent it: its fields come before its data. */
static enum verdict read_goose(struct reader *r)
{
	struct cursor c = r->bytes;
	uint16_t appid = cursor_u16be(&c), length = cursor_u16be(&c);
	struct pdu pdu = { .gocb_ref.bad = true, .data_set.bad = true, .go_id.bad = true };
	uint8_t first;

	cursor_skip(&c, 4);
	if (cursor_u8(&c) != GOOSE_PDU || length <= HEADER_BYTES)
		return NOT_MINE;
	first = cursor_u8(&c);
	if (first >= 0x80)
		cursor_skip(&c, first & 0x7f);
	if (!cursor_ok(&c) || first == 0x80 || first > 0x83)
		return NOT_MINE;
	if (!read_fields(c, &pdu) || pdu.fields < 3 || cursor_left(&pdu.gocb_ref) == 0)
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	tell_block(r, appid, &pdu);
	return MINE;
}

const struct classifier classifier_goose = {
	.name = "goose",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_GOOSE },
	.read = read_goose,
};
