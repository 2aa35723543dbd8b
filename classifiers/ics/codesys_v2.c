/*
 * CODESYS V2 runtimes: ABB AC500, WAGO 750-8xx and many others. Not published; as zgrab2's codesys2 and Digital Bond's
 * Redpoint describe it.
 *
 *   0      2          6
 *  +------+----------+---------+-------------- len bytes from 6 on
 *  | bbbb | len u32  | service | ...              len is in the byte order of the controller
 *  +------+----------+---------+--------------
 *  answer to the log-in (01): {result u16} at 6, 1000 for "yes"; at 64 system (32), at 96 its version (32), at 128 maker (32)
 */
#include "classifiers/api/role.h"

enum { PORT_ABB = 1200, PORT_WAGO = 2455, PORT_SECOND = 1201, HEADER_BYTES = 6, LONGEST = 8192, MAGIC = 0xbbbb };
enum { SERVICE_LOGIN = 0x01, RESULT_YES = 1000, TEXT_BYTES = 32, LOGIN_ANSWER_BYTES = 160 };

struct memo {
	uint8_t heard;  /* 1 << direction: a message that fits */
	uint8_t login;  /* 1 + the direction that logged in last and has no answer */
	uint8_t client; /* 1 + its direction */
	bool mine;
};

/* Either byte order; the one that makes a message of a sensible size is meant. */
static bool take_length(struct cursor *c, uint32_t *len)
{
	struct cursor copy = *c;
	uint32_t little = cursor_u32le(c), big = cursor_u32be(&copy);

	*len = little && little <= LONGEST - HEADER_BYTES ? little : big;
	return *len && *len <= LONGEST - HEADER_BYTES;
}

static bool is_text(struct cursor c)
{
	size_t n = 0;

	for (; cursor_left(&c) && *c.at; c.at++, n++)
		if (*c.at < ' ' || *c.at > '~')
			return false;
	return n > 0;
}

/* The answer to a log-in: its result, and three texts where they should be. */
static bool read_login(struct reader *r, struct cursor message)
{
	struct cursor c = message, copy, system, version, maker;
	uint16_t little, big;

	cursor_skip(&c, HEADER_BYTES);
	copy = c;
	little = cursor_u16le(&c);
	big = cursor_u16be(&copy);
	cursor_skip(&c, 64 - HEADER_BYTES - 2);
	system = cursor_take(&c, TEXT_BYTES);
	version = cursor_take(&c, TEXT_BYTES);
	maker = cursor_take(&c, TEXT_BYTES);
	if (!cursor_ok(&c) || (little != RESULT_YES && big != RESULT_YES) || !is_text(system) || !is_text(maker))
		return false;
	tell(r, SENDER, NULL, ATTR_OS, system);
	tell(r, SENDER, NULL, ATTR_DESCRIPTION, version);
	tell(r, SENDER, NULL, ATTR_VENDOR, maker);
	return true;
}

static bool is_port(uint16_t port)
{
	return port == PORT_ABB || port == PORT_SECOND || port == PORT_WAGO;
}

static uint8_t role_of(const struct reader *r, const struct memo *memo)
{
	if (memo->client)
		return memo->client == 1 + r->direction ? ROLE_CLIENT : ROLE_SERVER;
	if (r->handshake == ROLE_CLIENT || r->handshake == ROLE_SERVER)
		return r->handshake;
	if (is_port(r->sender_port) != is_port(r->receiver_port))
		return is_port(r->sender_port) ? ROLE_SERVER : ROLE_CLIENT;
	return role_or_guess(r, ROLE_UNKNOWN);
}

/* The services that its programming system and zgrab2's reader name. */
static void tell_service(struct reader *r, uint8_t service)
{
	static const struct {
		uint8_t service;
		enum activity activity;
		const char *name;
	} services[] = {
		{ 0x03, ACTIVITY_MODE_RUN, "start" },          { 0x04, ACTIVITY_MODE_STOP, "stop" },
		{ 0x09, ACTIVITY_FORCE, "force" },             { 0x13, ACTIVITY_RESET, "reset" },
		{ 0x20, ACTIVITY_FORCE, "force" },             { 0x22, ACTIVITY_ONLINE_EDIT, "online change" },
		{ 0x39, ACTIVITY_PROGRAM_DOWNLOAD, "boot project" }, { 0x80, ACTIVITY_PROGRAM_DOWNLOAD, "download" },
		{ 0x81, ACTIVITY_PROGRAM_DOWNLOAD, "download" },
	};

	if (service == 0x06)
		r->signs |= SIGN_WRITE;
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (services[i].service == service)
			tell_activity(r, NULL, services[i].activity, "%s (service 0x%02x)", services[i].name, service);
}

/* Two bytes of magic and a length prove it only in both directions, or in the one answer that is full of texts. */
static enum verdict read_message(struct reader *r, struct memo *memo, struct cursor message, uint32_t len)
{
	struct cursor inside = message;
	uint8_t service;

	cursor_skip(&inside, HEADER_BYTES);
	service = cursor_u8(&inside);
	if (HEADER_BYTES + len >= LOGIN_ANSWER_BYTES && (memo->login == 1 + !r->direction || !memo->mine) && read_login(r, message)) {
		memo->mine = true;
		memo->client = (uint8_t)(1 + !r->direction);
		memo->login = 0;
	} else if (service == SERVICE_LOGIN && memo->login != 1 + !r->direction && role_of(r, memo) == ROLE_CLIENT) {
		memo->login = (uint8_t)(1 + r->direction);
	}
	memo->heard |= (uint8_t)(1u << r->direction);
	memo->mine |= memo->heard == 3;
	r->sender_role = role_of(r, memo);
	if (memo->mine && r->sender_role == ROLE_CLIENT)
		tell_service(r, service);
	return memo->mine ? MINE : MAYBE;
}

static enum verdict read_codesys_v2(struct reader *r)
{
	struct cursor c = r->bytes, message;
	size_t left = cursor_left(&c);
	uint32_t len;

	if (left && *c.at != (MAGIC & 0xff))
		return NOT_MINE;
	if (left > 1 && c.at[1] != MAGIC >> 8)
		return NOT_MINE;
	if (left < HEADER_BYTES + 1)
		return NEED_MORE;
	cursor_skip(&c, 2);
	if (!take_length(&c, &len))
		return NOT_MINE;
	if (cursor_left(&c) < len && !r->truncated)
		return NEED_MORE;
	c = r->bytes;
	message = cursor_take(&c, left < HEADER_BYTES + len ? left : HEADER_BYTES + len);
	r->bytes = c;
	return read_message(r, r->memo, message, len);
}

const struct classifier classifier_codesys_v2 = {
	.name = "codesys_v2",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_ABB, PORT_WAGO, PORT_SECOND },
	.max_message = LONGEST,
	.read = read_codesys_v2,
};
