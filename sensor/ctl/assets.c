/* askance assets, show, gaps: the picture of a running sensor, from its Redis. */
#include "sensor/ctl/asset_list.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/inventory.h"
#include "sensor/ctl/terminal.h"
#include "sensor/ctl/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
	struct sensor_link link;
	bool json, proposed;
	const char *key;
};

/* False after a message. `keys`: how many words beside options the verb takes. */
static bool take_words(struct request *q, int argc, char **argv, bool wants_key, bool knows_proposed)
{
	q->link.verb = argv[0];
	for (int i = 1; i < argc; i++) {
		int taken = sensor_link_option(&q->link, argc, argv, &i);

		if (taken < 0)
			return false;
		if (taken)
			continue;
		if (strcmp(argv[i], "--json") == 0) {
			q->json = true;
		} else if (knows_proposed && strcmp(argv[i], "--proposed") == 0) {
			q->proposed = true;
		} else if (argv[i][0] != '-' && wants_key && !q->key) {
			q->key = argv[i];
		} else {
			fprintf(stderr, "askance %s: '%s' is not understood; `askance %s --help` tells what is\n", argv[0], argv[i], argv[0]);
			return false;
		}
	}
	if (!wants_key || q->key)
		return true;
	fprintf(stderr, "askance %s: which asset? Name an address, a name or an id\n", argv[0]);
	return false;
}

static int end_output(const char *verb, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno != EPIPE)
		fprintf(stderr, "askance %s: stdout: %s\n", verb, strerror(errno));
	return EXIT_PARTLY;
}

static int fetch(struct request *q, struct asset_list *list)
{
	int result = sensor_link_open(&q->link) < 0 ? -1 : asset_list_fetch(list, &q->link);

	sensor_link_close(&q->link);
	return result;
}

static int run_assets(int argc, char **argv)
{
	struct request q = { .json = false };
	struct asset_list list = { .count = 0 };
	struct inventory inventory;

	if (!take_words(&q, argc, argv, false, false) || fetch(&q, &list) < 0)
		return EXIT_NOTHING;
	inventory_start(&inventory);
	for (size_t i = 0; i < list.count; i++) {
		if (q.json)
			puts(list.items[i].body);
		else
			inventory_add(&inventory, list.items[i].document);
	}
	if (!q.json)
		inventory_print_assets(&inventory, stdout, terminal_width(STDOUT_FILENO), terminal_colours(STDOUT_FILENO));
	inventory_free(&inventory);
	asset_list_free(&list);
	return end_output("assets", EXIT_WELL);
}

static int run_show(int argc, char **argv)
{
	struct request q = { .json = false };
	struct asset_list list = { .count = 0 };
	size_t shown = 0;

	if (!take_words(&q, argc, argv, true, false) || fetch(&q, &list) < 0)
		return EXIT_NOTHING;
	for (size_t i = 0; i < list.count; i++) {
		if (!inventory_matches(list.items[i].document, q.key))
			continue;
		if (shown++ && !q.json)
			putchar('\n');
		if (q.json)
			puts(list.items[i].body);
		else
			inventory_show(list.items[i].document, stdout, terminal_width(STDOUT_FILENO), terminal_colours(STDOUT_FILENO));
	}
	asset_list_free(&list);
	if (shown == 0) {
		fprintf(stderr, "askance show: no asset has the address, name or id '%s'\n", q.key);
		return EXIT_NOTHING;
	}
	return end_output("show", EXIT_WELL);
}

/* One line of JSON for each gap, with the asset it is of. */
static void print_gaps_json(const json_t *document, bool proposed)
{
	const json_t *ot = json_object_get(document, "ot"), *gap;
	size_t i;

	json_array_foreach(json_object_get(ot, "gaps"), i, gap) {
		json_t *line;

		if (proposed && strcmp(words_text(gap, "verdict"), "proposed") != 0)
			continue;
		line = json_pack("{s:O,s:O}", "asset", json_object_get(ot, "asset"), "gap", gap);
		if (line) {
			json_dumpf(line, stdout, JSON_COMPACT);
			putchar('\n');
		}
		json_decref(line);
	}
}

static int run_gaps(int argc, char **argv)
{
	struct request q = { .json = false };
	struct asset_list list = { .count = 0 };
	struct inventory inventory;

	if (!take_words(&q, argc, argv, false, true) || fetch(&q, &list) < 0)
		return EXIT_NOTHING;
	inventory_start(&inventory);
	inventory.only_proposed = q.proposed;
	for (size_t i = 0; i < list.count; i++) {
		if (q.json)
			print_gaps_json(list.items[i].document, q.proposed);
		else
			inventory_add(&inventory, list.items[i].document);
	}
	if (!q.json)
		inventory_print_gaps(&inventory, stdout, terminal_width(STDOUT_FILENO), terminal_colours(STDOUT_FILENO));
	inventory_free(&inventory);
	asset_list_free(&list);
	return end_output("gaps", EXIT_WELL);
}

const struct verb verb_assets = {
	.name = "assets",
	.usage = "[--json] [--config FILE | --redis URL --sensor NAME]",
	.summary = "lists the devices that a running sensor knows",
	.help = "      --json          one JSON document a line for each asset\n" SENSOR_LINK_HELP
		"\nExit status: 0, or 2 when the sensor's Redis can't be reached.\n",
	.run = run_assets,
};

const struct verb verb_show = {
	.name = "show",
	.usage = "[--json] ASSET [--config FILE | --redis URL --sensor NAME]",
	.summary = "shows everything that is known of one device, and from where",
	.help = "ASSET is an IP or MAC address, a host name or an id.\n\n"
		"      --json          its JSON document\n" SENSOR_LINK_HELP
		"\nExit status: 0, or 2 when there is no such asset or Redis can't be reached.\n",
	.run = run_show,
};

const struct verb verb_gaps = {
	.name = "gaps",
	.usage = "[--json] [--proposed] [--config FILE | --redis URL --sensor NAME]",
	.summary = "lists what is not known of the devices, and what could fill it",
	.help = "      --proposed      only those that a probe could fill\n"
		"      --json          one JSON document a line for each gap\n" SENSOR_LINK_HELP
		"\nExit status: 0, or 2 when the sensor's Redis can't be reached.\n",
	.run = run_gaps,
};
