/*
 * LLMNR: hosts of Windows that look for each other's names on the link, and tell theirs. RFC 4795, 2.1.
 *
 *   0    2       4             6         8           10           12
 *  +----+-------+-------------+---------+-----------+------------+----------+---------
 *  | id | flags | questions 1 | answers | authority | additional | question | records
 *  +----+-------+-------------+---------+-----------+------------+----------+---------
 *  question {name}{type}{class}; record {name}{type}{class}{ttl u32}{length}{data}
 *
 * Who asks says nothing of itself: the name is another's. Who answers answers for its own.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/dns.h"

#include <strings.h>

enum { PORT_LLMNR = 5355, RECORDS_MAX = 64 };
enum { FLAG_RESPONSE = 0x8000, FLAGS_OPCODE_AND_ZERO = 0x78f0, FLAGS_RCODE = 0x000f };
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, CLASS_IN = 1, CLASS_ANY = 255 };

static bool take_question(struct cursor message, struct cursor *c, char name[DNS_NAME_BYTES])
{
	uint16_t class;

	if (!dns_take_name(message, c, name) || name[0] == 0)
		return false;
	cursor_skip(c, 2);
	class = cursor_u16be(c);
	return cursor_ok(c) && (class == CLASS_IN || class == CLASS_ANY);
}

/* Addresses of a name are the sender's, unless another of the same family stands there. */
static void tell_address(struct reader *r, const char *name, uint16_t type, struct cursor data)
{
	uint8_t family = type == TYPE_A ? 4 : 6;
	size_t len = family == 4 ? 4 : 16;
	struct endpoint other = { .family = family };

	if (cursor_left(&data) != len || !cursor_copy(&data, other.ip, len))
		return;
	if (family == r->sender->family && memcmp(other.ip, r->sender->ip, len) != 0)
		tell_other(r, &other, NULL, ATTR_HOSTNAME, cursor_over(name, strlen(name)));
	else
		tell_text(r, SENDER, NULL, ATTR_HOSTNAME, name);
}

static bool read_answers(struct reader *r, struct cursor *c, const char *question, unsigned count)
{
	char name[DNS_NAME_BYTES], target[DNS_NAME_BYTES];

	for (unsigned i = 0; i < count && i < RECORDS_MAX; i++) {
		struct cursor data, at;
		uint16_t type, class;

		if (r->truncated && cursor_left(c) == 0)
			return true;
		if (!dns_take_name(r->bytes, c, name))
			return false;
		type = cursor_u16be(c);
		class = cursor_u16be(c);
		cursor_skip(c, 4);
		data = cursor_take(c, cursor_u16be(c));
		if (!cursor_ok(&data) || class != CLASS_IN)
			return r->truncated;
		at = data;
		if ((type == TYPE_A || type == TYPE_AAAA) && strcasecmp(name, question) == 0)
			tell_address(r, name, type, data);
		else if (type == TYPE_PTR && dns_take_name(r->bytes, &at, target))
			tell_text(r, SENDER, NULL, ATTR_HOSTNAME, target);
	}
	return true;
}

/* DNS itself looks the same: the port is part of what LLMNR is. */
static enum verdict read_llmnr(struct reader *r)
{
	struct cursor c = r->bytes;
	char name[DNS_NAME_BYTES];
	uint16_t flags, questions, answers, authority, additional;
	bool response;

	cursor_skip(&c, 2);
	flags = cursor_u16be(&c);
	questions = cursor_u16be(&c);
	answers = cursor_u16be(&c);
	authority = cursor_u16be(&c);
	additional = cursor_u16be(&c);
	response = flags & FLAG_RESPONSE;
	if ((response ? r->sender_port : r->receiver_port) != PORT_LLMNR || flags & FLAGS_OPCODE_AND_ZERO || questions != 1)
		return NOT_MINE;
	if (!response && (answers || authority || additional > 1 || flags & FLAGS_RCODE))
		return NOT_MINE;
	if (!take_question(r->bytes, &c, name) || (response && !read_answers(r, &c, name, answers)))
		return NOT_MINE;
	r->sender_role = response ? ROLE_SERVER : ROLE_CLIENT;
	return MINE;
}

const struct classifier classifier_llmnr = {
	.name = "llmnr",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_LLMNR },
	.read = read_llmnr,
};
