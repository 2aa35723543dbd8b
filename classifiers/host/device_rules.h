/* Device rules as they stand in memory, between their loader and the judge. Not for other parts. */
#ifndef CLASSIFIERS_HOST_DEVICE_RULES_H
#define CLASSIFIERS_HOST_DEVICE_RULES_H

#include "classifiers/finding/attribute.h"

#include <stddef.h>
#include <stdint.h>

/* Where a condition looks: exactly one of maker, attribute, serves, speaks is filled. */
struct device_condition {
	char **maker;               /* patterns of the maker of the MAC */
	unsigned maker_count;
	enum attribute *attribute;  /* any of these attributes ... */
	unsigned attribute_count;
	char **protocol;            /* ... said by any of these protocols; none listed: by any */
	unsigned protocol_count;
	char **is;                  /* ... fits any of these patterns */
	unsigned is_count;
	uint64_t *number;           /* ... or is any of these numbers */
	unsigned number_count;
	char **serves;              /* any of these protocols */
	unsigned serves_count;
	char **speaks;
	unsigned speaks_count;
};

struct device_rule {
	char *name;
	char *vendor;
	unsigned class;             /* index in the class names, CLASS_NONE for none */
	char *series;
	char *os;
	unsigned sure;
	struct device_condition *when;
	unsigned when_count;
	char **expects;
	unsigned expects_count;
};

/* Where devices of a class belong. */
struct class_fact {
	unsigned class;
	char *purdue;               /* level of the Purdue model: "0" .. "5", "3.5" */
	char *attack;               /* asset of ATT&CK for ICS, "A0003"; NULL when it has none for the class */
};

/* A family of products and how the National Vulnerability Database names it. */
struct cpe_fact {
	char *series;
	char *cpe;                  /* part:vendor:product of a CPE 2.3 name */
};

struct device_file {
	char *source;
	struct device_rule *rule;
	unsigned rule_count;
	struct class_fact *class;
	unsigned class_count;
	struct cpe_fact *cpe;
	unsigned cpe_count;
};

struct device_schema;
struct device_index;

enum { CLASS_NONE = 0, DEVICE_CLASSES = 32 };

struct device_rules {
	struct device_schema *schema; /* libcyaml frees what it loaded by it */
	struct device_file **file;
	size_t files;
	uint32_t *name;               /* hashes of the rules' names; its room is a power of two */
	size_t names;
	const struct class_fact *of_class[DEVICE_CLASSES]; /* by class; NULL where no file says */
	struct device_index *index; /* of all conditions */
};

#endif
