/*
 * Niagara Fox: building controllers and supervisors of the Niagara framework, before anybody logs in.
 *
 * Tridium does not publish it; the form is that of recorded greetings.
 *
 *	fox a 1 -1 fox hello\n        frame kind, sequence, sequence answered (-1 none), channel, command
 *	{\n
 *	app.name=s:Station\n          name = kind : value; kinds s text, i number, b N[bytes], o class N[bytes]
 *	};;\n
 *
 * A value in brackets may hold anything, so that the end is looked for outside of them.
 */
#include "classifiers/api/role.h"

#include <string.h>

enum {
	FOX_PORT = 1911,
	LONGEST = 16384,
	HEAD_BYTES = 160,
	VALUE_BYTES = 120,
};

struct memo {
	uint8_t server; /* 1 + its direction, 0 unknown */
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

/* Parts of a greeting that make one value together. */
struct parts {
	struct cursor app, app_version, os, os_version, vm, vm_version;
};

static bool is_word(struct cursor c, const char *word)
{
	return cursor_left(&c) == strlen(word) && cursor_starts(&c, word, strlen(word));
}

/* Takes what stands before the next blank, or all that is left. */
static struct cursor take_word(struct cursor *c)
{
	ptrdiff_t n = cursor_find(c, ' ');
	struct cursor word = cursor_take(c, n < 0 ? cursor_left(c) : (size_t)n);

	if (n >= 0)
		cursor_skip(c, 1);
	return word;
}

static bool is_number(struct cursor c)
{
	if (cursor_left(&c) && cursor_peek(&c, 0) == '-')
		cursor_skip(&c, 1);
	if (cursor_left(&c) == 0)
		return false;
	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c);

		if (b < '0' || b > '9')
			return false;
	}
	return true;
}

/* "fox", one letter, two numbers, channel and command. */
static bool read_head(struct cursor line, struct cursor *sequence, struct cursor *command)
{
	struct cursor fox = take_word(&line), kind = take_word(&line), answered, channel;

	*sequence = take_word(&line);
	answered = take_word(&line);
	channel = take_word(&line);
	*command = take_word(&line);
	return is_word(fox, "fox") && cursor_left(&kind) == 1 && is_number(*sequence) && is_number(answered) &&
	       cursor_left(&channel) && cursor_left(&line) == 0;
}

/* Takes a line, and with it all of a value N[..] that begins in it; a bad cursor when it isn't whole. */
static struct cursor take_field(struct cursor *c)
{
	struct cursor start = *c, line = cursor_line(c), seek = line;
	ptrdiff_t open;
	size_t length = 0;

	if (!cursor_ok(&line))
		return line;
	open = cursor_find(&seek, '[');
	if (open < 1 || cursor_find(&seek, '=') < 0)
		return line;
	for (ptrdiff_t i = open - 1, scale = 1; i >= 0 && line.at[i] >= '0' && line.at[i] <= '9' && scale <= 10000; i--, scale *= 10)
		length += (size_t)(line.at[i] - '0') * (size_t)scale;
	if (length == 0 || (size_t)open + 1 + length < cursor_left(&line))
		return line;
	*c = start;
	line = cursor_take(c, (size_t)open + 1 + length);
	if (cursor_ok(&line))
		(void)cursor_line(c);
	return line;
}

static bool is_host_name(struct cursor c)
{
	while (cursor_left(&c)) {
		uint8_t b = cursor_u8(&c);

		if (b != '.' && b != ':' && (b < '0' || b > '9'))
			return true;
	}
	return false;
}

/* "Qnx-NPM6-0000-1490-C30C": a system, a board, a number. */
static void tell_host_id(struct reader *r, struct cursor id)
{
	struct cursor c = id;
	ptrdiff_t n = cursor_find(&c, '-');

	tell(r, SENDER, NULL, ATTR_SERIAL, id);
	if (n < 0)
		return;
	cursor_skip(&c, (size_t)n + 1);
	n = cursor_find(&c, '-');
	if (n > 0 && !cursor_starts(&id, "Win", 3))
		tell(r, SENDER, NULL, ATTR_HARDWARE, cursor_take(&c, (size_t)n));
}

static void read_value(struct reader *r, struct parts *p, struct cursor key, struct cursor value)
{
	if (is_word(key, "hostName")) {
		if (is_host_name(value))
			tell(r, SENDER, NULL, ATTR_HOSTNAME, value);
	} else if (is_word(key, "hostAddress"))
		tell(r, SENDER, NULL, ATTR_IP, value);
	else if (is_word(key, "station.name"))
		tell(r, SENDER, NULL, ATTR_NAME, value);
	else if (is_word(key, "hostId"))
		tell_host_id(r, value);
	else if (is_word(key, "brandId"))
		tell(r, SENDER, NULL, ATTR_VENDOR, value);
	else if (is_word(key, "app.name"))
		p->app = value;
	else if (is_word(key, "app.version"))
		p->app_version = value;
	else if (is_word(key, "os.name"))
		p->os = value;
	else if (is_word(key, "os.version"))
		p->os_version = value;
	else if (is_word(key, "vm.name"))
		p->vm = value;
	else if (is_word(key, "vm.version"))
		p->vm_version = value;
}

static void tell_pair(struct reader *r, enum attribute a, const char *before, struct cursor name, struct cursor version)
{
	if (cursor_left(&name) && cursor_left(&name) <= VALUE_BYTES && cursor_left(&version) <= VALUE_BYTES)
		tell_format(r, SENDER, NULL, a, "%s%.*s %.*s", before, (int)cursor_left(&name), (const char *)name.at,
			    (int)cursor_left(&version), (const char *)version.at);
}

static void tell_parts(struct reader *r, const struct parts *p)
{
	tell_pair(r, ATTR_SOFTWARE, "Niagara ", p->app, p->app_version);
	tell_pair(r, ATTR_OS, "", p->os, p->os_version);
	tell_pair(r, ATTR_SOFTWARE, "", p->vm, p->vm_version);
	if (is_word(p->app, "Station")) {
		tell_text(r, SENDER, NULL, ATTR_ROLE, "station");
		tell(r, SENDER, NULL, ATTR_FIRMWARE, p->app_version);
	} else if (is_word(p->app, "Workbench"))
		tell_text(r, SENDER, NULL, ATTR_ROLE, "engineering station");
}

/* Takes the fields up to "};;"; false when the end is not there. */
static bool read_fields(struct reader *r, struct cursor *c, bool hello)
{
	const struct cursor none = cursor_over("", 0);
	struct parts parts = { none, none, none, none, none, none };

	for (;;) {
		struct cursor line = take_field(c), key, value;
		ptrdiff_t equals;

		if (!cursor_ok(&line))
			return false;
		if (is_word(line, "};;"))
			break;
		equals = cursor_find(&line, '=');
		if (!hello || equals < 1 || cursor_left(&line) < (size_t)equals + 3 || line.at[equals + 2] != ':')
			continue;
		value = line;
		key = cursor_take(&value, (size_t)equals);
		cursor_skip(&value, 3);
		read_value(r, &parts, key, value);
	}
	if (hello)
		tell_parts(r, &parts);
	return true;
}

/* The client's greeting has the sequence 1, the station's 0; else the connection must tell. */
static uint8_t role_of(const struct reader *r, struct memo *memo, bool hello, struct cursor sequence)
{
	uint8_t role = ROLE_UNKNOWN;

	if (hello)
		role = is_word(sequence, "0") ? ROLE_SERVER : ROLE_CLIENT;
	else if (memo->server)
		role = memo->server == 1 + r->direction ? ROLE_SERVER : ROLE_CLIENT;
	else
		role = role_by_port(r, FOX_PORT);
	if (role != ROLE_UNKNOWN)
		memo->server = (uint8_t)(1 + (role == ROLE_SERVER ? r->direction : !r->direction));
	return role;
}

static enum verdict read_fox(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes, head, brace, sequence, command;
	bool hello, whole;

	if (!cursor_starts(&c, "fox ", cursor_left(&c) < 4 ? cursor_left(&c) : 4))
		return NOT_MINE;
	head = cursor_line(&c);
	if (!cursor_ok(&head))
		return cursor_left(&r->bytes) < HEAD_BYTES ? NEED_MORE : NOT_MINE;
	if (!read_head(head, &sequence, &command))
		return NOT_MINE;
	brace = cursor_line(&c);
	if (!cursor_ok(&brace))
		return cursor_left(&r->bytes) < HEAD_BYTES + 2 ? NEED_MORE : NOT_MINE;
	if (!is_word(brace, "{"))
		return NOT_MINE;
	hello = is_word(command, "hello");
	r->sender_role = role_or_guess(r, role_of(r, memo, hello, sequence));
	whole = read_fields(r, &c, hello);
	if (!whole && cursor_left(&r->bytes) < LONGEST && !r->truncated)
		return NEED_MORE;
	if (!whole) /* a message of station data beyond all bounds: its rest is passed over */
		(void)cursor_rest(&c);
	r->bytes = c;
	memo->mine = true;
	return MINE;
}

const struct classifier classifier_fox = {
	.name = "fox",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { FOX_PORT, 3011 },
	.max_message = LONGEST,
	.read = read_fox,
};
