/* Merges two listings by name; the nearer folder wins. */
#include "classifiers/files/rule_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_rule_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".yaml") == 0;
}

const char *rule_folder_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool has_name(const struct rule_folder *f, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rule_folder_name(f->path[i]), name) == 0)
			return true;
	return false;
}

/* False when memory is out. */
static bool add_path(struct rule_folder *f, const char *folder, const char *name)
{
	char **grown = reallocarray(f->path, f->count + 1, sizeof *f->path);

	if (!grown)
		return false;
	f->path = grown;
	if (asprintf(&f->path[f->count], "%s/%s", folder, name) < 0)
		return false;
	f->count++;
	return true;
}

/* Of the names that are there already only the first counts. -1 with errno when the folder can't be read. */
static int add_folder(struct rule_folder *f, const char *folder)
{
	size_t nearer = f->count;
	struct dirent **entry;
	int n = scandir(folder, &entry, is_rule_file, NULL), cause = 0;

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (!cause && !has_name(f, nearer, entry[i]->d_name) && !add_path(f, folder, entry[i]->d_name))
			cause = ENOMEM;
		free(entry[i]);
	}
	free(entry);
	errno = cause;
	return cause ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(rule_folder_name(*(char *const *)a), rule_folder_name(*(char *const *)b));
}

/* A plant without rules of its own has no such folder; one that wants none of the program's has no base. */
static int add_both(struct rule_folder *f, const char *own, const char *base)
{
	int missing = 0;

	if (add_folder(f, own) < 0) {
		if (errno != ENOENT)
			return -1;
		missing = errno;
	}
	if (add_folder(f, base) == 0)
		return 0;
	return errno == ENOENT && !missing ? 0 : -1;
}

int rule_folder_list(struct rule_folder *f, const char *folder)
{
	const char *part = rule_folder_name(folder);
	struct rule_folder list = { 0, NULL };
	int result, cause;
	char *base;

	if (asprintf(&base, "%.*sbase/%s", (int)(part - folder), folder, part) < 0)
		return -1;
	result = add_both(&list, folder, base);
	cause = errno;
	free(base);
	if (result < 0) {
		rule_folder_free(&list);
		errno = cause;
		return -1;
	}
	if (list.count)
		qsort(list.path, list.count, sizeof *list.path, by_name);
	*f = list;
	return 0;
}

void rule_folder_free(struct rule_folder *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->path[i]);
	free(f->path);
	*f = (struct rule_folder){ 0, NULL };
}
