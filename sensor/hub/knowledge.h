/*
 * What the hub knows beforehand: makers of MACs, places of addresses, device classes, probe rules and
 * the plant's policy. Loaded once; what is missing is told and done without.
 */
#ifndef SENSOR_HUB_KNOWLEDGE_H
#define SENSOR_HUB_KNOWLEDGE_H

#include "active/ruleset/policy.h"
#include "active/ruleset/ruleset.h"
#include "classifiers/host/device_class.h"
#include "classifiers/host/maker.h"
#include "classifiers/host/place.h"
#include "sensor/common/config.h"
#include "sensor/hub/view.h"

struct knowledge {
	struct makers *makers;
	struct places *places;
	struct device_rules *devices;
	struct ruleset *rules;
	struct policy *policy;
};

/* What is judged of an asset from everything heard of it. Texts are NULL when nothing follows. */
struct judgement {
	const char *maker;  /* of the MAC, as the registry writes it */
	const char *vendor; /* canonical: "Siemens" */
	const char *class;  /* "plc", "router" ...: an analyst's word, or what follows from what was heard */
	const char *heard_class; /* what follows from what was heard alone, where an analyst stated anything; else as class */
	const char *series, *os;
	struct device_verdict verdict;
};

/* Before the walls go up. A missing or wrong rules folder is an error (-1). */
int knowledge_load(struct knowledge *k, const struct hub_config *config);
/* For a hub that proposes to nobody: a missing or wrong rules folder is a warning, and makers come with knowledge_load_makers(). */
void knowledge_load_to_read(struct knowledge *k, const struct hub_config *config);
/* The makers that this picture's MACs can have. */
void knowledge_load_makers(struct knowledge *k, const struct hub_config *config, const struct picture *p);
void knowledge_free(struct knowledge *k);

void knowledge_judge(const struct knowledge *k, const struct view *v, struct judgement *out);

#endif
