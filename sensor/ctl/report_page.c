/* The page: head, figures, and the sections in the order in which people ask. */
#include "sensor/ctl/report.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/html.h"

#include <sodium.h>
#include <string.h>

struct figures {
	size_t services, structural, gaps, proposed, forbidden;
	double known;
};

static void add_device(struct figures *f, const struct report_device *d)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(d->ot, "services"), i, item) {
		f->services++;
		f->structural += strcmp(words_text(item, "evidence"), "structure") == 0;
	}
	json_array_foreach(json_object_get(d->ot, "gaps"), i, item) {
		f->gaps++;
		f->proposed += strcmp(words_text(item, "verdict"), "proposed") == 0;
		f->forbidden += strcmp(words_text(item, "verdict"), "forbidden") == 0;
	}
	f->known += d->known;
}

/* Nothing may be loaded, run or sent from this page, and no style but the one of this hash counts. */
static void print_policy(FILE *to)
{
	char text[sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL)];
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)report_style, strlen(report_style));
	sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
	fprintf(to, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
		text);
}

static void print_tile(FILE *to, const char *number, const char *unit, const char *caption)
{
	HTML(to, "<div class=\"tile\"><b>%%</b><span>%</span></div>\n", number, unit, caption);
}

static void print_figures(const struct report *r, FILE *to)
{
	struct figures f = { .services = 0 };
	size_t conflicts = report_conflict_count(r);

	for (size_t i = 0; i < r->count; i++)
		add_device(&f, &r->devices[i]);
	fputs("<div class=\"tiles\">\n", to);
	print_tile(to, NUMBER(r->count), "", r->count == 1 ? "device" : "devices");
	print_tile(to, NUMBER(r->zone_count), "", r->zone_count == 1 ? "zone" : "zones");
	print_tile(to, NUMBER(f.services), "", "services heard");
	print_tile(to, NUMBER(f.services ? 100.0 * (double)f.structural / (double)f.services : 0), " %", "of them known by structure");
	print_tile(to, NUMBER(r->count ? 100 * f.known / (double)r->count : 0), " %", "of an inventory is known");
	print_tile(to, NUMBER(f.gaps), "", "gaps");
	print_tile(to, NUMBER(f.proposed), "", "gaps a question could fill");
	print_tile(to, NUMBER(conflicts), "", "contradictions");
	fputs("</div>\n", to);
}

void report_page(const struct report *r, FILE *to)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", to);
	print_policy(to);
	HTML(to, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
		 "<title>Plant picture: %</title>\n", r->source);
	fprintf(to, "<style>%s</style>\n</head>\n<body>\n", report_style);
	HTML(to, "<header>\n<h1>Plant picture</h1>\n<p class=\"about\">From %, made % by askance " ASKANCE_VERSION ". Heard only; nothing was asked to make this page.</p>\n",
	     r->source, r->made);
	if (r->partial)
		fputs("<p class=\"warn\">Some of the source could not be read: devices and services may be missing here.</p>\n", to);
	HTML(to, "<nav><a href=\"#map\">Map</a><a href=\"#inventory\">Inventory</a><a href=\"#coverage\">Coverage</a><a href=\"#conflicts\">Contradictions</a>"
		 "<a href=\"#gaps\">Gaps</a><a href=\"#costs\">What could be asked</a>");
	fputs(r->details ? "<a href=\"#details\">Devices in full</a></nav>\n" : "</nav>\n", to);
	print_figures(r, to);
	fputs("</header>\n<main>\n", to);
	report_map(r, to);
	report_inventory(r, to);
	report_coverage(r, to);
	report_conflicts(r, to);
	report_gaps(r, to);
	report_costs(r, to);
	if (r->details)
		report_details(r, to);
	fputs("</main>\n<footer>A guess carries a question mark: nDPI or the port alone names the protocol. "
	      "Nothing here proves that a device is not there: a SPAN port shows only who spoke.</footer>\n</body>\n</html>\n", to);
}
