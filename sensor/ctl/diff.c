/* askance diff: what is different between two pictures. */
#include "sensor/ctl/diff_facts.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/picture_load.h"
#include "sensor/ctl/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CELL_BYTES = 512, EXIT_SAME = 0, EXIT_DIFFERENT = 1 };

struct request {
	const char *before, *after;
	bool json;
	struct sensor_link link;
	struct capture_options capture;
};

static const struct verb_option options[] = {
	OPTION_WORD(struct request, before, "BEFORE", "a capture, or what `askance read --json` or `askance assets --json` printed (\"-\" is stdin)"),
	OPTION_MAYBE_WORD(struct request, after, "AFTER", "another one; the running sensor, when it is left out"),
	OPTION_FLAG(struct request, json, 0, "json", "one JSON document a line for each device that is not the same"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_GROUP(struct request, capture, capture_options),
	OPTION_END,
};

struct telling {
	bool json, colours;
	size_t appeared, vanished, changed;
};

/* "a", "a | b", or "nothing". */
static void join_values(const json_t *values, char text[CELL_BYTES])
{
	json_t *unused;
	const char *key;
	size_t n = 0;

	snprintf(text, CELL_BYTES, "nothing");
	json_object_foreach((json_t *)values, key, unused) {
		if (n + strlen(key) + 4 > CELL_BYTES)
			break;
		n += (size_t)snprintf(text + n, CELL_BYTES - n, "%s%s", n ? " | " : "", key);
	}
}

/* The values of one that the other lacks, as an array. */
static json_t *values_lacking(const json_t *of, const json_t *in)
{
	json_t *array = json_array(), *unused;
	const char *key;

	json_object_foreach((json_t *)of, key, unused)
		if (!json_object_get(in, key))
			json_array_append_new(array, json_string(key));
	return array;
}

/* A new array of {"what", "before", "after"}, for all facts that differ, in the order of before, then of after. */
static json_t *changes_between(const json_t *before, const json_t *after)
{
	json_t *changes = json_array(), *values;
	const char *key;

	json_object_foreach((json_t *)before, key, values)
		if (!json_equal(values, json_object_get(after, key)))
			json_array_append_new(changes, json_pack("{s:s,s:o,s:o}", "what", key, "before", values_lacking(values, json_object_get(after, key)),
								 "after", values_lacking(json_object_get(after, key), values)));
	json_object_foreach((json_t *)after, key, values)
		if (!json_object_get(before, key))
			json_array_append_new(changes, json_pack("{s:s,s:[],s:o}", "what", key, "before", "after", values_lacking(values, NULL)));
	return changes;
}

static void tell_json(const char *word, const json_t *document, json_t *changes)
{
	json_t *line = json_pack("{s:s,s:O,s:O}", "change", word, "asset", json_object_get(json_object_get(document, "ot"), "asset"), "changes", changes);

	if (line)
		json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void tell_asset(const struct telling *t, char sign, const char *colour, const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot");
	char address[CELL_BYTES], model[CELL_BYTES];

	words_address(ot, address, sizeof address);
	words_model(document, model, sizeof model);
	printf("%s%c %s%s", t->colours ? colour : "", sign, address, t->colours ? "\033[0m" : "");
	for (const char *const *word = (const char *const[]){ words_name(ot), words_text(json_object_get(ot, "asset"), "class"),
							      words_vendor(document), model, NULL };
	     *word; word++)
		if (**word)
			printf("  %s", *word);
	putchar('\n');
}

static void tell_change(const json_t *change)
{
	const json_t *sides[2] = { json_object_get(change, "before"), json_object_get(change, "after") };
	char text[2][CELL_BYTES];

	for (int i = 0; i < 2; i++) {
		json_t *set = json_object(), *item;
		size_t k;

		json_array_foreach(sides[i], k, item)
			json_object_set_new(set, json_string_value(item), json_true());
		join_values(set, text[i]);
		json_decref(set);
	}
	if (json_array_size(sides[0]) == 0)
		printf("    + %s: %s\n", words_text(change, "what"), text[1]);
	else if (json_array_size(sides[1]) == 0)
		printf("    - %s: %s\n", words_text(change, "what"), text[0]);
	else
		printf("    ~ %s: %s, was %s\n", words_text(change, "what"), text[1], text[0]);
}

static void tell_one_sided(struct telling *t, const json_t *document, bool appeared)
{
	json_t *none = json_array();

	*(appeared ? &t->appeared : &t->vanished) += 1;
	if (t->json)
		tell_json(appeared ? "appeared" : "vanished", document, none);
	else
		tell_asset(t, appeared ? '+' : '-', appeared ? "\033[32m" : "\033[31m", document);
	json_decref(none);
}

static void tell_both(struct telling *t, const json_t *before, const json_t *after)
{
	json_t *was = diff_facts(before), *is = diff_facts(after), *changes = changes_between(was, is), *change;
	size_t i;

	if (json_array_size(changes)) {
		t->changed++;
		if (t->json)
			tell_json("changed", after, changes);
		else
			tell_asset(t, '~', "\033[33m", after);
		json_array_foreach(changes, i, change)
			if (!t->json)
				tell_change(change);
	}
	json_decref(was);
	json_decref(is);
	json_decref(changes);
}

static void compare(struct telling *t, const struct asset_list *a, const struct asset_list *b)
{
	size_t *of_a = calloc(a->count + 1, sizeof *of_a), *of_b = calloc(b->count + 1, sizeof *of_b);

	if (!of_a || !of_b)
		abort();
	diff_match(a, b, of_a, of_b);
	for (size_t i = 0; i < a->count; i++) {
		if (of_a[i] == DIFF_NONE)
			tell_one_sided(t, a->items[i].document, false);
		else
			tell_both(t, a->items[i].document, b->items[of_a[i]].document);
	}
	for (size_t j = 0; j < b->count; j++)
		if (of_b[j] == DIFF_NONE)
			tell_one_sided(t, b->items[j].document, true);
	free(of_a);
	free(of_b);
	if (!t->json)
		printf("%zu appeared, %zu vanished, %zu changed, of %zu and %zu devices\n", t->appeared, t->vanished, t->changed, a->count, b->count);
}

static int run_diff(int argc, char **argv)
{
	struct request q = { .link = { .verb = "diff" } };
	struct asset_list a = { .count = 0 }, b = { .count = 0 };
	struct telling t = { .colours = terminal_colours(STDOUT_FILENO) };
	int result = EXIT_NOTHING;

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	t.json = q.json;
	/* Half a picture would show devices as vanished that are there: then nothing is compared. */
	if (picture_load(&a, q.before, &q.capture, &q.link) == EXIT_WELL && picture_load(&b, q.after, &q.capture, &q.link) == EXIT_WELL) {
		compare(&t, &a, &b);
		result = t.appeared + t.vanished + t.changed ? EXIT_DIFFERENT : EXIT_SAME;
		if (output_end("diff", EXIT_WELL) != EXIT_WELL)
			result = EXIT_NOTHING;
	} else {
		fprintf(stderr, "askance diff: nothing is compared, for a picture is missing or not whole\n");
	}
	asset_list_free(&a);
	asset_list_free(&b);
	return result;
}

const struct verb verb_diff = {
	.name = "diff",
	.summary = "tell what is different between two pictures",
	.options = options,
	.help = "Devices that appeared (+), vanished (-) or changed (~), with their addresses, attributes, services and sub-assets. Times,\n"
		"frames and how sure something is are not compared. A device is the same when its id is, else by a MAC, else by an IP\n"
		"under the same VLANs: so the picture of a capture can be held against that of the sensor.\n",
	.exits = { "the pictures are the same", "they differ", "one can't be read whole; nothing was compared" },
	.run = run_diff,
};
