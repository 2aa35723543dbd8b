/* From the headers of a SYN to its signature. IPv4: RFC 791; IPv6: RFC 8200; TCP: RFC 9293, RFC 7323. */
#include "classifiers/stack/stack_signature.h"

#include <stdio.h>

enum { PROTOCOL_TCP = 6, OPTION_EOL = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_WS = 3, OPTION_SOK = 4, OPTION_SACK = 5, OPTION_TS = 8,
       FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_PSH = 8, FLAG_ACK = 16, FLAG_URG = 32, FLAG_ECE = 64, FLAG_CWR = 128,
       SCALE_MOST = 14, MSS_LEAST = 100, TS_BYTES = 12 };

static const struct {
	const char *word;
	uint32_t bit;
} quirks[] = {
	{ "df", QUIRK_DF }, { "id+", QUIRK_ID_PLUS }, { "id-", QUIRK_ID_MINUS }, { "ecn", QUIRK_ECN }, { "0+", QUIRK_ZERO_PLUS },
	{ "flow", QUIRK_FLOW }, { "seq-", QUIRK_SEQ_MINUS }, { "ack+", QUIRK_ACK_PLUS }, { "ack-", QUIRK_ACK_MINUS },
	{ "uptr+", QUIRK_UPTR_PLUS }, { "urgf+", QUIRK_URGF_PLUS }, { "pushf+", QUIRK_PUSHF_PLUS }, { "ts1-", QUIRK_TS1_MINUS },
	{ "ts2+", QUIRK_TS2_PLUS }, { "opt+", QUIRK_OPT_PLUS }, { "exws", QUIRK_EXWS }, { "bad", QUIRK_BAD },
};

static const struct {
	const char *word;
	uint8_t kind;
} options[] = {
	{ "nop", OPTION_NOP }, { "mss", OPTION_MSS }, { "ws", OPTION_WS }, { "sok", OPTION_SOK }, { "sack", OPTION_SACK }, { "ts", OPTION_TS },
};

/* What the window is reckoned with. */
struct window_facts {
	uint16_t peer_mss;
	uint16_t header_bytes; /* of IP and TCP together */
	bool own_time;
};

unsigned stack_option_of(const char *word)
{
	unsigned kind;
	char end;

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strcmp(word, options[i].word) == 0)
			return options[i].kind;
	return sscanf(word, "?%u%c", &kind, &end) == 1 && kind < 256 ? kind : 256;
}

uint32_t stack_quirk_of(const char *word)
{
	for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++)
		if (strcmp(word, quirks[i].word) == 0)
			return quirks[i].bit;
	return 0;
}

static bool read_ipv4(struct cursor *c, struct stack_signature *s)
{
	unsigned header = (cursor_u8(c) & 15) * 4u, tos = cursor_u8(c), total = cursor_u16be(c), id = cursor_u16be(c), fragment = cursor_u16be(c);

	s->version = 4;
	s->ttl = cursor_u8(c);
	if (cursor_u8(c) != PROTOCOL_TCP || header < 20 || fragment & 0x3fff)
		return false;
	cursor_skip(c, 10);
	s->option_bytes = (uint8_t)(header - 20);
	cursor_skip(c, s->option_bytes);
	if (tos & 3)
		s->quirks |= QUIRK_ECN;
	if (fragment & 0x8000)
		s->quirks |= QUIRK_ZERO_PLUS;
	if (fragment & 0x4000)
		s->quirks |= QUIRK_DF | (id ? QUIRK_ID_PLUS : 0u);
	else if (!id)
		s->quirks |= QUIRK_ID_MINUS;
	/* Padding of the frame is no payload. */
	if (total >= header && total - header < cursor_left(c))
		c->end = c->at + (total - header);
	return cursor_ok(c);
}

static bool read_ipv6(struct cursor *c, struct stack_signature *s)
{
	uint32_t first = cursor_u32be(c);
	unsigned len = cursor_u16be(c);

	s->version = 6;
	if (cursor_u8(c) != PROTOCOL_TCP)
		return false;
	s->ttl = cursor_u8(c);
	cursor_skip(c, 32);
	if (first >> 20 & 3)
		s->quirks |= QUIRK_ECN;
	if (first & 0xfffff)
		s->quirks |= QUIRK_FLOW;
	if (len && len < cursor_left(c))
		c->end = c->at + len;
	return cursor_ok(c);
}

/* One option whose kind is read; `c` is behind the kind. False when what follows can't be told apart any more. */
static bool read_option(struct cursor *c, uint8_t kind, struct stack_signature *s, struct window_facts *w)
{
	static const uint8_t lengths[] = { [OPTION_MSS] = 4, [OPTION_WS] = 3, [OPTION_SOK] = 2, [OPTION_TS] = 10 };
	uint8_t len = cursor_u8(c);
	struct cursor value;

	if (!cursor_ok(c) || len < 2 || (size_t)len - 2 > cursor_left(c) || (kind < sizeof lengths && lengths[kind] && lengths[kind] != len)) {
		s->quirks |= QUIRK_BAD;
		return false;
	}
	value = cursor_take(c, len - 2u);
	if (kind == OPTION_MSS) {
		s->mss = cursor_u16be(&value);
	} else if (kind == OPTION_WS) {
		s->scale = cursor_u8(&value);
		s->quirks |= s->scale > SCALE_MOST ? QUIRK_EXWS : 0u;
	} else if (kind == OPTION_TS) {
		w->own_time = cursor_u32be(&value) != 0;
		s->quirks |= w->own_time ? 0u : QUIRK_TS1_MINUS;
		s->quirks |= cursor_u32be(&value) && !s->accepts ? QUIRK_TS2_PLUS : 0u;
	}
	return true;
}

static void read_options(struct cursor *c, struct stack_signature *s, struct window_facts *w)
{
	while (cursor_left(c)) {
		uint8_t kind = cursor_u8(c);

		if (s->layout_count == STACK_OPTIONS)
			return;
		s->layout[s->layout_count++] = kind;
		if (kind == OPTION_EOL) {
			s->eol_padding = (uint8_t)cursor_left(c);
			while (cursor_left(c))
				s->quirks |= cursor_u8(c) ? QUIRK_OPT_PLUS : 0u;
			return;
		}
		if (kind != OPTION_NOP && !read_option(c, kind, s, w))
			return;
	}
}

static void read_flags(uint8_t flags, uint32_t sequence, uint32_t acknowledgment, uint16_t urgent, struct stack_signature *s)
{
	s->quirks |= sequence ? 0u : QUIRK_SEQ_MINUS;
	if (flags & FLAG_ACK)
		s->quirks |= acknowledgment ? 0u : QUIRK_ACK_MINUS;
	else
		s->quirks |= acknowledgment ? QUIRK_ACK_PLUS : 0u;
	if (flags & FLAG_URG)
		s->quirks |= QUIRK_URGF_PLUS;
	else
		s->quirks |= urgent ? QUIRK_UPTR_PLUS : 0u;
	s->quirks |= flags & FLAG_PSH ? QUIRK_PUSHF_PLUS : 0u;
	s->quirks |= flags & (FLAG_ECE | FLAG_CWR) ? QUIRK_ECN : 0u;
}

static bool divides(struct stack_signature *s, unsigned by, enum stack_window kind)
{
	if (by == 0 || s->window % by)
		return false;
	s->window_kind = (uint8_t)kind;
	s->window_times = (uint16_t)(s->window / by);
	return true;
}

/* Which multiple the window is of, in the order in which p0f tries them. */
static void reckon_window(struct stack_signature *s, const struct window_facts *w)
{
	unsigned mss = s->mss;

	if (s->window == 0 || mss < MSS_LEAST)
		return;
	if (divides(s, mss, WINDOW_MSS) || (w->own_time && divides(s, mss - TS_BYTES, WINDOW_MSS)) || divides(s, 1460, WINDOW_MSS) ||
	    divides(s, 1448, WINDOW_MSS))
		return;
	if (s->version == 6 && (divides(s, 1440, WINDOW_MSS) || divides(s, 1428, WINDOW_MSS)))
		return;
	if (divides(s, mss + 40, WINDOW_MTU) || divides(s, mss + w->header_bytes, WINDOW_MTU) ||
	    (s->version == 6 && divides(s, mss + 60, WINDOW_MTU)) || divides(s, 1500, WINDOW_MTU))
		return;
	if (s->accepts && w->peer_mss > MSS_LEAST && !divides(s, w->peer_mss, WINDOW_MSS))
		divides(s, w->peer_mss - TS_BYTES, WINDOW_MSS);
}

bool stack_signature_read(struct cursor ip, uint16_t peer_mss, struct stack_signature *s)
{
	struct window_facts w = { .peer_mss = peer_mss };
	uint32_t sequence, acknowledgment;
	unsigned header, version = cursor_peek(&ip, 0) >> 4;
	uint8_t flags, high;
	struct cursor c;
	uint16_t urgent;

	memset(s, 0, sizeof *s);
	if (version == 4 ? !read_ipv4(&ip, s) : version != 6 || !read_ipv6(&ip, s))
		return false;
	cursor_skip(&ip, 4);
	sequence = cursor_u32be(&ip);
	acknowledgment = cursor_u32be(&ip);
	high = cursor_u8(&ip);
	flags = cursor_u8(&ip);
	s->window = cursor_u16be(&ip);
	cursor_skip(&ip, 2);
	urgent = cursor_u16be(&ip);
	header = (high >> 4) * 4u;
	if (!cursor_ok(&ip) || header < 20 || (flags & (FLAG_SYN | FLAG_FIN | FLAG_RST)) != FLAG_SYN)
		return false;
	s->accepts = flags & FLAG_ACK;
	s->ecn = (flags & FLAG_ECE ? STACK_ECE : 0) | (flags & FLAG_CWR ? STACK_CWR : 0);
	s->reserved = high & 15;
	s->quirks |= high & 1 ? QUIRK_ECN : 0u;
	read_flags(flags, sequence, acknowledgment, urgent, s);
	c = cursor_take(&ip, header - 20);
	if (!cursor_ok(&ip))
		return false;
	w.header_bytes = (uint16_t)((s->version == 4 ? 20u + s->option_bytes : 40u) + header);
	read_options(&c, s, &w);
	s->payload = cursor_left(&ip) > 0;
	s->initial_ttl = s->ttl <= 32 ? 32 : s->ttl <= 64 ? 64 : s->ttl <= 128 ? 128 : 255;
	reckon_window(s, &w);
	return true;
}

struct text {
	char *at;
	size_t len;
};

/* Not by printf(): each host that opens a connection is written, and that took longer than reading it. */
static void put(struct text *t, const char *word)
{
	size_t len = strlen(word), room = STACK_TEXT_BYTES - 1 - t->len;

	if (len > room)
		len = room;
	memcpy(t->at + t->len, word, len);
	t->len += len;
	t->at[t->len] = 0;
}

static void put_number(struct text *t, const char *before, unsigned number, const char *after)
{
	char digits[12], *at = digits + sizeof digits - 1;

	*at = 0;
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	put(t, before);
	put(t, at);
	put(t, after);
}

static void put_option(struct text *t, const struct stack_signature *s, uint8_t kind)
{
	if (kind == OPTION_EOL) {
		put_number(t, "eol+", s->eol_padding, "");
		return;
	}
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (options[i].kind == kind) {
			put(t, options[i].word);
			return;
		}
	put_number(t, "?", kind, "");
}

size_t stack_signature_write(const struct stack_signature *s, char out[STACK_TEXT_BYTES])
{
	static const char *const windows[] = { [WINDOW_PLAIN] = "", [WINDOW_MSS] = "mss*", [WINDOW_MTU] = "mtu*" };
	struct text t = { out, 0 };
	const char *comma = "";

	out[0] = 0;
	put_number(&t, "", s->version, ":");
	put_number(&t, "", s->initial_ttl, ":");
	put_number(&t, "", s->option_bytes, ":");
	put_number(&t, "", s->mss, ":");
	put_number(&t, windows[s->window_kind], s->window_kind == WINDOW_PLAIN ? s->window : s->window_times, ",");
	put_number(&t, "", s->scale, ":");
	for (unsigned i = 0; i < s->layout_count; i++) {
		put(&t, i ? "," : "");
		put_option(&t, s, s->layout[i]);
	}
	put(&t, ":");
	for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++)
		if (s->quirks & quirks[i].bit) {
			put(&t, comma);
			put(&t, quirks[i].word);
			comma = ",";
		}
	put(&t, s->payload ? ":+" : ":0");
	return t.len;
}
