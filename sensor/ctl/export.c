/* askance export: the inventory of a running sensor in another schema. */
#include "sensor/ctl/asset_list.h"
#include "sensor/ctl/ocsf.h"
#include "sensor/ctl/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* False after a message. */
static bool take_words(struct sensor_link *l, int argc, char **argv)
{
	bool ocsf = false;

	l->verb = argv[0];
	for (int i = 1; i < argc; i++) {
		int taken = sensor_link_option(l, argc, argv, &i);

		if (taken < 0)
			return false;
		if (taken)
			continue;
		if (strcmp(argv[i], "--ocsf") != 0) {
			fprintf(stderr, "askance export: '%s' is not understood; `askance export --help` tells what is\n", argv[i]);
			return false;
		}
		ocsf = true;
	}
	if (!ocsf)
		fprintf(stderr, "askance export: in which schema? --ocsf\n");
	return ocsf;
}

/* 0, or -1 when there is no memory. */
static int print_event(const json_t *document)
{
	json_t *event = ocsf_of_asset(document);
	int result = event && json_dumpf(event, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF ? 0 : -1;

	json_decref(event);
	return result;
}

static int run_export(int argc, char **argv)
{
	struct sensor_link link = { .verb = NULL };
	struct asset_list list = { .count = 0 };
	int code = EXIT_WELL;

	if (!take_words(&link, argc, argv) || sensor_link_open(&link) < 0)
		return EXIT_NOTHING;
	if (asset_list_fetch(&list, &link) < 0)
		code = EXIT_NOTHING;
	sensor_link_close(&link);
	for (size_t i = 0; i < list.count && code == EXIT_WELL; i++)
		if (print_event(list.items[i].document) < 0)
			code = EXIT_PARTLY;
	asset_list_free(&list);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno != EPIPE)
		fprintf(stderr, "askance export: stdout: %s\n", strerror(errno));
	return EXIT_PARTLY;
}

const struct verb verb_export = {
	.name = "export",
	.usage = "--ocsf [--config FILE | --redis URL --sensor NAME]",
	.summary = "prints the devices that a running sensor knows in another schema",
	.help = "      --ocsf          OCSF 1.5, class 5001 Device Inventory Info, a line for each\n"
		"                      device; devices of plants are type 99 with our class as\n"
		"                      `type`, and what OCSF has no place for is in `unmapped`\n" SENSOR_LINK_HELP
		"\nExit status: 0, 1 when not all was printed, or 2 when the sensor's Redis\ncan't be reached.\n",
	.run = run_export,
};
