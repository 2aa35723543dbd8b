/* Loads what is known beforehand, and judges assets by it. */
#include "sensor/hub/knowledge.h"

#include "sensor/common/log.h"

#include <stdio.h>
#include <string.h>

enum { NOTE_BYTES = 1024, EVIDENCE_MOST = 512 };

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	if (line)
		log_error("%s:%u: %s", file, line, what);
	else
		log_error("%s: %s", file, what);
}

static void load_makers(struct knowledge *k, const struct hub_config *c, const struct makers_wanted *wanted)
{
	char note[NOTE_BYTES] = "";

	if (!c->oui_file[0])
		return;
	k->makers = makers_load_wanted(c->oui_file, wanted, note, sizeof note);
	if (note[0])
		log_warning("makers of MAC addresses: %s", note);
}

static void open_places(struct knowledge *k, const struct hub_config *c)
{
	char note[NOTE_BYTES] = "";

	if (!c->country_db[0] && !c->asn_db[0])
		return;
	k->places = places_open(c->country_db, c->asn_db, note, sizeof note);
	if (note[0])
		log_warning("places of addresses: %s", note);
}

typedef struct ruleset *load_probes(const char *dir, ruleset_complain *complain, void *context);

static int load_rules(struct knowledge *k, const struct hub_config *c, load_probes *load)
{
	char folder[CONFIG_PATH_BYTES + 16], error[NOTE_BYTES] = "";

	if (!c->rules_dir[0]) {
		log_warning("no folder of rules: no device classes, and no gap has a probe");
		return -1;
	}
	snprintf(folder, sizeof folder, "%s/devices", c->rules_dir);
	k->devices = device_rules_load(folder, error, sizeof error);
	if (!k->devices)
		log_error("device classes: %s", error);
	k->rules = load(c->rules_dir, complain, NULL);
	if (k->rules)
		k->policy = policy_load(c->rules_dir, k->rules, complain, NULL);
	return k->devices && k->rules && k->policy ? 0 : -1;
}

int knowledge_load(struct knowledge *k, const struct hub_config *config)
{
	memset(k, 0, sizeof *k);
	load_makers(k, config, NULL);
	open_places(k, config);
	if (load_rules(k, config, ruleset_load) == 0)
		return 0;
	if (config->rules_dir[0])
		log_error("%s: the rules are not usable", config->rules_dir);
	return -1;
}

void knowledge_load_to_read(struct knowledge *k, const struct hub_config *config)
{
	memset(k, 0, sizeof *k);
	open_places(k, config);
	if (load_rules(k, config, ruleset_load_unsent) < 0 && config->rules_dir[0])
		log_error("%s: the rules are not usable; going on without those parts", config->rules_dir);
}

void knowledge_load_makers(struct knowledge *k, const struct hub_config *config, const struct picture *p)
{
	static struct makers_wanted wanted;

	for (uint32_t i = 0; i < p->node_count; i++)
		if (p->nodes[i]->family == 0)
			makers_want(&wanted, p->nodes[i]->address);
	load_makers(k, config, &wanted);
}

void knowledge_free(struct knowledge *k)
{
	makers_free(k->makers);
	if (k->places)
		places_close(k->places);
	if (k->devices)
		device_rules_free(k->devices);
	if (k->policy)
		policy_free(k->policy);
	if (k->rules)
		ruleset_free(k->rules);
	memset(k, 0, sizeof *k);
}

static const char *maker_of_asset(const struct knowledge *k, const struct view *v)
{
	const char *maker = NULL;

	for (size_t i = 0; i < v->mac_count && !maker; i++)
		maker = maker_of(k->makers, v->nodes[i]->address);
	return maker;
}

static size_t gather_values(const struct view *v, bool stated_too, struct device_value *to)
{
	size_t count = 0;

	for (size_t i = 0; i < v->attribute_count && count < EVIDENCE_MOST; i++) {
		const struct attribute_item *a = v->attributes[i].item;

		if (view_is_device(v, a->path) && (stated_too || a->source != SOURCE_ANALYST))
			to[count++] = (struct device_value){ (enum attribute)a->attribute, a->protocol, a->value };
	}
	return count;
}

static size_t gather_served(const struct view *v, const char **to)
{
	size_t count = 0;

	for (size_t i = 0; i < v->service_count && count < EVIDENCE_MOST; i++)
		if (v->services[i].item->evidence >= EVIDENCE_NDPI && !v->services[i].shadowed)
			to[count++] = v->services[i].item->protocol;
	return count;
}

static size_t gather_spoken(const struct view *v, const char **to)
{
	size_t count = 0;

	for (size_t i = 0; i < v->speak_count && count < EVIDENCE_MOST; i++)
		to[count++] = v->speaks[i]->protocol;
	return count;
}

static bool any_stated(const struct view *v)
{
	for (size_t i = 0; i < v->attribute_count; i++)
		if (v->attributes[i].item->source == SOURCE_ANALYST)
			return true;
	return false;
}

static const char *stated(const struct view *v, enum attribute a)
{
	const struct view_attribute *best = view_best(v, a);

	return best && best->item->source == SOURCE_ANALYST ? best->item->value : NULL;
}

/* What an analyst says that it is, it is. What the device itself says is not forgotten: a policy looks at both. */
static void take_stated(const struct knowledge *k, const struct view *v, struct judgement *out)
{
	const char *class = stated(v, ATTR_DEVICE_CLASS), *vendor = stated(v, ATTR_VENDOR);

	if (vendor && !out->vendor)
		out->vendor = vendor;
	if (!class)
		return;
	out->class = class;
	device_class_place(k->devices, class, &out->verdict.purdue, &out->verdict.attack);
}

void knowledge_judge(const struct knowledge *k, const struct view *v, struct judgement *out)
{
	struct device_value values[EVIDENCE_MOST];
	const char *serves[EVIDENCE_MOST], *speaks[EVIDENCE_MOST];
	struct device_evidence e = { .values = values, .serves = serves, .speaks = speaks };

	memset(out, 0, sizeof *out);
	out->maker = e.maker = maker_of_asset(k, v);
	e.value_count = gather_values(v, false, values);
	e.serve_count = gather_served(v, serves);
	e.speak_count = gather_spoken(v, speaks);
	device_class_of(k->devices, &e, &out->verdict);
	out->heard_class = out->verdict.device_class;
	if (any_stated(v)) {
		e.value_count = gather_values(v, true, values);
		device_class_of(k->devices, &e, &out->verdict);
	}
	out->vendor = out->verdict.vendor;
	out->class = out->verdict.device_class;
	out->series = out->verdict.series;
	out->os = out->verdict.os;
	/* Frames of several addresses come from its MAC: that is what a router is. */
	if (!out->heard_class && v->mac_count && (v->flags & (NODE_ROUTER | NODE_PROXY | NODE_FORWARDS)))
		out->heard_class = "router";
	if (!out->class)
		out->class = out->heard_class;
	take_stated(k, v, out);
}
