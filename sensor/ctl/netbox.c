/* What NetBox demands and nobody knows is "Unknown"; names are unique, as NetBox wants them within a site. */
#include "sensor/ctl/netbox.h"

#include "sensor/ctl/csv.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/terminal.h"

#include <string.h>

/* NetBox's own limits, in characters. */
enum { NAME_MAX_COLUMNS = 64, SERIAL_MAX_COLUMNS = 50, MODEL_MAX_COLUMNS = 100, CELL_BYTES = 512 };

enum column { NAME, STATUS, ROLE, MANUFACTURER, DEVICE_TYPE, SERIAL, ASSET_TAG, SITE, COMMENTS, COLUMNS };

static const char *const columns[COLUMNS + 1] = { "name", "status", "role", "manufacturer", "device_type", "serial", "asset_tag", "site",
						  "comments", NULL };

struct device {
	char cell[COLUMNS][CELL_BYTES];
};

/* At most so many characters, whole ones. */
static void put(char *cell, const char *text, int most)
{
	size_t n = text_fitting(text, most);

	snprintf(cell, CELL_BYTES, "%.*s", (int)(n < CELL_BYTES ? n : CELL_BYTES - 1), text);
}

static void name_device(struct device *d, const json_t *ot, const json_t *taken)
{
	const char *name = words_name(ot);
	char address[CELL_BYTES], both[CELL_BYTES * 2];

	words_address(ot, address, sizeof address);
	put(d->cell[NAME], name[0] ? name : address, NAME_MAX_COLUMNS);
	if (!json_object_get(taken, d->cell[NAME]))
		return;
	/* The address alone may be twice too, in two zones; the id never is. */
	snprintf(both, sizeof both, "%.30s %s", words_text(json_object_get(ot, "asset"), "id"), address);
	put(d->cell[NAME], both, NAME_MAX_COLUMNS);
}

static void fill_device(struct device *d, const json_t *document, const char *site)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");
	const char *class = words_text(asset, "class"), *vendor = words_vendor(document);
	char model[CELL_BYTES], ips[CELL_BYTES / 2], macs[CELL_BYTES / 4];

	memset(d->cell[COMMENTS], 0, CELL_BYTES);
	words_model(document, model, sizeof model);
	words_join(json_object_get(asset, "ip"), ips, sizeof ips);
	words_join(json_object_get(asset, "mac"), macs, sizeof macs);
	put(d->cell[STATUS], "active", CELL_BYTES);
	put(d->cell[ROLE], class[0] ? class : "Unknown", NAME_MAX_COLUMNS);
	put(d->cell[MANUFACTURER], vendor[0] ? vendor : "Unknown", MODEL_MAX_COLUMNS);
	put(d->cell[DEVICE_TYPE], model[0] ? model : "Unknown", MODEL_MAX_COLUMNS);
	put(d->cell[SERIAL], words_text(json_object_get(document, "device"), "serial_number"), SERIAL_MAX_COLUMNS);
	put(d->cell[ASSET_TAG], words_text(asset, "id"), SERIAL_MAX_COLUMNS);
	put(d->cell[SITE], site ? site : words_text(asset, "zone"), MODEL_MAX_COLUMNS);
	snprintf(d->cell[COMMENTS], CELL_BYTES, "heard by askance; IP %s; MAC %s; firmware %.64s", ips[0] ? ips : "none", macs[0] ? macs : "none",
		 words_text(asset, "firmware")[0] ? words_text(asset, "firmware") : "unknown");
}

static json_t *device_object(const struct device *d)
{
	json_t *o = json_object();

	for (int i = 0; i < COLUMNS; i++)
		if (d->cell[i][0])
			json_object_set_new(o, columns[i], json_string(d->cell[i]));
	return o;
}

static void print_device(const struct device *d, FILE *to)
{
	const char *cells[COLUMNS + 1] = { NULL };

	for (int i = 0; i < COLUMNS; i++)
		cells[i] = d->cell[i];
	csv_row(cells, to);
}

int netbox_write(const struct asset_list *a, const char *site, bool as_json, FILE *to)
{
	json_t *taken = json_object(), *all = json_array();
	int result = 0;

	if (!as_json)
		csv_row(columns, to);
	for (size_t i = 0; i < a->count; i++) {
		const json_t *document = a->items[i].document;
		struct device d;

		name_device(&d, json_object_get(document, "ot"), taken);
		json_object_set_new(taken, d.cell[NAME], json_true());
		fill_device(&d, document, site);
		if (as_json)
			json_array_append_new(all, device_object(&d));
		else
			print_device(&d, to);
	}
	if (as_json && (json_dumpf(all, to, JSON_INDENT(1)) < 0 || putc('\n', to) == EOF))
		result = -1;
	json_decref(taken);
	json_decref(all);
	return result;
}
