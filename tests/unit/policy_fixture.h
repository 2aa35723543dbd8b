/* What the tests of the policy share: the shipped rules, and policies whose files are written for one test. */
#ifndef TESTS_UNIT_POLICY_FIXTURE_H
#define TESTS_UNIT_POLICY_FIXTURE_H

#include "active/ruleset/policy.h"
#include "tests/unit/told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES = 5 };

static struct ruleset *rules;

static int load_rules(void **state)
{
	static struct told told;

	(void)state;
	rules = ruleset_load(SOURCE_DIR "/rules", keep, &told);
	return rules ? 0 : -1;
}

static int free_rules(void **state)
{
	(void)state;
	ruleset_free(rules);
	return 0;
}

static const char *const names[FILES] = { "whitelist.yaml", "exclusions.yaml", "windows.yaml", "budgets.yaml",
					  "analysts.yaml" };
static const char budgets[] =
	"target: {packets_a_minute: 1, bytes_a_minute: 1, connections_a_minute: 1, packets_a_day: 2, bytes_a_day: 2, connections_a_day: 2}\n"
	"zone: {packets_a_minute: 1, bytes_a_minute: 1, connections_a_minute: 1, packets_a_day: 2, bytes_a_day: 2, connections_a_day: 2}\n"
	"sensor: {packets_a_minute: 1, bytes_a_minute: 1, connections_a_minute: 1, packets_a_day: 2, bytes_a_day: 2, connections_a_day: 2}\n"
	"cool_down_s: 1\nrepeat_days: 1\ntargets_at_once: 1\nfailures_to_stop: 1\n";
static const char *const plain[FILES] = { "allow: []\n", "never: []\n", "windows: []\n", budgets, "analysts: []\n" };

/* Loads a policy whose files are the plain ones but for one; NULL leaves that file out. */
static struct policy *load_text(size_t which, const char *text, struct told *told)
{
	char dir[] = "/tmp/policy-XXXXXX", path[128];
	struct policy *p;

	memset(told, 0, sizeof *told);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/policy", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < FILES; i++) {
		FILE *f;

		snprintf(path, sizeof path, "%s/policy/%s", dir, names[i]);
		if (i == which && !text)
			continue;
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(i == which ? text : plain[i], f);
		fclose(f);
	}
	p = policy_load(dir, rules, keep, told);
	for (size_t i = 0; i < FILES; i++) {
		snprintf(path, sizeof path, "%s/policy/%s", dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/policy", dir);
	rmdir(path);
	rmdir(dir);
	return p;
}

#endif
