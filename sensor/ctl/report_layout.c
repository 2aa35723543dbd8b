/*
 * The map's layout: a panel for each zone, in it a band for each level of the Purdue model that has devices, in it the
 * devices in rows, in the order of their addresses. Many devices become small ones.
 */
#include "sensor/ctl/report_map.h"

#include "sensor/ctl/document_words.h"

#include <stdlib.h>
#include <string.h>

enum { CAPTION_WIDTH = 150, MARGIN = 12, TITLE_HEIGHT = 28, BAND_PAD = 14, PANEL_GAP = 16, FEW = 150, SOME = 800, KEY_BYTES = 256 };

/* Devices by address within their zone, and by address alone where only one zone has it. */
static json_t *index_addresses(const struct report *r)
{
	json_t *index = json_object();

	for (size_t i = 0; i < r->count; i++)
		for (const char *const *kind = (const char *const[]){ "ip", "mac", NULL }; *kind; kind++) {
			const json_t *item;
			size_t k;

			json_array_foreach(json_object_get(r->devices[i].asset, *kind), k, item) {
				const char *address = json_string_value(item) ? json_string_value(item) : "";
				char key[KEY_BYTES];

				snprintf(key, sizeof key, "%u %s", r->devices[i].zone, address);
				json_object_set_new(index, key, json_integer((json_int_t)i));
				json_object_set_new(index, address, json_integer(json_object_get(index, address) ? MAP_ELSEWHERE : (json_int_t)i));
			}
		}
	return index;
}

static int find_peer(const json_t *index, const struct report_device *d, const char *address)
{
	char key[KEY_BYTES];
	const json_t *at;

	snprintf(key, sizeof key, "%u %s", d->zone, address);
	at = json_object_get(index, key);
	if (!at)
		at = json_object_get(index, address);
	return at ? (int)json_integer_value(at) : MAP_ELSEWHERE;
}

static void add_edge(struct map *m, int from, int to, const char *protocol)
{
	if (m->edge_count == m->edge_room) {
		m->edge_room = m->edge_room ? m->edge_room * 2 : 256;
		m->edges = realloc(m->edges, m->edge_room * sizeof *m->edges);
		if (!m->edges)
			abort();
	}
	m->edges[m->edge_count++] = (struct map_edge){ from, to, MAP_COLOURS - 1, protocol };
}

static void gather_edges(struct map *m, const struct report *r)
{
	json_t *index = index_addresses(r), *seen = json_object(), *strangers = json_object();
	size_t last = 0; /* of those that talked to a stranger */

	for (size_t i = 0; i < r->count; i++) {
		const json_t *talk;
		size_t k;

		json_array_foreach(json_object_get(r->devices[i].ot, "talks"), k, talk) {
			const char *peer = words_text(talk, "peer"), *protocol = words_text(talk, "protocol");
			int to = find_peer(index, &r->devices[i], peer);
			char key[KEY_BYTES];

			snprintf(key, sizeof key, "%zu %d %s", i, to, protocol);
			if (to == MAP_ELSEWHERE)
				json_object_set_new(strangers, peer, json_true());
			if (to == MAP_ELSEWHERE && r->count > FEW)
				m->astray += last != i + 1;
			if (to == MAP_ELSEWHERE)
				last = i + 1;
			if (to == (int)i || (to == MAP_ELSEWHERE && r->count > FEW) || json_object_get(seen, key))
				continue;
			json_object_set_new(seen, key, json_true());
			add_edge(m, (int)i, to, protocol);
		}
	}
	m->elsewhere = json_object_size(strangers);
	json_decref(index);
	json_decref(seen);
	json_decref(strangers);
}

/* The protocols of most edges get a colour each, the others share the last. */
static void choose_colours(struct map *m)
{
	json_t *counts = json_object(), *count;
	const char *name;

	for (size_t i = 0; i < m->edge_count; i++) {
		const char *p = m->edges[i].protocol;

		json_object_set_new(counts, p, json_integer(json_integer_value(json_object_get(counts, p)) + 1));
	}
	for (unsigned colour = 0; colour + 1 < MAP_COLOURS && json_object_size(counts); colour++) {
		const char *best = NULL;
		json_int_t most = 0;

		json_object_foreach(counts, name, count)
			if (json_integer_value(count) > most) {
				most = json_integer_value(count);
				best = name;
			}
		for (size_t i = 0; i < m->edge_count; i++)
			if (strcmp(m->edges[i].protocol, best) == 0) {
				m->edges[i].colour = colour;
				m->colours[colour] = m->edges[i].protocol;
			}
		json_object_del(counts, best);
	}
	if (json_object_size(counts))
		m->colours[MAP_COLOURS - 1] = "others";
	json_decref(counts);
}

/* The devices of one zone and level in rows from y on; the height they take, 0 when there are none. */
static int place_band(struct map *m, size_t zone, unsigned level, int y)
{
	int room = MAP_WIDTH - CAPTION_WIDTH - 2 * MARGIN, step = m->node_width + m->gap, columns = (room + m->gap) / step;
	const struct report *r = m->report;
	int n = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (r->devices[i].zone != zone || r->devices[i].level != level)
			continue;
		m->places[i] = (struct map_place){ CAPTION_WIDTH + n % columns * step, y + BAND_PAD + n / columns * (m->node_height + 2 * m->gap) };
		n++;
	}
	return n ? 2 * BAND_PAD + (n - 1) / columns * (m->node_height + 2 * m->gap) + m->node_height : 0;
}

static void place_all(struct map *m)
{
	int y = 0;

	m->elsewhere_y = MARGIN;
	if (m->elsewhere)
		y = m->elsewhere_y + 24 + PANEL_GAP * 2;
	for (size_t zone = 0; zone < m->report->zone_count; zone++) {
		m->panels[zone] = y;
		y += TITLE_HEIGHT;
		for (unsigned level = 0; level < REPORT_LEVELS; level++) {
			int height = place_band(m, zone, level, y);

			if (!height)
				continue;
			m->bands[m->band_count++] = (struct map_band){ zone, level, y, height };
			y += height;
		}
		y += MARGIN + PANEL_GAP;
	}
	m->panels[m->report->zone_count] = y;
	m->height = y;
}

void map_make(struct map *m, const struct report *r)
{
	*m = (struct map){ .report = r, .node_width = 140, .node_height = 38, .gap = 12 };
	if (r->count > FEW) {
		m->node_width = r->count > SOME ? 12 : 88;
		m->node_height = r->count > SOME ? 12 : 18;
		m->gap = r->count > SOME ? 4 : 8;
	}
	m->places = calloc(r->count + 1, sizeof *m->places);
	m->bands = calloc(r->zone_count * REPORT_LEVELS + 1, sizeof *m->bands);
	m->panels = calloc(r->zone_count + 1, sizeof *m->panels);
	if (!m->places || !m->bands || !m->panels)
		abort();
	gather_edges(m, r);
	choose_colours(m);
	place_all(m);
}

void map_free(struct map *m)
{
	free(m->places);
	free(m->bands);
	free(m->panels);
	free(m->edges);
}
