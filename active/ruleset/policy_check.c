/* Checks windows, budgets and analysts: times and time zones, limits that make sense, keys that are keys. */
#include "active/ruleset/policy_check.h"

#include "active/ruleset/timezone.h"

#include <sodium.h>
#include <string.h>

enum { MINUTES_OF_DAY = 24 * 60 };

int policy_minutes(const char *text)
{
	static const char digits[] = "0123456789";
	int hours, minutes;

	if (strlen(text) != 5 || strspn(text, digits) != 2 || text[2] != ':' || strspn(text + 3, digits) != 2)
		return -1;
	hours = (text[0] - '0') * 10 + text[1] - '0';
	minutes = (text[3] - '0') * 10 + text[4] - '0';
	return minutes > 59 || hours * 60 + minutes > MINUTES_OF_DAY ? -1 : hours * 60 + minutes;
}

static bool is_timezone(const char *name)
{
	struct timezone_data *z = timezone_load(name);

	timezone_free(z);
	return z != NULL;
}

void policy_check_windows(const struct yaml_file *file, const struct windows_file *w, struct mistakes *m)
{
	const char *path = yaml_file_path(file);

	for (size_t i = 0; i < w->windows_count; i++) {
		const struct window_file *window = &w->windows[i];
		int from = policy_minutes(window->from), to = policy_minutes(window->to);

		if (from < 0 || from == MINUTES_OF_DAY)
			mistake_at(m, path, yaml_file_line(file, "windows[%zu].from", i), "'%s' is no time; write \"22:30\"",
				   window->from);
		if (to < 0)
			mistake_at(m, path, yaml_file_line(file, "windows[%zu].to", i), "'%s' is no time; write \"22:30\"",
				   window->to);
		else if (to == from)
			mistake_at(m, path, yaml_file_line(file, "windows[%zu].to", i),
				   "the window ends when it begins; a whole day is \"00:00\" to \"24:00\"");
		if (window->days == 0)
			mistake_at(m, path, yaml_file_line(file, "windows[%zu].days", i), "no day is named");
		if (!is_timezone(window->timezone))
			mistake_at(m, path, yaml_file_line(file, "windows[%zu].timezone", i),
				   "'%s' is no time zone of this machine (/usr/share/zoneinfo)", window->timezone);
		for (size_t n = 0; n < i; n++)
			if (strcmp(w->windows[n].name, window->name) == 0)
				mistake_at(m, path, yaml_file_line(file, "windows[%zu].name", i), "two windows are named '%s'",
					   window->name);
	}
}

/* A part may not be given more than the whole. */
static void compare_budgets(const struct yaml_file *file, const char *part, const struct policy_budget *a, const char *whole,
			    const struct policy_budget *b, struct mistakes *m)
{
	const struct {
		const char *name;
		uint32_t part, whole;
	} limits[] = {
		{ "packets_a_minute", a->packets_a_minute, b->packets_a_minute },
		{ "bytes_a_minute", a->bytes_a_minute, b->bytes_a_minute },
		{ "connections_a_minute", a->connections_a_minute, b->connections_a_minute },
		{ "packets_a_day", a->packets_a_day, b->packets_a_day },
		{ "bytes_a_day", a->bytes_a_day, b->bytes_a_day },
		{ "connections_a_day", a->connections_a_day, b->connections_a_day },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].part > limits[i].whole)
			mistake_at(m, yaml_file_path(file), yaml_file_line(file, "%s.%s", part, limits[i].name),
				   "%s.%s (%u) is more than %s.%s (%u)", part, limits[i].name, limits[i].part, whole,
				   limits[i].name, limits[i].whole);
}

static void check_day(const struct yaml_file *file, const char *name, const struct policy_budget *b, struct mistakes *m)
{
	if (b->packets_a_minute > b->packets_a_day || b->bytes_a_minute > b->bytes_a_day ||
	    b->connections_a_minute > b->connections_a_day)
		mistake_at(m, yaml_file_path(file), yaml_file_line(file, "%s", name), "%s: a minute's limit is above the day's",
			   name);
}

void policy_check_budgets(const struct yaml_file *file, const struct policy_budgets *b, struct mistakes *m)
{
	check_day(file, "target", &b->target, m);
	check_day(file, "zone", &b->zone, m);
	check_day(file, "sensor", &b->sensor, m);
	compare_budgets(file, "target", &b->target, "zone", &b->zone, m);
	compare_budgets(file, "zone", &b->zone, "sensor", &b->sensor, m);
	if (b->targets_at_once == 0)
		mistake_at(m, yaml_file_path(file), yaml_file_line(file, "targets_at_once"), "0 targets at once are none; write 1");
	if (b->failures_to_stop == 0)
		mistake_at(m, yaml_file_path(file), yaml_file_line(file, "failures_to_stop"),
			   "0 failures would stop before the first run; write 1");
}

static bool is_key(const char *text)
{
	unsigned char key[crypto_sign_PUBLICKEYBYTES] = { 0 };
	size_t n = 0;

	return sodium_base642bin(key, sizeof(key), text, strlen(text), NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       n == sizeof(key) && crypto_core_ed25519_is_valid_point(key) == 1;
}

void policy_check_analysts(const struct yaml_file *file, const struct analysts_file *a, struct mistakes *m)
{
	const char *path = yaml_file_path(file);

	for (size_t i = 0; i < a->analysts_count; i++) {
		const struct analyst_file *one = &a->analysts[i];

		if (!is_key(one->key))
			mistake_at(m, path, yaml_file_line(file, "analysts[%zu].key", i),
				   "the key of '%s' is no Ed25519 public key in base64", one->name);
		/* Two names with one key would be two signatures of one person. */
		for (size_t n = 0; n < i; n++)
			if (strcmp(a->analysts[n].key, one->key) == 0 || strcmp(a->analysts[n].name, one->name) == 0)
				mistake_at(m, path, yaml_file_line(file, "analysts[%zu]", i),
					   "'%s' shares name or key with '%s'; each analyst has their own", one->name,
					   a->analysts[n].name);
	}
}
