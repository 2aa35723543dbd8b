/* Counts what of CISA's inventory attributes is known of an asset. */
#include "sensor/hub/completeness.h"

#include <ctype.h>
#include <string.h>

enum { ATTRIBUTES_OF_LIST = 16 };

/* A port alone is a guess. */
static bool is_known(unsigned evidence)
{
	return evidence == EVIDENCE_STRUCTURE || evidence == EVIDENCE_NDPI;
}

static bool serves(const struct view *v)
{
	for (size_t i = 0; i < v->service_count; i++)
		if (is_known(v->services[i].item->evidence))
			return true;
	return false;
}

static bool speaks(const struct view *v)
{
	for (size_t i = 0; i < v->speak_count; i++)
		if (is_known(v->speaks[i]->evidence))
			return true;
	return false;
}

static bool speaks_any(const struct view *v, const char *one, const char *other)
{
	for (size_t i = 0; i < v->speak_count; i++)
		if (strcmp(v->speaks[i]->protocol, one) == 0 || strcmp(v->speaks[i]->protocol, other) == 0)
			return true;
	return false;
}

static const char *system_of(const struct subject *s)
{
	const struct view_attribute *heard = view_best(s->view, ATTR_OS);

	return heard ? heard->item->value : s->judgement->os;
}

static bool has_digit(const char *text)
{
	while (text && *text)
		if (isdigit((unsigned char)*text++))
			return true;
	return false;
}

void completeness_put(struct json *j, const struct subject *s)
{
	const struct view *v = s->view;
	const struct judgement *k = s->judgement;
	const struct {
		const char *name;
		bool known;
	} list[ATTRIBUTES_OF_LIST] = {
		{ "communication_protocols", serves(v) || speaks(v) },
		{ "role", k->class || view_best(v, ATTR_DEVICE_CLASS) || view_best(v, ATTR_ROLE) },
		{ "hostname", view_best(v, ATTR_HOSTNAME) || view_best(v, ATTR_NAME) },
		{ "ip_address", v->node_count > v->mac_count },
		{ "logging", speaks_any(v, "syslog", "syslog") },
		{ "mac_address", v->mac_count > 0 },
		{ "manufacturer", k->maker || k->vendor || view_best(v, ATTR_VENDOR) },
		{ "model", view_best(v, ATTR_PRODUCT) || view_best(v, ATTR_ORDER_CODE) },
		{ "operating_system", system_of(s) != NULL },
		{ "location", view_best(v, ATTR_LOCATION) != NULL },
		{ "ports_services", serves(v) },
		{ "firmware_version", view_best(v, ATTR_FIRMWARE) || view_best(v, ATTR_SOFTWARE) },
		{ "os_version", has_digit(system_of(s)) },
		{ "vlan", v->asset->nodes->vlan[0] != 0 },
		{ "serial_number", view_best(v, ATTR_SERIAL) != NULL },
		{ "time_source", speaks_any(v, "ntp", "ptp") },
	};
	unsigned known = 0;

	for (size_t i = 0; i < ATTRIBUTES_OF_LIST; i++)
		known += list[i].known;
	json_hundredths(j, "completeness", known * 100 / ATTRIBUTES_OF_LIST);
	if (known == ATTRIBUTES_OF_LIST)
		return;
	json_open(j, "lacks", '[');
	for (size_t i = 0; i < ATTRIBUTES_OF_LIST; i++)
		if (!list[i].known)
			json_text(j, NULL, list[i].name);
	json_close(j, ']');
}
