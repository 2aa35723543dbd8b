/*
 * Reads certificates as far as they name their holder. RFC 5280, 4.1; names RFC 4514 and X.520.
 *
 *  SEQUENCE { SEQUENCE { [0] version, INTEGER serial, signature algorithm, issuer, validity, subject,
 *             public key, [1], [2], [3] extensions }, algorithm, signature }
 *  Name = SEQUENCE OF SET OF SEQUENCE { OID, text }
 */
#include "classifiers/api/x509.h"

#include <string.h>

enum { TAG_VERSION = 0xa0, TAG_EXTENSIONS = 0xa3, TAG_BOOLEAN = 0x01, TAG_BMP_STRING = 0x1e };
enum { PARTS_MAX = 24 };

static const uint8_t oid_common_name[] = { 0x55, 0x04, 0x03 };
static const uint8_t oid_subject_names[] = { 0x55, 0x1d, 0x11 };
static const uint8_t oid_email[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01 };
static const uint8_t oid_domain[] = { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19 };

/* One "name=text" of a Name. */
struct part {
	struct cursor oid;
	struct cursor text;
	uint8_t tag;
	bool joined; /* stands in one SET with the part before it */
};

static struct cursor empty(void)
{
	return cursor_over("", 0);
}

static bool is(struct cursor c, const void *bytes, size_t len)
{
	return cursor_left(&c) == len && cursor_starts(&c, bytes, len);
}

static struct cursor find_subject_names(struct cursor extensions)
{
	struct cursor list = der_take(&extensions, DER_SEQUENCE);

	while (cursor_left(&list)) {
		struct cursor extension = der_take(&list, DER_SEQUENCE), critical, value;
		struct cursor oid = der_take(&extension, DER_OID);

		der_maybe(&extension, TAG_BOOLEAN, &critical);
		value = der_take(&extension, DER_OCTETS);
		if (cursor_ok(&value) && is(oid, oid_subject_names, sizeof oid_subject_names))
			return der_take(&value, DER_SEQUENCE);
	}
	return empty();
}

static struct cursor find_extensions(struct cursor c)
{
	uint8_t tag;

	while (cursor_left(&c)) {
		struct cursor field = der_any(&c, &tag);

		if (cursor_ok(&field) && tag == TAG_EXTENSIONS)
			return field;
	}
	return empty();
}

bool x509_read(struct cursor der, struct x509 *x)
{
	struct cursor certificate = der_open(&der, DER_SEQUENCE);
	struct cursor c = der_open(&certificate, DER_SEQUENCE), skipped;
	struct x509 read;

	der_maybe(&c, TAG_VERSION, &skipped);
	read.serial = der_take(&c, DER_INTEGER);
	der_take(&c, DER_SEQUENCE); /* algorithm */
	read.issuer = der_take(&c, DER_SEQUENCE);
	der_take(&c, DER_SEQUENCE); /* validity */
	read.subject = der_take(&c, DER_SEQUENCE);
	if (!cursor_ok(&c))
		return false;
	der_take(&c, DER_SEQUENCE); /* key */
	read.subject_names = find_subject_names(find_extensions(c));
	*x = read;
	return true;
}

static size_t read_parts(struct cursor name, struct part parts[PARTS_MAX])
{
	size_t n = 0;

	while (cursor_left(&name) && n < PARTS_MAX) {
		struct cursor set = der_take(&name, DER_SET);
		bool joined = false;

		while (cursor_left(&set) && n < PARTS_MAX) {
			struct cursor pair = der_take(&set, DER_SEQUENCE);

			parts[n].oid = der_take(&pair, DER_OID);
			parts[n].text = der_any(&pair, &parts[n].tag);
			parts[n].joined = joined;
			joined = true;
			n += cursor_ok(&parts[n].text);
		}
	}
	return n;
}

static size_t put(char *to, size_t at, size_t room, const void *bytes, size_t len)
{
	if (len > room - 1 - at)
		len = room - 1 - at;
	memcpy(to + at, bytes, len);
	to[at + len] = 0;
	return at + len;
}

/* BMPString is UTF-16 with the high byte first; the other kinds pass as they are. */
static size_t put_text(char *to, size_t at, size_t room, struct part *part)
{
	struct cursor c = part->text;

	if (part->tag != TAG_BMP_STRING)
		return put(to, at, room, c.at, cursor_left(&c));
	while (cursor_left(&c) >= 2 && at + 4 < room) {
		uint16_t u = cursor_u16be(&c);
		uint8_t utf8[3] = { (uint8_t)(0xe0 | u >> 12), (uint8_t)(0x80 | (u >> 6 & 0x3f)), (uint8_t)(0x80 | (u & 0x3f)) };

		if (u < 0x80) {
			utf8[0] = (uint8_t)u;
			at = put(to, at, room, utf8, 1);
		} else if (u < 0x800) {
			utf8[1] = (uint8_t)(0xc0 | u >> 6);
			at = put(to, at, room, utf8 + 1, 2);
		} else {
			at = put(to, at, room, utf8, 3);
		}
	}
	return at;
}

static size_t put_oid(char *to, size_t at, size_t room, struct cursor oid)
{
	static const char *const names[] = {
		[3] = "commonName", [4] = "surname", [5] = "serialNumber", [6] = "countryName", [7] = "localityName",
		[8] = "stateOrProvinceName", [9] = "streetAddress", [10] = "organizationName",
		[11] = "organizationalUnitName", [12] = "title", [13] = "description", [15] = "businessCategory",
		[17] = "postalCode", [42] = "givenName", [46] = "dnQualifier",
	};
	char dotted[128];
	uint8_t last = cursor_left(&oid) == 3 && cursor_starts(&oid, oid_common_name, 2) ? oid.at[2] : 0;
	const char *name = last < sizeof names / sizeof *names ? names[last] : NULL;

	if (is(oid, oid_email, sizeof oid_email))
		name = "emailAddress";
	else if (is(oid, oid_domain, sizeof oid_domain))
		name = "domainComponent";
	if (!name) {
		der_oid_text(oid, dotted, sizeof dotted);
		name = dotted;
	}
	return put(to, at, room, name, strlen(name));
}

size_t x509_name_text(struct cursor name, char *to, size_t room)
{
	struct part parts[PARTS_MAX];
	size_t n = read_parts(name, parts), at = 0;

	to[0] = 0;
	while (n-- > 0) {
		at = put_oid(to, at, room, parts[n].oid);
		at = put(to, at, room, "=", 1);
		at = put_text(to, at, room, &parts[n]);
		if (n)
			at = put(to, at, room, parts[n].joined ? "+" : ",", 1);
	}
	return at;
}

bool x509_next_name(struct cursor *names, uint8_t *kind, struct cursor *value)
{
	if (cursor_left(names) == 0)
		return false;
	*value = der_any(names, kind);
	return cursor_ok(value);
}
