/* Reads all of DIR/probes and its base into a ruleset, and finds rules in it. */
#include "active/ruleset/ruleset.h"

#include "active/guard/guard.h"
#include "active/ruleset/build.h"
#include "active/ruleset/custom.h"
#include "classifiers/files/rule_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MOST = 256, RULES_MOST = 1024, PATH_BYTES = 4096 };

/* One file and what was built from it; rules borrow the texts of both. */
struct loaded_file {
	struct yaml_file *yaml;
	struct probe_file *probe;
};

/* That a rule asks services of that protocol. */
struct asking {
	const char *protocol;
	const struct rule *rule;
};

struct ruleset {
	size_t files_count;
	struct loaded_file files[FILES_MOST];
	size_t count;
	struct rule *rules[RULES_MOST];
	struct asking *asking; /* in the order of protocols, of one in that of the rules */
	size_t asking_count;
	struct yaml_file *custom_yaml;
	struct custom_file *custom;
	struct mistakes mistakes;
	bool unsent;
};

static void check_file(struct ruleset *set, const struct loaded_file *file, const char *name)
{
	const char *protocol = file->probe->protocol, *path = yaml_file_path(file->yaml);
	uint32_t line = yaml_file_line(file->yaml, "protocol");
	size_t n = strlen(protocol);

	if (strncmp(name, protocol, n) != 0 || strcmp(name + n, ".yaml") != 0)
		mistake_at(&set->mistakes, path, line, "protocol '%s' stands in file %s; a file bears its protocol's name",
			   protocol, name);
	if (!guard_knows(protocol, TRANSPORT_TCP) && !guard_knows(protocol, TRANSPORT_UDP) &&
	    !guard_knows(protocol, TRANSPORT_ETHERNET))
		mistake_at(&set->mistakes, path, line,
			   "no list of reading functions is compiled in for protocol '%s' (active/guard)", protocol);
}

static void check_unique(struct ruleset *set, const struct building *b)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->rules[i]->name, b->raw->name) == 0)
			wrong(b, line_in(b, "name"), "the name is taken by the rule in %s:%u", set->rules[i]->file,
			      set->rules[i]->line);
}

static void free_rule(struct rule *rule)
{
	if (!rule)
		return;
	free((void *)rule->holes);
	free((void *)rule->steps);
	free(rule);
}

static void add_rule(struct ruleset *set, const struct loaded_file *file, size_t index)
{
	const struct rule_file *raw = &file->probe->rules[index];
	struct building b = { file->yaml, &set->mistakes, index, file->probe, raw, NULL, NULL, NULL, false, set->unsent };

	if (set->count == RULES_MOST) {
		wrong(&b, line_in(&b, "name"), "there are more than %d rules", RULES_MOST);
		return;
	}
	b.rule = calloc(1, sizeof(*b.rule));
	b.holes = calloc(raw->holes_count ? raw->holes_count : 1, sizeof(*b.holes));
	b.steps = calloc(raw->steps_count, sizeof(*b.steps));
	if (!b.rule || !b.holes || !b.steps) {
		wrong(&b, 0, "no memory");
		free(b.rule);
		free(b.holes);
		free(b.steps);
		return;
	}
	check_unique(set, &b);
	build_rule(&b);
	set->rules[set->count++] = b.rule;
}

static void load_file(struct ruleset *set, const char *path)
{
	struct loaded_file *file = &set->files[set->files_count];

	if (set->files_count == FILES_MOST) {
		mistake_at(&set->mistakes, path, 0, "there are more than %d files", FILES_MOST);
		return;
	}
	file->yaml = yaml_file_open(path, &set->mistakes);
	if (!file->yaml)
		return;
	set->files_count++;
	file->probe = yaml_file_load(file->yaml, &probe_file_schema, &set->mistakes);
	if (!file->probe)
		return;
	check_file(set, file, rule_folder_name(path));
	for (size_t i = 0; i < file->probe->rules_count; i++)
		add_rule(set, file, i);
}

static void load_folder(struct ruleset *set, const char *dir)
{
	struct rule_folder folder;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/probes", dir);
	if (rule_folder_list(&folder, path) < 0) {
		mistake_at(&set->mistakes, path, 0, "can't be read: %s", strerror(errno));
		return;
	}
	if (folder.count == 0)
		mistake_at(&set->mistakes, path, 0, "holds no rule (*.yaml)");
	for (size_t i = 0; i < folder.count; i++)
		load_file(set, folder.path[i]);
	rule_folder_free(&folder);
}

static void add_custom(struct ruleset *set, size_t i, const char *dir)
{
	const struct custom_entry *entry = &set->custom->custom[i];
	const struct rule *same = ruleset_find(set, entry->name);

	if (same || set->count == RULES_MOST)
		mistake_at(&set->mistakes, yaml_file_path(set->custom_yaml), yaml_file_line(set->custom_yaml, "custom[%zu]", i),
			   same ? "rule '%s': the name is taken" : "rule '%s': there are too many rules", entry->name);
	else if ((set->rules[set->count] = custom_build(set->custom_yaml, entry, i, dir, set, &set->mistakes)) != NULL)
		set->count++;
}

/* Foreign probes; a plant without them has no such file. */
static void load_custom(struct ruleset *set, const char *dir)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/policy/custom.yaml", dir);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return;
	set->custom_yaml = yaml_file_open(path, &set->mistakes);
	if (set->custom_yaml)
		set->custom = yaml_file_load(set->custom_yaml, &custom_schema, &set->mistakes);
	for (size_t i = 0; set->custom && i < set->custom->custom_count; i++)
		add_custom(set, i, dir);
}

static int by_name(const void *a, const void *b)
{
	const struct rule *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int by_protocol(const void *a, const void *b)
{
	const struct asking *x = a, *y = b;
	int order = strcmp(x->protocol, y->protocol);

	return order ? order : strcmp(x->rule->name, y->rule->name);
}

static void add_asking(struct ruleset *set, const char *protocol, const struct rule *rule)
{
	for (size_t i = set->asking_count; i-- > 0 && set->asking[i].rule == rule;)
		if (strcmp(set->asking[i].protocol, protocol) == 0)
			return;
	set->asking[set->asking_count++] = (struct asking){ protocol, rule };
}

static bool index_asking(struct ruleset *set)
{
	set->asking = calloc(set->count * RULE_SEEN + 1, sizeof(*set->asking));
	if (!set->asking)
		return false;
	for (size_t i = 0; i < set->count; i++) {
		const struct rule *rule = set->rules[i];

		for (size_t n = 0; n < rule->seen_count; n++)
			add_asking(set, rule->seen[n], rule);
		if (rule->seen_count == 0)
			add_asking(set, rule->protocol, rule);
	}
	qsort(set->asking, set->asking_count, sizeof(*set->asking), by_protocol);
	return true;
}

static struct ruleset *load(const char *dir, bool unsent, ruleset_complain *complain, void *context)
{
	struct ruleset *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->mistakes = (struct mistakes){ complain, context, 0 };
	set->unsent = unsent;
	load_folder(set, dir);
	load_custom(set, dir);
	if (set->mistakes.count == 0) {
		qsort(set->rules, set->count, sizeof(set->rules[0]), by_name);
		if (index_asking(set))
			return set;
	}
	ruleset_free(set);
	return NULL;
}

struct ruleset *ruleset_load(const char *dir, ruleset_complain *complain, void *context)
{
	return load(dir, false, complain, context);
}

struct ruleset *ruleset_load_unsent(const char *dir, ruleset_complain *complain, void *context)
{
	return load(dir, true, complain, context);
}

void ruleset_free(struct ruleset *set)
{
	if (!set)
		return;
	free(set->asking);
	for (size_t i = 0; i < set->count; i++)
		free_rule(set->rules[i]);
	for (size_t i = 0; i < set->files_count; i++) {
		yaml_file_unload(&probe_file_schema, set->files[i].probe);
		yaml_file_close(set->files[i].yaml);
	}
	yaml_file_unload(&custom_schema, set->custom);
	yaml_file_close(set->custom_yaml);
	free(set);
}

size_t ruleset_count(const struct ruleset *set)
{
	return set->count;
}

const struct rule *ruleset_at(const struct ruleset *set, size_t i)
{
	return set->rules[i];
}

const struct rule *ruleset_find(const struct ruleset *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->rules[i]->name, name) == 0)
			return set->rules[i];
	return NULL;
}

/* Less risk first, then fewer packets, then the name. */
static int compare_cost(const struct rule *a, const struct rule *b)
{
	if (a->risk != b->risk)
		return a->risk < b->risk ? -1 : 1;
	if (a->max_packets != b->max_packets)
		return a->max_packets < b->max_packets ? -1 : 1;
	return strcmp(a->name, b->name);
}

const struct rule *ruleset_next(const struct ruleset *set, const char *protocol, enum transport transport,
				const struct rule *after)
{
	const struct rule *best = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct rule *rule = set->rules[i];

		if (strcmp(rule->protocol, protocol) != 0 || (transport != TRANSPORT_NONE && rule->transport != transport))
			continue;
		if (after && compare_cost(rule, after) <= 0)
			continue;
		if (!best || compare_cost(rule, best) < 0)
			best = rule;
	}
	return best;
}

/* The first that stands not before the protocol. */
static size_t first_asking(const struct ruleset *set, const char *protocol)
{
	size_t low = 0, high = set->asking_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(set->asking[middle].protocol, protocol) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct rule *ruleset_asking(const struct ruleset *set, const char *protocol, size_t *place)
{
	size_t at = *place ? *place - 1 : first_asking(set, protocol);

	if (at == set->asking_count || strcmp(set->asking[at].protocol, protocol) != 0)
		return NULL;
	*place = at + 2;
	return set->asking[at].rule;
}

bool rule_asks_service(const struct rule *rule, enum transport transport, const char *protocol, bool by_structure)
{
	for (size_t i = 0; transport == rule->transport && i < rule->seen_count; i++) {
		bool any = strcmp(rule->seen[i], "null") == 0;

		if (any ? transport == TRANSPORT_TCP && !by_structure : by_structure && strcmp(rule->seen[i], protocol) == 0)
			return true;
	}
	return false;
}

bool rule_takes_port(const struct rule *rule, uint16_t port)
{
	for (size_t i = 0; rule->risk == RISK_CUSTOM && i < rule->ports_count; i++)
		if (rule->ports[i] == port)
			return true;
	return rule->risk != RISK_CUSTOM;
}
