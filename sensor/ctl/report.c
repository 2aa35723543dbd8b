/* askance report: one page for a walk through the plant. */
#include "sensor/ctl/report.h"

#include "sensor/ctl/file_out.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/picture_load.h"

#include <string.h>
#include <time.h>

struct request {
	const char *file, *out;
	bool live, details;
	struct sensor_link link;
	struct capture_options capture;
};

static const struct verb_option options[] = {
	OPTION_MAYBE_WORD(struct request, file, "FILE", "a capture, or what `askance read --json` printed (\"-\" is stdin)"),
	OPTION_FLAG(struct request, live, 0, "live", "of the running sensor, instead of a file"),
	OPTION_TEXT(struct request, out, 'o', "output", "FILE", "where to write; there whole, or not at all (stdout)"),
	OPTION_FLAG(struct request, details, 0, "details", "also every value of every device, with its source"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_GROUP(struct request, capture, capture_options),
	OPTION_END,
};

static void write_report(const struct request *q, const struct asset_list *list, bool partial, FILE *to)
{
	const char *slash = q->file ? strrchr(q->file, '/') : NULL;
	char made[64], source[CONFIG_NAME_BYTES + 32];
	time_t now = time(NULL);
	struct report r = { .source = slash ? slash + 1 : q->file, .made = made, .details = q->details, .partial = partial };
	struct tm local;

	strftime(made, sizeof made, "%Y-%m-%d %H:%M %Z", localtime_r(&now, &local));
	snprintf(source, sizeof source, "the running sensor %s", q->link.sensor);
	if (q->live)
		r.source = source;
	report_gather(&r, list);
	report_page(&r, to);
	report_free(&r);
}

static int run_report(int argc, char **argv)
{
	struct request q = { .link = { .verb = "report" } };
	struct asset_list list = { .count = 0 };
	struct file_out out;
	int code;

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (q.live == (q.file != NULL)) {
		fprintf(stderr, "askance report: of what? Name a FILE, or give --live\n");
		return EXIT_NOTHING;
	}
	code = picture_load(&list, q.file, &q.capture, &q.link);
	if (code != EXIT_NOTHING && file_out_open(&out, "report", q.out) < 0)
		code = EXIT_NOTHING;
	if (code != EXIT_NOTHING) {
		write_report(&q, &list, code == EXIT_PARTLY, out.to);
		code = file_out_close(&out, code);
	}
	asset_list_free(&list);
	return code;
}

const struct verb verb_report = {
	.name = "report",
	.summary = "write a page for a walk through the plant: map, inventory, gaps, costs",
	.options = options,
	.help = "The page is one file of HTML: no script, nothing from elsewhere, made to be printed. It tells who talks to whom by zone and\n"
		"Purdue level, every device, how much of each is known, values that contradict each other, and what could be asked at\n"
		"which cost. What devices call themselves stands in it as text only.\n",
	.exits = { "written", "written, but some of the picture is missing; the page says so", "there is no picture, or it could not be written" },
	.run = run_report,
};
