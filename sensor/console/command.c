/* Looks at a command before it is handed on: what could only be refused does not reach the sensor. */
#include "sensor/console/command.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MOST = 511, SIGNATURE_DIGITS = 88 };

enum member { MEMBER_TEXT, MEMBER_NUMBER, MEMBER_SIGNATURE };

static const struct {
	const char *name;
	enum member member;
} members[] = {
	{ "command", MEMBER_TEXT },      { "id", MEMBER_TEXT },          { "asset", MEMBER_TEXT },     { "analyst", MEMBER_TEXT },
	{ "why", MEMBER_TEXT },          { "not_before", MEMBER_NUMBER }, { "not_after", MEMBER_NUMBER }, { "uses", MEMBER_NUMBER },
	{ "time_ms", MEMBER_NUMBER },    { "signature", MEMBER_SIGNATURE }, { "attribute", MEMBER_TEXT }, { "of", MEMBER_TEXT },
	{ "value", MEMBER_TEXT },        { "fact", MEMBER_TEXT },
};

/* What must be there, and what may. A stop alone needs no signature: it harms nobody. */
static const struct {
	const char *name, *must, *may;
} commands[] = {
	{ "approve", "id analyst not_before not_after uses signature", "" },
	{ "deny", "id analyst time_ms signature", "why" },
	{ "revoke", "id analyst time_ms signature", "why" },
	{ "release", "asset analyst time_ms signature", "why" },
	{ "resume", "analyst time_ms signature", "why" },
	{ "set", "asset attribute value analyst time_ms signature", "of why" },
	{ "merge", "asset value analyst time_ms signature", "why" },
	{ "split", "asset value analyst time_ms signature", "why" },
	{ "accept", "asset analyst time_ms signature", "why" },
	{ "ignore", "asset analyst time_ms signature", "why" },
	{ "undo", "fact analyst time_ms signature", "why" },
	{ "stop", "", "" },
	{ "stop", "analyst time_ms signature", "why" },
};

__attribute__((format(printf, 2, 3)))
static bool refuse(char why[COMMAND_WHY_NOT_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, COMMAND_WHY_NOT_BYTES, format, args);
	va_end(args);
	return false;
}

static bool is_signature(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strspn(text, digits);

	return n == SIGNATURE_DIGITS - 2 && strcmp(text + n, "==") == 0;
}

static bool is_of_type(enum member m, const json_t *value)
{
	if (m == MEMBER_NUMBER)
		return json_is_integer(value) && json_integer_value(value) >= 0;
	if (!json_is_string(value) || json_string_length(value) > TEXT_MOST || strlen(json_string_value(value)) != json_string_length(value))
		return false;
	return m == MEMBER_TEXT || is_signature(json_string_value(value));
}

static bool check_members(const json_t *body, char why[COMMAND_WHY_NOT_BYTES])
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(size_t)body, key, value) {
		size_t i = 0;

		while (i < sizeof members / sizeof *members && strcmp(members[i].name, key) != 0)
			i++;
		if (i == sizeof members / sizeof *members)
			return refuse(why, "a command has no member '%.32s'", key);
		if (!is_of_type(members[i].member, value))
			return refuse(why, "'%s' is not of its form", key);
	}
	return true;
}

/* True when the word stands in a list parted by blanks. */
static bool holds(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == 0))
			return true;
	return false;
}

/* All that must be there is, and nothing that may not. */
static bool fits(const json_t *body, const char *must, const char *may)
{
	size_t wanted = 1;

	for (size_t i = 1; i < sizeof members / sizeof *members; i++) {
		bool there = json_object_get(body, members[i].name) != NULL;

		if (holds(must, members[i].name) ? !there : there && !holds(may, members[i].name))
			return false;
		wanted += there;
	}
	return wanted == json_object_size(body);
}

static bool check_command(const json_t *body, char why[COMMAND_WHY_NOT_BYTES])
{
	const char *name = json_string_value(json_object_get(body, "command"));
	bool known = false;

	if (!name)
		return refuse(why, "'command' is missing");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		known = true;
		if (fits(body, commands[i].must, commands[i].may))
			return true;
	}
	return known ? refuse(why, "'%s' lacks a member, or has one too many", name) : refuse(why, "there is no command '%.32s'", name);
}

/* Only what can't spoil a line of the log. */
static void put_note(const json_t *body, char *note, size_t room)
{
	const char *id = json_string_value(json_object_get(body, "id"));
	size_t n = id ? strspn(id, "0123456789abcdef") : 0;

	snprintf(note, room, "%s%s%.*s", json_string_value(json_object_get(body, "command")), n ? " " : "", n < 32 ? (int)n : 32, n ? id : "");
}

bool command_shape(const char *body, size_t len, char *note, size_t room, char why[COMMAND_WHY_NOT_BYTES])
{
	json_error_t error;
	json_t *command = json_loadb(body ? body : "", len, JSON_REJECT_DUPLICATES, &error);
	bool well = false;

	if (!json_is_object(command))
		refuse(why, "a command is a JSON object: %.80s", command ? "this is none" : error.text);
	else
		well = check_members(command, why) && check_command(command, why);
	if (well)
		put_note(command, note, room);
	json_decref(command);
	return well;
}
