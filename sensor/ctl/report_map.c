/* The map as SVG in the page: bands first, then who talks to whom, then the devices over it. */
#include "sensor/ctl/report_map.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/html.h"
#include "sensor/ctl/terminal.h"

#include <string.h>

enum { ELSEWHERE_WIDTH = 260, ELSEWHERE_HEIGHT = 24, LABELS_FROM = 40, SECOND_LINE_FROM = 30, NAME_COLUMNS = 18, SECOND_COLUMNS = 22,
       SOME_EDGES = 150, MANY_EDGES = 800 };

static void print_panels(const struct map *m, FILE *to)
{
	const struct report *r = m->report;
	char many[64] = "";

	if (m->astray)
		snprintf(many, sizeof many, ", of %zu devices", m->astray);
	for (size_t zone = 0; zone < r->zone_count; zone++) {
		fprintf(to, "<rect class=\"panel\" x=\"1\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>", m->panels[zone] + 1, MAP_WIDTH - 2,
			m->panels[zone + 1] - m->panels[zone] - 18);
		HTML(to, "<text class=\"zone\" x=\"14\" y=\"%\">Zone %</text>\n", NUMBER(m->panels[zone] + 19), r->zones[zone]);
	}
	for (size_t i = 0; i < m->band_count; i++) {
		const struct map_band *b = &m->bands[i];

		fprintf(to, "<rect class=\"band%s\" x=\"6\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>", i % 2 ? " odd" : "", b->y + 2, MAP_WIDTH - 12,
			b->height - 4);
		/* "Level 1:" and what it is for, below each other. */
		HTML(to, "<text class=\"level\" x=\"16\" y=\"%\">%</text>\n", NUMBER(b->y + b->height / 2 + 4), report_levels[b->level].caption);
	}
	if (m->elsewhere)
		HTML(to, "<rect class=\"node out\" x=\"%\" y=\"%\" width=\"260\" height=\"24\" rx=\"12\"/><text text-anchor=\"middle\" x=\"%\" y=\"%\">elsewhere: "
			 "% address%%</text>\n",
		     NUMBER((MAP_WIDTH - ELSEWHERE_WIDTH) / 2), NUMBER(m->elsewhere_y), NUMBER(MAP_WIDTH / 2), NUMBER(m->elsewhere_y + 16),
		     NUMBER(m->elsewhere), m->elsewhere == 1 ? "" : "es", many);
}

/* Middle of the upper or lower edge of a device. */
static struct map_place port_of(const struct map *m, int device, bool lower)
{
	if (device == MAP_ELSEWHERE)
		return (struct map_place){ MAP_WIDTH / 2, m->elsewhere_y + ELSEWHERE_HEIGHT };
	return (struct map_place){ m->places[device].x + m->node_width / 2, m->places[device].y + (lower ? m->node_height : 0) };
}

static void print_edge(const struct map *m, const struct map_edge *e, FILE *to)
{
	int y1 = e->from == MAP_ELSEWHERE ? 0 : m->places[e->from].y, y2 = e->to == MAP_ELSEWHERE ? 0 : m->places[e->to].y;
	struct map_place a = port_of(m, e->from, y1 < y2), b = port_of(m, e->to, y2 < y1);
	int bend1, bend2;

	if (y1 == y2) {
		/* Neighbours in a row: over them in an arc, the higher the further they are apart. */
		bend1 = bend2 = a.y - 10 - abs(a.x - b.x) / 24;
	} else {
		bend1 = bend2 = (a.y + b.y) / 2;
	}
	fprintf(to, "<path class=\"edge p%u\" d=\"M%d %dC%d %d %d %d %d %d\"/><circle class=\"end p%u\" cx=\"%d\" cy=\"%d\" r=\"2.6\"/>\n", e->colour, a.x, a.y,
		a.x, bend1, b.x, bend2, b.x, b.y, e->colour, b.x, b.y);
}

/* What crosses levels or zones says most; where not all can be drawn, the others wait. */
static bool crosses(const struct map *m, const struct map_edge *e)
{
	const struct report_device *d = m->report->devices;

	return e->to == MAP_ELSEWHERE || d[e->from].zone != d[e->to].zone || d[e->from].level != d[e->to].level;
}

static size_t print_edges(const struct map *m, FILE *to)
{
	size_t drawn = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < m->edge_count && drawn < MAP_EDGES_DRAWN; i++)
			if (crosses(m, &m->edges[i]) == (pass == 0)) {
				print_edge(m, &m->edges[i], to);
				drawn++;
			}
	return drawn;
}

static void print_label(const char *class, int x, int y, const char *text, int columns, FILE *to)
{
	char cut[REPORT_TEXT_BYTES];
	bool whole = text_columns(text) <= columns;
	size_t n = text_fitting(text, whole ? columns : columns - 1);

	snprintf(cut, sizeof cut, "%.*s%s", (int)(n < sizeof cut - 8 ? n : sizeof cut - 8), text, whole ? "" : "…");
	HTML(to, "<text class=\"%\" x=\"%\" y=\"%\">%</text>", class, NUMBER(x), NUMBER(y), cut);
}

static void print_labels(const struct map *m, const struct report_device *d, struct map_place p, FILE *to)
{
	const char *name = words_name(d->ot), *class = words_text(d->asset, "class"), *vendor = words_vendor(d->document);
	char model[REPORT_TEXT_BYTES], second[REPORT_TEXT_BYTES];

	if (m->node_height < SECOND_LINE_FROM) {
		print_label("", p.x + 5, p.y + 13, d->address, m->node_width / 6, to);
		return;
	}
	words_model(d->document, model, sizeof model);
	snprintf(second, sizeof second, "%.80s%s%.300s", name[0] ? d->address : class, name[0] || class[0] ? " " : "",
		 name[0] && class[0] ? class : model[0] ? model : vendor);
	print_label("", p.x + 8, p.y + 15, name[0] ? name : d->address, NAME_COLUMNS, to);
	print_label("second", p.x + 8, p.y + 28, second, SECOND_COLUMNS, to);
}

static void print_node(const struct map *m, const struct report_device *d, struct map_place p, FILE *to)
{
	size_t gaps = json_array_size(json_object_get(d->ot, "gaps"));
	int w = m->node_width, h = m->node_height, known = (int)(d->known * (w - 8));
	const char *grade = d->known >= 0.7 ? "good" : d->known >= 0.4 ? "fair" : "poor";
	char model[REPORT_TEXT_BYTES];

	words_model(d->document, model, sizeof model);
	HTML(to, "<a href=\"#%\"><title>% % % % %: % per cent known, % gaps</title>", words_text(d->asset, "id"), d->address, words_name(d->ot),
	     words_text(d->asset, "class"), words_vendor(d->document), model, NUMBER(d->known * 100), NUMBER(gaps));
	fprintf(to, "<rect class=\"node%s%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>", w < LABELS_FROM ? " " : "", w < LABELS_FROM ? grade : "", p.x,
		p.y, w, h, h > 20 ? 5 : 3);
	if (w >= LABELS_FROM) {
		fprintf(to, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"2.5\" rx=\"1\"/>", grade, p.x + 4, p.y + h - 4, known > 1 ? known : 1);
		print_labels(m, d, p, to);
	}
	if (gaps && h >= SECOND_LINE_FROM)
		fprintf(to, "<circle class=\"badge\" cx=\"%d\" cy=\"%d\" r=\"7\"/><text class=\"count\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">%zu</text>", p.x + w - 3,
			p.y + 3, p.x + w - 3, p.y + 6, gaps > 99 ? 99 : gaps);
	fputs("</a>\n", to);
}

static void print_legend(const struct map *m, size_t drawn, FILE *to)
{
	fputs("<ul class=\"legend\">", to);
	for (unsigned i = 0; i < MAP_COLOURS; i++)
		if (m->colours[i]) {
			fprintf(to, "<li><svg width=\"26\" height=\"9\" aria-hidden=\"true\"><path class=\"edge p%u\" d=\"M1 4.5H22\"/><circle class=\"end p%u\" cx=\"22\" cy=\"4.5\" r=\"3\"/></svg>",
				i, i);
			HTML(to, "%</li>", m->colours[i][0] ? m->colours[i] : "not understood");
		}
	fputs("</ul>\n", to);
	if (drawn < m->edge_count)
		HTML(to, "<p class=\"note\">% of % conversations are drawn: first those that cross zones or levels.</p>\n", NUMBER(drawn), NUMBER(m->edge_count));
}

void report_map(const struct report *r, FILE *to)
{
	struct map m;
	size_t drawn;

	map_make(&m, r);
	fputs("<section id=\"map\"><h2>Who talks to whom</h2>\n<p class=\"note\">Zones, and in them the levels of the Purdue model where devices of their class "
	      "usually stand. A line ends with a dot at the one whose service is used. The bar in a device is how much of it is known, the number how many "
	      "gaps it has.</p>\n", to);
	fprintf(to, "<svg class=\"map%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Map of %zu devices and %zu conversations\" xmlns=\"http://www.w3.org/2000/svg\">\n",
		m.edge_count > MANY_EDGES ? " many" : m.edge_count > SOME_EDGES ? " some" : "", MAP_WIDTH, m.height, r->count, m.edge_count);
	print_panels(&m, to);
	drawn = print_edges(&m, to);
	for (size_t i = 0; i < r->count; i++)
		print_node(&m, &r->devices[i], m.places[i], to);
	fputs("</svg>\n", to);
	print_legend(&m, drawn, to);
	fputs("</section>\n", to);
	map_free(&m);
}
