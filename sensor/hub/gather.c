/* A merge of a few rings: the earliest report that any holds, once no ring can bring an earlier one. */
#include "sensor/hub/gather.h"

#include "sensor/common/message.h"

/* The intake's next report is at hand, unless its ring is empty. False for nonsense. */
static bool look(struct intake *in)
{
	enum ring_result result;

	if (in->held)
		return true;
	/* First how far the engine has come, then what it told: what it tells meanwhile is later. */
	in->order = ring_counter(&in->ring, NOTE_ORDER);
	result = intake_next(in, &in->report);
	in->held = result == RING_OK;
	return result != RING_BROKEN;
}

static struct intake *earliest(struct gather *g)
{
	struct intake *first = NULL;

	for (unsigned i = 0; i < g->count; i++)
		if (g->intakes[i].held && (!first || g->intakes[i].report.order < first->report.order))
			first = &g->intakes[i];
	return first;
}

static bool holds_up(const struct intake *in, const struct intake *first)
{
	return !in->held && in->source == first->source && in->order < first->report.order && !(in->given_up && in->order == in->given_up_at);
}

static bool is_ready(const struct gather *g, const struct intake *first)
{
	for (unsigned i = 0; i < g->count && !g->hasty; i++)
		if (holds_up(&g->intakes[i], first))
			return false;
	return true;
}

enum gather_result gather_next(struct gather *g, const struct report **report, unsigned *from)
{
	struct intake *first;

	for (unsigned i = 0; i < g->count; i++)
		if (!look(&g->intakes[i]))
			return GATHER_BROKEN;
	first = earliest(g);
	if (!first)
		return GATHER_EMPTY;
	if (!is_ready(g, first))
		return GATHER_WAIT;
	intake_take(first);
	*report = &first->report;
	*from = (unsigned)(first - g->intakes);
	return GATHER_REPORT;
}

void gather_give_up(struct gather *g)
{
	const struct intake *first = earliest(g);

	for (unsigned i = 0; i < g->count && first; i++)
		if (holds_up(&g->intakes[i], first)) {
			g->intakes[i].given_up = true;
			g->intakes[i].given_up_at = g->intakes[i].order;
		}
}

bool gather_sleep(struct gather *g)
{
	bool asleep = true;

	for (unsigned i = 0; i < g->count; i++)
		if (!g->intakes[i].held)
			asleep &= ring_sleep(&g->intakes[i].ring);
	return asleep;
}
