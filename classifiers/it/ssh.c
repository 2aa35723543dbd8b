/*
 * SSH: the line by which each side introduces its software. RFC 4253, 4.2; HASSH is left out.
 *
 *  Both sides first send one line, the server perhaps other lines before it; the rest is binary.
 *  +------+-----------------+---+----------+---------------+----+
 *  | SSH- | protocol (2.0)  | - | software | [ comments]   | LF |   at most 255 bytes
 *  +------+-----------------+---+----------+---------------+----+
 */
#include "classifiers/api/classifier.h"

enum { PORT_SSH = 22, LINE_BYTES = 255, PREFACE_BYTES = 1024 };

struct ssh_memo {
	bool introduced[2];
	uint8_t server; /* direction + 1 */
};

/* Who serves can't be seen in the lines: both sides say the same. */
static uint8_t role(const struct reader *r, struct ssh_memo *m)
{
	if (m->server == 0) {
		bool server = r->handshake == ROLE_SERVER ||
			      (r->handshake != ROLE_CLIENT && (r->sender_port == PORT_SSH ||
			       (r->receiver_port != PORT_SSH && r->sender_port < r->receiver_port)));

		m->server = (uint8_t)((server ? r->direction : !r->direction) + 1);
	}
	return m->server == r->direction + 1 ? ROLE_SERVER : ROLE_CLIENT;
}

/* The line without its end; what follows the protocol's version is told whole, with its comments. */
static bool introduction(struct cursor line, struct cursor *software)
{
	static const char *const versions[] = { "SSH-2.0-", "SSH-1.99-", "SSH-1.5-", "SSH-1.3-" };

	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		size_t len = strlen(versions[i]);

		if (!cursor_starts(&line, versions[i], len))
			continue;
		*software = line;
		cursor_skip(software, len);
		for (const uint8_t *p = software->at; p < software->end; p++)
			if (*p < 0x20 || *p > 0x7e)
				return false;
		return cursor_left(software) > 0;
	}
	return false;
}

/* True while the bytes could still become an introduction. */
static bool may_begin(struct cursor c)
{
	static const char start[] = "SSH-";
	size_t n = cursor_left(&c) < 4 ? cursor_left(&c) : 4;

	return memcmp(c.at, start, n) == 0;
}

/* Steps over the lines that a server may say first; they must be there already and be text. */
static void skip_preface(struct cursor *c)
{
	struct cursor at = *c;

	while (!may_begin(at) && at.at - c->at < PREFACE_BYTES) {
		struct cursor line = cursor_line(&at);

		if (!cursor_ok(&line) || cursor_left(&at) < 4)
			return;
		for (; line.at < line.end; line.at++)
			if (*line.at < 0x20 && *line.at != '\t')
				return;
	}
	if (may_begin(at))
		*c = at;
}

static enum verdict read_introduction(struct reader *r, struct ssh_memo *m)
{
	struct cursor c = r->bytes, line, software;

	if (cursor_left(&c) == 0)
		return NOT_MINE;
	skip_preface(&c);
	if (!may_begin(c))
		return NOT_MINE;
	line = cursor_line(&c);
	if (!cursor_ok(&line))
		return cursor_left(&c) < LINE_BYTES ? NEED_MORE : NOT_MINE;
	if (cursor_left(&line) > LINE_BYTES || !introduction(line, &software))
		return NOT_MINE;
	r->bytes = c;
	m->introduced[r->direction] = true;
	r->sender_role = role(r, m);
	tell(r, SENDER, NULL, ATTR_SOFTWARE, software);
	return MINE;
}

/* Behind its introduction a side sends nothing that can be read. */
static enum verdict read_ssh(struct reader *r)
{
	struct ssh_memo *m = r->memo;

	if (!m->introduced[r->direction] && !(r->gap && m->server))
		return read_introduction(r, m);
	cursor_rest(&r->bytes);
	r->sender_role = role(r, m);
	return MINE;
}

/* All that follows the introduction. */
static bool glance_ssh(struct glance *g, void *memo)
{
	const struct ssh_memo *m = memo;

	(void)cursor_rest(&g->bytes);
	return m->introduced[g->direction] && m->server;
}

const struct classifier classifier_ssh = {
	.name = "ssh",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { PORT_SSH },
	.read = read_ssh,
	.glance = glance_ssh,
};
