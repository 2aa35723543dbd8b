/* The manual pages of rules name every key that the program reads, and no other. */
#include "active/ruleset/custom.h"
#include "active/ruleset/policy_file.h"
#include "active/ruleset/rule_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 512, KEY_BYTES = 96 };

struct keys {
	char key[KEYS][KEY_BYTES]; /* "probe.rules.steps name" */
	size_t count;
};

static void add(struct keys *k, const char *path, const char *name)
{
	assert_true(k->count < KEYS);
	snprintf(k->key[k->count++], KEY_BYTES, "%.60s %.30s", path, name);
}

static bool has(const struct keys *k, const char *key)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->key[i], key) == 0)
			return true;
	return false;
}

/* Everything below a schema; `same` names a path under which several groups of one kind are told once. */
static void walk(struct keys *k, const cyaml_schema_value_t *v, const char *path)
{
	char below[KEY_BYTES];

	if (v->type == CYAML_SEQUENCE || v->type == CYAML_SEQUENCE_FIXED)
		walk(k, v->sequence.entry, path);
	if (v->type != CYAML_MAPPING)
		return;
	for (const cyaml_schema_field_t *f = v->mapping.fields; f->key; f++) {
		bool budget = strcmp(path, "budgets") == 0 && f->value.type == CYAML_MAPPING;

		add(k, path, f->key);
		snprintf(below, sizeof below, "%.60s.%.30s", path, budget ? "*" : f->key);
		walk(k, &f->value, below);
	}
}

/* Each list of keys stands below a comment `.\" keys PATH`; one line `.It Ic NAME` for each. */
static void read_manual(struct keys *k, const char *page)
{
	char path[KEY_BYTES] = "", line[512], name[KEY_BYTES], file[512];
	FILE *in;

	snprintf(file, sizeof file, SOURCE_DIR "/packaging/man/%s", page);
	in = fopen(file, "r");
	assert_non_null(in);
	while (fgets(line, sizeof line, in)) {
		if (sscanf(line, ".\\\" keys %95s", path) == 1 || sscanf(line, ".It Ic %95s", name) != 1)
			continue;
		snprintf(line, sizeof line, "%s %s", path, name);
		if (!has(k, line))
			add(k, path, name);
	}
	fclose(in);
}

static void compare(const struct keys *program, const struct keys *manual, const char *page, const char *skip)
{
	size_t wrong = 0;

	for (size_t i = 0; i < program->count; i++)
		if (!has(manual, program->key[i])) {
			print_error("%s lacks the key: %s\n", page, program->key[i]);
			wrong++;
		}
	for (size_t i = 0; i < manual->count; i++)
		if (!has(program, manual->key[i]) && (!skip || strncmp(manual->key[i], skip, strlen(skip)) != 0)) {
			print_error("%s names a key that the program does not read: %s\n", page, manual->key[i]);
			wrong++;
		}
	assert_true(program->count > 10);
	assert_int_equal(wrong, 0);
}

static void test_probes(void **state)
{
	static struct keys program, manual;

	(void)state;
	walk(&program, &probe_file_schema, "probe");
	read_manual(&manual, "askance-probes.5");
	compare(&program, &manual, "askance-probes.5", NULL);
}

static void test_policy(void **state)
{
	static struct keys program, manual;

	(void)state;
	walk(&program, &whitelist_schema, "whitelist");
	walk(&program, &exclusions_schema, "exclusions");
	walk(&program, &windows_schema, "windows");
	walk(&program, &budgets_schema, "budgets");
	walk(&program, &analysts_schema, "analysts");
	walk(&program, &custom_schema, "custom");
	read_manual(&manual, "askance-rules.5");
	/* The schema of rules/devices is made at run time: tests/system/commands asks the program for its keys. */
	compare(&program, &manual, "askance-rules.5", "devices");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_probes), cmocka_unit_test(test_policy) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
