/*
 * Automatic tank gauges that speak Veeder-Root's serial interface over TCP: software, site, tanks.
 *
 * Veeder-Root 576013-635 "Serial Interface Manual" (TLS-300/350/450), sections 1 and 7.
 *
 *	request:  SOH [6 characters of security code] I|i|S|s, function (3), tank (2) [CR LF]
 *	reply:    SOH CR LF I20100 CR LF date CR LF site, up to four lines ... ETX        (I: for people)
 *	          SOH i20100 YYMMDDhhmm ... && checksum ETX                              (i: for computers)
 *	          SOH 9999FF1B ETX                                                       (not understood)
 *
 * A reply is read line by line. Gauges that are mimicked leave out SOH and ETX, or CR.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	ATG_PORT = 10001,
	SOH = 1, ETX = 3, IAC = 0xff,
	CODE_BYTES = 6,
	COMMAND_BYTES = 6,        /* letter, function, tank */
	LONGEST_LINE = 512,
	SITE_LINES = 4,
	TANKS_MAX = 99,
	PRODUCT_BYTES = 20,
};

enum { FUNCTION_INVENTORY = 201, FUNCTION_REVISION = 902 };
enum progress { NOTHING, DATE, SITE, BODY };

struct memo {
	uint8_t asked[COMMAND_BYTES]; /* the last question */
	uint8_t asker;                /* 1 + its direction, 0 none */
	uint8_t progress;             /* within a reply */
	uint16_t function;            /* of the reply */
	uint8_t site_lines;
	bool mine;
	uint8_t tanks[13];            /* bit set: told */
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

static bool is_hex(uint8_t b)
{
	return is_digit(b) || (b >= 'A' && b <= 'F') || (b >= 'a' && b <= 'f');
}

/* Letter, function of three hexadecimal digits, tank of two digits. */
static bool is_command(struct cursor c)
{
	uint8_t letter = cursor_u8(&c);

	if (letter != 'I' && letter != 'i' && letter != 'S' && letter != 's')
		return false;
	for (int i = 1; i < COMMAND_BYTES; i++) {
		uint8_t b = cursor_u8(&c);

		if (i > 3 ? !is_digit(b) : !is_hex(b))
			return false;
	}
	return cursor_ok(&c);
}

/* Converters understand telnet; what its client says to them is no part of the gauge's talk. */
static void skip_noise(struct cursor *c)
{
	while (cursor_left(c)) {
		uint8_t b = cursor_peek(c, 0);

		if (b == IAC && cursor_left(c) >= 2)
			cursor_skip(c, cursor_peek(c, 1) >= 0xfb && cursor_left(c) >= 3 ? 3 : 2);
		else if (b == '\r' || b == '\n' || b == ETX || b == 0 || b == 0x06)
			cursor_skip(c, 1);
		else
			return;
	}
}

static bool from_asker(const struct reader *r, const struct memo *memo)
{
	return memo->asker == 1 + r->direction;
}

static enum verdict read_request(struct reader *r, struct memo *memo, struct cursor c)
{
	struct cursor command;
	bool port = r->receiver_port == ATG_PORT;

	if (!is_command(c)) {
		cursor_skip(&c, CODE_BYTES);
		if (!is_command(c))
			return NOT_MINE;
	}
	command = cursor_take(&c, COMMAND_BYTES);
	cursor_copy(&command, memo->asked, sizeof memo->asked);
	memo->asker = (uint8_t)(1 + r->direction);
	memo->progress = NOTHING;
	if (cursor_starts(&c, "\r", 1))
		cursor_skip(&c, 1);
	if (cursor_starts(&c, "\n", 1))
		cursor_skip(&c, 1);
	r->bytes = c;
	r->sender_role = ROLE_CLIENT;
	memo->mine |= port;
	return memo->mine ? MINE : MAYBE;
}

static void tell_gauge(struct reader *r)
{
	tell_text(r, SENDER, NULL, ATTR_VENDOR, "Veeder-Root");
	tell_text(r, SENDER, NULL, ATTR_DEVICE_CLASS, "automatic tank gauge");
}

/* "SOFTWARE# 346330-100-B": the part number before the first dash is that of a model. */
static void read_software(struct reader *r, struct cursor line)
{
	static const struct {
		const char *part;
		const char *model;
	} models[] = { { "346330", "TLS-350" }, { "349783", "TLS2" }, { "349787", "TLS-HLD" }, { "347871", "TLS-HLD" } };
	static const char key[] = "SOFTWARE#";

	if (!cursor_starts(&line, key, sizeof key - 1))
		return;
	cursor_skip(&line, sizeof key - 1);
	while (cursor_left(&line) && cursor_peek(&line, 0) == ' ')
		cursor_skip(&line, 1);
	tell(r, SENDER, NULL, ATTR_FIRMWARE, line);
	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		if (cursor_starts(&line, models[i].part, 6))
			tell_text(r, SENDER, NULL, ATTR_PRODUCT, models[i].model);
}

/* "  1  REGULAR GASOLINE      1234 ...": number and product of a tank. */
static void read_tank(struct reader *r, struct memo *memo, struct cursor line)
{
	char path[FINDING_PATH_BYTES];
	struct cursor product;
	unsigned tank = 0, digits = 0;

	while (cursor_left(&line) && cursor_peek(&line, 0) == ' ')
		cursor_skip(&line, 1);
	while (cursor_left(&line) && is_digit(cursor_peek(&line, 0)) && digits++ < 2)
		tank = tank * 10 + cursor_u8(&line) - '0';
	if (!digits || tank == 0 || tank > TANKS_MAX || cursor_left(&line) < PRODUCT_BYTES || cursor_u8(&line) != ' ')
		return;
	while (cursor_left(&line) && cursor_peek(&line, 0) == ' ')
		cursor_skip(&line, 1);
	product = cursor_take(&line, PRODUCT_BYTES);
	for (struct cursor c = product; cursor_left(&c) >= 2; cursor_skip(&c, 1))
		if (cursor_starts(&c, "  ", 2)) {
			product.end = c.at;
			break;
		}
	if (!cursor_ok(&product) || memo->tanks[tank / 8] & 1u << tank % 8 || !cursor_left(&product) ||
	    is_digit(cursor_peek(&product, 0)))
		return;
	memo->tanks[tank / 8] |= (uint8_t)(1u << tank % 8);
	snprintf(path, sizeof path, "atg/%u/tank:%u", r->sender_port, tank);
	tell_subasset(r, SENDER, path);
	tell(r, SENDER, path, ATTR_DESCRIPTION, product);
}

static bool contains(struct cursor c, const char *text)
{
	size_t n = strlen(text);

	for (; cursor_left(&c) >= n; cursor_skip(&c, 1))
		if (cursor_starts(&c, text, n))
			return true;
	return false;
}

/* The site's own lines stand between the date and the report's title. */
static void read_site(struct reader *r, struct memo *memo, struct cursor line)
{
	if (contains(line, "INVENTORY") || contains(line, "SOFTWARE") || memo->site_lines >= SITE_LINES) {
		memo->progress = BODY;
		read_software(r, line);
		return;
	}
	if (memo->function == FUNCTION_INVENTORY)
		tell(r, SENDER, NULL, memo->site_lines ? ATTR_LOCATION : ATTR_NAME, line);
	memo->site_lines++;
}

static void read_line(struct reader *r, struct memo *memo, struct cursor line)
{
	switch (memo->progress) {
	case DATE:
		memo->progress = SITE;
		break;
	case SITE:
		read_site(r, memo, line);
		break;
	case BODY:
		if (memo->function == FUNCTION_INVENTORY)
			read_tank(r, memo, line);
		else if (memo->function == FUNCTION_REVISION)
			read_software(r, line);
		break;
	default:
		break;
	}
}

/* The echo of a question begins a reply. Whether it was asked is known; if not, the usual port must do. */
static enum verdict read_echo(struct reader *r, struct memo *memo, struct cursor line)
{
	bool asked = memo->asker && !from_asker(r, memo) && cursor_starts(&line, memo->asked, COMMAND_BYTES);
	bool refused = cursor_starts(&line, "9999FF1", 7);

	if (refused ? !memo->mine && !memo->asker : !is_command(line) || (!asked && r->sender_port != ATG_PORT))
		return NOT_MINE;
	memo->mine = true;
	r->sender_role = ROLE_SERVER;
	memo->progress = refused || cursor_peek(&line, 0) > 'Z' ? NOTHING : DATE;
	memo->site_lines = 0;
	memo->function = (uint16_t)(100 * (cursor_peek(&line, 1) - '0') + 10 * (cursor_peek(&line, 2) - '0') + cursor_peek(&line, 3) - '0');
	if (!refused)
		tell_gauge(r);
	return MINE;
}

/* The next line, or what ends with ETX. */
static struct cursor take_line(struct cursor *c)
{
	ptrdiff_t feed = cursor_find(c, '\n'), end = cursor_find(c, ETX);

	if (end >= 0 && (feed < 0 || end < feed)) {
		struct cursor line = cursor_take(c, (size_t)end);

		cursor_skip(c, 1);
		return line;
	}
	return cursor_line(c);
}

static enum verdict read_reply(struct reader *r, struct memo *memo, struct cursor c)
{
	struct cursor line;
	size_t waiting;

	if (cursor_starts(&c, "\x01", 1))
		cursor_skip(&c, 1);
	skip_noise(&c);
	waiting = cursor_left(&c);
	line = take_line(&c);
	if (!cursor_ok(&line)) {
		/* a refusal may come without ETX, and then nothing follows it */
		if (waiting < LONGEST_LINE && !(waiting >= 8 && memo->asker && cursor_starts(&line, "9999FF1B", 8)))
			return NEED_MORE;
		line = cursor_rest(&c);
	}
	if (memo->progress == NOTHING || (cursor_left(&line) == COMMAND_BYTES && is_command(line))) {
		if (read_echo(r, memo, line) != MINE && !memo->mine)
			return NOT_MINE;
	} else
		read_line(r, memo, line);
	r->bytes = c;
	r->sender_role = ROLE_SERVER;
	return memo->mine ? MINE : MAYBE;
}

static enum verdict read_atg(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes;
	bool starts = cursor_starts(&c, "\x01", 1), server;

	server = r->handshake == ROLE_SERVER || (memo->asker && !from_asker(r, memo)) ||
		 (r->handshake == ROLE_UNKNOWN && r->sender_port == ATG_PORT);
	if (!memo->mine && !memo->asker && !server && !starts)
		return NOT_MINE;
	if (server)
		return !memo->mine && !memo->asker && r->sender_port != ATG_PORT ? NOT_MINE : read_reply(r, memo, c);
	skip_noise(&c);
	if (cursor_left(&c) == 0) {
		r->bytes = c;
		r->sender_role = ROLE_CLIENT;
		return memo->mine ? MINE : memo->asker ? MAYBE : NOT_MINE;
	}
	if (!cursor_starts(&c, "\x01", 1))
		return cursor_left(&c) == 1 && cursor_peek(&c, 0) == IAC ? NEED_MORE : NOT_MINE;
	cursor_skip(&c, 1);
	if (cursor_left(&c) < COMMAND_BYTES || (!is_command(c) && cursor_left(&c) < CODE_BYTES + COMMAND_BYTES))
		return NEED_MORE;
	return read_request(r, memo, c);
}

static void forget_atg(void *flow)
{
	struct memo *memo = flow;

	memset(memo->tanks, 0, sizeof memo->tanks);
}

const struct classifier classifier_atg = {
	.name = "atg",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { ATG_PORT },
	.max_message = 1024,
	.read = read_atg,
	.forget = forget_atg,
};
