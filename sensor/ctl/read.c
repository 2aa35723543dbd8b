/* askance read: the whole picture of one or more capture files. */
#include "sensor/ctl/inventory.h"
#include "sensor/common/paths.h"
#include "sensor/ctl/reading.h"
#include "sensor/ctl/terminal.h"
#include "sensor/ctl/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, OPTION_NO_NDPI = 256, OPTION_RULES, OPTION_ZONE, OPTION_COUNTRY, OPTION_ASN, OPTION_OUI, OPTION_GAPS,
       OPTION_FILES };

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_ASSET, OUTPUT_GAPS };

struct request {
	enum output output;
	const char *asset;
	char rules[PATH_MAX];
	const char *zone, *country, *asn, *oui;
	const char *files[ENGINE_FILES];
	bool no_ndpi;
	struct inventory inventory;
	size_t shown;
	int width;
	bool colours;
};

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "asset", required_argument, NULL, 'a' },
	{ "gaps", no_argument, NULL, OPTION_GAPS },
	{ "no-ndpi", no_argument, NULL, OPTION_NO_NDPI },
	{ "rules", required_argument, NULL, OPTION_RULES },
	{ "zone", required_argument, NULL, OPTION_ZONE },
	{ "country-db", required_argument, NULL, OPTION_COUNTRY },
	{ "asn-db", required_argument, NULL, OPTION_ASN },
	{ "oui", required_argument, NULL, OPTION_OUI },
	{ "service-probes", required_argument, NULL, OPTION_FILES + ENGINE_SERVICE_PROBES },
	{ "p0f", required_argument, NULL, OPTION_FILES + ENGINE_P0F },
	{ "os-db", required_argument, NULL, OPTION_FILES + ENGINE_OS_DB },
	{ 0 },
};

static bool take_option(struct request *q, int option)
{
	switch (option) {
	case 'j':
		q->output = OUTPUT_JSON;
		return true;
	case 'a':
		q->output = OUTPUT_ASSET;
		q->asset = optarg;
		return true;
	case OPTION_GAPS:
		q->output = OUTPUT_GAPS;
		return true;
	case OPTION_NO_NDPI:
		q->no_ndpi = true;
		return true;
	case OPTION_RULES:
		snprintf(q->rules, sizeof q->rules, "%s", optarg);
		return true;
	case OPTION_ZONE:
		q->zone = optarg;
		return true;
	case OPTION_COUNTRY:
		q->country = optarg;
		return true;
	case OPTION_ASN:
		q->asn = optarg;
		return true;
	case OPTION_OUI:
		q->oui = optarg;
		return true;
	case OPTION_FILES + ENGINE_SERVICE_PROBES:
	case OPTION_FILES + ENGINE_P0F:
	case OPTION_FILES + ENGINE_OS_DB:
		q->files[option - OPTION_FILES] = optarg;
		return true;
	default:
		return false;
	}
}

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
		if (!put_path(r->engine_config.file[i], q->files[i], words[i]))
			return false;
		r->engine_files[i] = q->files[i] ? open(r->engine_config.file[i], O_RDONLY | O_CLOEXEC) : -1;
		if (!q->files[i] || r->engine_files[i] >= 0)
			continue;
		fprintf(stderr, "askance read: %s %s: %s\n", words[i], q->files[i], strerror(errno));
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
	if (q->output != OUTPUT_ASSET) {
		inventory_add(&q->inventory, document);
	} else if (inventory_matches(document, q->asset)) {
		if (q->shown++)
			putchar('\n');
		inventory_show(document, stdout, q->width, q->colours);
	}
	json_decref(document);
}

static bool print_result(struct request *q)
{
	if (q->output == OUTPUT_TABLE)
		inventory_print_assets(&q->inventory, stdout, q->width, q->colours);
	else if (q->output == OUTPUT_GAPS)
		inventory_print_gaps(&q->inventory, stdout, q->width, q->colours);
	else if (q->output == OUTPUT_ASSET && q->shown == 0)
		fprintf(stderr, "askance read: no asset has the address, name or id '%s'\n", q->asset);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (errno != EPIPE)
		fprintf(stderr, "askance read: stdout: %s\n", strerror(errno));
	return false;
}

static int exit_code(const struct reading *r, const struct request *q, unsigned wanted, bool well)
{
	if (r->complete + r->cut_short == 0 || (q->output == OUTPUT_ASSET && q->shown == 0))
		return EXIT_NOTHING;
	return well && r->complete == wanted ? EXIT_WELL : EXIT_PARTLY;
}

static int read_files(struct request *q, char **names, unsigned count)
{
	struct reading r = { .progress = isatty(STDERR_FILENO) };
	bool started = false, well = true;

	if (!fill_configs(&r, q))
		return EXIT_NOTHING;
	for (unsigned i = 0; i < count && !reading_stopped(); i++) {
		int fd = open_capture(names[i]);
		bool go_on;

		if (fd < 0)
			continue;
		if (!started && reading_start(&r, q->output != OUTPUT_JSON) < 0)
			return EXIT_NOTHING;
		started = true;
		go_on = reading_file(&r, fd, names[i]);
		close(fd);
		if (!go_on)
			break;
	}
	if (!started)
		return EXIT_NOTHING;
	well = reading_finish(&r, q->output == OUTPUT_JSON ? NULL : take_line, q);
	if (r.complete + r.cut_short > 0 && q->output != OUTPUT_JSON)
		well &= print_result(q);
	return exit_code(&r, q, count, well);
}

static int run_read(int argc, char **argv)
{
	struct request q = { .zone = "default", .width = terminal_width(STDOUT_FILENO), .colours = terminal_colours(STDOUT_FILENO) };
	int option, code;

	paths_rules(q.rules, sizeof q.rules);
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (!take_option(&q, option)) {
			fprintf(stderr, "askance read: wrong option '%s'; `askance read --help` lists them\n", argv[optind - 1]);
			return EXIT_NOTHING;
		}
	if (optind == argc) {
		fprintf(stderr, "askance read: no file named; usage: askance read [--json] FILE... (\"-\" is stdin)\n");
		return EXIT_NOTHING;
	}
	inventory_start(&q.inventory);
	code = read_files(&q, argv + optind, (unsigned)(argc - optind));
	inventory_free(&q.inventory);
	return code;
}

const struct verb verb_read = {
	.name = "read",
	.usage = "[OPTION...] FILE...",
	.summary = "shows everything that capture files tell of the devices in them",
	.help =
		"FILE is a pcap or pcapng file, also compressed by gzip; \"-\" is stdin. Several\n"
		"files make one picture, in the order given.\n"
		"\n"
		"  --json            one JSON document a line for each asset, in a stable order\n"
		"  --gaps            what is not known, and the probes that could fill it\n"
		"  --asset KEY       everything known of one asset: its address, name or id\n"
		"  --zone NAME       the zone that the addresses are in (default)\n"
		"  --rules DIR       the folder of rules (/etc/askance/rules)\n"
		"  --no-ndpi         leave nDPI's word out\n"
		"  --oui FILE        ieee-data's oui.csv, for makers of MAC addresses\n"
		"  --service-probes FILE\n"
		"                    a file in the format of nmap-service-probes: what servers say\n"
		"                    is matched with its lines; nothing is sent\n"
		"  --p0f FILE, --os-db FILE\n"
		"                    signatures of p0f and of nmap-os-db: systems by the first\n"
		"                    packets of their connections\n"
		"  --country-db FILE, --asn-db FILE\n"
		"                    MaxMind-format files, for places of public addresses\n"
		"\n"
		"Exit status: 0 when every file was read to its end; 1 when something was cut\n"
		"short or could not be read (what was learned is printed all the same); 2 when\n"
		"nothing could be read or the call was wrong.\n",
	.run = run_read,
};
