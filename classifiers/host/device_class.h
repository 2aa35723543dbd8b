/*
 * What a device is and who made it, judged from everything heard of it by the rules in rules/devices.
 *
 * A rule is data: conditions, all of which must hold, and what follows from them. Rules are loaded
 * once, before the walls go up; afterwards only memory is read.
 */
#ifndef CLASSIFIERS_HOST_DEVICE_CLASS_H
#define CLASSIFIERS_HOST_DEVICE_CLASS_H

#include "classifiers/finding/attribute.h"

#include <stddef.h>
#include <stdint.h>

enum {
	DEVICE_EXPECTS = 16,
	DEVICE_TEXT_BYTES = 512, /* more of a value is not looked at */
};

struct device_rules;

/* One value that was heard, with the protocol that said it. */
struct device_value {
	enum attribute attribute;
	const char *protocol;
	const char *value;
};

/* All that is known of a device; arrays may be NULL when their count is 0. Values of sub-assets don't belong here. */
struct device_evidence {
	const char *maker;              /* from its MAC, NULL when unknown */
	const struct device_value *values;
	size_t value_count;
	const char *const *serves;      /* protocols that it serves by structure or by nDPI's word */
	size_t serve_count;
	const char *const *speaks;      /* protocols that it uses as a client or a peer */
	size_t speak_count;
};

/* What follows. Texts are the rules' own and live as long as they; NULL for what no rule says. */
struct device_verdict {
	const char *vendor;             /* one canonical name: "Siemens" */
	const char *device_class;       /* a word of device_class_name() */
	const char *series;             /* family of products: "SIMATIC S7-300" */
	const char *os;                 /* "VxWorks" */
	const char *purdue;             /* level of the Purdue model where the class belongs, "1" */
	const char *attack;             /* asset of ATT&CK for ICS that the class is, "A0003" */
	const char *cpe;                /* part:vendor:product of the series' CPE name; a mapping, nothing heard */
	const char *vendor_rule;        /* names of the rules that decided */
	const char *class_rule;
	unsigned vendor_sure;           /* 1 .. 100 per cent, 0 for nothing */
	unsigned class_sure;
	const char *expects[DEVICE_EXPECTS]; /* protocols that a device of this kind serves */
	size_t expect_count;
};

/*
 * Loads every *.yaml of the folder and its base (classifiers/files/rule_folder.h), names sorted. Strict: the first
 * mistake of each file goes to `error` as "file:line: what" lines and NULL is returned; a folder without any rule is
 * a mistake too.
 */
struct device_rules *device_rules_load(const char *folder, char *error, size_t room);
void device_rules_free(struct device_rules *r);
size_t device_rules_count(const struct device_rules *r);

/*
 * Judges. For each of vendor, class, series and os the surest matching rule decides; of equal ones the
 * one with more conditions, then the one that loaded first. The outcome does not depend on the order of
 * the evidence. r may be NULL: nothing follows. One call at a time for the same rules.
 */
void device_class_of(const struct device_rules *r, const struct device_evidence *e, struct device_verdict *out);

/*
 * A whole CPE 2.3 name (NISTIR 7695, 6.2) of the verdict's cpe with a version as the device wrote it;
 * NULL or "" leaves any version. Its length, 0 when the verdict has none or it does not fit.
 */
size_t device_cpe(const struct device_verdict *v, const char *version, char *out, size_t room);

/* Level and ATT&CK asset of a class, as in a verdict; NULL for what no file says. */
void device_class_place(const struct device_rules *r, const char *device_class, const char **purdue, const char **attack);

/* The closed list of classes: "plc", "rtu", "hmi", ...; NULL past its end. */
const char *device_class_name(unsigned index);

#endif
