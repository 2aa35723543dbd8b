/* Summaries by id, with the order of their changes. */
#include "sensor/console/assets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void assets_open(struct assets *a)
{
	struct timespec now;

	memset(a, 0, sizeof *a);
	clock_gettime(CLOCK_REALTIME, &now);
	a->start = a->revision = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

bool asset_id_valid(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-");

	return n > 0 && n < ASSET_KEY_BYTES && id[n] == 0;
}

static struct asset_row *find(const struct assets *a, const char *id)
{
	struct asset_row *found;

	HASH_FIND_STR(a->rows, id, found);
	return found;
}

bool assets_wants(const struct assets *a, const char *id, int64_t sequence)
{
	const struct asset_row *row = find(a, id);

	return !row || row->sequence != sequence;
}

static struct asset_row *add_row(struct assets *a, const char *id)
{
	struct asset_row *row = HASH_COUNT(a->rows) < ASSETS_MOST ? calloc(1, sizeof *row) : NULL;

	if (!row)
		return NULL;
	snprintf(row->id, sizeof row->id, "%s", id);
	row->pass = a->pass;
	HASH_ADD_STR(a->rows, id, row);
	return row;
}

/* Takes both over. */
static void keep(struct assets *a, struct asset_row *row, int64_t sequence, struct summary s, struct witness *w)
{
	if (w && strcmp(w->id, row->id) != 0) {
		free(w);
		w = NULL;
	}
	if (!w || !row->witness || !witness_same(w, row->witness))
		a->witnessed++;
	free(row->witness);
	row->witness = w;
	row->sequence = sequence;
	if (row->summary.asset && strcmp(row->summary.asset, s.asset) == 0 && strcmp(row->summary.gaps, s.gaps) == 0) {
		summary_free(&s);
		return;
	}
	summary_free(&row->summary);
	row->summary = s;
	row->revision = ++a->revision;
}

void assets_put(struct assets *a, const char *id, int64_t sequence, const char *body, size_t len)
{
	json_t *document = json_loadb(body, len, 0, NULL);
	struct asset_row *row = find(a, id);
	struct summary s;

	if (summary_make(&s, document)) {
		if (!row)
			row = add_row(a, id);
		if (row)
			keep(a, row, sequence, s, witness_of(document));
		else
			summary_free(&s);
	}
	json_decref(document);
}

static void drop_row(struct assets *a, struct asset_row *row)
{
	HASH_DEL(a->rows, row);
	a->witnessed++;
	summary_free(&row->summary);
	free(row->witness);
	free(row);
}

static void remove_row(struct assets *a, struct asset_row *row)
{
	size_t at = a->gone_count++ % ASSETS_GONE;

	/* Who knows nothing newer than what falls out of the ring here is told everything anew. */
	if (a->gone_count > ASSETS_GONE)
		a->start = a->gone[at].revision;
	memcpy(a->gone[at].id, row->id, sizeof a->gone[at].id);
	a->gone[at].revision = ++a->revision;
	drop_row(a, row);
}

void assets_remove(struct assets *a, const char *id)
{
	struct asset_row *row = find(a, id);

	if (row)
		remove_row(a, row);
}

void assets_clear(struct assets *a)
{
	struct asset_row *row, *next;

	HASH_ITER(hh, a->rows, row, next)
		drop_row(a, row);
}

void assets_pass_start(struct assets *a)
{
	a->pass++;
}

void assets_pass_mark(struct assets *a, const char *id)
{
	struct asset_row *row = find(a, id);

	if (row)
		row->pass = a->pass;
}

void assets_pass_end(struct assets *a)
{
	struct asset_row *row, *next;

	HASH_ITER(hh, a->rows, row, next)
		if (row->pass != a->pass)
			remove_row(a, row);
}

static void print_gone(const struct assets *a, int64_t since, FILE *to)
{
	size_t first = a->gone_count > ASSETS_GONE ? a->gone_count - ASSETS_GONE : 0;
	const char *comma = "";

	for (size_t i = first; i < a->gone_count; i++)
		if (a->gone[i % ASSETS_GONE].revision > since && !find(a, a->gone[i % ASSETS_GONE].id)) {
			fprintf(to, "%s\"%s\"", comma, a->gone[i % ASSETS_GONE].id);
			comma = ",";
		}
}

void assets_print(const struct assets *a, int64_t since, bool loading, FILE *to)
{
	bool all = since < a->start || since > a->revision;
	const char *comma = "";

	fprintf(to, "{\"cursor\":%" PRId64 ",\"all\":%s,\"loading\":%s,\"assets\":[", a->revision, all ? "true" : "false", loading ? "true" : "false");
	for (const struct asset_row *row = a->rows; row; row = row->hh.next)
		if (all || row->revision > since) {
			fputs(comma, to);
			fputs(row->summary.asset, to);
			comma = ",";
		}
	fputs("],\"gone\":[", to);
	if (!all)
		print_gone(a, since, to);
	fputs("]}", to);
}

void assets_print_gaps(const struct assets *a, FILE *to)
{
	const char *comma = "";

	fputs("{\"gaps\":[", to);
	for (const struct asset_row *row = a->rows; row; row = row->hh.next)
		if (row->summary.gaps[0]) {
			fputs(comma, to);
			fputs(row->summary.gaps, to);
			comma = ",";
		}
	fputs("]}", to);
}
