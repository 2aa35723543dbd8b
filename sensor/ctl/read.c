/* askance read: the whole picture of one or more capture files. */
#include "sensor/ctl/capture_read.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/inventory.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/terminal.h"

#include <unistd.h>

struct request {
	bool json, gaps;
	const char *asset;
	struct capture_options capture;
	struct option_words files;
	struct inventory inventory;
	size_t shown;
	int width;
	bool colours;
};

static const struct verb_option options[] = {
	OPTION_WORDS(struct request, files, "FILE", "a pcap, pcapng or snoop file, also compressed by gzip; \"-\" is stdin"),
	OPTION_FLAG(struct request, json, 0, "json", "one JSON document a line for each device, in a stable order"),
	OPTION_FLAG(struct request, gaps, 0, "gaps", "what is not known, and the probes that could fill it"),
	OPTION_TEXT(struct request, asset, 0, "asset", "KEY", "everything known of one device: its address, name or id"),
	OPTION_GROUP(struct request, capture, capture_options),
	OPTION_END,
};

static void take_line(char *line, size_t len, void *context)
{
	struct request *q = context;
	json_t *document = json_loadb(line, len, 0, NULL);

	if (!document)
		return;
	words_disarm(document);
	if (!q->asset) {
		inventory_add(&q->inventory, document);
	} else if (inventory_matches(document, q->asset)) {
		if (q->shown++)
			putchar('\n');
		inventory_show(document, stdout, q->width, q->colours);
	}
	json_decref(document);
}

static void print_result(struct request *q)
{
	if (q->asset && q->shown == 0)
		fprintf(stderr, "askance read: no device has the address, name or id '%s'\n", q->asset);
	else if (q->gaps)
		inventory_print_gaps(&q->inventory, stdout, q->width, q->colours);
	else if (!q->asset)
		inventory_print_assets(&q->inventory, stdout, q->width, q->colours);
}

static int run_read(int argc, char **argv)
{
	struct request q = { .width = terminal_width(STDOUT_FILENO), .colours = terminal_colours(STDOUT_FILENO) };
	int code;

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (q.json + q.gaps + (q.asset != NULL) > 1) {
		fprintf(stderr, "askance read: --json, --gaps and --asset are three different answers; ask for one\n");
		return EXIT_NOTHING;
	}
	inventory_start(&q.inventory);
	code = capture_read(&q.capture, "read", &q.files, q.json ? NULL : take_line, &q);
	if (code != EXIT_NOTHING && !q.json)
		print_result(&q);
	inventory_free(&q.inventory);
	if (code == EXIT_NOTHING || (q.asset && q.shown == 0))
		return EXIT_NOTHING;
	return output_end("read", code);
}

const struct verb verb_read = {
	.name = "read",
	.summary = "show everything that capture files tell of the devices in them",
	.options = options,
	.help = "Several files make one picture, in the order given.\n",
	.exits = { "every file was read to its end",
		   "something was cut short or could not be read; what was learned is printed all the same",
		   "nothing could be read, or the call was wrong" },
	.run = run_read,
};
