/* Signs a command over its text and packs it as the sensor reads it. */
#include "sensor/ctl/signed_command.h"

#include "sensor/ctl/options.h"

#include <stdio.h>
#include <time.h>

const struct verb_option signed_command_options[] = {
	OPTION_COPY(struct signed_command, command.why, 0, "why", "TEXT", "the reason, for the record"),
	OPTION_GROUP(struct signed_command, signer, signer_options),
	OPTION_FLAG(struct signed_command, json, 0, "json", "the sensor's answer as one JSON document"),
	OPTION_GROUP(struct signed_command, rules, rules_load_options),
	OPTION_GROUP(struct signed_command, link, sensor_link_options),
	OPTION_END,
};

static void put_text(json_t *body, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(body, key, json_string(text));
}

static const char *subject_key(enum command_type t)
{
	if (t == COMMAND_UNDO)
		return "fact";
	return t == COMMAND_RELEASE || command_is_fact(t) ? "asset" : "id";
}

static json_t *sign(struct signed_command *s)
{
	struct command *c = &s->command;
	char text[COMMAND_TEXT_BYTES];
	struct timespec now;
	json_t *body;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	c->time_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
	snprintf(c->sensor, sizeof c->sensor, "%s", s->link.sensor);
	len = command_text(c, text);
	if (!len) {
		fprintf(stderr, "askance %s: what it says is empty, or holds control characters\n", s->link.verb);
		return NULL;
	}
	body = json_pack("{s:s,s:s,s:I,s:s}", "command", command_name((enum command_type)c->type), "analyst", s->signer.name,
			 "time_ms", (json_int_t)c->time_ms, "signature", signer_sign(&s->signer, text, len));
	if (!body)
		return NULL;
	put_text(body, "why", c->why);
	put_text(body, subject_key((enum command_type)c->type), c->subject);
	put_text(body, "attribute", c->attribute);
	put_text(body, "of", c->path);
	put_text(body, "value", c->value);
	return body;
}

int signed_command_send(struct signed_command *s)
{
	json_t *body = NULL;

	/* The policy only tells our name by our key; it may be missing here. */
	if (!s->signer.name[0])
		rules_load_open(&s->rules, true);
	if (signer_open(&s->signer, s->rules.policy))
		body = sign(s);
	signer_close(&s->signer);
	rules_load_close(&s->rules);
	return body ? command_send(&s->link, body, s->link.verb, s->command.subject, s->json) : EXIT_NOTHING;
}
