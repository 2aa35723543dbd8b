/* Finds and loads the rules and the policy, and tells what is wrong with them. */
#include "sensor/ctl/rules_load.h"

#include "sensor/common/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct verb_option rules_load_options[] = {
	OPTION_COPY(struct rules_load, dir, 0, "rules", "DIR",
		    "the folder of rules (/etc/askance/rules, else the one that came with the program)"),
	OPTION_END,
};

void rules_load_complain(void *context, const char *file, uint32_t line, const char *what)
{
	struct rules_load *l = context;

	l->mistakes++;
	if (line)
		fprintf(stderr, "askance %s: %s:%u: %s\n", l->verb, file, line, what);
	else
		fprintf(stderr, "askance %s: %s: %s\n", l->verb, file, what);
}

bool rules_load_find(struct rules_load *l)
{
	char *whole;

	if (l->dir[0])
		return true;
	if (paths_rules(l->dir, sizeof l->dir) == 0) {
		/* Messages name files by the path that a person would write. */
		whole = realpath(l->dir, NULL);
		if (whole && strlen(whole) < sizeof l->dir)
			strcpy(l->dir, whole);
		free(whole);
		return true;
	}
	fprintf(stderr, "askance %s: no folder of rules was found; name one with --rules DIR\n", l->verb);
	return false;
}

bool rules_load_open(struct rules_load *l, bool with_policy)
{
	if (!rules_load_find(l))
		return false;
	l->rules = ruleset_load(l->dir, rules_load_complain, l);
	/* The policy is checked beside broken rules too, so that one run tells everything. */
	if (with_policy)
		l->policy = policy_load(l->dir, l->rules, rules_load_complain, l);
	return l->rules && (l->policy || !with_policy);
}

void rules_load_close(struct rules_load *l)
{
	policy_free(l->policy);
	ruleset_free(l->rules);
	l->policy = NULL;
	l->rules = NULL;
}
