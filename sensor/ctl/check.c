/* askance check: the configuration, the rules, the policy and the device rules, every mistake with its line. */
#include "classifiers/host/device_class.h"
#include "sensor/ctl/rules_load.h"
#include "sensor/ctl/verb.h"
#include "sensor/supervisor/configuration.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ERRORS_BYTES = 16384 };

static const char default_config[] = "/etc/askance/askance.yaml";

static void complain_configuration(void *context, const char *path, unsigned line, const char *sentence)
{
	rules_load_complain(context, path, line, sentence);
}

/* The configuration also says where the rules are, unless the command line did. */
static void check_configuration(struct rules_load *l, const char *path)
{
	struct configuration c;

	if (configuration_read(path, &c, complain_configuration, l) != 0)
		return;
	printf("%s: well; sensor %s\n", path, c.sensor);
	if (!l->dir[0])
		snprintf(l->dir, sizeof l->dir, "%s", c.rules);
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
	struct rules_load l = { .verb = "check" };
	const char *config = NULL;

	for (int i = 1; i < argc; i++) {
		int taken = rules_load_option(&l, argc, argv, &i);

		if (taken < 0)
			return EXIT_NOTHING;
		if (taken)
			continue;
		if ((strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "-c") == 0) && i + 1 < argc) {
			config = argv[++i];
			continue;
		}
		fprintf(stderr, "askance check: unexpected '%s'; `askance check --help` tells more\n", argv[i]);
		return EXIT_NOTHING;
	}
	if (config || access(default_config, F_OK) == 0)
		check_configuration(&l, config ? config : default_config);
	else
		printf("%s: not there, not checked\n", default_config);
	check_rules(&l);
	fflush(stdout);
	if (l.mistakes)
		fprintf(stderr, "askance check: %u mistake%s\n", l.mistakes, l.mistakes == 1 ? "" : "s");
	return l.mistakes ? EXIT_NOTHING : EXIT_WELL;
}

const struct verb verb_check = {
	.name = "check",
	.usage = "[--config FILE] [--rules DIR]",
	.summary = "check configuration, rules and policy; tell every mistake with its line",
	.help = "  -c, --config FILE   the sensor's configuration (/etc/askance/askance.yaml when it\n"
	        "                      is there)\n" RULES_LOAD_HELP
	        "\n"
	        "Nothing is started and nothing is sent. Rules are loaded as the sensor loads\n"
	        "them: each message that a rule can make is held before the compiled list of\n"
	        "reading functions.\n"
	        "\n"
	        "Exit codes: 0 all is well, 2 there are mistakes.\n",
	.run = check,
};
