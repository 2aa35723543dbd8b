/*
 * A YAML document read into a struct by a table of keys. libyaml's document is used as it is, for it
 * knows the line of every node: all mistakes of a file can be told at once, each with its line.
 */
#ifndef SENSOR_SUPERVISOR_SETTINGS_H
#define SENSOR_SUPERVISOR_SETTINGS_H

#include "sensor/supervisor/configuration.h"

#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

enum setting_kind {
	SETTING_NUMBER, /* uint32_t, min .. max */
	SETTING_TRUTH,  /* uint32_t 0 or 1 */
	SETTING_CHOICE, /* uint32_t: place among `words` */
	SETTING_TEXT,   /* char[room], of the characters in `words` when given */
	SETTING_PATH,   /* char[room], made absolute; "-" stays */
	SETTING_GROUP,  /* a mapping of the keys in `keys` */
	SETTING_LIST,   /* a sequence; `item` is called for each */
};

struct settings;

struct setting {
	const char *key;
	enum setting_kind kind;
	size_t offset;
	size_t room;
	uint32_t min, max;
	const char *words;           /* choices parted by blanks, or allowed characters */
	const struct setting *keys;  /* ended by a NULL key */
	void (*item)(struct settings *s, yaml_node_t *node, void *base);
	/* Further check of a good value at `field`; tells mistakes itself. */
	void (*check)(struct settings *s, yaml_node_t *node, const char *field);
};

/* One reading of one file. */
struct settings {
	const char *path;
	yaml_document_t document;
	configuration_mistake *tell;
	void *context;
	int mistakes;
};

void settings_mistake(struct settings *s, const yaml_node_t *node, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reads all keys of a mapping into the struct at `base`. */
void settings_group(struct settings *s, yaml_node_t *mapping, const struct setting *keys, void *base);

/* The node of a key, NULL when the mapping lacks it. */
yaml_node_t *settings_find(struct settings *s, yaml_node_t *mapping, const char *key);

/* Loads the document. The root node, or NULL after telling why not. settings_end() in either case. */
yaml_node_t *settings_begin(struct settings *s, const char *path, configuration_mistake *tell, void *context);
void settings_end(struct settings *s);

#endif
