/* askance check: the configuration and the files it names, the rules, the policy and the device rules, every mistake with its line. */
#include "classifiers/host/device_class.h"
#include "classifiers/match/service_pattern.h"
#include "classifiers/probes/service_probes.h"
#include "classifiers/stack/os_db.h"
#include "classifiers/stack/stack_file.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/rules_load.h"
#include "sensor/supervisor/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ERRORS_BYTES = 16384 };

static const char default_config[] = "/etc/askance/askance.yaml";

struct request {
	struct rules_load load;
	const char *config;
	unsigned left_out; /* lines of other programs' files, which the sensor passes over */
};

static const struct verb_option options[] = {
	OPTION_TEXT(struct request, config, 'c', "config", "FILE",
		    "the sensor's configuration (/etc/askance/askance.yaml when it is there)"),
	OPTION_GROUP(struct request, load, rules_load_options),
	OPTION_END,
};

static void complain_configuration(void *context, const char *path, unsigned line, const char *sentence)
{
	rules_load_complain(context, path, line, sentence);
}

/* A line that is left out is no mistake of the sensor's: it starts, and listens with the others. */
static void complain_foreign(void *context, const char *path, uint32_t line, const char *sentence)
{
	struct request *q = context;

	fprintf(stderr, "askance check: %s:%" PRIu32 ": %s\n", path, line, sentence);
	q->left_out += line > 0;
}

/* How many of its lines count; 0 when the file is of no use, which was told. */
static size_t count_lines(struct request *q, enum engine_file kind, int fd, const char *path)
{
	struct service_probes *probes;
	struct stack_file *p0f;
	struct os_db *db;
	size_t count = 0;

	switch (kind) {
	case ENGINE_SERVICE_PROBES:
		probes = service_probes_load_fd(fd, path, complain_foreign, q);
		count = probes ? service_patterns_check(probes, &(struct service_listener){ path, complain_foreign, q }) : 0;
		service_probes_free(probes);
		break;
	case ENGINE_P0F:
		p0f = stack_file_load_fd(fd, path, complain_foreign, q);
		count = p0f ? stack_file_count(p0f) : 0;
		stack_file_free(p0f);
		break;
	default:
		db = os_db_load_fd(fd, path, complain_foreign, q);
		count = db ? os_db_count(db) : 0;
		os_db_free(db);
	}
	return count;
}

static void check_foreign(struct request *q, const struct configuration *c)
{
	static const char *const words[ENGINE_FILES] = { "patterns of services", "signatures", "prints of systems" };

	for (int i = 0; i < ENGINE_FILES; i++) {
		const char *path = c->engine_file[i];
		unsigned before = q->left_out;
		size_t count;
		int fd;

		if (!path[0])
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			rules_load_complain(&q->load, path, 0, strerror(errno));
			continue;
		}
		count = count_lines(q, (enum engine_file)i, fd, path);
		close(fd);
		q->load.mistakes += count == 0;
		if (count)
			printf("%s: %s; %zu %s, %u lines left out\n", path, q->left_out > before ? "usable" : "well", count, words[i],
			       q->left_out - before);
	}
}

/* The configuration also says where the rules are, unless the command line did. */
static void check_configuration(struct request *q, const char *path)
{
	struct configuration c;

	if (configuration_read(path, &c, complain_configuration, &q->load) != 0)
		return;
	printf("%s: well; sensor %s\n", path, c.sensor);
	check_foreign(q, &c);
	if (!q->load.dir[0])
		snprintf(q->load.dir, sizeof q->load.dir, "%s", c.rules);
}

static void check_devices(struct rules_load *l)
{
	char folder[sizeof l->dir + 16], errors[ERRORS_BYTES] = "", *line, *rest = errors;
	struct device_rules *rules;

	snprintf(folder, sizeof folder, "%s/devices", l->dir);
	rules = device_rules_load(folder, errors, sizeof errors);
	if (rules) {
		printf("%s: well; %zu rules\n", folder, device_rules_count(rules));
		device_rules_free(rules);
		return;
	}
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0]) {
			fprintf(stderr, "askance %s: %s\n", l->verb, line);
			l->mistakes++;
		}
	if (!errors[0])
		rules_load_complain(l, folder, 0, "can't be loaded");
}

/* Of a foreign probe without a guard nobody can say what it does. */
static void tell_rules(const struct rules_load *l)
{
	size_t foreign = 0, unguarded = 0;

	for (size_t i = 0; i < ruleset_count(l->rules); i++) {
		const struct rule *rule = ruleset_at(l->rules, i);

		foreign += rule->risk == RISK_CUSTOM;
		unguarded += rule->risk == RISK_CUSTOM && rule->guards_count == 0;
	}
	printf("%s/probes: well; %zu rules, every message they can make is one that only reads\n", l->dir,
	       ruleset_count(l->rules) - foreign);
	if (foreign)
		printf("%s/policy/custom.yaml: well; %zu foreign probes, of which %zu are bound by their hash alone\n", l->dir,
		       foreign, unguarded);
}

static void check_rules(struct rules_load *l)
{
	if (!rules_load_find(l)) {
		l->mistakes++;
		return;
	}
	rules_load_open(l, true);
	if (l->rules)
		tell_rules(l);
	if (l->policy)
		printf("%s/policy: well\n", l->dir);
	check_devices(l);
	rules_load_close(l);
}

static int check(int argc, char **argv)
{
	struct request q = { .load = { .verb = "check" } };

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (q.config || access(default_config, F_OK) == 0)
		check_configuration(&q, q.config ? q.config : default_config);
	else
		printf("%s: not there, not checked\n", default_config);
	check_rules(&q.load);
	fflush(stdout);
	if (q.load.mistakes)
		fprintf(stderr, "askance check: %u mistake%s\n", q.load.mistakes, q.load.mistakes == 1 ? "" : "s");
	return q.load.mistakes ? EXIT_NOTHING : output_end("check", q.left_out ? EXIT_PARTLY : EXIT_WELL);
}

const struct verb verb_check = {
	.name = "check",
	.summary = "check configuration, rules and policy; tell every mistake with its line",
	.options = options,
	.help = "Nothing is started and nothing is sent. Rules are loaded as the sensor loads them: each message that a rule can make is\n"
		"held before the compiled list of reading functions. The files of other programs that the configuration names under\n"
		"listening are read as the sensor reads them.\n",
	.exits = { "all is well", "all is well but for lines of other programs' files, which the sensor leaves out", "there are mistakes" },
	.run = check,
};
