/* Loads rules/devices/NAME.yaml through libcyaml, strictly, and names the line of every mistake. */
#include "classifiers/host/device_rules.h"

#include "classifiers/files/rule_folder.h"
#include "classifiers/host/device_class.h"
#include "classifiers/host/device_index.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	RULES_PER_FILE = 1024,
	ITEMS = 256,
	FILES_MAX = 512,
	WORD_MAX = 23,   /* a protocol's name */
	TEXT_MAX = 120,
	MESSAGE_BYTES = 256,
};

/* Bytes that stand round a word in YAML. */
#define WORD_ENDS " \t\r\n\"':,[]{}"

static const cyaml_strval_t classes[] = {
	{ "none", CLASS_NONE },
	{ "plc", 1 }, { "rtu", 2 }, { "hmi", 3 }, { "io-device", 4 }, { "drive", 5 }, { "switch", 6 }, { "router", 7 },
	{ "gateway", 8 }, { "printer", 9 }, { "camera", 10 }, { "server", 11 }, { "workstation", 12 },
	{ "engineering-station", 13 }, { "historian", 14 }, { "sensor", 15 }, { "meter", 16 }, { "ied", 17 },
	{ "building-controller", 18 }, { "ups", 19 }, { "phone", 20 }, { "firewall", 21 }, { "access-point", 22 },
	{ "robot", 23 }, { "other", 24 }, { "safety", 25 },
};
enum { CLASSES = sizeof(classes) / sizeof(classes[0]) };
_Static_assert((int)CLASSES <= (int)DEVICE_CLASSES, "each class has a place in of_class");

static const cyaml_schema_field_t class_fields[] = {
	CYAML_FIELD_ENUM("class", CYAML_FLAG_STRICT, struct class_fact, class, classes, CLASSES),
	CYAML_FIELD_STRING_PTR("purdue", CYAML_FLAG_POINTER, struct class_fact, purdue, 1, WORD_MAX),
	CYAML_FIELD_STRING_PTR("attack", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct class_fact, attack, 1, WORD_MAX),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t class_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct class_fact, class_fields) };

static const cyaml_schema_field_t cpe_fields[] = {
	CYAML_FIELD_STRING_PTR("series", CYAML_FLAG_POINTER, struct cpe_fact, series, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("cpe", CYAML_FLAG_POINTER, struct cpe_fact, cpe, 1, TEXT_MAX),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t cpe_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct cpe_fact, cpe_fields) };

static const cyaml_schema_value_t text_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX) };
static const cyaml_schema_value_t word_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, WORD_MAX) };
static const cyaml_schema_value_t number_schema = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint64_t) };

/* The attribute's words come from the one list that all parts share, so this schema is made at run time. */
struct device_schema {
	cyaml_strval_t attributes[ATTRIBUTES];
	cyaml_schema_value_t attribute;
	cyaml_schema_field_t condition_fields[8];
	cyaml_schema_value_t condition;
	cyaml_schema_field_t rule_fields[9];
	cyaml_schema_value_t rule;
	cyaml_schema_field_t file_fields[5];
	cyaml_schema_value_t file;
};

#define LIST(key, type, member, entry, most) \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, entry, 1, most)
#define OPTIONAL_TEXT(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, TEXT_MAX)

static void make_condition_schema(struct device_schema *s)
{
	cyaml_schema_field_t fields[] = {
		LIST("maker", struct device_condition, maker, &text_schema, ITEMS),
		LIST("attribute", struct device_condition, attribute, &s->attribute, ITEMS),
		LIST("protocol", struct device_condition, protocol, &word_schema, ITEMS),
		LIST("is", struct device_condition, is, &text_schema, ITEMS),
		LIST("number", struct device_condition, number, &number_schema, ITEMS),
		LIST("serves", struct device_condition, serves, &word_schema, ITEMS),
		LIST("speaks", struct device_condition, speaks, &word_schema, ITEMS),
		CYAML_FIELD_END
	};

	for (unsigned a = ATTR_NONE + 1; a < ATTRIBUTES; a++)
		s->attributes[a - 1] = (cyaml_strval_t){ attribute_name((enum attribute)a), (int64_t)a };
	s->attribute = (cyaml_schema_value_t){ CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum attribute, s->attributes, ATTRIBUTES - 1) };
	memcpy(s->condition_fields, fields, sizeof(fields));
	s->condition = (cyaml_schema_value_t){ CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct device_condition, s->condition_fields) };
}

static void make_schema(struct device_schema *s)
{
	cyaml_schema_field_t rule_fields[] = {
		CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct device_rule, name, 1, TEXT_MAX),
		OPTIONAL_TEXT("vendor", struct device_rule, vendor),
		CYAML_FIELD_ENUM("class", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct device_rule, class, classes, CLASSES),
		OPTIONAL_TEXT("series", struct device_rule, series),
		OPTIONAL_TEXT("os", struct device_rule, os),
		CYAML_FIELD_UINT("sure", CYAML_FLAG_DEFAULT, struct device_rule, sure),
		CYAML_FIELD_SEQUENCE("when", CYAML_FLAG_POINTER, struct device_rule, when, &s->condition, 1, 16),
		LIST("expects", struct device_rule, expects, &word_schema, DEVICE_EXPECTS),
		CYAML_FIELD_END
	};
	cyaml_schema_field_t file_fields[] = {
		CYAML_FIELD_STRING_PTR("source", CYAML_FLAG_POINTER, struct device_file, source, 1, 1024),
		LIST("rules", struct device_file, rule, &s->rule, RULES_PER_FILE),
		LIST("classes", struct device_file, class, &class_schema, CLASSES),
		LIST("cpes", struct device_file, cpe, &cpe_schema, RULES_PER_FILE),
		CYAML_FIELD_END
	};

	make_condition_schema(s);
	memcpy(s->rule_fields, rule_fields, sizeof(rule_fields));
	s->rule = (cyaml_schema_value_t){ CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct device_rule, s->rule_fields) };
	memcpy(s->file_fields, file_fields, sizeof(file_fields));
	s->file = (cyaml_schema_value_t){ CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct device_file, s->file_fields) };
}

/* What libcyaml said while it failed: its first sentence, and the first line number after it. */
struct complaint {
	char what[MESSAGE_BYTES];
	unsigned long line;
};

static void hear_complaint(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct complaint *c = ctx;
	char text[MESSAGE_BYTES], *number;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = 0;
	number = strstr(text, "line: ");
	if (c->line == 0 && number != NULL)
		c->line = strtoul(number + strlen("line: "), NULL, 10);
	if (c->what[0] == 0) {
		const char *from = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;

		memcpy(c->what, from, strlen(from) + 1);
	}
}

static cyaml_config_t make_config(struct complaint *c)
{
	return (cyaml_config_t){
		.log_fn = hear_complaint,
		.log_ctx = c,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

static void tell_error(char *error, size_t room, const char *path, unsigned long line, const char *what)
{
	size_t used = strlen(error);

	if (used + 1 < room)
		snprintf(error + used, room - used, "%s%s:%lu: %s", used > 0 ? "\n" : "", path, line, what);
}

/* The first line from `from` on that holds `text` between bytes that can't be part of a word; 0 for none. */
static unsigned long find_line(const char *path, unsigned long from, const char *text)
{
	char line[512];
	unsigned long number = 0, found = 0;
	FILE *f = fopen(path, "re");

	while (f != NULL && found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (++number >= from)
			for (const char *at = line; found == 0 && (at = strstr(at, text)) != NULL; at++)
				if ((at == line || strchr(WORD_ENDS, at[-1]) != NULL) && strchr(WORD_ENDS, at[strlen(text)]) != NULL)
					found = number;
	if (f != NULL)
		fclose(f);
	return found;
}

/*
 * libcyaml names the line of the last thing that was right, and ends its sentence with the word that is
 * wrong ("Unexpected key: clas"): that word's line is the one to mend.
 */
static unsigned long line_of_complaint(const char *path, const struct complaint *c)
{
	const char *word = strrchr(c->what, ':');
	unsigned long line = 0;

	if (word != NULL && word[1] == ' ' && word[2] != 0)
		line = find_line(path, c->line, word + 2);
	return line != 0 ? line : c->line;
}

/* What the schema can't say of one condition; NULL when all is well. */
static const char *condition_mistake(const struct device_condition *c)
{
	int places = (c->maker_count > 0) + (c->attribute_count > 0) + (c->serves_count > 0) + (c->speaks_count > 0);

	if (places != 1)
		return "a condition needs exactly one of maker, attribute, serves, speaks";
	if (c->attribute_count > 0 && c->is_count + c->number_count == 0)
		return "a condition on an attribute needs 'is' or 'number'";
	if (c->attribute_count == 0 && c->is_count + c->number_count + c->protocol_count > 0)
		return "'is', 'number' and 'protocol' belong to a condition on an attribute";
	return NULL;
}

static const char *rule_mistake(const struct device_rule *r)
{
	if (r->sure < 1 || r->sure > 100)
		return "'sure' is a per cent from 1 to 100";
	if (r->vendor == NULL && r->class == CLASS_NONE && r->series == NULL && r->os == NULL && r->expects_count == 0)
		return "a rule says something: vendor, class, series, os or expects";
	for (unsigned i = 0; i < r->when_count; i++) {
		const char *mistake = condition_mistake(&r->when[i]);

		if (mistake != NULL)
			return mistake;
	}
	return NULL;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261;

	for (; *name != 0; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619;
	return hash;
}

/* Names lie all over the memory, so their hashes are looked at first. False, so that names are, when there is no room to keep this one. */
static bool hash_is_new(struct device_rules *all, const char *name)
{
	uint32_t hash = hash_of(name), *more;

	for (size_t i = 0; i < all->names; i++)
		if (all->name[i] == hash)
			return false;
	if ((all->names & (all->names - 1)) == 0) {
		more = realloc(all->name, (all->names != 0 ? 2 * all->names : 1) * sizeof(*more));
		if (more == NULL)
			return false;
		all->name = more;
	}
	all->name[all->names++] = hash;
	return true;
}

static bool name_is_taken(struct device_rules *all, const struct device_file *file, unsigned index)
{
	const char *name = file->rule[index].name;

	if (hash_is_new(all, name))
		return false;
	for (size_t f = 0; f < all->files; f++)
		for (unsigned i = 0; i < all->file[f]->rule_count; i++)
			if (strcmp(all->file[f]->rule[i].name, name) == 0)
				return true;
	for (unsigned i = 0; i < index; i++)
		if (strcmp(file->rule[i].name, name) == 0)
			return true;
	return false;
}

static const char *class_mistake(const struct class_fact *c)
{
	static const char *const levels[] = { "0", "1", "2", "3", "3.5", "4", "5" };
	bool level = false;

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		level |= strcmp(c->purdue, levels[i]) == 0;
	if (!level)
		return "'purdue' is a level: 0, 1, 2, 3, 3.5, 4 or 5";
	if (c->attack != NULL && (c->attack[0] != 'A' || strlen(c->attack) != 5 || strspn(c->attack + 1, "0123456789") != 4))
		return "'attack' is the number of an ATT&CK asset, A0003";
	return NULL;
}

/* {h|o|a}:vendor:product, in the letters of a formatted CPE name. */
static const char *cpe_mistake(const struct cpe_fact *c)
{
	const char *first = strchr(c->cpe, ':'), *second = first != NULL ? strchr(first + 1, ':') : NULL;

	if (strchr("hoa", c->cpe[0]) == NULL || first != c->cpe + 1 || second == NULL || second[1] == 0 || strchr(second + 1, ':') != NULL)
		return "'cpe' is part:vendor:product, with h, o or a for the part";
	if (c->cpe[strspn(c->cpe, "abcdefghijklmnopqrstuvwxyz0123456789_-.:\\!")] != 0)
		return "'cpe' is written in small letters, digits, _ - . and escaped signs";
	return NULL;
}

static bool check_facts(struct device_rules *all, const struct device_file *file, const char *path, char *error, size_t room)
{
	char entry[TEXT_MAX + 8];

	for (unsigned i = 0; i < file->class_count; i++) {
		const struct class_fact *c = &file->class[i];
		const char *mistake = class_mistake(c);

		if (mistake == NULL && all->of_class[c->class] != NULL)
			mistake = "this class has its place already";
		if (mistake != NULL) {
			snprintf(entry, sizeof(entry), "class: %s,", classes[c->class].str);
			tell_error(error, room, path, find_line(path, 1, entry), mistake);
			return false;
		}
		all->of_class[c->class] = c;
	}
	for (unsigned i = 0; i < file->cpe_count; i++)
		if (cpe_mistake(&file->cpe[i]) != NULL) {
			tell_error(error, room, path, find_line(path, 1, file->cpe[i].cpe), cpe_mistake(&file->cpe[i]));
			return false;
		}
	return true;
}

static bool check_file(struct device_rules *all, const struct device_file *file, const char *path, char *error, size_t room)
{
	for (unsigned i = 0; i < file->rule_count; i++) {
		const char *mistake = rule_mistake(&file->rule[i]);
		char what[MESSAGE_BYTES], entry[TEXT_MAX + 8];

		if (mistake == NULL && name_is_taken(all, file, i))
			mistake = "this name is taken by an earlier rule";
		if (mistake == NULL)
			continue;
		snprintf(what, sizeof(what), "rule %s: %s", file->rule[i].name, mistake);
		snprintf(entry, sizeof(entry), "name: %s", file->rule[i].name);
		tell_error(error, room, path, find_line(path, 1, entry), what);
		return false;
	}
	return check_facts(all, file, path, error, room);
}

static void free_file(const struct device_schema *s, struct device_file *file)
{
	struct complaint ignored = { 0 };
	cyaml_config_t config = make_config(&ignored);

	if (file != NULL)
		cyaml_free(&config, &s->file, file, 0);
}

static bool load_file(struct device_rules *all, const char *path, char *error, size_t room)
{
	const struct device_schema *s = all->schema;
	struct complaint complaint = { 0 };
	cyaml_config_t config = make_config(&complaint);
	struct device_file *file = NULL;
	cyaml_err_t status = cyaml_load_file(path, &config, &s->file, (cyaml_data_t **)&file, NULL);

	if (status != CYAML_OK || file == NULL || file->rule_count + file->class_count + file->cpe_count == 0) {
		tell_error(error, room, path, line_of_complaint(path, &complaint),
			   complaint.what[0] != 0 ? complaint.what : status != CYAML_OK ? cyaml_strerror(status) : "holds no rule");
		free_file(s, file);
		return false;
	}
	if (!check_file(all, file, path, error, room)) {
		free_file(s, file);
		return false;
	}
	all->file[all->files++] = file;
	return true;
}

static bool load_folder(struct device_rules *all, const char *folder, char *error, size_t room)
{
	struct rule_folder list = { 0, NULL };
	bool good = false;

	if (rule_folder_list(&list, folder) < 0)
		tell_error(error, room, folder, 0, strerror(errno));
	else if (list.count == 0)
		tell_error(error, room, folder, 0, "holds no rule file (*.yaml)");
	else if (list.count > FILES_MAX)
		tell_error(error, room, folder, 0, "holds too many rule files");
	else
		good = (all->file = calloc(list.count, sizeof(struct device_file *))) != NULL;
	for (size_t i = 0; i < list.count && all->file != NULL; i++)
		good &= load_file(all, list.path[i], error, room);
	rule_folder_free(&list);
	return good;
}

struct device_rules *device_rules_load(const char *folder, char *error, size_t room)
{
	struct device_rules *all = calloc(1, sizeof(*all));

	if (room > 0)
		error[0] = 0;
	if (all == NULL)
		return NULL;
	all->schema = calloc(1, sizeof(*all->schema));
	if (all->schema != NULL) {
		make_schema(all->schema);
		if (load_folder(all, folder, error, room) && (all->index = device_index_make(all)) != NULL)
			return all;
	}
	device_rules_free(all);
	return NULL;
}

void device_rules_free(struct device_rules *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->files; i++)
		free_file(r->schema, r->file[i]);
	free(r->file);
	free(r->name);
	device_index_free(r->index);
	free(r->schema);
	free(r);
}

size_t device_rules_count(const struct device_rules *r)
{
	size_t n = 0;

	for (size_t i = 0; r != NULL && i < r->files; i++)
		n += r->file[i]->rule_count;
	return n;
}

const char *device_class_name(unsigned index)
{
	return index + 1 < CLASSES ? classes[index + 1].str : NULL;
}
