/*
 * Syslog: devices that send their log somewhere, and name themselves in it. RFC 3164, RFC 5424; over TCP RFC 6587.
 *
 *  "<" facility * 8 + severity ">" then one of
 *	"1 " time host application process id {structured data} text			RFC 5424
 *	"Mmm dd hh:mm:ss " host " " tag ":" text					RFC 3164; rsyslog with the time of RFC 5424
 *	[number ": "] [host ": "] ["*"] "Mmm dd hh:mm:ss[.ms][ zone]: %" facility "-" n "-" word ": " text	Cisco
 *	text at will
 *  TCP: with its length in digits and a blank before it, or with a line end behind it.
 *
 * Texts are not kept: they hold users, and they are the log collector's business.
 */
#include "classifiers/api/classifier.h"

#include <ctype.h>

enum { PORT_SYSLOG = 514, PORT_SYSLOG_TCP = 601, PRIORITY_MAX = 191, MESSAGE_BYTES = 8192, TIME_BYTES = 16 };

/* What was told of the sender's name; a relay, which sends many names, has none of them. */
struct memo {
	uint32_t name; /* hash of the one that was told, 0 none */
	bool again;    /* it is to be told again */
	bool mine;
};

static bool take_digits(struct cursor *c, unsigned *number, unsigned most)
{
	unsigned digits = 0, n = 0;

	while (cursor_left(c) && digits < most && isdigit(*c->at)) {
		n = n * 10 + (unsigned)(cursor_u8(c) - '0');
		digits++;
	}
	*number = n;
	return digits > 0;
}

static bool take_priority(struct cursor *c)
{
	unsigned priority;
	struct cursor digits;

	if (cursor_u8(c) != '<')
		return false;
	digits = *c;
	if (!take_digits(c, &priority, 3) || priority > PRIORITY_MAX)
		return false;
	return (*digits.at != '0' || c->at - digits.at == 1) && cursor_u8(c) == '>' && cursor_ok(c);
}

static struct cursor take_word(struct cursor *c)
{
	ptrdiff_t end = cursor_find(c, ' ');
	struct cursor word = cursor_take(c, end < 0 ? cursor_left(c) : (size_t)end);

	cursor_skip(c, end < 0 ? 0 : 1);
	return word;
}

/* "Mmm dd hh:mm:ss" and what ends it; a day below 10 has a blank or a zero before it. */
static bool take_old_time(struct cursor *c)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec", form[] = "aaa nn nn:nn:nn";
	struct cursor t = cursor_take(c, TIME_BYTES - 1);
	bool month = false;

	if (!cursor_ok(&t))
		return false;
	for (size_t i = 0; i < sizeof months - 1; i += 3)
		month |= memcmp(t.at, months + i, 3) == 0;
	for (size_t i = 3; i < sizeof form - 1; i++)
		if (form[i] == 'n' ? !isdigit(t.at[i]) && !(i == 4 && t.at[i] == ' ') : t.at[i] != (uint8_t)form[i])
			return false;
	return month;
}

static bool is_full_time(struct cursor t)
{
	static const char form[] = "nnnn-nn-nnTnn:nn:nn";

	if (cursor_left(&t) < sizeof form)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == 'n' ? !isdigit(t.at[i]) : t.at[i] != (uint8_t)form[i])
			return false;
	return true;
}

static bool is_new_time(struct cursor t)
{
	return (cursor_left(&t) == 1 && *t.at == '-') || is_full_time(t);
}

/* A name of letters, digits and what names have between them; an address is no name. */
static bool is_name(struct cursor c)
{
	bool letter = false;

	if (cursor_left(&c) == 0 || cursor_left(&c) > 255)
		return false;
	for (; cursor_left(&c); c.at++) {
		if (!isalnum(*c.at) && *c.at != '-' && *c.at != '.' && *c.at != '_')
			return false;
		letter |= isalpha(*c.at) != 0;
	}
	return letter;
}

static void tell_name(struct reader *r, struct cursor name)
{
	struct memo *memo = r->memo;
	uint32_t hash = 2166136261u;

	if (!is_name(name) || (cursor_left(&name) == 9 && cursor_starts_any_case(&name, "localhost")))
		return;
	for (struct cursor c = name; cursor_left(&c);)
		hash = (hash ^ cursor_u8(&c)) * 16777619u;
	if (memo->name == 0 || (memo->again && memo->name == (hash | 1))) {
		memo->name = hash | 1;
		memo->again = false;
		tell(r, SENDER, NULL, ATTR_HOSTNAME, name);
	}
}

/* "%SYS-5-CONFIG_I:" is how Cisco's systems begin what they log. */
static bool is_cisco(struct cursor c)
{
	while (cursor_left(&c) > 6) {
		ptrdiff_t at = cursor_find(&c, '%');
		struct cursor facility;

		if (at < 0)
			return false;
		cursor_skip(&c, (size_t)at + 1);
		at = cursor_find(&c, '-');
		if (at < 2 || at > 24)
			continue;
		facility = cursor_take(&c, (size_t)at);
		while (cursor_left(&facility) && (isupper(*facility.at) || isdigit(*facility.at) || *facility.at == '_'))
			cursor_skip(&facility, 1);
		if (cursor_left(&facility) == 0 && cursor_left(&c) > 3 && isdigit(c.at[1]) && c.at[2] == '-' && isupper(c.at[3]))
			return true;
	}
	return false;
}

/* One that is written after an RFC, and of whose words the name is known. */
static bool read_well_formed(struct reader *r, struct cursor c)
{
	struct cursor name, application;

	if (cursor_starts(&c, "1 ", 2)) {
		cursor_skip(&c, 2);
		if (!is_new_time(take_word(&c)))
			return false;
		name = take_word(&c);
		application = take_word(&c);
		if (cursor_left(&application) == 0)
			return false;
		tell_name(r, name);
		return true;
	}
	if (isdigit(*c.at) ? !is_full_time(take_word(&c)) : !take_old_time(&c) || cursor_u8(&c) != ' ')
		return false;
	name = take_word(&c);
	/* Many leave the name out: then the tag stands there, with its colon or its process in brackets, or the text. */
	if (cursor_left(&c) && !cursor_starts(&c, "message repeated ", 17))
		tell_name(r, name);
	return true;
}

static bool is_text(struct cursor c)
{
	if (cursor_left(&c) == 0)
		return false;
	for (; cursor_left(&c); c.at++)
		if (*c.at < 0x20 && *c.at != '\t' && *c.at != '\r' && *c.at != '\n' && *c.at != 0)
			return false;
	return true;
}

static bool read_message(struct reader *r, struct cursor c)
{
	bool port = r->receiver_port == PORT_SYSLOG || r->receiver_port == PORT_SYSLOG_TCP;

	if (!take_priority(&c) || !is_text(c))
		return false;
	r->sender_role = ROLE_CLIENT;
	if (read_well_formed(r, c))
		return true;
	if (is_cisco(c)) {
		tell_text(r, SENDER, NULL, ATTR_VENDOR, "Cisco");
		return true;
	}
	return port && isprint(*c.at);
}

/* A length in digits, or a line end behind it. */
static enum verdict read_stream(struct reader *r)
{
	struct cursor c = r->bytes, message;
	unsigned len;

	if (cursor_left(&c) == 0)
		return NEED_MORE;
	if (*c.at == '<') {
		message = cursor_line(&c);
		if (!cursor_ok(&message))
			return cursor_left(&c) < MESSAGE_BYTES && (cursor_left(&c) < 5 || take_priority(&c)) ? NEED_MORE : NOT_MINE;
	} else {
		if (!take_digits(&c, &len, 5) || len < 5 || len > MESSAGE_BYTES - 8 || (cursor_left(&c) && *c.at != ' '))
			return NOT_MINE;
		if (cursor_left(&c) > 1 && c.at[1] != '<')
			return NOT_MINE;
		if (cursor_left(&c) < len + 1)
			return r->receiver_port == PORT_SYSLOG || r->receiver_port == PORT_SYSLOG_TCP || cursor_left(&c) > 1 ? NEED_MORE : NOT_MINE;
		cursor_skip(&c, 1);
		message = cursor_take(&c, len);
	}
	if (!read_message(r, message))
		return NOT_MINE;
	r->bytes = c;
	return MINE;
}

static enum verdict read_syslog(struct reader *r)
{
	if (r->transport == TRANSPORT_TCP)
		return read_stream(r);
	return read_message(r, r->bytes) ? MINE : NOT_MINE;
}

static void forget_syslog(void *flow)
{
	struct memo *memo = flow;

	memo->again = true;
}

const struct classifier classifier_syslog = {
	.name = "syslog",
	.transports = 1 << TRANSPORT_UDP | 1 << TRANSPORT_TCP,
	.ports = { PORT_SYSLOG, PORT_SYSLOG_TCP },
	.max_message = MESSAGE_BYTES,
	.read = read_syslog,
	.forget = forget_syslog,
};
