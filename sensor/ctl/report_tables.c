/* The report's inventory, and on request every value of every device. */
#include "sensor/ctl/report.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/html.h"

#include <string.h>

enum { BAR_WIDTH = 48 };

/* A bar of so many per cent, and the figure. */
static void print_share(double share, FILE *to)
{
	HTML(to, "<svg class=\"bar\" width=\"48\" height=\"9\" aria-hidden=\"true\"><rect class=\"all\" width=\"48\" height=\"9\" rx=\"2\"/>"
		 "<rect class=\"%\" width=\"%\" height=\"9\" rx=\"2\"/></svg>%&nbsp;%",
	     share >= 0.7 ? "good" : share >= 0.4 ? "fair" : "poor", TENTHS(share * BAR_WIDTH), NUMBER(share * 100), "%");
}

static void print_services(const json_t *services, FILE *to)
{
	char listed[REPORT_TEXT_BYTES] = "";
	const json_t *s;
	size_t i, n = 0;

	json_array_foreach(services, i, s) {
		const char *protocol = words_text(s, "protocol");
		bool sure = strcmp(words_text(s, "evidence"), "structure") == 0;

		/* Everybody answers ARP; in a list of what a device is there for it is noise. */
		if (strcmp(protocol, "arp") == 0 || words_has(listed, protocol) || n + strlen(protocol) + 3 > sizeof listed)
			continue;
		HTML(to, sure ? "%%" : "%<span class=\"guess\">%?</span>", n ? ", " : "", protocol);
		n += (size_t)snprintf(listed + n, sizeof listed - n, "%s%s", n ? ", " : "", protocol);
	}
}

static void print_row(const struct report *r, const struct report_device *d, FILE *to)
{
	char model[REPORT_TEXT_BYTES];

	words_model(d->document, model, sizeof model);
	HTML(to, r->details ? "<tr><td class=\"a\"><a href=\"#%\">%</a></td>" : "<tr><td class=\"a\" id=\"%\">%</td>", words_text(d->asset, "id"), d->address);
	HTML(to, "<td>%</td><td>%</td><td>%</td><td>%</td><td>%</td><td>%</td><td>", words_name(d->ot), words_text(d->asset, "class"),
	     report_levels[d->level].value, words_vendor(d->document), model, words_text(d->asset, "firmware"));
	print_services(json_object_get(d->ot, "services"), to);
	fputs("</td><td class=\"n\">", to);
	print_share(d->known, to);
	HTML(to, "</td><td class=\"n\">%</td></tr>\n", NUMBER(json_array_size(json_object_get(d->ot, "gaps"))));
}

void report_inventory(const struct report *r, FILE *to)
{
	fputs("<section id=\"inventory\"><h2>Inventory</h2>\n<p class=\"note\">Known: the share of the attributes of CISA's inventory list that a sensor "
	      "can fill and that are known.</p>\n", to);
	for (size_t zone = 0; zone < r->zone_count; zone++) {
		HTML(to, "<h3>Zone %</h3>\n<table><thead><tr><th>Address<th>Name<th>Class<th>Level<th>Vendor<th>Model<th>Firmware<th>Services"
			 "<th class=\"n\">Known<th class=\"n\">Gaps</tr></thead><tbody>\n", r->zones[zone]);
		for (size_t i = 0; i < r->count; i++)
			if (r->devices[i].zone == zone)
				print_row(r, &r->devices[i], to);
		fputs("</tbody></table>\n", to);
	}
	fputs("</section>\n", to);
}

static void print_attributes(const json_t *attributes, FILE *to)
{
	const json_t *a;
	size_t i;

	json_array_foreach(attributes, i, a) {
		char time[24];

		snprintf(time, sizeof time, "%.16s", words_text(a, "last_seen"));
		HTML(to, "<tr><td>%</td><td>%</td><td>%</td><td>% by %</td><td>%</td></tr>\n", words_text(a, "subject"), words_text(a, "name"),
		     words_text(a, "value"), words_text(a, "source"), words_text(a, "protocol"), time);
	}
}

static void print_article(const struct report_device *d, FILE *to)
{
	char ips[REPORT_TEXT_BYTES], macs[REPORT_TEXT_BYTES];
	const json_t *sub;
	size_t i;

	words_join(json_object_get(d->asset, "ip"), ips, sizeof ips);
	words_join(json_object_get(d->asset, "mac"), macs, sizeof macs);
	HTML(to, "<article id=\"%\"><h3>% %</h3><p class=\"note\">% &middot; % &middot; %</p>", words_text(d->asset, "id"), d->address, words_name(d->ot),
	     words_text(d->asset, "id"), ips[0] ? ips : "no IP", macs[0] ? macs : "no MAC");
	fputs("<table><thead><tr><th>Of<th>What<th>Value<th>Source<th>Last heard</tr></thead><tbody>\n", to);
	print_attributes(json_object_get(d->ot, "attributes"), to);
	json_array_foreach(json_object_get(d->ot, "subassets"), i, sub)
		print_attributes(json_object_get(sub, "attributes"), to);
	fputs("</tbody></table></article>\n", to);
}

void report_details(const struct report *r, FILE *to)
{
	fputs("<section id=\"details\"><h2>Devices in full</h2>\n", to);
	for (size_t i = 0; i < r->count; i++)
		print_article(&r->devices[i], to);
	fputs("</section>\n", to);
}
