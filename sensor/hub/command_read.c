/* From the JSON of a command to its fields, each checked. */
#include "sensor/hub/command_read.h"

#include "classifiers/finding/text.h"
#include "sensor/common/time_range.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { BODY_MOST = 4096 };

struct reading {
	json_t *body;
	size_t taken;      /* members that were understood */
	const char *wrong; /* the first that was not */
};

/* Copies a text; "" when it is absent or not fit to keep. */
static bool take_text(struct reading *r, const char *key, char *out, size_t room)
{
	const json_t *value = json_object_get(r->body, key);
	const char *text = json_string_value(value);

	if (!value)
		return false;
	r->taken++;
	if (!text || json_string_length(value) >= room || strlen(text) != json_string_length(value) || !text_is_clean(text, room)) {
		r->wrong = r->wrong ? r->wrong : key;
		return false;
	}
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool take_number(struct reading *r, const char *key, int64_t most, int64_t *number)
{
	const json_t *value = json_object_get(r->body, key);

	if (!value)
		return false;
	r->taken++;
	*number = json_integer_value(value);
	if (json_is_integer(value) && *number >= 0 && *number <= most)
		return true;
	r->wrong = r->wrong ? r->wrong : key;
	return false;
}

static bool take_signature(struct reading *r, uint8_t out[APPROVAL_SIGNATURE_BYTES])
{
	char text[96] = "";
	size_t n = 0;

	if (!take_text(r, "signature", text, sizeof text))
		return false;
	if (sodium_base642bin(out, APPROVAL_SIGNATURE_BYTES, text, strlen(text), NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    n == APPROVAL_SIGNATURE_BYTES)
		return true;
	r->wrong = r->wrong ? r->wrong : "signature";
	return false;
}

static void read_approve(struct reading *r, struct command_read *c)
{
	int64_t uses = 0;

	c->approves = true;
	if (!take_text(r, "id", c->id, sizeof c->id) || !take_text(r, "analyst", c->analyst, sizeof c->analyst) ||
	    !take_number(r, "not_before", TIME_MOST_S, &c->not_before_s) || !take_number(r, "not_after", TIME_MOST_S, &c->not_after_s) ||
	    !take_number(r, "uses", APPROVAL_USES, &uses) || !take_signature(r, c->signature))
		r->wrong = r->wrong ? r->wrong : "a member that is missing";
	c->uses = (uint8_t)uses;
}

/* The member that names what a command is about; NULL when it is about the whole sensor. */
static const char *subject_key(enum command_type t)
{
	if (t == COMMAND_STOP || t == COMMAND_RESUME)
		return NULL;
	if (t == COMMAND_UNDO)
		return "fact";
	return t == COMMAND_RELEASE || command_is_fact(t) ? "asset" : "id";
}

static void read_other(struct reading *r, struct command_read *c, const char *sensor)
{
	struct command *k = &c->command;
	const char *key = subject_key((enum command_type)k->type);

	snprintf(k->sensor, sizeof k->sensor, "%s", sensor);
	if (key) {
		take_text(r, key, c->id, sizeof c->id);
		memcpy(k->subject, c->id, sizeof k->subject);
	}
	if (command_is_fact((enum command_type)k->type)) {
		take_text(r, "attribute", k->attribute, sizeof k->attribute);
		take_text(r, "of", k->path, sizeof k->path);
		take_text(r, "value", k->value, sizeof k->value);
	}
	take_text(r, "why", k->why, sizeof k->why);
	take_text(r, "analyst", c->analyst, sizeof c->analyst);
	memcpy(k->signature.analyst, c->analyst, sizeof k->signature.analyst);
	take_number(r, "time_ms", TIME_MOST_MS, &k->time_ms);
	take_signature(r, k->signature.bytes);
	/* Who says nothing of himself may stop, and nothing else. */
	if (!c->analyst[0] && (k->type != COMMAND_STOP || r->taken != 1))
		r->wrong = r->wrong ? r->wrong : "analyst";
	else if (c->analyst[0] && !command_valid(k))
		r->wrong = r->wrong ? r->wrong : "a member that is missing or out of its range";
}

bool command_read(struct command_read *c, const char *sensor, const char *body, size_t len, char *why, size_t room)
{
	struct reading r = { NULL, 0, NULL };
	json_error_t error;

	memset(c, 0, sizeof *c);
	if (len > BODY_MOST) {
		snprintf(why, room, "the command is longer than %d bytes", BODY_MOST);
		return false;
	}
	r.body = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(r.body)) {
		snprintf(why, room, "the command is no JSON object");
		json_decref(r.body);
		return false;
	}
	take_text(&r, "command", c->name, sizeof c->name);
	c->command.type = (uint8_t)command_of_name(c->name);
	if (strcmp(c->name, "approve") == 0)
		read_approve(&r, c);
	else if (c->command.type != COMMAND_NONE)
		read_other(&r, c, sensor);
	else
		r.wrong = "command";
	if (!r.wrong && r.taken != json_object_size(r.body))
		r.wrong = "a member that is not known";
	json_decref(r.body);
	if (r.wrong)
		snprintf(why, room, "the command can't be read: %s", r.wrong);
	return !r.wrong;
}
