/* askance: the one command. Finds the verb and runs it. */
#include "sensor/ctl/help.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2) {
		help_print_all(stderr);
		return EXIT_NOTHING;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("askance " ASKANCE_VERSION);
		return EXIT_WELL;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_print_all(stdout);
		return EXIT_WELL;
	}
	v = help_find(argv[1]);
	if (!v)
		return EXIT_NOTHING;
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			help_print(v, stdout);
			return EXIT_WELL;
		}
	return v->run(argc - 1, argv + 1);
}
