/* Tests of classifiers/files/rule_folder: which file counts when a plant's folder of rules stands on the program's. */
#include "classifiers/files/rule_folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[] = "/tmp/askance-folder-XXXXXX";

static const char *at(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", top, name);
	return p;
}

static void put(const char *name)
{
	FILE *f = fopen(at(name), "w");

	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
}

/* own/probes: b.yaml and what is none; shipped/probes: a, b, c; own/base leads to shipped. */
static int make_folders(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(mkdir(at((const char *[]){ "own", "own/probes", "shipped", "shipped/probes" }[i]), 0755), 0);
	put("own/probes/b.yaml");
	put("own/probes/.a.yaml");
	put("own/probes/c.yaml.dpkg-old");
	put("shipped/probes/a.yaml");
	put("shipped/probes/b.yaml");
	put("shipped/probes/c.yaml");
	return 0;
}

static int remove_folders(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", top);
	return system(command);
}

static void assert_list(const char *folder, const char *const *expected, size_t count)
{
	struct rule_folder f;

	assert_int_equal(rule_folder_list(&f, at(folder)), 0);
	assert_int_equal(f.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(f.path[i], at(expected[i]));
	rule_folder_free(&f);
}

static void test_alone(void **state)
{
	(void)state;
	assert_list("own/probes", (const char *[]){ "own/probes/b.yaml" }, 1);
	assert_list("shipped/probes", (const char *[]){ "shipped/probes/a.yaml", "shipped/probes/b.yaml", "shipped/probes/c.yaml" }, 3);
}

static void test_on_a_base(void **state)
{
	(void)state;
	assert_int_equal(symlink("../shipped", at("own/base")), 0);
	assert_list("own/probes", (const char *[]){ "own/base/probes/a.yaml", "own/probes/b.yaml", "own/base/probes/c.yaml" }, 3);
	/* A base has no base: shipped/base is not followed from own. */
	assert_int_equal(symlink("../own", at("shipped/base")), 0);
	unlink(at("own/probes/b.yaml"));
	assert_list("own/probes", (const char *[]){ "own/base/probes/a.yaml", "own/base/probes/b.yaml", "own/base/probes/c.yaml" }, 3);
	unlink(at("shipped/base"));
	unlink(at("own/base"));
	put("own/probes/b.yaml");
}

static void test_no_part_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("bare"), 0755), 0);
	assert_int_equal(symlink("../shipped", at("bare/base")), 0);
	assert_list("bare/probes", (const char *[]){ "bare/base/probes/a.yaml", "bare/base/probes/b.yaml", "bare/base/probes/c.yaml" }, 3);
}

static void test_not_there(void **state)
{
	struct rule_folder f = { 7, NULL };

	(void)state;
	assert_int_equal(rule_folder_list(&f, at("none/probes")), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(f.count, 7); /* written on success alone */
	/* What is there and is no folder is a mistake, and not passed by for the base's. */
	put("bare/probes");
	assert_int_equal(rule_folder_list(&f, at("bare/probes")), -1);
	assert_int_equal(errno, ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone), cmocka_unit_test(test_on_a_base), cmocka_unit_test(test_no_part_of_its_own),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
