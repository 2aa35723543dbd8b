/* Sets up the processes that read captures, hands them one file after the other, and judges what came of it. */
#include "sensor/ctl/capture_read.h"

#include "sensor/common/paths.h"
#include "sensor/ctl/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

const struct verb_option capture_options[] = {
	OPTION_TEXT(struct capture_options, zone, 0, "zone", "NAME", "the zone that the addresses of a capture are in (default)"),
	OPTION_COPY(struct capture_options, rules, 0, "rules", "DIR",
		    "the folder of rules (/etc/askance/rules, else the one that came with the program)"),
	OPTION_NUMBER(struct capture_options, engines, 0, "engines", "N", 1, CONFIG_ENGINES, "share the work between so many processes, 1 to 8 (1)"),
	OPTION_FLAG(struct capture_options, no_ndpi, 0, "no-ndpi", "leave nDPI's word out"),
	OPTION_TEXT(struct capture_options, oui, 0, "oui", "FILE", "ieee-data's oui.csv, for makers of MAC addresses"),
	OPTION_TEXT(struct capture_options, engine_files[ENGINE_SERVICE_PROBES], 0, "service-probes", "FILE",
		    "a file in the format of nmap-service-probes: what servers say is matched with its lines; nothing is sent"),
	OPTION_TEXT(struct capture_options, engine_files[ENGINE_P0F], 0, "p0f", "FILE",
		    "signatures of p0f: systems by the first packets of their connections"),
	OPTION_TEXT(struct capture_options, engine_files[ENGINE_OS_DB], 0, "os-db", "FILE", "the same by a file in the format of nmap-os-db"),
	OPTION_TEXT(struct capture_options, country, 0, "country-db", "FILE", "a MaxMind-format file, for places of public addresses"),
	OPTION_TEXT(struct capture_options, asn, 0, "asn-db", "FILE", "a MaxMind-format file, for networks of public addresses"),
	OPTION_END,
};

/* The walls allow paths as they stand, so they are made absolute. False when one is missing or too long. */
static bool put_path(const struct reading *r, char to[CONFIG_PATH_BYTES], const char *path, const char *what)
{
	char *real;

	to[0] = 0;
	if (!path || !path[0])
		return true;
	real = realpath(path, NULL);
	if (!real || strlen(real) >= CONFIG_PATH_BYTES) {
		fprintf(stderr, "askance %s: %s %s: %s\n", r->verb, what, path, real ? "its path is too long" : strerror(errno));
		free(real);
		return false;
	}
	strcpy(to, real);
	free(real);
	return true;
}

/* Files that the engine reads. False after a message when one can't be opened. */
static bool put_files(struct reading *r, const struct capture_options *o)
{
	static const char *const words[ENGINE_FILES] = { "--service-probes", "--p0f", "--os-db" };

	for (int i = 0; i < ENGINE_FILES; i++) {
		if (!put_path(r, r->engine_config.file[i], o->engine_files[i], words[i]))
			return false;
		r->engine_files[i] = o->engine_files[i] ? open(r->engine_config.file[i], O_RDONLY | O_CLOEXEC) : -1;
		if (!o->engine_files[i] || r->engine_files[i] >= 0)
			continue;
		fprintf(stderr, "askance %s: %s %s: %s\n", r->verb, words[i], o->engine_files[i], strerror(errno));
		return false;
	}
	return true;
}

static bool fill_configs(struct reading *r, const struct capture_options *o)
{
	static const char usual_oui[] = "/usr/share/ieee-data/oui.csv";
	const char *zone = o->zone ? o->zone : "default";
	char rules[CONFIG_PATH_BYTES];
	const char *oui = o->oui ? o->oui : access(usual_oui, R_OK) == 0 ? usual_oui : NULL;

	snprintf(rules, sizeof rules, "%s", o->rules);
	r->engine_config = (struct engine_config){
		.version = CONFIG_VERSION, .source = ENGINE_FILE, .pace = PACE_FAST, .flows = 262144, .details = 131072,
		.stream_bytes = 64 * MIB, .ndpi_flows = o->no_ndpi ? 0 : 8192, .progress = r->progress, .walls = 0, .retell_ms = 60000,
	};
	r->hub_config = (struct hub_config){
		.version = CONFIG_VERSION, .mode = HUB_READ, .probing = PROBING_PROPOSE, .engines = 1, .max_assets = 2 * MIB,
		.sensor = "read",
	};
	if (strlen(zone) >= sizeof r->hub_config.zone || !zone[0]) {
		fprintf(stderr, "askance %s: --zone: give 1 to %zu bytes\n", r->verb, sizeof r->hub_config.zone - 1);
		return false;
	}
	strcpy(r->hub_config.zone, zone);
	if (rules[0] == 0)
		paths_rules(rules, sizeof rules);
	return put_files(r, o) && put_path(r, r->hub_config.rules_dir, rules, "--rules") && put_path(r, r->hub_config.oui_file, oui, "--oui") &&
	       put_path(r, r->hub_config.country_db, o->country, "--country-db") && put_path(r, r->hub_config.asn_db, o->asn, "--asn-db");
}

/* An open descriptor, or -1 after a message. */
static int open_capture(const char *verb, const char *name)
{
	struct stat st;
	int fd;

	if (strcmp(name, "-") == 0) {
		if (isatty(STDIN_FILENO)) {
			fprintf(stderr, "askance %s: -: stdin is a terminal; a capture is wanted there\n", verb);
			return -1;
		}
		return dup(STDIN_FILENO);
	}
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "askance %s: %s: %s\n", verb, name, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		fprintf(stderr, "askance %s: %s: not a capture (it is a folder)\n", verb, name);
		close(fd);
		return -1;
	}
	return fd;
}

/* False when no file could be handed over, or the hub did not end well: then *well is false too. */
static bool read_each(struct reading *r, const struct option_words *files, capture_line *each, void *context, bool *well)
{
	bool started = false, go_on = true;

	for (int i = 0; i < files->count && go_on && !reading_stopped(); i++) {
		int fd = open_capture(r->verb, files->at[i]);

		if (fd < 0)
			continue;
		if (!started && reading_start(r, each != NULL) < 0)
			return false;
		started = true;
		go_on = reading_file(r, fd, files->at[i]);
		close(fd);
	}
	if (started)
		*well = reading_finish(r, each, context);
	return started;
}

int capture_read(const struct capture_options *o, const char *verb, const struct option_words *files, capture_line *each, void *context)
{
	struct reading r = { .verb = verb, .engines = (unsigned)o->engines, .progress = isatty(STDERR_FILENO) };
	bool well = false;

	if (!fill_configs(&r, o) || !read_each(&r, files, each, context, &well) || r.complete + r.cut_short == 0)
		return EXIT_NOTHING;
	return well && r.complete == (unsigned)files->count ? EXIT_WELL : EXIT_PARTLY;
}
