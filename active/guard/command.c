/* The text of an analyst's command, and the check of its signature. */
#include "active/guard/command.h"

#include "classifiers/finding/text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TIME_BYTES = 32, DETAIL_BYTES = 40 + COMMAND_ATTRIBUTE_BYTES + FINDING_PATH_BYTES + FINDING_VALUE_BYTES };
/* A day of 2116, as in approval.c. */
#define TIME_MOST_MS INT64_C(4611686018427)

static const char *const names[COMMAND_TYPES] = {
	[COMMAND_DENY] = "deny",     [COMMAND_REVOKE] = "revoke",   [COMMAND_STOP] = "stop",
	[COMMAND_RESUME] = "resume", [COMMAND_RELEASE] = "release", [COMMAND_SET] = "set",
	[COMMAND_MERGE] = "merge",   [COMMAND_SPLIT] = "split",     [COMMAND_ACCEPT] = "accept",
	[COMMAND_IGNORE] = "ignore", [COMMAND_UNDO] = "undo",
};

const char *command_name(enum command_type t)
{
	return t < COMMAND_TYPES ? names[t] : NULL;
}

enum command_type command_of_name(const char *name)
{
	for (int t = 1; t < COMMAND_TYPES; t++)
		if (strcmp(names[t], name) == 0)
			return (enum command_type)t;
	return COMMAND_NONE;
}

/* Clean, with nothing hidden behind its end. */
static bool is_text(const char *text, size_t room)
{
	if (!text_is_clean(text, room))
		return false;
	for (size_t i = strlen(text); i < room; i++)
		if (text[i])
			return false;
	return true;
}

bool command_is_fact(enum command_type t)
{
	return t >= COMMAND_SET && t <= COMMAND_UNDO;
}

/* What a command needs is there, and what it does not need is not. */
static bool detail_fits(const struct command *c)
{
	bool sets = c->type == COMMAND_SET, has_value = sets || c->type == COMMAND_MERGE || c->type == COMMAND_SPLIT;

	return is_text(c->attribute, sizeof(c->attribute)) && is_text(c->path, sizeof(c->path)) && is_text(c->value, sizeof(c->value)) &&
	       !!c->attribute[0] == sets && !!c->value[0] == has_value && (sets || !c->path[0]);
}

bool command_valid(const struct command *c)
{
	bool names_something = c->type != COMMAND_STOP && c->type != COMMAND_RESUME;

	return c->type > COMMAND_NONE && c->type < COMMAND_TYPES && is_text(c->sensor, sizeof(c->sensor)) && c->sensor[0] &&
	       is_text(c->subject, sizeof(c->subject)) && !!c->subject[0] == names_something && is_text(c->why, sizeof(c->why)) &&
	       detail_fits(c) && c->time_ms >= 0 && c->time_ms <= TIME_MOST_MS && is_text(c->signature.analyst, sizeof(c->signature.analyst));
}

size_t command_text(const struct command *c, char out[COMMAND_TEXT_BYTES])
{
	time_t at = (time_t)(c->time_ms / 1000);
	char time_text[TIME_BYTES] = "", detail[DETAIL_BYTES] = "";
	struct tm utc;

	out[0] = '\0';
	if (!command_valid(c) || !gmtime_r(&at, &utc))
		return 0;
	strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%S", &utc);
	if (command_is_fact(c->type))
		snprintf(detail, sizeof(detail), "attribute: %s\nof: %s\nvalue: %s\n", c->attribute, c->path, c->value);
	return (size_t)snprintf(out, COMMAND_TEXT_BYTES, "askance command 1\ncommand: %s\nsensor: %s\nsubject: %s\n%swhy: %s\ntime: %s.%03dZ\n",
				names[c->type], c->sensor, c->subject, detail, c->why, time_text, (int)(c->time_ms % 1000));
}

bool command_verify(const struct command *c, const uint8_t key[32])
{
	char text[COMMAND_TEXT_BYTES];
	size_t len = command_text(c, text);

	return len && crypto_sign_verify_detached(c->signature.bytes, (const unsigned char *)text, len, key) == 0;
}
