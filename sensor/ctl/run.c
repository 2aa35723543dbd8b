/* askance run: becomes the supervisor of the live sensor. */
#include "sensor/common/spawn.h"
#include "sensor/ctl/verb.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char default_config[] = "/etc/askance/askance.yaml";

static int wrong_call(const char *argument)
{
	fprintf(stderr, "askance run: unexpected '%s'; usage: askance run [--config FILE]\n", argument);
	return EXIT_NOTHING;
}

static int run(int argc, char **argv)
{
	char path[PATH_MAX], *config = (char *)default_config;

	for (int i = 1; i < argc; i++) {
		if ((strcmp(argv[i], "--config") != 0 && strcmp(argv[i], "-c") != 0) || i + 1 == argc)
			return wrong_call(argv[i]);
		config = argv[++i];
	}
	if (spawn_find("askance-supervisor", path, sizeof path) < 0) {
		fprintf(stderr, "askance run: askance-supervisor is not installed beside this command\n");
		return EXIT_NOTHING;
	}
	execv(path, (char *[]){ path, (char *)"--config", config, NULL });
	fprintf(stderr, "askance run: %s: %s\n", path, strerror(errno));
	return EXIT_NOTHING;
}

const struct verb verb_run = {
	.name = "run",
	.usage = "[--config FILE]",
	.summary = "listen live, in the foreground, until told to end",
	.help = "  -c, --config FILE   the configuration (/etc/askance/askance.yaml); check it\n"
	        "                      with `askance check`\n"
	        "\n"
	        "Needs root or CAP_NET_RAW. Started by root it becomes the user `askance`\n"
	        "when there is one. Says `askance: listening on IFACE` on stderr when it hears.\n"
	        "\n"
	        "SIGTERM and SIGINT end it cleanly, SIGHUP loads the rules again, SIGUSR1\n"
	        "stops all probing until the next start.\n"
	        "\n"
	        "Exit codes: 0 ended cleanly, 1 a process could not be kept alive, 2 the\n"
	        "configuration or the rights are wrong.\n",
	.run = run,
};
