/* The tables of assets and gaps, made from their documents. */
#include "sensor/ctl/inventory.h"

#include "sensor/ctl/document_words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const asset_headers[] = { "ADDRESS", "NAME", "CLASS", "VENDOR", "MODEL", "FIRMWARE", "SERVICES", "GAPS", NULL };
static const char *const gap_headers[] = { "ADDRESS", "ABOUT", "GAP", "LACKS", "PROBE", "RISK", "VERDICT", "WHY", NULL };

enum { CELL_BYTES = 512 };

void inventory_start(struct inventory *i)
{
	memset(i, 0, sizeof *i);
	table_start(&i->assets, asset_headers);
	table_start(&i->gaps, gap_headers);
}

void inventory_free(struct inventory *i)
{
	table_free(&i->assets);
	table_free(&i->gaps);
}

/* "modbus, http": each protocol once; a guess carries a question mark. */
static void list_services(struct inventory *inv, const json_t *ot, char *cell)
{
	const json_t *services = json_object_get(ot, "services"), *s;
	size_t i, n = 0;

	cell[0] = 0;
	json_array_foreach(services, i, s) {
		const char *protocol = words_text(s, "protocol"), *evidence = words_text(s, "evidence");
		bool sure = strcmp(evidence, "structure") == 0;
		char word[64];

		inv->services++;
		inv->structural += sure;
		snprintf(word, sizeof word, "%s%s", protocol, sure ? "" : "?");
		/* Everybody answers ARP; in a list of what a device is there for it is noise. */
		if (strcmp(protocol, "arp") == 0 || words_has(cell, word))
			continue;
		if (n + strlen(word) + 6 > CELL_BYTES)
			break;
		n += (size_t)snprintf(cell + n, CELL_BYTES - n, "%s%s", n ? ", " : "", word);
	}
}

static void add_gap(struct inventory *inv, const json_t *ot, const json_t *gap)
{
	const char *verdict = words_text(gap, "verdict");
	char address[CELL_BYTES], lacks[CELL_BYTES];
	const char *cells[] = { address, words_text(gap, "subject"), words_text(gap, "kind"), lacks, words_text(gap, "rule"),
				words_text(gap, "risk"), verdict, words_text(gap, "why") };

	words_address(ot, address, sizeof address);
	words_join(json_object_get(gap, "lacks"), lacks, sizeof lacks);
	if (!inv->only_proposed || strcmp(verdict, "proposed") == 0)
		table_row(&inv->gaps, cells);
	inv->gap_count++;
	if (strcmp(verdict, "proposed") == 0)
		inv->proposed++;
	else if (strcmp(verdict, "forbidden") == 0)
		inv->forbidden++;
	else
		inv->without++;
}

void inventory_add(struct inventory *inv, const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot"), *gaps = json_object_get(ot, "gaps"), *gap;
	const json_t *asset = json_object_get(ot, "asset");
	char address[CELL_BYTES], model[CELL_BYTES], services[CELL_BYTES], count[32] = "";
	const char *cells[] = { address, words_name(ot), words_text(asset, "class"), words_vendor(document), model,
				words_text(asset, "firmware"), services, count };
	size_t i;

	if (!asset)
		return;
	words_address(ot, address, sizeof address);
	words_model(document, model, sizeof model);
	list_services(inv, ot, services);
	if (json_array_size(gaps))
		snprintf(count, sizeof count, "%zu", json_array_size(gaps));
	table_row(&inv->assets, cells);
	json_array_foreach(gaps, i, gap)
		add_gap(inv, ot, gap);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void inventory_print_assets(const struct inventory *i, FILE *to, int width, bool colours)
{
	if (i->assets.rows)
		table_print(&i->assets, to, width, colours);
	fprintf(to, "%s%zu asset%s, %zu service%s (%zu known by structure), %zu gap%s", i->assets.rows ? "\n" : "", i->assets.rows,
		plural(i->assets.rows), i->services, plural(i->services), i->structural, i->gap_count, plural(i->gap_count));
	if (i->gap_count)
		fprintf(to, ": %zu could be filled by a probe, %zu may not be asked, %zu cannot", i->proposed, i->forbidden, i->without);
	putc('\n', to);
}

void inventory_print_gaps(const struct inventory *i, FILE *to, int width, bool colours)
{
	if (i->gaps.rows)
		table_print(&i->gaps, to, width, colours);
	fprintf(to, "%s%zu gap%s: %zu proposed, %zu forbidden, %zu without a probe\n", i->gaps.rows ? "\n" : "", i->gap_count,
		plural(i->gap_count), i->proposed, i->forbidden, i->without);
}

static bool array_holds(const json_t *array, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		if (strcasecmp(json_string_value(item) ? json_string_value(item) : "", key) == 0)
			return true;
	return false;
}

bool inventory_matches(const json_t *document, const char *key)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");

	return strcmp(words_text(asset, "id"), key) == 0 || array_holds(json_object_get(asset, "ip"), key) ||
	       array_holds(json_object_get(asset, "mac"), key) || array_holds(json_object_get(asset, "hostname"), key) ||
	       strcasecmp(words_name(ot), key) == 0;
}
