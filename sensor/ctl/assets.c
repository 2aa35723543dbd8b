/* askance assets, show, gaps: the picture of a running sensor, from its Redis. */
#include "sensor/ctl/asset_list.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/inventory.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
	struct sensor_link link;
	bool json, proposed;
	const char *key;
};

static const struct verb_option assets_options[] = {
	OPTION_FLAG(struct request, json, 0, "json", "one JSON document a line for each device"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

static const struct verb_option show_options[] = {
	OPTION_WORD(struct request, key, "ASSET", "an IP or MAC address, a host name or an id"),
	OPTION_FLAG(struct request, json, 0, "json", "its JSON document"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

static const struct verb_option gaps_options[] = {
	OPTION_FLAG(struct request, proposed, 0, "proposed", "only those that a probe could fill"),
	OPTION_FLAG(struct request, json, 0, "json", "one JSON document a line for each gap"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

static int fetch(struct request *q, struct asset_list *list)
{
	int result = sensor_link_open(&q->link) < 0 ? -1 : asset_list_fetch(list, &q->link);

	sensor_link_close(&q->link);
	return result;
}

static int run_assets(int argc, char **argv)
{
	struct request q = { .link = { .verb = "assets" } };
	struct asset_list list = { .count = 0 };
	struct inventory inventory;

	if (!options_take(assets_options, &q, argc, argv) || fetch(&q, &list) < 0)
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
	return output_end("assets", EXIT_WELL);
}

static int run_show(int argc, char **argv)
{
	struct request q = { .link = { .verb = "show" } };
	struct asset_list list = { .count = 0 };
	size_t shown = 0;

	if (!options_take(show_options, &q, argc, argv) || fetch(&q, &list) < 0)
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
	return output_end("show", EXIT_WELL);
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
	struct request q = { .link = { .verb = "gaps" } };
	struct asset_list list = { .count = 0 };
	struct inventory inventory;

	if (!options_take(gaps_options, &q, argc, argv) || fetch(&q, &list) < 0)
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
	return output_end("gaps", EXIT_WELL);
}

const struct verb verb_assets = {
	.name = "assets",
	.summary = "list the devices that a running sensor knows",
	.options = assets_options,
	.exits = { "listed", NULL, "the sensor's Redis can't be reached" },
	.run = run_assets,
};

const struct verb verb_show = {
	.name = "show",
	.summary = "show everything that is known of one device, and from where",
	.options = show_options,
	.exits = { "shown", NULL, "there is no such device, or Redis can't be reached" },
	.run = run_show,
};

const struct verb verb_gaps = {
	.name = "gaps",
	.summary = "list what is not known of the devices, and what could fill it",
	.options = gaps_options,
	.exits = { "listed", NULL, "the sensor's Redis can't be reached" },
	.run = run_gaps,
};
