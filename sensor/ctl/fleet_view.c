/* Tables and JSON lines of `askance fleet`. */
#include "sensor/ctl/fleet_view.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CELL_BYTES = 512, ROWS_MOST = 10000, WITNESSES_NAMED = 3 };

/* Texts are the devices' and the analysts' own: none may reach the terminal as they are. */
static void add_row(struct table *t, const char *const *cells)
{
	char plain[TABLE_COLUMNS][CELL_BYTES];
	const char *row[TABLE_COLUMNS];

	for (size_t i = 0; i < t->columns; i++) {
		words_plain(plain[i], cells[i], strnlen(cells[i], CELL_BYTES - 1));
		row[i] = plain[i];
	}
	table_row(t, row);
}

static void put_number(char *cell, uint64_t n)
{
	cell[0] = 0;
	if (n)
		snprintf(cell, 32, "%" PRIu64, n);
}

static void add_sensor(struct table *t, const struct fleet_sensor *s)
{
	char heard[64], assets[32], alone[32], lag[64] = "", drops[32], lost[32];
	const char *cells[] = { s->name, s->zone, heard, assets, alone, s->redis_state, lag, drops, lost, s->trouble };

	if (s->heard_ms)
		snprintf(heard, sizeof heard, "%.0f s ago%s", (double)(s->read_ms - s->heard_ms) / 1000, fleet_sensor_stale(s) ? ", STALE" : "");
	else
		strcpy(heard, "never");
	snprintf(assets, sizeof assets, "%zu", s->witnesses);
	put_number(alone, s->alone);
	if (s->lag_entries)
		snprintf(lag, sizeof lag, "%" PRIu64 " (%.1f s)", s->lag_entries, (double)s->lag_ms / 1000);
	put_number(drops, s->drops);
	put_number(lost, s->lost);
	add_row(t, cells);
}

static void print_sensors(const struct fleet *f, const struct fleet_view *v, FILE *to)
{
	static const char *const headers[] = { "SENSOR", "ZONE", "HEARD OF", "ASSETS", "ITS ALONE", "REDIS", "BEHIND", "DROPS", "LOST", "TROUBLE", NULL };
	struct table t;

	table_start(&t, headers);
	for (size_t i = 0; i < fleet_sensors(f); i++)
		add_sensor(&t, fleet_sensor(f, i));
	table_print(&t, to, v->width, v->colours);
	table_free(&t);
}

/* "plant-1, plant-2" or "plant-1 and 12 more"; each sensor once, though it may have found the device twice. */
static void put_witnesses(const struct fleet *f, const struct witness *first, char *text, size_t room)
{
	size_t sensors = 1, len = (size_t)snprintf(text, room, "%s", fleet_sensor_of(f, first)->name), alone = len;
	const struct witness *last = first;

	for (const struct witness *w = fleet_next(f, first); w; last = w, w = fleet_next(f, w)) {
		if (w->sensor == last->sensor)
			continue;
		if (++sensors <= WITNESSES_NAMED)
			len += (size_t)snprintf(text + len, room - len, ", %s", fleet_sensor_of(f, w)->name);
	}
	if (sensors > WITNESSES_NAMED)
		snprintf(text + alone, room - alone, " and %zu more", sensors - 1);
}

static void put_model(const struct fleet *f, const struct witness *first, char *text, size_t room)
{
	const char *name = fleet_value(f, first, WITNESS_PRODUCT), *code = fleet_value(f, first, WITNESS_ORDER_CODE);
	bool both = name[0] && code[0] && !strstr(name, code);

	snprintf(text, room, "%s%s%s%s", name, both ? " (" : "", both ? code : name[0] ? "" : code, both ? ")" : "");
}

static void add_device(struct table *t, const struct fleet *f, const struct witness *first)
{
	char witnesses[CELL_BYTES], model[CELL_BYTES], id[CELL_BYTES];
	const char *ip = fleet_value(f, first, WITNESS_IP), *serial = identity_serial_value(fleet_value(f, first, WITNESS_SERIAL));
	const char *cells[] = { ip[0] ? ip : fleet_value(f, first, WITNESS_MAC), fleet_value(f, first, WITNESS_NAME),
				fleet_value(f, first, WITNESS_CLASS), fleet_value(f, first, WITNESS_VENDOR), model,
				fleet_value(f, first, WITNESS_FIRMWARE), serial, fleet_value(f, first, WITNESS_ZONE), witnesses, id };

	put_witnesses(f, first, witnesses, sizeof witnesses);
	put_model(f, first, model, sizeof model);
	snprintf(id, sizeof id, "%s/%s", fleet_sensor_of(f, first)->name, first->id);
	add_row(t, cells);
}

static bool is_shown(const struct fleet *f, const struct fleet_view *v, const struct witness *first)
{
	return (!v->merged || fleet_next(f, first)) && (!v->changed || fleet_changed(f, first));
}

static void print_devices(const struct fleet *f, const struct fleet_view *v, FILE *to)
{
	static const char *const headers[] = { "ADDRESS", "NAME", "CLASS", "VENDOR", "MODEL", "FIRMWARE", "SERIAL", "ZONE", "HEARD BY", "ID", NULL };
	struct table t;
	size_t left = 0;

	table_start(&t, headers);
	for (size_t i = 0; i < fleet_devices(f); i++) {
		const struct witness *first = fleet_device(f, i);

		if (!is_shown(f, v, first))
			continue;
		if (t.rows < ROWS_MOST)
			add_device(&t, f, first);
		else
			left++;
	}
	table_print(&t, to, v->width, v->colours);
	table_free(&t);
	if (left)
		fprintf(to, "... and %zu more; --json prints all\n", left);
}

static void print_doubts(const struct fleet *f, FILE *to)
{
	for (size_t i = 0; i < fleet_doubts(f); i++) {
		const struct fleet_pair *p = fleet_doubt(f, i);
		char reason[CELL_BYTES];

		fleet_reason(p, reason, sizeof reason);
		words_plain(reason, reason, strlen(reason));
		fprintf(to, "%s/%s %s/%s: %s\n", fleet_sensor_of(f, p->a)->name, p->a->id, fleet_sensor_of(f, p->b)->name, p->b->id, reason);
	}
	if (fleet_doubts_not_kept(f))
		fprintf(to, "... and %" PRIu64 " more\n", fleet_doubts_not_kept(f));
}

struct sizes {
	size_t sensors, stale, witnesses, devices, merged;
};

static struct sizes size_up(const struct fleet *f)
{
	struct sizes s = { .sensors = fleet_sensors(f), .devices = fleet_devices(f) };

	for (size_t i = 0; i < s.sensors; i++) {
		s.witnesses += fleet_sensor(f, i)->witnesses;
		s.stale += fleet_sensor_stale(fleet_sensor(f, i));
	}
	for (size_t i = 0; i < s.devices; i++)
		s.merged += fleet_next(f, fleet_device(f, i)) != NULL;
	return s;
}

void fleet_view_print(const struct fleet *f, const struct fleet_view *v, FILE *to)
{
	struct sizes s = size_up(f);

	if (v->sensors)
		print_sensors(f, v, to);
	if (v->devices) {
		fputs(v->sensors ? "\n" : "", to);
		print_devices(f, v, to);
	}
	if (v->doubts)
		print_doubts(f, to);
	fprintf(to, "\n%zu sensors, %zu of them stale; %zu devices of %zu assets, %zu of them of several; %" PRIu64
		" pairs in doubt (--doubts)\n", s.sensors, s.stale, s.devices, s.witnesses, s.merged, fleet_doubts(f) + fleet_doubts_not_kept(f));
	if (fleet_refused(f))
		fprintf(to, "%" PRIu64 " assets were refused: the fleet is full (--most)\n", fleet_refused(f));
	if (fleet_unreadable(f))
		fprintf(to, "%" PRIu64 " documents could not be read\n", fleet_unreadable(f));
}

static void print_line(const char *key, json_t *value, FILE *to)
{
	json_t *line = json_pack("{s:o}", key, value);

	if (!line)
		return;
	words_disarm(line);
	json_dumpf(line, to, JSON_COMPACT);
	putc('\n', to);
	json_decref(line);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* getrusage() would tell the memory of whoever started us, where that was more. */
static json_int_t peak_rss_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[128];
	unsigned kib = 0;

	while (status && fgets(line, sizeof line, status) && sscanf(line, "VmHWM: %u", &kib) != 1)
		;
	if (status)
		fclose(status);
	return kib;
}

static json_t *numbers(const struct fleet *f, const struct fleet_cost *cost)
{
	struct sizes s = size_up(f);
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:I}", "sensors", (json_int_t)s.sensors, "stale", (json_int_t)s.stale,
			 "assets", (json_int_t)s.witnesses, "devices", (json_int_t)s.devices, "merged", (json_int_t)s.merged, "doubts",
			 (json_int_t)fleet_doubts(f) + (json_int_t)fleet_doubts_not_kept(f), "decisions", (json_int_t)fleet_decisions(f), "refused",
			 (json_int_t)fleet_refused(f), "unreadable", (json_int_t)fleet_unreadable(f), "bytes_read", (json_int_t)fleet_bytes(f),
			 "read_s", cost->read_s, "match_s", cost->match_s, "cpu_s",
			 seconds(used.ru_utime) + seconds(used.ru_stime), "peak_rss_kib", peak_rss_kib());
}

void fleet_view_json(const struct fleet *f, const struct fleet_view *v, const struct fleet_cost *cost, FILE *to)
{
	for (size_t i = 0; v->sensors && i < fleet_sensors(f); i++)
		print_line("sensor", fleet_sensor_json(fleet_sensor(f, i)), to);
	for (size_t i = 0; v->devices && i < fleet_devices(f); i++)
		if (is_shown(f, v, fleet_device(f, i)))
			print_line("device", fleet_device_json(f, fleet_device(f, i)), to);
	for (size_t i = 0; v->doubts && i < fleet_doubts(f); i++)
		print_line("doubt", fleet_doubt_json(f, fleet_doubt(f, i)), to);
	print_line("fleet", numbers(f, cost), to);
}

static int newest_first(const void *x, const void *y)
{
	const struct fleet_decision *a = *(const struct fleet_decision *const *)x, *b = *(const struct fleet_decision *const *)y;

	return strcmp(b->when, a->when);
}

static void add_decision(struct table *t, const struct fleet_decision *d, bool json, FILE *to)
{
	const char *cells[] = { decision_action_name(d->action), d->a, d->b, d->when, d->who, d->why };

	if (json)
		print_line("decision", fleet_decision_json(d), to);
	else
		add_row(t, cells);
}

void fleet_view_decisions(const struct fleet *f, bool json, const struct fleet_view *v, FILE *to)
{
	static const char *const headers[] = { "DECISION", "ONE", "OTHER", "WHEN", "WHO", "WHY", NULL };
	size_t count = fleet_decisions(f);
	const struct fleet_decision **order = calloc(count + 1, sizeof *order);
	struct table t;

	if (!order)
		abort();
	for (size_t i = 0; i < count; i++)
		order[i] = fleet_decision(f, i);
	qsort(order, count, sizeof *order, newest_first);
	table_start(&t, headers);
	for (size_t i = 0; i < count; i++)
		add_decision(&t, order[i], json, to);
	if (!json)
		table_print(&t, to, v->width, v->colours);
	table_free(&t);
	free(order);
}
