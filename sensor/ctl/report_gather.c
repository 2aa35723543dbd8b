/* Looks up once what all sections of the report use. */
#include "sensor/ctl/report.h"

#include "sensor/ctl/document_words.h"

#include <stdlib.h>
#include <string.h>

const struct report_level report_levels[REPORT_LEVELS] = {
	{ "5", "Level 5: enterprise" }, { "4", "Level 4: business of the site" }, { "3.5", "Level 3.5: between plant and office" },
	{ "3", "Level 3: operations" }, { "2", "Level 2: supervision" }, { "1", "Level 1: control" }, { "0", "Level 0: process" },
	{ "", "Level not known" },
};

static unsigned level_of(const char *value)
{
	for (unsigned i = 0; i < REPORT_LEVELS; i++)
		if (strcmp(report_levels[i].value, value) == 0)
			return i;
	return REPORT_LEVELS - 1;
}

static unsigned zone_of(struct report *r, const char *name)
{
	for (size_t i = 0; i < r->zone_count; i++)
		if (strcmp(r->zones[i], name) == 0) /* what is counted is there. NOLINT(clang-analyzer-core.NonNullParamChecker) */
			return (unsigned)i;
	r->zones[r->zone_count] = name;
	return (unsigned)r->zone_count++;
}

void report_gather(struct report *r, const struct asset_list *list)
{
	r->devices = calloc(list->count + 1, sizeof *r->devices);
	r->zones = calloc(list->count + 1, sizeof *r->zones);
	if (!r->devices || !r->zones)
		abort();
	for (size_t i = 0; i < list->count; i++) {
		const json_t *document = list->items[i].document, *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");
		struct report_device *d = &r->devices[r->count++];

		*d = (struct report_device){ .document = document, .ot = ot, .asset = asset };
		words_address(ot, d->address, sizeof d->address);
		d->zone = zone_of(r, words_text(asset, "zone"));
		d->level = level_of(words_text(asset, "purdue_level"));
		d->known = json_number_value(json_object_get(asset, "completeness"));
	}
}

void report_free(struct report *r)
{
	free(r->devices);
	free(r->zones);
}
