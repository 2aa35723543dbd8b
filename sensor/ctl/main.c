/* askance: the one command. Finds the verb and runs it. */
#include "sensor/ctl/verb.h"

#include <stdio.h>
#include <string.h>

extern const struct verb verb_assets, verb_audit, verb_gaps, verb_show;
extern const struct verb verb_check, verb_explain, verb_export, verb_read, verb_rules, verb_run, verb_status;
extern const struct verb verb_approve, verb_deny, verb_keygen, verb_proposals, verb_release, verb_resume, verb_revoke, verb_stop;

static const struct verb *const verbs[] = {
	&verb_approve,
	&verb_assets,
	&verb_audit,
	&verb_check,
	&verb_deny,
	&verb_explain,
	&verb_export,
	&verb_gaps,
	&verb_keygen,
	&verb_proposals,
	&verb_read,
	&verb_release,
	&verb_resume,
	&verb_revoke,
	&verb_rules,
	&verb_run,
	&verb_show,
	&verb_status,
	&verb_stop,
	NULL,
};

static void print_usage(FILE *to)
{
	fprintf(to, "usage: askance VERB [ARGUMENT...]\n\nA network sensor for industrial plants.\n\n");
	for (size_t i = 0; verbs[i]; i++)
		fprintf(to, "  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
	fprintf(to, "\n`askance VERB --help` tells more of one.\n");
}

static void print_help(const struct verb *v)
{
	printf("usage: askance %s %s\n\n%s\n", v->name, v->usage, v->summary);
	if (v->help)
		printf("\n%s", v->help);
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; verbs[i]; i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_NOTHING;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("askance " ASKANCE_VERSION);
		return EXIT_WELL;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		v = argc > 2 ? find_verb(argv[2]) : NULL;
		if (v)
			print_help(v);
		else
			print_usage(stdout);
		return EXIT_WELL;
	}
	v = find_verb(argv[1]);
	if (!v) {
		fprintf(stderr, "askance: no verb '%s'; `askance --help` lists them\n", argv[1]);
		return EXIT_NOTHING;
	}
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0) {
			print_help(v);
			return EXIT_WELL;
		}
	return v->run(argc - 1, argv + 1);
}
