/* askance read: the whole picture of one or more capture files. */
#include "sensor/ctl/inventory.h"
#include "sensor/common/paths.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/reading.h"
#include "sensor/ctl/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

struct request {
	bool json, gaps, no_ndpi;
	const char *asset;
	char rules[PATH_MAX];
	const char *zone, *country, *asn, *oui;
	const char *engine_files[ENGINE_FILES];
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
	OPTION_TEXT(struct request, zone, 0, "zone", "NAME", "the zone that the addresses are in (default)"),
	OPTION_COPY(struct request, rules, 0, "rules", "DIR", "the folder of rules (/etc/askance/rules, else the one that came with the program)"),
	OPTION_FLAG(struct request, no_ndpi, 0, "no-ndpi", "leave nDPI's word out"),
	OPTION_TEXT(struct request, oui, 0, "oui", "FILE", "ieee-data's oui.csv, for makers of MAC addresses"),
	OPTION_TEXT(struct request, engine_files[ENGINE_SERVICE_PROBES], 0, "service-probes", "FILE",
		    "a file in the format of nmap-service-probes: what servers say is matched with its lines; nothing is sent"),
	OPTION_TEXT(struct request, engine_files[ENGINE_P0F], 0, "p0f", "FILE",
		    "signatures of p0f: systems by the first packets of their connections"),
	OPTION_TEXT(struct request, engine_files[ENGINE_OS_DB], 0, "os-db", "FILE", "the same by a file in the format of nmap-os-db"),
	OPTION_TEXT(struct request, country, 0, "country-db", "FILE", "a MaxMind-format file, for places of public addresses"),
	OPTION_TEXT(struct request, asn, 0, "asn-db", "FILE", "a MaxMind-format file, for networks of public addresses"),
	OPTION_END,
};

/* The walls allow paths as they stand, so they are made absolute. False when one is missing or too long. */
static bool put_path(char to[CONFIG_PATH_BYTES], const char *path, const char *what)
{
	char *real;

	to[0] = 0;
	if (!path || !path[0])
		return true;
	real = realpath(path, NULL);
	if (!real || strlen(real) >= CONFIG_PATH_BYTES) {
		fprintf(stderr, "askance read: %s %s: %s\n", what, path, real ? "its path is too long" : strerror(errno));
		free(real);
		return false;
	}
	strcpy(to, real);
	free(real);
	return true;
}

/* Files that the engine reads. False after a message when one can't be opened. */
static bool put_files(struct reading *r, const struct request *q)
{
	static const char *const words[ENGINE_FILES] = { "--service-probes", "--p0f", "--os-db" };

	for (int i = 0; i < ENGINE_FILES; i++) {
		if (!put_path(r->engine_config.file[i], q->engine_files[i], words[i]))
			return false;
		r->engine_files[i] = q->engine_files[i] ? open(r->engine_config.file[i], O_RDONLY | O_CLOEXEC) : -1;
		if (!q->engine_files[i] || r->engine_files[i] >= 0)
			continue;
		fprintf(stderr, "askance read: %s %s: %s\n", words[i], q->engine_files[i], strerror(errno));
		return false;
	}
	return true;
}

static bool fill_configs(struct reading *r, const struct request *q)
{
	static const char usual_oui[] = "/usr/share/ieee-data/oui.csv";
	const char *oui = q->oui ? q->oui : access(usual_oui, R_OK) == 0 ? usual_oui : NULL;

	r->engine_config = (struct engine_config){
		.version = CONFIG_VERSION, .source = ENGINE_FILE, .pace = PACE_FAST, .flows = 262144, .details = 32768,
		.stream_bytes = 64 * MIB, .ndpi_flows = q->no_ndpi ? 0 : 8192, .progress = r->progress, .walls = 0, .retell_ms = 60000,
	};
	r->hub_config = (struct hub_config){
		.version = CONFIG_VERSION, .mode = HUB_READ, .probing = PROBING_PROPOSE, .engines = 1, .max_assets = 2 * MIB,
		.sensor = "read",
	};
	if (strlen(q->zone) >= sizeof r->hub_config.zone || !q->zone[0]) {
		fprintf(stderr, "askance read: --zone: give 1 to %zu bytes\n", sizeof r->hub_config.zone - 1);
		return false;
	}
	strcpy(r->hub_config.zone, q->zone);
	return put_files(r, q) && put_path(r->hub_config.rules_dir, q->rules, "--rules") && put_path(r->hub_config.oui_file, oui, "--oui") &&
	       put_path(r->hub_config.country_db, q->country, "--country-db") && put_path(r->hub_config.asn_db, q->asn, "--asn-db");
}

/* An open descriptor, or -1 after a message. */
static int open_capture(const char *name)
{
	struct stat st;
	int fd;

	if (strcmp(name, "-") == 0) {
		if (isatty(STDIN_FILENO)) {
			fprintf(stderr, "askance read: -: stdin is a terminal; a capture is wanted there\n");
			return -1;
		}
		return dup(STDIN_FILENO);
	}
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "askance read: %s: %s\n", name, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		fprintf(stderr, "askance read: %s: not a capture (it is a folder)\n", name);
		close(fd);
		return -1;
	}
	return fd;
}

static void take_line(char *line, size_t len, void *context)
{
	struct request *q = context;
	json_t *document = json_loadb(line, len, 0, NULL);

	if (!document)
		return;
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

static int exit_code(const struct reading *r, const struct request *q, bool well)
{
	if (r->complete + r->cut_short == 0 || (q->asset && q->shown == 0))
		return EXIT_NOTHING;
	return output_end("read", well && r->complete == (unsigned)q->files.count ? EXIT_WELL : EXIT_PARTLY);
}

static int read_files(struct request *q)
{
	struct reading r = { .progress = isatty(STDERR_FILENO) };
	bool started = false, well = true;

	if (!fill_configs(&r, q))
		return EXIT_NOTHING;
	for (int i = 0; i < q->files.count && !reading_stopped(); i++) {
		int fd = open_capture(q->files.at[i]);
		bool go_on;

		if (fd < 0)
			continue;
		if (!started && reading_start(&r, !q->json) < 0)
			return EXIT_NOTHING;
		started = true;
		go_on = reading_file(&r, fd, q->files.at[i]);
		close(fd);
		if (!go_on)
			break;
	}
	if (!started)
		return EXIT_NOTHING;
	well = reading_finish(&r, q->json ? NULL : take_line, q);
	if (r.complete + r.cut_short > 0 && !q->json)
		print_result(q);
	return exit_code(&r, q, well);
}

static int run_read(int argc, char **argv)
{
	struct request q = { .zone = "default", .width = terminal_width(STDOUT_FILENO), .colours = terminal_colours(STDOUT_FILENO) };
	int code;

	paths_rules(q.rules, sizeof q.rules);
	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (q.json + q.gaps + (q.asset != NULL) > 1) {
		fprintf(stderr, "askance read: --json, --gaps and --asset are three different answers; ask for one\n");
		return EXIT_NOTHING;
	}
	inventory_start(&q.inventory);
	code = read_files(&q);
	inventory_free(&q.inventory);
	return code;
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
