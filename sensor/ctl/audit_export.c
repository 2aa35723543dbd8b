/*
 * Runs of the audit as a pcapng file: frames rebuilt round the bytes that were sent and received, with
 * the kernel's times, and what they were for as comments. (PCAP Next Generation Capture File Format,
 * draft-ietf-opsawg-pcapng: section header, interface description, enhanced packets.)
 */
#include "classifiers/finding/finding.h"
#include "sensor/common/rebuild.h"
#include "sensor/ctl/audit.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6, MAGIC = 0x1a2b3c4d, LINKTYPE_ETHERNET = 1,
	OPTION_COMMENT = 1, OPTION_RESOLUTION = 9, NANOSECONDS = 9, COMMENT_MOST = 60000,
};

struct export {
	FILE *to;
	const char *id;          /* of the approval, NULL for all */
	long long run;           /* under way, 0 for none */
	unsigned runs;
	struct conversation talk;
	bool started;            /* its handshake is written */
	char *comment;           /* of the next frame */
	char *question;          /* bytes about to be sent, as hex */
	char step[64];
	long long question_ns;
};

static void put_u32(FILE *to, uint32_t v)
{
	fwrite(&v, sizeof v, 1, to);
}

static void put_u16(FILE *to, uint16_t v)
{
	fwrite(&v, sizeof v, 1, to);
}

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static void put_padded(FILE *to, const void *bytes, size_t n)
{
	static const char zeros[4];

	fwrite(bytes, 1, n, to);
	fwrite(zeros, 1, padded(n) - n, to);
}

static void put_head(FILE *to)
{
	const uint32_t section = 28, interface = 32;

	put_u32(to, BLOCK_SECTION);
	put_u32(to, section);
	put_u32(to, MAGIC);
	put_u16(to, 1);
	put_u16(to, 0);
	put_u32(to, UINT32_MAX); /* length of the section: not given */
	put_u32(to, UINT32_MAX);
	put_u32(to, section);
	put_u32(to, BLOCK_INTERFACE);
	put_u32(to, interface);
	put_u16(to, LINKTYPE_ETHERNET);
	put_u16(to, 0);
	put_u32(to, 0); /* no snap length */
	put_u16(to, OPTION_RESOLUTION);
	put_u16(to, 1);
	put_padded(to, &(uint8_t){ NANOSECONDS }, 1);
	put_u32(to, 0); /* end of options */
	put_u32(to, interface);
}

static void put_frame(void *context, const uint8_t *frame, size_t len, int64_t time_ns)
{
	struct export *e = context;
	size_t comment = e->comment ? strnlen(e->comment, COMMENT_MOST) : 0;
	uint32_t block = (uint32_t)(32 + padded(len) + (comment ? 4 + padded(comment) + 4 : 0));

	put_u32(e->to, BLOCK_PACKET);
	put_u32(e->to, block);
	put_u32(e->to, 0);
	put_u32(e->to, (uint32_t)((uint64_t)time_ns >> 32));
	put_u32(e->to, (uint32_t)time_ns);
	put_u32(e->to, (uint32_t)len);
	put_u32(e->to, (uint32_t)len);
	put_padded(e->to, frame, len);
	if (comment) {
		put_u16(e->to, OPTION_COMMENT);
		put_u16(e->to, (uint16_t)comment);
		put_padded(e->to, e->comment, comment);
		put_u32(e->to, 0);
	}
	put_u32(e->to, block);
	free(e->comment);
	e->comment = NULL;
}

static size_t read_hex(const char *hex, uint8_t *out, size_t room)
{
	size_t n = 0;
	unsigned byte;

	for (; n < room && hex[0] && hex[1] && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (uint8_t)byte;
	return n;
}

static enum transport read_transport(const char *name)
{
	for (int t = 0; t < TRANSPORTS; t++)
		if (strcmp(name, transport_name((enum transport)t)) == 0)
			return (enum transport)t;
	return TRANSPORT_NONE;
}

static void set_comment(struct export *e, const char *what, const char *text)
{
	size_t room = strlen(what) + strlen(text) + 2;

	free(e->comment);
	e->comment = malloc(room);
	if (e->comment)
		snprintf(e->comment, room, "%s%s", what, text);
}

static void begin_run(struct export *e, const json_t *r)
{
	struct conversation *c = &e->talk;

	e->run = 0;
	if (e->id && strcmp(audit_field(r, "approval_id"), e->id) != 0)
		return;
	e->run = audit_value(r, "run");
	e->runs++;
	e->started = false;
	*c = (struct conversation){ .transport = (uint8_t)read_transport(audit_field(r, "transport")), .ethertype = (uint16_t)audit_value(r, "ethertype"),
	                            .see = put_frame, .context = e };
	c->port[0] = (uint16_t)audit_value(r, "source_port");
	c->port[1] = (uint16_t)audit_value(r, "target_port");
	c->vlan[0] = (uint16_t)audit_value(r, "vlan");
	c->vlan[1] = (uint16_t)audit_value(r, "inner_vlan");
	c->family = strchr(audit_field(r, "target"), ':') ? 6 : 4;
	inet_pton(c->family == 6 ? AF_INET6 : AF_INET, audit_field(r, "source"), c->ip[0]);
	inet_pton(c->family == 6 ? AF_INET6 : AF_INET, audit_field(r, "target"), c->ip[1]);
	read_hex(audit_field(r, "source_mac"), c->mac[0], 6);
	read_hex(audit_field(r, "target_mac"), c->mac[1], 6);
	c->to_group = read_hex(audit_field(r, "destination_mac"), c->group, 6) == 6 && c->group[0] & 1;
	set_comment(e, "headers are rebuilt round the bytes of the audit; asked for by\n", audit_field(r, "approval"));
}

static void put_bytes(struct export *e, unsigned from, const char *hex, int64_t time_ns)
{
	static uint8_t bytes[1 << 17];
	size_t n = read_hex(hex, bytes, sizeof bytes);

	if (!e->started)
		rebuild_start(&e->talk, time_ns);
	e->started = true;
	rebuild_bytes(&e->talk, from, bytes, n, time_ns);
}

/* What was about to be sent is written when its time is known, or when the next record shows that it never will be. */
static void put_question(struct export *e, long long at_ns, const char *what)
{
	if (!e->question)
		return;
	if (!e->started) {
		rebuild_start(&e->talk, at_ns ? at_ns : e->question_ns);
		e->started = true;
	}
	set_comment(e, what, e->step);
	put_bytes(e, 0, e->question, at_ns ? at_ns : e->question_ns);
	free(e->question);
	e->question = NULL;
}

static void see_record(void *context, const char *line, const struct json_t *r)
{
	struct export *e = context;
	const char *type = audit_field(r, "type");

	(void)line;
	if (strcmp(type, "sent") == 0 && audit_value(r, "run") == e->run) {
		put_question(e, audit_value(r, "at_ns"), "step: ");
		return;
	}
	put_question(e, 0, "it is not known whether this was sent; step: ");
	if (strcmp(type, "planned") == 0)
		begin_run(e, r);
	if (!e->run || audit_value(r, "run") != e->run)
		return;
	if (strcmp(type, "sending") == 0) {
		e->question = strdup(audit_field(r, "bytes"));
		e->question_ns = audit_value(r, "time_ns");
		snprintf(e->step, sizeof e->step, "%s", audit_field(r, "step"));
	} else if (strcmp(type, "received") == 0) {
		if (audit_value(r, "from_port"))
			e->talk.port[1] = (uint16_t)audit_value(r, "from_port");
		read_hex(audit_field(r, "from_mac"), e->talk.mac[1], 6);
		put_bytes(e, 1, audit_field(r, "bytes"), audit_value(r, "at_ns"));
	} else if (strcmp(type, "ended") == 0) {
		if (e->started) {
			set_comment(e, "end: ", audit_field(r, "end"));
			rebuild_end(&e->talk, audit_value(r, "time_ns"));
		}
		e->run = 0;
	}
}

bool audit_export(const char *state, const char *approval_id, FILE *to, unsigned *runs, char why[CONFIG_PATH_BYTES * 2])
{
	struct export e = { .to = to, .id = approval_id };
	struct audit_reading r = { .see = see_record, .context = &e };
	bool good;

	snprintf(r.state, sizeof r.state, "%s", state);
	put_head(to);
	good = audit_read(&r);
	if (good)
		put_question(&e, 0, "it is not known whether this was sent; step: ");
	snprintf(why, CONFIG_PATH_BYTES * 2, "%s", good ? "the file can't be written" : r.why);
	free(e.comment);
	free(e.question);
	*runs = e.runs;
	return fflush(to) == 0 && !ferror(to) && good;
}
