/* askance set, merge, split, accept, ignore, undo, facts: what analysts state of devices. */
#include "sensor/ctl/asset_list.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/inventory.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/signed_command.h"
#include "sensor/ctl/table.h"
#include "sensor/ctl/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ID_BYTES = 32, CELL_BYTES = 512 };

struct request {
	struct signed_command said;
	const char *asset, *second, *third; /* words as they were given */
};

#define ASSET_WORD OPTION_WORD(struct request, asset, "ASSET", "an IP or MAC address, a host name or an id")
#define COMMON OPTION_GROUP(struct request, said, signed_command_options), OPTION_END

static const struct verb_option of_asset[] = { ASSET_WORD, COMMON };
static const struct verb_option of_set[] = {
	ASSET_WORD,
	OPTION_WORD(struct request, second, "ATTRIBUTE",
		    "vendor, product, order_code, firmware, hardware, serial, software, os, name, hostname, location, contact, description, "
		    "role or device_class"),
	OPTION_WORD(struct request, third, "VALUE", "what it is"),
	OPTION_COPY(struct request, said.command.path, 0, "of", "PATH", "a sub-asset of it, as `askance show` names it"),
	COMMON,
};
static const struct verb_option of_merge[] = {
	ASSET_WORD,
	OPTION_WORD(struct request, second, "ASSET", "the other one"),
	COMMON,
};
static const struct verb_option of_split[] = {
	ASSET_WORD,
	OPTION_WORD(struct request, second, "ADDRESS", "that of its IP or MAC addresses which is a device of its own"),
	COMMON,
};
static const struct verb_option of_undo[] = {
	OPTION_WORD(struct request, second, "FACT", "its number; `askance facts` lists them"),
	COMMON,
};

/* Gives the id of the one asset that a word means. */
static bool find_asset(const struct asset_list *list, const char *key, const char *verb, char *id, size_t room)
{
	size_t found = 0;

	for (size_t i = 0; i < list->count; i++) {
		const json_t *asset = json_object_get(json_object_get(list->items[i].document, "ot"), "asset");

		if (inventory_matches(list->items[i].document, key) && found++ == 0)
			snprintf(id, room, "%s", words_text(asset, "id"));
	}
	if (found == 1)
		return true;
	if (found == 0)
		fprintf(stderr, "askance %s: no asset has the address, name or id '%s'\n", verb, key);
	else
		fprintf(stderr, "askance %s: %zu assets are called '%s'; name one by its id, as `askance show %s` tells\n", verb, found, key, key);
	return false;
}

static bool copy_value(struct signed_command *s, const char *value)
{
	if ((size_t)snprintf(s->command.value, sizeof s->command.value, "%s", value) < sizeof s->command.value)
		return true;
	fprintf(stderr, "askance %s: a value is at most %zu bytes long\n", s->link.verb, sizeof s->command.value - 1);
	return false;
}

/* What the words name, as the command says it. */
static bool fill(struct request *q)
{
	struct command *c = &q->said.command;
	const char *verb = q->said.link.verb;
	struct asset_list list;
	bool found;

	if (c->type == COMMAND_UNDO) {
		snprintf(c->subject, sizeof c->subject, "%s", q->second);
		return true;
	}
	if (asset_list_fetch(&list, &q->said.link) < 0)
		return false;
	found = find_asset(&list, q->asset, verb, c->subject, sizeof c->subject);
	if (found && c->type == COMMAND_MERGE)
		found = find_asset(&list, q->second, verb, c->value, sizeof c->value);
	asset_list_free(&list);
	if (found && c->type == COMMAND_SET) {
		snprintf(c->attribute, sizeof c->attribute, "%s", q->second);
		return copy_value(&q->said, q->third);
	}
	return found && (c->type != COMMAND_SPLIT || copy_value(&q->said, q->second));
}

static int state(enum command_type type, const struct verb_option *options, int argc, char **argv)
{
	struct request q = { .said = { .command = { .type = (uint8_t)type }, .link = { .verb = argv[0] }, .rules = { .verb = argv[0] },
				       .signer = { .verb = argv[0] } } };
	int result = EXIT_NOTHING;

	if (!options_take(options, &q, argc, argv) || sensor_link_open(&q.said.link) < 0)
		return EXIT_NOTHING;
	if (fill(&q))
		result = signed_command_send(&q.said);
	sensor_link_close(&q.said.link);
	return result;
}

static int run_set(int argc, char **argv)
{
	return state(COMMAND_SET, of_set, argc, argv);
}

static int run_merge(int argc, char **argv)
{
	return state(COMMAND_MERGE, of_merge, argc, argv);
}

static int run_split(int argc, char **argv)
{
	return state(COMMAND_SPLIT, of_split, argc, argv);
}

static int run_accept(int argc, char **argv)
{
	return state(COMMAND_ACCEPT, of_asset, argc, argv);
}

static int run_ignore(int argc, char **argv)
{
	return state(COMMAND_IGNORE, of_asset, argc, argv);
}

static int run_undo(int argc, char **argv)
{
	return state(COMMAND_UNDO, of_undo, argc, argv);
}

/* The list */

struct listing {
	struct sensor_link link;
	const char *asset;
	bool json;
};

static const struct verb_option of_facts[] = {
	OPTION_MAYBE_WORD(struct listing, asset, "ASSET", "those of this device alone: an IP or MAC address, a host name or an id"),
	OPTION_FLAG(struct listing, json, 0, "json", "one JSON document for each, with its asset"),
	OPTION_GROUP(struct listing, link, sensor_link_options),
	OPTION_END,
};

static void add_facts(struct table *t, const json_t *document, bool as_json)
{
	const json_t *ot = json_object_get(document, "ot"), *fact;
	char address[CELL_BYTES], number[ID_BYTES], what[CELL_BYTES];
	size_t i;

	words_address(ot, address, sizeof address);
	json_array_foreach(json_object_get(ot, "facts"), i, fact) {
		const char *cells[] = { number, address, what, words_text(fact, "value"), words_text(fact, "analyst"),
					words_text(fact, "time"), words_text(fact, "why") };

		if (as_json) {
			json_t *line = json_pack("{s:O,s:O}", "asset", json_object_get(ot, "asset"), "fact", fact);

			json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
			putchar('\n');
			json_decref(line);
			continue;
		}
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(fact, "id")));
		snprintf(what, sizeof what, "%s %s%s%s", words_text(fact, "kind"), words_text(fact, "name"),
			 words_text(fact, "subject")[0] ? " of " : "", words_text(fact, "subject"));
		table_row(t, cells);
	}
}

static int run_facts(int argc, char **argv)
{
	static const char *const headers[] = { "FACT", "DEVICE", "WHAT", "VALUE", "ANALYST", "TIME", "WHY", NULL };
	struct listing q = { .link = { .verb = "facts" } };
	struct asset_list list = { .count = 0 };
	struct table t;
	int result;

	if (!options_take(of_facts, &q, argc, argv) || sensor_link_open(&q.link) < 0)
		return EXIT_NOTHING;
	result = asset_list_fetch(&list, &q.link);
	sensor_link_close(&q.link);
	if (result < 0)
		return EXIT_NOTHING;
	table_start(&t, headers);
	for (size_t i = 0; i < list.count; i++)
		if (!q.asset || inventory_matches(list.items[i].document, q.asset))
			add_facts(&t, list.items[i].document, q.json);
	if (!q.json && t.rows)
		table_print(&t, stdout, terminal_width(STDOUT_FILENO), terminal_colours(STDOUT_FILENO));
	else if (!q.json)
		puts("no facts are stated");
	table_free(&t);
	asset_list_free(&list);
	return output_end("facts", EXIT_WELL);
}

#define BESIDE "What was heard stays beside it. The sensor records who said it, when and why; `askance undo` takes it back.\n"

const struct verb verb_set = {
	.name = "set",
	.summary = "state, or correct, what a device is",
	.options = of_set,
	.help = "The value stands before whatever is heard, and is never overwritten by it. " BESIDE
		"A class can forbid a probe, and never allow one that the device's own word forbids.\n",
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_set,
};

const struct verb verb_merge = {
	.name = "merge",
	.summary = "state that two assets are one device",
	.options = of_merge,
	.help = "The elder one's id stays. " BESIDE,
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_merge,
};

const struct verb verb_split = {
	.name = "split",
	.summary = "state that an address of an asset is a device of its own",
	.options = of_split,
	.help = "It stays apart whatever is heard of its MAC, and is not asked anything. " BESIDE,
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_split,
};

const struct verb verb_accept = {
	.name = "accept",
	.summary = "state that a device belongs here",
	.options = of_asset,
	.help = "Its documents say `standing: accepted`, so that a SIEM can tell it from those nobody has looked at. " BESIDE,
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_accept,
};

const struct verb verb_ignore = {
	.name = "ignore",
	.summary = "state that a device is nobody's business: it is never asked anything",
	.options = of_asset,
	.help = "It is still heard and told. " BESIDE,
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_ignore,
};

const struct verb verb_undo = {
	.name = "undo",
	.summary = "take back a fact that an analyst stated",
	.options = of_undo,
	.help = "What was heard counts again. The record of it stays.\n",
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_undo,
};

const struct verb verb_facts = {
	.name = "facts",
	.summary = "list what analysts stated of devices",
	.options = of_facts,
	.exits = { "printed", NULL, "nothing could be done" },
	.run = run_facts,
};
