/*
 * RFB, which VNC speaks: its version and the name that a screen has been given. RFC 6143, 7.1 to 7.3.2.
 *
 *  both: "RFB 003.008" LF; server: {n}{kinds of security n} (3.3: one u32be); client: {kind} (3.3: nothing)
 *  kind 2: server {16 secret}, client {16 secret}; server: {result u32be}, not for kind 1 before 3.8; client: {shared}
 *  server: {width u16be}{height u16be}{pixels 16}{length u32be}{name}
 *
 * The secrets are stepped over. Behind any other kind of security nothing can be read.
 */
#include "classifiers/api/classifier.h"

enum { PORT_VNC = 5900, PORTS = 100, VERSION_BYTES = 12, NAME_BYTES = 1024, SECRET_BYTES = 16, INIT_BYTES = 24 };
enum { SECURITY_NONE = 1, SECURITY_PASSWORD = 2 };

/* What each side says next. */
enum state { AT_VERSION, AT_SECURITY, AT_SECRET, AT_RESULT, AT_INIT, BEHIND };

struct vnc_memo {
	uint8_t state[2]; /* enum state, by direction */
	uint8_t server;   /* direction + 1 */
	uint8_t minor[2]; /* of each side's version */
	uint8_t security; /* as chosen, 0 for not yet or not known */
};

static uint8_t role(const struct reader *r, const struct vnc_memo *m)
{
	return m->server == r->direction + 1 ? ROLE_SERVER : ROLE_CLIENT;
}

/* The server speaks first. A second one to speak is the client, whatever the ports are. */
static void find_server(const struct reader *r, struct vnc_memo *m)
{
	bool at_port = r->sender_port >= PORT_VNC && r->sender_port < PORT_VNC + PORTS;
	bool to_port = r->receiver_port >= PORT_VNC && r->receiver_port < PORT_VNC + PORTS;
	bool server = r->handshake == ROLE_SERVER || (r->handshake != ROLE_CLIENT && (at_port || !to_port));

	if (m->server == 0)
		m->server = (uint8_t)((server ? r->direction : !r->direction) + 1);
}

/* The version both agree on; Apple's 889 and what else is above 8 count as 8, what is between 3 and 7 as 3. */
static unsigned agreed(const struct vnc_memo *m)
{
	unsigned minor = m->minor[0] < m->minor[1] ? m->minor[0] : m->minor[1];

	return minor >= 8 ? 8 : minor == 7 ? 7 : 3;
}

static enum verdict done(struct reader *r, struct vnc_memo *m, size_t taken, uint8_t next)
{
	cursor_skip(&r->bytes, taken);
	m->state[r->direction] = next;
	r->sender_role = role(r, m);
	return MINE;
}

static enum verdict read_version(struct reader *r, struct vnc_memo *m)
{
	static const char form[VERSION_BYTES + 1] = "RFB ddd.ddd\n";
	struct cursor c = r->bytes, text = r->bytes;
	unsigned minor = 0;
	size_t n = cursor_left(&c) < VERSION_BYTES ? cursor_left(&c) : VERSION_BYTES;

	for (size_t i = 0; i < n; i++) {
		uint8_t b = cursor_u8(&c);

		if (form[i] == 'd' ? b < '0' || b > '9' : b != (uint8_t)form[i])
			return NOT_MINE;
		if (i > 7 && form[i] == 'd')
			minor = minor * 10 + (unsigned)(b - '0');
	}
	if (n < VERSION_BYTES)
		return n ? NEED_MORE : NOT_MINE;
	find_server(r, m);
	m->minor[r->direction] = (uint8_t)(minor > 8 ? 8 : minor);
	tell(r, SENDER, NULL, ATTR_SOFTWARE, cursor_take(&text, VERSION_BYTES - 1));
	return done(r, m, VERSION_BYTES, AT_SECURITY);
}

static uint8_t after_choice(const struct vnc_memo *m)
{
	if (m->security == SECURITY_PASSWORD)
		return AT_SECRET;
	if (m->security == SECURITY_NONE)
		return agreed(m) == 8 ? AT_RESULT : AT_INIT;
	return BEHIND;
}

static enum verdict read_offer(struct reader *r, struct vnc_memo *m)
{
	struct cursor c = r->bytes;
	uint32_t kind;

	if (m->minor[!r->direction] == 0) /* the client's version was not heard: the form is not known */
		return done(r, m, cursor_left(&c), BEHIND);
	if (agreed(m) != 3) {
		uint8_t count = cursor_u8(&c);

		if (cursor_left(&c) < count)
			return NEED_MORE;
		return done(r, m, 1u + count, count ? AT_SECRET : BEHIND);
	}
	if (cursor_left(&c) < 4)
		return NEED_MORE;
	kind = cursor_u32be(&c);
	m->security = kind <= SECURITY_PASSWORD ? (uint8_t)kind : 0;
	m->state[!r->direction] = BEHIND;
	return done(r, m, 4, after_choice(m));
}

static enum verdict read_size(struct reader *r, struct vnc_memo *m)
{
	struct cursor c = r->bytes;
	uint32_t len;

	cursor_skip(&c, INIT_BYTES - 4);
	len = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return NEED_MORE;
	if (len > NAME_BYTES)
		return done(r, m, cursor_left(&r->bytes), BEHIND);
	if (cursor_left(&c) < len)
		return NEED_MORE;
	tell(r, SENDER, NULL, ATTR_NAME, cursor_take(&c, len));
	return done(r, m, INIT_BYTES + len, BEHIND);
}

static enum verdict read_result(struct reader *r, struct vnc_memo *m)
{
	struct cursor c = r->bytes;
	uint32_t result = cursor_u32be(&c);

	if (!cursor_ok(&c))
		return NEED_MORE;
	return done(r, m, 4, result == 0 ? AT_INIT : BEHIND);
}

static enum verdict read_server(struct reader *r, struct vnc_memo *m)
{
	uint8_t *state = &m->state[r->direction];

	/* What comes behind the offer hangs on what the client chose. */
	if (*state == AT_SECRET && m->security != SECURITY_PASSWORD)
		*state = after_choice(m);
	switch (*state) {
	case AT_SECURITY:
		return read_offer(r, m);
	case AT_SECRET:
		if (cursor_left(&r->bytes) < SECRET_BYTES)
			return NEED_MORE;
		return done(r, m, SECRET_BYTES, AT_RESULT);
	case AT_RESULT:
		return read_result(r, m);
	case AT_INIT:
		return read_size(r, m);
	}
	return done(r, m, cursor_left(&r->bytes), BEHIND);
}

static enum verdict read_client(struct reader *r, struct vnc_memo *m)
{
	if (m->state[r->direction] == AT_SECURITY && agreed(m) != 3)
		m->security = cursor_peek(&r->bytes, 0);
	return done(r, m, m->state[r->direction] == AT_SECURITY && agreed(m) != 3 ? 1 : cursor_left(&r->bytes), BEHIND);
}

static enum verdict read_vnc(struct reader *r)
{
	struct vnc_memo *m = r->memo;

	if (r->gap && m->server)
		m->state[0] = m->state[1] = BEHIND;
	if (cursor_left(&r->bytes) == 0)
		return NOT_MINE;
	if (m->state[r->direction] == AT_VERSION)
		return read_version(r, m);
	return role(r, m) == ROLE_SERVER ? read_server(r, m) : read_client(r, m);
}

/* Pictures and what is typed. */
static bool glance_vnc(struct glance *g, void *memo)
{
	const struct vnc_memo *m = memo;

	(void)cursor_rest(&g->bytes);
	return m->state[g->direction] == BEHIND;
}

const struct classifier classifier_vnc = {
	.name = "vnc",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_VNC, PORT_VNC + 1 },
	.read = read_vnc,
	.glance = glance_vnc,
};
