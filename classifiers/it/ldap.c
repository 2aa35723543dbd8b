/*
 * LDAP: which directory serves, what it says of itself, and the names that both ends show when they log in with NTLM. RFC 4511,
 * RFC 4512 5.1 (the root's entry), RFC 3045 (vendorVersion), MS-ADTS 3.1.1.3.2 and 5.1.1.1 (its names at Microsoft's; Sicily).
 *
 *  SEQUENCE { INTEGER id, [APPLICATION n] operation, [0] controls }
 *  bind request   { INTEGER version, OCTETS name, [0] password | [3] SASL { OCTETS mechanism, OCTETS token } | [10], [11] NTLM }
 *  result         { ENUMERATED code, OCTETS name, OCTETS text, .. [7] SASL token }
 *  entry          { OCTETS name, SEQUENCE { SEQUENCE { OCTETS type, SET { OCTETS value } } } }
 *  once a login has agreed to sign or seal: {length u32be}{sealed message}
 *
 * Names of users, passwords and what a directory has stored are never looked at.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/der.h"
#include "classifiers/api/ntlmssp.h"

#include <string.h>

enum { PORT_LDAP = 389, PORT_GLOBAL_CATALOG = 3268, MESSAGE_BYTES = 16384, HEADER_BYTES = 7, ID_BYTES = 4 };
enum { ENUMERATED = 0x0a, BOOLEAN = 0x01, OID_TAG = 0x80 };
enum operation {
	BIND = 0x60, BIND_ANSWER = 0x61, UNBIND = 0x42, SEARCH = 0x63, ENTRY = 0x64, SEARCH_DONE = 0x65, MODIFY = 0x66, MODIFIED = 0x67,
	ADD = 0x68, ADDED = 0x69, DELETE = 0x4a, DELETED = 0x6b, RENAME = 0x6c, RENAMED = 0x6d, COMPARE = 0x6e, COMPARED = 0x6f,
	ABANDON = 0x50, REFERENCE = 0x73, EXTENDED = 0x77, EXTENDED_ANSWER = 0x78, INTERMEDIATE = 0x79,
};

struct memo {
	bool mine;
	uint8_t client; /* 1 + its direction */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static bool is_result(uint8_t operation)
{
	return operation == BIND_ANSWER || operation == SEARCH_DONE || operation == MODIFIED || operation == ADDED || operation == DELETED ||
	       operation == RENAMED || operation == COMPARED || operation == EXTENDED_ANSWER;
}

static bool from_server(uint8_t operation)
{
	return is_result(operation) || operation == ENTRY || operation == REFERENCE || operation == INTERMEDIATE;
}

/* Takes an element of that tag; true when its contents have from `least` to `most` bytes. */
static bool takes(struct cursor *c, uint8_t tag, size_t least, size_t most)
{
	struct cursor part = der_take(c, tag);

	return cursor_ok(&part) && cursor_left(&part) >= least && cursor_left(&part) <= most;
}

/* What only this protocol's requests look like inside. */
static bool fits_request(uint8_t operation, struct cursor c)
{
	struct cursor version;

	switch (operation) {
	case BIND:
		version = der_take(&c, DER_INTEGER);
		return cursor_left(&version) == 1 && cursor_peek(&version, 0) - 1u < 3 && takes(&c, DER_OCTETS, 0, SIZE_MAX) && cursor_left(&c) &&
		       (cursor_peek(&c, 0) & 0xc0) == 0x80;
	case SEARCH:
		return takes(&c, DER_OCTETS, 0, SIZE_MAX) && takes(&c, ENUMERATED, 1, 1) && takes(&c, ENUMERATED, 1, 1) && takes(&c, DER_INTEGER, 1, 5) &&
		       takes(&c, DER_INTEGER, 1, 5) && takes(&c, BOOLEAN, 1, 1);
	case EXTENDED:
		return takes(&c, OID_TAG, 3, 64);
	default:
		return false;
	}
}

static bool fits_answer(uint8_t operation, struct cursor c)
{
	if (is_result(operation))
		return takes(&c, ENUMERATED, 1, 1) && takes(&c, DER_OCTETS, 0, SIZE_MAX) && takes(&c, DER_OCTETS, 0, SIZE_MAX);
	return operation == ENTRY && takes(&c, DER_OCTETS, 0, SIZE_MAX) && takes(&c, DER_SEQUENCE, 0, SIZE_MAX);
}

/* Those that nothing inside proves. */
static bool is_other(uint8_t operation)
{
	static const uint8_t others[] = { UNBIND, MODIFY, ADD, DELETE, RENAME, COMPARE, ABANDON, REFERENCE, INTERMEDIATE };

	return memchr(others, operation, sizeof others);
}

/* Of the root's entry: who serves here. */
static void tell_attribute(struct reader *r, struct cursor item)
{
	static const struct {
		const char *type;
		enum attribute attribute;
	} wanted[] = {
		{ "dnsHostName", ATTR_HOSTNAME }, { "vendorVersion", ATTR_SOFTWARE }, { "defaultNamingContext", ATTR_REALM },
	};
	struct cursor type = der_take(&item, DER_OCTETS), values = der_take(&item, DER_SET), value = der_take(&values, DER_OCTETS);

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (cursor_ok(&value) && cursor_left(&type) == strlen(wanted[i].type) && cursor_starts_any_case(&type, wanted[i].type))
			tell(r, SENDER, NULL, wanted[i].attribute, value);
}

/* An entry without a name is the root's, which is about the server itself. */
static void tell_root(struct reader *r, struct cursor entry)
{
	struct cursor name = der_take(&entry, DER_OCTETS), list = der_take(&entry, DER_SEQUENCE);

	if (!cursor_ok(&name) || cursor_left(&name))
		return;
	while (cursor_left(&list)) {
		struct cursor item = der_take(&list, DER_SEQUENCE);

		if (cursor_ok(&item))
			tell_attribute(r, item);
	}
}

static void settle(struct reader *r, struct memo *m, bool server)
{
	m->mine = true;
	m->client = (uint8_t)(1 + (server ? !r->direction : r->direction));
	r->sender_role = server ? ROLE_SERVER : ROLE_CLIENT;
}

static enum verdict read_operation(struct reader *r, struct memo *m, struct cursor message)
{
	struct cursor id = der_take(&message, DER_INTEGER), body;
	bool server, proof;
	uint8_t operation;

	body = der_any(&message, &operation);
	if (!cursor_ok(&body) || cursor_left(&id) == 0 || cursor_left(&id) > ID_BYTES || cursor_peek(&id, 0) & 0x80)
		return NOT_MINE;
	server = from_server(operation);
	proof = server ? fits_answer(operation, body) : fits_request(operation, body);
	if (!proof && !is_other(operation))
		return NOT_MINE;
	if (!proof && !m->mine)
		return MAYBE;
	settle(r, m, server);
	if (operation == BIND || operation == BIND_ANSWER)
		ntlmssp_tell(r, body);
	else if (operation == ENTRY)
		tell_root(r, body);
	if (server)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "directory-server");
	return MINE;
}

/* {length u32be}{what nobody else can read}: only of a flow that is this protocol's, and its first byte is never a sequence's. */
static enum verdict read_sealed(struct reader *r, const struct memo *m)
{
	struct cursor c = r->bytes;
	uint32_t len = cursor_u32be(&c);

	if (!cursor_ok(&c))
		return r->truncated ? NOT_MINE : NEED_MORE;
	if (len == 0 || len > MESSAGE_BYTES - 4)
		return NOT_MINE;
	if (cursor_left(&c) < len && !r->truncated)
		return NEED_MORE;
	cursor_skip(&c, cursor_left(&c) < len ? cursor_left(&c) : len);
	r->bytes = c;
	r->sender_role = m->client == 1 + r->direction ? ROLE_CLIENT : ROLE_SERVER;
	return MINE;
}

static enum verdict read_ldap(struct reader *r)
{
	struct memo *m = r->memo;
	struct cursor c = r->bytes, message;
	enum verdict v;
	uint8_t tag;
	size_t len;

	if (cursor_left(&c) && cursor_peek(&c, 0) == 0 && m->mine && r->transport == TRANSPORT_TCP)
		return read_sealed(r, m);
	if (cursor_left(&c) == 0 || cursor_peek(&c, 0) != DER_SEQUENCE)
		return NOT_MINE;
	if (cursor_left(&c) < HEADER_BYTES)
		return r->transport == TRANSPORT_TCP ? NEED_MORE : NOT_MINE;
	len = der_header(&c, &tag);
	if (!cursor_ok(&c) || len < 5 || len > MESSAGE_BYTES - HEADER_BYTES || cursor_peek(&c, 0) != DER_INTEGER)
		return NOT_MINE;
	if (cursor_left(&c) < len)
		return r->transport == TRANSPORT_TCP && !r->truncated ? NEED_MORE : NOT_MINE;
	message = cursor_take(&c, len);
	v = read_operation(r, m, message);
	if (v == MINE || v == MAYBE)
		r->bytes = c;
	return v;
}

const struct classifier classifier_ldap = {
	.name = "ldap",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.ports = { PORT_LDAP, PORT_GLOBAL_CATALOG },
	.max_message = MESSAGE_BYTES,
	.read = read_ldap,
};
