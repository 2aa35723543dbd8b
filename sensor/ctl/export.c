/* askance export: the inventory in the form of others. */
#include "sensor/ctl/csv.h"
#include "sensor/ctl/cyclonedx.h"
#include "sensor/ctl/file_out.h"
#include "sensor/ctl/netbox.h"
#include "sensor/ctl/ocsf.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/picture_load.h"
#include "sensor/ctl/schema.h"

struct request {
	bool csv, netbox, cyclonedx, ocsf, json;
	const char *file, *out, *site, *schema;
	struct sensor_link link;
	struct capture_options capture;
};

static const struct verb_option options[] = {
	OPTION_MAYBE_WORD(struct request, file, "FILE",
			  "a capture, or what `askance read --json` printed (\"-\" is stdin); the running sensor, when it is left out"),
	OPTION_FLAG(struct request, csv, 0, "csv", "comma-separated values, a line for each device; no cell is a formula"),
	OPTION_FLAG(struct request, netbox, 0, "netbox",
		    "for NetBox's import of devices, as CSV; sites, roles, manufacturers and types must be there before"),
	OPTION_FLAG(struct request, cyclonedx, 0, "cyclonedx", "a CycloneDX 1.6 bill of materials: devices, firmware, systems, services"),
	OPTION_FLAG(struct request, ocsf, 0, "ocsf",
		    "OCSF 1.5, class 5001 Device Inventory Info, a line for each device; devices of plants are type 99 with our class as "
		    "`type`, and what OCSF has no place for is in `unmapped`"),
	OPTION_TEXT(struct request, schema, 0, "schema", "TYPE",
		    "no devices, but the JSON Schema of what the sensor tells: asset, change, proposal ..., or `all` in one document"),
	OPTION_FLAG(struct request, json, 0, "json", "JSON instead of CSV (netbox)"),
	OPTION_TEXT(struct request, site, 0, "site", "NAME", "the site of all devices (netbox); else the zone of each"),
	OPTION_TEXT(struct request, out, 'o', "output", "FILE", "where to write; there whole, or not at all"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_GROUP(struct request, capture, capture_options),
	OPTION_END,
};

static int write_ocsf(const struct asset_list *a, FILE *to)
{
	int result = 0;

	for (size_t i = 0; i < a->count && result == 0; i++) {
		json_t *event = ocsf_of_asset(a->items[i].document);

		if (!event || json_dumpf(event, to, JSON_COMPACT) != 0 || putc('\n', to) == EOF)
			result = -1;
		json_decref(event);
	}
	return result;
}

static int write_cyclonedx(const struct asset_list *a, FILE *to)
{
	json_t *document = cyclonedx_of(a, time(NULL));
	int result = document && json_dumpf(document, to, JSON_INDENT(1)) == 0 && putc('\n', to) != EOF ? 0 : -1;

	json_decref(document);
	return result;
}

static int write_form(const struct request *q, const struct asset_list *a, FILE *to)
{
	if (q->netbox)
		return netbox_write(a, q->site, q->json, to);
	if (q->cyclonedx)
		return write_cyclonedx(a, to);
	if (q->ocsf)
		return write_ocsf(a, to);
	csv_assets(a, to);
	return 0;
}

static int export_schema(const struct request *q)
{
	struct file_out out;

	if (file_out_open(&out, "export", q->out) < 0)
		return EXIT_NOTHING;
	return file_out_close(&out, schema_write(q->schema, out.to) < 0 ? EXIT_NOTHING : EXIT_WELL);
}

static int run_export(int argc, char **argv)
{
	struct request q = { .link = { .verb = "export" } };
	struct asset_list list = { .count = 0 };
	struct file_out out;
	int code;

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (q.csv + q.netbox + q.cyclonedx + q.ocsf + !!q.schema != 1) {
		fprintf(stderr, "askance export: in which form? One of --csv, --netbox, --cyclonedx, --ocsf and --schema\n");
		return EXIT_NOTHING;
	}
	if (q.schema)
		return export_schema(&q);
	code = picture_load(&list, q.file, &q.capture, &q.link);
	if (code != EXIT_NOTHING && file_out_open(&out, "export", q.out) < 0)
		code = EXIT_NOTHING;
	else if (code != EXIT_NOTHING)
		code = file_out_close(&out, write_form(&q, &list, out.to) < 0 ? EXIT_NOTHING : code);
	asset_list_free(&list);
	return code;
}

const struct verb verb_export = {
	.name = "export",
	.summary = "print the devices in the form of others: CSV, NetBox, CycloneDX, OCSF",
	.options = options,
	.exits = { "all was printed", "some of the picture is missing, or not all was printed",
		   "there is no picture, or nothing could be written" },
	.run = run_export,
};
