/* Cells, rows and the inventory as a spreadsheet takes them. */
#include "sensor/ctl/csv.h"

#include "sensor/ctl/document_words.h"

#include <string.h>

enum { CELL_BYTES = 1024 };

/* Excel and others run what begins so; the wide forms too, where Japanese is set. */
static bool is_formula(const char *text)
{
	static const char *const wide[] = { "\uff1d", "\uff0b", "\uff0d", "\uff20" };

	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (strncmp(text, wide[i], strlen(wide[i])) == 0)
			return true;
	return text[0] && strchr("=+-@\t\r\n", text[0]);
}

void csv_cell(const char *text, FILE *to)
{
	bool formula = is_formula(text), quoted = formula || text[0] == ' ' || text[strcspn(text, ",;\"\r\n\t")];

	fputs(quoted ? "\"" : "", to);
	fputs(formula ? "'" : "", to);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', to);
		putc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, to);
	}
	fputs(quoted ? "\"" : "", to);
}

void csv_row(const char *const *cells, FILE *to)
{
	for (size_t i = 0; cells[i]; i++) {
		fputs(i ? "," : "", to);
		csv_cell(cells[i], to);
	}
	putc('\n', to);
}

/* "modbus tcp/502; http tcp/80?": a guess carries a question mark. */
static void list_services(const json_t *services, char *text)
{
	const json_t *s;
	size_t i, n = 0;

	text[0] = 0;
	json_array_foreach(services, i, s) {
		char word[96], port[16] = "";

		if (json_object_get(s, "port"))
			snprintf(port, sizeof port, "/%d", (int)json_integer_value(json_object_get(s, "port")));
		snprintf(word, sizeof word, "%s %s%s%s", words_text(s, "protocol"), words_text(s, "transport"), port,
			 strcmp(words_text(s, "evidence"), "structure") == 0 ? "" : "?");
		if (n + strlen(word) + 3 > CELL_BYTES)
			break;
		n += (size_t)snprintf(text + n, CELL_BYTES - n, "%s%s", n ? "; " : "", word);
	}
}

static void count_gaps(const json_t *gaps, char total[16], char proposed[16])
{
	const json_t *gap;
	size_t i, n = 0;

	json_array_foreach(gaps, i, gap)
		n += strcmp(words_text(gap, "verdict"), "proposed") == 0;
	snprintf(total, 16, "%zu", json_array_size(gaps));
	snprintf(proposed, 16, "%zu", n);
}

static void print_asset(const json_t *document, FILE *to)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset"), *device = json_object_get(document, "device");
	const json_t *model = json_object_get(device, "model");
	char ips[CELL_BYTES], macs[CELL_BYTES], names[CELL_BYTES], services[CELL_BYTES], known[16], gaps[16], proposed[16];

	words_join(json_object_get(asset, "ip"), ips, sizeof ips);
	words_join(json_object_get(asset, "mac"), macs, sizeof macs);
	words_join(json_object_get(asset, "hostname"), names, sizeof names);
	list_services(json_object_get(ot, "services"), services);
	snprintf(known, sizeof known, "%.0f", json_number_value(json_object_get(asset, "completeness")) * 100);
	count_gaps(json_object_get(ot, "gaps"), gaps, proposed);
	csv_row((const char *const[]){ words_text(asset, "id"), words_text(asset, "zone"), ips, macs, words_name(ot), names,
				       words_text(asset, "class"), words_text(asset, "purdue_level"), words_vendor(document),
				       words_text(model, "name"), words_text(model, "identifier"), words_text(asset, "firmware"),
				       words_text(device, "serial_number"), words_text(asset, "os"), services, known, gaps, proposed,
				       words_text(asset, "first_seen"), words_text(asset, "last_seen"), NULL }, to);
}

void csv_assets(const struct asset_list *a, FILE *to)
{
	csv_row((const char *const[]){ "id", "zone", "ip", "mac", "name", "hostnames", "class", "purdue_level", "vendor", "product", "order_code",
				       "firmware", "serial", "os", "services", "known_percent", "gaps", "gaps_proposed", "first_seen", "last_seen",
				       NULL }, to);
	for (size_t i = 0; i < a->count; i++)
		print_asset(a->items[i].document, to);
}
