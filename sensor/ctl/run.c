/* askance run: becomes the supervisor of the live sensor. */
#include "sensor/common/spawn.h"
#include "sensor/ctl/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char default_config[] = "/etc/askance/askance.yaml";

struct request {
	const char *config;
};

static const struct verb_option options[] = {
	OPTION_TEXT(struct request, config, 'c', "config", "FILE",
		    "the configuration (/etc/askance/askance.yaml); check it with `askance check`"),
	OPTION_END,
};

static int run(int argc, char **argv)
{
	struct request q = { .config = default_config };
	char path[PATH_MAX];

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (spawn_find("askance-supervisor", path, sizeof path) < 0) {
		fprintf(stderr, "askance run: askance-supervisor is not installed beside this command\n");
		return EXIT_NOTHING;
	}
	execv(path, (char *[]){ path, (char *)"--config", (char *)q.config, NULL });
	fprintf(stderr, "askance run: %s: %s\n", path, strerror(errno));
	return EXIT_NOTHING;
}

const struct verb verb_run = {
	.name = "run",
	.summary = "listen live, in the foreground, until told to end",
	.options = options,
	.help = "Needs root or CAP_NET_RAW. Started by root it becomes the user `askance` when there is one. Says\n"
		"`askance: listening on IFACE` on stderr when it hears.\n"
		"\n"
		"SIGTERM and SIGINT end it cleanly, SIGHUP loads the rules again, SIGUSR1 stops all probing until the next start.\n",
	.exits = { "ended cleanly", "a process could not be kept alive", "the configuration or the rights are wrong" },
	.run = run,
};
