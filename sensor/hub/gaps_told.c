/* An asset's gaps as they were last told, so that only what changed is told again. */
#include "sensor/hub/gaps.h"

#include "sensor/hub/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t gap_print(const struct gap *g)
{
	char text[1024];
	int n = snprintf(text, sizeof text, "%u|%u|%s|%s|%s|", g->kind, g->verdict, g->subject,
			 g->rule ? g->rule->name : "", g->why);

	for (unsigned i = 0; i < g->lacks_count && n < (int)sizeof text - 8; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%u,", g->lacks[i]);
	return hash_stable(text, (size_t)n);
}

const struct gap_told *gaps_told(const struct gap_list *list, enum gap_kind kind, const char *subject)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (list->items[i].kind == kind && strcmp(list->items[i].subject, subject) == 0)
			return &list->items[i];
	return NULL;
}

struct gap_list *gaps_remember(struct asset *a, struct gaps *g, int64_t now)
{
	struct gap_list *old = a->gaps;
	struct gap_list *list = g->count ? malloc(sizeof *list + g->count * sizeof list->items[0]) : NULL;

	for (size_t i = 0; i < g->count; i++) {
		struct gap *gap = &g->items[i];
		const struct gap_told *before = gaps_told(old, (enum gap_kind)gap->kind, gap->subject);

		gap->since_ns = before ? before->since_ns : now;
		if (!list)
			continue;
		list->items[i] = (struct gap_told){ .kind = gap->kind, .verdict = gap->verdict, .print = gap_print(gap),
						    .since_ns = gap->since_ns };
		memcpy(list->items[i].subject, gap->subject, sizeof gap->subject);
	}
	if (list)
		list->count = g->count;
	a->gaps = list;
	return old;
}

bool gaps_restore(struct asset *a, const struct gap_told *told)
{
	size_t count = a->gaps ? a->gaps->count : 0;
	struct gap_list *grown = realloc(a->gaps, sizeof *grown + (count + 1) * sizeof grown->items[0]);

	if (!grown)
		return false;
	grown->items[count] = *told;
	grown->count = count + 1;
	a->gaps = grown;
	return true;
}

void gaps_free(struct gap_list *list)
{
	free(list);
}
