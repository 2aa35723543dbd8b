/* Rings of pointers to events, which are counted: one event may stand in two of them. */
#include "sensor/console/journal.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers begin in the middle, so that older ones can be put before. */
#define FIRST_NUMBER (UINT64_C(1) << 62)

/* Health comes every ten seconds: six hours. */
static const struct {
	const char *dataset;
	size_t room;
} rows[JOURNAL_ROWS] = {
	[ROW_RECENT] = { NULL, 4096 },       [ROW_PROBES] = { "probe", 500 },   [ROW_WATCH] = { "watch", 500 },
	[ROW_APPROVALS] = { "approval", 200 }, [ROW_HEALTH] = { "health", 2160 },
};

bool event_id_read(struct event_id *id, const char *text)
{
	int n = 0;

	return sscanf(text, "%" SCNu64 "-%" SCNu64 "%n", &id->ms, &id->seq, &n) == 2 && n > 0 && text[n] == 0 && strchr(text, '+') == NULL &&
	       text[0] != '-';
}

int event_id_order(const struct event_id *a, const struct event_id *b)
{
	if (a->ms != b->ms)
		return a->ms < b->ms ? -1 : 1;
	return a->seq == b->seq ? 0 : a->seq < b->seq ? -1 : 1;
}

bool journal_open(struct journal *j)
{
	memset(j, 0, sizeof *j);
	for (int i = 0; i < JOURNAL_ROWS; i++) {
		j->row[i] = (struct journal_row){ calloc(rows[i].room, sizeof(struct event *)), rows[i].room, FIRST_NUMBER, FIRST_NUMBER };
		if (!j->row[i].slot)
			return false;
	}
	return true;
}

static void release(struct event *e)
{
	if (--e->holders == 0)
		free(e);
}

struct event *journal_at(const struct journal *j, enum journal_row_name row, uint64_t number)
{
	const struct journal_row *r = &j->row[row];

	return r->slot[number % r->room];
}

static void drop_first(struct journal *j, enum journal_row_name name)
{
	struct event *e = journal_at(j, name, j->row[name].first++);

	if (name == ROW_RECENT)
		j->recent_bytes -= e->len;
	release(e);
}

void journal_clear(struct journal *j)
{
	j->generation++;
	for (int i = 0; i < JOURNAL_ROWS; i++)
		while (j->row[i].first < j->row[i].next)
			drop_first(j, (enum journal_row_name)i);
}

static bool is_word(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && text[n] == 0 && n < EVENT_DATASET_BYTES;
}

/* In the form of the stream of events a line's end would end the event, so there is none in it. NULL when it is no document. */
static struct event *make_event(const struct event_id *id, const char *body, size_t len)
{
	static const char module[] = "askance.";
	json_t *document = len <= EVENT_BODY_MOST ? json_loadb(body, len, 0, NULL) : NULL;
	const char *dataset = json_string_value(json_object_get(json_object_get(document, "event"), "dataset"));
	struct event *e = NULL;

	if (dataset && strncmp(dataset, module, sizeof module - 1) == 0 && is_word(dataset + sizeof module - 1) && !memchr(body, '\n', len) &&
	    !memchr(body, '\r', len))
		e = malloc(sizeof *e + len);
	if (e) {
		*e = (struct event){ .id = *id, .holders = 1, .len = len };
		snprintf(e->dataset, sizeof e->dataset, "%s", dataset + sizeof module - 1);
		memcpy(e->body, body, len);
	}
	json_decref(document);
	return e;
}

static bool belongs(const struct event *e, int row)
{
	return !rows[row].dataset || strcmp(rows[row].dataset, e->dataset) == 0;
}

void journal_add(struct journal *j, const struct event_id *id, const char *body, size_t len)
{
	struct event *e = make_event(id, body, len);

	if (!e)
		return;
	for (int i = 0; i < JOURNAL_ROWS; i++) {
		struct journal_row *r = &j->row[i];

		if (!belongs(e, i))
			continue;
		if (r->next - r->first == r->room)
			drop_first(j, (enum journal_row_name)i);
		r->slot[r->next++ % r->room] = e;
		e->holders++;
	}
	j->recent_bytes += len;
	release(e);
	while (j->recent_bytes > JOURNAL_RECENT_BYTES)
		drop_first(j, ROW_RECENT);
}

bool journal_add_before(struct journal *j, const struct event_id *id, const char *body, size_t len)
{
	struct event *e = make_event(id, body, len);
	bool any = false;

	for (int i = 0; i < JOURNAL_ROWS; i++) {
		struct journal_row *r = &j->row[i];
		bool full = r->next - r->first == r->room || (i == ROW_RECENT && j->recent_bytes + len > JOURNAL_RECENT_BYTES);

		any |= !full;
		if (!e || full || !belongs(e, i))
			continue;
		r->slot[--r->first % r->room] = e;
		e->holders++;
		if (i == ROW_RECENT)
			j->recent_bytes += len;
	}
	if (e)
		release(e);
	return any;
}

bool journal_find(const struct journal *j, const struct event_id *id, uint64_t *number)
{
	const struct journal_row *r = &j->row[ROW_RECENT];
	uint64_t low = r->first, high = r->next;

	if (low == high || event_id_order(id, &journal_at(j, ROW_RECENT, low)->id) < 0 ||
	    event_id_order(id, &journal_at(j, ROW_RECENT, high - 1)->id) > 0)
		return false;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (event_id_order(&journal_at(j, ROW_RECENT, middle)->id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*number = low;
	return true;
}
