/* The steps of a rule: their bytes, how often they go, and how their replies are told. */
#include "active/ruleset/build.h"

#include <string.h>

enum { REPLY_BYTES_MOST = 65536, PAUSE_MS_MOST = 60000 };

static int hole_index(const struct building *b, const char *name)
{
	for (size_t i = 0; i < b->raw->holes_count; i++)
		if (strcmp(b->holes[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool read_template(struct building *b, size_t i, const char *key, const char *text, struct template *t)
{
	struct template_error error;

	if (template_read(t, text, strcmp(key, "send") != 0, b->holes, b->raw->holes_count, &error))
		return true;
	wrong(b, line_in(b, "steps[%zu].%s", i, key) + error.line, "step '%s': %s", b->raw->steps[i].name, error.why);
	b->unread = true;
	return false;
}

/* Keys of `reply` that the way of its end does not know. */
static void check_reply_keys(const struct building *b, size_t i, const struct reply_file *raw)
{
	bool length = raw->ends == REPLY_LENGTH;
	uint32_t line = line_in(b, "steps[%zu].reply", i);
	const char *step = b->raw->steps[i].name;

	if (length && (!raw->offset || (raw->width != 1 && raw->width != 2 && raw->width != 4) ||
		       (raw->width > 1 && raw->order == ORDER_NONE)))
		wrong(b, line, "step '%s': a reply that ends by length needs offset, width (1, 2 or 4) and order", step);
	if (!length && (raw->offset || raw->width || raw->order || raw->add))
		wrong(b, line, "step '%s': offset, width, order and add belong to a reply that ends by length", step);
	if ((raw->ends == REPLY_DELIMITER) != (raw->bytes != NULL))
		wrong(b, line, "step '%s': bytes belong to a reply that ends by delimiter, which needs them", step);
	if ((raw->ends == REPLY_IDLE) != (raw->idle_ms != 0))
		wrong(b, line, "step '%s': idle_ms belongs to a reply that ends idle, which needs it", step);
	if (raw->idle_ms > b->raw->timeout_ms)
		wrong(b, line, "step '%s': idle_ms is longer than timeout_ms", step);
	if (b->raw->transport == TRANSPORT_TCP ? raw->ends == REPLY_DATAGRAM
					       : raw->ends != REPLY_DATAGRAM && raw->ends != REPLY_IDLE)
		wrong(b, line, "step '%s': over tcp a reply ends by anything but datagram, elsewhere by datagram or idle", step);
	if (raw->otherwise == OTHERWISE_WAIT && !raw->begins)
		wrong(b, line, "step '%s': otherwise: wait needs begins, to know what is waited for", step);
	if (raw->at_most == 0 || raw->at_most > REPLY_BYTES_MOST)
		wrong(b, line, "step '%s': at_most is 1 to %d bytes", step, REPLY_BYTES_MOST);
}

static void build_delimiter(const struct building *b, size_t i, const char *text, struct reply *reply)
{
	struct template t;
	struct template_error error;

	if (!template_read(&t, text, false, NULL, 0, &error))
		wrong(b, line_in(b, "steps[%zu].reply.bytes", i), "step '%s': %s", b->raw->steps[i].name, error.why);
	else if (t.count != 1 || t.parts[0].kind != PART_BYTES || t.bytes_used > DELIMITER_BYTES)
		wrong(b, line_in(b, "steps[%zu].reply.bytes", i), "step '%s': a delimiter is 1 to %d bytes",
		      b->raw->steps[i].name, DELIMITER_BYTES);
	else {
		memcpy(reply->delimiter, t.bytes, t.bytes_used);
		reply->delimiter_bytes = (uint8_t)t.bytes_used;
	}
}

static void build_reply(struct building *b, size_t i, struct reply *reply)
{
	const struct reply_file *raw = b->raw->steps[i].reply;

	*reply = (struct reply){ .ends = REPLY_NONE };
	if (!raw)
		return;
	check_reply_keys(b, i, raw);
	reply->ends = (uint8_t)raw->ends;
	reply->little = raw->order == ORDER_LITTLE;
	reply->width = raw->width;
	reply->offset = raw->offset ? *raw->offset : 0;
	reply->add = raw->add;
	reply->idle_ms = raw->idle_ms;
	reply->at_most = raw->at_most;
	reply->otherwise = (uint8_t)raw->otherwise;
	if (raw->bytes)
		build_delimiter(b, i, raw->bytes, reply);
	if (raw->begins && read_template(b, i, "reply.begins", raw->begins, &reply->begins) &&
	    template_longest(&reply->begins, b->holes) > raw->at_most)
		wrong(b, line_in(b, "steps[%zu].reply.begins", i), "step '%s': the beginning is longer than at_most",
		      b->raw->steps[i].name);
}

static void build_while(const struct building *b, size_t i, const struct while_file *raw, struct step *s)
{
	if (!raw)
		return;
	s->has_while = true;
	s->while_offset = raw->offset;
	s->while_byte = raw->is;
	if (i == 0 || !b->raw->steps[i - 1].reply)
		wrong(b, line_in(b, "steps[%zu].repeat.while", i), "step '%s': while looks at a reply, and none comes before it",
		      s->name);
}

static void build_over(const struct building *b, size_t i, const struct repeat_file *raw, struct step *s)
{
	int hole = raw->over ? hole_index(b, raw->over) : -1;
	uint32_t line = line_in(b, "steps[%zu].repeat.over", i);

	if (!raw->over)
		return;
	if (hole < 0) {
		wrong(b, line, "step '%s': hole '%s' is not declared", s->name, raw->over);
		return;
	}
	s->over = (uint8_t)hole;
	if (b->holes[hole].source == HOLE_LIST) {
		if (raw->at_most != b->holes[hole].values_count)
			wrong(b, line, "step '%s': at_most must be the number of values in the list (%u)", s->name,
			      b->holes[hole].values_count);
	} else if (b->holes[hole].source == HOLE_ORDER || b->holes[hole].source == HOLE_SEEN) {
		if (raw->at_most > HOLE_VALUES)
			wrong(b, line, "step '%s': no more than %d values can be ordered", s->name, HOLE_VALUES);
		if (b->rule->address && strcmp(b->rule->address, raw->over) != 0)
			wrong(b, line, "step '%s': two holes are swept; make two rules of it", s->name);
		b->rule->address = b->holes[hole].name;
		if (!raw->stop_after_silent)
			wrong(b, line, "step '%s': a sweep needs stop_after_silent, so that it ends where nothing answers", s->name);
	} else {
		wrong(b, line, "step '%s': only a hole by list, order or seen can be swept", s->name);
	}
}

static void build_repeat(const struct building *b, size_t i, struct step *s)
{
	const struct repeat_file *raw = b->raw->steps[i].repeat;

	s->rounds = 1;
	s->over = WHOLE_MESSAGE;
	if (!raw)
		return;
	s->rounds = raw->at_most;
	s->pause_ms = raw->pause_ms;
	s->stop_after_silent = raw->stop_after_silent;
	if (raw->at_most == 0 || raw->at_most > RULE_REPEATS)
		wrong(b, line_in(b, "steps[%zu].repeat.at_most", i), "step '%s': at_most is 1 to %d rounds", s->name,
		      RULE_REPEATS);
	if (raw->pause_ms > PAUSE_MS_MOST)
		wrong(b, line_in(b, "steps[%zu].repeat.pause_ms", i), "step '%s': pause_ms is at most %d", s->name,
		      PAUSE_MS_MOST);
	if (!raw->when == !raw->over)
		wrong(b, line_in(b, "steps[%zu].repeat", i), "step '%s': it is repeated either while or over something", s->name);
	build_while(b, i, raw->when, s);
	build_over(b, i, raw, s);
}

static void build_carries(const struct building *b, size_t i, struct step *s)
{
	const struct step_file *raw = &b->raw->steps[i];

	for (size_t n = 0; n < raw->carry_count; n++) {
		int hole = hole_index(b, raw->carry[n].hole);
		uint32_t line = line_in(b, "steps[%zu].carry[%zu]", i, n);

		if (!raw->reply)
			wrong(b, line, "step '%s': there is no reply to carry from", s->name);
		if (hole < 0 || b->holes[hole].source != HOLE_REPLY)
			wrong(b, line, "step '%s': hole '%s' is not declared with by: reply", s->name, raw->carry[n].hole);
		s->carries[n].hole = hole < 0 ? 0 : (uint8_t)hole;
		s->carries[n].offset = raw->carry[n].offset;
	}
	s->carries_count = (uint8_t)raw->carry_count;
}

static void build_step(struct building *b, size_t i)
{
	const struct step_file *raw = &b->raw->steps[i];
	struct step *s = &b->steps[i];

	trim_end(raw->says);
	*s = (struct step){
		.name = raw->name,
		.says = raw->says,
		.line = line_in(b, "steps[%zu]", i),
		.listens = raw->listen,
	};
	for (size_t n = 0; n < i; n++)
		if (strcmp(b->steps[n].name, raw->name) == 0)
			wrong(b, s->line, "two steps are named '%s'", raw->name);
	if (raw->listen == (raw->send != NULL))
		wrong(b, s->line, "step '%s' either has bytes to send or says listen: true", raw->name);
	if (raw->listen && (!raw->reply || (b->raw->transport != TRANSPORT_TCP && (b->raw->transport != TRANSPORT_UDP || i == 0))))
		wrong(b, s->line, "step '%s' listens: that needs a reply, and tcp or over udp a step before it", raw->name);
	if (raw->send)
		read_template(b, i, "send", raw->send, &s->send);
	build_reply(b, i, &s->reply);
	build_repeat(b, i, s);
	build_carries(b, i, s);
}

void build_steps(struct building *b)
{
	for (size_t i = 0; i < b->raw->steps_count; i++)
		build_step(b, i);
}
